//! Verifying a store at rest.

use objects::Damage;
use serde::Serialize;

use crate::config::Config;
use crate::error::Error;
use crate::open::{Missing, Store};

/// Something stored that is not as it was written.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The bucket, if its record could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The part, of a multipart object or upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    /// The blob's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
    /// The record, if it belongs to no object: a bucket, a KMS key, an alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The kind of damage, for programs.
    pub damage: &'static str,
    /// The kind of damage, for people.
    pub description: &'static str,
}

/// What was looked at.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Objects, and parts of uploads that are not complete.
    pub objects: u64,
    /// Blobs.
    pub blobs: u64,
    /// Sealed bytes.
    pub bytes: u64,
    /// Records of KMS keys, their material and aliases.
    pub keys: u64,
    /// Files that no record names: no damage, the next start deletes them.
    pub orphans: u64,
    /// Findings.
    pub findings: u64,
}

/// Reads and verifies everything in the store, and hands over each finding as it comes.
///
/// # Errors
/// [`Error::InUse`] while a server runs; [`Error::NoStore`]; a store that does not open. Damage is not an error.
pub fn scrub(config: &Config, mut sink: impl FnMut(&Finding) + Send) -> Result<Report, Error> {
    crate::process::harden();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::System("the runtime", error))?;
    runtime.block_on(async {
        let store = Store::open(config, Missing::Refuse).await?;
        let report = store.objects.scrub(&mut |finding| sink(&Finding::from(finding))).await;
        store.close().await;
        let objects::ScrubReport { objects, blobs, bytes, keys, orphans, findings } = report?;
        Ok(Report { objects, blobs, bytes, keys, orphans, findings })
    })
}

impl From<objects::Finding> for Finding {
    fn from(finding: objects::Finding) -> Finding {
        let (damage, description) = match finding.damage {
            Damage::Record => ("record", "its record does not open, or says what cannot be"),
            Damage::Missing => ("missing", "its data is not there"),
            Damage::Header => ("header", "its file is damaged at the start, or is another's"),
            Damage::Length => ("length", "its data is shorter or longer than it was written"),
            Damage::Checksum => ("checksum", "its data has changed: the checksum differs"),
            Damage::Tag => ("tag", "its data has changed: a tag does not verify"),
            Damage::Unreadable => ("unreadable", "the disk does not give its data back"),
            Damage::KeyUnavailable => ("key-unavailable", "its KMS key is gone, so its tags were not verified"),
        };
        Finding {
            bucket: finding.bucket.map(|bucket| bucket.to_string()),
            key: finding.name.map(|name| name.to_string()),
            part: finding.part,
            blob: finding.blob,
            record: finding.record,
            damage,
            description,
        }
    }
}
