//! The few things that AWS-LC has and `aws-lc-rs` does not offer:
//!
//! - [`Sealing`] and [`Opening`]: AES-GCM (SP 800-38D) over data that arrives in pieces;
//! - [`rsa`]: PKCS#1 v1.5 and OAEP (RFC 8017), the latter with one hash for the label and another for MGF1;
//! - [`prefetch`] and [`large_pages`]: hints that bytes in memory will be read or written soon;
//! - [`wrap`] and [`unwrap`]: AES key wrap (RFC 3394) with keys of all three lengths.
//!
//! This is the only crate of the project with `unsafe` code. Everything here is safe to call, owns what it allocates, and wipes what is secret.
//!
//! ```
//! let (key, iv) = ([7; 32], [0; 12]); // never the same pair twice
//! let mut data = *b"attack at dawn";
//! let mut sealing = evp::Sealing::new(&key, &iv, b"header")?;
//! let (first, rest) = data.split_at_mut(6);
//! sealing.update(first)?;
//! sealing.update(rest)?;
//! let tag = sealing.finish()?;
//!
//! let mut opening = evp::Opening::new(&key, &iv, b"header")?;
//! opening.update(&mut data)?; // not to be believed yet
//! opening.finish(&tag)?; // from here on it is
//! assert_eq!(&data, b"attack at dawn");
//! # Ok::<(), evp::Error>(())
//! ```

mod gcm;
mod key_wrap;
mod memory;
pub mod rsa;

pub use gcm::{MESSAGE_LIMIT, Opening, Sealing, TAG};
pub use key_wrap::{unwrap, wrap};
pub use memory::{large_pages, prefetch};

/// Why an operation was refused. What concerns secret bytes says nothing about why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An AES key has 16, 24 or 32 bytes.
    #[error("an AES key has 16, 24 or 32 bytes")]
    KeyLength,
    /// More bytes under one IV than AES-GCM allows: [`MESSAGE_LIMIT`].
    #[error("more than 2^36 - 32 bytes under one IV")]
    MessageLength,
    /// Input and output differ in length.
    #[error("input and output differ in length")]
    OutputLength,
    /// The tag is not that of the key, the IV, the data and the associated data.
    #[error("the tag is wrong")]
    Tag,
    /// Not an RSA key in the form that was named.
    #[error("not an RSA key in this form")]
    RsaKey,
    /// An RSA modulus shorter or longer than what is accepted.
    #[error("an RSA key of {0} bits: accepted are 2048 to 16384")]
    RsaBits(u32),
    /// More plaintext than the padding leaves room for.
    #[error("longer than this RSA key and padding can encrypt")]
    RsaPlaintext,
    /// A ciphertext does not open under this RSA key and padding.
    #[error("the ciphertext does not open")]
    RsaCiphertext,
    /// A key to wrap has a multiple of 8 bytes, 16 at least; wrapped it has 8 more.
    #[error("a key to wrap has a multiple of 8 bytes, 16 at least")]
    WrapLength,
    /// A wrapped key does not open under this key.
    #[error("the wrapped key does not open")]
    Unwrap,
    /// AWS-LC failed where only a lack of memory lets it fail.
    #[error("the cryptographic library failed")]
    Library,
}

/// Forgets what AWS-LC noted of a failure for this thread: nobody reads it, and another's call could.
#[allow(unsafe_code, reason = "a call into AWS-LC")]
fn forget_failure() {
    // SAFETY: takes no argument and touches this thread's error queue alone.
    unsafe { aws_lc_sys::ERR_clear_error() }
}
