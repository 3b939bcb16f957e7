//! The envelope: the one construction for KMS ciphertexts, wrapped keys and sealed records.
//!
//! ```text
//! N  ← 16 random bytes          iv ← 12 random bytes
//! K  = KBKDF-CTR-HMAC-SHA256(master, label, N)
//! header = magic ‖ version ‖ label ‖ length ‖ caller's fields ‖ N ‖ iv
//! blob   = header ‖ AES-256-GCM(K, iv, plaintext; aad = header ‖ caller's aad)
//! ```
//!
//! It is AWS KMS's own (KMS Cryptographic Details; Campagna and Gueron, "Key Management Systems at the Cloud Scale", 2019).
//! A fresh key for each call is what lets one master seal 2^64 blobs: AES-GCM with random nonces alone would have to stop
//! at 2^32. The bytes are in `docs/formats/envelope.md`.

use crate::gcm::{Gcm, NONCE, TAG};
use crate::{OpenError, SecretKey, kdf::Kbkdf, random_bytes};
use zeroize::Zeroizing;

mod remote;

pub use remote::{Opening, Sealing};

const MAGIC: &[u8; 4] = b"SREV";
const VERSION: u8 = 1;
/// Magic, version, label, and the length of the caller's fields.
const FIXED: usize = 7;
/// The random bytes that a blob's key is derived from.
const DERIVATION: usize = 16;

/// The most bytes of the caller's cleartext fields: their length is one byte.
pub const MAX_FIELDS: usize = 255;

/// What a blob holds. Keys derived for one label never open another's, and the label is authenticated too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Label {
    /// What KMS's Encrypt and GenerateDataKey give to a caller.
    Kms = 1,
    /// The material of a KMS key, under a domain key.
    Material = 2,
    /// A domain key, under the root key.
    DomainKey = 3,
    /// A metadata record, under a domain key.
    Record = 4,
    /// An object key, under the key of its encryption mode.
    ObjectKey = 5,
    /// The inner layer of what KMS gives under a key in an external key store, whose external key is the outer one.
    KmsInner = 6,
}

impl Label {
    const ALL: [Label; 6] =
        [Label::Kms, Label::Material, Label::DomainKey, Label::Record, Label::ObjectKey, Label::KmsInner];

    /// The label of a header's byte.
    fn from_code(code: u8) -> Option<Label> {
        Label::ALL.into_iter().find(|label| *label as u8 == code)
    }

    /// The label of SP 800-108.
    fn derivation(self) -> &'static [u8] {
        match self {
            Label::Kms => b"strongroom envelope v1: kms",
            Label::Material => b"strongroom envelope v1: material",
            Label::DomainKey => b"strongroom envelope v1: domain key",
            Label::Record => b"strongroom envelope v1: record",
            Label::ObjectKey => b"strongroom envelope v1: object key",
            Label::KmsInner => b"strongroom envelope v1: kms inner",
        }
    }
}

/// The bytes that an envelope adds to a plaintext, with caller's fields of `fields` bytes.
pub const fn overhead(fields: usize) -> usize {
    FIXED + fields + DERIVATION + NONCE + TAG
}

/// Seals and opens under one master key, whose HMAC state is computed once. Share it: sealing needs no `&mut`.
pub struct Envelope {
    master: Kbkdf,
}

impl Envelope {
    /// Prepares a master key.
    pub fn new(master: &SecretKey) -> Envelope {
        let master = Kbkdf::new(master.expose());
        Envelope { master }
    }

    /// Seals `plaintext`. `fields` stand readable in the blob and are authenticated; `aad` is authenticated and not stored.
    ///
    /// The blob is [`overhead`] bytes longer than the plaintext.
    ///
    /// # Panics
    /// If `fields` has more than [`MAX_FIELDS`] bytes.
    pub fn seal(&self, label: Label, fields: &[u8], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        self.seal_with(random_bytes(), label, fields, aad, plaintext)
    }

