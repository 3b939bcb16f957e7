//! What the maker of a session passes to it, compressed: session policies, session tags.
//!
//! AWS has a limit on the compressed size that it does not publish; `PackedPolicySize` is the percentage of it. Ours is
//! [`MAX_PACKED`].

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::bytes::{Reader, Writer};

/// Bytes, compressed.
pub const MAX_PACKED: usize = 2_048;
/// Bytes, unpacked: 50 tags of 128 and 256 characters of four bytes, as many inherited ones, and a policy.
const MAX_UNPACKED: usize = 192 * 1024;
/// The best that there is; the input is small.
const LEVEL: u8 = 9;

/// Session policies and tags.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Packed {
    /// The inline session policy, as it was passed.
    pub(crate) policy: Option<String>,
    /// ARNs of managed session policies. Their documents are looked up whenever the session is used.
    pub(crate) policy_arns: Vec<String>,
    /// Session tags, inherited ones among them.
    pub(crate) tags: Vec<(String, String)>,
    /// Keys of the tags that the next role in a chain inherits.
    pub(crate) transitive_tag_keys: Vec<String>,
}

impl Packed {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the session has session policies, and so no more permissions than they allow.
    pub(crate) fn has_policies(&self) -> bool {
        self.policy.is_some() || !self.policy_arns.is_empty()
    }

    /// The compressed bytes; none for nothing. `None`: too large for any token.
    pub(crate) fn pack(&self) -> Option<Vec<u8>> {
        if self.is_empty() {
            return Some(Vec::new());
        }
        let mut out = Writer::default();
        out.byte(u8::from(self.policy.is_some()));
        out.text(self.policy.as_deref().unwrap_or_default())?;
        out.list(&self.policy_arns, |out, arn| out.text(arn))?;
        out.list(&self.tags, |out, (key, value)| out.text(key).and_then(|()| out.text(value)))?;
        out.list(&self.transitive_tag_keys, |out, key| out.text(key))?;
        Some(compress_to_vec(&out.0, LEVEL))
    }

    /// The reverse. `None`: not such bytes.
    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let bytes = decompress_to_vec_with_limit(bytes, MAX_UNPACKED).ok()?;
        let mut from = Reader(&bytes);
        let has_policy = match from.byte()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let policy = from.text()?;
        let packed = Self {
            policy: has_policy.then_some(policy),
            policy_arns: from.list(Reader::text)?,
            tags: from.list(|from| Some((from.text()?, from.text()?)))?,
            transitive_tag_keys: from.list(Reader::text)?,
        };
        from.0.is_empty().then_some(packed)
    }

    /// How much of what there may be `packed` bytes take, in percent; more than 100 is too much.
    pub(crate) fn percentage(packed: usize) -> u32 {
        u32::try_from((packed * 100).div_ceil(MAX_PACKED)).unwrap_or(u32::MAX)
    }
}
