//! AWS managed keys and the service key.

use keys::operation::alias::{CreateAliasRequest, DeleteAliasRequest, ListAliasesRequest};
use keys::operation::encrypt::DecryptRequest;
use keys::operation::lifecycle::{ListKeysRequest, UpdateKeyDescriptionRequest};
use keys::operation::rotation::ListKeyRotationsRequest;
use keys::operation::tag::{Tag, TagResourceRequest};
use keys::{AWS_S3, Blob};
use seal::EncryptionContext;

use crate::fixture::{DAY, Fixture, code, principal};

fn context() -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert("aws:s3:arn", "arn:aws:s3:::bucket/key").unwrap();
    context
}

#[tokio::test]
async fn an_aws_managed_key_appears_at_first_use_and_stays() {
    let f = Fixture::new().await;
    assert_eq!(code(f.encrypt(AWS_S3, "x").await), "NotFoundException");
    let made = f.keys.data_key(&f.me, AWS_S3, &context()).await.unwrap();
    let described = f.describe(AWS_S3).await.unwrap();
    assert_eq!((described.arn.as_str(), described.key_manager), (made.key_arn.as_str(), "AWS"));
    assert_eq!(f.keys.aws_managed_key(f.me.account, AWS_S3).await.unwrap().to_string(), made.key_arn);
    let opened = f.keys.decrypt_data_key(&f.me, &made.key_arn, &made.blob, &context()).await.unwrap();
    assert!(opened == made.plaintext);
    let listed = f.keys.list_aliases(&f.me, ListAliasesRequest::default()).await.unwrap().aliases;
    assert_eq!(listed[0].alias_name, AWS_S3);
    assert_eq!(f.keys.list_keys(&f.me, ListKeysRequest::default()).await.unwrap().keys.len(), 1);
}

#[tokio::test]
async fn describing_the_predefined_alias_makes_its_key() {
    let f = Fixture::new().await;
    let first = f.describe(AWS_S3).await.unwrap().key_id;
    assert_eq!(f.describe(AWS_S3).await.unwrap().key_id, first);
    assert_eq!(code(f.describe("alias/aws/ebs").await), "NotFoundException");
    assert_eq!(code(f.keys.aws_managed_key(f.me.account, "alias/mine").await), "NotFoundException");
}

#[tokio::test]
async fn each_account_has_its_own() {
    let f = Fixture::new().await;
    let other = principal("444455556666");
    let mine = f.keys.data_key(&f.me, AWS_S3, &context()).await.unwrap();
    let theirs = f.keys.data_key(&other, AWS_S3, &context()).await.unwrap();
    assert_ne!(mine.key_arn, theirs.key_arn);
    let opened = f.keys.decrypt_data_key(&other, &mine.key_arn, &mine.blob, &context()).await;
    assert_eq!(code(opened), "AccessDeniedException");
}

#[tokio::test]
async fn its_policy_lets_the_account_read_and_s3_encrypt_and_nothing_else() {
    let f = Fixture::new().await;
    let made = f.keys.data_key(&f.me, AWS_S3, &context()).await.unwrap();
    let key = f.describe(AWS_S3).await.unwrap().key_id;
    let key_id = key.clone();
    let denied = "AccessDeniedException";
    assert_eq!(code(f.encrypt(AWS_S3, "x").await), denied);
    assert_eq!(code(f.encrypt(&key, "x").await), denied);
    assert_eq!(code(f.decrypt(&Blob(made.blob.clone())).await), denied);
    let named =
        DecryptRequest { ciphertext_blob: Some(Blob(made.blob)), key_id: Some(key_id.clone()), ..Default::default() };
    assert_eq!(code(f.keys.decrypt(&f.me, named).await), denied);
    assert_eq!(code(f.disable(&key).await), denied);
    assert_eq!(code(f.enable(&key).await), denied);
    assert_eq!(code(f.schedule(&key, 7).await), denied);
    assert_eq!(code(f.rotate(&key).await), denied);
    assert_eq!(code(f.alias("alias/mine", &key).await), denied);
    let request = UpdateKeyDescriptionRequest { key_id: key_id.clone(), description: String::new() };
    assert_eq!(code(f.keys.update_key_description(&f.me, request).await), denied);
    let tags = vec![Tag { tag_key: "a".to_owned(), tag_value: String::new() }];
    assert_eq!(code(f.keys.tag_resource(&f.me, TagResourceRequest { key_id: key_id.clone(), tags }).await), denied);
    let request = DeleteAliasRequest { alias_name: AWS_S3.to_owned() };
    assert_eq!(code(f.keys.delete_alias(&f.me, request).await), "NotAuthorizedException");
    let request = ListKeyRotationsRequest { key_id, ..Default::default() };
    assert_eq!(code(f.keys.list_key_rotations(&f.me, request).await), "ok");
}

#[tokio::test]
async fn racing_first_uses_yield_one_key() {
    let f = Fixture::new().await;
    let gateways = [f.keys.clone(), f.gateway().await, f.gateway().await];
    let mut tasks = Vec::new();
    for n in 0..12 {
        let (keys, me) = (gateways[n % 3].clone(), f.me.clone());
        tasks.push(tokio::spawn(async move {
            let service = keys.service_data_key(&context()).await.unwrap();
            (keys.data_key(&me, AWS_S3, &context()).await.unwrap(), service)
        }));
    }
    let arn = f.keys.aws_managed_key(f.me.account, AWS_S3).await.unwrap().to_string();
    for task in tasks {
        let (made, service) = task.await.unwrap();
        assert_eq!(made.key_arn, arn);
        assert!(f.keys.open_service_data_key(&service.blob, &context()).await.unwrap() == service.plaintext);
    }
}

