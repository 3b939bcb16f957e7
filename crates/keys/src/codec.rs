//! Fields of stored records as bytes: big-endian numbers, and strings behind a 32-bit length.

use crate::wire::Timestamp;

/// Appends fields to a record.
#[derive(Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn new(version: u8) -> Self {
        Self(vec![version])
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn number(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn time(&mut self, value: Timestamp) {
        self.0.extend_from_slice(&value.as_millis().to_be_bytes());
    }

    pub(crate) fn array<const N: usize>(&mut self, value: &[u8; N]) {
        self.0.extend_from_slice(value);
    }

    /// A count or length. Everything stored here is bounded far below 4 GiB.
    pub(crate) fn count(&mut self, value: usize) {
        self.number(u32::try_from(value).expect("a stored record is bounded far below 4 GiB"));
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.count(value.len());
        self.0.extend_from_slice(value.as_bytes());
    }

    /// A value that may be absent, behind a byte that says so.
    pub(crate) fn option<T>(&mut self, value: Option<T>, encode: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            encode(self, value);
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes fields off a record. `None` at any point means that the record is not of this form.
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Starts on a record of this version.
    pub(crate) fn new(version: u8, bytes: &'a [u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        (first == version).then_some(Self(rest))
    }

    /// Starts on a record of one of these versions, and says which.
    pub(crate) fn of_versions(versions: &[u8], bytes: &'a [u8]) -> Option<(u8, Self)> {
        let (&first, rest) = bytes.split_first()?;
        versions.contains(&first).then_some((first, Self(rest)))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A value that may be absent, behind a byte that says so. The outer `None` means as ever that the record is broken.
    pub(crate) fn option<T>(&mut self, decode: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        Some(if self.flag()? { Some(decode(self)?) } else { None })
    }

    pub(crate) fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn time(&mut self) -> Option<Timestamp> {
        self.array().map(u64::from_be_bytes).map(Timestamp::from_millis)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        let len = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    /// A counted list. Each entry takes bytes, so a forged count ends with the record, not with the memory.
    pub(crate) fn list<T>(&mut self, mut entry: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| entry(self)).collect()
    }

    /// All that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The end: nothing may follow.
    pub(crate) fn finish(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The value of a row that says all with its key.
pub(crate) fn decode_empty(bytes: &[u8]) -> Option<()> {
    bytes.is_empty().then_some(())
}
