//! Bucket policies, Block Public Access and tags.

use crate::support::{Way, World, data, object};
use objects::{
    BucketName, BucketPolicy, CopyObject, CopySource, EncryptionRequest, Error, GetObject, MetadataDirective,
    PublicAccessBlock, PutObject, ReadConditions, TaggingDirective, Tags, WriteCondition,
};
use std::sync::Arc;

const PRIVATE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"999988887777"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::first-bucket/*"}]}"#;

fn public() -> String {
    PRIVATE.replace(r#"{"AWS":"999988887777"}"#, "\"*\"")
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    Tags::of_object(pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()).unwrap()
}

/// The bucket as it stands now.
async fn now(world: &World) -> Arc<objects::Bucket> {
    world.objects.bucket(&world.bucket.name).await.unwrap()
}

#[tokio::test]
async fn a_policy_stays_as_it_was_put_until_it_is_deleted() {
    let world = World::new().await;
    let policy = BucketPolicy::parse(&world.bucket.name, PRIVATE).unwrap();
    world.objects.put_bucket_policy(&world.bucket, &policy).await.unwrap();
    // The bucket was read before the policy was put: what else it changes leaves the policy alone.
    world.objects.put_bucket_tags(&world.bucket, &tags(&[("a", "b")])).await.unwrap();
    let world = world.reopened().await;
    let bucket = now(&world).await;
    assert_eq!(bucket.policy.as_ref().unwrap().text(), PRIVATE);
    assert_eq!(bucket.tags, tags(&[("a", "b")]));
    world.objects.delete_bucket_encryption(&bucket).await.unwrap();
    assert!(now(&world).await.policy.is_some());
    world.objects.delete_bucket_policy(&bucket).await.unwrap();
    world.objects.delete_bucket_policy(&bucket).await.unwrap();
    assert!(now(&world).await.policy.is_none());
}

#[tokio::test]
async fn a_public_policy_is_blocked_by_what_the_bucket_says_now() {
    let world = World::new().await;
    let policy = BucketPolicy::parse(&world.bucket.name, &public()).unwrap();
    assert!(policy.is_public());
    let refused = world.objects.put_bucket_policy(&world.bucket, &policy).await;
    assert!(matches!(refused, Err(Error::PublicPolicyBlocked)));
    let only_restrict = PublicAccessBlock { restrict_public_buckets: true, ..PublicAccessBlock::default() };
    world.objects.put_public_access_block(&world.bucket, Some(only_restrict)).await.unwrap();
    world.objects.put_bucket_policy(&world.bucket, &policy).await.unwrap();
    assert!(now(&world).await.restricts_public());
    world.objects.put_public_access_block(&world.bucket, None).await.unwrap();
    let open = now(&world).await;
    assert!(!open.restricts_public() && open.public_access_block.is_none());
    assert!(!BucketPolicy::parse(&world.bucket.name, PRIVATE).unwrap().is_public());
}

#[tokio::test]
async fn tags_of_an_object_change_nothing_else_of_it() {
    let world = World::new().await;
    for (name, size) in [("small", 100), ("large", 300_000)] {
        let request = PutObject { tags: tags(&[("k", "1")]), ..PutObject::default() };
        let stored = world.put_as(name, request, &data(size)).await.unwrap();
        assert_eq!(world.objects.object_tags(&world.bucket, &object(name)).await.unwrap(), tags(&[("k", "1")]));
        let two = tags(&[("b", "ä"), ("a", "")]);
        world.objects.put_object_tags(&world.bucket, &object(name), &two, None).await.unwrap();
        let request = GetObject::default();
        let head = world.objects.head_object(&world.principal, &world.bucket, &object(name), request).await.unwrap();
        assert_eq!((head.info.tags, head.info.etag, head.info.modified), (2, stored.etag, stored.modified));
        assert_eq!(world.get(name, Way::SseS3, objects::Window::All).await.unwrap(), data(size));
    }
    let missing = world.objects.put_object_tags(&world.bucket, &object("none"), &Tags::default(), None).await;
    assert!(matches!(missing, Err(Error::NoSuchKey)));
}

#[tokio::test]
async fn who_was_let_in_by_tags_that_changed_meanwhile_gets_nothing() {
    let world = World::new().await;
    let request = PutObject { tags: tags(&[("team", "blue")]), ..PutObject::default() };
    world.put_as("object", request, b"x").await.unwrap();
    for (seen, fits) in [(tags(&[("team", "blue")]), true), (tags(&[("team", "red")]), false), (Tags::default(), false)]
    {
        let request = || GetObject { seen: Some(seen.clone()), ..GetObject::default() };
        let name = object("object");
        let opened = world.objects.open_object(&world.principal, &world.bucket, &name, request()).await;
        let head = world.objects.head_object(&world.principal, &world.bucket, &name, request()).await;
        assert_eq!((opened.is_ok(), head.is_ok()), (fits, fits));
        let put = world.objects.put_object_tags(&world.bucket, &name, &tags(&[("team", "blue")]), Some(&seen)).await;
        assert_eq!(put.is_ok(), fits);
    }
}

#[tokio::test]
async fn a_copy_has_the_tags_of_its_source_or_of_its_request() {
    let world = World::new().await;
    let request = PutObject { tags: tags(&[("k", "1")]), ..PutObject::default() };
    world.put_as("source", request, b"x").await.unwrap();
    let copy = async |target: &str, tags: TaggingDirective| {
        let source = CopySource {
            bucket: Arc::clone(&world.bucket),
            name: object("source"),
            customer_key: None,
            conditions: ReadConditions::default(),
            seen: None,
        };
        let request = CopyObject {
            source,
            encryption: EncryptionRequest::SseS3,
            metadata: MetadataDirective::Copy,
            tags,
            checksum: None,
            condition: WriteCondition::default(),
        };
        world.objects.copy_object(&world.principal, &world.bucket, &object(target), request).await.unwrap();
        world.objects.object_tags(&world.bucket, &object(target)).await.unwrap()
    };
    assert_eq!(copy("a", TaggingDirective::Copy).await, tags(&[("k", "1")]));
    assert_eq!(copy("b", TaggingDirective::Replace(tags(&[("z", "2")]))).await, tags(&[("z", "2")]));
    assert_eq!(copy("source", TaggingDirective::Replace(Tags::default())).await, Tags::default());
}

#[test]
fn policies_that_are_refused_in_the_words_of_aws() {
    let refused = |text: &str| match BucketPolicy::parse(&BucketName::parse("bkt").unwrap(), text) {
        Err(Error::MalformedPolicy { message, .. }) => message,
        other => panic!("{text}: {other:?}"),
    };
    let statement = |action: &str, resource: &str, more: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":{action},"Resource":{resource}{more}}}}}"#
        )
    };
    let (both, objects) = (r#"["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]"#, r#""arn:aws:s3:::bkt/*""#);
    const FIRST: &str = "Policies must be valid JSON and the first byte must be '{'";
    const ACTION: &str = "Action does not apply to any resource(s) in statement";
    const CONDITION: &str = "Conditions do not apply to combination of actions and resources in statement";
    for text in ["", "[]", " {}", "{", "x"] {
        assert_eq!(refused(text), FIRST, "{text}");
    }
    assert_eq!(refused("{}"), "Missing required field Statement");
    assert_eq!(refused(&statement("\"s3:Frobnicate\"", both, "")), "Policy has invalid action");
    assert_eq!(refused(&statement("\"ec2:RunInstances\"", both, "")), "Policy has invalid action");
    for resource in ["arn:aws:s3:::other/*", "arn:aws:s3:::bktx", "arn:aws:s3:::BKT/*", "bkt/*", "arn:aws:kms:::bkt"] {
        let text = statement("\"s3:*\"", &format!("\"{resource}\""), "");
        assert_eq!(refused(&text), "Policy has invalid resource", "{resource}");
    }
    assert_eq!(refused(&statement("\"s3:GetObject\"", "\"arn:aws:s3:::bkt\"", "")), ACTION);
    assert_eq!(refused(&statement(r#"["s3:GetObject","s3:ListBucket"]"#, objects, "")), ACTION);
    assert_eq!(refused(&statement("\"s3:ListAllMyBuckets\"", both, "")), ACTION);
    let on = |key: &str| format!(r#","Condition":{{"StringEquals":{{"{key}":"x"}}}}"#);
    assert_eq!(refused(&statement("\"s3:*\"", both, &on("s3:frobnicate"))), "Policy has an invalid condition key");
    assert_eq!(refused(&statement("\"s3:GetObject\"", objects, &on("s3:prefix"))), CONDITION);
    let principal = statement("\"s3:*\"", both, "").replace("\"*\"", r#"{"AWS":"nobody"}"#);
    assert_eq!(refused(&principal), "Invalid principal in policy");
    let id = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
    let canonical = statement("\"s3:*\"", both, "").replace("\"*\"", &format!(r#"{{"CanonicalUser":["{id}"]}}"#));
    assert_eq!(refused(&canonical), "Invalid principal in policy", "no account has such an id here");
    let version = statement("\"s3:*\"", both, "").replace("2012-10-17", "2012-10-18");
    assert_eq!(refused(&version), "The policy must contain a valid version string");
    let long = statement("\"s3:*\"", both, &on(&format!("aws:PrincipalTag/{}", "x".repeat(20_480))));
    assert_eq!(refused(&long), "Normalized policy document exceeds the maximum allowed size of 20480 bytes.");
}

#[test]
fn policies_that_are_taken() {
    let name = BucketName::parse("bkt").unwrap();
    for (action, resource, more) in [
        (r#""s3:*""#, r#""arn:aws:s3:::bkt""#, ""),
        (r#""*""#, r#""*""#, ""),
        (r#""S3:getobject""#, r#""arn:aws:s3:::*/*""#, ""),
        (
            r#"["s3:GetObject","s3:ListBucket"]"#,
            r#"["arn:aws:s3:::bkt","arn:aws:s3:::b?t/home/${aws:username}/*"]"#,
            "",
        ),
        (r#""s3:Get*""#, r#""arn:aws:s3:::bkt/*""#, ""),
        (
            r#""s3:*""#,
            r#""arn:aws:s3:::bkt""#,
            r#","Condition":{"StringLike":{"s3:prefix":"a*"},"Bool":{"aws:SecureTransport":"true"}}"#,
        ),
        (
            r#""s3:PutObject""#,
            r#""arn:aws:s3:::bkt/*""#,
            r#","Condition":{"StringEquals":{"s3:RequestObjectTag/a":"b"}}"#,
        ),
        (
            r#""s3:GetObject""#,
            r#""arn:aws:s3:::bkt/*""#,
            r#","Condition":{"StringEquals":{"s3:ExistingObjectTag/a":"b"}}"#,
        ),
    ] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":{action},"Resource":{resource}{more}}}}}"#
        );
        assert!(BucketPolicy::parse(&name, &text).is_ok(), "{text}");
    }
}

