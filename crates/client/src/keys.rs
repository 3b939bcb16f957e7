//! Wrapping keys that you hold yourself.

mod aes;
mod file;
mod pem;
mod rsa;

pub use aes::AesKey;
pub(crate) use aes::cipher as aes_gcm;
pub use file::{KEY_FILE_LIMIT, KeyFile};
pub use rsa::{RsaPadding, RsaPrivateKey, RsaPublicKey};
