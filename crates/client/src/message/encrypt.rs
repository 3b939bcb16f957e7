//! Writing messages
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/client-apis/encrypt.md)).

use super::derive;
use super::frame::Cipher;
use super::header::{Body, Header};
use super::materials::{EncryptionRequest, Materials};
use super::policy::{CommitmentPolicy, check_keys};
use super::suite::Suite;
use super::writer::MessageWriter;
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::secret::random;
use std::collections::BTreeSet;
use std::io::Write;

/// Bytes of plaintext in a frame, unless the caller says otherwise: what all of AWS's clients take. Frames of a mebibyte are a third faster.
pub const FRAME_LENGTH: u32 = 4096;

/// How messages are written. One makes any number of them.
///
/// ```
/// use client::keys::AesKey;
/// use client::message::{Decryptor, Encryptor, RawAes};
/// use std::io::{Read, Write};
///
/// let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
/// let mut sealed = Encryptor::new(&keyring)
///     .context([("purpose", "backup")])
///     .frame_length(1 << 20)
///     .start(Vec::new())?; // any io::Write
/// sealed.write_all(b"attack ")?;
/// sealed.write_all(b"at dawn")?;
/// let (message, _header) = sealed.finish()?;
///
/// let mut opened = Decryptor::new(&keyring).start(&message[..])?; // any io::Read
/// assert_eq!(opened.context().get("purpose"), Some("backup"));
/// let mut text = String::new();
/// opened.read_to_string(&mut text)?;
/// assert_eq!(text, "attack at dawn");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Encryptor<M> {
    materials: M,
    context: EncryptionContext,
    required: BTreeSet<String>,
    suite: Option<Suite>,
    policy: CommitmentPolicy,
    frame_length: u32,
    whole: bool,
    plaintext_length: Option<u64>,
    key_limit: Option<usize>,
}

impl<M: Materials> Encryptor<M> {
    /// With a keyring, or a [`Cache`](super::Cache) over one.
    pub fn new(materials: M) -> Self {
        Self {
            materials,
            context: EncryptionContext::new(),
            required: BTreeSet::new(),
            suite: None,
            policy: CommitmentPolicy::default(),
            frame_length: FRAME_LENGTH,
            whole: false,
            plaintext_length: None,
            key_limit: None,
        }
    }

    /// The encryption context: authenticated with the message, and stored in it in clear.
    #[must_use]
    pub fn context(self, context: impl Into<EncryptionContext>) -> Self {
        Self { context: context.into(), ..self }
    }

