//! The requests and answers of the operations on custom key stores.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::wire::Timestamp;

model::requests!(
    kms:
    CreateCustomKeyStoreRequest,
    ConnectCustomKeyStoreRequest,
    DescribeCustomKeyStoresRequest,
    UpdateCustomKeyStoreRequest,
    DisconnectCustomKeyStoreRequest,
    DeleteCustomKeyStoreRequest,
);

/// A password in a request. Wiped when dropped, never printed.
#[derive(Clone, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// The password.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The request of CreateCustomKeyStore.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateCustomKeyStoreRequest {
    /// `CustomKeyStoreName`.
    pub custom_key_store_name: String,
    /// `CloudHsmClusterId`.
    pub cloud_hsm_cluster_id: Option<String>,
    /// `TrustAnchorCertificate`: PEM.
    pub trust_anchor_certificate: Option<String>,
    /// `KeyStorePassword`.
    pub key_store_password: Option<Password>,
    /// `CustomKeyStoreType`.
    pub custom_key_store_type: Option<String>,
    /// The members of external key stores.
    #[serde(flatten)]
    pub proxy: ProxyMembers,
}

/// What requests say of an external key store proxy.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProxyMembers {
    /// `XksProxyUriEndpoint`.
    pub xks_proxy_uri_endpoint: Option<String>,
    /// `XksProxyUriPath`.
    pub xks_proxy_uri_path: Option<String>,
    /// `XksProxyVpcEndpointServiceName`.
    pub xks_proxy_vpc_endpoint_service_name: Option<String>,
    /// `XksProxyVpcEndpointServiceOwner`.
    pub xks_proxy_vpc_endpoint_service_owner: Option<String>,
    /// `XksProxyAuthenticationCredential`.
    pub xks_proxy_authentication_credential: Option<ProxyCredential>,
    /// `XksProxyConnectivity`.
    pub xks_proxy_connectivity: Option<String>,
}

/// `XksProxyAuthenticationCredentialType` of the service model.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProxyCredential {
    /// `AccessKeyId`.
    pub access_key_id: String,
    /// `RawSecretAccessKey`.
    pub raw_secret_access_key: Password,
}

impl ProxyMembers {
    /// Whether the request says anything of a proxy.
    pub(crate) fn any(&self) -> bool {
        self.xks_proxy_uri_endpoint.is_some()
            || self.xks_proxy_uri_path.is_some()
            || self.xks_proxy_vpc_endpoint_service_name.is_some()
            || self.xks_proxy_vpc_endpoint_service_owner.is_some()
            || self.xks_proxy_authentication_credential.is_some()
            || self.xks_proxy_connectivity.is_some()
    }
}

/// The answer of CreateCustomKeyStore.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct CreateCustomKeyStoreResponse {
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: String,
}

/// The request of ConnectCustomKeyStore.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConnectCustomKeyStoreRequest {
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: String,
}

/// The answer of the operations that answer an object without properties.
#[derive(Clone, Serialize, Debug)]
pub struct Empty {}

/// The request of DescribeCustomKeyStores.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCustomKeyStoresRequest {
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: Option<String>,
    /// `CustomKeyStoreName`.
    pub custom_key_store_name: Option<String>,
    /// `Limit`.
    pub limit: Option<i64>,
    /// `Marker`.
    pub marker: Option<String>,
}

/// The answer of DescribeCustomKeyStores.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCustomKeyStoresResponse {
    /// `CustomKeyStores`.
    pub custom_key_stores: Vec<CustomKeyStoresListEntry>,
    /// `NextMarker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// `Truncated`.
    pub truncated: bool,
}

/// `CustomKeyStoresListEntry` of the service model.
#[derive(Clone, Serialize, Debug, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CustomKeyStoresListEntry {
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: String,
    /// `CustomKeyStoreName`.
    pub custom_key_store_name: String,
    /// `CloudHsmClusterId`, of HSMs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_hsm_cluster_id: Option<String>,
    /// `TrustAnchorCertificate`, of HSMs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_anchor_certificate: Option<String>,
    /// `ConnectionState`.
    pub connection_state: &'static str,
    /// `ConnectionErrorCode`, of a connection that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_error_code: Option<&'static str>,
    /// `CreationDate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<Timestamp>,
    /// `CustomKeyStoreType`.
    pub custom_key_store_type: &'static str,
    /// `XksProxyConfiguration`, of external key stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_configuration: Option<XksProxyConfiguration>,
}

/// `XksProxyConfigurationType` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct XksProxyConfiguration {
    /// `Connectivity`.
    pub connectivity: &'static str,
    /// `AccessKeyId`.
    pub access_key_id: String,
    /// `UriEndpoint`.
    pub uri_endpoint: String,
    /// `UriPath`.
    pub uri_path: String,
}

/// The request of UpdateCustomKeyStore.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateCustomKeyStoreRequest {
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: String,
    /// `NewCustomKeyStoreName`.
    pub new_custom_key_store_name: Option<String>,
    /// `KeyStorePassword`.
    pub key_store_password: Option<Password>,
    /// `CloudHsmClusterId`.
    pub cloud_hsm_cluster_id: Option<String>,
    /// The members of external key stores.
    #[serde(flatten)]
    pub proxy: ProxyMembers,
}

/// The request of DisconnectCustomKeyStore.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisconnectCustomKeyStoreRequest {
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: String,
}

/// The request of DeleteCustomKeyStore.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteCustomKeyStoreRequest {
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: String,
}
