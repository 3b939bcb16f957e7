//! Decisions that nobody asked for in earnest: IAM's policy simulator, and who may do what. Crate `policy` decides them as it decides
//! requests.

pub(crate) mod cast;
pub(crate) mod exclusion;
pub(crate) mod keys;
pub mod who_can;

use policy::Rule;

use crate::error::Error;

/// How the policy of the resource of an action means the callers of its own account.
#[must_use]
pub fn rule(action: &str) -> Rule {
    let action = action.to_ascii_lowercase();
    match action.starts_with("kms:") || action.starts_with("sts:assumerole") {
        true => Rule::ResourceMustAllow,
        false => Rule::Either,
    }
}

/// What a policy of the resources of an action must be like.
pub(crate) fn kind_of_resource_policy(action: &str) -> policy::Kind {
    match action.split(':').next().map(str::to_ascii_lowercase).as_deref() {
        Some("kms") => policy::Kind::Key,
        Some("sts") => policy::Kind::Trust,
        _ => policy::Kind::Bucket,
    }
}

/// What makes no simulation.
pub(crate) fn invalid(text: impl Into<String>) -> Error {
    Error::InvalidInput(text.into())
}