    /// The same with N and iv given, for vectors: never with bytes that were used before.
    pub(crate) fn seal_with(
        &self,
        random: [u8; DERIVATION + NONCE],
        label: Label,
        fields: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Vec<u8> {
        let (derivation, _) = split(&random);
        seal_under(&self.key(label, derivation), &random, label, fields, aad, plaintext)
    }

    /// Opens what [`seal`](Envelope::seal) gave, under the same label and `aad`.
    ///
    /// # Errors
    /// If anything differs: the key, the label, a byte of the blob or of the `aad`.
    pub fn open(&self, label: Label, aad: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let parsed = Parsed::labelled(label, blob)?;
        parsed.open_under(&self.key(label, parsed.derivation), aad)
    }

    fn key(&self, label: Label, derivation: &[u8; DERIVATION]) -> Gcm {
        let mut key = Zeroizing::new([0; SecretKey::LEN]);
        self.master.derive(label.derivation(), derivation, &mut key[..]);
        Gcm::new(&key)
    }
}

/// [`Envelope::seal`] for a master key that is used once.
pub fn seal(master: &SecretKey, label: Label, fields: &[u8], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    Envelope::new(master).seal(label, fields, aad, plaintext)
}

/// [`Envelope::open`] for a master key that is used once.
///
/// # Errors
/// As [`Envelope::open`].
pub fn open(master: &SecretKey, label: Label, aad: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    Envelope::new(master).open(label, aad, blob)
}

/// Writes the blob whose key was derived from the first 16 bytes of `random`: new with each call, so its only nonce is used
/// once.
fn seal_under(
    key: &Gcm,
    random: &[u8; DERIVATION + NONCE],
    label: Label,
    fields: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    let length = u8::try_from(fields.len()).expect("an envelope's fields have at most 255 bytes");
    let header_len = FIXED + fields.len() + random.len();

    let mut blob = Vec::with_capacity(header_len + plaintext.len() + TAG);
    blob.extend_from_slice(MAGIC);
    blob.extend_from_slice(&[VERSION, label as u8, length]);
    blob.extend_from_slice(fields);
    blob.extend_from_slice(random);
    blob.extend_from_slice(plaintext);
    blob.resize(header_len + plaintext.len() + TAG, 0);

    let (header, text) = blob.split_at_mut(header_len);
    let (_, iv) = split(random);
    key.seal(iv, &[header, aad].concat(), text);
    blob
}

/// What a blob says of itself, before any key: good to choose the key by, and for nothing else until the blob has opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// What the blob holds.
    pub label: Label,
    /// The caller's cleartext fields.
    pub fields: &'a [u8],
}

/// Reads the header of a blob without opening it.
///
/// # Errors
/// If this is no envelope, is of an unknown version or label, or is too short to be whole.
pub fn parse_header(blob: &[u8]) -> Result<Header<'_>, OpenError> {
    Ok(Parsed::of(blob)?.header)
}

struct Parsed<'a> {
    header: Header<'a>,
    derivation: &'a [u8; DERIVATION],
    iv: [u8; NONCE],
    /// The whole header, as it is authenticated.
    authenticated: &'a [u8],
    /// Ciphertext and tag.
    sealed: &'a [u8],
}

