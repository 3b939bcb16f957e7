//! Bytes that were encrypted, or will be.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Plaintext: wiped when dropped, never printed.
///
/// It is wiped at the speed of memory, where `zeroize` takes bytes one by one: of a message in memory that would be half the time.
///
/// ```
/// use client::Plaintext;
///
/// let plaintext = Plaintext::from(b"attack at dawn".to_vec());
/// assert!(plaintext.starts_with(b"attack"));
/// assert_eq!(format!("{plaintext:?}"), "Plaintext(14 bytes)");
/// assert_eq!(plaintext.into_vec(), b"attack at dawn"); // from here on it is the caller's to wipe
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Plaintext(Vec<u8>);

impl Plaintext {
    /// Room for so many bytes.
    pub(crate) fn zeroed(bytes: usize) -> Self {
        Self(zeroed(bytes))
    }

    /// The bytes, which nobody wipes any more.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// Cuts off what lies behind so many bytes.
    pub(crate) fn truncate(&mut self, bytes: usize) {
        self.0.truncate(bytes);
    }

    /// Without what lies before and behind a range.
    pub(crate) fn trimmed(mut self, start: usize, end: usize) -> Self {
        self.truncate(end);
        self.0.drain(..start);
        self
    }
}

impl From<Vec<u8>> for Plaintext {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Plaintext {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Plaintext {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl fmt::Debug for Plaintext {
    /// Without the bytes: logs are read by others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes)", self.len())
    }
}

impl Drop for Plaintext {
    fn drop(&mut self) {
        // What was cut off is wiped, too.
        self.0.clear();
        self.0.resize(self.0.capacity(), 0);
        zeroize::optimization_barrier(&self.0[..]);
    }
}

/// New memory for what will be written whole.
pub(crate) fn zeroed(bytes: usize) -> Vec<u8> {
    let mut room = vec![0; bytes];
    evp::large_pages(&mut room);
    room
}
