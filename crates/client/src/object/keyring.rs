//! Keyrings: they make, wrap and open the data key of an object.

mod aes;
mod kms;
mod rsa;
mod several;

pub use aes::AesKeyring;
pub use kms::KmsKeyring;
pub(super) use kms::{check_context, check_reserved};
pub use rsa::RsaKeyring;
pub use several::Keyrings;

use super::algorithm::{ContentAlgorithm, Wrapping};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::secret::DataKey;
use std::sync::Arc;

/// A wrapping key, or several of which one wraps.
pub trait ObjectKeyring: Send + Sync {
    /// Wraps the request's data key or, where it has none, a new one of 32 bytes.
    ///
    /// # Errors
    /// Whatever keeps it from that; then no object is written.
    fn wrap(&self, request: &WrapRequest<'_>) -> Result<WrappedKey>;

    /// Opens a wrapped data key.
    ///
    /// # Errors
    /// [`Error::Unwrap`], [`Error::NoKeyOpens`], [`Error::KeyringCannot`]; of a key management service its own.
    fn unwrap(&self, request: &UnwrapRequest<'_>) -> Result<DataKey>;

    /// How well this keyring fits, by which [`Keyrings`] chooses.
    fn fit(&self, request: &UnwrapRequest<'_>) -> Fit;
}

/// What a keyring is told of an object that will be written.
#[derive(Clone, Copy)]
pub struct WrapRequest<'a> {
    /// How the content will be encrypted, which every wrapping binds.
    pub content: ContentAlgorithm,
    /// The caller's encryption context.
    pub context: &'a EncryptionContext,
    /// Of an object that is there already.
    pub data_key: Option<&'a DataKey>,
}

/// What a keyring made.
pub struct WrappedKey {
    /// In clear.
    pub data_key: DataKey,
    /// Wrapped.
    pub ciphertext: Vec<u8>,
    /// How it was wrapped.
    pub wrapping: Wrapping,
    /// What is stored beside it: the context of a key management service with what the format adds, or a material description.
    pub description: EncryptionContext,
}

/// What a keyring is told of an object that was read.
#[derive(Debug, Clone, Copy)]
pub struct UnwrapRequest<'a> {
    /// How the content is encrypted.
    pub content: ContentAlgorithm,
    /// How the data key is wrapped. One that is legacy was allowed by the caller.
    pub wrapping: Wrapping,
    /// The wrapped data key.
    pub ciphertext: &'a [u8],
    /// What is stored beside it. A context in it was compared with the caller's.
    pub description: &'a EncryptionContext,
}

/// How well a keyring fits a wrapped data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It is of another kind.
    No,
    /// It is of the kind; whether of this key, only trying tells.
    Kind,
    /// Its material description is the one that is stored.
    Described,
}

macro_rules! keyring_behind {
    ($($pointer:ty),*) => {$(
        impl<K: ObjectKeyring + ?Sized> ObjectKeyring for $pointer {
            fn wrap(&self, request: &WrapRequest<'_>) -> Result<WrappedKey> {
                (**self).wrap(request)
            }

            fn unwrap(&self, request: &UnwrapRequest<'_>) -> Result<DataKey> {
                (**self).unwrap(request)
            }

            fn fit(&self, request: &UnwrapRequest<'_>) -> Fit {
                (**self).fit(request)
            }
        }
    )*};
}

keyring_behind!(&K, Box<K>, Arc<K>);

impl WrapRequest<'_> {
    /// The data key to wrap, for a key that can bind no context.
    fn raw_data_key(&self) -> Result<DataKey> {
        if !self.context.is_empty() {
            return Err(Error::ContextUnbound);
        }
        self.data_key.map_or_else(|| DataKey::random(32), |key| Ok(key.clone()))
    }
}

/// By a material description.
fn described(own: &EncryptionContext, request: &UnwrapRequest<'_>) -> Fit {
    if own == request.description { Fit::Described } else { Fit::Kind }
}
