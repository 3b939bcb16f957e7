//! The name of a blob.

use std::fmt;

use data_encoding::HEXLOWER;

/// 16 random bytes. As text: 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId([u8; 16]);

impl BlobId {
    /// The number of bytes in an id.
    pub const LEN: usize = 16;

    /// A new id that no other blob has: 128 bits from the system's random generator.
    ///
    /// # Panics
    /// If the system has no randomness to give, which leaves nothing safe to do.
    #[must_use]
    pub fn generate() -> BlobId {
        let mut bytes = [0; BlobId::LEN];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system's random generator works");
        BlobId(bytes)
    }

    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; BlobId::LEN]) -> BlobId {
        BlobId(bytes)
    }

    /// The bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BlobId::LEN] {
        &self.0
    }

    /// Reads what [`fmt::Display`] writes, and nothing else: no upper case, no other length.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<BlobId> {
        let bytes = HEXLOWER.decode(text).ok()?;
        Some(BlobId(bytes.try_into().ok()?))
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let id = BlobId::generate();
        assert_eq!(BlobId::parse(id.to_string().as_bytes()), Some(id));
    }

    #[test]
    fn only_the_canonical_text_is_an_id() {
        for text in [
            "",
            "ab",
            "ABABABABABABABABABABABABABABABAB",
            "abababababababababababababababab0",
            "zbababababababababababababababab",
        ] {
            assert_eq!(BlobId::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn text_sorts_like_bytes() {
        let (low, high) = (BlobId::from_bytes([0x0f; 16]), BlobId::from_bytes([0xa0; 16]));
        assert!(low < high && low.to_string() < high.to_string());
    }
}
