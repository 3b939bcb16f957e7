//! Writing objects
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/encryption.md)).

use super::algorithm::{ContentAlgorithm, Version, Wrapping};
use super::cipher::{ContentKey, PIECE, TAG};
use super::header::Start;
use super::keyring::{ObjectKeyring, WrapRequest, WrappedKey, check_reserved};
use super::member::{
    COMMITMENT_V3, CONTENT, CONTENT_V3, CONTEXT_V3, DESCRIPTION, DESCRIPTION_V3, IV, KEY_V2, KEY_V3, MESSAGE_ID_V3,
    TAG_LENGTH, WRAPPING, WRAPPING_V3,
};
use super::metadata::Metadata;
use super::{derive, instruction, json, policy};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::message::CommitmentPolicy;
use crate::plaintext::zeroed;
use crate::secret::{DataKey, random};
use crate::source::NEAR;
use data_encoding::BASE64;
use std::io::{self, BufRead, Read};
use zeroize::Zeroizing;

/// How objects are written. One makes any number of them.
///
/// ```
/// use client::keys::AesKey;
/// use client::object::{AesKeyring, ObjectDecryptor, ObjectEncryptor, sealed_length};
/// use std::io::Read;
///
/// let keyring = AesKeyring::new(AesKey::generate()?);
/// let sealing = ObjectEncryptor::new(&keyring).start()?;
/// let metadata = sealing.metadata().clone(); // goes with the object
/// let mut body = Vec::new(); // what is uploaded, of a length that is known before
/// sealing.into_reader(&b"attack at dawn"[..]).read_to_end(&mut body)?;
/// assert_eq!(body.len() as u64, sealed_length(14)?);
///
/// let opener = ObjectDecryptor::new(&keyring);
/// assert_eq!(*opener.decrypt(&metadata, None, &body)?, *b"attack at dawn");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ObjectEncryptor<K> {
    keyring: K,
    context: EncryptionContext,
    version: Version,
    policy: CommitmentPolicy,
    instruction_file: bool,
}

/// An object that was encrypted in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedObject {
    /// What goes into its metadata.
    pub metadata: Metadata,
    /// The instruction file and its metadata, if one was asked for.
    pub instruction: Option<(Vec<u8>, Metadata)>,
    /// What is uploaded.
    pub body: Vec<u8>,
}

impl<K: ObjectKeyring> ObjectEncryptor<K> {
    /// With a key.
    pub fn new(keyring: K) -> Self {
        Self {
            keyring,
            context: EncryptionContext::new(),
            version: Version::V3,
            policy: CommitmentPolicy::default(),
            instruction_file: false,
        }
    }

    /// The encryption context of a key management service: authenticated, and stored in clear. Other keys refuse one.
    #[must_use]
    pub fn context(self, context: impl Into<EncryptionContext>) -> Self {
        Self { context: context.into(), ..self }
    }

