//! Messages of the AWS Encryption SDK: every algorithm suite, versions 1 and 2, framed and whole, streaming both ways.
//!
//! [`Encryptor`] writes, [`Decryptor`] reads; both take a [`Keyring`], or a [`Cache`] over one. [`Header::inspect`] tells what a message
//! says of itself, without a key.
//!
//! | keyring | wraps with | opens |
//! |---|---|---|
//! | [`RawAes`] | AES-GCM, a key of yours | what that key wrapped, in the same context |
//! | [`RawRsa`] | RSA, a public key | what it wrapped, with the private key |
//! | [`KmsKeyring`] | one key of a KMS | what that key wrapped, or with `multi_region` one of its replicas |
//! | [`KmsDiscovery`] | nothing | what any key of a KMS wrapped, of accounts that you name |
//! | [`Multi`] | all of its keyrings | what any of them opens |
//!
//! What is deliberately not there: hierarchical and ECDH keyrings, and partial reads of a message.

mod cache;
mod decrypt;
mod derive;
mod encrypt;
mod frame;
mod header;
mod keyring;
mod length;
mod materials;
mod plain;
mod policy;
mod reader;
mod sign;
mod suite;
mod writer;

pub use crate::release::Destination;
pub use cache::{Cache, CacheLimits};
pub use decrypt::{Decryptor, FRAME_LIMIT, HOLD_LIMIT, Opened};
pub use encrypt::{Encryptor, FRAME_LENGTH};
pub use header::{Body, EncryptedDataKey, HEADER_LIMIT, Header};
pub use keyring::{Keyring, KmsDiscovery, KmsKeyring, Multi, RawAes, RawRsa, Request, TRIES, Wrapped};
pub use length::plaintext_length;
pub use materials::{DecryptionMaterials, DecryptionRequest, EncryptionMaterials, EncryptionRequest, Materials};
pub use policy::{CommitmentPolicy, Release};
pub use reader::MessageReader;
pub use suite::Suite;
pub use writer::MessageWriter;
