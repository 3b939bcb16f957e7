//! Buckets, objects, multipart uploads, listing and encryption modes: the S3 domain. Knows no HTTP.
//!
//! An object is one sealed record (`meta`, table `Object`) plus zero or more blobs of ciphertext (`blob`). A small object's
//! ciphertext lies in the record itself. A blob is written and synced first; the commit of the record is the only moment at which
//! an object comes to exist. The byte layouts stand in `docs/formats/object-record.md`.
//!
//! Start at [`Objects`]: each operation is a method of it, in a file of its own.

mod acquire;
mod actions;
mod attributes;
mod body;
mod bucket;
mod bucket_policy;
mod bucket_policy_check;
mod buckets;
mod checksum;
mod combine;
mod commit;
mod condition;
mod copy;
mod data_key;
mod delete;
mod encryption;
mod error;
mod etag;
mod garbage;
mod get;
mod in_flight;
mod info;
mod listing;
mod metadata;
mod multipart;
mod name;
mod objects;
mod public_access;
mod put;
mod read;
mod record;
mod rows;
mod scrub;
mod sweep;
mod tagging;
mod tags;
mod walk;
mod window;
mod write;

pub use actions::knows as action_knows;
pub use attributes::{ObjectAttributes, PartAttributes};
pub use body::{Body, BodyError};
pub use bucket::{BlockedTypes, Bucket, BucketEncryption, DefaultEncryption};
pub use bucket_policy::{BUCKET_POLICY_LIMIT, BucketPolicy};
pub use buckets::{BUCKETS_PER_ACCOUNT, BucketPage, ListBuckets};
pub use checksum::{Algorithm, Checksum, ChecksumClaim, ChecksumType, ChecksumValue};
pub use condition::{Condition, DeleteCondition, ETagMatch, ReadConditions, WriteCondition};
pub use copy::{CopyObject, CopySource, MetadataDirective};
pub use delete::{DELETE_BATCH, DeleteEntry};
pub use encryption::{Applied, CustomerKey, EncryptionRequest, Mode};
pub use error::{Digest, Error};
pub use etag::ETag;
pub use get::{GetObject, ObjectHead};
pub use info::{ObjectInfo, Stored};
pub use listing::{Entry, Listing, Page};
pub use metadata::{Metadata, USER_METADATA_LIMIT};
pub use multipart::{
    CompleteUpload, CompletedPart, CopyPart, CreateUpload, CreatedUpload, ListParts, ListUploads, MINIMUM_PART,
    PART_LIMIT, PartEntry, PartNumber, PartPage, StoredPart, UploadCreation, UploadEntry, UploadId, UploadPage,
    UploadPart,
};
pub use name::{BucketName, ObjectName};
pub use objects::{Clock, Dependencies, Objects, Settings, system_clock};
pub use public_access::PublicAccessBlock;
pub use put::PutObject;
pub use read::ObjectReader;
#[doc(hidden)]
pub use record::decode_any;
pub use scrub::{Damage, Finding, ScrubReport};
pub use sweep::SweepReport;
pub use tags::{BUCKET_TAGS, InvalidTags, OBJECT_TAGS, TaggingDirective, Tags};
pub use window::{RangeSpec, Span, Window};
pub use write::PUT_LIMIT;
