//! Multipart uploads: what was stored in parts comes back as one, in every mode; what AWS refuses is refused; races end as if one
//! request had come after the other.

use crate::support::uploads::named;
use crate::support::{MIB, WAYS, Way, World, data, drain, object};
use objects::{
    Algorithm, Checksum, ChecksumClaim, ChecksumType, ChecksumValue, CompleteUpload, CreateUpload, ETagMatch, Error,
    GetObject, ListParts, RangeSpec, UploadPart, Window, WriteCondition,
};
use proptest::prelude::*;
use std::sync::Arc;

const FIVE: usize = 5 * MIB;

#[tokio::test]
async fn parts_make_an_object_in_every_mode() {
    let world = World::new().await;
    let all = data(2 * FIVE + 12_345);
    let (one, two, three) = (&all[..FIVE + 17], &all[FIVE + 17..2 * FIVE + 17], &all[2 * FIVE + 17..]);
    for way in WAYS {
        let stored = world.multipart("object", way, &[(2, one), (7, two), (10_000, three)]).await;
        assert_eq!(stored.size, all.len() as u64);
        assert!(stored.etag.to_string().ends_with("-3"));
        assert!(world.get("object", way, Window::All).await.unwrap() == all, "{way:?}");
        for (part, expected) in [(1, one), (2, two), (3, three)] {
            assert!(world.get("object", way, Window::Part(part)).await.unwrap() == expected, "{way:?} {part}");
        }
        let none = world.get("object", way, Window::Part(4)).await;
        assert!(matches!(none, Err(Error::InvalidPartNumber { requested: 4, count: 3 })));
        // Across both seams.
        let (first, last) = (FIVE as u64 - 5, 2 * FIVE as u64 + 30);
        let found = world.get("object", way, Window::Range(RangeSpec::FirstLast(first, last))).await.unwrap();
        assert!(found == all[FIVE - 5..=2 * FIVE + 30], "{way:?}");
        world.objects.close().await;
        assert_eq!(world.blob_files().len(), 3);
    }
}

#[tokio::test]
async fn the_etag_is_of_the_parts_md5s() {
    use md5::{Digest as _, Md5};
    let world = World::new().await;
    let (one, two) = (data(FIVE), data(3));
    let stored = world.multipart("object", Way::SseS3, &[(1, &one), (2, &two)]).await;
    let digests = [Md5::digest(&one), Md5::digest(&two)].concat();
    let expected = data_encoding::HEXLOWER.encode(&Md5::digest(digests));
    assert_eq!(stored.etag.to_string(), format!("{expected}-2"));
}

#[tokio::test]
async fn a_part_replaces_the_one_of_its_number() {
    let world = World::new().await;
    let upload = world.create("object", Way::SseKms).await;
    let old = world.part("object", &upload, Way::SseKms, 1, b"old").await.unwrap();
    let new = world.part("object", &upload, Way::SseKms, 1, b"new").await.unwrap();
    let spare = world.part("object", &upload, Way::SseKms, 2, b"spare").await.unwrap();
    world.objects.close().await;
    assert_eq!(world.blob_files().len(), 2);
    let refused = world.complete("object", &upload, vec![named(1, &old)]).await;
    assert!(matches!(refused, Err(Error::InvalidPart { number: 1 })));
    let first = world.complete("object", &upload, vec![named(1, &new)]).await.unwrap();
    assert_eq!(world.get("object", Way::SseKms, Window::All).await.unwrap(), b"new");
    world.objects.close().await;
    assert_eq!(world.blob_files().len(), 1, "the part that was left out is gone");

    let again = world.complete("object", &upload, vec![named(1, &new)]).await.unwrap();
    assert_eq!(again.etag, first.etag);
    let other = world.complete("object", &upload, vec![named(2, &spare)]).await;
    assert!(matches!(other, Err(Error::NoSuchUpload)));
    assert!(matches!(world.part("object", &upload, Way::SseKms, 1, b"late").await, Err(Error::NoSuchUpload)));
    assert!(matches!(world.abort("object", &upload).await, Err(Error::NoSuchUpload)));
    world.put("object", Way::SseS3, b"x").await.unwrap();
    let again = world.complete("object", &upload, vec![named(1, &new)]).await;
    assert!(matches!(again, Err(Error::NoSuchUpload)));
}

