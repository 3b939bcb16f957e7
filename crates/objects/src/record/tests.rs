//! Every kind of record goes both ways, and nothing that is not one gets through or panics.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::codec::Encoder;
use super::*;
use crate::bucket::{BlockedTypes, BucketEncryption, DefaultEncryption};
use crate::metadata::Metadata;
use crate::public_access::PublicAccessBlock;
use crate::tags::Tags;
use blob::BlobId;
use bytes::Bytes;
use keys::{AccountId, Region};
use proptest::prelude::*;
use seal::EncryptionContext;
use seal::stream::{Commitment, PartSalt};

fn layer(byte: u8) -> Layer {
    Layer { salt: PartSalt::from_bytes([byte; 32]), commitment: Commitment::from_bytes([byte + 1; 32]) }
}

fn part(number: u16, size: u64, layers: usize, location: Location) -> Part {
    Part {
        number,
        size,
        blob: BlobId::from_bytes([9; 16]),
        location,
        inner: layer(1),
        outer: (layers == 2).then(|| layer(3)),
        checksum: ChecksumValue::from_bytes(Algorithm::Crc32, &[1, 2, 3, 4]),
    }
}

fn keys() -> [SealedKey; 4] {
    let mut context = EncryptionContext::new();
    context.insert("a", "b").unwrap();
    context.insert("", "").unwrap();
    let (blob, key_arn) = (Bytes::from_static(b"blob"), "arn:aws:kms:eu-central-1:111122223333:key/x".to_owned());
    let inner = Bytes::from_static(b"inner");
    let service_blob = Bytes::from_static(b"service");
    [
        SealedKey { source: KeySource::Service { blob: blob.clone() }, inner: inner.clone(), outer: None },
        SealedKey {
            source: KeySource::Kms {
                key_arn: key_arn.clone(),
                blob: blob.clone(),
                context: Some(context.clone()),
                bucket_key: true,
            },
            inner: inner.clone(),
            outer: None,
        },
        SealedKey {
            source: KeySource::Dsse { key_arn, blob: blob.clone(), context: Some(context), service_blob },
            inner: inner.clone(),
            outer: Some(Bytes::from_static(b"outer")),
        },
        SealedKey { source: KeySource::Customer { check: blob }, inner, outer: None },
    ]
}

fn objects() -> Vec<ObjectRecord> {
    let mut metadata = Metadata { content_type: Some("text/plain".to_owned()), ..Metadata::default() };
    metadata.user.insert("owner".to_owned(), "ä".to_owned());
    let crc = ChecksumValue::from_bytes(Algorithm::Crc64Nvme, &[7; 8]).unwrap();
    let record = |key: SealedKey, parts: Parts, checksum: Checksum| ObjectRecord {
        version: [1; 16],
        data_id: [2; 16],
        size: 70_000,
        modified: from_milliseconds(1_700_000_000_123),
        etag: ETag::single([5; 16]),
        key,
        metadata: metadata.clone(),
        checksum: Some(checksum),
        parts,
        tags: Tags::default(),
    };
    let composite = Checksum { value: crc, kind: ChecksumType::Composite, parts: Some(3) };
    keys()
        .into_iter()
        .flat_map(|key| {
            let layers = if key.outer.is_some() { 2 } else { 1 };
            let single = Parts::Single(Box::new(part(1, 70_000, layers, Location::Blob { crc64: 77 })));
            [record(key.clone(), single, Checksum::full(crc)), record(key, Parts::Manifest(3), composite)]
        })
        .collect()
}

fn tags() -> Tags {
    Tags::of_object(vec![("team".to_owned(), "blue".to_owned()), ("ä".to_owned(), String::new())]).unwrap()
}

#[test]
fn objects_go_both_ways() {
    for record in objects() {
        assert_eq!(ObjectRecord::decode(&record.encode()), Ok(record.clone()));
        let tagged = ObjectRecord { tags: tags(), ..record };
        assert_eq!(ObjectRecord::decode(&tagged.encode()), Ok(tagged));
    }
}

/// A bucket of a release that knew neither policies nor Block Public Access, byte for byte.
#[test]
fn a_bucket_of_the_first_release_has_everything_blocked() {
    let bytes = [
        &[1, 1, 16][..],
        &[3; 16],
        &[2, 12],
        b"111122223333",
        &[3, 12],
        b"eu-central-1",
        &[4, 8, 0, 0, 0, 0, 0, 0, 0, 1, 5, 1, 1, 7, 1, 0, 8, 1, 1],
    ]
    .concat();
    let record = BucketRecord::decode(&bytes).unwrap();
    assert_eq!((record.public_access_block, record.policy), (Some(PublicAccessBlock::ALL), None));
    assert!(record.tags.is_empty() && record.encryption.blocked.customer);
}