#[tokio::test]
async fn a_warm_bucket_key_notices_at_once_that_its_key_is_disabled() {
    let world = World::new().await;
    world.put("object", Way::BucketKey, b"x").await.unwrap();
    assert_eq!(world.get("object", Way::BucketKey, objects::Window::All).await.unwrap(), b"x");
    let request = keys::operation::lifecycle::DisableKeyRequest { key_id: world.key_arn.clone() };
    world.keys.disable_key(&world.principal, request).await.unwrap();
    let disabled = |error| matches!(error, Error::Kms(keys::Error::Disabled(_)));
    assert!(disabled(world.get("object", Way::BucketKey, objects::Window::All).await.unwrap_err()));
    assert!(disabled(world.put("object", Way::BucketKey, b"y").await.unwrap_err()));
}

#[tokio::test]
async fn nobody_in_particular_uses_no_kms_key() {
    let world = World::new().await;
    let nobody = keys::Principal::anonymous();
    for way in [Way::SseKms, Way::BucketKey, Way::Managed, Way::Dsse] {
        world.put("object", way, b"x").await.unwrap();
        let name = object("object");
        let opened = world.objects.open_object(&nobody, &world.bucket, &name, GetObject::default()).await;
        assert!(matches!(opened.err(), Some(Error::SignatureRequired)), "{way:?}");
        let request = PutObject { encryption: world.encryption(way), ..PutObject::default() };
        let mut body = crate::support::Chunks::of(b"x", 1);
        let put = world.objects.put_object(&nobody, &world.bucket, &name, request, &mut body).await;
        assert!(matches!(put.err(), Some(Error::SignatureRequired)), "{way:?}");
    }
}