#[tokio::test]
async fn lists_that_are_refused() {
    let world = World::new().await;
    let upload = world.create("object", Way::SseS3).await;
    let small = world.part("object", &upload, Way::SseS3, 1, b"small").await.unwrap();
    let last = world.part("object", &upload, Way::SseS3, 2, b"last").await.unwrap();
    let complete = |parts| world.complete("object", &upload, parts);
    let (one, two) = (named(1, &small), named(2, &last));
    assert!(matches!(complete(vec![two.clone(), one.clone()]).await, Err(Error::InvalidPartOrder)));
    assert!(matches!(complete(vec![one.clone(), one.clone()]).await, Err(Error::InvalidPartOrder)));
    assert!(matches!(complete(vec![]).await, Err(Error::InvalidRequest(_))));
    assert!(matches!(complete(vec![named(3, &last)]).await, Err(Error::InvalidPart { number: 3 })));
    assert!(matches!(complete(vec![named(2, &small)]).await, Err(Error::InvalidPart { number: 2 })));
    let too_small = complete(vec![one.clone(), two]).await;
    assert!(matches!(too_small, Err(Error::EntityTooSmall { number: 1, size: 5, minimum: 5_242_880 })));
    let request = CompleteUpload { parts: vec![one.clone()], object_size: Some(6), ..CompleteUpload::default() };
    assert!(matches!(world.complete_as("object", &upload, request).await, Err(Error::InvalidRequest(_))));
    let other = world.complete("another", &upload, vec![one.clone()]).await;
    assert!(matches!(other, Err(Error::NoSuchUpload)), "an upload belongs to its name");

    world.put("object", Way::SseS3, b"there").await.unwrap();
    let condition = WriteCondition { if_none_match: true, if_match: None };
    let request = CompleteUpload { parts: vec![one.clone()], condition, ..CompleteUpload::default() };
    assert!(matches!(world.complete_as("object", &upload, request).await, Err(Error::PreconditionFailed(_))));
    let condition = WriteCondition { if_none_match: false, if_match: Some(ETagMatch::Any) };
    let request = CompleteUpload { parts: vec![one], condition, object_size: Some(5), ..CompleteUpload::default() };
    world.complete_as("object", &upload, request).await.unwrap();
    world.objects.close().await;
    assert_eq!(world.blob_files().len(), 1);
}

#[tokio::test]
async fn the_customer_key_is_the_uploads() {
    let world = World::new().await;
    let theirs = world.create("object", Way::Customer).await;
    for way in [Way::SseS3, Way::OtherCustomer] {
        let refused = world.part("object", &theirs, way, 1, b"x").await;
        assert!(matches!(refused, Err(Error::InvalidRequest(_))), "{way:?}");
    }
    let ours = world.create("object", Way::SseS3).await;
    assert!(matches!(world.part("object", &ours, Way::Customer, 1, b"x").await, Err(Error::InvalidRequest(_))));
    assert!(world.blob_files().is_empty());
}

#[tokio::test]
async fn complete_needs_the_customer_key_where_a_checksum_was_named() {
    let world = World::new().await;
    let claim = |value| Some(ChecksumClaim::Value(value));
    let (crc32, crc64) =
        (world.checksum(Algorithm::Crc32, b"bytes").await, world.checksum(Algorithm::Crc64Nvme, b"bytes").await);
    // The algorithm that Create names, what the part claims, whether Complete repeats it, whether the key can stay away.
    let cases = [
        (None, None, false, true),
        (Some(Algorithm::Crc32), claim(crc32), false, false),
        (None, claim(crc32), false, false),
        (None, claim(crc64), true, false),
    ];
    for (algorithm, claim, repeated, bare) in cases {
        let encryption = world.encryption(Way::Customer);
        let request = CreateUpload { encryption, checksum: algorithm, ..CreateUpload::default() };
        let upload = world.create_as("object", request).await.unwrap();
        let part = UploadPart { customer_key: Way::Customer.customer_key(), checksum: claim, ..UploadPart::default() };
        let stored = world.part_as("object", &upload, 1, part, b"bytes").await.unwrap();
        let mut one = named(1, &stored);
        one.checksum = stored.checksum.filter(|_| repeated);
        let complete = async |way: Option<Way>| {
            let customer_key = way.and_then(Way::customer_key);
            let request = CompleteUpload { parts: vec![one.clone()], customer_key, ..CompleteUpload::default() };
            world.complete_as("object", &upload, request).await
        };
        assert!(matches!(complete(Some(Way::OtherCustomer)).await, Err(Error::InvalidRequest(_))));
        if !bare {
            assert!(matches!(complete(None).await, Err(Error::InvalidRequest(_))));
        }
        complete((!bare).then_some(Way::Customer)).await.unwrap();
    }
}