    /// These names of the context are authenticated and **not stored**: who opens the message has to supply them.
    ///
    /// ```
    /// # use client::{keys::AesKey, message::{Decryptor, Encryptor, RawAes}};
    /// # let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
    /// let message = Encryptor::new(&keyring).context([("tenant", "7")]).require_context(["tenant"]).encrypt(b"text")?;
    /// assert!(Decryptor::new(&keyring).decrypt(&message).is_err());
    /// assert!(Decryptor::new(&keyring).context([("tenant", "8")]).decrypt(&message).is_err());
    /// assert!(Decryptor::new(&keyring).context([("tenant", "7")]).decrypt(&message).is_ok());
    /// # Ok::<(), client::Error>(())
    /// ```
    #[must_use]
    pub fn require_context<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        Self { required: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// The algorithm suite; the commitment policy has a default one.
    #[must_use]
    pub fn suite(self, suite: Suite) -> Self {
        Self { suite: Some(suite), ..self }
    }

    /// Whether messages commit to their data key: they do, unless this says otherwise.
    #[must_use]
    pub fn commitment(self, policy: CommitmentPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Bytes of plaintext in a frame: [`FRAME_LENGTH`] unless set, never 0.
    #[must_use]
    pub fn frame_length(self, bytes: u32) -> Self {
        Self { frame_length: bytes, whole: false, ..self }
    }

    /// One piece without frames, as old clients wrote it; [`Encryptor::plaintext_length`] must then be set, and be met exactly.
    ///
    /// Readers can release nothing of it before its end.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The most bytes of plaintext that a message will have: more are refused. A [`Cache`](super::Cache) counts by it.
    #[must_use]
    pub fn plaintext_length(self, bytes: u64) -> Self {
        Self { plaintext_length: Some(bytes), ..self }
    }

    /// The most wrapped data keys that a message may have.
    #[must_use]
    pub fn max_encrypted_data_keys(self, keys: usize) -> Self {
        Self { key_limit: Some(keys), ..self }
    }

    /// Begins a message: gets a data key and writes the header.
    ///
    /// # Errors
    /// [`Error::CommitmentPolicy`], [`Error::ReservedContext`], [`Error::MissingContext`], [`Error::TooManyKeys`], [`Error::Setting`];
    /// what the keyring or the output fails with.
    pub fn start<W: Write>(&self, output: W) -> Result<MessageWriter<W>> {
        self.start_for(output, self.plaintext_length)
    }

    /// A message in memory.
    ///
    /// # Errors
    /// As [`Encryptor::start`].
    pub fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        let length = u64::try_from(plaintext.len()).expect("memory has less than 2^64 bytes");
        let bound = self.plaintext_length.unwrap_or(length);
        if length > bound {
            return Err(Error::PlaintextLength(bound));
        }
        let message = self.start_for(Vec::new(), Some(length))?;
        let length = message.sealed_length(plaintext.len()).ok_or(Error::Setting("a message longer than memory"))?;
        let message = message.onto(|header| {
            let mut room = Vec::with_capacity(length);
            evp::large_pages(room.spare_capacity_mut());
            room.extend(header);
            room
        });
        Ok(message.finish_with(plaintext)?.0)
    }

    fn start_for<W: Write>(&self, output: W, plaintext_length: Option<u64>) -> Result<MessageWriter<W>> {
        let suite = self.suite.unwrap_or(self.policy.default_suite());
        self.policy.check_encrypt(suite)?;
        if let Some(name) = self.context.reserved() {
            return Err(Error::ReservedContext(name.to_owned()));
        }
        if let Some(name) = self.required.iter().find(|name| self.context.get(name).is_none()) {
            return Err(Error::MissingContext(name.clone()));
        }
        let body = self.body(plaintext_length)?;
        let request = EncryptionRequest { suite, context: &self.context, plaintext_length };
        let materials = self.materials.encryption(&request)?;
        check_keys(materials.keys.len(), self.key_limit)?;

        let (stored, required) = materials.context.split(&self.required);
        let message_id = random::<32>()?[..suite.message_id_length()].to_vec();
        let commitment = suite.commits().then(|| derive::commitment(&materials.data_key, &message_id)).transpose()?;
        let cipher = Cipher::new(derive::message_key(suite, &materials.data_key, &message_id)?, &message_id)?;
        let header = Header { suite, message_id, context: stored, keys: materials.keys, body, commitment };
        let sealed = sealed_header(&header, &cipher, &required)?;

        let signer = materials.signing.map(|key| key.start());
        MessageWriter::begin(output, header, cipher, signer, &sealed, plaintext_length)
    }

    fn body(&self, plaintext_length: Option<u64>) -> Result<Body> {
        match (self.whole, plaintext_length) {
            (false, _) if self.frame_length == 0 => Err(Error::Setting("a frame has one byte at least")),
            (false, _) => Ok(Body::Framed(self.frame_length)),
            (true, None) => Err(Error::Setting("a message without frames needs its plaintext length beforehand")),
            (true, Some(length)) if length > evp::MESSAGE_LIMIT => Err(Error::BodyLength(length)),
            (true, Some(_)) => Ok(Body::Whole),
        }
    }
}

fn sealed_header(header: &Header, cipher: &Cipher, required: &EncryptionContext) -> Result<Vec<u8>> {
    let mut bytes = header.serialize()?;
    let tag = cipher.header_tag(&[&bytes[..], &required.serialize()?].concat())?;
    if header.version() == 1 {
        bytes.extend([0; 12]);
    }
    bytes.extend(tag);
    Ok(bytes)
}
