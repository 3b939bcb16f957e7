//! What is too long for a record.
//!
//! CloudTrail User Guide, "CloudTrail record contents": `requestParameters` and `responseElements` have "a maximum size of 100 KB", what
//! is longer "is omitted", and an event has at most 256 KB.

use std::borrow::Cow;

use super::json::Object;

/// Most bytes of `requestParameters` and of `responseElements`, together.
pub(crate) const LIMIT: usize = 100 * 1024;

/// Most bytes of them if nobody signed the request and it was refused: what strangers may write into a log.
pub(crate) const UNSIGNED_LIMIT: usize = 1_024;

/// Most bytes of one of their members. A key policy of 32 KiB fits with every character escaped.
pub(crate) const MEMBER_LIMIT: usize = 64 * 1024 + 2;

/// Writes what stands for `size` bytes that are left out.
pub(crate) fn omitted(out: &mut Vec<u8>, size: usize) {
    Object::write(out, |object| {
        object.flag("omitted", true);
        object.number("originalSize", size as u64);
        object.text("reason", "The value is too large for the record of an event.");
    });
}

/// `json`, or what stands for it if it is longer than `limit`.
pub(crate) fn shown(json: &[u8], limit: usize) -> Cow<'_, [u8]> {
    if json.len() <= limit {
        return Cow::Borrowed(json);
    }
    let mut instead = Vec::new();
    omitted(&mut instead, json.len());
    Cow::Owned(instead)
}
