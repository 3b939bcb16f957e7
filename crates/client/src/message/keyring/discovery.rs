//! Data keys under whatever key of a key management service a message names
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-discovery-keyring.md), and
//! [the one for multi-Region keys](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-mrk-discovery-keyring.md)).

use super::kms::answered;
use super::{Keyring, Request, Wrapped, first, of_kms};
use crate::error::{Error, Result};
use crate::kms::{KeyArn, KeyRequest, Kms};
use crate::message::header::EncryptedDataKey;
use crate::secret::DataKey;

/// Opens with whichever key a message names, as far as the caller may use it. It cannot wrap.
///
/// [`Kms`] has an example.
///
/// Set [`KmsDiscovery::only`]: without it, a message can have the caller use any key of anybody who lets it.
pub struct KmsDiscovery<K> {
    kms: K,
    grant_tokens: Vec<String>,
    filter: Option<(String, Vec<String>)>,
    region: Option<String>,
}

impl<K: Kms> KmsDiscovery<K> {
    /// With the keys as they are named.
    #[must_use]
    pub fn new(kms: K) -> Self {
        Self { kms, grant_tokens: Vec::new(), filter: None, region: None }
    }

    /// With multi-Region keys in this Region, which is the service's, wherever they were used; of others, with those of this Region.
    #[must_use]
    pub fn multi_region(kms: K, region: impl Into<String>) -> Self {
        Self { region: Some(region.into()), ..Self::new(kms) }
    }

    /// Only with keys of this partition (`aws`, say) and of one of these accounts.
    #[must_use]
    pub fn only<A: Into<String>>(self, partition: impl Into<String>, accounts: impl IntoIterator<Item = A>) -> Self {
        Self { filter: Some((partition.into(), accounts.into_iter().map(Into::into).collect())), ..self }
    }

    /// Grant tokens for every call.
    #[must_use]
    pub fn grant_tokens<T: Into<String>>(self, tokens: impl IntoIterator<Item = T>) -> Self {
        Self { grant_tokens: tokens.into_iter().map(Into::into).collect(), ..self }
    }

    /// The key to ask for, if it is one that may be asked for.
    fn asked(&self, arn: &KeyArn) -> Option<KeyArn> {
        if let Some((partition, accounts)) = &self.filter
            && !(arn.partition() == partition && accounts.iter().any(|account| account == arn.account()))
        {
            return None;
        }
        match &self.region {
            None => Some(arn.clone()),
            Some(region) if arn.is_multi_region() => Some(arn.in_region(region)),
            Some(region) => (arn.region() == region).then(|| arn.clone()),
        }
    }

    fn open(&self, request: &Request<'_>, arn: &KeyArn, key: &EncryptedDataKey) -> Result<DataKey> {
        let key_id = arn.to_string();
        let kms = KeyRequest { key_id: &key_id, context: request.context, grant_tokens: &self.grant_tokens };
        let answer = self.kms.decrypt(&kms, &key.ciphertext)?;
        answered(request.suite, &key_id, answer)
    }
}

impl<K: Kms> Keyring for KmsDiscovery<K> {
    fn on_encrypt(&self, _: &Request<'_>, _: &mut Wrapped) -> Result<()> {
        Err(Error::KeyringCannot("encrypt: it is for discovery"))
    }

    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey> {
        first(of_kms(keys)?, |(arn, key)| Some(self.open(request, &self.asked(&arn)?, key)))
    }
}
