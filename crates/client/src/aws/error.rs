//! What can go wrong between here and a service.

use crate::kms::KmsError;
use std::fmt;
use std::io;
use std::time::Duration;

/// Longest text of a service that is kept, in characters: what it says may be as hostile as anything else that it sends.
const TEXT: usize = 1_024;

/// Why a request was not answered with what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsError {
    /// The service refused.
    #[error(transparent)]
    Service(Box<ServiceError>),

    /// The service could not be reached, or the connection broke.
    #[error("{host}: {why}")]
    Connection {
        /// Whom the request was for.
        host: String,
        /// What the system or the TLS library says.
        why: String,
    },

    /// Whoever answers is not believed to be the service: its certificate is of nobody who is trusted, or TLS failed otherwise.
    #[error(
        "{host}: TLS: {why} (AWS_CA_BUNDLE names a file of certificate authorities to believe instead of the system's)"
    )]
    Tls {
        /// Whom the request was for.
        host: String,
        /// What the TLS library says.
        why: String,
    },

    /// A connection did not come to be in time, nothing moved for too long, or what came or went did so too slowly.
    #[error("{host}: too slow: the limit is {} s", limit.as_secs_f32())]
    TimedOut {
        /// Whom the request was for.
        host: String,
        /// The limit.
        limit: Duration,
    },

    /// The answer is not one that the service may give: malformed, too long, for another key, of another length.
    #[error("{operation}: the answer makes no sense: {why}")]
    Answer {
        /// What was asked.
        operation: &'static str,
        /// What is wrong with it.
        why: String,
    },

    /// The answer ended before its end. What came is of no use.
    #[error("{operation}: the answer broke off")]
    Truncated {
        /// What was asked.
        operation: &'static str,
    },

    /// The data is not what the service says that it stores.
    #[error("{operation}: the {algorithm} of what arrived is not the one that is stored")]
    Checksum {
        /// What was asked.
        operation: &'static str,
        /// `CRC64NVME`, ...
        algorithm: &'static str,
    },

    /// An object was stored, and its instruction file was not: nothing opens it until it is stored anew.
    #[error("the object is stored, its instruction file is not, so that nothing opens it until it is stored anew: {0}")]
    InstructionFile(#[source] Box<AwsError>),

    /// The settings, in the environment, in a file or in a call, do not say what is needed, or make no sense.
    #[error("{0}")]
    Config(String),

    /// The input to send, or the output to write to, failed.
    #[error(transparent)]
    Io(io::Error),
}

impl AwsError {
    /// What the service refused with, if it was the service.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            AwsError::Service(error) => Some(error),
            AwsError::InstructionFile(error) => error.service(),
            _ => None,
        }
    }

    /// Whether the service refused with this code: `NoSuchKey`, `AccessDenied`, ...
    #[must_use]
    pub fn is_code(&self, code: &str) -> bool {
        self.service().is_some_and(|error| error.code == code)
    }

    /// Whether the same request may do better in a while.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            AwsError::Service(error) => error.may_pass(),
            AwsError::Connection { .. } | AwsError::TimedOut { .. } | AwsError::Truncated { .. } => true,
            _ => false,
        }
    }

    pub(super) fn answer(operation: &'static str, why: impl Into<String>) -> Self {
        AwsError::Answer { operation, why: why.into() }
    }
}

/// A service's refusal, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// What was asked: `PutObject`, `Decrypt`, ...
    pub operation: &'static str,
    /// `AccessDenied`, `NotFoundException`, ... For an answer without a body (to HEAD), a word for its status.
    pub code: String,
    /// For a person.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// By which the service's operator finds the request.
    pub request_id: Option<String>,
    /// The Region in which a bucket lies, where the service says so.
    pub region: Option<String>,
}

/// Codes of a service that has too much to do or failed, whatever the status. S3's and those of the JSON services.
const PASSING: [&str; 15] = [
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
    "InternalFailure",
    "RequestTimeout",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "KMSInternalException",
    "DependencyTimeoutException",
];

impl ServiceError {
    /// 507, a full disk, is not among them: it does not pass by itself.
    fn may_pass(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504) || PASSING.contains(&self.code.as_str())
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServiceError { operation, code, message, status, request_id, region } = self;
        write!(f, "{operation}: {code}")?;
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        if matches!(status, 301 | 302 | 307 | 308) || code == "AuthorizationHeaderMalformed" {
            let region = region.as_deref().unwrap_or("another Region");
            write!(f, " (what was asked for lies in {region}: set that Region)")?;
        }
        write!(f, " (status {status}")?;
        if let Some(id) = request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for ServiceError {}

impl From<ServiceError> for AwsError {
    fn from(error: ServiceError) -> Self {
        AwsError::Service(Box::new(error))
    }
}

impl From<AwsError> for KmsError {
    /// The service's code and message; of what is not the service's, one of `Unreachable`, `TimedOut`, `InvalidAnswer`, `Configuration`.
    fn from(error: AwsError) -> Self {
        let code = match &error {
            AwsError::Service(error) => return KmsError::new(&*error.code, &*error.message),
            AwsError::Connection { .. } | AwsError::Tls { .. } | AwsError::Io(_) => "Unreachable",
            AwsError::TimedOut { .. } => "TimedOut",
            AwsError::Answer { .. } | AwsError::Truncated { .. } | AwsError::Checksum { .. } => "InvalidAnswer",
            AwsError::Config(_) | AwsError::InstructionFile(_) => "Configuration",
        };
        KmsError::new(code, error.to_string())
    }
}

/// What a service says of itself, fit for a terminal: no control characters, and not for ever.
pub(super) fn text(said: &str) -> String {
    said.chars().take(TEXT).map(|character| if character.is_control() { ' ' } else { character }).collect()
}
