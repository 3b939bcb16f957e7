//! The largest upload there can be, without its 50 TB: rows as they would be, over SQLite.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and this one measures")]

use super::*;
use crate::checksum::{Algorithm, ChecksumType, ChecksumValue};
use crate::condition::{DeleteCondition, ETagMatch};
use crate::encryption::EncryptionRequest;
use crate::etag::ETag;
use crate::record::{Layer, Location, Part};
use crate::rows::{Owner, part_key};
use crate::{BlockedTypes, BucketName, Dependencies, GetObject, Settings, Window, system_clock};
use blob::BlobId;
use keys::{AccountId, KeyFile, Keys, Principal, Region};
use meta::Transaction;
use seal::stream::{Commitment, PartSalt};
use std::sync::Arc;
use std::time::Instant;

#[tokio::test]
async fn ten_thousand_parts_are_one_commit() {
    let directory = tempfile::TempDir::new().unwrap();
    let objects = open(directory.path()).await;
    let account = AccountId::parse("111122223333").unwrap();
    let principal = Principal::root(account, "AKIDEXAMPLE");
    let bucket = objects.create_bucket(&principal, &BucketName::parse("a-bucket").unwrap()).await.unwrap();
    let name = ObjectName::parse(&"n".repeat(1_024)).unwrap();

    // The second time over the first: 10,000 blobs come and 10,000 go.
    for round in 1..=2 {
        let request = CreateUpload {
            encryption: EncryptionRequest::DsseKms { key: None, context: None },
            checksum: Some(Algorithm::Sha256),
            ..CreateUpload::default()
        };
        let upload = objects.create_upload(&principal, &bucket, &name, request).await.unwrap().id;
        let parts = objects.write_parts(&upload).await;
        let started = Instant::now();
        let request = CompleteUpload { parts, ..CompleteUpload::default() };
        let stored = objects.complete_upload(&principal, &bucket, &name, &upload, request).await.unwrap();
        eprintln!("round {round}: Complete with {PART_LIMIT} parts took {:?}", started.elapsed());
        assert_eq!(stored.size, u64::from(PART_LIMIT) * MINIMUM_PART);
        assert_eq!(stored.checksum.unwrap().parts, Some(PART_LIMIT));
    }
    let request = GetObject { window: Window::Part(PART_LIMIT), ..GetObject::default() };
    let head = objects.head_object(&principal, &bucket, &name, request).await.unwrap();
    assert_eq!((head.info.parts, head.span.unwrap().len()), (Some(PART_LIMIT), MINIMUM_PART));
    objects.delete_object(&principal, &bucket, &name, &DeleteCondition::default()).await.unwrap();

    let request = CreateUpload { checksum_type: Some(ChecksumType::Composite), ..CreateUpload::default() };
    let request = CreateUpload { checksum: Some(Algorithm::Sha256), ..request };
    let upload = objects.create_upload(&principal, &bucket, &name, request).await.unwrap().id;
    objects.write_parts(&upload).await;
    objects.abort_upload(&principal, &bucket, &name, &upload).await.unwrap();
    for table in [Table::Object, Table::Blob, Table::Upload, Table::Part] {
        assert!(objects.store.scan(table, &Range::all(), Order::Ascending, 1).await.unwrap().is_empty());
    }
}

impl Objects {
    /// All parts of an upload as small as parts may be and as large as their rows can be.
    async fn write_parts(&self, upload: &UploadId) -> Vec<CompletedPart> {
        let layer = Layer { salt: PartSalt::from_bytes([1; 32]), commitment: Commitment::from_bytes([2; 32]) };
        let etag = ETag::single([3; 16]);
        let mut named = Vec::new();
        let mut transaction = Transaction::new();
        for number in 1..=PART_LIMIT {
            let (part_number, blob) = (PartNumber(number), BlobId::generate());
            let key = part_key(upload, part_number);
            let part = Part {
                number,
                size: MINIMUM_PART,
                blob,
                location: Location::Blob { crc64: 4 },
                inner: layer,
                outer: Some(layer),
                checksum: ChecksumValue::from_bytes(Algorithm::Sha256, &[5; 32]),
            };
            let record = PartRecord { part, etag, modified: self.now(), claimed: None };
            let owner = self.seal_row(Table::Blob, blob.as_bytes(), &Owner::Part { key: key.clone() }.encode());
            let value = self.seal_row(Table::Part, &key, &record.encode());
            transaction = transaction.put(Table::Part, &key, value).put(Table::Blob, blob.as_bytes(), owner);
            named.push(CompletedPart {
                number: part_number,
                etag: ETagMatch::Of(vec![etag.to_string()]),
                checksum: record.part.checksum,
            });
        }
        self.store.commit(transaction).await.unwrap();
        named
    }
}

async fn open(directory: &std::path::Path) -> Arc<Objects> {
    let options = meta::sqlite::Options::default();
    let store: Arc<dyn meta::Store> = Arc::new(meta::sqlite::Sqlite::open(&directory.join("meta"), options).unwrap());
    let root = KeyFile::create(&directory.join("root")).unwrap();
    let region = Region::parse("eu-central-1").unwrap();
    let settings = keys::Settings { region: region.clone(), other_regions: vec![], clock: system_clock() };
    let keys = Keys::open(Arc::clone(&store), Arc::new(root), settings).await.unwrap();
    let blobs = blob::local::LocalBlobs::open(&directory.join("blobs"), &blob::local::Options::default()).unwrap();
    let blocked_by_default = BlockedTypes::default();
    let settings =
        Settings { inline_limit: 0, blocked_by_default, public_access_by_default: None, region, clock: system_clock() };
    Objects::open(Dependencies { store, blobs: Arc::new(blobs), keys }, settings).unwrap()
}