    /// The version of the format: [`Version::V3`] unless set. For [`Version::V2`] the policy has to forbid commitment.
    #[must_use]
    pub fn version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// Whether objects commit to their data key: they do, unless this says otherwise.
    #[must_use]
    pub fn commitment(self, policy: CommitmentPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Whether the wrapped data key goes into an instruction file, where it can be wrapped anew without the object being written again.
    #[must_use]
    pub fn instruction_file(self, instruction_file: bool) -> Self {
        Self { instruction_file, ..self }
    }

    /// Begins an object: gets a data key.
    ///
    /// # Errors
    /// [`Error::CommitmentPolicy`], [`Error::ReservedContext`], [`Error::ContextUnbound`]; what the keyring fails with.
    pub fn start(&self) -> Result<Sealing> {
        let content = policy::to_write(self.policy, self.version)?;
        check_reserved(&self.context)?;
        let wrapped = self.keyring.wrap(&WrapRequest { content, context: &self.context, data_key: None })?;
        if wrapped.data_key.len() != 32 {
            return Err(Error::DataKeyLength { expected: 32, found: wrapped.data_key.len() });
        }
        let key = ContentKey::new(&wrapped.data_key, content)?;
        let mut metadata = described(&wrapped, &key.start)?;
        let mut instruction = None;
        if self.instruction_file {
            let (body, kept) = instruction::split(metadata)?;
            (metadata, instruction) = (kept, Some((body, instruction::mark())));
        }
        let (iv, aad) = key.gcm().ok_or(Error::Library)?;
        Ok(Sealing { metadata, instruction, cipher: evp::Sealing::new(&key.key, iv, aad)? })
    }

    /// An object in memory.
    ///
    /// # Errors
    /// As [`ObjectEncryptor::start`].
    pub fn encrypt(&self, plaintext: &[u8]) -> Result<SealedObject> {
        let mut sealing = self.start()?;
        let mut body = zeroed(plaintext.len() + TAG);
        let (content, tag) = body.split_at_mut(plaintext.len());
        sealing.update_into(plaintext, content)?;
        let (metadata, instruction) = (sealing.metadata.clone(), sealing.instruction.clone());
        tag.copy_from_slice(&sealing.finish()?);
        Ok(SealedObject { metadata, instruction, body })
    }
}

impl ContentKey {
    /// With an IV or message id of its own.
    fn new(data_key: &DataKey, content: ContentAlgorithm) -> Result<Self> {
        if content.commits() {
            let message_id = not_zeros(random()?)?;
            let commitment = derive::commitment(data_key, &message_id)?;
            let key = derive::content_key(data_key, &message_id)?;
            return Ok(Self { key, start: Start::Commit { message_id, commitment } });
        }
        let key = Zeroizing::new(data_key.as_bytes().to_vec());
        Ok(Self { key, start: Start::Gcm { iv: not_zeros(random()?)? } })
    }
}

/// The specification's guard against an IV that nobody filled.
fn not_zeros<const L: usize>(bytes: [u8; L]) -> Result<[u8; L]> {
    if bytes == [0; L] { Err(Error::Library) } else { Ok(bytes) }
}

/// The metadata of an object whose materials lie with it; of version 2 or 3 by the way it begins.
pub(super) fn described(wrapped: &WrappedKey, start: &Start) -> Result<Metadata> {
    let key = BASE64.encode(&wrapped.ciphertext);
    let description = json::write(wrapped.description.iter())?;
    let v2 = |iv: &[u8], content: ContentAlgorithm| {
        Metadata::from([
            (KEY_V2, key.as_str()),
            (IV, &BASE64.encode(iv)),
            (DESCRIPTION, &description),
            (WRAPPING, wrapped.wrapping.name()),
            (CONTENT, content.name()),
        ])
    };
    Ok(match start {
        Start::Commit { message_id, commitment } => {
            let mut metadata = Metadata::from([
                (CONTENT_V3, ContentAlgorithm::AesGcmCommit.name()),
                (KEY_V3, &key),
                (WRAPPING_V3, number(wrapped.wrapping)?),
                (COMMITMENT_V3, &BASE64.encode(commitment)),
                (MESSAGE_ID_V3, &BASE64.encode(message_id)),
            ]);
            if !wrapped.description.is_empty() {
                let name = if wrapped.wrapping.is_kms() { CONTEXT_V3 } else { DESCRIPTION_V3 };
                metadata.insert(name, description);
            }
            metadata
        }
        Start::Gcm { iv } => {
            let mut metadata = v2(iv, ContentAlgorithm::AesGcm);
            metadata.insert(TAG_LENGTH, "128");
            metadata
        }
        Start::Cbc { iv } => v2(iv, ContentAlgorithm::AesCbc),
    })
}

fn number(wrapping: Wrapping) -> Result<&'static str> {
    wrapping.number().ok_or(Error::KeyringCannot("wrap for version 3 of the format"))
}

/// How many bytes are uploaded for so many bytes of plaintext.
///
/// # Errors
/// [`Error::BodyLength`] for more than AES-GCM encrypts under one key and IV: 2^36 - 32 bytes.
///
/// ```
/// use client::object::sealed_length;
/// assert_eq!(sealed_length(0)?, 16);
/// assert_eq!(sealed_length(1_000_000)?, 1_000_016);
/// assert!(sealed_length(1 << 36).is_err());
/// # Ok::<(), client::Error>(())
/// ```
pub fn sealed_length(plaintext: u64) -> Result<u64> {
    if plaintext > evp::MESSAGE_LIMIT { Err(Error::BodyLength(plaintext)) } else { Ok(plaintext + 16) }
}

/// An object in the making: one stream of AES-GCM, which can be uploaded in parts in their order.
///
/// It cannot be begun anew: the same key and IV would encrypt twice. Who has to, starts another object.
pub struct Sealing {
    metadata: Metadata,
    instruction: Option<(Vec<u8>, Metadata)>,
    cipher: evp::Sealing,
}

impl Sealing {
    /// What goes into the metadata of the object, beside what the caller has there.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The instruction file and its metadata, if one was asked for: to be put under the object's name with
    /// [`INSTRUCTION_SUFFIX`](super::INSTRUCTION_SUFFIX).
    #[must_use]
    pub fn instruction(&self) -> Option<&(Vec<u8>, Metadata)> {
        self.instruction.as_ref()
    }

    /// Encrypts the next bytes where they lie. Large pieces are fastest.
    ///
    /// # Errors
    /// [`Error::BodyLength`].
    pub fn update(&mut self, data: &mut [u8]) -> Result<()> {
        self.cipher.update(data).map_err(too_long)
    }

