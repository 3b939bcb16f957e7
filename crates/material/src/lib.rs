//! Key material of every KMS key spec: made, loaded, used. Pure: no IO, no clock, nothing of KMS keys as records.
//!
//! ```text
//! generate(spec) ─► Secret ─► stored sealed, elsewhere ─► Key::load(spec, bytes) ─► sign · verify · encrypt · decrypt · agree · mac · …
//! import::WrappingKey ─► unwrap ─► import::accept(spec, bytes) ─► Secret
//! ```
//!
//! [`spec`] says which specs, usages and algorithms there are, by AWS's names, and in which form each private half is stored.
//! A [`Key`] holds parsed handles: loading is paid once, each use costs little more than its primitive.
//!
//! The primitives are AWS-LC's (through `aws-lc-rs`) wherever it has them; Cargo.toml says where another crate serves and why.

pub mod import;
pub mod key;
pub mod spec;

mod der;
mod digest;
mod ecc;
mod ed25519;
mod error;
mod mac;
mod ml_dsa;
mod ml_kem;
mod rsa;
mod secret;

pub use error::Error;
pub use key::{Encapsulated, Key, generate};
pub use secret::Secret;
pub use spec::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm, MessageType,
    SigningAlgorithm,
};
