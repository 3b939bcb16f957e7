//! Reading messages
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/client-apis/decrypt.md)).

use super::derive;
use super::frame::Cipher;
use super::header::{Header, Sealed};
use super::materials::{DecryptionRequest, Materials};
use super::policy::{CommitmentPolicy, Release};
use super::reader::{Limits, MessageReader, READ};
use super::sign::{PUBLIC_KEY, Verifier};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::plaintext::Plaintext;
use crate::secret::DataKey;
use crate::source::Source;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use subtle::ConstantTimeEq;

/// Longest frame that is read unless the caller says otherwise, in bytes. A reader holds one frame.
pub const FRAME_LIMIT: u32 = 16 << 20;

/// Plaintext that is held until it is verified as a whole, unless the caller says otherwise, in bytes.
pub const HOLD_LIMIT: usize = 16 << 20;

/// How messages are read. One reads any number of them.
///
/// ```
/// use client::keys::AesKey;
/// use client::message::{CommitmentPolicy, Decryptor, Encryptor, RawAes, Suite};
///
/// let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
/// let old = Encryptor::new(&keyring)
///     .commitment(CommitmentPolicy::ForbidEncryptAllowDecrypt)
///     .suite(Suite::Aes256Hkdf)
///     .encrypt(b"from long ago")?;
///
/// assert!(Decryptor::new(&keyring).decrypt(&old).is_err(), "it does not commit to its data key");
/// let opened = Decryptor::new(&keyring).commitment(CommitmentPolicy::RequireEncryptAllowDecrypt).decrypt(&old)?;
/// assert_eq!(&opened.plaintext[..], b"from long ago");
/// # Ok::<(), client::Error>(())
/// ```
pub struct Decryptor<M> {
    materials: M,
    context: EncryptionContext,
    required: BTreeSet<String>,
    policy: CommitmentPolicy,
    key_limit: Option<usize>,
    net_4_0_0: bool,
    limits: Limits,
}

/// What version 4.0.0 of the .NET client put behind a header when it computed its tag: the length of an empty context, which does not
/// stand there in the format.
const NET_4_0_0: [u8; 2] = [0, 0];

/// A message that was opened in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What was in it.
    pub plaintext: Plaintext,
    /// The encryption context, with what the caller supplied.
    pub context: EncryptionContext,
    /// The header.
    pub header: Header,
}

impl<M: Materials> Decryptor<M> {
    /// With a keyring, or a [`Cache`](super::Cache) over one.
    pub fn new(materials: M) -> Self {
        Self {
            materials,
            context: EncryptionContext::new(),
            required: BTreeSet::new(),
            policy: CommitmentPolicy::default(),
            key_limit: None,
            net_4_0_0: false,
            limits: Limits { release: Release::default(), frame: FRAME_LIMIT, hold: HOLD_LIMIT },
        }
    }

    /// Pairs that the context must have: those that are stored must be the same, those that are not are authenticated with the message.
    #[must_use]
    pub fn context(self, context: impl Into<EncryptionContext>) -> Self {
        Self { context: context.into(), ..self }
    }

