//! Root keys: from what the settings say to what wraps and opens domain keys.

mod open;
pub mod prompt;
mod source;

pub use open::{Given, KmsCredentials};
pub(crate) use open::{create, made_or_opened, open, others};
pub use source::{Kms, Passphrase, Source, Token};
