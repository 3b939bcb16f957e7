//! The operations of the KMS API, a file for each area. Request and response structs have the members of the service model
//! `kms-2014-11-01`; a member that this server cannot honour is refused, never passed over.

pub mod agreement;
pub mod alias;
mod create;
pub mod custom_key_store;
pub mod data_key;
pub mod data_key_pair;
pub mod deletion;
pub mod encrypt;
pub mod grant;
pub mod import;
mod import_token;
pub mod last_usage;
pub mod lifecycle;
pub mod mac;
pub mod metadata;
pub mod multi_region;
mod page;
pub mod policy;
pub mod public_key;
pub mod random;
mod ready;
mod refusals;
pub mod rotation;
pub mod sign;
pub mod tag;

/// The answer of an operation that answers nothing: AWS sends no body for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done;
