//! What the custom key store operations and CreateKey do with an external key store proxy.

use std::sync::Arc;

use xks::{Fault, Proxy};
use zeroize::Zeroizing;

use super::store::{Connection, StoreRecord};
use super::xks::{External, ProxySettings, create_key_error, for_health, for_proxy, store_error};
use super::{Backing, KeyStore, nothing_to_update};
use crate::Keys;
use crate::access::{Action, Asker, Via};
use crate::error::Error;
use crate::operation::custom_key_store::{
    Claimed, Claims, CreateCustomKeyStoreRequest, ProxyCredential, ProxyMembers, UpdateCustomKeyStoreRequest,
};
use crate::principal::Principal;
use crate::record::Custody;
use crate::request;
use crate::rows::Claim;
use crate::vault::Key;

impl Keys {
    /// What CreateCustomKeyStore stores of a proxy, which must be reachable and well, and what the store claims.
    pub(crate) async fn new_proxy_store(
        &self,
        principal: &Principal,
        request: CreateCustomKeyStoreRequest,
    ) -> Result<(Backing, Vec<Claimed>), Error> {
        let hsm = [&request.cloud_hsm_cluster_id, &request.trust_anchor_certificate].iter().any(|it| it.is_some());
        if hsm || request.key_store_password.is_some() {
            return Err(hsm_members());
        }
        let missing =
            |member: &str| Error::Validation(format!("{member} is required for custom key stores of type {TYPE}."));
        let proxy = request.proxy;
        if proxy.xks_proxy_connectivity.is_none() {
            return Err(missing("XksProxyConnectivity"));
        }
        refuse_vpc(&proxy)?;
        let mut settings = ProxySettings {
            endpoint: proxy.xks_proxy_uri_endpoint.ok_or_else(|| missing("XksProxyUriEndpoint"))?,
            path: proxy.xks_proxy_uri_path.ok_or_else(|| missing("XksProxyUriPath"))?,
            access_key_id: String::new(),
            secret: Zeroizing::default(),
        };
        let credential = proxy.xks_proxy_authentication_credential;
        settings.sign_as(&credential.ok_or_else(|| missing("XksProxyAuthenticationCredential"))?);
        let claim = Claim::ProxyUri(principal.account, settings.place());
        // Before the proxy is asked, though it is the commit that decides.
        if self.is_claimed(&claim).await? {
            return Err(uri_in_use());
        }
        self.check_proxy(&settings, "CreateCustomKeyStore").await.map_err(store_error)?;
        Ok((Backing::Proxy(settings), vec![Claimed { claim, refusal: uri_in_use }]))
    }

    /// Asks the proxy of a store that is being connected whether it is well.
    pub(crate) async fn connect_proxy(&self, settings: &ProxySettings) -> Connection {
        match self.check_proxy(settings, "ConnectCustomKeyStore").await {
            Ok(()) => Connection::Connected,
            Err(fault) => Connection::Failed(fault.connection_error_code()),
        }
    }

    /// What UpdateCustomKeyStore makes of a proxy's record, if the proxy is well where it is now; the name is the caller's part.
    pub(crate) async fn updated_proxy_store(
        &self,
        principal: &Principal,
        store: &KeyStore,
        settings: &ProxySettings,
        request: &UpdateCustomKeyStoreRequest,
    ) -> Result<(StoreRecord, Claims), Error> {
        if request.key_store_password.is_some() || request.cloud_hsm_cluster_id.is_some() {
            return Err(hsm_members());
        }
        let proxy = &request.proxy;
        let online = proxy.xks_proxy_uri_path.is_some() || proxy.xks_proxy_authentication_credential.is_some();
        let offline = proxy.xks_proxy_uri_endpoint.is_some() || proxy.xks_proxy_connectivity.is_some();
        store.require_changeable(offline)?;
        refuse_vpc(proxy)?;
        if !online && !offline && request.new_custom_key_store_name.is_none() {
            return Err(nothing_to_update());
        }
        let (mut next, mut claims) = (settings.clone(), Claims::default());
        if let Some(endpoint) = &proxy.xks_proxy_uri_endpoint {
            next.endpoint.clone_from(endpoint);
        }
        if let Some(path) = &proxy.xks_proxy_uri_path {
            next.path.clone_from(path);
        }
        if let Some(credential) = &proxy.xks_proxy_authentication_credential {
            next.sign_as(credential);
        }
        if next.place() != settings.place() {
            let claim = Claim::ProxyUri(principal.account, next.place());
            if self.is_claimed(&claim).await? {
                return Err(uri_in_use());
            }
            claims.taken.push(Claimed { claim, refusal: uri_in_use });
            claims.released.push(Claim::ProxyUri(principal.account, settings.place()));
        }
        if online || offline {
            self.check_proxy(&next, "UpdateCustomKeyStore").await.map_err(store_error)?;
        }
        Ok((StoreRecord { backing: Backing::Proxy(next), ..store.record.clone() }, claims))
    }

