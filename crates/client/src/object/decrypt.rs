//! Reading objects
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/decryption.md)).

use super::algorithm::ContentAlgorithm;
use super::cipher::{ContentKey, PIECE, Padded, TAG};
use super::header::{Envelope, ObjectHeader, Start};
use super::keyring::{Fit, ObjectKeyring, UnwrapRequest, check_context};
use super::metadata::Metadata;
use super::policy::{self, Release};
use super::range::{ByteRange, RangeOpening};
use super::reader::ObjectReader;
use super::{derive, encrypt};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::message::CommitmentPolicy;
use crate::plaintext::Plaintext;
use crate::release::{Destination, settled};
use crate::secret::DataKey;
use crate::source::Source;
use std::io::{BufRead, BufReader, Read};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Plaintext that is held until it is verified, unless the caller says otherwise, in bytes: as much as Java's client holds.
pub const HOLD_LIMIT: u64 = 64 << 20;

/// How objects are read. One reads any number of them.
///
/// What is off unless it is asked for, and by what:
///
/// | | |
/// |---|---|
/// | objects without commitment to their data key (versions 1 and 2) | [`commitment`](Self::commitment) |
/// | data keys in the wrappings of old clients | [`legacy`](Self::legacy) |
/// | contents in AES-CBC, which authenticates nothing | [`legacy`](Self::legacy) |
/// | ranges, which nothing authenticates | [`ranges`](Self::ranges) |
/// | plaintext before it is verified | [`release`](Self::release) |
///
/// ```
/// use client::keys::AesKey;
/// use client::object::{AesKeyring, CommitmentPolicy, ObjectDecryptor, ObjectEncryptor, Version};
///
/// let keyring = AesKeyring::new(AesKey::generate()?);
/// let old = ObjectEncryptor::new(&keyring)
///     .version(Version::V2)
///     .commitment(CommitmentPolicy::ForbidEncryptAllowDecrypt)
///     .encrypt(b"from long ago")?;
///
/// let opener = ObjectDecryptor::new(&keyring);
/// assert!(opener.decrypt(&old.metadata, None, &old.body).is_err(), "it does not commit to its data key");
/// let opener = opener.commitment(CommitmentPolicy::RequireEncryptAllowDecrypt);
/// assert_eq!(*opener.decrypt(&old.metadata, None, &old.body)?, *b"from long ago");
/// # Ok::<(), client::Error>(())
/// ```
pub struct ObjectDecryptor<K> {
    pub(super) keyring: K,
    pub(super) context: EncryptionContext,
    policy: CommitmentPolicy,
    legacy: bool,
    ranges: bool,
    release: Release,
    hold_limit: u64,
}

impl<K: ObjectKeyring> ObjectDecryptor<K> {
    /// With a key.
    pub fn new(keyring: K) -> Self {
        Self {
            keyring,
            context: EncryptionContext::new(),
            policy: CommitmentPolicy::default(),
            legacy: false,
            ranges: false,
            release: Release::default(),
            hold_limit: HOLD_LIMIT,
        }
    }

    /// The encryption context that the object must have, exactly.
    #[must_use]
    pub fn context(self, context: impl Into<EncryptionContext>) -> Self {
        Self { context: context.into(), ..self }
    }

