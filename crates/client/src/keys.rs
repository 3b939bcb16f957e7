//! Wrapping keys that you hold yourself.

mod aes;
mod pem;
mod rsa;

pub use aes::AesKey;
pub use rsa::{RsaPadding, RsaPrivateKey, RsaPublicKey};
