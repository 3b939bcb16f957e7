//! The CRC of a whole from the CRCs of its parts, without reading the bytes again.
//!
//! A CRC is a remainder modulo a polynomial P over GF(2). Appending n bytes multiplies by x^(8n), so
//! `crc(A ‖ B) = crc(A) · x^(8·|B|) + crc(B)  mod P`; that initial and final inversion cancel out is Mark Adler's observation (zlib,
//! `crc32_combine`). A power costs 64 products at most, each of 64 steps; parts of equal size share it, so that ten thousand
//! of them cost milliseconds.

use crate::checksum::{Algorithm, ChecksumValue};

/// Combines the CRCs of consecutive parts.
pub(crate) struct Combiner {
    algorithm: Algorithm,
    field: Field,
    crc: u64,
    /// The length that was last asked for, and its power.
    power: (u64, u64),
}

/// Polynomials modulo P, bits reflected: the highest bit is the coefficient of x^0.
#[derive(Clone, Copy)]
struct Field {
    width: u32,
    polynomial: u64,
}

impl Combiner {
    /// A combiner of no parts yet; `None` for what is not a CRC.
    pub(crate) fn new(algorithm: Algorithm) -> Option<Combiner> {
        let field = match algorithm {
            Algorithm::Crc32 => Field { width: 32, polynomial: 0xedb8_8320 },
            Algorithm::Crc32c => Field { width: 32, polynomial: 0x82f6_3b78 },
            Algorithm::Crc64Nvme => Field { width: 64, polynomial: 0x9a6c_9329_ac4b_c9b5 },
            Algorithm::Sha1 | Algorithm::Sha256 => return None,
        };
        Some(Combiner { algorithm, field, crc: 0, power: (0, field.one()) })
    }

    /// Appends a part of `len` bytes.
    pub(crate) fn append(&mut self, crc: &ChecksumValue, len: u64) {
        if self.power.0 != len {
            self.power = (len, self.field.power_of_x(u128::from(len) * 8));
        }
        let crc = crc.as_bytes().iter().fold(0, |crc, byte| crc << 8 | u64::from(*byte));
        self.crc = self.field.product(self.power.1, self.crc) ^ crc;
    }

    /// The CRC of all parts.
    pub(crate) fn finish(self) -> ChecksumValue {
        let bytes = self.crc.to_be_bytes();
        let bytes = &bytes[bytes.len() - self.algorithm.size()..];
        ChecksumValue::from_bytes(self.algorithm, bytes).expect("exactly the algorithm's bytes were taken")
    }
}

impl Field {
    fn one(self) -> u64 {
        1 << (self.width - 1)
    }

    fn product(self, a: u64, mut b: u64) -> u64 {
        let mut product = 0;
        for shift in (0..self.width).rev() {
            if a >> shift & 1 == 1 {
                product ^= b;
            }
            b = if b & 1 == 1 { b >> 1 ^ self.polynomial } else { b >> 1 };
        }
        product
    }

    fn power_of_x(self, mut exponent: u128) -> u64 {
        let mut square = self.one() >> 1;
        let mut power = self.one();
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = self.product(power, square);
            }
            square = self.product(square, square);
            exponent >>= 1;
        }
        power
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;

    fn crc(algorithm: Algorithm, bytes: &[u8]) -> ChecksumValue {
        let mut hasher = algorithm.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    proptest! {
        #[test]
        fn parts_combine_to_the_whole(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..9)) {
            for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
                let mut combiner = Combiner::new(algorithm).unwrap();
                for part in &parts {
                    combiner.append(&crc(algorithm, part), part.len() as u64);
                }
                prop_assert_eq!(combiner.finish(), crc(algorithm, &parts.concat()));
            }
        }
    }

    /// Against another implementation, at lengths that no test can hash.
    #[test]
    fn lengths_of_any_size() {
        for len in [1, 5 << 20, 5 << 30, (5 << 30) - 1, 1 << 45] {
            let mut combiner = Combiner::new(Algorithm::Crc64Nvme).unwrap();
            combiner.append(&ChecksumValue::from_bytes(Algorithm::Crc64Nvme, &7_u64.to_be_bytes()).unwrap(), 1);
            combiner.append(&ChecksumValue::from_bytes(Algorithm::Crc64Nvme, &9_u64.to_be_bytes()).unwrap(), len);
            let expected = crc_fast::checksum_combine(crc_fast::CrcAlgorithm::Crc64Nvme, 7, 9, len);
            assert_eq!(combiner.finish().as_bytes(), expected.to_be_bytes());
        }
        assert!(Combiner::new(Algorithm::Sha1).is_none());
    }
}
