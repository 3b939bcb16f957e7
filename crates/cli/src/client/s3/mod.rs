//! The commands over objects of the S3 Encryption Client.

pub(super) mod cat;
pub(super) mod cp;
pub(super) mod inspect;
mod jobs;
pub(super) mod ls;
mod plan;
mod remote;
pub(super) mod rewrap;
pub(super) mod sync;
mod time;
pub(super) mod url;
mod walk;
