//! What was stored comes back, in every mode, at every size and range; copies between any two modes give the same bytes.

use crate::support::{INLINE, MIB, WAYS, Way, World, data, object};
use objects::{
    CopyObject, CopySource, Error, GetObject, MetadataDirective, Mode, RangeSpec, ReadConditions, Window,
    WriteCondition,
};
use proptest::prelude::*;
use std::sync::Arc;

const SEGMENT: usize = 65_536;
const SIZES: [usize; 17] = [
    0,
    1,
    15,
    16,
    4_096,
    INLINE - 1,
    INLINE,
    INLINE + 1,
    2 * SEGMENT - 1,
    2 * SEGMENT,
    2 * SEGMENT + 1,
    16 * SEGMENT - 1,
    MIB,
    MIB + 1,
    2 * MIB,
    2 * MIB + 1,
    5 * MIB + 12_345,
];

#[tokio::test]
async fn every_size_in_every_mode() {
    let world = World::new().await;
    for way in WAYS {
        for size in SIZES {
            let data = data(size);
            let stored = world.put("object", way, &data).await.unwrap();
            assert_eq!(stored.size, size as u64);
            assert!(world.get("object", way, Window::All).await.unwrap() == data, "{way:?} {size}");
            assert_eq!(world.blob_files_settled().await, usize::from(size > INLINE), "{way:?} {size}");
        }
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_stored_alike() {
    let world = World::new().await;
    for size in SIZES {
        let data = data(size);
        world.put_as("object", objects::PutObject::default(), &data).await.unwrap();
        assert!(world.get("object", Way::SseS3, Window::All).await.unwrap() == data, "{size}");
        assert_eq!(world.blob_files_settled().await, usize::from(size > INLINE), "{size}");
    }
}

#[tokio::test]
async fn no_plaintext_is_in_rows_or_files() {
    let world = World::new().await;
    let canary = b"a canary that must be found nowhere".repeat(4_000);
    for way in WAYS {
        for (name, data) in [("small", &canary[..4_000]), ("large", &canary[..])] {
            world.put(name, way, data).await.unwrap();
            let row = world.row(name).await;
            let stored = world.blob_files().into_iter().map(|file| std::fs::read(file).unwrap());
            for bytes in stored.chain([row.value.to_vec(), row.body.unwrap_or_default().to_vec()]) {
                assert!(!bytes.windows(8).any(|window| window == b"a canary"), "{way:?} {name}");
            }
        }
    }
}

#[tokio::test]
async fn copies_between_any_two_modes() {
    let world = World::new().await;
    for from in WAYS {
        for to in WAYS {
            for size in [0, 1_000, INLINE + 1, MIB + 7] {
                let data = data(size);
                world.put("source", from, &data).await.unwrap();
                let copied = world.copy("source", from, "copy", to).await.unwrap();
                assert_eq!(copied.size, size as u64);
                assert!(world.get("copy", to, Window::All).await.unwrap() == data, "{from:?} to {to:?}, {size}");
                let copied = world.copy("source", from, "source", to).await.unwrap();
                assert_eq!(copied.size, size as u64);
                assert!(
                    world.get("source", to, Window::All).await.unwrap() == data,
                    "{from:?} to itself as {to:?}, {size}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_copy_onto_itself_between_kms_and_s3_moves_no_data() {
    let world = World::new().await;
    let data = data(MIB);
    let first = world.put("object", Way::SseS3, &data).await.unwrap();
    let before = world.blob_files();
    let kms = world.copy("object", Way::SseS3, "object", Way::BucketKey).await.unwrap();
    assert_ne!(kms.etag, first.etag, "an MD5 must not show under SSE-KMS");
    let back = world.copy("object", Way::BucketKey, "object", Way::SseS3).await.unwrap();
    assert_eq!(back.etag, first.etag, "the MD5 of the data");
    assert_eq!(back.checksum, first.checksum);
    assert_eq!(world.blob_files(), before);
    assert!(world.get("object", Way::SseS3, Window::All).await.unwrap() == data);
}

#[tokio::test]
async fn a_copy_onto_itself_without_any_change_is_refused() {
    let world = World::new().await;
    world.put("object", Way::SseS3, b"x").await.unwrap();
    let mut request = world.copy_request("object", Way::SseS3, Way::SseS3);
    request.encryption = objects::EncryptionRequest::Default;
    let refused = world.objects.copy_object(&world.principal, &world.bucket, &object("object"), request).await;
    assert!(matches!(refused, Err(Error::InvalidRequest(text)) if text.starts_with("This copy request is illegal")));
}

#[tokio::test]
async fn answers_say_what_applies() {
    let world = World::new().await;
    for way in WAYS {
        let stored = world.put("object", way, b"data").await.unwrap();
        let request = GetObject { customer_key: way.customer_key(), ..GetObject::default() };
        let head =
            world.objects.head_object(&world.principal, &world.bucket, &object("object"), request).await.unwrap();
        assert_eq!(head.info.applied, stored.applied);
        assert_eq!(head.info.etag, stored.etag);
        assert_eq!(head.info.checksum, stored.checksum);
        let (mode, named, bucket_key) = match way {
            Way::SseS3 => (Mode::SseS3, false, false),
            Way::SseKms | Way::SseKmsContext | Way::Managed => (Mode::SseKms, true, false),
            Way::BucketKey => (Mode::SseKms, true, true),
            Way::Dsse => (Mode::DsseKms, true, false),
            Way::Customer | Way::OtherCustomer => (Mode::Customer, false, false),
        };
        assert_eq!((stored.applied.mode, stored.applied.bucket_key), (mode, bucket_key));
        assert_eq!(stored.applied.key_arn.is_some(), named);
        assert_eq!(stored.applied.customer_key_md5, way.customer_key().map(|key| key.md5()));
        let is_md5 = stored.etag.to_string() == "8d777f385d3dfec8815d20f7496026dc";
        assert_eq!(is_md5, way == Way::SseS3, "the ETag is the MD5 for SSE-S3 alone");
    }
}

#[tokio::test]
async fn the_wrong_customer_key_is_told_apart() {
    let world = World::new().await;
    world.put("theirs", Way::Customer, b"x").await.unwrap();
    world.put("ours", Way::SseS3, b"x").await.unwrap();
    let wrong = world.get("theirs", Way::OtherCustomer, Window::All).await;
    assert!(matches!(wrong, Err(Error::AccessDenied(_))));
    let missing = world.get("theirs", Way::SseS3, Window::All).await;
    assert!(
        matches!(missing, Err(Error::InvalidRequest(text)) if text.contains("The correct parameters must be provided"))
    );
    let needless = world.get("ours", Way::Customer, Window::All).await;
    assert!(matches!(needless, Err(Error::InvalidRequest(text)) if text.contains("not applicable")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any range of any object is the same slice of its bytes.
    #[test]
    fn ranges_are_slices(size in 0_usize..3 * MIB, way in 0..WAYS.len(), ranges in proptest::collection::vec((0..3_u8, any::<u32>(), any::<u32>()), 20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (world, data, way) = (World::new().await, data(size), WAYS[way]);
            world.put("object", way, &data).await.unwrap();
            for (kind, a, b) in ranges {
                // Near segment boundaries half of the time.
                let place = |number: u32| if number.is_multiple_of(2) {
                    u64::from(number) % (size as u64 + 10)
                } else {
                    (u64::from(number) % (size as u64 / 65_536 + 1) * 65_536 + u64::from(number >> 30)).saturating_sub(1)
                };
                let (first, last) = (place(a).min(place(b)), place(a).max(place(b)));
                let (range, expected) = match kind {
                    0 => (RangeSpec::FirstLast(first, last), slice(&data, first, last.saturating_add(1))),
                    1 => (RangeSpec::From(first), slice(&data, first, u64::MAX)),
                    _ => (RangeSpec::Suffix(first), if first == 0 { None } else { slice(&data, (size as u64).saturating_sub(first), u64::MAX) }),
                };
                match (world.get("object", way, Window::Range(range)).await, expected) {
                    (Ok(found), Some(expected)) => assert!(found == expected, "{range:?} of {size}"),
                    (Err(Error::InvalidRange { size: told }), None) => assert_eq!(told, size as u64),
                    (found, expected) => panic!("{range:?} of {size}: {:?}, expected {:?}", found.map(|bytes| bytes.len()), expected.map(<[u8]>::len)),
                }
            }
        });
    }
}

fn slice(data: &[u8], first: u64, end: u64) -> Option<&[u8]> {
    let first = usize::try_from(first).unwrap();
    let end = usize::try_from(end.min(data.len() as u64)).unwrap();
    if first < data.len() { Some(&data[first..end]) } else { None }
}

impl World {
    fn copy_request(&self, source: &str, from: Way, to: Way) -> CopyObject {
        CopyObject {
            tags: objects::TaggingDirective::Copy,
            source: CopySource {
                seen: None,
                bucket: Arc::clone(&self.bucket),
                name: object(source),
                customer_key: from.customer_key(),
                conditions: ReadConditions::default(),
            },
            encryption: self.encryption(to),
            metadata: MetadataDirective::Copy,
            checksum: None,
            condition: WriteCondition::default(),
        }
    }

    async fn copy(&self, source: &str, from: Way, name: &str, to: Way) -> Result<objects::Stored, Error> {
        let request = self.copy_request(source, from, to);
        self.objects.copy_object(&self.principal, &self.bucket, &object(name), request).await
    }

    /// How many blobs there are once replaced ones are deleted.
    async fn blob_files_settled(&self) -> usize {
        self.objects.close().await;
        self.blob_files().len()
    }
}
