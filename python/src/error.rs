//! Errors of `client` as the exceptions of `strongroom.exceptions`.

use client::Error;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use std::cell::RefCell;

/// Which way a message went. It decides what a failure of a key management service is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Encrypt,
    Decrypt,
}

thread_local! {
    /// What a KMS client in Python raised while this thread was at work; `client` carries its code and words alone.
    static RAISED: RefCell<Vec<PyErr>> = const { RefCell::new(Vec::new()) };
    /// Whether a key management service refused to encrypt a data key, and not to make one.
    static WRAPPING: RefCell<bool> = const { RefCell::new(false) };
}

/// Forgets what an earlier message left.
pub(crate) fn begin() {
    RAISED.take();
    WRAPPING.replace(false);
}

/// Keeps what Python raised, for the exception that will come of it.
pub(crate) fn remember(error: PyErr) {
    RAISED.with_borrow_mut(|raised| raised.push(error));
}

/// What Python raised that is no failure of a service but asks to stop (an interrupt from the keyboard): it is raised even where another
/// key opened the message.
pub(crate) fn end(py: Python<'_>) -> PyResult<()> {
    interrupt(py, &mut RAISED.take()).map_or(Ok(()), Err)
}

/// Whether something asks to stop: then Python is not asked anything more.
pub(crate) fn is_interrupted(py: Python<'_>) -> bool {
    RAISED.with_borrow(|raised| raised.iter().any(|error| !error.is_instance_of::<PyException>(py)))
}

fn interrupt(py: Python<'_>, raised: &mut Vec<PyErr>) -> Option<PyErr> {
    let at = raised.iter().position(|error| !error.is_instance_of::<PyException>(py))?;
    Some(raised.swap_remove(at))
}

pub(crate) fn failed_to_wrap() {
    WRAPPING.replace(true);
}

/// The exception for an error. What a KMS client raised becomes its cause, or is raised itself where it is no failure (an interrupt from
/// the keyboard).
pub(crate) fn raised(py: Python<'_>, way: Way, error: Error) -> PyErr {
    let mut causes = RAISED.take();
    if let Some(interrupt) = interrupt(py, &mut causes) {
        return interrupt;
    }
    let exception = match error {
        Error::Io(error) => return PyErr::from(error),
        Error::Key(_) | Error::Setting(_) => PyValueError::new_err(error.to_string()),
        error => named(py, class(way, &error), &text(&error)).unwrap_or_else(|error| error),
    };
    exception.set_cause(py, causes.pop());
    exception
}

/// An exception of `strongroom.exceptions`.
pub(crate) fn named(py: Python<'_>, class: &str, text: &str) -> PyResult<PyErr> {
    Ok(PyErr::from_value(py.import("strongroom.exceptions")?.getattr(class)?.call1((text,))?))
}

fn class(way: Way, error: &Error) -> &'static str {
    match error {
        Error::Truncated(_) => "TruncatedMessageError",
        Error::HeaderTag | Error::FrameTag(_) | Error::BodyTag => "AuthenticationError",
        Error::Signature => "SignatureError",
        Error::TooManyKeys { .. } => "MaxEncryptedDataKeysExceeded",
        Error::HeaderLength { .. }
        | Error::FrameLimit { .. }
        | Error::HoldLimit { .. }
        | Error::PlaintextLength(_)
        | Error::BodyLength(_)
        | Error::TooManyFrames => "CustomMaximumValueExceeded",
        Error::Trailing
        | Error::Header(_)
        | Error::FrameOrder { .. }
        | Error::LastFrameLength { .. }
        | Error::SignatureKey
        | Error::Missing(_) => "SerializationError",
        Error::Version(_) => "NotSupportedError",
        Error::UnknownSuite(_) => "UnknownIdentityError",
        Error::CommitmentPolicy(_) | Error::Signed | Error::KeyringCannot(_) => "ActionNotAllowedError",
        Error::Commitment => "KeyCommitmentError",
        Error::ReservedContext(_) | Error::ContextLength | Error::MissingContext(_) | Error::ContextMismatch(_) => {
            "EncryptionContextError"
        }
        Error::NoKeyOpens(_) | Error::Unwrap => "DecryptKeyError",
        Error::Kms(_) | Error::OtherKey { .. } => match way {
            Way::Decrypt => "DecryptKeyError",
            Way::Encrypt if WRAPPING.take() => "EncryptKeyError",
            Way::Encrypt => "GenerateKeyError",
        },
        Error::NoDataKey => "GenerateKeyError",
        Error::DataKeyLength { .. } => "InvalidDataKeyError",
        Error::KeyName(_) => "InvalidKeyIdError",
        Error::KeyArn(_) => "MalformedArnError",
        _ => "AWSEncryptionSDKClientError",
    }
}

/// The error's words, where they name a setting: by its name in Python.
fn text(error: &Error) -> String {
    match error {
        Error::FrameLimit { length, limit } => {
            format!("a frame of {length} bytes, where {limit} are held at most: raise `max_body_length`")
        }
        Error::HoldLimit { limit } => format!(
            "more than {limit} bytes have to be held until the whole is verified: raise `hold_limit`, use `decrypt_file`, which gives \
             the file its name after that, or, for a signed message, take frames as they verify with `release=Release.FRAMES`"
        ),
        Error::TooManyFrames => "more than 2^32 - 1 frames: raise `frame_length`".to_owned(),
        error => error.to_string(),
    }
}
