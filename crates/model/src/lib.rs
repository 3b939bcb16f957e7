//! The service models of AWS as data, and their constraints, checked once, before anything else looks at a request.
//!
//! [`check`] walks a body beside the shape of its operation ([`kms`], [`iam`], [`sts`], [`cloudtrail`]: generated from the newest
//! botocore by `tests/service_model.py`) and allocates nothing
//! for a good one. Secrets stay where they lie: plaintext is checked for base64 and length without being decoded, and no
//! message repeats it. What AWS does with a bad one, as measured against KMS and its siblings of the same framework:
//!
//! - A value of the wrong JSON type ends the walk: `SerializationException`, in words that name the two types. So does what is
//!   not JSON, without a word.
//! - All broken constraints are told together, in the order of the model's members, ten at most: `ValidationException`.
//! - `null` is the same as absent; members that the model does not know are passed over.
//! - A list of names or texts is one value: one message for the whole of it. Items that are structures are told one by one.
//!
//! Two decisions where AWS's behaviour is not known: a member that is named twice is refused, because the two parsers of a request
//! must not see different ones (of a map's keys the last one counts, for both), and so is `null` in a list or a map.

mod check;
mod error;
mod failures;
pub mod form;
pub mod raw;
mod shape;
mod unicode;

// One line a member, as they are generated.
#[rustfmt::skip]
pub mod cloudtrail;
#[rustfmt::skip]
pub mod iam;
#[rustfmt::skip]
pub mod kms;
#[rustfmt::skip]
pub mod sts;

pub use check::{check, required};
pub use error::Error;
pub use shape::{Operation, Shape, View};

/// A request of one of the APIs.
pub trait Request {
    /// The shape that its JSON has in the service model.
    fn shape() -> &'static Shape;
}

/// Ties request structs to the shapes of their names in a service's table: `model::requests!(kms: EncryptRequest);`
#[macro_export]
macro_rules! requests {
    ($service:ident: $($name:ident),+ $(,)?) => {
        $( impl $crate::Request for $name {
            fn shape() -> &'static $crate::Shape {
                &$crate::$service::$name
            }
        } )+
    };
}

/// The `Error` of a service: a variant for each error of its model, with the text that the client reads, and `Internal` for what only the
/// operator may know. The crate that uses it has `thiserror`.
///
/// ```
/// model::errors! {
///     Internal(String) = "InternalFailure", "The request could not be processed.";
///     /// There is no such thing.
///     NotFound = "NotFoundException",
/// }
///
/// assert_eq!(Error::NotFound("Nothing here.".to_owned()).message(), "Nothing here.");
/// let internal = Error::Internal("the disk is full".to_owned());
/// assert_eq!((internal.code(), internal.message()), ("InternalFailure", "The request could not be processed."));
/// ```
#[macro_export]
macro_rules! errors {
    (
        Internal($(#[$from:ident])? $internal:ty) = $internal_code:literal, $internal_message:literal;
        $( $(#[$doc:meta])* $variant:ident = $code:literal, )+
    ) => {
        /// An operation's failure. The text of an AWS error is for the client; [`Error::Internal`] is for the log alone.
        #[derive(Debug, thiserror::Error)]
        pub enum Error {
            $( $(#[$doc])* #[error("{0}")] $variant(String), )+
            /// What failed inside. The client is told nothing but that.
            #[error("{0}")]
            Internal($(#[$from])? $internal),
        }

        impl Error {
            /// The error's code in the service model.
            pub fn code(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => $code, )+
                    Self::Internal(_) => $internal_code,
                }
            }

            /// What the client may read. Nothing of an internal failure is in it.
            pub fn message(&self) -> &str {
                match self {
                    $( Self::$variant(message) => message, )+
                    Self::Internal(_) => $internal_message,
                }
            }
        }
    };
}

#[cfg(test)]
mod tests;
