//! Plaintext that waits for its verification.

use zeroize::{Zeroize, Zeroizing};

/// Secret bytes that grow, and leave no copy behind where they lay.
#[derive(Default)]
pub(crate) struct Held(Zeroizing<Vec<u8>>);

impl Held {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn clear(&mut self) {
        self.0.zeroize();
    }
}
