//! Bodies of messages: what a frame's bytes are and what its tag is over
//! ([body](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/data-format/message-body.md),
//! [what is authenticated](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/data-format/message-body-aad.md)).
//!
//! ```text
//! frame       sequence (4) ‖ IV (12) ‖ ciphertext ‖ tag (16)
//! last frame  FFFFFFFF ‖ sequence (4) ‖ IV (12) ‖ length (4) ‖ ciphertext ‖ tag (16)
//! whole       IV (12) ‖ length (8) ‖ ciphertext ‖ tag (16)
//! IV          sequence, left padded with zeros; the header's is 0
//! aad         message id ‖ "AWSKMSEncryptionClient " ‖ part ‖ sequence (4) ‖ length (8)
//! ```

use crate::error::{Error, Result};
use crate::keys::aes_gcm;
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use zeroize::Zeroizing;

/// Length of a tag in bytes.
pub(super) const TAG: usize = 16;
/// What stands before the ciphertext of a frame.
pub(super) const FRAME_HEAD: usize = 4 + 12;
/// What stands before the ciphertext of the last frame.
pub(super) const LAST_HEAD: usize = 4 + 4 + 12 + 4;
/// What stands before the ciphertext of a body without frames.
pub(super) const WHOLE_HEAD: usize = 12 + 8;
/// Bytes of a long frame that are sealed or opened at once: they fit a processor's second cache with room to spare.
pub(super) const PIECE: usize = 1 << 16;
/// What stands where a frame has its number, in the last one.
pub(super) const LAST_MARK: u32 = u32::MAX;

/// Which part of a message something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Frame,
    LastFrame,
    Whole,
}

impl Part {
    fn text(self) -> &'static [u8] {
        match self {
            Part::Frame => b"AWSKMSEncryptionClient Frame",
            Part::LastFrame => b"AWSKMSEncryptionClient Final Frame",
            Part::Whole => b"AWSKMSEncryptionClient Single Block",
        }
    }

    /// In words, for errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Part::Frame => "a frame",
            Part::LastFrame => "the last frame",
            Part::Whole => "the body",
        }
    }
}

/// The cipher of one message: its key is expanded once.
pub(super) struct Cipher {
    cipher: LessSafeKey,
    key: Zeroizing<Vec<u8>>,
    message_id: Vec<u8>,
}

impl Cipher {
    pub(super) fn new(key: Zeroizing<Vec<u8>>, message_id: &[u8]) -> Result<Self> {
        Ok(Self { cipher: aes_gcm(&key)?, key, message_id: message_id.to_vec() })
    }

    /// Seals a part into `out`, which has its length and a tag's more.
    pub(super) fn seal_into(&self, part: Part, sequence: u32, plaintext: &[u8], out: &mut [u8]) -> Result<()> {
        let (ciphertext, tag) = out.split_at_mut(plaintext.len());
        let nonce = Nonce::assume_unique_for_key(iv(sequence));
        let aad = Aad::from(self.aad(part, sequence, length_of(plaintext.len())));
        self.cipher.seal_out_of_place_scatter(nonce, aad, plaintext, ciphertext, &[], tag).map_err(|_| Error::Library)
    }

    /// Opens ciphertext and tag into `plaintext`, which is as long as the ciphertext. False if the tag is wrong.
    pub(super) fn open(&self, part: Part, sequence: u32, iv: [u8; 12], sealed: &[u8], plaintext: &mut [u8]) -> bool {
        let (ciphertext, tag) = sealed.split_at(plaintext.len());
        let aad = Aad::from(self.aad(part, sequence, length_of(plaintext.len())));
        self.cipher.open_separate_gather(Nonce::assume_unique_for_key(iv), aad, ciphertext, tag, plaintext).is_ok()
    }

    /// Begins to seal in pieces what has so many bytes.
    pub(super) fn sealing(&self, part: Part, sequence: u32, length: u64) -> Result<evp::Sealing> {
        Ok(evp::Sealing::new(&self.key, &iv(sequence), self.aad(part, sequence, length).as_ref())?)
    }

    /// Begins to open in pieces what has so many bytes.
    pub(super) fn opening(&self, part: Part, sequence: u32, iv: &[u8; 12], length: u64) -> Result<evp::Opening> {
        Ok(evp::Opening::new(&self.key, iv, self.aad(part, sequence, length).as_ref())?)
    }

    /// The tag over a header.
    pub(super) fn header_tag(&self, aad: &[u8]) -> Result<[u8; TAG]> {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = self.cipher.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut []).map_err(|_| Error::Library)?;
        tag.as_ref().try_into().map_err(|_| Error::Library)
    }

    /// Whether the tag over a header is right.
    pub(super) fn verify_header(&self, aad: &[u8], iv: [u8; 12], tag: [u8; TAG]) -> bool {
        self.cipher.open_in_place(Nonce::assume_unique_for_key(iv), Aad::from(aad), &mut { tag }).is_ok()
    }

    fn aad(&self, part: Part, sequence: u32, length: u64) -> AadBytes {
        let mut aad = AadBytes { bytes: [0; AadBytes::ROOM], length: 0 };
        for bytes in [&self.message_id[..], part.text(), &sequence.to_be_bytes(), &length.to_be_bytes()] {
            aad.push(bytes);
        }
        aad
    }
}

/// Associated data of a part, without an allocation for each frame.
struct AadBytes {
    bytes: [u8; Self::ROOM],
    length: usize,
}

impl AadBytes {
    /// A message id of 32 bytes, the longest of the texts, sequence and length.
    const ROOM: usize = 32 + 35 + 4 + 8;

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

impl AsRef<[u8]> for AadBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The initialization vector of a part by its number.
pub(super) fn iv(sequence: u32) -> [u8; 12] {
    let mut iv = [0; 12];
    iv[8..].copy_from_slice(&sequence.to_be_bytes());
    iv
}

pub(super) fn length_of(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("memory has less than 2^64 bytes")
}
