//! The operations of STS that this server has, by their requests.

use identity::sts;

use crate::query_protocol::{Built, built};

/// Sorted by name.
pub(super) const BUILT: &[Built] = built![
    sts::AssumeRoleRequest,
    sts::AssumeRoleWithWebIdentityRequest,
    sts::DecodeAuthorizationMessageRequest,
    sts::GetAccessKeyInfoRequest,
    sts::GetCallerIdentityRequest,
    sts::GetFederationTokenRequest,
    sts::GetSessionTokenRequest,
];
