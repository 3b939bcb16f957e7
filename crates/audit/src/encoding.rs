//! An event as bytes: what is hashed into the chain, and what a block holds.
//!
//! ```text
//! E = length of all that follows (4) ‖ id (16) ‖ time, ms (8) ‖ account (12) ‖ flags (1) ‖ Region ‖ event name ‖ event source
//!     ‖ user name? ‖ access key id? ‖ number of resources (2) ‖ (type ‖ name)* ‖ record, to the end
//! ```

use bytes::Bytes;
use keys::{AccountId, Region};
use uuid::Uuid;

use crate::chain::Hash;
use crate::codec::{Decoder, put_option, put_text};
use crate::error::Error;
use crate::event::{Category, Event, MAX_RECORD, Resource, Searchable};
use crate::index::{MAX_RESOURCES, Term};

/// An event, ready for a block. Made where the event is made, so that the committer has little left to do.
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: Hash,
    pub(crate) time: u64,
    /// What a management event is found by; nothing of others.
    pub(crate) terms: Vec<Term>,
}

impl Encoded {
    pub(crate) fn of(event: &Event) -> Result<Encoded, Error> {
        if event.record.len() > MAX_RECORD {
            return Err(Error::TooLarge { size: event.record.len(), limit: MAX_RECORD });
        }
        let bytes = encode(event);
        let hash = Hash::of(&bytes);
        let terms = match event.category {
            Category::Management => Term::all_of(event),
            Category::Data => Vec::new(),
        };
        Ok(Encoded { bytes, hash, time: event.time.as_millis(), terms })
    }
}

fn encode(event: &Event) -> Vec<u8> {
    let Searchable { event_name, event_source, read_only, user_name, access_key_id, resources } = &event.searchable;
    let mut bytes = Vec::with_capacity(event.record.len() + 512);
    bytes.extend_from_slice(&[0; LENGTH]);
    bytes.extend_from_slice(event.id.as_bytes());
    bytes.extend_from_slice(&event.time.as_millis().to_be_bytes());
    bytes.extend_from_slice(event.account.as_str().as_bytes());
    let data = match event.category {
        Category::Management => 0,
        Category::Data => DATA,
    };
    bytes.push(data | if *read_only { READ_ONLY } else { 0 });
    put_text(&mut bytes, event.region.as_str());
    put_text(&mut bytes, cut(event_name));
    put_text(&mut bytes, cut(event_source));
    put_option(&mut bytes, user_name.as_deref().map(cut));
    put_option(&mut bytes, access_key_id.as_deref().map(cut));
    let kept = resources.len().min(MAX_RESOURCES);
    bytes.extend_from_slice(&u16::try_from(kept).unwrap_or(u16::MAX).to_be_bytes());
    for resource in &resources[..kept] {
        put_text(&mut bytes, cut(&resource.kind));
        put_text(&mut bytes, cut(&resource.name));
    }
    bytes.extend_from_slice(&event.record);
    let length =
        u32::try_from(bytes.len() - LENGTH).expect("a record is at most 256 KiB, what is searchable less than 512");
    bytes[..LENGTH].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// Takes the first event off a block's payload. `None` if it is not of this form.
pub(crate) fn take(payload: &mut Bytes) -> Option<(Event, Hash)> {
    let length = usize::try_from(u32::from_be_bytes(*payload.first_chunk()?)).ok()?;
    let whole = length.checked_add(LENGTH).filter(|whole| *whole <= payload.len())?;
    let bytes = payload.split_to(whole);
    Some((decode(&bytes)?, Hash::of(&bytes)))
}

fn decode(bytes: &Bytes) -> Option<Event> {
    let mut from = Decoder(&bytes[LENGTH..]);
    let id = Uuid::from_bytes(from.array()?);
    let time = from.time()?;
    let account = AccountId::parse(std::str::from_utf8(from.bytes(AccountId::LEN)?).ok()?).ok()?;
    let flags = from.byte().filter(|flags| flags & !(DATA | READ_ONLY) == 0)?;
    let region = Region::parse(from.text()?).ok()?;
    let event_name = from.text()?.to_owned();
    let event_source = from.text()?.to_owned();
    let user_name = from.option()?.map(str::to_owned);
    let access_key_id = from.option()?.map(str::to_owned);
    let resource = |from: &mut Decoder<'_>| Some(Resource { kind: from.text()?.into(), name: from.text()?.into() });
    let resources = (0..from.short()?).map(|_| resource(&mut from)).collect::<Option<_>>()?;
    let record = bytes.slice(bytes.len() - from.0.len()..);
    let read_only = flags & READ_ONLY != 0;
    let searchable = Searchable { event_name, event_source, read_only, user_name, access_key_id, resources };
    let category = if flags & DATA == 0 { Category::Management } else { Category::Data };
    Some(Event { id, time, account, region, category, searchable, record })
}

/// What is searchable ends here: ARNs have at most 2,048 characters, and S3's are the longest of all. The record has the whole.
pub(crate) fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(MAX_TEXT)).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

/// Bytes of the length in front.
const LENGTH: usize = 4;
/// Flag: a data event.
const DATA: u8 = 1;
/// Flag: `readOnly`.
const READ_ONLY: u8 = 2;
const MAX_TEXT: usize = 2_048;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::testing::event;

    #[test]
    fn an_event_reads_as_it_was_written() {
        let mut payload = Vec::new();
        let events: Vec<Event> = (0..20).map(event).collect();
        for event in &events {
            payload.extend_from_slice(&Encoded::of(event).unwrap().bytes);
        }
        let mut payload = Bytes::from(payload);
        for event in &events {
            let (read, hash) = take(&mut payload).unwrap();
            assert_eq!((&read, hash), (event, Encoded::of(event).unwrap().hash));
        }
        assert!(payload.is_empty() && take(&mut payload).is_none());
    }

    #[test]
    fn what_is_cut_short_is_no_event() {
        let bytes = Encoded::of(&event(3)).unwrap().bytes;
        for length in 0..bytes.len() {
            assert!(take(&mut Bytes::copy_from_slice(&bytes[..length])).is_none(), "{length}");
        }
    }

    #[test]
    fn long_texts_end_where_a_character_does() {
        assert_eq!(cut(&"ä".repeat(2_000)).len(), 2_048);
        assert_eq!(cut(&format!("a{}", "ä".repeat(2_000))).len(), 2_047);
        assert_eq!(cut("short"), "short");
        let mut long = event(1);
        long.record = Bytes::from(vec![b' '; MAX_RECORD + 1]);
        assert!(matches!(Encoded::of(&long), Err(Error::TooLarge { .. })));
    }
}