#[tokio::test]
async fn no_kms_operation_sees_the_service_key() {
    let f = Fixture::new().await;
    let made = f.keys.service_data_key(&context()).await.unwrap();
    let nil = "00000000-0000-0000-0000-000000000000";
    assert_eq!(code(f.describe(nil).await), "NotFoundException");
    assert_eq!(code(f.encrypt(nil, "x").await), "NotFoundException");
    assert_eq!(code(f.disable(nil).await), "NotFoundException");
    assert_eq!(code(f.schedule(nil, 7).await), "NotFoundException");
    assert_eq!(code(f.keys.data_key(&f.me, nil, &context()).await), "NotFoundException");
    let target = CreateAliasRequest { alias_name: "alias/x".to_owned(), target_key_id: nil.to_owned() };
    assert_eq!(code(f.keys.create_alias(&f.me, target).await), "NotFoundException");
    assert_eq!(code(f.decrypt(&Blob(made.blob)).await), "AccessDeniedException");
    // Nor does an account whose id looks like no account.
    let zero = principal("000000000000");
    assert!(f.keys.list_keys(&zero, ListKeysRequest::default()).await.unwrap().keys.is_empty());
    let request = keys::operation::lifecycle::DescribeKeyRequest { key_id: nil.into(), ..Default::default() };
    assert_eq!(code(f.keys.describe_key(&zero, request).await), "NotFoundException");
}

#[tokio::test]
async fn service_data_keys_are_bound_to_their_context_and_key() {
    let f = Fixture::new().await;
    let made = f.keys.service_data_key(&context()).await.unwrap();
    let other = EncryptionContext::new();
    assert_eq!(code(f.keys.open_service_data_key(&made.blob, &other).await), "InvalidCiphertextException");
    let key = f.key().await;
    let foreign = f.keys.data_key(&f.me, &key, &context()).await.unwrap();
    assert_eq!(code(f.keys.open_service_data_key(&foreign.blob, &context()).await), "InvalidCiphertextException");
    let arn = foreign.key_arn;
    assert_eq!(code(f.keys.decrypt_data_key(&f.me, &arn, &made.blob, &context()).await), "IncorrectKeyException");
}

#[tokio::test]
async fn keys_that_nobody_manages_rotate_by_age() {
    let f = Fixture::new().await;
    let service = f.keys.service_data_key(&context()).await.unwrap();
    let managed = f.keys.data_key(&f.me, AWS_S3, &context()).await.unwrap();
    let first = f.describe(AWS_S3).await.unwrap();
    let other = f.gateway().await;
    for _ in 0..8 {
        f.pass(50 * DAY);
        let (one, two) = tokio::join!(f.keys.tick(), other.tick());
        one.unwrap();
        two.unwrap();
    }
    // 400 days: one year for the AWS managed key.
    let request = ListKeyRotationsRequest { key_id: first.key_id.clone(), ..Default::default() };
    let rotations = f.keys.list_key_rotations(&f.me, request).await.unwrap().rotations;
    assert_eq!(rotations.len(), 1);
    assert_eq!(rotations[0].rotation_type, Some("AUTOMATIC"));
    assert_ne!(f.describe(AWS_S3).await.unwrap().current_key_material_id, first.current_key_material_id);
    // The material number stands behind the key id in the blob: rotated at 100, 200, 300 and 400 days.
    let newer = f.keys.service_data_key(&context()).await.unwrap();
    assert_eq!((service.blob[23..27].to_vec(), newer.blob[23..27].to_vec()), (vec![0, 0, 0, 1], vec![0, 0, 0, 5]));
    assert!(f.keys.open_service_data_key(&service.blob, &context()).await.unwrap() == service.plaintext);
    let opened = f.keys.decrypt_data_key(&f.me, &managed.key_arn, &managed.blob, &context()).await.unwrap();
    assert!(opened == managed.plaintext);
}

#[tokio::test]
async fn domain_keys_are_replaced_by_age_and_old_records_open() {
    let mut f = Fixture::new().await;
    let key = f.key().await;
    let blob = f.encrypt(&key, "x").await.unwrap();
    let old = f.keys.records().seal(b"bucket", b"place", b"record");
    f.pass(366 * DAY);
    f.keys.tick().await.unwrap();
    // It settles first, so that every gateway knows it before anything is sealed under it.
    assert_eq!(f.keys.records().seal(b"bucket", b"place", b"")[7..11], [0, 0, 0, 0]);
    f.pass(DAY);
    f.keys.tick().await.unwrap();
    let new = f.keys.records().seal(b"bucket", b"place", b"record");
    assert_eq!(new[7..11], [0, 0, 0, 1]);
    f.restart().await;
    for sealed in [old, new] {
        assert_eq!(**f.keys.records().open(b"bucket", b"place", &sealed).unwrap(), *b"record");
    }
    assert!(f.decrypt(&blob).await.unwrap().plaintext.expose() == b"x");
}