#[tokio::test]
async fn checksums_of_every_algorithm_and_type() {
    use ChecksumType::{Composite, FullObject};
    let world = World::new().await;
    let (one, two) = (data(FIVE + 1), data(77_777));
    let whole = [&one[..], &two].concat();
    let cases = [
        (None, None, Algorithm::Crc64Nvme, FullObject),
        (Some(Algorithm::Crc64Nvme), None, Algorithm::Crc64Nvme, FullObject),
        (Some(Algorithm::Crc32), None, Algorithm::Crc32, Composite),
        (Some(Algorithm::Crc32), Some(FullObject), Algorithm::Crc32, FullObject),
        (Some(Algorithm::Crc32c), Some(Composite), Algorithm::Crc32c, Composite),
        (Some(Algorithm::Crc32c), Some(FullObject), Algorithm::Crc32c, FullObject),
        (Some(Algorithm::Sha1), None, Algorithm::Sha1, Composite),
        (Some(Algorithm::Sha256), None, Algorithm::Sha256, Composite),
    ];
    for (checksum, checksum_type, algorithm, kind) in cases {
        let request = CreateUpload { checksum, checksum_type, ..CreateUpload::default() };
        let upload = world.create_as("object", request).await.unwrap();
        let mut list = Vec::new();
        for (part, bytes) in [(1, &one), (2, &two)] {
            let claim = ChecksumClaim::Value(world.checksum(algorithm, bytes).await);
            let wrong = ChecksumClaim::Value(world.checksum(algorithm, b"other").await);
            let with = |checksum| UploadPart { checksum: Some(checksum), ..UploadPart::default() };
            let refused = world.part_as("object", &upload, part, with(wrong), bytes).await;
            assert!(matches!(refused, Err(Error::BadDigest(_))));
            let stored = world.part_as("object", &upload, part, with(claim), bytes).await.unwrap();
            let mut entry = named(part, &stored);
            entry.checksum = stored.checksum;
            list.push(entry);
        }
        let value = match kind {
            FullObject => world.checksum(algorithm, &whole).await,
            Composite => {
                let values: Vec<u8> = list.iter().flat_map(|part| part.checksum.unwrap().as_bytes().to_vec()).collect();
                world.checksum(algorithm, &values).await
            }
        };
        let mut wrong = list.clone();
        wrong[0].checksum = Some(world.checksum(algorithm, b"other").await);
        let refused = world.complete("object", &upload, wrong).await;
        assert!(matches!(refused, Err(Error::InvalidPart { number: 1 })));
        let other = if kind == FullObject { Composite } else { FullObject };
        for (checksum, checksum_type) in [(Some(world.checksum(algorithm, b"other").await), None), (None, Some(other))]
        {
            let request = CompleteUpload { parts: list.clone(), checksum, checksum_type, ..CompleteUpload::default() };
            let refused = world.complete_as("object", &upload, request).await;
            assert!(matches!(refused, Err(Error::BadDigest(_) | Error::InvalidRequest(_))));
        }
        let request = CompleteUpload { parts: list, checksum: Some(value), ..CompleteUpload::default() };
        let stored = world.complete_as("object", &upload, request).await.unwrap();
        let parts = (kind == Composite).then_some(2);
        assert_eq!(stored.checksum, Some(Checksum { value, kind, parts }));
        // Read by part, the checksum is the part's if the object's is composed of those.
        let value = world.checksum(algorithm, &two).await;
        let of_part = (kind == Composite).then_some(Checksum { value, kind, parts: None });
        assert_eq!(world.head("object", Window::Part(2)).await.checksum, of_part);
    }
    for (algorithm, kind) in [
        (Some(Algorithm::Crc64Nvme), Composite),
        (Some(Algorithm::Sha1), FullObject),
        (Some(Algorithm::Sha256), FullObject),
        (None, Composite),
    ] {
        let request = CreateUpload { checksum: algorithm, checksum_type: Some(kind), ..CreateUpload::default() };
        assert!(matches!(world.create_as("object", request).await, Err(Error::InvalidRequest(_))));
    }
}

