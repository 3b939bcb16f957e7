//! The root keys that a process was given: the first wraps, all of them open.

use std::sync::{Arc, PoisonError, RwLock};

use seal::SecretKey;

use super::{RootKey, RootKeyError, RootKeyIdentity};

/// The root keys of a process, in the order of its settings.
pub struct RootKeys {
    list: RwLock<Vec<Arc<dyn RootKey>>>,
}

impl RootKeys {
    /// The root key that wraps.
    pub fn new(current: Arc<dyn RootKey>) -> Self {
        Self { list: RwLock::new(vec![current]) }
    }

    /// Adds one that only opens.
    #[must_use]
    pub fn and(self, other: Arc<dyn RootKey>) -> Self {
        self.write(|list| list.push(other));
        self
    }

    /// The one that wraps.
    pub(crate) fn current(&self) -> Arc<dyn RootKey> {
        self.list().swap_remove(0)
    }

    /// All of them; the first wraps.
    pub(crate) fn list(&self) -> Vec<Arc<dyn RootKey>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another one in the place of all: nothing is wrapped under the others any more, and what comes to be under one of them
    /// was not put there by this store.
    pub(crate) fn succeed(&self, next: Arc<dyn RootKey>) {
        self.write(|list| *list = vec![next]);
    }

    /// Unwraps what the root key of `expected` wrapped. Of those that may be it, the one of just this name is asked first.
    ///
    /// # Errors
    /// [`RootKeyError::NoneOpens`], [`RootKeyError::Unreachable`]: they name the provider that is needed.
    pub async fn unwrap(
        &self,
        expected: &RootKeyIdentity,
        aad: &[u8],
        wrapped: &[u8],
    ) -> Result<SecretKey, RootKeyError> {
        let list = self.list();
        let (exact, other): (Vec<_>, Vec<_>) =
            list.iter().filter(|key| key.identity().may_be(expected)).partition(|key| key.identity() == *expected);
        let mut failure = None;
        for key in exact.into_iter().chain(other) {
            match key.unwrap(aad, wrapped).await {
                Err(RootKeyError::WrongKey) => {}
                Err(error) => failure = failure.or(Some(error)),
                opened => return opened,
            }
        }
        let expected = expected.clone();
        Err(match failure {
            Some(error) => RootKeyError::Unreachable { expected, reason: error.to_string() },
            None => {
                let configured: Vec<String> = list.iter().map(|key| key.identity().to_string()).collect();
                RootKeyError::NoneOpens { expected, configured: configured.join(", ") }
            }
        })
    }

    fn write(&self, change: impl FnOnce(&mut Vec<Arc<dyn RootKey>>)) {
        // Each change is one operation on the list: a panic leaves it whole.
        change(&mut self.list.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<R: RootKey> From<Arc<R>> for RootKeys {
    fn from(key: Arc<R>) -> Self {
        Self::new(key)
    }
}

impl From<Arc<dyn RootKey>> for RootKeys {
    fn from(key: Arc<dyn RootKey>) -> Self {
        Self::new(key)
    }
}
