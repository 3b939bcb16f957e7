//! Why something is refused, in AWS's words.

use std::fmt;

use crate::document::{Document, Kind};

/// The kind of policy that decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Identity-based policies.
    Identity,
    /// The resource's policy.
    Resource,
    /// The resource's policy where the resource is a role: its trust policy.
    Trust,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
}

impl By {
    pub(crate) fn of_resource(document: Option<&Document>) -> Self {
        match document.map(Document::kind) {
            Some(Kind::Trust) => Self::Trust,
            _ => Self::Resource,
        }
    }
}

/// It is not allowed, and this is why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The kind of policy that denies, or that does not allow.
    pub by: By,
    /// The statement that denies; none where nothing allows.
    pub statement: Option<Denying>,
}

/// The statement that denies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denying {
    /// Where its policy is from, as [`crate::Attached::source`]; empty for the resource's policy.
    pub source: String,
    /// `Sid`
    pub sid: Option<String>,
    /// Its index in its policy, from 0.
    pub index: usize,
}

impl Refused {
    /// Nothing of this kind allows it.
    pub fn implicit(by: By) -> Self {
        Self { by, statement: None }
    }

    /// Whether a statement denies it.
    pub fn explicit(&self) -> bool {
        self.statement.is_some()
    }

    /// The end of AWS's message: what follows "is not authorized to perform: ACTION on resource: ARN" (IAM User Guide, "Troubleshoot
    /// access denied error messages"). A managed policy that denies is named by its ARN.
    pub fn reason<'a>(&'a self, action: &'a str) -> impl fmt::Display + 'a {
        Reason { refused: self, action }
    }
}

struct Reason<'a> {
    refused: &'a Refused,
    action: &'a str,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (article, kind) = match self.refused.by {
            By::Identity => ("an", "identity-based policy"),
            By::Resource => ("a", "resource-based policy"),
            By::Trust => ("the", "role trust policy"),
            By::Boundary => ("a", "permissions boundary"),
            By::Session => ("a", "session policy"),
        };
        match &self.refused.statement {
            None => write!(f, "because no {kind} allows the {} action", self.action),
            Some(denying) if denying.source.starts_with("arn:") => {
                write!(f, "with an explicit deny in {article} {kind}: {}", denying.source)
            }
            Some(_) => write!(f, "with an explicit deny in {article} {kind}"),
        }
    }
}
