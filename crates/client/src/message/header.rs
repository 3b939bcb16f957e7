//! Headers of messages
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/data-format/message-header.md)).

use super::derive::COMMITMENT;
use super::policy::check_keys;
use super::reader::READ;
use super::suite::Suite;
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::source::Source;
use std::io::{BufRead, BufReader, Read};

/// Bytes that are read of a header. The format's length fields allow 12 GiB; a context of the longest kind and 2,000 keys of KMS fit.
pub const HEADER_LIMIT: usize = 1 << 20;

/// The one type of message (version 1 of the format alone names it).
const CUSTOMER_DATA: u8 = 0x80;

/// Length of an initialization vector in bytes, as version 1 names it.
const IV: u8 = 12;

const WHOLE: u8 = 1;
const FRAMED: u8 = 2;

/// What a message says of itself.
///
/// One that [`Header::inspect`] read is unverified: anybody may have written it.
///
/// ```
/// use client::keys::AesKey;
/// use client::message::{Body, Encryptor, Header, RawAes, Suite};
///
/// let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
/// let message = Encryptor::new(keyring).context([("purpose", "backup")]).suite(Suite::Aes256Commit).encrypt(b"text")?;
///
/// let header = Header::inspect(&message[..])?; // without a key
/// assert_eq!(header.suite(), Suite::Aes256Commit);
/// assert_eq!(header.context().get("purpose"), Some("backup"));
/// assert_eq!(header.keys()[0].provider, "example");
/// assert_eq!(header.body(), Body::Framed(4096));
/// # Ok::<(), client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub(super) suite: Suite,
    pub(super) message_id: Vec<u8>,
    pub(super) context: EncryptionContext,
    pub(super) keys: Vec<EncryptedDataKey>,
    pub(super) body: Body,
    pub(super) commitment: Option<[u8; COMMITMENT]>,
}

/// How the data lies in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// In frames of so many bytes, each with a tag; the last may be shorter.
    Framed(u32),
    /// In one piece, with one tag at the end. Old clients wrote so.
    Whole,
}

/// A data key as a wrapping key encrypted it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EncryptedDataKey {
    /// Who can open it: `aws-kms`, or the name space of a raw key.
    pub provider: String,
    /// With which key: an ARN, or the name of a raw key and what its cipher needs.
    pub info: Vec<u8>,
    /// The wrapped data key.
    pub ciphertext: Vec<u8>,
}

impl EncryptedDataKey {
    /// Its bytes in a header.
    pub(super) fn serialize(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for field in [self.provider.as_bytes(), &self.info, &self.ciphertext] {
            let length = u16::try_from(field.len()).map_err(|_| Error::Header("a wrapped key that is too long"))?;
            bytes.extend(length.to_be_bytes());
            bytes.extend(field);
        }
        Ok(bytes)
    }
}

impl Header {
    /// Reads a header and verifies nothing. No more of the input is read than 64 KiB beyond it.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn inspect(input: impl Read) -> Result<Self> {
        Ok(Sealed::read(&mut Source::new(BufReader::with_capacity(READ, input)), None)?.header)
    }

    /// The algorithm suite.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The message id: 16 random bytes in version 1, 32 in version 2.
    #[must_use]
    pub fn message_id(&self) -> &[u8] {
        &self.message_id
    }

    /// The stored encryption context. What was required of the caller is not in it.
    #[must_use]
    pub fn context(&self) -> &EncryptionContext {
        &self.context
    }

    /// The wrapped data keys, any of which opens the message.
    #[must_use]
    pub fn keys(&self) -> &[EncryptedDataKey] {
        &self.keys
    }

    /// How the data lies in the message.
    #[must_use]
    pub fn body(&self) -> Body {
        self.body
    }

    /// The version of the format: 2 for suites that commit, 1 for the others.
    #[must_use]
    pub fn version(&self) -> u8 {
        if self.suite.commits() { 2 } else { 1 }
    }

    /// Its length in a message, with its tag: where the body begins, in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        let tag = if self.version() == 1 { 12 + 16 } else { 16 };
        let bytes = self.serialize().expect("a header is made by writing it or by parsing its bytes").len();
        u64::try_from(bytes).expect("a header is shorter than its limit") + tag
    }

    /// The header's bytes, without its tag.
    pub(super) fn serialize(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![self.version()];
        if self.version() == 1 {
            bytes.push(CUSTOMER_DATA);
        }
        bytes.extend(self.suite.id().to_be_bytes());
        bytes.extend(&self.message_id);
        let context = self.context.serialize()?;
        bytes.extend(u16::try_from(context.len()).map_err(|_| Error::ContextLength)?.to_be_bytes());
        bytes.extend(context);
        let limit = usize::from(u16::MAX);
        let count = u16::try_from(self.keys.len()).map_err(|_| Error::TooManyKeys { count: self.keys.len(), limit })?;
        bytes.extend(count.to_be_bytes());
        for key in &self.keys {
            bytes.extend(key.serialize()?);
        }
        let (kind, frame) = match self.body {
            Body::Framed(frame) => (FRAMED, frame),
            Body::Whole => (WHOLE, 0),
        };
        bytes.push(kind);
        if self.version() == 1 {
            bytes.extend([0, 0, 0, 0, IV]);
        }
        bytes.extend(frame.to_be_bytes());
        if let Some(commitment) = &self.commitment {
            bytes.extend(commitment);
        }
        if bytes.len() > HEADER_LIMIT {
            return Err(Error::HeaderLength { limit: HEADER_LIMIT });
        }
        Ok(bytes)
    }
}

