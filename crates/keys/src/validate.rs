//! The service model's constraints, and AWS's words for what breaks them.

use std::ops::RangeInclusive;

use crate::error::Error;
use crate::limits::{MAX_GRANT_TOKEN, MAX_GRANT_TOKENS, MAX_KEY_IDENTIFIER, MAX_MARKER, MAX_PAGE};
use crate::wire::{Blob, Plaintext};

/// Gathers every broken constraint of a request: AWS reports them together.
#[derive(Default)]
pub(crate) struct Checks {
    failures: Vec<String>,
}

impl Checks {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// All constraints hold, or one exception tells of all that do not.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let count = self.failures.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        Err(Error::Validation(format!("{count} validation error{plural} detected: {}", self.failures.join("; "))))
    }

    fn fail(&mut self, value: Option<&str>, member: &str, constraint: &str) {
        let value = match value {
            Some(value) => format!("Value '{value}'"),
            None => "Value".to_owned(),
        };
        self.failures.push(format!("{value} at '{member}' failed to satisfy constraint: {constraint}"));
    }

    /// A member that must be there.
    pub(crate) fn present<'a, T: ?Sized>(&mut self, member: &str, value: Option<&'a T>) -> Option<&'a T> {
        if value.is_none() {
            self.failures
                .push(format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"));
        }
        value
    }

    /// A string's length, in UTF-16 units as AWS counts.
    pub(crate) fn length(&mut self, member: &str, value: &str, bounds: RangeInclusive<usize>) {
        self.bounds(Some(value), member, value.encode_utf16().count(), &bounds);
    }

    fn bounds(&mut self, shown: Option<&str>, member: &str, len: usize, bounds: &RangeInclusive<usize>) {
        if len < *bounds.start() {
            self.fail(shown, member, &format!("Member must have length greater than or equal to {}", bounds.start()));
        }
        if len > *bounds.end() {
            self.fail(shown, member, &format!("Member must have length less than or equal to {}", bounds.end()));
        }
    }

    /// A key identifier that must be there. Empty if it is not; [`Checks::finish`] tells.
    pub(crate) fn key_id<'a>(&mut self, member: &str, value: Option<&'a String>) -> &'a str {
        let Some(text) = self.present(member, value) else { return "" };
        self.length(member, text, 1..=MAX_KEY_IDENTIFIER);
        text
    }

    /// A key identifier that may be there.
    pub(crate) fn optional_key_id<'a>(&mut self, member: &str, value: Option<&'a String>) -> Option<&'a str> {
        value.map(|text| self.key_id(member, Some(text)))
    }

    /// Ciphertext that must be there. Its bytes are not repeated in the message.
    pub(crate) fn blob<'a>(&mut self, member: &str, value: Option<&'a Blob>, max: usize) -> &'a [u8] {
        let Some(Blob(bytes)) = self.present(member, value) else { return &[] };
        self.bounds(None, member, bytes.len(), &(1..=max));
        bytes
    }

    /// Plaintext that must be there. Its bytes are not repeated in the message.
    pub(crate) fn plaintext<'a>(&mut self, member: &str, value: Option<&'a Plaintext>, max: usize) -> &'a [u8] {
        let Some(bytes) = self.present(member, value).map(Plaintext::expose) else { return &[] };
        self.bounds(None, member, bytes.len(), &(1..=max));
        bytes
    }

    /// A number's range.
    pub(crate) fn number(&mut self, member: &str, value: i64, bounds: &RangeInclusive<i64>) {
        if value < *bounds.start() {
            let text = format!("Member must have value greater than or equal to {}", bounds.start());
            self.fail(Some(&value.to_string()), member, &text);
        }
        if value > *bounds.end() {
            let text = format!("Member must have value less than or equal to {}", bounds.end());
            self.fail(Some(&value.to_string()), member, &text);
        }
    }

    /// One of a set of names, if it is there.
    pub(crate) fn one_of(&mut self, member: &str, value: Option<&String>, set: &[&str]) {
        if let Some(value) = value
            && !set.contains(&value.as_str())
        {
            self.fail(Some(value), member, &format!("Member must satisfy enum value set: [{}]", set.join(", ")));
        }
    }

    /// A string's pattern, as the service model writes it.
    pub(crate) fn pattern(&mut self, member: &str, value: &str, holds: bool, pattern: &str) {
        if !holds {
            self.fail(Some(value), member, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
    }

    /// `Limit` and `Marker` of a list.
    pub(crate) fn page(&mut self, limit: Option<i64>, marker: Option<&String>) {
        if let Some(limit) = limit {
            self.number("limit", limit, &(1..=MAX_PAGE));
        }
        if let Some(marker) = marker {
            self.length("marker", marker, 1..=MAX_MARKER);
        }
    }

    /// `GrantTokens`. Their text is as good as a password, so messages do not repeat it.
    pub(crate) fn grant_tokens(&mut self, tokens: Option<&Vec<String>>) {
        let Some(tokens) = tokens else { return };
        self.bounds(None, "grantTokens", tokens.len(), &(0..=MAX_GRANT_TOKENS));
        for (index, token) in tokens.iter().enumerate() {
            let member = format!("grantTokens.{}.member", index + 1);
            self.bounds(None, &member, token.encode_utf16().count(), &(1..=MAX_GRANT_TOKEN));
        }
    }
}

/// No grant exists, so no token can be one's.
pub(crate) fn refuse_grant_tokens(tokens: Option<&Vec<String>>) -> Result<(), Error> {
    match tokens {
        Some(tokens) if !tokens.is_empty() => Err(Error::InvalidGrantToken("No grant has this token.".to_owned())),
        _ => Ok(()),
    }
}

/// An answer for an enclave is encrypted to the enclave's attested key. What cannot be must not be answered in plaintext.
pub(crate) fn refuse_recipient<T>(recipient: Option<&T>) -> Result<(), Error> {
    match recipient {
        Some(_) => {
            Err(Error::UnsupportedOperation("Recipient (attestation of an enclave) is not supported.".to_owned()))
        }
        None => Ok(()),
    }
}

/// The end of every cryptographic operation with `DryRun`: all checks have passed.
pub(crate) fn stop_dry_run(dry_run: Option<bool>) -> Result<(), Error> {
    if dry_run == Some(true) {
        let text = "The request would have succeeded, but the DryRun option is set.";
        return Err(Error::DryRunOperation(text.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn messages_are_worded_as_aws_words_them() {
        let mut checks = Checks::new();
        checks.key_id("keyId", Some(&"x".repeat(2_049)));
        let message = checks.finish().unwrap_err().message().to_owned();
        assert!(message.starts_with("1 validation error detected: Value 'xxx"), "{message}");
        let end = "' at 'keyId' failed to satisfy constraint: Member must have length less than or equal to 2048";
        assert!(message.ends_with(end), "{message}");
    }

    #[test]
    fn failures_are_reported_together() {
        let mut checks = Checks::new();
        checks.key_id("keyId", None);
        checks.plaintext("plaintext", Some(&Plaintext::new(vec![0; 5_000])), 4_096);
        assert_eq!(
            checks.finish().unwrap_err().message(),
            "2 validation errors detected: \
             Value null at 'keyId' failed to satisfy constraint: Member must not be null; \
             Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096"
        );
    }
}
