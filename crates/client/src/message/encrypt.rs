//! Writing messages
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/client-apis/encrypt.md)).

use super::derive;
use super::frame::{Cipher, LAST_MARK, Part, TAG, iv};
use super::header::{Body, Header};
use super::materials::{EncryptionRequest, Materials};
use super::policy::{CommitmentPolicy, check_keys};
use super::sign::Signer;
use super::suite::Suite;
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::secret::random;
use std::collections::BTreeSet;
use std::io::{self, Write};
use zeroize::Zeroizing;

/// Bytes of plaintext in a frame, unless the caller says otherwise: what all of AWS's clients take. Frames of a mebibyte are a third faster.
pub const FRAME_LENGTH: u32 = 4096;

/// Sealed bytes that are collected before they are written: many frames of the usual length in one call.
const WRITE: usize = 1 << 16;

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
        let length = u64::try_from(plaintext.len()).expect("a slice is shorter than 2^64 bytes");
        let bound = self.plaintext_length.unwrap_or(length);
        if length > bound {
            return Err(Error::PlaintextLength(bound));
        }
        let mut message = self.start_for(Vec::with_capacity(plaintext.len() + 1024), Some(length))?;
        message.push(plaintext)?;
        Ok(message.finish()?.0)
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

        let mut writer = MessageWriter {
            output,
            header,
            cipher,
            signer: materials.signing.map(|key| key.start()),
            body: Writing::Framed { pending: Zeroizing::new(Vec::new()), sequence: 1 },
            sealed: Vec::new(),
            filled: 0,
            announced: plaintext_length,
            pushed: 0,
            failed: false,
        };
        writer.emit(sealed.len(), |out| out.copy_from_slice(&sealed))?;
        if let (Body::Whole, Some(length)) = (body, plaintext_length) {
            writer.body = Writing::Whole(writer.cipher.seal_whole(length)?);
            writer.emit(20, |out| {
                out[..12].copy_from_slice(&iv(1));
                out[12..].copy_from_slice(&length.to_be_bytes());
            })?;
        }
        Ok(writer)
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

/// A message in the making. **It is one only after [`MessageWriter::finish`]**; readers find what was dropped before to be truncated.
pub struct MessageWriter<W> {
    output: W,
    header: Header,
    cipher: Cipher,
    signer: Option<Signer>,
    body: Writing,
    /// Sealed bytes that were not written yet: `filled` of them. The rest is room, kept so that it is not zeroed again and again.
    sealed: Vec<u8>,
    filled: usize,
    /// The most bytes of plaintext that may come, if that is known.
    announced: Option<u64>,
    /// Bytes of plaintext that came.
    pushed: u64,
    failed: bool,
}

enum Writing {
    /// Plaintext of the frame with this number; it may turn out to be the last one.
    Framed {
        pending: Zeroizing<Vec<u8>>,
        sequence: u32,
    },
    Whole(evp::Sealing),
}

impl<W: Write> MessageWriter<W> {
    /// The header as it was written.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Writes what is left, the last frame and the signature; flushes the output, and gives it back.
    ///
    /// # Errors
    /// What the output fails with; [`Error::PlaintextLength`] for a body without frames that is shorter than announced.
    pub fn finish(mut self) -> Result<(W, Header)> {
        if self.failed {
            return Err(Error::Failed);
        }
        match std::mem::replace(&mut self.body, Writing::Framed { pending: Zeroizing::default(), sequence: 0 }) {
            Writing::Framed { pending, sequence } => self.last_frame(&pending, sequence)?,
            Writing::Whole(sealing) => {
                if let Some(missing) = self.announced.map(|all| all - self.pushed).filter(|missing| *missing != 0) {
                    return Err(Error::Missing(missing));
                }
                let tag = sealing.finish()?;
                self.emit(TAG, |out| out.copy_from_slice(&tag))?;
            }
        }
        if let Some(signer) = self.signer.take() {
            let footer = signer.footer()?;
            self.emit(footer.len(), |out| out.copy_from_slice(&footer))?;
        }
        self.write_out()?;
        self.output.flush()?;
        Ok((self.output, self.header))
    }

    fn push(&mut self, plaintext: &[u8]) -> Result<()> {
        if self.failed {
            return Err(Error::Failed);
        }
        let pushed = self.try_push(plaintext);
        self.failed = pushed.is_err();
        pushed
    }

    fn try_push(&mut self, plaintext: &[u8]) -> Result<()> {
        self.pushed = self.pushed.saturating_add(u64::try_from(plaintext.len()).unwrap_or(u64::MAX));
        if let Some(announced) = self.announced.filter(|announced| self.pushed > *announced) {
            return Err(Error::PlaintextLength(announced));
        }
        match self.header.body {
            Body::Framed(length) => {
                let length = usize::try_from(length).map_err(|_| Error::Setting("a frame longer than memory"))?;
                self.push_frames(plaintext, length)
            }
            Body::Whole => plaintext.chunks(WRITE).try_for_each(|piece| self.push_whole(piece)),
        }
    }

