//! Log files: their names and their bytes.
//!
//! CloudTrail User Guide, "CloudTrail log file name format".

use std::io::Write;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use keys::Timestamp;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::Trail;

/// An object that is to be delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name in the bucket.
    pub object: String,
    /// Its bytes: JSON, compressed.
    pub body: Bytes,
    /// SHA-256 of the JSON, in hexadecimal.
    pub hash: String,
    /// User metadata: a digest's signature.
    pub metadata: Vec<(&'static str, String)>,
}

/// The name of a log file. `first` is the first number of the event log that it may hold: with the trail it makes the name's last part,
/// so that a repeated delivery has the same name and two deliveries never have.
pub(crate) fn log_name(trail: &Trail, region: &str, at: Timestamp, first: u64) -> String {
    let account = trail.account;
    let unique = digest(&SHA256, format!("{}/{region}/{first}", trail.id).as_bytes());
    let unique = BASE32_NOPAD.encode(&unique.as_ref()[..10]);
    let (folder, minute) = (format(at, FOLDER), format(at, MINUTE));
    format!(
        "{}AWSLogs/{account}/CloudTrail/{region}/{folder}/{account}_CloudTrail_{region}_{minute}_{unique}.json.gz",
        prefix(trail)
    )
}

/// The name of a digest.
pub(crate) fn digest_name(trail: &Trail, region: &str, end: Timestamp) -> String {
    let (account, name, home) = (trail.account, &trail.name, &trail.home);
    let (folder, second) = (format(end, FOLDER), format(end, SECOND));
    format!(
        "{}AWSLogs/{account}/CloudTrail-Digest/{region}/{folder}/{account}_CloudTrail-Digest_{region}_{name}_{home}_{second}.json.gz",
        prefix(trail)
    )
}

/// What every object of a trail begins with: the policy of its bucket has to let CloudTrail write below it.
pub fn prefix(trail: &Trail) -> String {
    trail.prefix.as_ref().map(|prefix| format!("{prefix}/")).unwrap_or_default()
}

/// `{"Records":[...]}`
pub(crate) fn log_content<'a>(records: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut content = Vec::from(br#"{"Records":["#);
    for (index, record) in records.enumerate() {
        if index > 0 {
            content.push(b',');
        }
        content.extend_from_slice(record);
    }
    content.extend_from_slice(b"]}");
    content
}

/// An object of this content. The same content always has the same bytes.
pub(crate) fn file(object: String, content: &[u8], metadata: Vec<(&'static str, String)>) -> File {
    // Without a time in the header.
    let mut gzip: GzEncoder<Vec<u8>> = GzBuilder::new().write(Vec::new(), Compression::default());
    let body = gzip.write_all(content).and_then(|()| gzip.finish()).expect("writing to memory does not fail");
    File { object, body: body.into(), hash: hash(content), metadata }
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn hash(content: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, content).as_ref())
}

/// `2015-08-17T14:01:31Z`, as records and digests write times.
pub(crate) fn iso(time: Timestamp) -> String {
    format(time, ISO)
}

fn format(time: Timestamp, pattern: &[BorrowedFormatItem<'_>]) -> String {
    let seconds = i64::try_from(time.as_millis() / 1000).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(pattern).expect("the pattern names parts that every time has")
}

const FOLDER: &[BorrowedFormatItem<'_>] = format_description!("[year]/[month]/[day]");
const MINUTE: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute]Z");
const SECOND: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
const ISO: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
