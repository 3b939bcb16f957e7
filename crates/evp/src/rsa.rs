//! RSA encryption (RFC 8017): PKCS#1 v1.5, and OAEP with one hash for the label and another for MGF1.
//!
//! Java's `OAEPWithSHA-256AndMGF1Padding` is such a mixture: SHA-256 for the label, SHA-1 for MGF1.
#![allow(unsafe_code, reason = "calls into AWS-LC")]

use crate::{Error, forget_failure};
use aws_lc_sys::{
    CBS, CBS_init, CBS_len, EVP_MD, EVP_PKEY, EVP_PKEY_CTX, EVP_PKEY_CTX_free, EVP_PKEY_CTX_new,
    EVP_PKEY_CTX_set_rsa_mgf1_md, EVP_PKEY_CTX_set_rsa_oaep_md, EVP_PKEY_CTX_set_rsa_padding, EVP_PKEY_RSA,
    EVP_PKEY_bits, EVP_PKEY_decrypt, EVP_PKEY_decrypt_init, EVP_PKEY_encrypt, EVP_PKEY_encrypt_init, EVP_PKEY_free,
    EVP_PKEY_id, EVP_PKEY_new, EVP_PKEY_set1_RSA, EVP_PKEY_size, EVP_parse_private_key, EVP_parse_public_key, EVP_sha1,
    EVP_sha256, EVP_sha384, EVP_sha512, RSA, RSA_PKCS1_OAEP_PADDING, RSA_PKCS1_PADDING, RSA_free,
    RSA_parse_private_key, RSA_parse_public_key,
};
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr::{NonNull, null_mut};
use zeroize::Zeroizing;

/// Bits of a modulus: shorter ones are broken or soon will be, longer ones are a way to keep a processor busy.
const BITS: std::ops::RangeInclusive<u32> = 2048..=16384;

/// A hash function of OAEP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, which is no weakness in OAEP.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// How a plaintext is padded before it is raised to a power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// PKCS#1 v1.5. Whoever can tell a refusal from a success can decrypt (Bleichenbacher): for old ciphertexts alone.
    Pkcs1,
    /// OAEP with an empty label.
    Oaep {
        /// Of the label.
        hash: Hash,
        /// Of the mask generation function.
        mgf1: Hash,
    },
}

/// A public key that encrypts.
pub struct PublicKey(Key);

impl PublicKey {
    /// From a SubjectPublicKeyInfo (RFC 5280) in DER.
    ///
    /// # Errors
    /// [`Error::RsaKey`], [`Error::RsaBits`].
    pub fn from_spki(der: &[u8]) -> Result<Self, Error> {
        Key::parse(der, EVP_parse_public_key).map(Self)
    }

    /// From an RSAPublicKey (RFC 8017, appendix A.1.1) in DER.
    ///
    /// # Errors
    /// [`Error::RsaKey`], [`Error::RsaBits`].
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, Error> {
        Key::parse_rsa(der, RSA_parse_public_key).map(Self)
    }

    /// Encrypts a few bytes.
    ///
    /// # Errors
    /// [`Error::RsaPlaintext`].
    pub fn encrypt(&self, padding: Padding, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let operation = Operation { begin: EVP_PKEY_encrypt_init, run: EVP_PKEY_encrypt };
        let sealed = self.0.run(&operation, padding, plaintext).ok_or(Error::RsaPlaintext)?;
        Ok(sealed.to_vec())
    }
}

/// A private key that decrypts.
pub struct PrivateKey(Key);

impl PrivateKey {
    /// From a PrivateKeyInfo (PKCS#8, RFC 5208) in DER.
    ///
    /// # Errors
    /// [`Error::RsaKey`], [`Error::RsaBits`].
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        Key::parse(der, EVP_parse_private_key).map(Self)
    }

    /// From an RSAPrivateKey (RFC 8017, appendix A.1.2) in DER.
    ///
    /// # Errors
    /// [`Error::RsaKey`], [`Error::RsaBits`].
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, Error> {
        Key::parse_rsa(der, RSA_parse_private_key).map(Self)
    }

    /// Decrypts what [`PublicKey::encrypt`] made.
    ///
    /// # Errors
    /// [`Error::RsaCiphertext`], and nothing about why.
    pub fn decrypt(&self, padding: Padding, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let operation = Operation { begin: EVP_PKEY_decrypt_init, run: EVP_PKEY_decrypt };
        self.0.run(&operation, padding, ciphertext).ok_or(Error::RsaCiphertext)
    }
}

type Parse<T> = unsafe extern "C" fn(*mut CBS) -> *mut T;

/// One of AWS-LC's two pairs of functions, of the same signatures.
struct Operation {
    begin: unsafe extern "C" fn(*mut EVP_PKEY_CTX) -> c_int,
    run: unsafe extern "C" fn(*mut EVP_PKEY_CTX, *mut u8, *mut usize, *const u8, usize) -> c_int,
}

struct Key(NonNull<EVP_PKEY>);

// SAFETY: the key is owned by this value alone and never changed once made; AWS-LC locks what it computes of it at first use.
unsafe impl Send for Key {}
// SAFETY: as above.
unsafe impl Sync for Key {}

impl Key {
    fn parse(der: &[u8], parse: Parse<EVP_PKEY>) -> Result<Self, Error> {
        let key = NonNull::new(whole(der, parse)).ok_or(Error::RsaKey)?;
        // From here on it is freed whatever comes.
        Self(key).checked()
    }

