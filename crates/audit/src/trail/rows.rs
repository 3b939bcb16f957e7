//! The rows of trails, all in the table of settings: their keys, and their values as sealed JSON. docs/formats/trails.md.

use keys::{AccountId, RecordSealer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::Error;

/// The kind of a trail's row, under which it is sealed.
pub(crate) const TRAIL: &[u8] = b"trail";
/// That of a delivery's state.
pub(crate) const STATE: &[u8] = b"trail state";
/// That of a signing key.
pub(crate) const SIGNING_KEY: &[u8] = b"digest signing key";

/// What the rows of all trails begin with, those of deleted ones too.
pub(crate) const TRAILS: &str = "trail/";

pub(crate) fn trail(account: AccountId, home: &str, name: &str) -> String {
    format!("trail/{account}/{home}/{name}")
}

/// A deleted trail's, until its last files are delivered.
pub(crate) fn ended(id: &str) -> String {
    format!("trail/ended/{id}")
}

pub(crate) fn states(id: &str) -> String {
    format!("trail-state/{id}/")
}

pub(crate) fn state(id: &str, region: &str) -> String {
    format!("trail-state/{id}/{region}")
}

pub(crate) fn signing_keys(region: &str) -> String {
    format!("trail-key/{region}/")
}

pub(crate) fn signing_key(region: &str, from: u64) -> String {
    format!("trail-key/{region}/{from:020}")
}

/// Version, then JSON; sealed, bound to the row.
pub(crate) fn seal(sealer: &RecordSealer, kind: &[u8], key: &[u8], value: &impl Serialize) -> Vec<u8> {
    let json = Zeroizing::new(serde_json::to_vec(value).expect("rows of trails are always JSON"));
    let mut plain = Zeroizing::new(Vec::with_capacity(1 + json.len()));
    plain.push(VERSION);
    plain.extend_from_slice(&json);
    sealer.seal(kind, key, &plain)
}

pub(crate) fn open<T: DeserializeOwned>(
    sealer: &RecordSealer,
    kind: &[u8],
    key: &[u8],
    value: &[u8],
) -> Result<T, Error> {
    let damaged = || Error::damaged("row of trails");
    let plain = sealer.open(kind, key, value).map_err(|_| damaged())?;
    match plain.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|_| damaged()),
        _ => Err(damaged()),
    }
}

const VERSION: u8 = 1;