/// A header as it was read: with its bytes, and the tag that is over them.
pub(super) struct Sealed {
    pub(super) header: Header,
    /// Everything before IV and tag.
    pub(super) bytes: Vec<u8>,
    pub(super) iv: [u8; 12],
    pub(super) tag: [u8; 16],
    /// Everything, which the signature is over.
    pub(super) all: Vec<u8>,
}

impl Sealed {
    pub(super) fn read<R: BufRead>(source: &mut Source<R>, key_limit: Option<usize>) -> Result<Self> {
        let mut fields = Fields { source, read: Vec::new() };
        let [version] = fields.array()?;
        match version {
            1 => {
                let [kind] = fields.array()?;
                if kind != CUSTOMER_DATA {
                    return Err(Error::Header("an unknown type of message"));
                }
            }
            2 => {}
            other => return Err(Error::Version(other)),
        }
        let id = fields.short()?;
        let suite = Suite::from_id(id)?;
        if suite.commits() != (version == 2) {
            return Err(Error::UnknownSuite(id));
        }
        let message_id = fields.bytes(suite.message_id_length())?.to_vec();
        let context = EncryptionContext::parse(fields.field()?)?;
        let keys = fields.keys(key_limit)?;
        let [kind] = fields.array()?;
        if version == 1 && fields.array()? != [0, 0, 0, 0, IV] {
            return Err(Error::Header(
                "reserved bytes that are not zero, or an initialization vector of another length",
            ));
        }
        let body = match (kind, u32::from_be_bytes(fields.array()?)) {
            (FRAMED, 0) => return Err(Error::Header("frames of no bytes")),
            (FRAMED, frame) => Body::Framed(frame),
            (WHOLE, 0) => Body::Whole,
            (WHOLE, _) => return Err(Error::Header("a frame length, but no frames")),
            _ => return Err(Error::Header("an unknown type of content")),
        };
        let commitment = if suite.commits() { Some(fields.array()?) } else { None };
        let header = Header { suite, message_id, context, keys, body, commitment };
        let bytes = fields.read.clone();
        let iv = if version == 1 { fields.array()? } else { [0; 12] };
        Ok(Self { header, bytes, iv, tag: fields.array()?, all: fields.read })
    }
}

/// Takes fields off the input, and keeps what it took.
struct Fields<'a, R> {
    source: &'a mut Source<R>,
    read: Vec<u8>,
}

impl<R: BufRead> Fields<'_, R> {
    fn bytes(&mut self, length: usize) -> Result<&[u8]> {
        let from = self.read.len();
        if from + length > HEADER_LIMIT {
            return Err(Error::HeaderLength { limit: HEADER_LIMIT });
        }
        self.read.extend_from_slice(self.source.need(length, "the header")?);
        self.source.pass(length);
        Ok(&self.read[from..])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.bytes(N)?.try_into().expect("as many bytes as were asked for"))
    }

    fn short(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn field(&mut self) -> Result<&[u8]> {
        let length = self.short()?;
        self.bytes(length.into())
    }

    fn keys(&mut self, limit: Option<usize>) -> Result<Vec<EncryptedDataKey>> {
        let count = self.short()?;
        if count == 0 {
            return Err(Error::Header("no wrapped data key"));
        }
        check_keys(count.into(), limit)?;
        (0..count)
            .map(|_| {
                let provider = std::str::from_utf8(self.field()?)
                    .map_err(|_| Error::Header("a key provider that is no UTF-8"))?
                    .to_owned();
                Ok(EncryptedDataKey { provider, info: self.field()?.to_vec(), ciphertext: self.field()?.to_vec() })
            })
            .collect()
    }
}