    /// These names must be in the context that the caller supplies.
    #[must_use]
    pub fn require_context<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        Self { required: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// Whether messages must commit to their data key: they must, unless this says otherwise.
    #[must_use]
    pub fn commitment(self, policy: CommitmentPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The most wrapped data keys that a message may have. Each may cost a call to a key management service, up to [`TRIES`](super::TRIES) of
    /// each keyring's.
    #[must_use]
    pub fn max_encrypted_data_keys(self, keys: usize) -> Self {
        Self { key_limit: Some(keys), ..self }
    }

    /// Opens, too, what version 4.0.0 of AWS's .NET client wrote, which was wrong in two ways: the tags of its headers are over two zero
    /// bytes more where no context was required, and its keys of version 1 are derived without the message id
    /// ([AWS on it](https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/dot-net.html)). Everything is verified all the same.
    #[must_use]
    pub fn accept_net_4_0_0(self) -> Self {
        Self { net_4_0_0: true, ..self }
    }

    /// When the plaintext of a signed message leaves.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.limits.release = release;
        self
    }

    /// The longest frame that is read, in bytes: [`FRAME_LIMIT`] unless set.
    #[must_use]
    pub fn frame_limit(mut self, bytes: u32) -> Self {
        self.limits.frame = bytes;
        self
    }

    /// Plaintext that is held until it is verified as a whole (that of signed messages, and of those without frames), in bytes:
    /// [`HOLD_LIMIT`] unless set.
    #[must_use]
    pub fn hold_limit(mut self, bytes: usize) -> Self {
        self.limits.hold = bytes;
        self
    }

    /// Reads a header, opens the data key and verifies both. The plaintext is read from what is returned.
    ///
    /// # Errors
    /// What is wrong with the header; [`Error::NoKeyOpens`]; [`Error::Commitment`], [`Error::HeaderTag`]; what the input fails with.
    pub fn start<R: Read>(&self, input: R) -> Result<MessageReader<BufReader<R>>> {
        self.start_buffered(BufReader::with_capacity(READ, input))
    }

    /// As [`Decryptor::start`], from an input with a buffer of its own: frames are opened from where they lie in it. Of a message in
    /// memory, `&[u8]`, nothing is copied.
    ///
    /// ```
    /// # use client::{keys::AesKey, message::{Decryptor, Encryptor, RawAes}};
    /// # let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
    /// let message = Encryptor::new(&keyring).encrypt(b"attack at dawn")?;
    /// let text = std::io::read_to_string(Decryptor::new(&keyring).start_buffered(&message[..])?)?;
    /// assert_eq!(text, "attack at dawn");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Decryptor::start`].
    pub fn start_buffered<R: BufRead>(&self, input: R) -> Result<MessageReader<R>> {
        if let Some(name) = self.context.reserved() {
            return Err(Error::ReservedContext(name.to_owned()));
        }
        if let Some(name) = self.required.iter().find(|name| self.context.get(name).is_none()) {
            return Err(Error::MissingContext(name.clone()));
        }
        let mut source = Source::new(input);
        let sealed = Sealed::read(&mut source, self.key_limit)?;
        let header = &sealed.header;
        self.policy.check_decrypt(header.suite)?;
        if header.suite.signs() && self.limits.release == Release::UnsignedOnly {
            return Err(Error::Signed);
        }
        let verifier = verifier(header)?;
        let (context, supplied) = self.whole_context(header)?;
        let request = DecryptionRequest { suite: header.suite, context: &context, keys: &header.keys };
        let data_key = self.materials.decryption(&request)?.data_key;
        if let Some(commitment) = &header.commitment {
            let derived = derive::commitment(&data_key, &header.message_id)?;
            if !bool::from(derived.ct_eq(commitment)) {
                return Err(Error::Commitment);
            }
        }
        let cipher = self.cipher(&sealed, &data_key, &supplied.serialize()?)?;
        Ok(MessageReader::new(source, sealed, context, cipher, verifier, self.limits))
    }

    /// A message in memory, verified to its end. `hold_limit` does not count here: the caller holds it already.
    ///
    /// # Errors
    /// As [`Decryptor::start`], and whatever is wrong with the rest.
    pub fn decrypt(&self, message: &[u8]) -> Result<Opened> {
        self.start_buffered(message)?.open_all(message.len())
    }

    /// The cipher whose key made the header's tag.
    fn cipher(&self, sealed: &Sealed, data_key: &DataKey, supplied: &[u8]) -> Result<Cipher> {
        let (suite, message_id) = (sealed.header.suite, &sealed.header.message_id);
        let verified = |cipher: Cipher, supplied: &[u8]| {
            let aad = [&sealed.bytes, supplied].concat();
            cipher.verify_header(&aad, sealed.iv, sealed.tag).then_some(cipher)
        };
        let cipher = Cipher::new(derive::message_key(suite, data_key, message_id)?, message_id)?;
        if let Some(cipher) = verified(cipher, supplied) {
            return Ok(cipher);
        }
        if self.net_4_0_0 {
            let cipher = Cipher::new(derive::net_4_0_0_key(suite, data_key, message_id)?, message_id)?;
            if let Some(cipher) = verified(cipher, if supplied.is_empty() { &NET_4_0_0 } else { supplied }) {
                return Ok(cipher);
            }
        }
        Err(Error::HeaderTag)
    }

    /// What is stored together with what the caller supplies, and of that what is not stored.
    fn whole_context(&self, header: &Header) -> Result<(EncryptionContext, EncryptionContext)> {
        let (mut whole, mut supplied) = (header.context.clone(), EncryptionContext::new());
        for (name, value) in self.context.iter() {
            match header.context.get(name) {
                Some(stored) if stored == value => {}
                Some(_) => return Err(Error::ContextMismatch(name.to_owned())),
                None => {
                    whole.insert(name, value);
                    supplied.insert(name, value);
                }
            }
        }
        Ok((whole, supplied))
    }
}

/// A signing suite needs a public key in the context, and no other suite may have one.
fn verifier(header: &Header) -> Result<Option<Verifier>> {
    match (header.suite.curve(), header.context.get(PUBLIC_KEY)) {
        (Some(curve), Some(public)) => Verifier::new(curve, public).map(Some),
        (None, None) => Ok(None),
        _ => Err(Error::SignatureKey),
    }
}