#[tokio::test]
async fn a_claim_that_the_upload_did_not_announce() {
    let world = World::new().await;
    let claim = |checksum| UploadPart { checksum: Some(ChecksumClaim::Value(checksum)), ..UploadPart::default() };
    let value = world.checksum(Algorithm::Sha1, b"data").await;
    let upload = world.create("object", Way::SseS3).await;
    let stored = world.part_as("object", &upload, 1, claim(value), b"data").await.unwrap();
    assert_eq!(stored.checksum, Some(value));
    let mut entry = named(1, &stored);
    entry.checksum = Some(value);
    let object = world.complete("object", &upload, vec![entry]).await.unwrap();
    assert_eq!(object.checksum.unwrap().value, world.checksum(Algorithm::Crc64Nvme, b"data").await);

    let request = CreateUpload { checksum: Some(Algorithm::Crc32), ..CreateUpload::default() };
    let upload = world.create_as("object", request).await.unwrap();
    let refused = world.part_as("object", &upload, 1, claim(value), b"data").await;
    assert!(matches!(refused, Err(Error::InvalidRequest(_))));
}

#[tokio::test]
async fn parts_copied_between_any_two_modes() {
    let world = World::new().await;
    let source = data(FIVE + MIB);
    for from in WAYS {
        world.put("source", from, &source).await.unwrap();
        for to in [Way::SseS3, Way::SseKms, Way::Dsse, Way::Customer] {
            let upload = world.create("object", to).await;
            let whole = world.part_copy("object", &upload, to, 1, "source", from, None).await.unwrap();
            let range = Some((65_530, 131_100));
            let piece = world.part_copy("object", &upload, to, 2, "source", from, range).await.unwrap();
            assert_eq!(piece.size, 131_100 - 65_530 + 1);
            for range in [(0, source.len() as u64), (5, 4), (source.len() as u64, source.len() as u64)] {
                let refused = world.part_copy("object", &upload, to, 3, "source", from, Some(range)).await;
                assert!(matches!(refused, Err(Error::InvalidRange { .. })));
            }
            world.complete("object", &upload, vec![named(1, &whole), named(2, &piece)]).await.unwrap();
            let expected = [&source[..], &source[65_530..=131_100]].concat();
            assert!(world.get("object", to, Window::All).await.unwrap() == expected, "{from:?} to {to:?}");
        }
    }
}

#[tokio::test]
async fn parts_are_listed_in_pages() {
    let world = World::new().await;
    let upload = world.create("object", Way::Customer).await;
    for part in [9, 3, 10_000, 1, 256, 255] {
        world.part("object", &upload, Way::Customer, part, &data(usize::from(part))).await.unwrap();
    }
    let mut found = Vec::new();
    let mut request = ListParts { after: 0, max_parts: 2 };
    loop {
        let page = world
            .objects
            .list_parts(&world.principal, &world.bucket, &object("object"), &upload, &request)
            .await
            .unwrap();
        assert!(page.parts.len() <= 2 && page.parts.iter().all(|part| part.size == u64::from(part.number.value())));
        found.extend(page.parts.iter().map(|part| part.number.value()));
        match page.next {
            Some(next) => request.after = next.value(),
            None => break,
        }
    }
    assert_eq!(found, [1, 3, 9, 255, 256, 10_000]);
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let world = World::new().await;
    let upload = world.create("object", Way::SseKms).await;
    for part in 1..5 {
        world.part("object", &upload, Way::SseKms, part, b"data").await.unwrap();
    }
    world.abort("object", &upload).await.unwrap();
    world.assert_empty().await;
    let upload = world.create("object", Way::SseKms).await;
    world.part("object", &upload, Way::SseKms, 1, b"data").await.unwrap();
    world.objects.delete_bucket(&world.bucket).await.unwrap();
    world.assert_empty().await;
    assert!(matches!(world.part("object", &upload, Way::SseKms, 2, b"data").await, Err(Error::NoSuchUpload)));
}

