//! What an object says of its encryption: in its metadata, in its instruction file, or in both
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/metadata-strategy.md)).

use super::algorithm::{ContentAlgorithm, Version, Wrapping};
use super::derive::{COMMITMENT, MESSAGE_ID};
use super::instruction;
use super::member::{
    self, COMMITMENT_V3, CONTENT, CONTENT_V3, CONTEXT_V3, DESCRIPTION, DESCRIPTION_V3, IV, KEY_V1, KEY_V2, KEY_V3,
    MESSAGE_ID_V3, ONLY_V2, ONLY_V3, PLAINTEXT_LENGTH, TAG_LENGTH, WRAPPING, WRAPPING_V3,
};
use super::metadata::Metadata;
use crate::context::EncryptionContext;
use crate::error::{Error, Result};

/// Version 1 names no wrapping: a longer key than AES-ECB makes of 32 bytes is RSA's. AWS's clients tell them apart so, too.
const LONGEST_AES_V1: usize = 48;

/// What an object says of itself, without a key. Nothing of it is authenticated before a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHeader {
    /// Of the format.
    pub version: Version,
    /// How the content is encrypted.
    pub content: ContentAlgorithm,
    /// How the data key is wrapped; unknown as long as only the instruction file, which was not given, can tell.
    pub wrapping: Option<Wrapping>,
    /// The encryption context of a key management service with what the format adds to it, or the material description of another key.
    pub description: EncryptionContext,
    /// Whether the wrapped data key lies in an instruction file.
    pub in_instruction_file: bool,
}

impl ObjectHeader {
    /// Reads the metadata of an object and, where there is one, its instruction file: the object whose name ends in
    /// [`INSTRUCTION_SUFFIX`](super::INSTRUCTION_SUFFIX).
    ///
    /// Nothing without a trace of the format. Of version 1 and 2 the object itself has none when everything lies in the instruction
    /// file; an object of version 3 whose materials lie there says so.
    ///
    /// ```
    /// use client::object::{AesKeyring, Metadata, ObjectEncryptor, ObjectHeader, Version};
    /// use client::keys::AesKey;
    ///
    /// let keyring = AesKeyring::new(AesKey::generate()?).material_description([("key", "of 2026")]);
    /// let object = ObjectEncryptor::new(&keyring).encrypt(b"attack at dawn")?;
    /// let header = ObjectHeader::inspect(&object.metadata, None)?.expect("it is encrypted");
    /// assert_eq!((header.version, header.description.get("key")), (Version::V3, Some("of 2026")));
    ///
    /// assert_eq!(ObjectHeader::inspect(&Metadata::new(), None)?, None);
    /// # Ok::<(), client::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever is wrong with what is there: [`Error::SeveralVersions`], [`Error::MissingMember`], [`Error::ForeignMember`],
    /// [`Error::Member`], [`Error::MetadataLength`], [`Error::InstructionFile`].
    pub fn inspect(metadata: &Metadata, instruction: Option<&[u8]>) -> Result<Option<Self>> {
        Ok(Envelope::read(metadata, instruction)?.map(|envelope| envelope.header))
    }
}

/// Everything that opens an object but the key.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) header: ObjectHeader,
    pub(super) wrapped: Option<Vec<u8>>,
    pub(super) start: Start,
    /// What the client that wrote it told.
    pub(super) plaintext_length: Option<u64>,
}

/// What the cipher begins with.
#[derive(Debug, Clone)]
pub(super) enum Start {
    Cbc { iv: [u8; 16] },
    Gcm { iv: [u8; 12] },
    Commit { message_id: [u8; MESSAGE_ID], commitment: [u8; COMMITMENT] },
}

impl Envelope {
    pub(super) fn read(metadata: &Metadata, instruction: Option<&[u8]>) -> Result<Option<Self>> {
        let metadata = metadata.bounded()?;
        if let Some(version) = version(metadata)? {
            return match version {
                Version::V3 => v3(metadata, Some(metadata), true).map(Some),
                older => v1_v2(metadata, metadata, older, true).map(Some),
            };
        }
        let instruction = instruction.map(instruction::read).transpose()?;
        if ONLY_V3.iter().any(|name| member::value(metadata, name).is_some()) {
            member::none_of(metadata, [WRAPPING_V3, DESCRIPTION_V3, CONTEXT_V3])?;
            if let Some(instruction) = &instruction {
                member::none_of(instruction, [CONTENT_V3, COMMITMENT_V3, MESSAGE_ID_V3])?;
            }
            return v3(metadata, instruction.as_ref(), false).map(Some);
        }
        match instruction {
            Some(instruction) => match version(&instruction)? {
                // Where the object says nothing of version 3, somebody took it away.
                Some(Version::V3) => Err(Error::MissingMember(CONTENT_V3)),
                Some(older) => v1_v2(metadata, &instruction, older, false).map(Some),
                None => Err(Error::MissingMember(KEY_V2)),
            },
            None if [IV, DESCRIPTION].iter().chain(&ONLY_V2).any(|name| member::value(metadata, name).is_some()) => {
                Err(Error::MissingMember(KEY_V2))
            }
            None => Ok(None),
        }
    }
}

/// Whether an error of [`ObjectHeader::inspect`] tells of the instruction file, where the object's own metadata were found to be right as
/// far as they alone can be.
#[cfg(feature = "transport")]
pub(crate) fn is_of_instruction(error: &Error, object: &Metadata) -> bool {
    match error {
        Error::Member(name, _) | Error::ForeignMember(name) => member::value(object, name).is_none(),
        // These never lie there.
        Error::MissingMember(name) => ![CONTENT_V3, COMMITMENT_V3, MESSAGE_ID_V3].contains(name),
        _ => true,
    }
}

