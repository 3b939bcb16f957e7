//! Services that clients may expect on this endpoint and that are not built: each says so, and only to somebody who has signed. All speak
//! AWS JSON 1.1.

use http::StatusCode;

use crate::json;
use crate::response::Response;

/// A service that is not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Its name in credential scopes.
    pub(crate) scope: &'static str,
    /// What its `X-Amz-Target` begins with.
    target: &'static str,
}

/// All of them.
pub(crate) const ABSENT: &[Absent] = &[Absent { scope: "ssm", target: "AmazonSSM." }];

impl Absent {
    pub(crate) fn by_scope(scope: &str) -> Option<Absent> {
        ABSENT.iter().copied().find(|service| service.scope == scope)
    }

    pub(crate) fn by_target(target: &str) -> Option<Absent> {
        ABSENT.iter().copied().find(|service| target.starts_with(service.target))
    }

    /// What an authenticated request is answered.
    pub(crate) fn answer(self) -> Response {
        let message = format!("The service {} is not implemented by this server.", self.scope);
        let mut response = json::error(StatusCode::NOT_IMPLEMENTED, "NotImplementedException", &message);
        response.operation = "NotImplemented";
        response
    }
}
