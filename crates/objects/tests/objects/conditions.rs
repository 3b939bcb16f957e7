//! Conditional writes and deletes, digests and limits, buckets.

use crate::support::{Chunks, MIB, Way, World, data, object, principal};
use objects::{
    Algorithm, BlockedTypes, BucketEncryption, BucketName, ChecksumClaim, ChecksumValue, DefaultEncryption,
    DeleteCondition, DeleteEntry, Digest, ETagMatch, Error, ListBuckets, Mode, PutObject, Window, WriteCondition,
};
use std::sync::Arc;
use std::time::Duration;

fn etag(text: &str) -> Option<ETagMatch> {
    Some(ETagMatch::parse(text))
}

#[tokio::test]
async fn conditional_writes() {
    let world = World::new().await;
    let put = async |if_match: Option<ETagMatch>, if_none_match: bool| {
        let condition = WriteCondition { if_match, if_none_match };
        world.put_as("object", PutObject { condition, ..PutObject::default() }, b"x").await
    };
    assert!(matches!(put(etag("*"), false).await, Err(Error::NoSuchKey)));
    assert!(matches!(put(etag("\"abc\""), false).await, Err(Error::NoSuchKey)));
    let first = put(None, true).await.unwrap();
    assert!(matches!(put(None, true).await, Err(Error::PreconditionFailed(_))));
    assert!(matches!(put(etag("\"abc\""), false).await, Err(Error::PreconditionFailed(_))));
    let second = put(etag(&first.etag.quoted()), false).await.unwrap();
    put(etag("*"), false).await.unwrap();
    put(etag(&format!("\"no\", {}", second.etag.quoted())), false).await.unwrap();
    assert!(matches!(put(etag(&second.etag.quoted()), true).await, Err(Error::PreconditionFailed(_))));
}

#[tokio::test]
async fn conditional_deletes() {
    let world = World::new().await;
    let delete = async |condition: DeleteCondition| {
        world.objects.delete_object(&world.principal, &world.bucket, &object("object"), &condition).await
    };
    let none = DeleteCondition::default;
    delete(DeleteCondition { if_match: etag("abc"), ..none() }).await.unwrap();
    let stored = world.put("object", Way::SseS3, b"x").await.unwrap();
    for refused in [
        DeleteCondition { if_match: etag("abc"), ..none() },
        DeleteCondition { if_match_size: Some(2), ..none() },
        DeleteCondition { if_match_modified: Some(stored.modified - Duration::from_secs(2)), ..none() },
        DeleteCondition { if_match: etag("*"), if_match_size: Some(0), ..none() },
    ] {
        assert!(matches!(delete(refused).await, Err(Error::PreconditionFailed(_))));
    }
    let all = DeleteCondition {
        if_match: etag(&stored.etag.quoted()),
        if_match_size: Some(1),
        if_match_modified: Some(stored.modified),
    };
    delete(all).await.unwrap();
    assert!(matches!(world.get("object", Way::SseS3, Window::All).await, Err(Error::NoSuchKey)));
}

