//! The server: what an operator sets, what a first start makes, listeners, TLS, background tasks, shutdown and logs.
//!
//! Nothing of S3 or KMS is decided here. [`Config`] is read from a file, the environment and flags; [`run`] opens the store with it
//! (`open`), listens and serves until a signal comes. The commands beside `serve` use the same pieces: [`environment`] says what
//! a client needs, [`protection`] changes what all keys lie under, [`scrub`] verifies a store at rest.
//!
//! What has to be kept from whoever gets hold of the data directory lies in the *secrets folder* outside of it: the root key, the
//! root credentials and the key of the development CA.

pub mod accounts;
pub mod config;
mod control;
pub mod credentials;
mod doors;
pub mod environment;
mod error;
pub mod event_log;
mod files;
pub mod hsm;
mod key_stores;
mod listener;
pub mod log;
mod oidc;
mod open;
pub mod operator;
mod process;
pub mod protection;
pub mod root_key;
mod run;
pub mod scrub;
mod secrets;
mod store_identity;
mod tasks;
mod tls;
mod trails;
mod uri;
mod welcome;
mod xks;

pub use config::{Config, Sources};
pub use control::{DomainKey, Status};
pub use error::Error;
pub use files::FileError;
pub use process::leave_no_dump;
pub use run::run;
pub use welcome::Welcome;
