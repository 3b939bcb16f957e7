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
}

impl Label {
    fn from_code(code: u8) -> Option<Label> {
        [Label::Kms, Label::Material, Label::DomainKey, Label::Record, Label::ObjectKey]
            .into_iter()
            .find(|label| *label as u8 == code)
    }

    /// The label of SP 800-108.
    fn derivation(self) -> &'static [u8] {
        match self {
            Label::Kms => b"strongroom envelope v1: kms",
            Label::Material => b"strongroom envelope v1: material",
            Label::DomainKey => b"strongroom envelope v1: domain key",
            Label::Record => b"strongroom envelope v1: record",
            Label::ObjectKey => b"strongroom envelope v1: object key",
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

    fn seal_with(
        &self,
        random: [u8; DERIVATION + NONCE],
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
        blob.extend_from_slice(&random);
        blob.extend_from_slice(plaintext);
        blob.resize(header_len + plaintext.len() + TAG, 0);

        let (header, text) = blob.split_at_mut(header_len);
        let (derivation, iv) = split(&random);
        // The key is new with each call, so its only nonce is used once.
        self.key(label, derivation).seal(iv, &[header, aad].concat(), text);
        blob
    }

    /// Opens what [`seal`](Envelope::seal) gave, under the same label and `aad`.
    ///
    /// # Errors
    /// If anything differs: the key, the label, a byte of the blob or of the `aad`.
    pub fn open(&self, label: Label, aad: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let parsed = Parsed::of(blob)?;
        if parsed.header.label != label {
            return Err(OpenError);
        }
        let mut text = Zeroizing::new(parsed.sealed.to_vec());
        let len =
            self.key(label, parsed.derivation).open(parsed.iv, &[parsed.authenticated, aad].concat(), &mut text)?;
        text.truncate(len);
        Ok(text)
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

impl Parsed<'_> {
    fn of(blob: &[u8]) -> Result<Parsed<'_>, OpenError> {
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