#[tokio::test]
async fn many_are_deleted_in_one_commit() {
    let world = World::new().await;
    let names: Vec<String> = (0..100).map(|number| format!("object {number}")).collect();
    for name in &names {
        world.put(name, Way::SseS3, &data(if name.ends_with('7') { MIB } else { 10 })).await.unwrap();
    }
    let entries: Vec<DeleteEntry> = names
        .iter()
        .map(|name| DeleteEntry {
            name: object(name),
            condition: DeleteCondition {
                if_match: etag("abc").filter(|_| name == "object 3"),
                ..DeleteCondition::default()
            },
        })
        .collect();
    let before = world.store.statistics().transactions;
    let results = world.objects.delete_objects(&world.principal, &world.bucket, &entries).await.unwrap();
    assert_eq!(world.store.statistics().transactions - before, 1);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), index == 3);
    }
    world.objects.close().await;
    assert!(world.blob_files().is_empty());
    assert!(world.get("object 3", Way::SseS3, Window::All).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_creators_one_wins() {
    let world = Arc::new(World::new().await);
    for round in 0..20 {
        let name = format!("object {round}");
        let tasks: Vec<_> = (0..8_usize)
            .map(|writer| {
                let (world, name) = (Arc::clone(&world), name.clone());
                tokio::spawn(async move {
                    let condition = WriteCondition { if_none_match: true, ..WriteCondition::default() };
                    world.put_as(&name, PutObject { condition, ..PutObject::default() }, &data(writer * 50_000)).await
                })
            })
            .collect();
        let mut winners = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => winners += 1,
                Err(Error::PreconditionFailed(_) | Error::ConditionalRequestConflict) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(winners, 1);
    }
    world.objects.close().await;
    let large = world.blob_files().len();
    assert!(large <= 20, "blobs of refused writers are deleted: {large}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_writers_see_whole_objects() {
    let world = Arc::new(World::new().await);
    world.put("object", Way::SseS3, &vec![0; 300_000]).await.unwrap();
    let writers: Vec<_> = (1..4_u8)
        .map(|writer| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for _ in 0..20 {
                    world.put("object", Way::SseS3, &vec![writer; 300_000]).await.unwrap();
                }
            })
        })
        .collect();
    for _ in 0..200 {
        let found = world.get("object", Way::SseS3, Window::All).await.unwrap();
        assert!(found.len() == 300_000 && found.iter().all(|byte| *byte == found[0]));
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn digests_that_do_not_agree() {
    let world = World::new().await;
    for size in [10, MIB + 1] {
        let data = data(size);
        for algorithm in Algorithm::ALL {
            let right = {
                let request = PutObject { checksum: Some(ChecksumClaim::Compute(algorithm)), ..PutObject::default() };
                world.put_as("right", request, &data).await.unwrap().checksum.unwrap().value
            };
            assert_eq!(right.algorithm(), algorithm);
            let wrong = ChecksumValue::from_bytes(algorithm, &vec![1; algorithm.size()]).unwrap();
            let value = |value| PutObject { checksum: Some(ChecksumClaim::Value(value)), ..PutObject::default() };
            world.put_as("object", value(right), &data).await.unwrap();
            let refused = world.put_as("refused", value(wrong), &data).await;
            assert!(matches!(refused, Err(Error::BadDigest(Digest::Checksum(found))) if found == algorithm));

            let trailer = async |found: Algorithm, text: String| {
                let mut body = Chunks::of(&data, 8_192);
                body.trailer = Some((found, text));
                let request = PutObject { checksum: Some(ChecksumClaim::Trailer(algorithm)), ..PutObject::default() };
                world.objects.put_object(&world.principal, &world.bucket, &object("refused"), request, &mut body).await
            };
            assert!(matches!(trailer(algorithm, wrong.to_string()).await, Err(Error::BadDigest(_))));
            assert!(matches!(trailer(algorithm, "?".to_owned()).await, Err(Error::InvalidChecksum(_))));
        }
        let request = PutObject { content_md5: Some([1; 16]), ..PutObject::default() };
        let refused = world.put_as("refused", request, &data).await;
        assert!(matches!(refused, Err(Error::BadDigest(Digest::Md5))));
        for length in [size as u64 - 1, size as u64 + 1] {
            let request = PutObject { length: Some(length), ..PutObject::default() };
            assert!(matches!(world.put_as("refused", request, &data).await, Err(Error::IncompleteBody { .. })));
        }
    }
    let request = PutObject { length: Some(objects::PUT_LIMIT + 1), ..PutObject::default() };
    assert!(matches!(world.put_as("refused", request, b"x").await, Err(Error::EntityTooLarge { .. })));
    assert!(matches!(world.get("refused", Way::SseS3, Window::All).await, Err(Error::NoSuchKey)));
    let default = world.put("object", Way::SseS3, b"123456789").await.unwrap().checksum.unwrap();
    assert_eq!(default.to_string(), "rosUhgp5mIg=", "CRC-64/NVME unless the client chooses");
}

#[tokio::test]
async fn a_bucket_default_applies_and_blocked_types_are_refused() {
    let world = World::new().await;
    let set = async |default: DefaultEncryption, bucket_key: bool, customer: bool| {
        let encryption = BucketEncryption { default, bucket_key, blocked: BlockedTypes { customer } };
        world.objects.put_bucket_encryption(&world.bucket, encryption).await
    };
    let put = async || {
        // The bucket as a request finds it.
        let bucket = world.objects.bucket(&world.bucket.name).await.unwrap();
        let request = PutObject::default();
        world.objects.put_object(&world.principal, &bucket, &object("object"), request, &mut Chunks::of(b"x", 1)).await
    };
    let kms = || DefaultEncryption::SseKms { key: Some(world.key_arn.clone()) };
    assert_eq!(put().await.unwrap().applied.mode, Mode::SseS3);
    set(kms(), true, false).await.unwrap();
    let applied = put().await.unwrap().applied;
    assert_eq!((applied.mode, applied.bucket_key, applied.by_default), (Mode::SseKms, true, true));
    set(DefaultEncryption::DsseKms { key: None }, false, false).await.unwrap();
    assert_eq!(put().await.unwrap().applied.mode, Mode::DsseKms);
    let refused = set(DefaultEncryption::DsseKms { key: None }, true, false).await;
    assert!(matches!(refused, Err(Error::InvalidArgument(_))));
    set(kms(), false, true).await.unwrap();
    let bucket = world.objects.bucket(&world.bucket.name).await.unwrap();
    let request = PutObject { encryption: world.encryption(Way::Customer), ..PutObject::default() };
    let refused =
        world.objects.put_object(&world.principal, &bucket, &object("object"), request, &mut Chunks::of(b"x", 1)).await;
    assert!(matches!(refused, Err(Error::AccessDenied(_))));
    // A bucket value that was read before the change still writes: what it was read for is settled already.
    world.put("object", Way::SseS3, b"x").await.unwrap();
    world.objects.delete_bucket_encryption(&bucket).await.unwrap();
    assert_eq!(world.objects.bucket(&bucket.name).await.unwrap().encryption.default, DefaultEncryption::SseS3);
}

#[tokio::test]
async fn buckets_are_found_listed_and_owned() {
    let world = World::new().await;
    let other = principal("444455556666");
    let name = |text: &str| BucketName::parse(text).unwrap();
    let again = world.objects.create_bucket(&world.principal, &name("first-bucket")).await;
    assert!(matches!(again, Err(Error::BucketAlreadyOwnedByYou)));
    let taken = world.objects.create_bucket(&other, &name("first-bucket")).await;
    assert!(matches!(taken, Err(Error::BucketAlreadyExists)));
    for text in ["zoo", "alpha", "beta"] {
        world.objects.create_bucket(&world.principal, &name(text)).await.unwrap();
    }
    world.objects.create_bucket(&other, &name("theirs")).await.unwrap();
    let list = async |prefix: &str, after: Option<&str>, max| {
        let request = ListBuckets { prefix: prefix.to_owned(), after: after.map(str::to_owned), max };
        let page = world.objects.list_buckets(&world.principal.account, &request).await.unwrap();
        (page.buckets.iter().map(|bucket| bucket.name.to_string()).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(
        list("", None, 10).await,
        (vec!["alpha".into(), "beta".into(), "first-bucket".into(), "zoo".into()], None)
    );
    assert_eq!(list("", Some("alpha"), 1).await, (vec!["beta".into()], Some("beta".into())));
    assert_eq!(list("z", None, 10).await, (vec!["zoo".into()], None));
    assert!(matches!(world.objects.bucket(&name("nobody")).await, Err(Error::NoSuchBucket)));
}

#[tokio::test]
async fn kms_errors_are_the_keys_own() {
    let world = World::new().await;
    world.put("object", Way::SseKms, b"x").await.unwrap();
    world.put("bucket key", Way::BucketKey, b"x").await.unwrap();
    let request = keys::operation::lifecycle::DisableKeyRequest { key_id: world.key_arn.clone() };
    world.keys.disable_key(&world.principal, request).await.unwrap();
    assert!(matches!(world.put("new", Way::SseKms, b"x").await, Err(Error::Kms(keys::Error::Disabled(_)))));
    let refused = world.get("object", Way::SseKms, Window::All).await;
    assert!(matches!(refused, Err(Error::Kms(keys::Error::Disabled(_)))));
    let encryption = objects::EncryptionRequest::SseKms {
        key: Some("00000000-0000-0000-0000-000000000000".to_owned()),
        context: None,
        bucket_key: None,
    };
    let unknown = world.put_as("new", PutObject { encryption, ..PutObject::default() }, b"x").await;
    assert!(matches!(unknown, Err(Error::Kms(keys::Error::NotFound(_)))));
}
