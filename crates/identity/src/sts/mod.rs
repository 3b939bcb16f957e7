//! STS: sessions, and who may have one.
//!
//! ```text
//! session  = access key id ‖ secret access key ‖ token;   token = sealed(session): nothing is stored      docs/formats/session-token.md
//! resolve  = open(token), then the role or user that it lives of, as it is now: its policies, its tags
//! ```
//!
//! A session ends with its time, with its role or user (a new one of the same name has another unique id), and by a policy that denies
//! what was issued before a moment (`aws:TokenIssueTime`). Its permissions are those of its role or user when they are asked for.
//!
//! Sources: STS API Reference; IAM User Guide, "Temporary security credentials in IAM".

mod access_key_id;
mod assume;
mod barred;
mod bytes;
mod denial;
mod input;
mod mfa;
mod own;
mod packed;
mod request;
mod session;
mod tell;
#[cfg(test)]
mod tests;
mod token;
mod web;

pub use barred::{Barred, barred};
pub use denial::{Denial, MAX_MESSAGE, encode_denial};
pub use packed::MAX_PACKED;
pub use request::*;
pub use token::MAX_TOKEN;

/// What is read of a session token once it has opened: bytes of a later version, say.
#[cfg(fuzzing)]
pub fn fuzz_session(bytes: &[u8]) {
    if let Some(session) = token::Session::decode(bytes) {
        let again = session.encode().and_then(|bytes| token::Session::decode(&bytes));
        assert!(again.is_none_or(|again| again == session), "a session comes back");
    }
}
