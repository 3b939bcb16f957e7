//! The members of metadata, one by one
//! ([specification](https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/content-metadata.md)).

use super::metadata::Metadata;
use super::{json, text};
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use data_encoding::BASE64;

/// Version 1: the wrapped data key.
pub(super) const KEY_V1: &str = "x-amz-key";
/// Version 2: the wrapped data key.
pub(super) const KEY_V2: &str = "x-amz-key-v2";
/// Version 3: the wrapped data key.
pub(super) const KEY_V3: &str = "x-amz-3";
/// Versions 1 and 2: the IV.
pub(super) const IV: &str = "x-amz-iv";
/// Versions 1 and 2: the material description, or for a key management service the context.
pub(super) const DESCRIPTION: &str = "x-amz-matdesc";
/// Version 2: how the data key is wrapped.
pub(super) const WRAPPING: &str = "x-amz-wrap-alg";
/// Version 2: how the content is encrypted.
pub(super) const CONTENT: &str = "x-amz-cek-alg";
/// Version 2: length of the tag in bits.
pub(super) const TAG_LENGTH: &str = "x-amz-tag-len";
/// Version 3: how the content is encrypted.
pub(super) const CONTENT_V3: &str = "x-amz-c";
/// Version 3: how the data key is wrapped.
pub(super) const WRAPPING_V3: &str = "x-amz-w";
/// Version 3: the commitment to the data key.
pub(super) const COMMITMENT_V3: &str = "x-amz-d";
/// Version 3: the message id.
pub(super) const MESSAGE_ID_V3: &str = "x-amz-i";
/// Version 3: the material description of a key of one's own.
pub(super) const DESCRIPTION_V3: &str = "x-amz-m";
/// Version 3: the encryption context of a key management service.
pub(super) const CONTEXT_V3: &str = "x-amz-t";
/// Versions 1 and 2: how long the plaintext is, where a client told.
pub(super) const PLAINTEXT_LENGTH: &str = "x-amz-unencrypted-content-length";

/// The members that one version alone has, but for its wrapped key.
pub(super) const ONLY_V2: [&str; 3] = [WRAPPING, CONTENT, TAG_LENGTH];
pub(super) const ONLY_V3: [&str; 6] =
    [CONTENT_V3, WRAPPING_V3, COMMITMENT_V3, MESSAGE_ID_V3, DESCRIPTION_V3, CONTEXT_V3];

/// All names.
pub(super) const NAMES: [&str; 15] = [
    KEY_V1,
    KEY_V2,
    KEY_V3,
    IV,
    DESCRIPTION,
    WRAPPING,
    CONTENT,
    TAG_LENGTH,
    CONTENT_V3,
    WRAPPING_V3,
    COMMITMENT_V3,
    MESSAGE_ID_V3,
    DESCRIPTION_V3,
    CONTEXT_V3,
    PLAINTEXT_LENGTH,
];

/// What there is, unless it is empty: Go's client writes members of other versions and of other keys so.
pub(super) fn value<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a str> {
    metadata.get(name).filter(|value| !value.is_empty())
}

/// # Errors
/// [`Error::MissingMember`].
pub(super) fn required<'a>(metadata: &'a Metadata, name: &'static str) -> Result<&'a str> {
    value(metadata, name).ok_or(Error::MissingMember(name))
}

/// # Errors
/// [`Error::ForeignMember`] for the first of these that there is.
pub(super) fn none_of(metadata: &Metadata, names: impl IntoIterator<Item = &'static str>) -> Result<()> {
    match names.into_iter().find(|name| value(metadata, name).is_some()) {
        Some(name) => Err(Error::ForeignMember(name)),
        None => Ok(()),
    }
}

/// # Errors
/// [`Error::MissingMember`], [`Error::Member`].
pub(super) fn bytes(metadata: &Metadata, name: &'static str) -> Result<Vec<u8>> {
    BASE64.decode(required(metadata, name)?.as_bytes()).map_err(|_| Error::Member(name, "not Base64"))
}

/// # Errors
/// As [`bytes`].
pub(super) fn array<const L: usize>(metadata: &Metadata, name: &'static str) -> Result<[u8; L]> {
    bytes(metadata, name)?.try_into().map_err(|_| Error::Member(name, "not of its length"))
}

/// A description or context; an absent one is empty. Metadata of an object may come back in other words than they were sent in.
///
/// # Errors
/// [`Error::Member`].
pub(super) fn map(metadata: &Metadata, name: &'static str, of_object: bool) -> Result<EncryptionContext> {
    let Some(value) = value(metadata, name) else { return Ok(EncryptionContext::new()) };
    let pairs = if of_object { json::read(text::decode(value).as_bytes()) } else { json::read(value.as_bytes()) };
    Ok(pairs.map_err(|why| Error::Member(name, why))?.into())
}
