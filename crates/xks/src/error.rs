use std::fmt;

/// A request to a proxy that came to nothing: what it means to a caller of KMS, and what the operator should read in the log.
#[derive(Debug, thiserror::Error)]
#[error("{fault}: {detail}")]
pub struct Error {
    fault: Fault,
    detail: String,
}

impl Error {
    /// A fault with what the log should have of it.
    pub fn new(fault: Fault, detail: impl Into<String>) -> Error {
        Error { fault, detail: detail.into() }
    }

    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// What the proxy or the network said, for the log; callers of KMS never see it.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<courier::Error> for Error {
    fn from(error: courier::Error) -> Error {
        use courier::Error as Cause;
        let fault = match &error {
            Cause::Unreachable { .. } | Cause::Disconnected { .. } => Fault::Unreachable,
            Cause::Tls { .. } => Fault::Tls,
            Cause::TimedOut { .. } => Fault::TimedOut,
            Cause::Malformed { .. } | Cause::TooLarge { .. } | Cause::Request(_) => Fault::Malformed,
        };
        Error::new(fault, error.to_string())
    }
}

/// All that can go wrong with a proxy: what it may answer by the specification's table of error codes, and what we find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// `ValidationException`: our request is not to its liking.
    Validation,
    /// `InvalidStateException`: the external key or the store is disabled.
    InvalidState,
    /// `InvalidCiphertextException`: ciphertext, vector, tag or additional data are not what was encrypted.
    InvalidCiphertext,
    /// `InvalidKeyUsageException`: the external key does not do this.
    InvalidKeyUsage,
    /// `AuthenticationFailedException`: our signature is not to its liking.
    AuthenticationFailed,
    /// `AccessDeniedException`: its own rules forbid it.
    AccessDenied,
    /// `KeyNotFoundException`: there is no such external key.
    KeyNotFound,
    /// `InvalidUriPathException`: it does not serve our path.
    InvalidUriPath,
    /// `ThrottlingException`: too many requests.
    Throttling,
    /// `UnsupportedOperationException`: it cannot do this, or not at this length.
    UnsupportedOperation,
    /// `DependencyTimeoutException`: the key manager behind it did not answer it in time.
    DependencyTimeout,
    /// `InternalException`: it, or the key manager behind it, failed.
    Internal,
    /// No connection, or one that broke.
    Unreachable,
    /// No TLS that we trust.
    Tls,
    /// No whole answer within [`crate::TIME_LIMIT`].
    TimedOut,
    /// An answer that the specification does not allow.
    Malformed,
    /// A healthy answer that says that every key manager behind the proxy is away.
    ManagersUnavailable,
}

impl Fault {
    /// The names that a proxy answers with, and what they mean.
    const NAMES: [(&'static str, Fault); 12] = [
        ("ValidationException", Fault::Validation),
        ("InvalidStateException", Fault::InvalidState),
        ("InvalidCiphertextException", Fault::InvalidCiphertext),
        ("InvalidKeyUsageException", Fault::InvalidKeyUsage),
        ("AuthenticationFailedException", Fault::AuthenticationFailed),
        ("AccessDeniedException", Fault::AccessDenied),
        ("KeyNotFoundException", Fault::KeyNotFound),
        ("InvalidUriPathException", Fault::InvalidUriPath),
        ("ThrottlingException", Fault::Throttling),
        ("UnsupportedOperationException", Fault::UnsupportedOperation),
        ("DependencyTimeoutException", Fault::DependencyTimeout),
        ("InternalException", Fault::Internal),
    ];

    pub(crate) fn named(name: &str) -> Option<Fault> {
        Fault::NAMES.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault)
    }

