//! What can be wrong with a request, before anybody looks at what it asks for.

/// A request that is not of its operation's shape. The texts are AWS's and for the client; no secret is in them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The body is not of the shape that the operation takes; empty where AWS has no words for it.
    #[error("{0}")]
    Serialization(String),
    /// Members break the service model's constraints.
    #[error("{0}")]
    Validation(String),
}
