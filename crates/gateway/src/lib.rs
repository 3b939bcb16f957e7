//! The wire: HTTP/1.1, authentication, dispatch, one folder for each service. The only crate that knows HTTP.
//!
//! The road of a request, each step handing the next what it alone may make:
//!
//! 1. [`connection`]: a connection is served, one request after the other, within [`Limits`].
//! 2. `dispatch`: the head becomes a [`Request`]; its service is that of the SigV4 scope, else of `X-Amz-Target`, else S3.
//! 3. [`auth`]: SigV4 makes [`Authenticated`]. Nothing but health checks and metrics is answered before.
//! 4. [`mod@authorize`]: makes `Authorized<R>`, without which no operation on `R` can be called.
//! 5. [`s3`] or [`kms`]: parses, calls the domain, renders a [`Response`].
//!
//! The body is read by whoever needs it, through [`RequestBody`], which holds it against its length, its SHA-256, its chunk
//! signatures and its trailer. `100 Continue` leaves with the first read, and so never before authentication.

mod absent;
pub mod app;
pub mod auth;
pub mod authorize;
pub mod body;
pub mod cloudtrail;
pub mod connection;
mod denial;
mod dispatch;
mod forwarded;
mod health;
pub mod host;
pub mod iam;
mod json;
pub mod kms;
mod metrics;
pub mod query;
mod query_protocol;
pub mod record;
pub mod request;
pub mod response;
pub mod s3;
mod service;
pub mod sts;
mod throttle;
mod unbroken;

pub use app::{App, Limits, Parts, Settings};
pub use auth::{Authenticated, Refusal};
pub use authorize::{Authorized, Denied, OwnAccount, Resource, authorize};
pub use body::{ReadError, RequestBody};
pub use connection::{Connection, Gateway};
pub use dispatch::DOCUMENT_LIMIT;
pub use host::Domains;
pub use query::Query;
pub use request::{Request, RequestId};
pub use response::{Response, ResponseBody};
pub use throttle::Safeguards;
