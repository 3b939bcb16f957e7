//! A client of the external key store proxy (XKS) API, version 1.
//!
//! A KMS key in an external key store is used in two layers: our material inside, the external key outside. The external key
//! never leaves its external key manager; a proxy before it answers four requests over HTTPS, which this crate makes, signs with
//! Signature Version 4 (service `kms-xks-proxy`) and bounds in time and size. Whatever the proxy answers is checked before
//! anybody sees it: lengths, encodings and the integrity value of every ciphertext.
//!
//! Source: <https://github.com/aws/aws-kms-xksproxy-api-spec/blob/main/xks_proxy_api_spec.md>, 1.0.3.

mod error;
mod identifier;
mod proxy;
mod wire;

pub use error::{Error, Fault};
pub use identifier::{Invalid, KeyId, UriPath};
pub use proxy::{Configuration, MAX_AAD, MAX_ANSWER, MAX_PLAINTEXT, Proxy, SERVICE, TIME_LIMIT};
pub use wire::{Asker, Health, MAX_METADATA, Manager, ManagerStatus, Metadata, Sealed};

/// Every reader of an answer, for fuzz targets alone: what a proxy sends is a stranger's.
#[cfg(fuzzing)]
pub fn read_answer(status: u16, body: &[u8], aad: &[u8], length: usize) {
    drop(wire::encrypted(body, aad, length));
    if let Ok(plaintext) = wire::decrypted(body, length) {
        assert_eq!(plaintext.len(), length);
    }
    drop(wire::metadata(body));
    drop(wire::health(body));
    drop(wire::refusal(status, body));
}
