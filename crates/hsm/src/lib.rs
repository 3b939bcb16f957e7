//! A PKCS#11 token as a keeper of keys: they are made in it, are used in it, and never leave it.
//!
//! The one thing that is asked of a key is HMAC-SHA256, [`Token::prf`]. It is enough for everything: the key of each envelope
//! is one HMAC under its master ([`seal::envelope`](../seal/envelope/index.html)), so a KMS key of a custom key store and a
//! root key in an HSM give the same bytes as their fellows in software, and the master stays where it was made.
//!
//! What the crate takes care of, so that its callers need not:
//! - **Nothing hangs.** Every call into a module runs on a thread of its own pool, with a time limit. A call that overruns it
//!   answers [`Error::TimedOut`]; its thread is counted until the module gives it back, and their number is bounded.
//! - **A token that comes back is found again.** Sessions, logins and handles are made anew when the token, the connection or
//!   the module's state was lost; a module that only notices after `C_Finalize` is started again.
//! - **A wrong PIN is tried once.** Each trial brings a token nearer to being locked, so the refusal is remembered until
//!   somebody opens the token with a PIN again.
//!
//! ```no_run
//! # async fn example() -> Result<(), hsm::Error> {
//! let module = hsm::Module::load("/usr/lib/softhsm/libsofthsm2.so".as_ref()).await?;
//! let pin = String::from("1234").into();
//! let token = hsm::Token::open(&module, hsm::Selector::Label("strongroom".into()), pin).await?;
//! token.create_prf_key([7; 16], "example").await?;
//! let output = token.prf([7; 16], b"input").await?;
//! assert_eq!(output.len(), 32);
//! # Ok(()) }
//! ```

mod calls;
mod error;
mod link;
mod module;
mod token;
mod workers;

pub use error::Error;
pub use module::{Module, Selector};
pub use token::{KeyId, KeyInfo, Limits, PRF_LEN, RANDOM_MAX, Token};
