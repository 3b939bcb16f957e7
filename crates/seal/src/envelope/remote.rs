//! The envelope of a master key that is kept elsewhere, in an HSM: the same bytes, in two steps around one HMAC-SHA256.
//!
//! A blob's key is one block of KBKDF, and so one HMAC under the master: whoever keeps the master computes it from
//! [`Sealing::prf_input`] and hands the 32 bytes back. They open one blob alone; the master itself is never seen here.

use super::{DERIVATION, Label, MAX_FIELDS, Parsed, seal_under, split};
use crate::gcm::{Gcm, NONCE};
use crate::{OpenError, SecretKey, kdf::Kbkdf, random_bytes};
use zeroize::Zeroizing;

/// A blob about to be sealed: its random bytes are chosen, its key is still to be asked for.
pub struct Sealing {
    label: Label,
    fields: Vec<u8>,
    random: [u8; DERIVATION + NONCE],
}

impl Sealing {
    /// Begins a blob with the caller's cleartext `fields`.
    ///
    /// # Panics
    /// If `fields` has more than [`MAX_FIELDS`] bytes.
    pub fn begin(label: Label, fields: &[u8]) -> Sealing {
        assert!(fields.len() <= MAX_FIELDS, "an envelope's fields have at most 255 bytes");
        Sealing { label, fields: fields.to_vec(), random: random_bytes() }
    }

    /// What HMAC-SHA256 under the master key is to be computed of.
    pub fn prf_input(&self) -> Vec<u8> {
        prf_input(self.label, split(&self.random).0)
    }

    /// Seals `plaintext` with the HMAC of [`prf_input`](Sealing::prf_input). The blob is byte for byte one of
    /// [`Envelope::seal`](super::Envelope::seal).
    pub fn finish(self, prf_output: &[u8; SecretKey::LEN], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        seal_under(&Gcm::new(prf_output), &self.random, self.label, &self.fields, aad, plaintext)
    }
}

/// A blob about to be opened, its key still to be asked for.
pub struct Opening<'a> {
    parsed: Parsed<'a>,
}

impl<'a> Opening<'a> {
    /// Begins with a blob that must be of `label`.
    ///
    /// # Errors
    /// If it is no envelope of that label.
    pub fn begin(label: Label, blob: &'a [u8]) -> Result<Opening<'a>, OpenError> {
        let parsed = Parsed::labelled(label, blob)?;
        Ok(Opening { parsed })
    }

    /// What HMAC-SHA256 under the master key is to be computed of.
    pub fn prf_input(&self) -> Vec<u8> {
        prf_input(self.parsed.header.label, self.parsed.derivation)
    }

    /// Opens the blob with the HMAC of [`prf_input`](Opening::prf_input).
    ///
    /// # Errors
    /// As [`Envelope::open`](super::Envelope::open).
    pub fn finish(self, prf_output: &[u8; SecretKey::LEN], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.parsed.open_under(&Gcm::new(prf_output), aad)
    }
}

fn prf_input(label: Label, derivation: &[u8; DERIVATION]) -> Vec<u8> {
    Kbkdf::single_block_message(label.derivation(), derivation)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::envelope::{open, overhead, seal};
    use aws_lc_rs::hmac;

    fn master() -> SecretKey {
        SecretKey::from_bytes([7; 32])
    }

    /// The keeper of the master key: it computes HMACs, and that is all it does.
    fn keeper(input: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, master().expose());
        hmac::sign(&key, input).as_ref().try_into().unwrap()
    }

    #[test]
    fn what_is_sealed_through_a_keeper_opens_with_the_master_and_the_other_way_round() {
        for label in [Label::Kms, Label::DomainKey] {
            for (fields, plaintext) in [(&b""[..], &b""[..]), (b"fields", b"plaintext"), (&[9; MAX_FIELDS], &[5; 4096])]
            {
                let sealing = Sealing::begin(label, fields);
                let output = keeper(&sealing.prf_input());
                let blob = sealing.finish(&output, b"aad", plaintext);
                assert_eq!(blob.len(), plaintext.len() + overhead(fields.len()));
                assert_eq!(open(&master(), label, b"aad", &blob).unwrap()[..], *plaintext);

                for blob in [blob, seal(&master(), label, fields, b"aad", plaintext)] {
                    let opening = Opening::begin(label, &blob).unwrap();
                    let output = keeper(&opening.prf_input());
                    assert_eq!(opening.finish(&output, b"aad").unwrap()[..], *plaintext);
                }
            }
        }
    }

    #[test]
    fn another_label_output_or_aad_or_byte_does_not_open() {
        let blob = seal(&master(), Label::Kms, b"f", b"aad", b"plaintext");
        assert!(Opening::begin(Label::Record, &blob).is_err());
        let finish = |blob: &[u8], aad: &[u8], flip: u8| {
            let opening = Opening::begin(Label::Kms, blob)?;
            let mut output = keeper(&opening.prf_input());
            output[0] ^= flip;
            opening.finish(&output, aad)
        };
        assert!(finish(&blob, b"aad", 0).is_ok());
        assert_eq!(finish(&blob, b"aad", 1), Err(OpenError));
        assert_eq!(finish(&blob, b"other", 0), Err(OpenError));
        for position in 0..blob.len() {
            let mut changed = blob.clone();
            changed[position] ^= 1;
            assert_eq!(finish(&changed, b"aad", 0), Err(OpenError), "byte {position}");
        }
    }

    #[test]
    fn two_blobs_never_ask_for_the_same_key() {
        let inputs: std::collections::HashSet<_> =
            (0..100).map(|_| Sealing::begin(Label::Kms, b"").prf_input()).collect();
        assert_eq!(inputs.len(), 100);
    }
}
