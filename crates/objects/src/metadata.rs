//! System and user metadata that a client stores with an object and gets back as it sent it.

use crate::error::Error;
use std::collections::BTreeMap;

/// Metadata of one object. Values are header values as sent; nothing here is interpreted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `Content-Type`; answers say `binary/octet-stream` when there is none.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`, without `aws-chunked`, which belongs to the transfer alone.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Expires`, verbatim.
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect: Option<String>,
    /// `x-amz-meta-*`, names in lower case without the prefix.
    pub user: BTreeMap<String, String>,
}

impl Metadata {
    /// Checks [`USER_METADATA_LIMIT`].
    pub(crate) fn check(&self) -> Result<(), Error> {
        let size = self.user.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > USER_METADATA_LIMIT { Err(Error::MetadataTooLarge { size }) } else { Ok(()) }
    }
}

/// Bytes of all names and values of user metadata together
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>).
pub const USER_METADATA_LIMIT: usize = 2_048;
