//! Keyrings: they make, wrap and open data keys
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/keyring-interface.md)).

mod discovery;
mod kms;
mod multi;
mod raw_aes;
mod raw_rsa;

pub use discovery::KmsDiscovery;
pub use kms::KmsKeyring;
pub use multi::Multi;
pub use raw_aes::RawAes;
pub use raw_rsa::RawRsa;

use super::header::EncryptedDataKey;
use super::suite::Suite;
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::failures::Failures;
use crate::kms::KeyArn;
use crate::secret::DataKey;
use std::sync::Arc;

/// The provider of data keys that a key management service wrapped.
const KMS: &str = "aws-kms";

/// The most wrapped keys of one message that each keyring tries to open.
///
/// Of a stranger's message each try may cost a call to a key management service, or an operation with a private key, and its header has
/// room for thousands. A keyring tries only those that name its key, which is one of an honest message, or with discovery one for each key
/// that is allowed: 128 are more than anybody writes. AWS's clients try all of them; who really has more gives them to several keyrings in
/// a [`Multi`], and who expects fewer says so with
/// [`Decryptor::max_encrypted_data_keys`](super::Decryptor::max_encrypted_data_keys).
pub const TRIES: usize = 128;

/// One or several wrapping keys.
pub trait Keyring: Send + Sync {
    /// Makes a data key if there is none yet, and adds it as its keys wrap it.
    ///
    /// # Errors
    /// Whatever keeps it from adding a wrapped key; then no message is written.
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()>;

    /// Opens one of the wrapped keys.
    ///
    /// # Errors
    /// [`Error::NoKeyOpens`] with what each attempt failed with; or another error that concerns all of them.
    fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey>;
}

/// What a keyring is told of a message.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The suite, which says how long a data key is.
    pub suite: Suite,
    /// The whole encryption context, which every wrapping binds where it can.
    pub context: &'a EncryptionContext,
}

/// A data key in the making.
#[derive(Default)]
pub struct Wrapped {
    /// In clear, once a keyring has made it.
    pub data_key: Option<DataKey>,
    /// As the keyrings have wrapped it so far.
    pub keys: Vec<EncryptedDataKey>,
}

impl Wrapped {
    /// The data key, made now if there is none yet.
    fn data_key(&mut self, suite: Suite) -> Result<&DataKey> {
        if self.data_key.is_none() {
            self.data_key = Some(DataKey::random(suite.key_length())?);
        }
        self.data_key.as_ref().ok_or(Error::NoDataKey)
    }
}

macro_rules! keyring_behind {
    ($($pointer:ty),*) => {$(
        impl<K: Keyring + ?Sized> Keyring for $pointer {
            fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<()> {
                (**self).on_encrypt(request, wrapped)
            }

            fn on_decrypt(&self, request: &Request<'_>, keys: &[EncryptedDataKey]) -> Result<DataKey> {
                (**self).on_decrypt(request, keys)
            }
        }
    )*};
}

keyring_behind!(&K, Box<K>, Arc<K>);

/// The first data key that an attempt opens, of [`TRIES`] at most. Attempts that are none (`None`) leave no trace, failures are listed.
fn first<T>(
    keys: impl IntoIterator<Item = T>,
    mut attempt: impl FnMut(T) -> Option<Result<DataKey>>,
) -> Result<DataKey> {
    let mut failures = Failures::default();
    for key in keys {
        if failures.count() == TRIES {
            failures.push(Error::Tries { limit: TRIES });
            break;
        }
        match attempt(key) {
            Some(Ok(data_key)) => return Ok(data_key),
            Some(Err(failure)) => failures.push(failure),
            None => {}
        }
    }
    Err(Error::NoKeyOpens(failures))
}

/// Wrapped keys of the key management service, each with the ARN that it names.
///
/// One that names no key's ARN fails the whole, as the specification has it: nobody writes such a thing by accident.
fn of_kms(keys: &[EncryptedDataKey]) -> Result<Vec<(KeyArn, &EncryptedDataKey)>> {
    keys.iter()
        .filter(|key| key.provider == KMS)
        .map(|key| {
            let text = String::from_utf8_lossy(&key.info).into_owned();
            match text.parse::<KeyArn>() {
                Ok(arn) if arn.is_key() => Ok((arn, key)),
                _ => Err(Error::KeyArn(text)),
            }
        })
        .collect()
}

/// A raw key's name space and name.
struct Name {
    space: String,
    name: String,
}

impl Name {
    fn new(space: impl Into<String>, name: impl Into<String>) -> Result<Self> {
        let (space, name) = (space.into(), name.into());
        if space == KMS {
            return Err(Error::KeyName("name space is that of a key management service"));
        }
        // A raw AES key's name stands before 20 more bytes in a field of 65,535.
        if space.len().max(name.len()) > usize::from(u16::MAX) - 20 {
            return Err(Error::KeyName("name space or name is too long"));
        }
        Ok(Self { space, name })
    }
}
