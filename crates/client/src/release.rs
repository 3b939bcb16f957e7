//! Where plaintext goes before it is known to be right.

use std::io::{self, Write};
use zeroize::Zeroize;

/// Where plaintext goes that must not be believed before all of it is verified: a temporary file, say, which gets its name at the end.
///
/// Exactly one of [`Destination::keep`] and [`Destination::discard`] is called, last.
///
/// A `Vec<u8>` is one: discarded, it is wiped and empty.
pub trait Destination: Write {
    /// Everything was verified.
    ///
    /// # Errors
    /// What keeps it from being kept; then the message was not decrypted.
    fn keep(&mut self) -> io::Result<()>;

    /// Something is wrong: nothing of what was written may be believed, or left behind.
    fn discard(&mut self);
}

impl Destination for Vec<u8> {
    fn keep(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn discard(&mut self) {
        self.zeroize();
    }
}
