//! What many attempts failed with, in bounded space.

use crate::error::Error;
use crate::kms::KmsError;
use std::mem::{Discriminant, discriminant};
use std::ops::Deref;

/// The most failures of a message's wrapped keys that are kept. Who reads them needs one of each kind, not one for each of the thousands of
/// wrapped keys that somebody can put into a header.
const KEPT: usize = 8;

/// What the attempts to open a data key failed with: a slice of errors, of which there are a few of every kind, and how many there were.
#[derive(Debug, Default)]
pub struct Failures {
    kept: Vec<Error>,
    count: usize,
}

impl Failures {
    /// How many attempts failed, which may be more than are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Keeps one more, unless enough are kept already; then only one of a new kind, in place of one that is not the first of its kind.
    pub(crate) fn push(&mut self, failure: Error) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(failure);
        } else if self.kept.iter().all(|kept| kind(kept) != kind(&failure))
            && let Some(place) = self.repeated()
        {
            self.kept.remove(place);
            self.kept.push(failure);
        }
    }

    /// Those of another keyring.
    pub(crate) fn append(&mut self, other: Failures) {
        let count = self.count + other.count;
        other.kept.into_iter().for_each(|failure| self.push(failure));
        self.count = count;
    }

    /// The last one that is of the kind of one before it.
    fn repeated(&self) -> Option<usize> {
        (1..self.kept.len()).rev().find(|&n| self.kept[..n].iter().any(|before| kind(before) == kind(&self.kept[n])))
    }

    pub(crate) fn listed(&self) -> String {
        let mut listed: String = self.kept.iter().map(|failure| format!("; {failure}")).collect();
        match self.count - self.kept.len() {
            0 => {}
            more => listed.push_str(&format!("; and {more} more")),
        }
        listed
    }
}

/// Failures of one kind say the same to whoever reads them.
fn kind(error: &Error) -> (Discriminant<Error>, Option<&str>) {
    let code = match error {
        Error::Kms(KmsError { code, .. }) => Some(code.as_str()),
        _ => None,
    };
    (discriminant(error), code)
}

impl From<Vec<Error>> for Failures {
    /// Keeps all of them: for a number that the caller's own keyrings determine.
    fn from(kept: Vec<Error>) -> Self {
        Self { count: kept.len(), kept }
    }
}

impl Deref for Failures {
    type Target = [Error];

    fn deref(&self) -> &[Error] {
        &self.kept
    }
}

impl IntoIterator for Failures {
    type Item = Error;
    type IntoIter = std::vec::IntoIter<Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.into_iter()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn one_of_each_kind_is_kept_of_any_number() {
        let mut failures = Failures::default();
        (0..1000).for_each(|_| failures.push(Error::Unwrap));
        let throttled = || Error::Kms(KmsError::new("ThrottlingException", "slow down"));
        (0..10).for_each(|_| failures.push(throttled()));
        failures.push(Error::Kms(KmsError::new("AccessDeniedException", "no")));
        assert_eq!((failures.len(), failures.count()), (KEPT, 1011));
        let kinds = |code: &str| failures.iter().filter(|failure| kind(failure).1 == Some(code)).count();
        assert_eq!((kinds("ThrottlingException"), kinds("AccessDeniedException")), (1, 1));
        assert!(failures.listed().ends_with("; and 1003 more"), "{}", failures.listed());
        let mut all = Failures::from(vec![throttled()]);
        all.append(failures);
        assert_eq!((all.len(), all.count()), (KEPT, 1012));
        assert!(all.iter().any(|failure| matches!(failure, Error::Unwrap)));
        assert_eq!(Failures::from(vec![Error::Unwrap]).listed(), format!("; {}", Error::Unwrap));
    }
}