    /// Whether objects must commit to their data key: they must, unless this says otherwise.
    #[must_use]
    pub fn commitment(self, policy: CommitmentPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Whether what only old clients wrote is read: data keys wrapped with `kms`, `AESWrap`, `AES`, `RSA` and
    /// `RSA/ECB/OAEPWithSHA-256AndMGF1Padding`, and contents in AES-CBC. Those also need a policy that allows it.
    ///
    /// Enable it for where old objects are, and not for everything: whoever can write there, and sees whether an object opens, can ask
    /// what a content in AES-CBC is, by its padding; and of one in AES-GCM with a raw key, if he writes instruction files, too, since
    /// nothing in a key that was wrapped anew tells the two apart.
    #[must_use]
    pub fn legacy(self, legacy: bool) -> Self {
        Self { legacy, ..self }
    }

    /// Whether ranges are read. **Nothing authenticates them**: whoever can write the object can change them bit by bit.
    #[must_use]
    pub fn ranges(self, ranges: bool) -> Self {
        Self { ranges, ..self }
    }

    /// When plaintext leaves [`Opening::into_reader`].
    #[must_use]
    pub fn release(self, release: Release) -> Self {
        Self { release, ..self }
    }

    /// How much plaintext [`Opening::into_reader`] holds until it is verified, in bytes: [`HOLD_LIMIT`] unless set.
    #[must_use]
    pub fn hold_limit(self, bytes: u64) -> Self {
        Self { hold_limit: bytes, ..self }
    }

    /// Opens the data key of an object, and compares its commitment. `sealed_length` is the length of the whole object as it is stored,
    /// also where a range is to be read.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`], [`Error::InstructionFileMissing`], whatever is wrong with the metadata; [`Error::CommitmentPolicy`],
    /// [`Error::LegacyWrapping`], [`Error::LegacyContent`]; [`Error::ContextMismatch`]; what the keyring fails with;
    /// [`Error::Commitment`]; [`Error::Truncated`] or [`Error::BodyLength`] for a length that no object has.
    pub fn start(&self, metadata: &Metadata, instruction: Option<&[u8]>, sealed_length: u64) -> Result<Opening> {
        let envelope = Envelope::read(metadata, instruction)?.ok_or(Error::NotEncrypted)?;
        check_length(envelope.header.content, sealed_length)?;
        let data_key = self.verified_data_key(&envelope)?;
        let key = match envelope.start {
            Start::Commit { message_id, .. } => derive::content_key(&data_key, &message_id)?,
            Start::Gcm { .. } | Start::Cbc { .. } => Zeroizing::new(data_key.as_bytes().to_vec()),
        };
        Ok(Opening {
            key: ContentKey { key, start: envelope.start },
            header: envelope.header,
            sealed_length,
            told_length: envelope.plaintext_length,
            ranges: self.ranges,
            release: self.release,
            hold_limit: self.hold_limit,
        })
    }

    /// An object in memory, verified. `hold_limit` does not count here: the caller holds it already.
    ///
    /// # Errors
    /// As [`ObjectDecryptor::start`], and whatever is wrong with the body.
    pub fn decrypt(&self, metadata: &Metadata, instruction: Option<&[u8]>, body: &[u8]) -> Result<Plaintext> {
        let length = u64::try_from(body.len()).map_err(|_| Error::BodyLength(u64::MAX))?;
        let opening = self.start(metadata, instruction, length)?;
        if let (Some((iv, aad)), Some((content, tag))) = (opening.key.gcm(), body.split_last_chunk()) {
            // In one pass, from here to there.
            let mut cipher = evp::Opening::new(&opening.key.key, iv, aad)?;
            let mut plaintext = Plaintext::zeroed(content.len());
            cipher.update_into(content, &mut plaintext)?;
            cipher.finish(tag)?;
            return Ok(plaintext);
        }
        let mut place = Vec::with_capacity(body.len());
        opening.decrypt_buffered_into(body, &mut place)?;
        Ok(Plaintext::from(place))
    }

    /// The data key, where everything that is asked of an object is as it was asked, and the data key is the one that it commits to.
    pub(super) fn verified_data_key(&self, envelope: &Envelope) -> Result<DataKey> {
        let header = &envelope.header;
        let (Some(wrapping), Some(ciphertext)) = (header.wrapping, &envelope.wrapped) else {
            return Err(Error::InstructionFileMissing);
        };
        if header.content == ContentAlgorithm::AesCbc && !self.legacy {
            return Err(Error::LegacyContent(header.content.name()));
        }
        policy::check_read(self.policy, header.content)?;
        if wrapping.is_legacy() && !self.legacy {
            return Err(Error::LegacyWrapping(wrapping.name()));
        }
        let request = UnwrapRequest { content: header.content, wrapping, ciphertext, description: &header.description };
        if self.keyring.fit(&request) == Fit::No {
            return Err(Error::OtherWrapping(wrapping.name()));
        }
        check_context(wrapping, header.content, &header.description, &self.context)?;
        let data_key = header.content.check_key(self.keyring.unwrap(&request)?)?;
        if let Start::Commit { message_id, commitment } = &envelope.start
            && !bool::from(derive::commitment(&data_key, message_id)?.ct_eq(commitment))
        {
            return Err(Error::Commitment);
        }
        Ok(data_key)
    }
}

/// # Errors
/// [`Error::Truncated`], [`Error::BodyLength`].
fn check_length(content: ContentAlgorithm, sealed_length: u64) -> Result<()> {
    if content == ContentAlgorithm::AesCbc {
        let whole = sealed_length > 0 && sealed_length.is_multiple_of(16);
        return if whole { Ok(()) } else { Err(Error::Truncated("a block")) };
    }
    let plaintext = sealed_length.checked_sub(16).ok_or(Error::Truncated("the tag"))?;
    encrypt::sealed_length(plaintext).map(drop)
}

/// An object whose data key is opened. It reads it once, or several ranges of it.
pub struct Opening {
    pub(super) header: ObjectHeader,
    pub(super) key: ContentKey,
    pub(super) sealed_length: u64,
    told_length: Option<u64>,
    ranges: bool,
    pub(super) release: Release,
    pub(super) hold_limit: u64,
}

impl Opening {
    /// What the object says of itself. Of it, the key has authenticated the content's algorithm and a context, no material description.
    #[must_use]
    pub fn header(&self) -> &ObjectHeader {
        &self.header
    }

    /// How long the plaintext is; of AES-CBC that is known at its end alone.
    #[must_use]
    pub fn plaintext_length(&self) -> Option<u64> {
        if self.header.content == ContentAlgorithm::AesCbc { None } else { self.sealed_length.checked_sub(16) }
    }

