//! The scrub: everything stored is read and verified.
//!
//! It opens what is stored as the service itself: neither policies nor a key's state stand in its way, as nothing that it opens
//! leaves it. Of SSE-C data it has no key, and of data under a deleted KMS key nobody has: there the CRC-64/NVME that the sealed
//! record holds of the sealed bytes must do, inline and in blobs alike. What it cannot see is a row that was replaced by an
//! older one of itself together with everything that belonged to it.

use crate::acquire::{Identity, ObjectKeys};
use crate::bucket::Bucket;
use crate::commit::ATTEMPTS;
use crate::error::Error;
use crate::multipart::UploadId;
use crate::name::{BucketName, ObjectName};
use crate::objects::Objects;
use crate::record::{Location, Part, Parts, SealedKey};
use crate::rows::Owner;
use crate::sweep::Standing;
use blob::{Crc64, Reader};
use bytes::Bytes;
use meta::{Order, Range, Row, Table};
use seal::stream::{Layout, Opener};
use std::collections::HashMap;
use std::sync::Arc;

/// Something stored that is not as it was written.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The bucket, if its record could be read.
    pub bucket: Option<BucketName>,
    /// The object.
    pub name: Option<ObjectName>,
    /// The part, for multipart objects and uploads.
    pub part: Option<u16>,
    /// The blob's id in hexadecimal, if it is one.
    pub blob: Option<String>,
    /// The record's kind and row key in hexadecimal, if it belongs to no object.
    pub record: Option<String>,
    /// What is wrong.
    pub damage: Damage,
}

/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// A record does not open under its key, is missing beside another that needs it, or holds what its version cannot hold.
    Record,
    /// A blob or body that a record names is not there.
    Missing,
    /// A blob's header is not that of this blob: damaged, or the file is another's.
    Header,
    /// A blob or body is shorter or longer than its record says.
    Length,
    /// A blob's or body's CRC-64/NVME differs from its record's, and there is no key to say more.
    Checksum,
    /// A segment's tag or a part's key commitment does not verify.
    Tag,
    /// The disk does not give the bytes back.
    Unreadable,
    /// The KMS key is gone: the tags could not be verified. What could be was.
    KeyUnavailable,
}

/// What a scrub looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Objects and open uploads' parts.
    pub objects: u64,
    /// Blobs.
    pub blobs: u64,
    /// Sealed bytes.
    pub bytes: u64,
    /// Records of keys, materials and aliases.
    pub keys: u64,
    /// Files that no record names: no damage, the sweep deletes them.
    pub orphans: u64,
    /// Findings.
    pub findings: u64,
}

impl Objects {
    /// Reads everything once and reports what is damaged. Beside running requests it may count what comes and goes meanwhile or
    /// not, but reports no damage that is none.
    pub async fn scrub(&self, sink: &mut (dyn FnMut(Finding) + Send)) -> Result<ScrubReport, Error> {
        let mut scrub = Scrub { objects: self, sink, report: ScrubReport::default() };
        scrub.keys().await?;
        let buckets = scrub.buckets().await?;
        scrub.all_objects(&buckets).await?;
        scrub.uploads(&buckets).await?;
        scrub.files().await?;
        Ok(scrub.report)
    }
}

type Buckets = HashMap<[u8; 16], Arc<Bucket>>;

struct Scrub<'a> {
    objects: &'a Objects,
    sink: &'a mut (dyn FnMut(Finding) + Send),
    report: ScrubReport,
}

/// What is wrong with an object or upload, and with which of its parts.
type Damages = Vec<(Option<Part>, Damage)>;