    /// Encrypts the next bytes into another slice of the same length.
    ///
    /// # Errors
    /// [`Error::BodyLength`]; [`Error::Setting`] for slices of different lengths.
    pub fn update_into(&mut self, plaintext: &[u8], ciphertext: &mut [u8]) -> Result<()> {
        if plaintext.len() != ciphertext.len() {
            return Err(Error::Setting("plaintext and ciphertext have the same length"));
        }
        self.cipher.update_into(plaintext, ciphertext).map_err(too_long)
    }

    /// What follows the last encrypted byte.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn finish(self) -> Result<[u8; TAG]> {
        Ok(self.cipher.finish()?)
    }

    /// What is uploaded, as it is read: the plaintext of `input` encrypted, then the tag. Nothing is held; what is read at once is
    /// encrypted at once, where it lies.
    pub fn into_reader<R: Read>(self, input: R) -> SealingReader<R> {
        SealingReader { input, seal: seal_in_place, state: State::Content(Box::new(self.cipher)) }
    }

    /// As [`Sealing::into_reader`], from an input with a buffer of its own, or in memory: it is encrypted from where it lies.
    ///
    /// ```
    /// # use client::{keys::AesKey, object::{AesKeyring, ObjectDecryptor, ObjectEncryptor}};
    /// # use std::io::Read;
    /// # let keyring = AesKeyring::new(AesKey::generate()?);
    /// let sealing = ObjectEncryptor::new(&keyring).start()?;
    /// let (metadata, mut body) = (sealing.metadata().clone(), Vec::new());
    /// sealing.into_buffered_reader(&b"attack at dawn"[..]).read_to_end(&mut body)?;
    /// assert_eq!(&ObjectDecryptor::new(&keyring).decrypt(&metadata, None, &body)?[..], b"attack at dawn");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_buffered_reader<R: BufRead>(self, input: R) -> SealingReader<R> {
        SealingReader { input, seal: seal_from, state: State::Content(Box::new(self.cipher)) }
    }
}

/// An encrypted object, as it is read: see [`Sealing::into_reader`].
pub struct SealingReader<R> {
    input: R,
    seal: Seal<R>,
    state: State,
}

/// Encrypts what comes next of an input, and tells how much that was: nothing at its end.
type Seal<R> = fn(&mut R, &mut evp::Sealing, &mut [u8]) -> Result<usize>;

enum State {
    Content(Box<evp::Sealing>),
    /// The tag, and how much of it was read.
    Tag([u8; TAG], usize),
    Failed,
}

impl<R> Read for SealingReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if let State::Content(cipher) = &mut self.state {
            // So that what was read is near when it is encrypted.
            let most = into.len().min(PIECE);
            match (self.seal)(&mut self.input, cipher, &mut into[..most]) {
                Ok(0) => {}
                Ok(sealed) => return Ok(sealed),
                Err(Error::Io(error)) => return Err(error),
                Err(error) => {
                    self.state = State::Failed;
                    return Err(error.into());
                }
            }
            if let State::Content(cipher) = std::mem::replace(&mut self.state, State::Failed) {
                self.state = State::Tag(cipher.finish().map_err(Error::from)?, 0);
            }
        }
        let State::Tag(tag, taken) = &mut self.state else { return Err(Error::Failed.into()) };
        let count = (TAG - *taken).min(into.len());
        into[..count].copy_from_slice(&tag[*taken..*taken + count]);
        *taken += count;
        Ok(count)
    }
}

fn seal_in_place(input: &mut impl Read, cipher: &mut evp::Sealing, into: &mut [u8]) -> Result<usize> {
    let read = input.read(into)?;
    cipher.update(&mut into[..read]).map_err(|error| {
        // What was read is plaintext.
        into[..read].fill(0);
        too_long(error)
    })?;
    Ok(read)
}

fn seal_from(input: &mut impl BufRead, cipher: &mut evp::Sealing, into: &mut [u8]) -> Result<usize> {
    let plaintext = input.fill_buf()?;
    let length = plaintext.len().min(into.len());
    for at in (0..length).step_by(NEAR) {
        let end = length.min(at + NEAR);
        evp::prefetch(&plaintext[end..plaintext.len().min(end + NEAR)]);
        cipher.update_into(&plaintext[at..end], &mut into[at..end]).map_err(too_long)?;
    }
    input.consume(length);
    Ok(length)
}

fn too_long(error: evp::Error) -> Error {
    match error {
        evp::Error::MessageLength => Error::BodyLength(evp::MESSAGE_LIMIT + 1),
        error => error.into(),
    }
}
