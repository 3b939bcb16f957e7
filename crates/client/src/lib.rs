//! Client-side encryption in the formats of AWS's own clients, without a server and without an async runtime.
//!
//! - [`message`]: messages of the [AWS Encryption SDK], every algorithm suite of versions 1 and 2;
//! - [`object`]: objects of the [Amazon S3 Encryption Client], versions 1 to 3;
//! - [`keys`], [`kms`]: the keys that wrap data keys: AES and RSA keys of your own, or those of a key management service;
//! - [`context`]: the encryption context, authenticated with everything and stored in clear;
//! - `aws`, with the feature `transport`: blocking clients of S3 and KMS, and the two together, for Strongroom and for AWS itself.
//!
//! Nothing is released before its tag is right, secrets are wiped and never printed, and memory is bounded whatever a header says.
//!
//! ```
//! use client::keys::AesKey;
//! use client::message::{Decryptor, Encryptor, RawAes};
//!
//! let keyring = RawAes::new("my company", "key of 2026", AesKey::generate()?)?;
//! let message = Encryptor::new(&keyring).context([("purpose", "backup")]).encrypt(b"attack at dawn")?;
//! let opened = Decryptor::new(&keyring).decrypt(&message)?;
//! assert_eq!(&opened.plaintext[..], b"attack at dawn");
//! # Ok::<(), client::Error>(())
//! ```
//!
//! [AWS Encryption SDK]: https://github.com/awslabs/aws-encryption-sdk-specification
//! [Amazon S3 Encryption Client]: https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/s3-encryption

#[cfg(feature = "transport")]
pub mod aws;
pub mod context;
mod error;
mod failures;
mod hkdf;
pub mod keys;
pub mod kms;
pub mod message;
pub mod object;
mod plaintext;
mod release;
mod secret;
mod source;
#[cfg(test)]
mod tell;

pub use context::EncryptionContext;
pub use error::{Error, Result};
pub use failures::Failures;
pub use plaintext::Plaintext;
pub use release::Destination;
pub use secret::DataKey;
