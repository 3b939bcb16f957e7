use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::{Secret, TERMINATOR};

/// A derived signing key. `aws-lc-rs` wipes it when dropped.
pub(crate) struct SigningKey(hmac::Key);

impl SigningKey {
    /// `HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request")`.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, "Calculate the signature".
    pub(crate) fn derive(secret: &Secret, date: &str, region: &str, service: &str) -> SigningKey {
        let mut first = Zeroizing::new(Vec::with_capacity(4 + secret.expose().len()));
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret.expose());
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, &first);
        for step in [date, region, service, TERMINATOR] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, step.as_bytes()).as_ref());
        }
        SigningKey(key)
    }

    /// The HMAC-SHA256 of `text`.
    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(&self.0, text).as_ref());
        out
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The most access keys whose signing keys are kept: some 600 bytes each.
const MAX_ACCESS_KEYS: usize = 4096;

/// The most signing keys kept for one access key: two days, and a handful of services and regions.
const MAX_SCOPES: usize = 16;

/// Derived signing keys by access key id, date, region and service, so that a request costs one HMAC and not five.
///
/// Bounded. A changed secret is noticed at once: the secret is compared (in constant time) whenever a key is found.
#[derive(Debug, Default)]
pub struct SigningKeys(RwLock<HashMap<Box<str>, Vec<Entry>>>);

#[derive(Debug)]
struct Entry {
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
    secret: Secret,
    key: Arc<SigningKey>,
}

impl Entry {
    fn scoped_to(&self, date: &str, region: &str, service: &str) -> bool {
        *self.date == *date && *self.region == *region && *self.service == *service
    }
}

impl SigningKeys {
    /// An empty cache.
    #[must_use]
    pub fn new() -> SigningKeys {
        SigningKeys::default()
    }

    /// Drops whatever was derived for `access_key_id`: for when it is deleted, so that its secret does not linger in memory.
    pub fn forget(&self, access_key_id: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(access_key_id);
    }

    pub(crate) fn find(
        &self,
        access_key_id: &str,
        secret: &Secret,
        date: &str,
        region: &str,
        service: &str,
    ) -> Arc<SigningKey> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry =
            known.get(access_key_id).and_then(|all| all.iter().find(|one| one.scoped_to(date, region, service)));
        if let Some(entry) = entry.filter(|entry| entry.secret.same(secret)) {
            return Arc::clone(&entry.key);
        }
        drop(known);
        let key = Arc::new(SigningKey::derive(secret, date, region, service));
        let entry = Entry {
            date: date.into(),
            region: region.into(),
            service: service.into(),
            secret: secret.duplicate(),
            key: Arc::clone(&key),
        };
        self.keep(access_key_id, entry);
        key
    }

    fn keep(&self, access_key_id: &str, entry: Entry) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_ACCESS_KEYS && !known.contains_key(access_key_id) {
            // Yesterday's go first; if all are today's, all go: deriving them again costs microseconds.
            known.retain(|_, all| all.iter().any(|one| one.date >= entry.date));
            if known.len() >= MAX_ACCESS_KEYS {
                known.clear();
            }
        }
        let all = known.entry(access_key_id.into()).or_default();
        // What was made from another secret, or for the same scope, is of no more use.
        all.retain(|one| one.secret.same(&entry.secret) && !one.scoped_to(&entry.date, &entry.region, &entry.service));
        if all.len() >= MAX_SCOPES {
            all.remove(0);
        }
        all.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(keys: &SigningKeys, id: &str, secret: &[u8], date: &str) -> Arc<SigningKey> {
        keys.find(id, &Secret::new(secret), date, "us-east-1", "s3")
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-examples.html>, "Deriving the signing key".
    #[test]
    fn derivation_of_aws() {
        let secret = Secret::new(b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let key = SigningKey::derive(&secret, "20120215", "us-east-1", "iam");
        let expected = [
            0xf4, 0x78, 0x0e, 0x2d, 0x9f, 0x65, 0xfa, 0x89, 0x5f, 0x9c, 0x67, 0xb3, 0x2c, 0xe1, 0xba, 0xf0, 0xb0, 0xd8,
            0xa4, 0x35, 0x05, 0xa0, 0x00, 0xa1, 0xa9, 0xe0, 0x90, 0xd4, 0x14, 0xdb, 0x40, 0x4d,
        ];
        assert_eq!(key.sign(b"x"), SigningKey(hmac::Key::new(hmac::HMAC_SHA256, &expected)).sign(b"x"));
    }

    #[test]
    fn a_found_key_is_the_same_key() {
        let keys = SigningKeys::new();
        assert!(Arc::ptr_eq(&find(&keys, "A", b"s", "20130524"), &find(&keys, "A", b"s", "20130524")));
        assert!(!Arc::ptr_eq(&find(&keys, "A", b"s", "20130524"), &find(&keys, "B", b"s", "20130524")));
    }

    #[test]
    fn a_changed_secret_has_a_new_key() {
        let keys = SigningKeys::new();
        let old = find(&keys, "A", b"old", "20130524");
        let new = find(&keys, "A", b"new", "20130524");
        assert_ne!(old.sign(b"x"), new.sign(b"x"));
        assert_eq!(find(&keys, "A", b"old", "20130524").sign(b"x"), old.sign(b"x"));
    }

    #[test]
    fn the_cache_is_bounded() {
        let keys = SigningKeys::new();
        for at in 0..MAX_ACCESS_KEYS + 10 {
            find(&keys, &at.to_string(), b"s", "20130524");
        }
        for day in 10..31 {
            find(&keys, "A", b"s", &format!("201305{day}"));
        }
        let known = keys.0.read().unwrap_or_else(PoisonError::into_inner);
        assert!(known.len() <= MAX_ACCESS_KEYS);
        assert_eq!(known["A"].len(), MAX_SCOPES);
        drop(known);
        keys.forget("A");
        assert!(!keys.0.read().unwrap_or_else(PoisonError::into_inner).contains_key("A"));
    }
}
