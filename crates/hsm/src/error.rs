//! What can go wrong, told apart by what has to be done about it.

use std::path::PathBuf;

use cryptoki::error::RvError;

/// Why a token did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The module's library cannot be loaded or does not initialise.
    #[error("the PKCS#11 module {} cannot be used: {reason}", path.display())]
    Module {
        /// The library.
        path: PathBuf,
        /// What the loader or the module said.
        reason: String,
    },
    /// The module knows no such token: it was never there, is switched off, or was taken out.
    #[error("no token with {0} is present")]
    TokenNotFound(String),
    /// More than one token answers to the name.
    #[error("more than one token with {0} is present: name it by its serial number")]
    TokenAmbiguous(String),
    /// The token has no user yet: its user PIN was never set.
    #[error("the token's user is not initialised: its PIN was never set")]
    NoUser,
    /// The PIN is wrong. It is not tried again, for that would lock the token.
    #[error("the token refused the PIN, which is not tried again")]
    WrongPin,
    /// The token locked its user out after too many wrong PINs, or wants a new PIN first.
    #[error("the token has locked its user out; its security officer must set a new PIN")]
    PinLocked,
    /// Another kind of user is logged in to the token from this process.
    #[error("another user is logged in to the token")]
    OtherUser,
    /// The token was there and is not: removed, switched off, or its connection is lost.
    #[error("the token cannot be reached: {0}")]
    Unreachable(String),
    /// The module did not answer within the time limit. Whether it did what it was asked is not known.
    #[error("the token did not answer in time")]
    TimedOut,
    /// Too many calls are waiting for the token, or too many of its threads hang.
    #[error("too many calls wait for the token")]
    Overloaded,
    /// The token has no key of this id.
    #[error("the token has no such key")]
    KeyMissing,
    /// The token already has a key of this id, or more than one.
    #[error("the token already has a key of this id")]
    KeyExists,
    /// The token cannot make or use keys for HMAC-SHA256, or answered something that it is not.
    #[error("the token cannot compute HMAC-SHA256: {0}")]
    Unsuitable(String),
    /// Anything else, in the module's words.
    #[error("the token answered: {0}")]
    Other(String),
}

/// What a failed call means for the session that it was made in.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The session, the login or the token is gone: reopen, then ask again.
    Lost(Error),
    /// It may be gone, or only this call failed: look, then ask again.
    Unclear(Error),
    /// The answer stands.
    Final(Error),
}

impl Failure {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Failure::Lost(error) | Failure::Unclear(error) | Failure::Final(error) => error,
        }
    }
}

impl From<cryptoki::error::Error> for Failure {
    fn from(error: cryptoki::error::Error) -> Failure {
        use Failure::{Final, Lost, Unclear};
        let text = error.to_string();
        let cryptoki::error::Error::Pkcs11(code, _) = error else {
            return Final(Error::Other(text));
        };
        match code {
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => Final(Error::WrongPin),
            RvError::PinLocked | RvError::PinExpired => Final(Error::PinLocked),
            RvError::UserPinNotInitialized => Final(Error::NoUser),
            RvError::UserAnotherAlreadyLoggedIn | RvError::UserTooManyTypes => Final(Error::OtherUser),
            RvError::MechanismInvalid | RvError::FunctionNotSupported | RvError::KeyTypeInconsistent => {
                Final(Error::Unsuitable(text))
            }
            RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::SlotIdInvalid
            | RvError::DeviceRemoved
            | RvError::SessionHandleInvalid
            | RvError::SessionClosed
            | RvError::UserNotLoggedIn
            | RvError::CryptokiNotInitialized => Lost(Error::Unreachable(text)),
            // What modules answer when a file or a connection went away beneath them, and for many another reason.
            RvError::GeneralError
            | RvError::FunctionFailed
            | RvError::DeviceError
            | RvError::VendorDefined(_)
            // The handle of a key that was found before: the token is gone, or the key is.
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            // An operation that an earlier call left half-way.
            | RvError::OperationActive => Unclear(Error::Unreachable(text)),
            _ => Final(Error::Other(text)),
        }
    }
}
