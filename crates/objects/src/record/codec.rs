//! Tagged fields: how every record of this crate is laid out inside its seal.
//!
//! ```text
//! record = version (1) ‖ field*          field = tag (1) ‖ length (LEB128, at most 4 bytes) ‖ value
//! ```
//!
//! A release may add fields. One that an older release must understand gets a tag below 0x80, and the older release refuses the
//! record; one that it may skip gets a tag from 0x80 on.

/// The bytes are no record that this release understands. Says what, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a record of this release: {0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Writes fields.
pub(crate) struct Encoder(Vec<u8>);

/// Reads fields in the order in which they were written.
pub(crate) struct Decoder<'a>(&'a [u8]);

impl Encoder {
    /// A record of the given version.
    pub(crate) fn new(version: u8) -> Encoder {
        let mut bytes = Vec::with_capacity(TYPICAL);
        bytes.push(version);
        Encoder(bytes)
    }

    /// Fields within a field: no version of their own.
    pub(crate) fn nested() -> Encoder {
        Encoder(Vec::with_capacity(TYPICAL))
    }

    pub(crate) fn field(&mut self, tag: u8, value: &[u8]) -> &mut Encoder {
        self.0.push(tag);
        let mut length = value.len();
        while length >= 0x80 {
            self.0.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
            length >>= 7;
        }
        self.0.push(u8::try_from(length).expect("seven bits"));
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn optional(&mut self, tag: u8, value: Option<&str>) -> &mut Encoder {
        match value {
            Some(text) => self.field(tag, text.as_bytes()),
            None => self,
        }
    }

    pub(crate) fn number(&mut self, tag: u8, value: u64) -> &mut Encoder {
        self.field(tag, &value.to_be_bytes())
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

impl<'a> Decoder<'a> {
    /// Checks the version.
    pub(crate) fn new(bytes: &'a [u8], version: u8) -> Result<Decoder<'a>, Malformed> {
        match bytes.split_first() {
            Some((&found, fields)) if found == version => Ok(Decoder(fields)),
            _ => Err(Malformed("unknown version")),
        }
    }

    /// The fields within a field.
    pub(crate) fn nested(bytes: &'a [u8]) -> Decoder<'a> {
        Decoder(bytes)
    }

    /// The next field.
    pub(crate) fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, Malformed> {
        let Some((&tag, mut rest)) = self.0.split_first() else { return Ok(None) };
        let mut length = 0;
        for shift in (0..28).step_by(7) {
            let (&byte, after) = rest.split_first().ok_or(Malformed("a field without an end"))?;
            rest = after;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let (value, after) = rest.split_at_checked(length).ok_or(Malformed("a field without an end"))?;
                self.0 = after;
                return Ok(Some((tag, value)));
            }
        }
        Err(Malformed("a field that is too long"))
    }
}

/// What to do with a tag that a decoder does not know.
pub(crate) fn unknown(tag: u8) -> Result<(), Malformed> {
    if tag & SKIPPABLE == 0 { Err(Malformed("a field that must be understood")) } else { Ok(()) }
}

pub(crate) fn array<const N: usize>(value: &[u8]) -> Result<[u8; N], Malformed> {
    value.try_into().map_err(|_| Malformed("a field of another length"))
}

pub(crate) fn number(value: &[u8]) -> Result<u64, Malformed> {
    array(value).map(u64::from_be_bytes)
}

pub(crate) fn flag(value: &[u8]) -> Result<bool, Malformed> {
    match value {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(Malformed("neither true nor false")),
    }
}

pub(crate) fn text(value: &[u8]) -> Result<String, Malformed> {
    std::str::from_utf8(value).map(str::to_owned).map_err(|_| Malformed("text that is not UTF-8"))
}

/// A record of an SSE-KMS object with a few metadata headers has about 600 bytes.
const TYPICAL: usize = 640;
const SKIPPABLE: u8 = 0x80;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fields_go_both_ways(fields in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..300)), 0..20)) {
            let mut encoder = Encoder::new(7);
            for (tag, value) in &fields {
                encoder.field(*tag, value);
            }
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes, 7).unwrap();
            for (tag, value) in &fields {
                prop_assert_eq!(decoder.next().unwrap(), Some((*tag, &value[..])));
            }
            prop_assert_eq!(decoder.next().unwrap(), None);
            prop_assert!(Decoder::new(&bytes, 8).is_err());
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::nested(&bytes);
            while let Ok(Some(_)) = decoder.next() {}
        }
    }
}
