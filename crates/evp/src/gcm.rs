//! AES-GCM (SP 800-38D) over data that arrives in pieces, with an IV of 12 bytes and a tag of 16.
#![allow(unsafe_code, reason = "calls into AWS-LC")]

use crate::{Error, forget_failure};
use aws_lc_sys::{
    EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new, EVP_CTRL_AEAD_GET_TAG,
    EVP_CTRL_AEAD_SET_TAG, EVP_CipherFinal_ex, EVP_CipherInit_ex, EVP_CipherUpdate, EVP_aes_128_gcm, EVP_aes_192_gcm,
    EVP_aes_256_gcm,
};
use std::ffi::c_int;
use std::ptr::{NonNull, null_mut};

/// Bytes that may be sealed under one key and IV: 2^36 - 32 (SP 800-38D, section 5.2.1.1).
pub const MESSAGE_LIMIT: u64 = (1 << 36) - 32;

/// Length of the tag in bytes.
pub const TAG: usize = 16;

const TAG_LENGTH: c_int = 16;

/// AWS-LC counts in `int`: a longer slice goes to it in pieces of this many bytes (a multiple of AES's block).
const PIECE: usize = 1 << 30;

/// An encryption in progress.
pub struct Sealing(Stream);

impl Sealing {
    /// Begins a message under a key of 16, 24 or 32 bytes. **The same key and IV must never seal two messages.**
    ///
    /// # Errors
    /// [`Error::KeyLength`].
    pub fn new(key: &[u8], iv: &[u8; 12], aad: &[u8]) -> Result<Self, Error> {
        Stream::new(key, iv, aad, 1).map(Self)
    }

    /// Encrypts the next bytes where they lie.
    ///
    /// # Errors
    /// [`Error::MessageLength`], before anything is changed.
    pub fn update(&mut self, data: &mut [u8]) -> Result<(), Error> {
        self.0.update(data)
    }

    /// Encrypts the next bytes into another slice of the same length.
    ///
    /// # Errors
    /// [`Error::OutputLength`], [`Error::MessageLength`].
    pub fn update_into(&mut self, plaintext: &[u8], ciphertext: &mut [u8]) -> Result<(), Error> {
        self.0.update_into(plaintext, ciphertext)
    }

    /// The tag of everything.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn finish(self) -> Result<[u8; TAG], Error> {
        let mut tag = [0; TAG];
        self.0.end()?;
        self.0.control(EVP_CTRL_AEAD_GET_TAG, &mut tag)?;
        Ok(tag)
    }
}

/// A decryption in progress. **What it has decrypted is unverified until [`Opening::finish`] says so.**
pub struct Opening(Stream);

impl Opening {
    /// Begins to open what [`Sealing::new`] began with the same key, IV and associated data.
    ///
    /// # Errors
    /// [`Error::KeyLength`].
    pub fn new(key: &[u8], iv: &[u8; 12], aad: &[u8]) -> Result<Self, Error> {
        Stream::new(key, iv, aad, 0).map(Self)
    }

    /// Decrypts the next bytes where they lie.
    ///
    /// # Errors
    /// [`Error::MessageLength`], before anything is changed.
    pub fn update(&mut self, data: &mut [u8]) -> Result<(), Error> {
        self.0.update(data)
    }

    /// Decrypts the next bytes into another slice of the same length.
    ///
    /// # Errors
    /// [`Error::OutputLength`], [`Error::MessageLength`].
    pub fn update_into(&mut self, ciphertext: &[u8], plaintext: &mut [u8]) -> Result<(), Error> {
        self.0.update_into(ciphertext, plaintext)
    }

    /// Verifies everything that was decrypted.
    ///
    /// # Errors
    /// [`Error::Tag`]: all of it is to be thrown away.
    pub fn finish(self, tag: &[u8; TAG]) -> Result<(), Error> {
        self.0.control(EVP_CTRL_AEAD_SET_TAG, &mut { *tag })?;
        self.0.end().map_err(|_| Error::Tag)
    }
}

/// AWS-LC's context of one message; it is wiped when freed.
struct Stream {
    context: NonNull<EVP_CIPHER_CTX>,
    /// Bytes that this message may still have.
    left: u64,
}

