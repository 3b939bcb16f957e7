//! IAM JSON policies: parsed once into typed statements, evaluated with a named reason.
//!
//! Pure: no IO, no clock, no store. The road of a policy:
//!
//! 1. [`Document::parse`] reads the text strictly, by the rules of its [`Kind`]; what it does not know it refuses ([`Malformed`]).
//! 2. A [`Question`] says who asks ([`Principal`], with all policies of its own), for which action, on which resource, under which
//!    condition keys ([`Context`]; [`GlobalContext`] has those of every service).
//! 3. [`decide`] weighs the caller's policies and the resource's as AWS does, and names the statement that decided. [`simulate`] tells
//!    everything that led to it.
//!
//! What never happens: an unknown element, operator or variable, a missing value or a value of the wrong type never allows. Values
//! that are substituted for a variable are text; they are never wildcards.
//!
//! ```
//! use policy::{AccountId, ContextMap, Document, Kind, Principal, Question, Rule, decide};
//!
//! let bucket_policy = Document::parse(
//!     r#"{"Version":"2012-10-17","Statement":[
//!         {"Sid":"Read","Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
//!         {"Sid":"Tls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*",
//!          "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#,
//!     Kind::Bucket,
//! )?;
//! let root = Principal::root(AccountId::parse("444455556666")?, "AKIAIOSFODNN7EXAMPLE");
//! let owner = Some(AccountId::parse("111122223333")?);
//! let ask = |secure: &str| {
//!     let context = ContextMap::new().with("aws:SecureTransport", secure);
//!     let action = "s3:GetObject";
//!     let question = Question { principal: &root, action, resource: "arn:aws:s3:::b/k", owner, context: &context };
//!     decide(&question, Some(&bucket_policy), Rule::Either).map(|_| ()).map_err(|refused| refused.reason(action).to_string())
//! };
//! assert_eq!(ask("true"), Ok(()));
//! assert_eq!(ask("false"), Err("with an explicit deny in a resource-based policy".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Sources: IAM User Guide, "IAM JSON policy elements reference", "Grammar of the IAM JSON policy language", "Policy evaluation
//! logic" (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html>).

mod account;
mod action;
mod arn;
mod condition;
mod context;
mod date;
mod decide;
mod document;
mod error;
mod evaluate;
mod global;
mod json;
pub mod limits;
mod names;
mod network;
mod number;
mod pattern;
mod position;
mod principal;
mod public;
mod reason;
mod simulate;
mod statement;
mod template;
mod test;
pub mod text;
mod who;

pub use account::{AccountId, InvalidAccount};
pub use context::{Context, ContextMap, Value};
pub use decide::{Allowed, Allowing, Question, Rule, decide, identity_side, own_limits, resource_verdict};
pub use document::{Document, Kind};
pub use error::Malformed;
pub use evaluate::{Reach, Verdict};
pub use global::GlobalContext;
pub use network::Network;
pub use pattern::Pattern;
pub use position::{Position, Span, statement_spans};
pub use principal::NamedPrincipal;
pub use reason::{By, Denying, Refused};
pub use simulate::{Matched, Simulation, simulate};
pub use statement::{Effect, Statement};
pub use who::{Attached, Permissions, Principal, PrincipalKind, RequestFacts, Session};

/// The longest document that is read, in bytes: `policyDocumentType` of the IAM model has at most 131,072 characters, `PolicyType`
/// of the KMS model too. Each kind of policy has a smaller quota of its own, which its service checks.
pub const MAX_DOCUMENT: usize = 131_072;
