//! Tags, and other pairs, as fields of a bucket's, object's or upload's record.

use super::codec::{Decoder, Encoder, Malformed, text, unknown};
use crate::tags::Tags;

impl Tags {
    pub(super) fn encode(&self) -> Vec<u8> {
        encode_pairs(self.iter())
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Tags, Malformed> {
        decode_pairs(bytes).map(Tags::stored)
    }
}

pub(super) fn encode_pairs<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> Vec<u8> {
    let mut encoder = Encoder::nested();
    for (name, value) in pairs {
        encoder.field(NAME, name.as_bytes()).field(VALUE, value.as_bytes());
    }
    encoder.finish()
}

pub(super) fn decode_pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
    let mut decoder = Decoder::nested(bytes);
    let (mut pairs, mut name) = (Vec::new(), None);
    while let Some((tag, value)) = decoder.next()? {
        match tag {
            NAME => name = Some(text(value)?),
            VALUE => {
                let name = name.take().ok_or(Malformed("a value without a name"))?;
                pairs.push((name, text(value)?));
            }
            other => unknown(other)?,
        }
    }
    Ok(pairs)
}

const NAME: u8 = 1;
const VALUE: u8 = 2;
