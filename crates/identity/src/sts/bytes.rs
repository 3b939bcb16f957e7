//! Fields of a session token as bytes: big-endian numbers, and texts behind a 16-bit length. docs/formats/session-token.md.

/// Appends fields.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Seconds since 1970.
    pub(super) fn time(&mut self, seconds: u64) {
        self.0.extend_from_slice(&seconds.to_be_bytes());
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Everything in a token is bounded by its own size, far below 64 KiB; `None`: this is not.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        self.raw(&u16::try_from(bytes.len()).ok()?.to_be_bytes());
        self.raw(bytes);
        Some(())
    }

    pub(super) fn text(&mut self, text: &str) -> Option<()> {
        self.bytes(text.as_bytes())
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T) -> Option<()>) -> Option<()> {
        self.byte(u8::try_from(items.len()).ok()?);
        items.iter().try_for_each(|item| each(self, item))
    }
}

/// Takes fields off. `None` at any point: the bytes are not of this form.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn time(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    pub(super) fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.byte()?).map(|_| each(self)).collect()
    }
}