    /// Asks the proxy of a connected store for the external key of a new KMS key.
    ///
    /// # Errors
    /// As CreateKey has them for whatever the proxy says; [`Error::XksKeyInvalidConfiguration`] unless the key is an enabled
    /// AES-256 key for both directions.
    pub(crate) async fn require_external_key(
        &self,
        principal: &Principal,
        store: &KeyStore,
        external: &str,
    ) -> Result<(), Error> {
        let (id, key) = (request::id(), external_key(external)?);
        let failed = |error: ::xks::Error| {
            tracing::warn!(store = store.id, external, request = id, %error, "an external key could not be looked at");
            create_key_error(error.fault())
        };
        let proxy = self.proxy_of(store).map_err(failed)?;
        let asker = for_proxy(Asker::of(principal, Action::CreateKey, Via::Kms), &id);
        let found = proxy.metadata(&key, asker).await.map_err(failed)?;
        if found.is_fit() {
            return Ok(());
        }
        Err(Error::XksKeyInvalidConfiguration(
            "The external key must be an AES-256 symmetric key that is enabled and performs encryption and decryption."
                .to_owned(),
        ))
    }

    /// The external key of a KMS key whose store is connected.
    ///
    /// # Errors
    /// [`Error::KmsInvalidState`].
    pub(crate) async fn external(&self, key: &Key) -> Result<External, Error> {
        let store = self.connected_store(key).await?;
        let Custody::Proxy { key: external, .. } = &key.record.custody else {
            return Err(Error::KmsInvalidState(format!("{} is not in an external key store.", key.arn)));
        };
        let proxy = self.proxy_of(&store).map_err(|error| {
            tracing::warn!(store = store.id, %error, "the proxy of an external key store cannot be called");
            Error::KmsInvalidState(error.fault().message().to_owned())
        })?;
        Ok(External { proxy, key: external_key(external)?, arn: key.arn.clone() })
    }

    fn proxy_of(&self, store: &KeyStore) -> Result<Arc<Proxy>, ::xks::Error> {
        match &store.record.backing {
            Backing::Proxy(settings) => {
                self.shared.connections.proxies.proxy(&store.id, self.region.as_str(), settings)
            }
            Backing::Hsm(_) => Err(::xks::Error::new(Fault::InvalidUriPath, "the store is an HSM")),
        }
    }

    /// Whether the proxy at these settings is well (`GetHealthStatus`).
    async fn check_proxy(&self, settings: &ProxySettings, operation: &str) -> Result<(), Fault> {
        let id = request::id();
        let checked = match self.shared.connections.proxies.connect(self.region.as_str(), settings) {
            Ok(proxy) => proxy.health(for_health(operation, &id)).await,
            Err(error) => Err(error),
        };
        checked.map(drop).map_err(|error| {
            tracing::warn!(endpoint = settings.endpoint, request = id, %error, "an XKS proxy is not well");
            error.fault()
        })
    }
}

impl ProxySettings {
    fn sign_as(&mut self, credential: &ProxyCredential) {
        self.access_key_id.clone_from(&credential.access_key_id);
        self.secret = Zeroizing::new(credential.raw_secret_access_key.expose().to_owned());
    }
}

const TYPE: &str = "EXTERNAL_KEY_STORE";

/// The service model has let it through, so only what a path would resolve is left to refuse.
fn external_key(id: &str) -> Result<::xks::KeyId, Error> {
    ::xks::KeyId::parse(id).map_err(|error| Error::XksKeyNotFound(error.to_string()))
}

/// Here there are no VPCs: proxies on private networks are reached by the operator's routes, as public endpoints.
fn refuse_vpc(proxy: &ProxyMembers) -> Result<(), Error> {
    if proxy.xks_proxy_connectivity.as_deref() == Some("VPC_ENDPOINT_SERVICE") {
        return Err(Error::XksProxyVpcEndpointServiceNotFound(
            "There are no VPC endpoint services here: use PUBLIC_ENDPOINT connectivity.".to_owned(),
        ));
    }
    if proxy.xks_proxy_vpc_endpoint_service_name.is_some() || proxy.xks_proxy_vpc_endpoint_service_owner.is_some() {
        return Err(Error::Validation(
            "The XksProxyVpcEndpointService parameters are valid only with the connectivity VPC_ENDPOINT_SERVICE."
                .to_owned(),
        ));
    }
    Ok(())
}

fn uri_in_use() -> Error {
    let text = "Another external key store of the account has this XksProxyUriEndpoint and XksProxyUriPath.";
    Error::XksProxyUriInUse(text.to_owned())
}

fn hsm_members() -> Error {
    let text = "CloudHsmClusterId, TrustAnchorCertificate and KeyStorePassword are valid only for custom key stores of type \
         AWS_CLOUDHSM.";
    Error::Validation(text.to_owned())
}