/// Uploads of parts, aborts and completions at once: whatever wins, no part is left without an upload or object.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn races_leave_nothing_half_done() {
    let world = Arc::new(World::new().await);
    for round in 0..40 {
        let upload = world.create("object", Way::SseS3).await;
        let first = world.part("object", &upload, Way::SseS3, 1, b"first").await.unwrap();
        let mut tasks = Vec::new();
        for part in 1..6_u16 {
            let world = Arc::clone(&world);
            tasks.push(tokio::spawn(async move {
                let part = world.part("object", &upload, Way::SseS3, part, &data(usize::from(part) + 10)).await;
                assert!(matches!(part, Ok(_) | Err(Error::NoSuchUpload)), "{part:?}");
            }));
        }
        let (ender, list) = (Arc::clone(&world), vec![named(1, &first)]);
        let ended = tokio::spawn(async move {
            if round % 2 == 0 {
                ender.abort("object", &upload).await.map(|()| false)
            } else {
                ender.complete("object", &upload, list).await.map(|_| true)
            }
        });
        for task in tasks {
            task.await.unwrap();
        }
        match ended.await.unwrap() {
            Ok(true) => {
                assert_eq!(world.get("object", Way::SseS3, Window::All).await.unwrap(), b"first");
                world.delete("object").await;
            }
            Ok(false) => {}
            // Part 1 was replaced before.
            Err(Error::InvalidPart { number: 1 }) => world.abort("object", &upload).await.unwrap(),
            Err(other) => panic!("{other:?}"),
        }
        world.assert_empty().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any parts under any numbers, in any mode, give the bytes of their sum, whatever range of it is asked for.
    #[test]
    fn ranges_are_slices_across_parts(
        way in 0..WAYS.len(),
        sizes in proptest::collection::vec(0_usize..300_000, 0..3),
        last in 0_usize..200_000,
        gap in 1_u16..2_000,
        ranges in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..700_000), 6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (world, way) = (World::new().await, WAYS[way]);
            let mut parts: Vec<Vec<u8>> = sizes.iter().map(|size| data(FIVE + size)).collect();
            parts.push(data(last).into_iter().rev().collect());
            let whole = parts.concat();
            let numbered: Vec<_> = parts.iter().zip(1_u16..).map(|(part, index)| (index * gap, &part[..])).collect();
            let stored = world.multipart("object", way, &numbered).await;
            assert_eq!(stored.size, whole.len() as u64);
            for (part, index) in parts.iter().zip(1..) {
                assert!(world.get("object", way, Window::Part(index)).await.unwrap() == *part);
            }
            for (start, len) in ranges {
                if whole.is_empty() {
                    break;
                }
                let start = start.index(whole.len());
                let range = RangeSpec::FirstLast(start as u64, (start + len) as u64);
                let found = drain(world.open("object", way, Window::Range(range)).await.unwrap()).await.unwrap();
                assert!(found == whole[start..whole.len().min(start + len + 1)], "{range:?} of {}", whole.len());
            }
            assert!(world.get("object", way, Window::All).await.unwrap() == whole);
        });
    }
}

impl World {
    /// A checksum as a PutObject computes it.
    async fn head(&self, name: &str, window: Window) -> objects::ObjectInfo {
        let request = GetObject { window, ..GetObject::default() };
        self.objects.head_object(&self.principal, &self.bucket, &object(name), request).await.unwrap().info
    }

    async fn checksum(&self, algorithm: Algorithm, bytes: &[u8]) -> ChecksumValue {
        let request = objects::PutObject { checksum: Some(ChecksumClaim::Compute(algorithm)), ..Default::default() };
        self.put_as("checksum", request, bytes).await.unwrap().checksum.unwrap().value
    }

    /// Neither rows nor files of objects, uploads or parts.
    async fn assert_empty(&self) {
        use meta::{Order, Range, Table};
        self.objects.close().await;
        for table in [Table::Object, Table::Blob, Table::Upload, Table::Part] {
            let rows = self.store.scan(table, &Range::all(), Order::Ascending, 10).await.unwrap();
            assert!(rows.is_empty(), "{} {}", table.name(), rows.len());
        }
        assert!(self.blob_files().is_empty());
    }
}