impl Scrub<'_> {
    async fn keys(&mut self) -> Result<(), Error> {
        let mut damaged = Vec::new();
        self.report.keys = self.objects.keys.verify(&mut |damage| damaged.push(damage.to_string())).await?;
        for record in damaged {
            self.report(Finding { record: Some(record), ..Finding::new(None, None, Damage::Record) });
        }
        Ok(())
    }

    /// All buckets by their ids. One that does not open is reported, and what lies in it is verified as far as it goes.
    async fn buckets(&mut self) -> Result<Buckets, Error> {
        let mut buckets = HashMap::new();
        let mut scan = Scan::all(Table::Bucket);
        while let Some(rows) = scan.next(self.objects).await? {
            for row in rows {
                let name = std::str::from_utf8(&row.key).ok().and_then(|name| BucketName::parse(name).ok());
                let Some(name) = name else {
                    let record = Some(format!("bucket at row {}", data_encoding::HEXLOWER.encode(&row.key)));
                    self.report(Finding { record, ..Finding::new(None, None, Damage::Record) });
                    continue;
                };
                match self.objects.bucket(&name).await {
                    Ok(bucket) => drop(buckets.insert(bucket.id, bucket)),
                    Err(Error::NoSuchBucket) => {}
                    Err(Error::DamagedObject) => self.report(Finding::new(Some(&name), None, Damage::Record)),
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(buckets)
    }

    async fn all_objects(&mut self, buckets: &Buckets) -> Result<(), Error> {
        let mut scan = Scan::all(Table::Object);
        while let Some(rows) = scan.next(self.objects).await? {
            for row in rows {
                let Some((bucket, name)) = self.place(buckets, &row.key) else { continue };
                let Some(damages) = self.object(bucket, name.as_ref(), &row.key).await? else { continue };
                self.report.objects += 1;
                self.report_all(bucket, name.as_ref(), damages);
            }
        }
        Ok(())
    }

    /// The bucket and name of an object's row key; `None` and reported if it is too short to be one.
    fn place<'b>(&mut self, buckets: &'b Buckets, key: &[u8]) -> Option<(Option<&'b Bucket>, Option<ObjectName>)> {
        let Some((id, name)) = key.split_first_chunk::<16>() else {
            let record = Some(format!("object at row {}", data_encoding::HEXLOWER.encode(key)));
            self.report(Finding { record, ..Finding::new(None, None, Damage::Record) });
            return None;
        };
        let name = std::str::from_utf8(name).ok().and_then(|name| ObjectName::parse(name).ok());
        Some((buckets.get(id).map(Arc::as_ref), name))
    }

    /// What is wrong with an object; `None` if it is gone meanwhile. Its row may be replaced while it is being verified: then what
    /// was found means nothing.
    async fn object(
        &mut self,
        bucket: Option<&Bucket>,
        name: Option<&ObjectName>,
        key: &Bytes,
    ) -> Result<Option<Damages>, Error> {
        for _ in 0..ATTEMPTS {
            let Some(row) = self.objects.store.record(Table::Object, key).await? else { return Ok(None) };
            let before = self.report;
            let damages = self.object_row(bucket, name, key, &row).await?;
            if damages.is_empty() || self.objects.store.get(Table::Object, key).await? == Some(row.value) {
                return Ok(Some(damages));
            }
            self.report = before;
        }
        Ok(Some(Vec::new()))
    }

    async fn object_row(
        &mut self,
        bucket: Option<&Bucket>,
        name: Option<&ObjectName>,
        key: &Bytes,
        row: &meta::Record,
    ) -> Result<Damages, Error> {
        let Ok(record) = self.objects.object_record(key, &row.value) else { return Ok(vec![(None, Damage::Record)]) };
        let Ok(parts) = self.objects.parts(key, &record, row.body.as_ref()) else {
            return Ok(vec![(None, Damage::Record)]);
        };
        let mut damages = Vec::new();
        if matches!(&record.parts, Parts::Single(part) if part.stored_blob().is_some() && row.body.is_some()) {
            damages.push((None, Damage::Record));
        }
        let identity = bucket.zip(name).map(|(bucket, name)| Identity {
            bucket,
            name,
            version: &record.version,
            data_id: &record.data_id,
        });
        let keys = self.open_keys(identity, &record.key, &mut damages).await?;
        let owner = Owner::Object { key: key.clone(), data_id: record.data_id };
        for part in parts {
            let found = self.part(&part, keys.as_ref(), row.body.as_ref(), &owner).await?;
            damages.extend(found.into_iter().map(|damage| (Some(part.clone()), damage)));
        }
        Ok(damages)
    }

    async fn uploads(&mut self, buckets: &Buckets) -> Result<(), Error> {
        let mut scan = Scan::all(Table::Upload);
        while let Some(rows) = scan.next(self.objects).await? {
            for row in rows {
                // bucket id ‖ name ‖ 00 ‖ upload id
                let object = &row.key[..row.key.len().saturating_sub(17)];
                let Some((bucket, name)) = self.place(buckets, object) else { continue };
                let upload = UploadId::of_row(&row.key)?;
                let mut damages = Vec::new();
                let keys = match self.objects.upload_record(&row.key, &row.value) {
                    Ok(record) => {
                        let (version, data_id) = (&record.version, &record.data_id);
                        let identity =
                            bucket.zip(name.as_ref()).map(|(bucket, name)| Identity { bucket, name, version, data_id });
                        self.open_keys(identity, &record.key, &mut damages).await?
                    }
                    Err(_) => {
                        damages.push((None, Damage::Record));
                        None
                    }
                };
                let mut parts = Scan { range: Some(Range::prefix(upload.as_bytes())), table: Table::Part };
                while let Some(rows) = parts.next(self.objects).await? {
                    for row in rows {
                        damages.extend(self.upload_part(row, keys.as_ref()).await?);
                    }
                }
                let gone = !damages.is_empty()
                    && self.objects.store.get(Table::Upload, &row.key).await?.as_ref() != Some(&row.value);
                if !gone {
                    self.report_all(bucket, name.as_ref(), damages);
                }
            }
        }
        Ok(())
    }

    /// A part of an open upload. One that is replaced meanwhile is left out.
    async fn upload_part(&mut self, row: Row, keys: Option<&ObjectKeys>) -> Result<Damages, Error> {
        self.report.objects += 1;
        let Ok(record) = self.objects.part_record(&row.key, &row.value) else {
            return Ok(vec![(None, Damage::Record)]);
        };
        let part = record.part;
        let mut damages = Vec::new();
        if part.stored_blob().is_none() || row.key.last_chunk() != Some(&part.number.to_be_bytes()) {
            damages.push((Some(part.clone()), Damage::Record));
        }
        let owner = Owner::Part { key: row.key.clone() };
        let found = self.part(&part, keys, None, &owner).await?;
        damages.extend(found.into_iter().map(|damage| (Some(part.clone()), damage)));
        if !damages.is_empty() && self.objects.store.get(Table::Part, &row.key).await?.as_ref() != Some(&row.value) {
            return Ok(Vec::new());
        }
        Ok(damages)
    }

    /// The object keys, if anybody but the customer can open them.
    async fn open_keys(
        &self,
        identity: Option<Identity<'_>>,
        sealed: &SealedKey,
        damages: &mut Damages,
    ) -> Result<Option<ObjectKeys>, Error> {
        let Some(identity) = identity else {
            // A bucket without a record, which the sealed key is bound to.
            damages.push((None, Damage::Record));
            return Ok(None);
        };
        match self.objects.keys_for_verification(identity, sealed).await {
            Ok(keys) => Ok(keys),
            Err(Error::DamagedObject) => {
                damages.push((None, Damage::Record));
                Ok(None)
            }
            Err(Error::Kms(_) | Error::Internal) => {
                damages.push((None, Damage::KeyUnavailable));
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    async fn part(
        &mut self,
        part: &Part,
        keys: Option<&ObjectKeys>,
        body: Option<&Bytes>,
        owner: &Owner,
    ) -> Result<Vec<Damage>, Error> {
        let mut damages = Vec::new();
        let opener = match keys.map(|keys| keys.opener(part)) {
            Some(Ok(opener)) => Some(opener),
            Some(Err(_)) => {
                damages.push(Damage::Tag);
                None
            }
            None => None,
        };
        let mut check = Check { layout: part.layout(), opener, crc: Crc64::new(), next: 0, tags: true };
        match part.location {
            Location::Inline { crc64 } => damages.extend(self.inline(check, crc64, body)),
            Location::Blob { crc64 } => {
                self.report.blobs += 1;
                // Without its row, or with another owner's, the sweep would delete it.
                let row = self.objects.store.get(Table::Blob, part.blob.as_bytes()).await?;
                if row.and_then(|row| self.objects.blob_owner(part.blob, &row).ok()).as_ref() != Some(owner) {
                    damages.push(Damage::Record);
                }
                let read = match self.objects.blobs.open(part.blob).await {
                    Ok(reader) if reader.len() != check.layout.sealed_len() => Err(Damage::Length),
                    Ok(reader) => self.blob(reader, &mut check).await,
                    Err(error) => Err(damage(&error)),
                };
                damages.extend(match read {
                    Ok(()) => check.finish(crc64),
                    Err(damage) => Some(damage),
                });
            }
        }
        Ok(damages)
    }

    fn inline(&mut self, mut check: Check, crc64: u64, body: Option<&Bytes>) -> Option<Damage> {
        let Some(body) = body else { return Some(Damage::Missing) };
        if body.len() as u64 != check.layout.sealed_len() {
            return Some(Damage::Length);
        }
        self.report.bytes += body.len() as u64;
        check.update(&mut body.to_vec());
        check.finish(crc64)
    }

    async fn blob(&mut self, mut reader: Box<dyn Reader>, check: &mut Check) -> Result<(), Damage> {
        let layout = check.layout;
        while check.next < layout.segments() {
            let start = layout.sealed_offset(check.next);
            let end = layout.sealed_offset(check.next + READ_SEGMENTS);
            let len = usize::try_from(end - start).expect("a mebibyte and its tags");
            let buffer = self.objects.blobs.buffers().take();
            let mut buffer = reader.read_at(start, buffer, len).await.map_err(|error| damage(&error))?;
            self.report.bytes += end - start;
            check.update(&mut buffer);
            // A read from the page cache does not wait, and others want this thread too.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Counts files that nobody needs.
    async fn files(&mut self) -> Result<(), Error> {
        let mut after = None;
        loop {
            let entries = self.objects.blobs.list(after, BATCH).await?;
            for entry in &entries {
                let held = self.objects.in_flight.contains(entry.id);
                if !held && matches!(self.objects.standing(entry.id).await?, Standing::Orphan(_)) {
                    self.report.orphans += 1;
                }
            }
            match entries.last() {
                Some(last) => after = Some(last.id),
                None => return Ok(()),
            }
        }
    }

    fn report(&mut self, finding: Finding) {
        self.report.findings += 1;
        (self.sink)(finding);
    }

    fn report_all(&mut self, bucket: Option<&Bucket>, name: Option<&ObjectName>, damages: Damages) {
        for (part, damage) in damages {
            let finding = Finding::new(bucket.map(|bucket| &bucket.name), name, damage);
            let blob = part.as_ref().and_then(Part::stored_blob).map(|blob| blob.to_string());
            self.report(Finding { part: part.map(|part| part.number), blob, ..finding });
        }
    }
}

impl Finding {
    fn new(bucket: Option<&BucketName>, name: Option<&ObjectName>, damage: Damage) -> Finding {
        Finding { bucket: bucket.cloned(), name: name.cloned(), part: None, blob: None, record: None, damage }
    }
}

/// Sealed bytes being verified, from the first to the last.
struct Check {
    layout: Layout,
    opener: Option<Opener>,
    crc: Crc64,
    /// The next segment.
    next: u64,
    /// Whether all tags so far have verified.
    tags: bool,
}

impl Check {
    /// Takes in whole segments, and destroys them.
    fn update(&mut self, mut sealed: &mut [u8]) {
        self.crc.update(sealed);
        while !sealed.is_empty() {
            let (slot, rest) = sealed.split_at_mut(self.layout.slot_len(self.next));
            if let Some(opener) = &self.opener {
                self.tags &= opener.open_segment(self.next, self.layout.is_last(self.next), slot).is_ok();
                // Plaintext is of no use here.
                slot.fill(0);
            }
            self.next += 1;
            sealed = rest;
        }
    }

    fn finish(self, crc64: u64) -> Option<Damage> {
        match (self.tags, self.crc.value() == crc64) {
            (false, _) => Some(Damage::Tag),
            (true, false) => Some(Damage::Checksum),
            (true, true) => None,
        }
    }
}

fn damage(error: &blob::Error) -> Damage {
    match error {
        blob::Error::NotFound(_) => Damage::Missing,
        blob::Error::Damaged { .. } => Damage::Header,
        blob::Error::Truncated(_) => Damage::Length,
        _ => Damage::Unreadable,
    }
}

/// A walk over a table in batches.
struct Scan {
    table: Table,
    /// What is left; `None` at the end.
    range: Option<Range>,
}

impl Scan {
    fn all(table: Table) -> Scan {
        Scan { table, range: Some(Range::all()) }
    }

    async fn next(&mut self, objects: &Objects) -> Result<Option<Vec<Row>>, Error> {
        let Some(range) = self.range.take() else { return Ok(None) };
        let rows = objects.store.scan(self.table, &range, Order::Ascending, BATCH).await?;
        if let Some(last) = rows.last().filter(|_| rows.len() == BATCH) {
            self.range = Some(range.after(&last.key));
        }
        Ok(Some(rows))
    }
}

/// Rows or files in one go: at most 16 MiB, as a value has at most 64 KiB.
const BATCH: usize = 256;
/// Segments of one read: a mebibyte.
const READ_SEGMENTS: u64 = 16;
