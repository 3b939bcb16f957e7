//! The root key in an HSM: 32 bytes that were made in a PKCS#11 token and never leave it.
//!
//! A wrapped key is an envelope like one of a [`KeyFile`](super::KeyFile); its key is one HMAC-SHA256, which the token computes.

use async_trait::async_trait;
use hsm::{Module, Selector, Token};
use seal::SecretKey;
use seal::envelope::{Label, Opening, Sealing};
use zeroize::Zeroizing;

use super::{RootKey, RootKeyError, RootKeyIdentity, RootKeyKind};

/// A root key in a PKCS#11 token.
pub struct Pkcs11 {
    token: Token,
    key: hsm::KeyId,
    name: String,
}

/// Where a root key in an HSM is.
pub struct Pkcs11Settings {
    /// The module's library.
    pub module: std::path::PathBuf,
    /// Which of its tokens.
    pub token: Selector,
    /// The key's `CKA_ID`.
    pub key: hsm::KeyId,
    /// The user's PIN.
    pub pin: Zeroizing<String>,
}

impl Pkcs11 {
    /// Opens the token and looks for the key.
    ///
    /// # Errors
    /// [`RootKeyError::Provider`] in the token's words, and if it has no such key.
    pub async fn open(settings: Pkcs11Settings) -> Result<Self, RootKeyError> {
        let key = Self::reach(settings).await?;
        match key.token.find(key.key).await.map_err(failed)? {
            Some(_) => Ok(key),
            None => Err(RootKeyError::Provider(format!(
                "the token has no key with id {}; `strongroom root-key create` makes one",
                key.name
            ))),
        }
    }

    /// Makes the key in the token, and opens it.
    ///
    /// # Errors
    /// [`RootKeyError::Provider`] in the token's words, and if it has a key of this id.
    pub async fn create(settings: Pkcs11Settings, label: &str) -> Result<Self, RootKeyError> {
        let key = Self::reach(settings).await?;
        key.token.create_prf_key(key.key, label).await.map_err(failed)?;
        Ok(key)
    }

    async fn reach(settings: Pkcs11Settings) -> Result<Self, RootKeyError> {
        let Pkcs11Settings { module, token, key, pin } = settings;
        let module = Module::load(&module).await.map_err(failed)?;
        let token = Token::open(&module, token, pin).await.map_err(failed)?;
        Ok(Self { token, key, name: show(&key) })
    }
}

/// An id as text where it is text, else in hexadecimal.
fn show(id: &hsm::KeyId) -> String {
    match std::str::from_utf8(id) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => text.to_owned(),
        _ => data_encoding::HEXLOWER.encode(id),
    }
}

fn failed(error: hsm::Error) -> RootKeyError {
    RootKeyError::Provider(error.to_string())
}

#[async_trait]
impl RootKey for Pkcs11 {
    fn identity(&self) -> RootKeyIdentity {
        // The id alone: one key can be reached by different names of its token.
        RootKeyIdentity { kind: RootKeyKind::Pkcs11, name: Some(self.name.clone()) }
    }

    async fn wrap(&self, aad: &[u8], domain_key: &SecretKey) -> Result<Vec<u8>, RootKeyError> {
        let sealing = Sealing::begin(Label::DomainKey, &[]);
        let output = self.token.prf(self.key, &sealing.prf_input()).await.map_err(failed)?;
        Ok(sealing.finish(&output, aad, domain_key.expose()))
    }

    async fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretKey, RootKeyError> {
        let opening = Opening::begin(Label::DomainKey, wrapped).map_err(|_| RootKeyError::WrongKey)?;
        let output = self.token.prf(self.key, &opening.prf_input()).await.map_err(failed)?;
        let opened = opening.finish(&output, aad).map_err(|_| RootKeyError::WrongKey)?;
        SecretKey::from_slice(&opened).map_err(|_| RootKeyError::WrongKey)
    }
}
