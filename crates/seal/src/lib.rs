//! Sealing: secrets in zeroizing types, key derivation, wrapped keys and the object stream. Pure: no IO, no clock.
//!
//! The hierarchy, as formulas (the bytes are in `docs/formats/`):
//!
//! ```text
//! envelope        K = KBKDF(master, label, N);  header ‖ AES-256-GCM(K, iv, plaintext);  aad = header ‖ caller's aad
//! sealed(OEK)     envelope(KEK, label ObjectKey, aad = bucket, version, data, mode, layer, name)
//! KEK of SSE-C    HKDF(customer key, salt, object identity)
//! PK_n ‖ commit   HKDF(OEK, part salt, n ‖ blob)
//! segment s       AES-256-GCM(PK_n, s ‖ last flag, up to 64 KiB, aad = format, layer, n, blob)
//! ```
//!
//! The rule that never bends: **a key is never used twice with one nonce.** An envelope derives a key for each call from 16
//! fresh random bytes. A part key lives inside a [`stream::Sealer`], which counts its own nonces, cannot be cloned, and is
//! consumed by the last segment; a key that comes back from storage can only open.

pub mod context;
pub mod customer;
pub mod envelope;
pub mod kdf;
pub mod stream;

mod gcm;
mod object_key;
mod random;
mod secret;
#[cfg(test)]
mod vectors;

pub use context::EncryptionContext;
pub use object_key::{ObjectBinding, ObjectKey};
pub use random::{fill_random, random_bytes};
pub use secret::SecretKey;

/// What was to be opened did not open.
///
/// It says nothing about why, so that nobody learns from it: a wrong key, other authenticated data, a changed or missing
/// byte, another format and another version all look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed data does not open")]
pub struct OpenError;
