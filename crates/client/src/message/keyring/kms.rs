//! Data keys under one key of a key management service
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-keyring.md), and
//! [the one for multi-Region keys](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-mrk-keyring.md)).

use super::{KMS, Keyring, Request, Wrapped, first, of_kms};
use crate::error::{Error, Result};
use crate::kms::{DecryptedKey, KeyArn, KeyRequest, Kms, mrk_match};
use crate::message::header::EncryptedDataKey;
use crate::message::suite::Suite;
use crate::secret::DataKey;

/// One key of a key management service.
///
/// [`Kms`] has an example.
///
/// It wraps with whatever names the key (ARN, id, alias); it opens only what names the same ARN, since what a stranger wrote into a
/// message must not decide which key is used.
pub struct KmsKeyring<K> {
    kms: K,
    key_id: String,
    grant_tokens: Vec<String>,
    multi_region: bool,
}

impl<K: Kms> KmsKeyring<K> {
    /// Of this very key.
    ///
    /// # Errors
    /// [`Error::KeyArn`] for an empty name, or one that begins as an ARN and is none.
    pub fn new(kms: K, key_id: impl Into<String>) -> Result<Self> {
        let key_id = key_id.into();
        if key_id.is_empty() || (key_id.starts_with("arn:") && key_id.parse::<KeyArn>().is_err()) {
            return Err(Error::KeyArn(key_id));
        }
        Ok(Self { kms, key_id, grant_tokens: Vec::new(), multi_region: false })
    }

    /// Of this key or, if it is a multi-Region key, of its replicas: what was wrapped in one Region opens in another.
    ///
    /// # Errors
    /// As [`KmsKeyring::new`].
    pub fn multi_region(kms: K, key_id: impl Into<String>) -> Result<Self> {
        Ok(Self { multi_region: true, ..Self::new(kms, key_id)? })
    }

    /// Grant tokens for every call.
    #[must_use]
    pub fn grant_tokens<T: Into<String>>(self, tokens: impl IntoIterator<Item = T>) -> Self {
        Self { grant_tokens: tokens.into_iter().map(Into::into).collect(), ..self }
    }

    fn request<'a>(&'a self, request: &Request<'a>) -> KeyRequest<'a> {
        KeyRequest { key_id: &self.key_id, context: request.context, grant_tokens: &self.grant_tokens }
    }

    fn is_named(&self, arn: &str) -> bool {
        arn == self.key_id || (self.multi_region && mrk_match(&self.key_id, arn))
    }
}

impl<K: Kms> Keyring for KmsKeyring<K> {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()> {
        let kms = self.request(request);
        let (ciphertext, arn, made) = if let Some(data_key) = &wrapped.data_key {
            let answer = self.kms.encrypt(&kms, data_key)?;
            (answer.ciphertext, answer.key_arn, None)
        } else {
            let answer = self.kms.generate_data_key(&kms, request.suite.key_length())?;
            (answer.ciphertext, answer.key_arn, Some(checked(request.suite, answer.plaintext)?))
        };
        if !arn.parse::<KeyArn>().is_ok_and(|arn| arn.is_key()) {
            return Err(Error::KeyArn(arn));
        }
        if made.is_some() {
            wrapped.data_key = made;
        }
        wrapped.keys.push(EncryptedDataKey { provider: KMS.to_owned(), info: arn.into_bytes(), ciphertext });
        Ok(())
    }

    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey> {
        let named: Vec<EncryptedDataKey> = of_kms(keys)?
            .into_iter()
            .filter(|(arn, _)| self.is_named(&arn.to_string()))
            .map(|(_, key)| key.clone())
            .collect();
        first(&named, |key| Some(self.open(request, key)))
    }
}

impl<K: Kms> KmsKeyring<K> {
    fn open(&self, request: &Request<'_>, key: &EncryptedDataKey) -> Result<DataKey> {
        let answer = self.kms.decrypt(&self.request(request), &key.ciphertext)?;
        answered(request.suite, &self.key_id, answer)
    }
}

/// The data key of an answer that comes from the key that was asked, and has the suite's length.
pub(super) fn answered(suite: Suite, asked: &str, answer: DecryptedKey) -> Result<DataKey> {
    if answer.key_arn != asked {
        return Err(Error::OtherKey { asked: asked.to_owned(), found: answer.key_arn });
    }
    checked(suite, answer.plaintext)
}

fn checked(suite: Suite, data_key: DataKey) -> Result<DataKey> {
    let (expected, found) = (suite.key_length(), data_key.len());
    if expected == found { Ok(data_key) } else { Err(Error::DataKeyLength { expected, found }) }
}