impl<'a> Parsed<'a> {
    /// Parses a blob that must be of `label`.
    fn labelled(label: Label, blob: &'a [u8]) -> Result<Parsed<'a>, OpenError> {
        let parsed = Parsed::of(blob)?;
        if parsed.header.label == label { Ok(parsed) } else { Err(OpenError) }
    }

    fn open_under(&self, key: &Gcm, aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let mut text = Zeroizing::new(self.sealed.to_vec());
        let len = key.open(self.iv, &[self.authenticated, aad].concat(), &mut text)?;
        text.truncate(len);
        Ok(text)
    }

    fn of(blob: &'a [u8]) -> Result<Parsed<'a>, OpenError> {
        let (&[m0, m1, m2, m3, version, label, length], rest) = blob.split_first_chunk::<FIXED>().ok_or(OpenError)?;
        if [m0, m1, m2, m3] != *MAGIC || version != VERSION {
            return Err(OpenError);
        }
        let label = Label::from_code(label).ok_or(OpenError)?;
        let (fields, rest) = rest.split_at_checked(length.into()).ok_or(OpenError)?;
        let (random, sealed) = rest.split_first_chunk().ok_or(OpenError)?;
        if sealed.len() < TAG {
            return Err(OpenError);
        }
        let (derivation, iv) = split(random);
        Ok(Parsed {
            header: Header { label, fields },
            derivation,
            iv,
            authenticated: &blob[..blob.len() - sealed.len()],
            sealed,
        })
    }
}

/// N and the iv, which follow each other in the header.
fn split(random: &[u8; DERIVATION + NONCE]) -> (&[u8; DERIVATION], [u8; NONCE]) {
    let (derivation, iv) = random.split_first_chunk::<DERIVATION>().expect("16 of 28 bytes");
    (derivation, *iv.first_chunk().expect("12 of 12 bytes"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn master() -> SecretKey {
        SecretKey::from_bytes([7; 32])
    }

    #[test]
    fn what_was_sealed_opens_and_says_which_key_to_ask_for() {
        for len in [0, 1, 31, 32, 4096, 100_000] {
            for fields in [&b""[..], b"key and material", &[9; MAX_FIELDS]] {
                let plaintext = vec![5; len];
                let blob = seal(&master(), Label::Kms, fields, b"aad", &plaintext);
                assert_eq!(blob.len(), len + overhead(fields.len()));
                assert_eq!(parse_header(&blob).unwrap(), Header { label: Label::Kms, fields });
                assert_eq!(*open(&master(), Label::Kms, b"aad", &blob).unwrap(), plaintext);
            }
        }
    }

    #[test]
    fn the_same_input_never_gives_the_same_blob() {
        let envelope = Envelope::new(&master());
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            let blob = envelope.seal(Label::Kms, b"", b"", b"plaintext");
            assert!(seen.insert(blob[FIXED..FIXED + DERIVATION].to_vec()));
            assert!(seen.insert(blob[FIXED + DERIVATION + NONCE..].to_vec()));
        }
    }

    #[test]
    fn a_blob_opens_under_its_own_label_alone() {
        for sealed in Label::ALL {
            let blob = seal(&master(), sealed, b"f", b"aad", b"plaintext");
            for asked in Label::ALL {
                assert_eq!(open(&master(), asked, b"aad", &blob).is_ok(), asked == sealed);
                // Not even when the label's byte is changed to fit.
                let mut changed = blob.clone();
                changed[5] = asked as u8;
                assert_eq!(open(&master(), asked, b"aad", &changed).is_ok(), asked == sealed);
            }
        }
    }

    #[test]
    fn another_key_or_other_authenticated_data_does_not_open() {
        let blob = seal(&master(), Label::Kms, b"f", b"aad", b"plaintext");
        assert_eq!(open(&SecretKey::from_bytes([8; 32]), Label::Kms, b"aad", &blob), Err(OpenError));
        for aad in [&b""[..], b"aa", b"aad\0", b"Aad"] {
            assert_eq!(open(&master(), Label::Kms, aad, &blob), Err(OpenError));
        }
    }

    #[test]
    fn any_changed_bit_is_refused() {
        let blob = seal(&master(), Label::Record, b"fields", b"aad", b"plaintext");
        for position in 0..blob.len() {
            for bit in 0..8 {
                let mut changed = blob.clone();
                changed[position] ^= 1 << bit;
                assert_eq!(open(&master(), Label::Record, b"aad", &changed), Err(OpenError), "{position}.{bit}");
            }
        }
    }

    #[test]
    fn truncated_extended_and_spliced_blobs_are_refused() {
        let blob = seal(&master(), Label::Record, b"fields", b"aad", b"plaintext");
        for len in 0..blob.len() {
            assert_eq!(open(&master(), Label::Record, b"aad", &blob[..len]), Err(OpenError), "{len}");
        }
        assert_eq!(open(&master(), Label::Record, b"aad", &[&blob[..], &[0]].concat()), Err(OpenError));

        let other = seal(&master(), Label::Record, b"fields", b"aad", b"plaintext");
        for at in 0..=blob.len() {
            let spliced = [&blob[..at], &other[at..]].concat();
            let whole = spliced == blob || spliced == other;
            assert_eq!(open(&master(), Label::Record, b"aad", &spliced).is_ok(), whole, "{at}");
        }
    }

    /// The header ends where its own length says: nothing moves between it and the caller's aad.
    #[test]
    fn bytes_do_not_move_between_fields_and_aad() {
        let blob = seal(&master(), Label::Kms, b"ab", b"cd", b"plaintext");
        let mut moved = blob.clone();
        moved[6] -= 1;
        let moved = [&moved[..8], &moved[9..]].concat();
        assert_eq!(open(&master(), Label::Kms, b"bcd", &moved), Err(OpenError));
        assert_eq!(open(&master(), Label::Kms, b"cd", &moved), Err(OpenError));
    }

    #[test]
    fn a_header_is_read_without_a_key_or_not_at_all() {
        let blob = seal(&master(), Label::Kms, b"f", b"", b"");
        for len in 0..blob.len() {
            assert_eq!(parse_header(&blob[..len]), Err(OpenError));
        }
        assert_eq!(parse_header(&[0; 200]), Err(OpenError));
    }
}