// SAFETY: the context is owned by this value alone, AWS-LC keeps no thread's state in it, and nothing is done through `&Stream`
// that writes but `control` and `end`, which only consuming methods call.
unsafe impl Send for Stream {}
// SAFETY: as above; no public method takes `&self`.
unsafe impl Sync for Stream {}

impl Stream {
    fn new(key: &[u8], iv: &[u8; 12], aad: &[u8], encrypt: c_int) -> Result<Self, Error> {
        let cipher = match key.len() {
            // SAFETY: returns a static table.
            16 => unsafe { EVP_aes_128_gcm() },
            // SAFETY: returns a static table.
            24 => unsafe { EVP_aes_192_gcm() },
            // SAFETY: returns a static table.
            32 => unsafe { EVP_aes_256_gcm() },
            _ => return Err(Error::KeyLength),
        };
        // SAFETY: allocates, or returns null.
        let context = NonNull::new(unsafe { EVP_CIPHER_CTX_new() }).ok_or(Error::Library)?;
        let stream = Self { context, left: MESSAGE_LIMIT };
        // SAFETY: the context is live; the cipher takes as many bytes as the key has (matched above) and an IV of 12 (its default),
        // and both are copied.
        let begun =
            unsafe { EVP_CipherInit_ex(context.as_ptr(), cipher, null_mut(), key.as_ptr(), iv.as_ptr(), encrypt) };
        succeeded(begun)?;
        for piece in aad.chunks(PIECE) {
            // SAFETY: without an output the input is associated data; it is read alone, for its own length.
            unsafe { stream.call(null_mut(), piece.as_ptr(), piece.len()) }?;
        }
        Ok(stream)
    }

    fn update(&mut self, data: &mut [u8]) -> Result<(), Error> {
        self.count(data.len())?;
        for piece in data.chunks_mut(PIECE) {
            let at = piece.as_mut_ptr();
            // SAFETY: GCM writes as many bytes as it reads, and takes input and output at the same place.
            unsafe { self.call(at, at, piece.len()) }?;
        }
        Ok(())
    }

    fn update_into(&mut self, input: &[u8], output: &mut [u8]) -> Result<(), Error> {
        if input.len() != output.len() {
            return Err(Error::OutputLength);
        }
        self.count(input.len())?;
        for (from, to) in input.chunks(PIECE).zip(output.chunks_mut(PIECE)) {
            // SAFETY: GCM writes as many bytes as it reads; the slices have the same length, and do not overlap, being borrowed apart.
            unsafe { self.call(to.as_mut_ptr(), from.as_ptr(), from.len()) }?;
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        let bytes = u64::try_from(bytes).map_err(|_| Error::MessageLength)?;
        self.left = self.left.checked_sub(bytes).ok_or(Error::MessageLength)?;
        Ok(())
    }

    /// # Safety
    /// `input` is readable for `length` bytes; `output` is null, or writable for as many and either equal to `input` or apart from it.
    unsafe fn call(&self, output: *mut u8, input: *const u8, length: usize) -> Result<(), Error> {
        let length = c_int::try_from(length).map_err(|_| Error::MessageLength)?;
        let mut written: c_int = 0;
        // SAFETY: the context is live and initialized; the rest is the caller's promise.
        succeeded(unsafe { EVP_CipherUpdate(self.context.as_ptr(), output, &raw mut written, input, length) })
    }

    fn control(&self, command: c_int, tag: &mut [u8; TAG]) -> Result<(), Error> {
        // SAFETY: both commands that are passed read or write a tag of the length that is named, which the array has.
        succeeded(unsafe { EVP_CIPHER_CTX_ctrl(self.context.as_ptr(), command, TAG_LENGTH, tag.as_mut_ptr().cast()) })
    }

    fn end(&self) -> Result<(), Error> {
        let (mut none, mut written) = ([0; 16], 0);
        // SAFETY: GCM writes nothing at the end; the output has a block's room all the same.
        succeeded(unsafe { EVP_CipherFinal_ex(self.context.as_ptr(), none.as_mut_ptr(), &raw mut written) })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the context came from `EVP_CIPHER_CTX_new` and is freed once; this wipes it first.
        unsafe { EVP_CIPHER_CTX_free(self.context.as_ptr()) }
    }
}

fn succeeded(result: c_int) -> Result<(), Error> {
    if result == 1 {
        return Ok(());
    }
    forget_failure();
    Err(Error::Library)
}

#[cfg(test)]
#[path = "gcm_tests.rs"]
mod tests;
