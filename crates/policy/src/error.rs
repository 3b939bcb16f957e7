//! Why a document is no policy.

/// What is wrong with a policy document, in the words of IAM's `MalformedPolicyDocument` and KMS's
/// `MalformedPolicyDocumentException` where AWS's words are known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// Not JSON, or not the shape of a policy: an unknown or repeated element, or one of the wrong type.
    #[error("Syntax errors in policy. {0}")]
    Syntax(String),
    /// Longer than [`crate::MAX_DOCUMENT`].
    #[error("The policy document is longer than {} bytes.", crate::MAX_DOCUMENT)]
    TooLong,
    /// `Version` is neither `2012-10-17` nor `2008-10-17`.
    #[error("The policy must contain a valid version string")]
    Version,
    /// An element that the statement must have.
    #[error("Missing required field {0}")]
    Missing(&'static str),
    /// An element that this kind of policy must not have.
    #[error("Has prohibited field {0}")]
    Prohibited(&'static str),
    /// Neither `Action` nor `NotAction`, or an empty list.
    #[error("Policy statement must contain actions.")]
    NoActions,
    /// Neither `Resource` nor `NotResource`, or an empty list.
    #[error("Policy statement must contain resources.")]
    NoResources,
    /// A `Principal` in an identity policy.
    #[error("Policy document should not specify a principal.")]
    IdentityPrincipal,
    /// A principal that is no account, ARN, service, provider or canonical user id.
    #[error("Policy contains a statement with one or more invalid principals.")]
    InvalidPrincipal {
        /// `AWS`, `Service`, `Federated`, `CanonicalUser`, or empty where the element as a whole is wrong.
        kind: &'static str,
        /// The value as it stands in the document.
        value: String,
    },
    /// `NotPrincipal` with `Allow`, which AWS does not support.
    #[error("NotPrincipal must be used with \"Effect\":\"Deny\". Using it with \"Effect\":\"Allow\" is not supported.")]
    AllowNotPrincipal,
    /// Two statements with one `Sid`.
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    DuplicateSid,
    /// A `Sid` of other characters in a policy of IAM.
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    InvalidSid,
    /// An action or condition key without a service prefix.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor,
    /// An action with two colons.
    #[error("Actions/Condition can contain only one colon.")]
    ManyColons,
    /// A service prefix that is none.
    #[error("Vendor {0} is not valid")]
    InvalidVendor(String),
    /// A resource that is no ARN.
    #[error("Resource {0} must be in ARN format or \"*\".")]
    InvalidResource(String),
    /// A condition operator that does not exist.
    #[error("Invalid Condition type : {0}")]
    InvalidOperator(String),
    /// A condition value that its operator cannot compare with.
    #[error("Invalid value {value} for the condition type {operator}.")]
    InvalidValue {
        /// The operator as it stands in the document.
        operator: String,
        /// The value as it stands in the document.
        value: String,
    },
    /// A `${...}` that does not end or names nothing.
    #[error("Invalid policy variable in {0}")]
    InvalidVariable(String),
}

impl Malformed {
    pub(crate) fn syntax(why: impl Into<String>) -> Self {
        Self::Syntax(why.into())
    }
}