    fn parse_rsa(der: &[u8], parse: Parse<RSA>) -> Result<Self, Error> {
        let rsa = Rsa(NonNull::new(whole(der, parse)).ok_or(Error::RsaKey)?);
        // SAFETY: allocates, or returns null.
        let key = Self(NonNull::new(unsafe { EVP_PKEY_new() }).ok_or(Error::Library)?);
        // SAFETY: both are live; the key takes a reference of its own, so that `rsa` drops its own.
        if unsafe { EVP_PKEY_set1_RSA(key.0.as_ptr(), rsa.0.as_ptr()) } != 1 {
            return Err(Error::Library);
        }
        key.checked()
    }

    fn checked(self) -> Result<Self, Error> {
        // SAFETY: the key is live.
        if unsafe { EVP_PKEY_id(self.0.as_ptr()) } != EVP_PKEY_RSA {
            return Err(Error::RsaKey);
        }
        // SAFETY: the key is live.
        let bits = u32::try_from(unsafe { EVP_PKEY_bits(self.0.as_ptr()) }).map_err(|_| Error::RsaKey)?;
        if BITS.contains(&bits) { Ok(self) } else { Err(Error::RsaBits(bits)) }
    }

    /// Nothing, whatever it is that fails.
    fn run(&self, operation: &Operation, padding: Padding, input: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let output = self.try_run(operation, padding, input);
        if output.is_none() {
            forget_failure();
        }
        output
    }

    fn try_run(&self, operation: &Operation, padding: Padding, input: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // SAFETY: the key is live; the context takes a reference of its own.
        let context = Context(NonNull::new(unsafe { EVP_PKEY_CTX_new(self.0.as_ptr(), null_mut()) })?);
        // SAFETY: the context is live.
        one(unsafe { (operation.begin)(context.0.as_ptr()) })?;
        context.pad(padding)?;
        // SAFETY: the key is live.
        let room = usize::try_from(unsafe { EVP_PKEY_size(self.0.as_ptr()) }).ok()?;
        let mut output = Zeroizing::new(vec![0; room]);
        let mut length = room;
        // SAFETY: the output has the room that `length` says, which is the most that the key can make.
        one(unsafe {
            (operation.run)(context.0.as_ptr(), output.as_mut_ptr(), &raw mut length, input.as_ptr(), input.len())
        })?;
        output.truncate(length);
        Some(output)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: this value owns its reference, and gives it back once. AWS-LC wipes private numbers.
        unsafe { EVP_PKEY_free(self.0.as_ptr()) }
    }
}

struct Rsa(NonNull<RSA>);

impl Drop for Rsa {
    fn drop(&mut self) {
        // SAFETY: this value owns its reference, and gives it back once.
        unsafe { RSA_free(self.0.as_ptr()) }
    }
}

struct Context(NonNull<EVP_PKEY_CTX>);

impl Context {
    fn pad(&self, padding: Padding) -> Option<()> {
        let number = if padding == Padding::Pkcs1 { RSA_PKCS1_PADDING } else { RSA_PKCS1_OAEP_PADDING };
        // SAFETY: the context is live and begun.
        one(unsafe { EVP_PKEY_CTX_set_rsa_padding(self.0.as_ptr(), number) })?;
        let Padding::Oaep { hash, mgf1 } = padding else { return Some(()) };
        // SAFETY: the context is live, and its padding is OAEP.
        one(unsafe { EVP_PKEY_CTX_set_rsa_oaep_md(self.0.as_ptr(), hash.table()) })?;
        // SAFETY: as above.
        one(unsafe { EVP_PKEY_CTX_set_rsa_mgf1_md(self.0.as_ptr(), mgf1.table()) })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: this value owns it, and frees it once.
        unsafe { EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

impl Hash {
    fn table(self) -> *const EVP_MD {
        match self {
            // SAFETY: returns a static table.
            Hash::Sha1 => unsafe { EVP_sha1() },
            // SAFETY: returns a static table.
            Hash::Sha256 => unsafe { EVP_sha256() },
            // SAFETY: returns a static table.
            Hash::Sha384 => unsafe { EVP_sha384() },
            // SAFETY: returns a static table.
            Hash::Sha512 => unsafe { EVP_sha512() },
        }
    }
}

/// What the parser makes of all the bytes; null when it fails or leaves some.
fn whole<T>(der: &[u8], parse: Parse<T>) -> *mut T
where
    *mut T: Owned,
{
    let mut bytes = MaybeUninit::<CBS>::uninit();
    // SAFETY: sets the two members; the bytes outlive it.
    unsafe { CBS_init(bytes.as_mut_ptr(), der.as_ptr(), der.len()) };
    // SAFETY: initialized above.
    let mut bytes = unsafe { bytes.assume_init() };
    // SAFETY: the parser reads within the bytes, and returns an object that is the caller's, or null.
    let parsed = unsafe { parse(&raw mut bytes) };
    // SAFETY: still initialized.
    let left = unsafe { CBS_len(&raw const bytes) };
    if parsed.is_null() {
        forget_failure();
    } else if left != 0 {
        parsed.free();
        return null_mut();
    }
    parsed
}

/// What the parsers return.
trait Owned {
    fn free(self);
}

impl Owned for *mut EVP_PKEY {
    fn free(self) {
        NonNull::new(self).map(Key);
    }
}

impl Owned for *mut RSA {
    fn free(self) {
        NonNull::new(self).map(Rsa);
    }
}

fn one(result: c_int) -> Option<()> {
    (result == 1).then_some(())
}

#[cfg(test)]
#[path = "rsa_tests.rs"]
mod tests;
