//! Blocking clients of S3 and KMS, for Strongroom and for AWS itself. With the feature `transport`.
//!
//! [`Config`] says who signs and where the services listen; [`KmsClient`] is a [`Kms`](crate::kms::Kms) that a keyring takes;
//! [`S3Client`] knows objects, uploads in parts and listings; [`EncryptionClient`] is the S3 Encryption Client over it.
//!
//! Every request is signed (Signature Version 4), connections are kept, what fails in passing is tried again a bounded number of times,
//! every answer has a limit, and nothing is waited for without end. The proxies of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are heeded.
//!
//! What is deliberately not there: credentials from SSO, from another program, from a role or an instance's metadata (`aws configure
//! export-credentials --format env` gives them); FIPS and dual-stack endpoints, which an endpoint's URL names as well.

mod config;
mod credentials;
mod encryption;
mod endpoint;
mod error;
mod http;
mod kms;
mod profile;
mod region;
mod s3;

pub use config::{ATTEMPTS, CONNECT_LIMIT, Config, RETRY_BASE, RETRY_CAP, STALL_LIMIT};
pub use credentials::Credentials;
pub use encryption::{EncryptionClient, Fetched, PARALLEL, PartialFile, Progress, UPLOAD_PART};
pub use error::{AwsError, ServiceError};
pub use kms::KmsClient;
pub use region::Region;
pub use s3::{
    GetOptions, ListOptions, Listed, Object, ObjectBody, ObjectInfo, Page, Pages, Part, PartUpload, PutOptions,
    S3Client, Signing, Stored, Upload,
};
