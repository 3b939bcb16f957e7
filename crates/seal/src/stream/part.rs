//! The keys of a part, and sealing and opening its segments.

use super::{Layers, MAX_SEGMENTS, SEGMENT, TAG};
use crate::gcm::{Gcm, NONCE};
use crate::{ObjectBinding, ObjectKey, OpenError, kdf, random_bytes};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const INFO: &[u8] = b"strongroom object stream v1";
const MAGIC: &[u8; 4] = b"SRST";
const VERSION: u8 = 1;
/// Where in the aad the layer stands.
const LAYER: usize = 5;
const AAD: usize = 24;

/// 32 random bytes that make a part's key its own. Stored beside the part; not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartSalt([u8; 32]);

/// What binds a part to one key. Stored beside the part; not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment([u8; 32]);

impl PartSalt {
    /// The salt as it was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> PartSalt {
        PartSalt(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Commitment {
    /// The commitment as it was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Commitment {
        Commitment(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The key of one layer of a new part. It has sealed nothing yet, and goes into one [`Sealer`].
pub struct SealingKey(LayerKey);

/// The key of one layer of a stored part, its commitment checked. It can only open.
pub struct OpeningKey(LayerKey);

impl ObjectKey {
    /// The key of part `part` in the blob `blob`, under a fresh salt. Salt and commitment are to be stored.
    ///
    /// # Panics
    /// As [`fill_random`](crate::fill_random).
    pub fn new_part(&self, part: u16, blob: &[u8; 16]) -> (SealingKey, PartSalt, Commitment) {
        let salt = PartSalt(random_bytes());
        let (key, commitment) = self.part(part, blob, &salt);
        (SealingKey(key), salt, commitment)
    }

    /// The key of a stored part, after its commitment was checked.
    ///
    /// # Errors
    /// If salt, part, blob or object key are not those of the commitment.
    pub fn open_part(
        &self,
        part: u16,
        blob: &[u8; 16],
        salt: &PartSalt,
        commitment: &Commitment,
    ) -> Result<OpeningKey, OpenError> {
        let (key, expected) = self.part(part, blob, salt);
        if bool::from(expected.0.ct_eq(&commitment.0)) { Ok(OpeningKey(key)) } else { Err(OpenError) }
    }

    /// [`new_part`](ObjectKey::new_part) with the salt given, for vectors: never with one that was used before.
    #[cfg(test)]
    pub(crate) fn new_part_with(&self, salt: PartSalt, part: u16, blob: &[u8; 16]) -> (SealingKey, Commitment) {
        let (key, commitment) = self.part(part, blob, &salt);
        (SealingKey(key), commitment)
    }

    fn part(&self, part: u16, blob: &[u8; 16], salt: &PartSalt) -> (LayerKey, Commitment) {
        let info: [&[u8]; 3] = [INFO, &part.to_be_bytes(), blob];
        let mut output = Zeroizing::new([[0; 32]; 2]);
        kdf::hkdf(self.expose(), &salt.0, &info, output.as_flattened_mut());
        let [key, commitment] = &*output;
        (LayerKey::new(key, part, blob), Commitment(*commitment))
    }
}

/// Seals the segments of one new part, in order. It counts the nonces itself, and the last segment consumes it.
pub struct Sealer {
    inner: LayerKey,
    outer: Option<LayerKey>,
    next: u64,
}

impl Sealer {
    /// Seals once.
    pub fn one(key: SealingKey) -> Sealer {
        Sealer { inner: key.0.at(ObjectBinding::ONLY), outer: None, next: 0 }
    }

    /// Seals twice (DSSE), under keys of two object keys.
    pub fn two(inner: SealingKey, outer: SealingKey) -> Sealer {
        Sealer { inner: inner.0.at(ObjectBinding::INNER), outer: Some(outer.0.at(ObjectBinding::OUTER)), next: 0 }
    }

    /// How often each byte is encrypted.
    pub fn layers(&self) -> Layers {
        layers(self.outer.as_ref())
    }

    /// Seals a full segment that is not the last, in place: [`SEGMENT`] bytes of plaintext, then room for one tag a layer.
    ///
    /// # Panics
    /// If the slot has another length, or the part has [`MAX_SEGMENTS`] already.
    pub fn seal_segment(&mut self, slot: &mut [u8]) {
        assert!(slot.len() == SEGMENT + self.layers().overhead(), "a segment that is not the last is full");
        self.seal(false, slot);
        self.next += 1;
    }

    /// Seals the last segment in place: at most [`SEGMENT`] bytes of plaintext, then room for one tag a layer. An empty part
    /// has one segment, without plaintext; after another segment the last has plaintext.
    ///
    /// # Panics
    /// If the slot has a length that this does not allow, or the part has [`MAX_SEGMENTS`] already.
    pub fn seal_last(self, slot: &mut [u8]) {
        assert!(
            may_be_last(self.next, slot.len(), self.layers()),
            "the last segment has at most {SEGMENT} bytes, and none only if it is the first"
        );
        self.seal(true, slot);
    }

    fn seal(&self, last: bool, slot: &mut [u8]) {
        assert!(self.next < MAX_SEGMENTS, "a part has at most 2^30 segments");
        let nonce = nonce(self.next, last);
        if let Some(outer) = &self.outer {
            let within = slot.len() - TAG;
            self.inner.seal(nonce, &mut slot[..within]);
            outer.seal(nonce, slot);
        } else {
            self.inner.seal(nonce, slot);
        }
    }
}

/// Opens the segments of one stored part, in any order.
pub struct Opener {
    inner: LayerKey,
    outer: Option<LayerKey>,
}

impl Opener {
    /// Opens what [`Sealer::one`] sealed.
    pub fn one(key: OpeningKey) -> Opener {
        Opener { inner: key.0.at(ObjectBinding::ONLY), outer: None }
    }

    /// Opens what [`Sealer::two`] sealed.
    pub fn two(inner: OpeningKey, outer: OpeningKey) -> Opener {
        Opener { inner: inner.0.at(ObjectBinding::INNER), outer: Some(outer.0.at(ObjectBinding::OUTER)) }
    }

    /// How often each byte is encrypted.
    pub fn layers(&self) -> Layers {
        layers(self.outer.as_ref())
    }

    /// Opens segment `index` in place. `last` is what the layout says of it, never what the stored bytes seem to say.
    ///
    /// Answers the length of the plaintext, which is at the slot's start; what follows it means nothing.
    ///
    /// # Errors
    /// If it is not that segment of that part, untouched. The slot is all zeroes then.
    pub fn open_segment(&self, index: u64, last: bool, slot: &mut [u8]) -> Result<usize, OpenError> {
        let layers = self.layers();
        let whole =
            if last { may_be_last(index, slot.len(), layers) } else { slot.len() == SEGMENT + layers.overhead() };
        let opened = if whole { self.open(nonce(index, last), slot) } else { Err(OpenError) };
        if opened.is_err() {
            slot.fill(0);
        }
        opened
    }

    fn open(&self, nonce: [u8; NONCE], slot: &mut [u8]) -> Result<usize, OpenError> {
        let within = match &self.outer {
            Some(outer) => outer.open(nonce, slot)?,
            None => slot.len(),
        };
        self.inner.open(nonce, &mut slot[..within])
    }
}

fn layers(outer: Option<&LayerKey>) -> Layers {
    if outer.is_some() { Layers::Two } else { Layers::One }
}

/// Whether a last segment at `index` may have a slot of `len` bytes.
fn may_be_last(index: u64, len: usize, layers: Layers) -> bool {
    match len.checked_sub(layers.overhead()) {
        Some(0) => index == 0,
        Some(plaintext) => plaintext <= SEGMENT,
        None => false,
    }
}

/// The counter, 11 bytes, then the flag: under one key no two segments share it, for the counter only grows and what
/// bears the flag is the end.
fn nonce(index: u64, last: bool) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    nonce[3..11].copy_from_slice(&index.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}

/// One layer's cipher, its key schedule expanded once, and what its segments are bound to.
struct LayerKey {
    cipher: Gcm,
    aad: [u8; AAD],
}

impl LayerKey {
    fn new(key: &[u8; 32], part: u16, blob: &[u8; 16]) -> LayerKey {
        let mut aad = [0; AAD];
        aad[..4].copy_from_slice(MAGIC);
        aad[4] = VERSION;
        aad[6..8].copy_from_slice(&part.to_be_bytes());
        aad[8..].copy_from_slice(blob);
        let cipher = Gcm::new(key);
        LayerKey { cipher, aad }
    }

    fn at(mut self, layer: u8) -> LayerKey {
        self.aad[LAYER] = layer;
        self
    }

    fn seal(&self, nonce: [u8; NONCE], slot: &mut [u8]) {
        self.cipher.seal(nonce, &self.aad, slot);
    }

    fn open(&self, nonce: [u8; NONCE], slot: &mut [u8]) -> Result<usize, OpenError> {
        self.cipher.open(nonce, &self.aad, slot)
    }
}