#[test]
fn buckets_uploads_and_parts_go_both_ways() {
    for default in [
        DefaultEncryption::SseS3,
        DefaultEncryption::SseKms { key: Some("alias/x".to_owned()) },
        DefaultEncryption::DsseKms { key: None },
    ] {
        let record = BucketRecord {
            id: [3; 16],
            owner: AccountId::parse("111122223333").unwrap(),
            region: Region::parse("eu-central-1").unwrap(),
            created: from_milliseconds(1),
            encryption: BucketEncryption { default, bucket_key: true, blocked: BlockedTypes { customer: true } },
            policy: Some("{}".to_owned()),
            public_access_block: None,
            tags: tags(),
        };
        assert_eq!(BucketRecord::decode(&record.encode()), Ok(record));
    }
    for key in keys() {
        let record = UploadRecord {
            version: [1; 16],
            data_id: [2; 16],
            initiated: from_milliseconds(1),
            initiator: "arn:aws:iam::111122223333:root".to_owned(),
            key,
            by_default: true,
            metadata: Metadata::default(),
            checksum: Some((Algorithm::Sha256, ChecksumType::Composite)),
            tags: tags(),
            said: vec![("x-amz-acl".to_owned(), "bucket-owner-full-control".to_owned())],
        };
        assert_eq!(UploadRecord::decode(&record.encode()), Ok(record));
    }
    for location in [Location::Inline { crc64: 0 }, Location::Blob { crc64: u64::MAX }] {
        let record = PartRecord {
            part: part(10_000, 5, 2, location),
            etag: ETag::multipart([5; 16], 9),
            modified: from_milliseconds(2),
            claimed: ChecksumValue::from_bytes(Algorithm::Sha1, &[4; 20]),
        };
        assert_eq!(PartRecord::decode(&record.encode()), Ok(record));
    }
}

#[test]
fn a_manifest_must_fit_its_record() {
    let record = objects().into_iter().find(|record| record.parts == Parts::Manifest(3)).unwrap();
    let blob = |number, size| part(number, size, 1, Location::Blob { crc64: 1 });
    let good = [blob(1, 30_000), blob(2, 30_000), blob(9, 10_000)];
    assert_eq!(decode_manifest(&record, &encode_manifest(&good)), Ok(good.to_vec()));
    let inline = part(9, 10_000, 1, Location::Inline { crc64: 1 });
    let doubled = part(9, 10_000, 2, Location::Blob { crc64: 1 });
    for bad in [
        vec![blob(1, 60_000), blob(2, 10_000)],
        vec![blob(1, 30_000), blob(2, 30_000), blob(3, 10_001)],
        vec![blob(1, u64::from(u32::MAX)), blob(2, 1), blob(3, 1)],
        vec![blob(1, 30_000), blob(2, 30_000), inline],
        vec![blob(1, 30_000), blob(2, 30_000), doubled],
        Vec::new(),
    ] {
        assert!(decode_manifest(&record, &encode_manifest(&bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn a_field_of_a_later_release_is_skipped_or_refused() {
    for record in objects() {
        let mut bytes = record.encode();
        let mut later = Encoder::nested();
        later.field(0xc0, b"may be skipped");
        bytes.extend_from_slice(&later.finish());
        assert_eq!(ObjectRecord::decode(&bytes), Ok(record));
        let mut later = Encoder::nested();
        later.field(0x70, b"must be understood");
        bytes.extend_from_slice(&later.finish());
        assert!(ObjectRecord::decode(&bytes).is_err());
    }
}

/// A record of this release, byte for byte: what is stored today must open for ever.
#[test]
fn the_bytes_of_version_1() {
    let record = &objects()[0];
    let bytes = data_encoding::HEXLOWER.decode(VERSION_1.replace('\n', "").as_bytes()).unwrap();
    assert_eq!(data_encoding::HEXLOWER.encode(&record.encode()), data_encoding::HEXLOWER.encode(&bytes));
    assert_eq!(ObjectRecord::decode(&bytes).as_ref(), Ok(record));
}

const VERSION_1: &str = "
0101100101010101010101010101010101010102100202020202020202020202020202020203080000000000011170040800
00018bcfe5687b051205050505050505050505050505050505000006100101010205696e6e65720604626c6f620717010a74
6578742f706c61696e08056f776e65720902c3a4080c01000003070707070707070709730102000102080000000000011170
0310090909090909090909090909090909090440010101010101010101010101010101010101010101010101010101010101
010102020202020202020202020202020202020202020202020202020202020202020508000000000000004d060501010203
04";

proptest! {
    #[test]
    fn any_bytes_decode_or_do_not(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        decode_any(&bytes);
    }

    #[test]
    fn changed_records_decode_or_do_not(which in 0_usize..8, place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = objects()[which].encode();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        decode_any(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        decode_any(&bytes);
    }
}
