//! Import tokens: the private half of a wrapping key, sealed, in the hands of whoever asked for it. The server keeps nothing of it.
//!
//! ```text
//! token = record envelope(kind "import token", aad = key ARN, 01 ‖ wrapping algorithm ‖ valid to ‖ private key)
//! ```
//!
//! docs/formats/import-token.md draws the bytes.

use material::Secret;
use material::import::{WrappingAlgorithm, WrappingKey};
use zeroize::Zeroizing;

use crate::codec::Decoder;
use crate::domain::RecordSealer;
use crate::error::Error;
use crate::wire::Timestamp;

const VERSION: u8 = 1;
const KIND: &[u8] = b"import token";

/// What an import token holds.
pub(super) struct ImportToken {
    pub(super) algorithm: WrappingAlgorithm,
    pub(super) valid_to: Timestamp,
    /// As [`WrappingKey::to_stored`] gives it.
    pub(super) private: Secret,
}

impl ImportToken {
    /// The token for the key of this ARN.
    pub(super) fn seal(&self, sealer: &RecordSealer, arn: &str) -> Vec<u8> {
        let private = self.private.expose();
        // Grown at once, so that no copy of the key is left behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(2 + 8 + private.len()));
        plain.extend([VERSION, self.algorithm.code()]);
        plain.extend(self.valid_to.as_millis().to_be_bytes());
        plain.extend_from_slice(private);
        sealer.seal(KIND, arn.as_bytes(), &plain)
    }

    /// Opens a token of the key of this ARN.
    ///
    /// # Errors
    /// [`Error::InvalidImportToken`] if it is none of this key's, [`Error::ExpiredImportToken`].
    pub(super) fn open(sealer: &RecordSealer, arn: &str, token: &[u8], now: Timestamp) -> Result<Self, Error> {
        let opened = sealer.open(KIND, arn.as_bytes(), token).ok();
        let token = opened.and_then(|plain| Self::decode(&plain)).ok_or_else(invalid)?;
        if token.valid_to <= now {
            return Err(Error::ExpiredImportToken("The import token has expired.".to_owned()));
        }
        Ok(token)
    }

    fn decode(plain: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, plain)?;
        let algorithm = WrappingAlgorithm::from_code(fields.byte()?)?;
        let valid_to = fields.time()?;
        Some(Self { algorithm, valid_to, private: Secret::from(fields.rest()) })
    }

    /// Opens what was wrapped under the token's public key. Milliseconds of computing.
    ///
    /// # Errors
    /// [`Error::InvalidImportToken`] if the key is none, [`Error::InvalidCiphertext`] if the bytes do not open.
    pub(super) fn unwrap(&self, wrapped: &[u8]) -> Result<Secret, Error> {
        let key = WrappingKey::from_stored(self.private.expose()).map_err(|_| invalid())?;
        key.unwrap(self.algorithm, wrapped).map_err(|_| Error::InvalidCiphertext(String::new()))
    }
}

fn invalid() -> Error {
    Error::InvalidImportToken("The import token is invalid or is associated with a different KMS key.".to_owned())
}
