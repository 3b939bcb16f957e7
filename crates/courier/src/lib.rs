//! Signed requests to another HTTPS service: one host, kept connections, a time limit, bounded answers. And, by [`Fetcher`], public
//! documents from anywhere.
//!
//! Made for services that are asked small things often and must not make us wait: an external key store proxy, another
//! KMS. HTTP/1.1 (RFC 9112) over TLS 1.2 or 1.3, Signature Version 4. Nothing of HTTP's types shows, so that a crate
//! which may not know HTTP can use it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use courier::{Client, Credentials, Endpoint, Limits, Trust};
//! use std::time::Duration;
//!
//! let client = Client::new(
//!     Endpoint::parse("https://kms.eu-west-1.example.com")?,
//!     &Credentials::new("AKIDEXAMPLE", b"its secret"),
//!     "eu-west-1",
//!     "kms",
//!     &Trust::system()?,
//!     Limits { time: Duration::from_secs(5), answer: 64 * 1024 },
//! );
//! let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "TrentService.ListKeys")];
//! let answer = client.post("/", &headers, b"{}".to_vec().into()).await?;
//! assert_eq!(answer.status, 200);
//! # Ok(())
//! # }
//! ```

mod client;
mod connection;
mod endpoint;
mod error;
mod fetch;
mod public;
mod thumbprint;
mod trust;

pub use client::{Answer, Client, Credentials, Limits, MAX_CONNECTIONS, MAX_IDLE};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::Error;
pub use fetch::Fetcher;
pub use thumbprint::Thumbprint;
pub use trust::{Trust, TrustError};
