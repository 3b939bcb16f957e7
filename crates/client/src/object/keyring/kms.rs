//! Data keys under a key of a key management service
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/materials/s3-kms-keyring.md)).

use super::super::algorithm::{ContentAlgorithm, Wrapping};
use super::super::member::WRAPPING;
use super::{Fit, ObjectKeyring, UnwrapRequest, WrapRequest, WrappedKey};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::kms::{KeyArn, KeyRequest, Kms};
use crate::secret::DataKey;

/// The pair that the format adds to a context: how the content is encrypted.
const CONTENT_NAME: &str = "aws:x-amz-cek-alg";

/// The pair that old clients added to a context: the key.
const KEY_NAME: &str = "kms_cmk_id";

/// One key of a key management service, which binds the encryption context and the content's algorithm.
///
/// [`Kms`] has an example of a service.
pub struct KmsKeyring<K> {
    kms: K,
    key_id: String,
    grant_tokens: Vec<String>,
}

impl<K: Kms> KmsKeyring<K> {
    /// Of this key, by its ARN, its id or an alias. Another one's data keys do not open.
    ///
    /// # Errors
    /// [`Error::KeyArn`] for an empty name, or one that begins as an ARN and is none.
    pub fn new(kms: K, key_id: impl Into<String>) -> Result<Self> {
        let key_id = key_id.into();
        if key_id.is_empty() || (key_id.starts_with("arn:") && key_id.parse::<KeyArn>().is_err()) {
            return Err(Error::KeyArn(key_id));
        }
        Ok(Self { kms, key_id, grant_tokens: Vec::new() })
    }

    /// Grant tokens for every call.
    #[must_use]
    pub fn grant_tokens<T: Into<String>>(self, tokens: impl IntoIterator<Item = T>) -> Self {
        Self { grant_tokens: tokens.into_iter().map(Into::into).collect(), ..self }
    }

    fn request<'a>(&'a self, context: &'a EncryptionContext) -> KeyRequest<'a> {
        KeyRequest { key_id: &self.key_id, context, grant_tokens: &self.grant_tokens }
    }

    /// Where the key is named by its ARN, the answer has to be its own.
    fn answered(&self, found: String) -> Result<()> {
        match self.key_id.parse::<KeyArn>() {
            Ok(asked) if asked.is_key() && found != self.key_id => {
                Err(Error::OtherKey { asked: self.key_id.clone(), found })
            }
            _ => Ok(()),
        }
    }
}

impl<K: Kms> ObjectKeyring for KmsKeyring<K> {
    fn wrap(&self, request: &WrapRequest<'_>) -> Result<WrappedKey> {
        let mut context = request.context.clone();
        check_reserved(&context)?;
        context.insert(CONTENT_NAME, request.content.name());
        let kms = self.request(&context);
        let (data_key, ciphertext, arn) = if let Some(data_key) = request.data_key {
            let answer = self.kms.encrypt(&kms, data_key)?;
            (data_key.clone(), answer.ciphertext, answer.key_arn)
        } else {
            let answer = self.kms.generate_data_key(&kms, 32)?;
            (answer.plaintext, answer.ciphertext, answer.key_arn)
        };
        self.answered(arn)?;
        Ok(WrappedKey { data_key, ciphertext, wrapping: Wrapping::KmsContext, description: context })
    }

    fn unwrap(&self, request: &UnwrapRequest<'_>) -> Result<DataKey> {
        if !request.wrapping.is_kms() {
            return Err(Error::KeyringCannot("open what no key management service wrapped"));
        }
        let answer = self.kms.decrypt(&self.request(request.description), request.ciphertext)?;
        self.answered(answer.key_arn)?;
        Ok(answer.plaintext)
    }

    fn fit(&self, request: &UnwrapRequest<'_>) -> Fit {
        if request.wrapping.is_kms() { Fit::Kind } else { Fit::No }
    }
}

/// # Errors
/// [`Error::ReservedContext`] for a name that is the format's own.
pub(in crate::object) fn check_reserved(context: &EncryptionContext) -> Result<()> {
    match [CONTENT_NAME, KEY_NAME].into_iter().find(|name| context.get(name).is_some()) {
        Some(name) => Err(Error::ReservedContext(name.to_owned())),
        None => Ok(()),
    }
}

/// Whether the caller's context is the one that is stored, less what the format added.
///
/// A key that binds no context goes with no context: or else who changes how a key is said to be wrapped would avoid the comparison.
/// For the same reason a context that names the content's algorithm, as only that of `kms+context` does, is none of `kms`. Other pairs
/// may be in that: old clients took them from their callers.
pub(in crate::object) fn check_context(
    wrapping: Wrapping,
    content: ContentAlgorithm,
    stored: &EncryptionContext,
    given: &EncryptionContext,
) -> Result<()> {
    check_reserved(given)?;
    if wrapping != Wrapping::KmsContext {
        if !given.is_empty() {
            return Err(Error::ContextUnbound);
        }
        if wrapping == Wrapping::Kms && stored.get(CONTENT_NAME).is_some() {
            return Err(Error::Member(WRAPPING, "`kms` with the context of `kms+context`"));
        }
        return Ok(());
    }
    if stored.get(CONTENT_NAME) != Some(content.name()) {
        return Err(Error::ContextMismatch(CONTENT_NAME.to_owned()));
    }
    let mut own = stored.clone();
    own.remove(CONTENT_NAME);
    own.remove(KEY_NAME);
    let names = own.iter().chain(given.iter()).map(|(name, _)| name);
    match names.into_iter().find(|name| own.get(name) != given.get(name)) {
        Some(name) => Err(Error::ContextMismatch(name.to_owned())),
        None => Ok(()),
    }
}
