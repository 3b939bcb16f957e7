//! The object stream: a part's bytes in segments of 64 KiB, each sealed on its own, in place.
//!
//! ```text
//! salt ← 32 random bytes
//! PK ‖ commitment = HKDF-SHA256(OEK, salt, "strongroom object stream v1" ‖ part ‖ blob id)      32 + 32 bytes
//! segment s       = AES-256-GCM(PK, nonce, plaintext; aad)
//! nonce           = s (11 bytes, big-endian) ‖ last (0x00 or 0x01)
//! aad             = "SRST" ‖ version ‖ layer ‖ part ‖ blob id
//! ```
//!
//! It is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015, <https://eprint.iacr.org/2015/189>) with AES-256-GCM: the counter
//! tells a segment's place and the flag the end, so reordered, missing and spliced segments do not open. AES-GCM does not
//! bind a ciphertext to one key; the commitment does, and is checked before the first segment.
//!
//! An object under DSSE has two layers, each with its own object key, salt and commitment. The inner's tag is part of what
//! the outer encrypts.
//!
//! All segments but the last are full. The last has at least one byte, unless it is the only one: an empty part is one empty
//! segment. The bytes are in `docs/formats/object-stream.md`.

mod layout;
mod part;

pub use layout::{Layers, Layout, SegmentRange};
pub use part::{Commitment, Opener, OpeningKey, PartSalt, Sealer, SealingKey};

/// Plaintext bytes of a full segment.
pub const SEGMENT: usize = 65_536;
/// Bytes of the tag that each layer adds to each segment.
pub const TAG: usize = crate::gcm::TAG;
/// The most segments under one part key: 64 TiB, beyond any part of S3 and far below what AES-GCM allows.
pub const MAX_SEGMENTS: u64 = 1 << 30;
/// The most plaintext bytes of one part.
pub const MAX_PLAINTEXT: u64 = MAX_SEGMENTS * SEGMENT as u64;
