//! How long a message's plaintext is, by what the message says.

use super::frame::{FRAME_HEAD, LAST_HEAD, LAST_MARK, TAG, WHOLE_HEAD};
use super::header::{Body, Sealed};
use crate::error::{Error, Result};
use crate::source::Source;

/// How long the plaintext of a message in memory is, by what its header and its frames' heads say, without a key: for who has to make
/// room beforehand. **Nothing is verified**; but it is never more than the message has bytes.
///
/// ```
/// use client::keys::AesKey;
/// use client::message::{Encryptor, RawAes, plaintext_length};
///
/// let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
/// let message = Encryptor::new(keyring).frame_length(4).encrypt(b"attack at dawn")?;
/// assert_eq!(plaintext_length(&message)?, 14);
/// assert!(plaintext_length(&message[..message.len() - 150]).is_err());
/// # Ok::<(), client::Error>(())
/// ```
///
/// # Errors
/// What is wrong with its form: [`Error::Truncated`] where the frames do not fit into it.
pub fn plaintext_length(message: &[u8]) -> Result<usize> {
    let sealed = Sealed::read(&mut Source::new(message), None)?;
    let body = message.get(sealed.all.len()..).unwrap_or_default();
    match sealed.header.body() {
        Body::Framed(length) => framed(body, usize::try_from(length).unwrap_or(usize::MAX)),
        Body::Whole => {
            let length = u64::from_be_bytes(number(body, 12, "the body")?);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            after(body, WHOLE_HEAD, length, "the body").map(|_| length)
        }
    }
}

fn framed(mut body: &[u8], length: usize) -> Result<usize> {
    let mut before = 0;
    while u32::from_be_bytes(number(body, 0, "a frame")?) != LAST_MARK {
        body = after(body, FRAME_HEAD, length, "a frame")?;
        before += length;
    }
    let last = u32::from_be_bytes(number(body, LAST_HEAD - 4, "the last frame")?);
    let last = usize::try_from(last).unwrap_or(usize::MAX);
    after(body, LAST_HEAD, last, "the last frame").map(|_| before + last)
}

/// What lies behind a head, so much ciphertext and a tag.
fn after<'a>(body: &'a [u8], head: usize, length: usize, what: &'static str) -> Result<&'a [u8]> {
    length.checked_add(head + TAG).and_then(|end| body.get(end..)).ok_or(Error::Truncated(what))
}

fn number<const N: usize>(body: &[u8], at: usize, what: &'static str) -> Result<[u8; N]> {
    body.get(at..).and_then(<[u8]>::first_chunk).copied().ok_or(Error::Truncated(what))
}
