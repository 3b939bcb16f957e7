//! Metadata as fields of an object's or upload's record.

use super::codec::{Decoder, Encoder, Malformed, text, unknown};
use crate::metadata::Metadata;

impl Metadata {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::nested();
        encoder
            .optional(CONTENT_TYPE, self.content_type.as_deref())
            .optional(CACHE_CONTROL, self.cache_control.as_deref())
            .optional(CONTENT_DISPOSITION, self.content_disposition.as_deref())
            .optional(CONTENT_ENCODING, self.content_encoding.as_deref())
            .optional(CONTENT_LANGUAGE, self.content_language.as_deref())
            .optional(EXPIRES, self.expires.as_deref())
            .optional(WEBSITE_REDIRECT, self.website_redirect.as_deref());
        for (name, value) in &self.user {
            encoder.field(USER_NAME, name.as_bytes()).field(USER_VALUE, value.as_bytes());
        }
        encoder.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Metadata, Malformed> {
        let mut decoder = Decoder::nested(bytes);
        let mut metadata = Metadata::default();
        let mut user_name = None;
        while let Some((tag, value)) = decoder.next()? {
            match tag {
                CONTENT_TYPE => metadata.content_type = Some(text(value)?),
                CACHE_CONTROL => metadata.cache_control = Some(text(value)?),
                CONTENT_DISPOSITION => metadata.content_disposition = Some(text(value)?),
                CONTENT_ENCODING => metadata.content_encoding = Some(text(value)?),
                CONTENT_LANGUAGE => metadata.content_language = Some(text(value)?),
                EXPIRES => metadata.expires = Some(text(value)?),
                WEBSITE_REDIRECT => metadata.website_redirect = Some(text(value)?),
                USER_NAME => user_name = Some(text(value)?),
                USER_VALUE => {
                    let name = user_name.take().ok_or(Malformed("a metadata value without a name"))?;
                    metadata.user.insert(name, text(value)?);
                }
                other => unknown(other)?,
            }
        }
        Ok(metadata)
    }
}

const CONTENT_TYPE: u8 = 1;
const CACHE_CONTROL: u8 = 2;
const CONTENT_DISPOSITION: u8 = 3;
const CONTENT_ENCODING: u8 = 4;
const CONTENT_LANGUAGE: u8 = 5;
const EXPIRES: u8 = 6;
const WEBSITE_REDIRECT: u8 = 7;
const USER_NAME: u8 = 8;
const USER_VALUE: u8 = 9;
