//! Digests: what they say, and what is signed.
//!
//! CloudTrail User Guide, "CloudTrail digest file structure" and "Custom implementations of CloudTrail log file integrity validation":
//!
//! ```text
//! signature = RSASSA-PKCS1-v1_5, SHA-256, over
//!     digestEndTime ‖ LF ‖ bucket/object ‖ LF ‖ hex(SHA-256(content before compression)) ‖ LF ‖ previous signature in hex, or "null"
//! ```

use keys::Timestamp;
use serde::Serialize;

use super::file::{File, digest_name, file, hash, iso};
use super::state::{Delivered, DigestState, Previous};
use super::{SigningKey, Trail};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    aws_account_id: &'a str,
    digest_start_time: String,
    digest_end_time: String,
    #[serde(rename = "digestS3Bucket")]
    bucket: &'a str,
    #[serde(rename = "digestS3Object")]
    object: &'a str,
    digest_public_key_fingerprint: &'a str,
    digest_signature_algorithm: &'static str,
    newest_event_time: Option<String>,
    oldest_event_time: Option<String>,
    #[serde(rename = "previousDigestS3Bucket")]
    previous_bucket: Option<&'a str>,
    #[serde(rename = "previousDigestS3Object")]
    previous_object: Option<&'a str>,
    previous_digest_hash_value: Option<&'a str>,
    previous_digest_hash_algorithm: Option<&'static str>,
    previous_digest_signature: Option<&'a str>,
    log_files: Vec<LogFile<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogFile<'a> {
    #[serde(rename = "s3Bucket")]
    bucket: &'a str,
    #[serde(rename = "s3Object")]
    object: &'a str,
    hash_value: &'a str,
    hash_algorithm: &'static str,
    newest_event_time: String,
    oldest_event_time: String,
}

/// The digest of `state`, which ends at `end`, and what the next one says of it.
///
/// # Errors
/// The key cannot sign; the reason is for the log.
pub(crate) fn digest(
    trail: &Trail,
    region: &str,
    state: &DigestState,
    end: Timestamp,
    key: &SigningKey,
) -> Result<(File, Previous), String> {
    let object = digest_name(trail, region, end);
    let previous = state.previous.as_ref();
    let document = Document {
        aws_account_id: trail.account.as_str(),
        digest_start_time: iso(state.start),
        digest_end_time: iso(end),
        bucket: &trail.bucket,
        object: &object,
        digest_public_key_fingerprint: key.fingerprint(),
        digest_signature_algorithm: ALGORITHM,
        newest_event_time: state.files.iter().map(|file| file.newest).max().map(iso),
        oldest_event_time: state.files.iter().map(|file| file.oldest).min().map(iso),
        previous_bucket: previous.map(|previous| previous.bucket.as_str()),
        previous_object: previous.map(|previous| previous.object.as_str()),
        previous_digest_hash_value: previous.map(|previous| previous.hash.as_str()),
        previous_digest_hash_algorithm: previous.map(|_| HASH),
        previous_digest_signature: previous.map(|previous| previous.signature.as_str()),
        log_files: state.files.iter().map(log_file).collect(),
    };
    let content = serde_json::to_vec(&document).expect("texts are always JSON");
    let hash = hash(&content);
    let before = previous.map_or("null", |previous| &previous.signature);
    let signed = format!("{}\n{}/{object}\n{hash}\n{before}", document.digest_end_time, trail.bucket);
    let signature = key.sign(signed.as_bytes())?;
    let metadata = vec![("signature", signature.clone()), ("signature-algorithm", ALGORITHM.to_owned())];
    let file = file(object.clone(), &content, metadata);
    Ok((file, Previous { bucket: trail.bucket.clone(), object, hash, signature }))
}

fn log_file(file: &Delivered) -> LogFile<'_> {
    LogFile {
        bucket: &file.bucket,
        object: &file.object,
        hash_value: &file.hash,
        hash_algorithm: HASH,
        newest_event_time: iso(file.newest),
        oldest_event_time: iso(file.oldest),
    }
}

const ALGORITHM: &str = "SHA256withRSA";
const HASH: &str = "SHA-256";
