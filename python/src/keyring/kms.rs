//! Keys of a key management service.

use super::Keyring;
use crate::error::{Way, raised};
use crate::kms::service;
use client::message as esdk;
use pyo3::prelude::*;

/// One key of a key management service: AWS KMS, or a Strongroom server.
///
/// `kms_client` is a boto3 client, or anything that has its methods `generate_data_key`, `encrypt` and `decrypt`; so it brings
/// credentials, Region and endpoint. `client_supplier` makes one for a Region's name instead (`None` where `kms_key_id` is no ARN).
/// Without both, KMS is asked without boto3, by the environment's variables and the files in `~/.aws`: with an access key, but with no
/// credentials that another program or service has to give.
///
/// With `multi_region`, what a replica of a multi-Region key wrapped opens, too.
///
///     >>> import boto3, strongroom
///     >>> keyring = strongroom.KmsKeyring(KEY_ARN, boto3.client("kms"))
///     >>> message, _ = strongroom.EncryptionSDKClient().encrypt(source=b"attack at dawn", keyring=keyring)
#[pyclass(extends = Keyring, frozen, module = "strongroom")]
pub(crate) struct KmsKeyring;

#[pymethods]
impl KmsKeyring {
    #[new]
    #[pyo3(signature = (kms_key_id, kms_client=None, *, client_supplier=None, grant_tokens=Vec::new(), multi_region=false))]
    fn new(
        py: Python<'_>,
        kms_key_id: &str,
        kms_client: Option<Py<PyAny>>,
        client_supplier: Option<Py<PyAny>>,
        grant_tokens: Vec<String>,
        multi_region: bool,
    ) -> PyResult<PyClassInitializer<Self>> {
        let kms = service(py, kms_client, client_supplier)?;
        let keyring = if multi_region {
            esdk::KmsKeyring::multi_region(kms, kms_key_id)
        } else {
            esdk::KmsKeyring::new(kms, kms_key_id)
        };
        let keyring = keyring.map_err(|error| raised(py, Way::Encrypt, error))?.grant_tokens(grant_tokens);
        Ok(super::keyring(py, "KmsKeyring", &[kms_key_id], keyring)?.add_subclass(Self))
    }
}

/// Opens with whichever key of a key management service a message names; it cannot encrypt.
///
/// Name the `account_ids` that you trust, with their `partition`: without, a message can have you use any key of anybody who lets you.
///
/// With `region`, multi-Region keys are used in that Region wherever they wrapped, and of others those of that Region alone.
///
///     >>> import boto3, strongroom
///     >>> ours = strongroom.KmsDiscoveryKeyring(boto3.client("kms"), account_ids=["111122223333"])
///     >>> several_regions = strongroom.KmsDiscoveryKeyring(
///     ...     client_supplier=lambda region: boto3.client("kms", region_name=region), account_ids=["111122223333"]
///     ... )
#[pyclass(extends = Keyring, frozen, module = "strongroom")]
pub(crate) struct KmsDiscoveryKeyring;

#[pymethods]
impl KmsDiscoveryKeyring {
    #[new]
    #[pyo3(signature = (
        kms_client=None, *, client_supplier=None, account_ids=None, partition="aws", region=None, grant_tokens=Vec::new()
    ))]
    fn new(
        py: Python<'_>,
        kms_client: Option<Py<PyAny>>,
        client_supplier: Option<Py<PyAny>>,
        account_ids: Option<Vec<String>>,
        partition: &str,
        region: Option<&str>,
        grant_tokens: Vec<String>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let kms = service(py, kms_client, client_supplier)?;
        let mut keyring = match region {
            Some(region) => esdk::KmsDiscovery::multi_region(kms, region),
            None => esdk::KmsDiscovery::new(kms),
        };
        let shown = account_ids.clone().unwrap_or_default();
        if let Some(accounts) = account_ids {
            keyring = keyring.only(partition, accounts);
        }
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let keyring = keyring.grant_tokens(grant_tokens);
        Ok(super::keyring(py, "KmsDiscoveryKeyring", &shown, keyring)?.add_subclass(Self))
    }
}
