//! Ranges of an object
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/decryption.md#ranged-gets)).

use super::cipher::BLOCK;
use super::decrypt::{Opening, piece_of};
use crate::error::{Error, Result};
use crate::plaintext::Plaintext;
use crate::release::{Destination, settled};
use crate::source::Source;
use std::io::{BufReader, Read};
use std::ops::RangeInclusive;

const BLOCK_LENGTH: u64 = BLOCK as u64;

/// Which bytes of a plaintext.
///
/// ```
/// use client::object::ByteRange;
/// assert_eq!(ByteRange::from(0..=9), ByteRange::Within(0..=9));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first to the last of them, of which there may be less.
    Within(RangeInclusive<u64>),
    /// So many at its end, or all where there are less. Not of AES-CBC: nothing tells where such a plaintext ends before its end is
    /// decrypted.
    Last(u64),
}

impl From<RangeInclusive<u64>> for ByteRange {
    fn from(range: RangeInclusive<u64>) -> Self {
        ByteRange::Within(range)
    }
}

impl ByteRange {
    /// # Errors
    /// [`Error::SuffixRange`].
    fn of(self, opening: &Opening) -> Result<RangeInclusive<u64>> {
        match self {
            ByteRange::Within(range) => Ok(range),
            ByteRange::Last(count) => {
                let length = opening.plaintext_length().ok_or(Error::SuffixRange(opening.header().content.name()))?;
                Ok(length.saturating_sub(count)..=u64::MAX)
            }
        }
    }
}

/// A range of an object. **Nothing of it is authenticated**, but for the commitment to the data key: whoever can write the object can
/// change it bit by bit.
///
/// ```
/// use client::keys::AesKey;
/// use client::object::{AesKeyring, ObjectDecryptor, ObjectEncryptor};
///
/// let keyring = AesKeyring::new(AesKey::generate()?);
/// let object = ObjectEncryptor::new(&keyring).encrypt(b"we attack at dawn, not at noon")?;
/// let opening = ObjectDecryptor::new(&keyring).ranges(true).start(&object.metadata, None, 46)?;
/// let range = opening.range(23..=29)?;
/// assert_eq!(range.wire, 16..=29); // what is asked of the server
///
/// let mut place = Vec::new();
/// range.decrypt_into(&object.body[16..=29], &mut place)?;
/// assert_eq!(place, b"at noon");
/// # Ok::<(), client::Error>(())
/// ```
pub struct RangeOpening<'a> {
    /// The bytes of the stored object that are needed, to be asked of the server.
    pub wire: RangeInclusive<u64>,
    opening: &'a Opening,
    /// Blocks before the first one that is decrypted.
    block: u32,
    /// Decrypted bytes that are not asked for, before those that are.
    skip: usize,
    /// Bytes that are asked for; of AES-CBC, which does not know its length, there may be less.
    length: u64,
}

impl<'a> RangeOpening<'a> {
    pub(super) fn new(opening: &'a Opening, range: ByteRange) -> Result<Self> {
        let range = range.of(opening)?;
        let end = opening.content_length().checked_sub(1).ok_or(Error::Range)?;
        let (first, last) = (*range.start(), (*range.end()).min(end));
        if first > last {
            return Err(Error::Range);
        }
        let block = first / BLOCK_LENGTH;
        let aligned = block * BLOCK_LENGTH;
        let mut skip = usize::try_from(first - aligned).map_err(|_| Error::Range)?;
        let wire = if opening.key.gcm().is_some() {
            aligned..=last
        } else {
            // The block before is the IV: it is decrypted, too, to nothing that makes sense. The last one is whole.
            let before = if block == 0 { 0 } else { BLOCK_LENGTH };
            skip += usize::try_from(before).map_err(|_| Error::Range)?;
            aligned - before..=last - last % BLOCK_LENGTH + BLOCK_LENGTH - 1
        };
        // The longest content of GCM has less than 2^32 blocks; CBC does not count.
        let block = u32::try_from(block).unwrap_or(u32::MAX);
        Ok(Self { wire, opening, block, skip, length: last - first + 1 })
    }

    /// Writes the range to a place that is discarded if there are too few or too many bytes, and returns its length. `input` is
    /// [`RangeOpening::wire`] of the object, exactly.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Trailing`]; of AES-CBC, where the range reaches its end, [`Error::Padding`] and [`Error::Range`];
    /// what input or destination fails with. The destination was discarded then.
    pub fn decrypt_into(&self, input: impl Read, place: &mut impl Destination) -> Result<u64> {
        let written = self.write_into(input, place);
        settled(place, written)
    }

    fn write_into(&self, input: impl Read, place: &mut impl Destination) -> Result<u64> {
        let mut left = self.wire.end() - self.wire.start() + 1;
        let mut source = Source::new(BufReader::with_capacity(piece_of(left), input));
        let mut cipher = self.opening.key.opening_at(self.block)?;
        let to_the_end = self.wire.end() + 1 == self.opening.content_length();
        let mut piece = Plaintext::zeroed(piece_of(left));
        let (mut skip, mut wanted) = (self.skip, self.length);
        while left > 0 {
            let taken = cipher.take(&mut source, left, &mut piece, "the range")?;
            left -= u64::try_from(taken).map_err(|_| Error::Library)?;
            let data = &piece[..taken];
            let data = if left == 0 && to_the_end { self.opening.unpadded(data)? } else { data };
            // Only the first piece has bytes before the range.
            let data = data.get(skip..).unwrap_or_default();
            skip = 0;
            let data = &data[..usize::try_from(wanted).map_or(data.len(), |wanted| wanted.min(data.len()))];
            place.write_all(data)?;
            wanted -= u64::try_from(data.len()).map_err(|_| Error::Library)?;
        }
        source.end()?;
        // It begins within the padding.
        if wanted == self.length { Err(Error::Range) } else { Ok(self.length - wanted) }
    }
}