    /// Writes the plaintext to a place that is discarded if anything turns out to be wrong, and returns its length. A few hundred KiB
    /// are held, however long the object is. `input` is the object as it is stored, from its first byte to its last.
    ///
    /// ```
    /// # use client::{keys::AesKey, object::{AesKeyring, ObjectDecryptor, ObjectEncryptor}};
    /// # let keyring = AesKeyring::new(AesKey::generate()?);
    /// let object = ObjectEncryptor::new(&keyring).encrypt(b"attack at dawn")?;
    /// let opening = ObjectDecryptor::new(&keyring).start(&object.metadata, None, 30)?;
    /// let mut place = Vec::new();
    /// assert_eq!(opening.decrypt_into(&object.body[..], &mut place)?, 14);
    /// assert_eq!(place, b"attack at dawn");
    ///
    /// assert!(opening.decrypt_into(&object.body[..29], &mut place).is_err());
    /// assert_eq!(place, b"");
    /// # Ok::<(), client::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::BodyTag`], [`Error::Padding`], [`Error::ContentLength`], [`Error::Truncated`], [`Error::Trailing`]; what input or
    /// destination fails with. The destination was discarded then.
    pub fn decrypt_into(&self, input: impl Read, place: &mut impl Destination) -> Result<u64> {
        self.decrypt_buffered_into(self.buffered(input), place)
    }

    /// As [`Opening::decrypt_into`], from an input with a buffer of its own, or in memory: it is decrypted from where it lies.
    ///
    /// # Errors
    /// As [`Opening::decrypt_into`].
    pub fn decrypt_buffered_into(&self, input: impl BufRead, place: &mut impl Destination) -> Result<u64> {
        let written = self.write_into(input, place);
        settled(place, written)
    }

    /// The plaintext, as it is read: after all of it has been verified, or, if that was asked for, before. `input` is as for
    /// [`Opening::decrypt_into`].
    ///
    /// # Errors
    /// [`Error::HoldLimit`] for an object longer than what is held.
    pub fn into_reader<R: Read>(self, input: R) -> Result<ObjectReader<BufReader<R>>> {
        let input = self.buffered(input);
        self.into_buffered_reader(input)
    }

    /// As [`Opening::into_reader`], from an input with a buffer of its own, or in memory: it is decrypted from where it lies.
    ///
    /// # Errors
    /// As [`Opening::into_reader`].
    pub fn into_buffered_reader<R: BufRead>(self, input: R) -> Result<ObjectReader<R>> {
        ObjectReader::new(self, input)
    }

    /// Bytes of the plaintext: from the first to the last of them, of which there may be less, or so many at its end.
    ///
    /// # Errors
    /// [`Error::RangesOff`]; [`Error::Range`] for one that begins behind the end; [`Error::SuffixRange`] for the last bytes of AES-CBC.
    pub fn range(&self, range: impl Into<ByteRange>) -> Result<RangeOpening<'_>> {
        if !self.ranges {
            return Err(Error::RangesOff);
        }
        RangeOpening::new(self, range.into())
    }

    fn buffered<R: Read>(&self, input: R) -> BufReader<R> {
        BufReader::with_capacity(piece_of(self.sealed_length), input)
    }

    fn write_into(&self, input: impl BufRead, place: &mut impl Destination) -> Result<u64> {
        let mut source = Source::new(input);
        let mut cipher = self.key.opening()?;
        let mut left = self.content_length();
        let mut written = 0;
        let mut piece = Plaintext::zeroed(piece_of(left));
        while left > 0 {
            let taken = cipher.take(&mut source, left, &mut piece, "the object")?;
            left -= u64::try_from(taken).map_err(|_| Error::Library)?;
            let data = &piece[..taken];
            let data = if left == 0 { self.unpadded(data)? } else { data };
            place.write_all(data)?;
            written += u64::try_from(data.len()).map_err(|_| Error::Library)?;
        }
        if self.key.gcm().is_some() {
            let mut tag = [0; TAG];
            source.copy_to(&mut tag, "the tag")?;
            cipher.finish(&tag)?;
        }
        source.end()?;
        self.check_told(written)?;
        Ok(written)
    }

    /// Bytes of ciphertext, without a tag.
    pub(super) fn content_length(&self) -> u64 {
        self.plaintext_length().unwrap_or(self.sealed_length)
    }

    /// The last piece, without what pads it.
    pub(super) fn unpadded<'a>(&self, piece: &'a [u8]) -> Result<&'a [u8]> {
        if self.header.content != ContentAlgorithm::AesCbc {
            return Ok(piece);
        }
        Ok(&piece[..Padded::of(piece).length().ok_or(Error::Padding)?])
    }

    /// What authenticates nothing is at least as long as it was said to be.
    pub(super) fn check_told(&self, found: u64) -> Result<()> {
        match self.told_length {
            Some(told) if told != found && self.header.content == ContentAlgorithm::AesCbc => {
                Err(Error::ContentLength { told, found })
            }
            _ => Ok(()),
        }
    }
}

/// Bytes in a piece of what has so many.
pub(super) fn piece_of(length: u64) -> usize {
    usize::try_from(length).map_or(PIECE, |length| length.min(PIECE))
}