    /// A frame leaves once a byte of the next one has come: so the last one is known, and is never empty but in an empty message.
    fn push_frames(&mut self, mut plaintext: &[u8], length: usize) -> Result<()> {
        while let Writing::Framed { pending, sequence } = &mut self.body
            && !plaintext.is_empty()
        {
            if pending.is_empty() && plaintext.len() > length {
                // Straight from the caller's bytes.
                let number = next(sequence)?;
                let (frame, rest) = plaintext.split_at(length);
                plaintext = rest;
                self.frame(number, frame)?;
            } else if pending.len() == length {
                let number = next(sequence)?;
                let mut frame = std::mem::take(pending);
                self.frame(number, &frame)?;
                frame.clear();
                if let Writing::Framed { pending, .. } = &mut self.body {
                    *pending = frame;
                }
            } else {
                let (taken, rest) = plaintext.split_at(plaintext.len().min(length - pending.len()));
                plaintext = rest;
                grow(pending, taken, length);
            }
        }
        Ok(())
    }

    fn frame(&mut self, sequence: u32, plaintext: &[u8]) -> Result<()> {
        let (cipher, out) = self.room(16 + plaintext.len() + TAG)?;
        out[..4].copy_from_slice(&sequence.to_be_bytes());
        out[4..16].copy_from_slice(&iv(sequence));
        cipher.seal_into(Part::Frame, sequence, plaintext, &mut out[16..])?;
        self.took(16 + plaintext.len() + TAG);
        Ok(())
    }

    fn last_frame(&mut self, plaintext: &[u8], sequence: u32) -> Result<()> {
        let length =
            u32::try_from(plaintext.len()).map_err(|_| Error::Setting("a frame longer than its length field"))?;
        let (cipher, out) = self.room(24 + plaintext.len() + TAG)?;
        out[..4].copy_from_slice(&LAST_MARK.to_be_bytes());
        out[4..8].copy_from_slice(&sequence.to_be_bytes());
        out[8..20].copy_from_slice(&iv(sequence));
        out[20..24].copy_from_slice(&length.to_be_bytes());
        cipher.seal_into(Part::LastFrame, sequence, plaintext, &mut out[24..])?;
        self.took(24 + plaintext.len() + TAG);
        Ok(())
    }

    fn push_whole(&mut self, piece: &[u8]) -> Result<()> {
        self.room(piece.len())?;
        if let Writing::Whole(sealing) = &mut self.body {
            sealing.update_into(piece, &mut self.sealed[self.filled..self.filled + piece.len()])?;
        }
        self.took(piece.len());
        Ok(())
    }

    /// Bytes that are sealed already.
    fn emit(&mut self, length: usize, fill: impl FnOnce(&mut [u8])) -> Result<()> {
        fill(self.room(length)?.1);
        self.took(length);
        Ok(())
    }

    /// Room for so many bytes behind what is collected, which is written first if they do not fit.
    fn room(&mut self, length: usize) -> Result<(&Cipher, &mut [u8])> {
        if self.sealed.len() - self.filled < length {
            self.write_out()?;
            if self.sealed.len() < length {
                self.sealed = vec![0; length.max(WRITE)];
            }
        }
        Ok((&self.cipher, &mut self.sealed[self.filled..self.filled + length]))
    }

    /// The room was filled. A signature covers everything but itself, and the signer is gone by then.
    fn took(&mut self, length: usize) {
        if let Some(signer) = &mut self.signer {
            signer.update(&self.sealed[self.filled..self.filled + length]);
        }
        self.filled += length;
    }

    fn write_out(&mut self) -> Result<()> {
        self.output.write_all(&self.sealed[..self.filled])?;
        self.filled = 0;
        Ok(())
    }
}

impl<W: Write> Write for MessageWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.push(plaintext)?;
        Ok(plaintext.len())
    }

    /// Passes on the frames that are complete. What does not fill a frame stays: it may have to be the last one.
    fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.output.flush()
    }
}

/// The number of a frame that is not the last, and counts on.
fn next(sequence: &mut u32) -> Result<u32> {
    let number = *sequence;
    // The last frame needs a number, too, and `LAST_MARK` is none.
    *sequence = number.checked_add(1).filter(|next| *next < LAST_MARK).ok_or(Error::TooManyFrames)?;
    Ok(number)
}

/// Adds to a frame's plaintext, and leaves no copy behind when it moves.
fn grow(pending: &mut Zeroizing<Vec<u8>>, bytes: &[u8], length: usize) {
    let needed = pending.len() + bytes.len();
    if needed > pending.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * pending.len()).min(length)));
        larger.extend_from_slice(pending);
        *pending = larger;
    }
    pending.extend_from_slice(bytes);
}
