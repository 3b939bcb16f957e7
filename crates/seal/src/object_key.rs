//! The object key (OEK): 32 random bytes, one for each layer of each object version, stored only sealed.

use crate::envelope::{self, Envelope, Label};
use crate::{OpenError, SecretKey};

/// The version of the sealed key, the one cleartext field of its envelope.
const VERSION: u8 = 1;

/// The key of one object version. From it come the keys of its parts (see [`stream`](crate::stream)); it never encrypts itself.
pub struct ObjectKey(SecretKey);

/// What a sealed object key is bound to: it opens for this object alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectBinding<'a> {
    /// The bucket's identity (not its name, which another bucket may get one day).
    pub bucket_id: &'a [u8; 16],
    /// The object's name, S3's key.
    pub key: &'a [u8],
    /// The version's identity.
    pub version: &'a [u8; 16],
    /// The identity of the object's data, which stays when a record is sealed anew.
    pub data_id: &'a [u8; 16],
    /// The encryption mode, in the caller's numbering.
    pub mode: u8,
    /// [`ONLY`](ObjectBinding::ONLY), [`INNER`](ObjectBinding::INNER) or [`OUTER`](ObjectBinding::OUTER).
    pub layer: u8,
}

impl ObjectBinding<'_> {
    /// The layer of an object that is encrypted once.
    pub const ONLY: u8 = 0;
    /// The layer next to the plaintext, of an object that is encrypted twice.
    pub const INNER: u8 = 1;
    /// The layer next to the disk, of an object that is encrypted twice.
    pub const OUTER: u8 = 2;

    /// The bytes that are authenticated: all that has a fixed length, then the name.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(50 + self.key.len());
        bytes.extend_from_slice(self.bucket_id);
        bytes.extend_from_slice(self.version);
        bytes.extend_from_slice(self.data_id);
        bytes.extend_from_slice(&[self.mode, self.layer]);
        bytes.extend_from_slice(self.key);
        bytes
    }
}

impl ObjectKey {
    /// Bytes of a sealed object key.
    pub const SEALED_LEN: usize = envelope::overhead(1) + SecretKey::LEN;

    /// A fresh random key.
    ///
    /// # Panics
    /// As [`fill_random`](crate::fill_random).
    pub fn generate() -> ObjectKey {
        ObjectKey(SecretKey::generate())
    }

    /// Seals the key under `kek` for the object that `binding` names. [`SEALED_LEN`](ObjectKey::SEALED_LEN) bytes.
    pub fn seal(&self, kek: &SecretKey, binding: &ObjectBinding<'_>) -> Vec<u8> {
        Envelope::new(kek).seal(Label::ObjectKey, &[VERSION], &binding.to_bytes(), self.0.expose())
    }

    /// Opens a sealed key.
    ///
    /// # Errors
    /// If it was sealed under another key or for another object, or a byte of it changed.
    pub fn open(kek: &SecretKey, binding: &ObjectBinding<'_>, sealed: &[u8]) -> Result<ObjectKey, OpenError> {
        if envelope::parse_header(sealed)?.fields != [VERSION] {
            return Err(OpenError);
        }
        let key = Envelope::new(kek).open(Label::ObjectKey, &binding.to_bytes(), sealed)?;
        SecretKey::from_slice(&key).map(ObjectKey)
    }

    pub(crate) fn expose(&self) -> &[u8; SecretKey::LEN] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const BINDING: ObjectBinding<'static> = ObjectBinding {
        bucket_id: &[1; 16],
        key: b"name",
        version: &[2; 16],
        data_id: &[3; 16],
        mode: 4,
        layer: ObjectBinding::ONLY,
    };

    #[test]
    fn opens_for_its_own_object_alone() {
        let kek = SecretKey::generate();
        let key = ObjectKey::generate();
        let sealed = key.seal(&kek, &BINDING);
        assert_eq!(sealed.len(), ObjectKey::SEALED_LEN);
        assert!(ObjectKey::open(&kek, &BINDING, &sealed).unwrap().0 == key.0);

        let others = [
            ObjectBinding { bucket_id: &[9; 16], ..BINDING },
            ObjectBinding { key: b"Name", ..BINDING },
            ObjectBinding { key: b"name2", ..BINDING },
            ObjectBinding { key: b"", ..BINDING },
            ObjectBinding { version: &[9; 16], ..BINDING },
            ObjectBinding { data_id: &[9; 16], ..BINDING },
            ObjectBinding { version: &[3; 16], data_id: &[2; 16], ..BINDING },
            ObjectBinding { mode: 5, ..BINDING },
            ObjectBinding { layer: ObjectBinding::INNER, ..BINDING },
        ];
        for other in others {
            assert!(ObjectKey::open(&kek, &other, &sealed).is_err());
        }
        assert!(ObjectKey::open(&SecretKey::generate(), &BINDING, &sealed).is_err());
    }

    #[test]
    fn any_changed_or_missing_byte_is_refused() {
        let kek = SecretKey::generate();
        let sealed = ObjectKey::generate().seal(&kek, &BINDING);
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(ObjectKey::open(&kek, &BINDING, &changed).is_err());
            assert!(ObjectKey::open(&kek, &BINDING, &sealed[..position]).is_err());
        }
    }

    #[test]
    fn an_envelope_that_is_not_a_sealed_key_is_refused() {
        let kek = SecretKey::generate();
        let aad = BINDING.to_bytes();
        let envelope = |label, fields: &[u8], text: &[u8]| envelope::seal(&kek, label, fields, &aad, text);
        assert!(ObjectKey::open(&kek, &BINDING, &envelope(Label::ObjectKey, &[VERSION], &[7; 32])).is_ok());
        for sealed in [
            envelope(Label::Kms, &[VERSION], &[7; 32]),
            envelope(Label::ObjectKey, &[VERSION + 1], &[7; 32]),
            envelope(Label::ObjectKey, &[], &[7; 32]),
            envelope(Label::ObjectKey, &[VERSION], &[7; 31]),
            envelope(Label::ObjectKey, &[VERSION], &[7; 33]),
        ] {
            assert!(ObjectKey::open(&kek, &BINDING, &sealed).is_err());
        }
    }
}
