//! `PolicyExclusionList`: policies that a simulation leaves out.

use policy::Pattern;
use serde::Deserialize;

use super::cast::{Cast, Origin};
use super::invalid;
use crate::error::Error;
use crate::managed::is_policy_arn;
use crate::rows::Kind;

/// `PolicyIdentifier` of the service model: one of its members.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyIdentifier {
    /// `PolicyType`
    pub policy_type: Option<String>,
    /// `PolicyArn`, with wildcards in the name.
    pub policy_arn: Option<String>,
    /// `InlinePolicyIdentifier`
    pub inline_policy_identifier: Option<InlinePolicyIdentifier>,
}

/// `InlinePolicyIdentifierType` of the service model.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InlinePolicyIdentifier {
    /// `PolicyName`
    pub policy_name: String,
    /// `AttachmentType`
    pub attachment_type: String,
    /// `AttachmentName`, with wildcards.
    pub attachment_name: String,
}

/// Leaves policies out of what the entity has. Policies of the request stay.
///
/// # Errors
/// [`Error::InvalidInput`] for an identifier that is none.
pub(crate) fn exclude(cast: &mut Cast, identifiers: &[PolicyIdentifier]) -> Result<(), Error> {
    for identifier in identifiers {
        match (&identifier.policy_type, &identifier.policy_arn, &identifier.inline_policy_identifier) {
            (Some(kind), None, None) => by_type(cast, kind),
            (None, Some(arn), None) => by_arn(cast, arn)?,
            (None, None, Some(inline)) => by_name(cast, inline)?,
            _ => return Err(invalid("A policy identifier must have exactly one member.")),
        }
    }
    Ok(())
}

fn by_type(cast: &mut Cast, kind: &str) {
    let is_aws = |arn: &str| arn.starts_with(crate::managed::aws::PREFIX);
    match kind {
        "permission-boundary" => cast.boundary = None,
        "inline" => cast.identity.retain(|source| !matches!(source.origin, Origin::Inline { .. })),
        "aws-managed" => cast.identity.retain(|source| !matches!(&source.origin, Origin::Managed(arn) if is_aws(arn))),
        "user-managed" => {
            cast.identity.retain(|source| !matches!(&source.origin, Origin::Managed(arn) if !is_aws(arn)))
        }
        // Of organizations there are no policies.
        _ => {}
    }
}

fn by_arn(cast: &mut Cast, arn: &str) -> Result<(), Error> {
    let in_name = arn.rsplit('/').next().unwrap_or_default();
    let elsewhere = &arn[..arn.len() - in_name.len()];
    if !is_policy_arn(arn) || elsewhere.contains(['*', '?']) || in_name.matches('*').count() > 1 {
        return Err(invalid(format!("ARN {arn} is not valid.")));
    }
    let pattern = Pattern::new(arn);
    cast.identity.retain(|source| !matches!(&source.origin, Origin::Managed(arn) if pattern.matches(arn)));
    Ok(())
}

fn by_name(cast: &mut Cast, inline: &InlinePolicyIdentifier) -> Result<(), Error> {
    let kind = [Kind::User, Kind::Group, Kind::Role];
    let kind = kind.into_iter().find(|kind| kind.arn_type().eq_ignore_ascii_case(&inline.attachment_type));
    let (Some(kind), true) = (kind, inline.attachment_name.matches('*').count() <= 1) else {
        return Err(invalid(format!("The inline policy identifier of {} is not valid.", inline.policy_name)));
    };
    let pattern = Pattern::new(&inline.attachment_name);
    cast.identity.retain(|source| {
        !matches!(&source.origin, Origin::Inline { of, entity, name }
            if *of == kind && *name == inline.policy_name && pattern.matches(entity))
    });
    Ok(())
}