    /// The message that AWS KMS gives its callers, whichever exception it comes in ("Error codes", "KMS considerations").
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Fault::Validation | Fault::Malformed => MALFORMED,
            Fault::InvalidState => INVALID_STATE,
            Fault::InvalidCiphertext => INVALID_CIPHERTEXT,
            Fault::InvalidKeyUsage => INVALID_KEY_USAGE,
            Fault::AuthenticationFailed => AUTHENTICATION_FAILED,
            Fault::AccessDenied => ACCESS_DENIED,
            Fault::KeyNotFound => KEY_NOT_FOUND,
            Fault::InvalidUriPath => INVALID_URI_PATH,
            Fault::UnsupportedOperation => UNSUPPORTED_OPERATION,
            Fault::DependencyTimeout => DEPENDENCY_TIMEOUT,
            Fault::Throttling => THROTTLING,
            Fault::Internal | Fault::ManagersUnavailable => INTERNAL,
            Fault::Unreachable => UNREACHABLE,
            Fault::Tls => TLS,
            Fault::TimedOut => TIMED_OUT,
        }
    }

    /// The `ConnectionErrorCode` of a key store whose connection failed so.
    #[must_use]
    pub fn connection_error_code(self) -> &'static str {
        match self {
            Fault::AuthenticationFailed => "INVALID_CREDENTIALS",
            Fault::AccessDenied => "XKS_PROXY_ACCESS_DENIED",
            Fault::InvalidUriPath => "XKS_PROXY_INVALID_CONFIGURATION",
            Fault::Tls => "XKS_PROXY_INVALID_TLS_CONFIGURATION",
            Fault::TimedOut | Fault::DependencyTimeout => "XKS_PROXY_TIMED_OUT",
            // "Connection attempts fail with this connection error code if the proxy reports that all external key manager
            // instances are unavailable."
            Fault::Unreachable | Fault::ManagersUnavailable | Fault::Throttling | Fault::InvalidState => {
                "XKS_PROXY_NOT_REACHABLE"
            }
            Fault::Validation
            | Fault::InvalidCiphertext
            | Fault::InvalidKeyUsage
            | Fault::KeyNotFound
            | Fault::UnsupportedOperation
            | Fault::Internal
            | Fault::Malformed => "XKS_PROXY_INVALID_RESPONSE",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = Fault::NAMES.iter().find(|(_, fault)| fault == self).map(|(name, _)| *name);
        f.write_str(said.unwrap_or(match self {
            Fault::Tls => "no TLS",
            Fault::TimedOut => "timed out",
            Fault::Malformed => "malformed answer",
            Fault::ManagersUnavailable => "all key managers unavailable",
            _ => "unreachable",
        }))
    }
}

const INVALID_STATE: &str = "The external key associated with this KMS key in an external key store is not enabled in the \
    external key manager. Enable the external key in the external key manager and retry the request.";
const INVALID_CIPHERTEXT: &str = "The external key store proxy rejected the request because the specified ciphertext or encryption \
    context is corrupted, missing, or otherwise invalid.";
const INVALID_KEY_USAGE: &str = "The external key associated with this KMS key in an external key store does not support the \
    requested operation. Enable the operation on the key in your external key manager, and try the \
    request again.";
const AUTHENTICATION_FAILED: &str = "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify \
    the XKS proxy authentication credentials for your external key store and update if necessary.";
const ACCESS_DENIED: &str = "The external key store proxy denied access to the operation. Verify that the user and the external \
    key are both authorized for this operation, and try the request again.";
const KEY_NOT_FOUND: &str = "The external key associated with this KMS key in an external key store was not found in its external \
    key manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key \
    with the correct external key ID.";
const INVALID_URI_PATH: &str = "The external key store proxy rejected the request because of an invalid URI path. Verify the URI \
    path for your external key store and update if necessary.";
const UNSUPPORTED_OPERATION: &str = "The external key store proxy rejected the request because it does not support the requested \
    operation. If you see this error repeatedly, report it to your external key store proxy \
    administrator.";
const DEPENDENCY_TIMEOUT: &str = "The external key store proxy did not respond to the request in the time allotted. Retry the request. \
    If you see this error repeatedly, report it to your external key store proxy administrator.";
const THROTTLING: &str = "The external key store proxy rejected the request due to a very high request rate. Reduce the \
    frequency of your calls using KMS keys in this external key store.";
const INTERNAL: &str = "The external key store proxy rejected the request because it cannot communicate with the external \
    key manager. Verify that the external key store proxy configuration is correct and that the external \
    key manager is available.";
const UNREACHABLE: &str = "AWS KMS cannot communicate with the external key store proxy. This might be a transient network \
    issue. If you see this error repeatedly, verify that your external key store proxy is active and is \
    connected to the network, and that its endpoint URI is correct in your external keystore.";
const TLS: &str = "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS \
    configuration, including its certificate.";
const TIMED_OUT: &str = "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the \
    request. If you see this error repeatedly, report it to your external key store proxy administrator.";
const MALFORMED: &str = "AWS KMS cannot interpret the response from the external key store proxy. If you see this error \
    repeatedly, report it to your external key store proxy administrator.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_specification_is_known_and_shown() {
        for (name, fault) in Fault::NAMES {
            assert_eq!(Fault::named(name), Some(fault));
            assert_eq!(fault.to_string(), name);
        }
        assert_eq!(Fault::named("KMSInvalidStateException"), None);
        assert_eq!(Fault::Unreachable.to_string(), "unreachable");
    }
}