/// By the member that holds the wrapped data key.
fn version(metadata: &Metadata) -> Result<Option<Version>> {
    let keys = [(KEY_V1, Version::V1), (KEY_V2, Version::V2), (KEY_V3, Version::V3)];
    let mut found = keys.into_iter().filter(|(name, _)| member::value(metadata, name).is_some());
    match (found.next(), found.next()) {
        (Some((one, _)), Some((other, _))) => Err(Error::SeveralVersions(one, other)),
        (Some((_, version)), None) => Ok(Some(version)),
        _ => Ok(None),
    }
}

/// `materials` are the metadata again, or the instruction file, which may be yet to come.
fn v3(metadata: &Metadata, materials: Option<&Metadata>, of_object: bool) -> Result<Envelope> {
    let older = || [KEY_V1, KEY_V2, IV, DESCRIPTION].into_iter().chain(ONLY_V2);
    member::none_of(metadata, older())?;
    if member::required(metadata, CONTENT_V3)? != ContentAlgorithm::AesGcmCommit.name() {
        return Err(Error::Member(CONTENT_V3, "an unknown algorithm suite"));
    }
    let start = Start::Commit {
        message_id: member::array(metadata, MESSAGE_ID_V3)?,
        commitment: member::array(metadata, COMMITMENT_V3)?,
    };
    let mut header = ObjectHeader {
        version: Version::V3,
        content: ContentAlgorithm::AesGcmCommit,
        wrapping: None,
        description: EncryptionContext::new(),
        in_instruction_file: !of_object,
    };
    let Some(materials) = materials else {
        return Ok(Envelope { header, wrapped: None, start, plaintext_length: None });
    };
    member::none_of(materials, older())?;
    let wrapping = Wrapping::numbered(member::required(materials, WRAPPING_V3)?)
        .ok_or(Error::Member(WRAPPING_V3, "an unknown wrapping algorithm"))?;
    let (own, other) = if wrapping.is_kms() { (CONTEXT_V3, DESCRIPTION_V3) } else { (DESCRIPTION_V3, CONTEXT_V3) };
    member::none_of(materials, [other])?;
    header.wrapping = Some(wrapping);
    header.description = member::map(materials, own, of_object)?;
    Ok(Envelope { header, wrapped: Some(member::bytes(materials, KEY_V3)?), start, plaintext_length: None })
}

/// `metadata` are those of the object again, or the instruction file.
fn v1_v2(object: &Metadata, metadata: &Metadata, version: Version, of_object: bool) -> Result<Envelope> {
    member::none_of(metadata, ONLY_V3)?;
    let (wrapped, wrapping, content) = if version == Version::V1 {
        member::none_of(metadata, ONLY_V2)?;
        member::required(metadata, DESCRIPTION)?;
        let wrapped = member::bytes(metadata, KEY_V1)?;
        let wrapping = if wrapped.len() > LONGEST_AES_V1 { Wrapping::Rsa } else { Wrapping::Aes };
        (wrapped, wrapping, ContentAlgorithm::AesCbc)
    } else {
        let wrapping = Wrapping::named(member::required(metadata, WRAPPING)?)
            .ok_or(Error::Member(WRAPPING, "an unknown wrapping algorithm"))?;
        (member::bytes(metadata, KEY_V2)?, wrapping, content_v2(metadata)?)
    };
    let start = match content {
        ContentAlgorithm::AesCbc => Start::Cbc { iv: member::array(metadata, IV)? },
        _ => Start::Gcm { iv: member::array(metadata, IV)? },
    };
    if of_object && content == ContentAlgorithm::AesCbc && !wrapping.wraps_cbc() {
        return Err(Error::Member(CONTENT, "AES-CBC under a key that is wrapped for AES-GCM"));
    }
    // It stays with the object, where Java's client puts the rest into an instruction file.
    let told = member::value(object, PLAINTEXT_LENGTH).or(member::value(metadata, PLAINTEXT_LENGTH));
    let plaintext_length =
        told.map(|told| told.parse().map_err(|_| Error::Member(PLAINTEXT_LENGTH, "not a number"))).transpose()?;
    let description = member::map(metadata, DESCRIPTION, of_object)?;
    let header =
        ObjectHeader { version, content, wrapping: Some(wrapping), description, in_instruction_file: !of_object };
    Ok(Envelope { header, wrapped: Some(wrapped), start, plaintext_length })
}

fn content_v2(metadata: &Metadata) -> Result<ContentAlgorithm> {
    let name = member::required(metadata, CONTENT)?;
    let content = [ContentAlgorithm::AesGcm, ContentAlgorithm::AesCbc]
        .into_iter()
        .find(|content| content.name() == name)
        .ok_or(Error::Member(CONTENT, "an unknown content algorithm"))?;
    match (content, member::value(metadata, TAG_LENGTH)) {
        (ContentAlgorithm::AesGcm, Some("128")) => Ok(content),
        (ContentAlgorithm::AesGcm, Some(_)) => Err(Error::Member(TAG_LENGTH, "a tag has 128 bits")),
        (ContentAlgorithm::AesGcm, None) => Err(Error::MissingMember(TAG_LENGTH)),
        // Java's client writes a zero where it wraps such a key anew.
        (_, None | Some("0")) => Ok(content),
        (_, Some(_)) => Err(Error::ForeignMember(TAG_LENGTH)),
    }
}
