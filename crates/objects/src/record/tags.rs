//! Tags as fields of a bucket's, object's or upload's record.

use super::codec::{Decoder, Encoder, Malformed, text, unknown};
use crate::tags::Tags;

impl Tags {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::nested();
        for (key, value) in self.iter() {
            encoder.field(TAG_KEY, key.as_bytes()).field(TAG_VALUE, value.as_bytes());
        }
        encoder.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Tags, Malformed> {
        let mut decoder = Decoder::nested(bytes);
        let (mut pairs, mut key) = (Vec::new(), None);
        while let Some((tag, value)) = decoder.next()? {
            match tag {
                TAG_KEY => key = Some(text(value)?),
                TAG_VALUE => {
                    let key = key.take().ok_or(Malformed("a tag's value without a key"))?;
                    pairs.push((key, text(value)?));
                }
                other => unknown(other)?,
            }
        }
        Ok(Tags::stored(pairs))
    }
}

const TAG_KEY: u8 = 1;
const TAG_VALUE: u8 = 2;
