//! Objects of the Amazon S3 Encryption Client: metadata and byte streams, without HTTP.
//!
//! [`ObjectEncryptor`] writes, [`ObjectDecryptor`] reads; both take an [`ObjectKeyring`]. [`ObjectHeader::inspect`] tells what an object
//! says of itself, without a key.
//!
//! | keyring | wraps with | opens, where `legacy` allows it |
//! |---|---|---|
//! | [`AesKeyring`] | AES-GCM, a key of yours | RFC 3394, AES-ECB |
//! | [`RsaKeyring`] | RSA-OAEP with SHA-1 | PKCS#1 v1.5, OAEP with SHA-256 and MGF1 with SHA-1 |
//! | [`KmsKeyring`] | one key of a KMS, bound to context and cipher | one key of a KMS, bound to less |
//! | [`Keyrings`] | the first of its keyrings | what any of them opens |
//!
//! | version | content | written | read |
//! |---|---|---|---|
//! | [`V3`](Version::V3) | AES-256-GCM with key commitment | always | always |
//! | [`V2`](Version::V2) | AES-GCM, of old clients AES-CBC | on request, GCM | under a [`CommitmentPolicy`] that allows it; CBC with `legacy` |
//! | [`V1`](Version::V1) | AES-CBC | never | as CBC of version 2 |
//!
//! Where the wrapped data key lies: in the object's metadata or, on request, in an [instruction file](INSTRUCTION_SUFFIX). What an object
//! has is one stream of AES-GCM under one tag, so nothing of it is known to be right before its end: [`Opening::decrypt_into`] writes to
//! a [`Destination`] that is discarded if the tag is wrong, [`Opening::into_reader`] holds a bounded number of bytes.
//!
//! What is deliberately not there: a keyring for keys of a KMS that the object names, since version 3 names none.

mod algorithm;
mod cipher;
mod decrypt;
mod derive;
mod encrypt;
mod header;
mod instruction;
mod json;
mod keyring;
mod member;
mod metadata;
mod policy;
mod range;
mod reader;
mod rewrap;
mod text;

pub use crate::message::CommitmentPolicy;
pub use crate::release::Destination;
pub use algorithm::{ContentAlgorithm, Version, Wrapping};
pub use decrypt::{HOLD_LIMIT, ObjectDecryptor, Opening};
pub use encrypt::{ObjectEncryptor, SealedObject, Sealing, SealingReader, sealed_length};
pub use header::ObjectHeader;
pub use keyring::{
    AesKeyring, Fit, Keyrings, KmsKeyring, ObjectKeyring, RsaKeyring, UnwrapRequest, WrapRequest, WrappedKey,
};
pub use metadata::{INSTRUCTION_SUFFIX, METADATA_LIMIT, Metadata};
pub use policy::Release;
pub use range::{ByteRange, RangeOpening};
pub use reader::ObjectReader;
pub use rewrap::Rotation;

#[cfg(feature = "transport")]
pub(crate) use {header::is_of_instruction, instruction::mark as instruction_mark, text::decode as decoded_text};
