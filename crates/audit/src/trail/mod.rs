//! Trails: which events go where, log files, digests, and how they are delivered.
//!
//! [`Trails`] has the trails of all accounts and every operation on them; [`Deliverer`] takes events from the log to the buckets,
//! through a [`Destination`], which knows what a bucket is.
//!
//! ```text
//! log file     Records of one trail in one Region, in the log's order
//! digest       the log files of an hour with their hashes; signed; names the digest before
//! ```
//!
//! What is delivered is announced first, in the same row that tells how far delivery is: after a crash the announced file is made
//! again, with the same name and the same bytes, so none is lost and none comes twice. The rows: docs/formats/trails.md.

mod deliver;
mod digest;
mod error;
mod file;
mod lookup;
mod name;
mod plan;
pub mod requests;
mod rows;
mod selector;
mod settings;
mod signing;
mod state;
#[cfg(test)]
mod tests;
mod trails;

pub use deliver::{Deliverer, Destination, Pace, Undelivered};
pub use error::Error;
pub use file::{File, prefix};
pub use lookup::{LookupEventsRequest, LookupEventsResponse};
pub use name::{Reference, TrailName, arn};
pub use plan::{Plan, check_bucket_name};
pub use selector::{
    AdvancedEventSelector, AdvancedFieldSelector, DataResource, EventSelector, Facts, ReadWriteType, Selectors,
};
pub use settings::{Tag, Trail, Window};
pub use signing::SigningKey;
pub use state::State;
pub use trails::{TAGS_PER_TRAIL, TRAILS_PER_REGION, Trails};

use serde::{Deserialize, Deserializer};

/// `null` is the same as absent.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
