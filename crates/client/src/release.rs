//! Where plaintext goes before it is known to be right.

use crate::error::Result;
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

/// Keeps what was written where it turned out right, and discards it otherwise.
pub(crate) fn settled<T>(place: &mut impl Destination, written: Result<T>) -> Result<T> {
    let settled = written.and_then(|told| {
        place.keep()?;
        Ok(told)
    });
    if settled.is_err() {
        place.discard();
    }
    settled
}

impl Destination for Vec<u8> {
    fn keep(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn discard(&mut self) {
        self.zeroize();
    }
}
