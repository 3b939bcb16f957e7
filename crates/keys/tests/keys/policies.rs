//! Key policies: stored, checked, and decisive.

use keys::Principal;
use keys::operation::encrypt::{DecryptRequest, EncryptRequest};
use keys::operation::lifecycle::{CreateKeyRequest, DescribeKeyRequest, DisableKeyRequest};
use keys::operation::policy::{GetKeyPolicyRequest, ListKeyPoliciesRequest, PutKeyPolicyRequest};
use keys::{Error, Keys};
use meta::{Order, Range, Store, Table, Transaction};
use seal::EncryptionContext;

use crate::fixture::{Fixture, code, incoming, incoming_at, plain, principal, unique_id};

const ME: &str = "111122223333";
const OTHER: &str = "444455556666";

/// A user of an account, whose own policies allow everything.
pub fn user(account: &str, name: &str) -> Principal {
    let arn = format!("arn:aws:iam::{account}:user/{name}");
    let account = principal(account).account;
    let id = unique_id(&arn);
    Principal::user(account, arn, name, id).allowed_all()
}

fn statement(effect: &str, principal: &str, actions: &str, rest: &str) -> String {
    format!(r#"{{"Effect":"{effect}","Principal":{principal},"Action":{actions},"Resource":"*"{rest}}}"#)
}

/// A policy in which the account's root administers the key, and these statements.
fn policy(statements: &[String]) -> String {
    let root = format!(r#"{{"AWS":"arn:aws:iam::{ME}:root"}}"#);
    let admin = statement("Allow", &root, r#"["kms:*KeyPolic*","kms:Describe*","kms:ScheduleKeyDeletion"]"#, "");
    let statements = [&[admin], statements].concat().join(",");
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

async fn put(f: &Fixture, key: &str, policy: &str) -> Result<(), Error> {
    let request = PutKeyPolicyRequest { key_id: key.to_owned(), policy: policy.to_owned(), ..Default::default() };
    f.keys.put_key_policy(&f.me, request).await.map(drop)
}

async fn get(keys: &Keys, who: &Principal, key: &str) -> Result<String, Error> {
    let request = GetKeyPolicyRequest { key_id: key.to_owned(), policy_name: None };
    Ok(keys.get_key_policy(who, request).await?.policy)
}

async fn encrypt(f: &Fixture, who: &Principal, key: &str, context: &[(&str, &str)]) -> Result<keys::Blob, Error> {
    let pairs = context.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = EncryptRequest {
        key_id: key.to_owned(),
        plaintext: plain("x"),
        encryption_context: Some(pairs),
        ..Default::default()
    };
    Ok(f.keys.encrypt(who, request).await?.ciphertext_blob)
}

#[tokio::test]
async fn a_key_has_the_default_policy_until_it_is_given_another() {
    let mut f = Fixture::new().await;
    let key = f.key().await;
    let default = get(&f.keys, &f.me, &key).await.unwrap();
    assert!(default.starts_with("{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\""), "{default}");
    assert!(default.contains("\"AWS\" : \"arn:aws:iam::111122223333:root\""));
    // It lets every principal of the account do what the account lets it.
    assert_eq!(code(encrypt(&f, &user(ME, "alice"), &key, &[]).await), "ok");

    let mine = policy(&[]);
    put(&f, &key, &mine).await.unwrap();
    assert_eq!(get(&f.keys, &f.me, &key).await.unwrap(), mine);
    assert_eq!(code(encrypt(&f, &f.me, &key, &[]).await), "AccessDeniedException");
    f.restart().await;
    assert_eq!(get(&f.keys, &f.me, &key).await.unwrap(), mine);
    assert_eq!(code(encrypt(&f, &f.me, &key, &[]).await), "AccessDeniedException");

    put(&f, &key, &default).await.unwrap();
    assert_eq!(code(encrypt(&f, &f.me, &key, &[]).await), "ok");

    let request = ListKeyPoliciesRequest { key_id: key.clone(), ..Default::default() };
    let listed = f.keys.list_key_policies(&f.me, request).await.unwrap();
    assert_eq!((listed.policy_names, listed.truncated), (vec!["default"], false));
}

#[tokio::test]
async fn a_policy_names_who_may_do_what() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let arn = f.describe(&key).await.unwrap().arn;
    let (alice, bob) = (user(ME, "alice"), user(ME, "bob"));
    let named = |user: &Principal| format!(r#"{{"AWS":"{}"}}"#, user.arn);
    let statements = [
        statement("Allow", &named(&alice), r#"["kms:Encrypt","kms:Decrypt"]"#, ""),
        statement("Deny", &named(&bob), r#""kms:*""#, ""),
    ];
    put(&f, &key, &policy(&statements)).await.unwrap();
    let blob = encrypt(&f, &alice, &key, &[]).await.unwrap();
    let decrypt = |key_id| DecryptRequest { ciphertext_blob: Some(blob.clone()), key_id, ..Default::default() };
    assert_eq!(code(f.keys.decrypt(&alice, decrypt(None)).await), "ok");
    assert_eq!(code(f.keys.decrypt(&alice, decrypt(Some(key.clone()))).await), "ok");

    let text = |error: Error| (error.code(), error.message().to_owned());
    let denied = |who: &Principal, action: &str, why: &str| {
        let arn = &arn;
        (
            "AccessDeniedException",
            format!("User: {} is not authorized to perform: {action} on resource: {arn} {why}", who.arn),
        )
    };
    let nothing = |action: &str| format!("because no resource-based policy allows the {action} action");
    let error = encrypt(&f, &f.me, &key, &[]).await.unwrap_err();
    assert_eq!(text(error), denied(&f.me, "kms:Encrypt", &nothing("kms:Encrypt")));
    let error = encrypt(&f, &bob, &key, &[]).await.unwrap_err();
    assert_eq!(text(error), denied(&bob, "kms:Encrypt", "with an explicit deny in a resource-based policy"));
    let request = DescribeKeyRequest { key_id: key.clone(), ..Default::default() };
    let error = f.keys.describe_key(&bob, request).await.unwrap_err();
    assert_eq!(text(error), denied(&bob, "kms:DescribeKey", "with an explicit deny in a resource-based policy"));
    // What a ciphertext names that one may not use, and what does not exist, are one answer.
    let error = f.keys.decrypt(&bob, decrypt(None)).await.map(drop).unwrap_err();
    assert!(error.message().starts_with("The ciphertext refers to a customer master key that does not exist"));
}

#[tokio::test]
async fn conditions_see_the_request_and_the_key() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/app", &key).await.unwrap();
    let allow = |condition: &str| {
        let condition = format!(r#","Condition":{condition}"#);
        policy(&[statement("Allow", r#"{"AWS":"*"}"#, r#"["kms:Encrypt","kms:GenerateDataKey"]"#, &condition)])
    };
    let context = &[("App", "Payroll"), ("Level", "1")][..];
    for (condition, name, allowed) in [
        (r#"{"StringEquals":{"kms:EncryptionContext:App":"Payroll"}}"#, &key[..], true),
        (r#"{"StringEquals":{"kms:encryptioncontext:aPP":"Payroll"}}"#, &key, true),
        (r#"{"StringEquals":{"kms:EncryptionContext:App":"payroll"}}"#, &key, false),
        (r#"{"Null":{"kms:EncryptionContext:Other":"false"}}"#, &key, false),
        (r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["App","Level"]}}"#, &key, true),
        (r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["App"]}}"#, &key, false),
        (r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#, &key, true),
        (r#"{"StringEquals":{"kms:CallerAccount":"444455556666"}}"#, &key, false),
        (
            r#"{"StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT","kms:KeyUsage":"ENCRYPT_DECRYPT","kms:KeyOrigin":"AWS_KMS"}}"#,
            &key,
            true,
        ),
        (r#"{"StringEquals":{"kms:KeySpec":"RSA_2048"}}"#, &key, false),
        (r#"{"Bool":{"kms:MultiRegion":"false"}}"#, &key, true),
        (r#"{"StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}}"#, &key, true),
        (r#"{"StringEquals":{"kms:RequestAlias":"alias/app"}}"#, "alias/app", true),
        (r#"{"StringEquals":{"kms:RequestAlias":"alias/app"}}"#, &key, false),
        (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/al*"}}"#, &key, true),
        (r#"{"StringEquals":{"aws:username":"alice","aws:PrincipalType":"User"}}"#, &key, true),
        (r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#, &key, true),
        (
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2023-11-14"},"DateLessThan":{"aws:EpochTime":"2023-11-15"}}"#,
            &key,
            true,
        ),
        (r#"{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}"#, &key, false),
        (r#"{"StringEquals":{"kms:Unknown":"x"}}"#, &key, false),
        (r#"{"StringNotEquals":{"kms:EncryptionContext:App":"${aws:PrincipalTag/app}"}}"#, &key, false),
    ] {
        put(&f, &key, &allow(condition)).await.unwrap();
        let request = incoming_at(f.time(), [0; 16], true, [192, 0, 2, 1]);
        let found = code(keys::in_request(request, encrypt(&f, &user(ME, "alice"), name, context)).await.0);
        assert_eq!(found == "ok", allowed, "{condition}: {found}");
    }
    // The same principal through S3.
    let via_s3 = allow(r#"{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}"#);
    put(&f, &key, &via_s3).await.unwrap();
    assert_eq!(code(encrypt(&f, &f.me, &key, &[]).await), "AccessDeniedException");
    assert_eq!(code(f.keys.data_key(&f.me, &key, &EncryptionContext::new()).await), "ok");
}

#[tokio::test]
async fn another_account_gets_what_the_policy_gives_it_and_no_management() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/shared", &key).await.unwrap();
    let arn = f.describe(&key).await.unwrap().arn;
    let other = format!(r#"{{"AWS":"{OTHER}"}}"#);
    put(&f, &key, &policy(&[statement("Allow", &other, r#""kms:*""#, "")])).await.unwrap();
    let bob = user(OTHER, "bob");
    for name in [&arn[..], "arn:aws:kms:eu-west-1:111122223333:alias/shared"] {
        assert_eq!(code(encrypt(&f, &bob, name, &[]).await), "ok", "{name}");
    }
    // A bare id is looked for in the caller's own account.
    assert_eq!(code(encrypt(&f, &bob, &key, &[]).await), "NotFoundException");
    let blob = encrypt(&f, &bob, &arn, &[]).await.unwrap();
    let decrypt = |who: Principal| {
        let request = DecryptRequest { ciphertext_blob: Some(blob.clone()), ..Default::default() };
        let keys = f.keys.clone();
        async move { code(keys.decrypt(&who, request).await) }
    };
    assert_eq!(decrypt(bob.clone()).await, "ok");
    assert_eq!(decrypt(user("777788889999", "eve")).await, "AccessDeniedException");
    let disable = DisableKeyRequest { key_id: arn.clone() };
    assert_eq!(code(f.keys.disable_key(&bob, disable).await), "AccessDeniedException");
    assert_eq!(code(get(&f.keys, &bob, &arn).await), "AccessDeniedException");
    // What it may not do and what is not there look alike.
    let missing = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000";
    put(&f, &key, &policy(&[])).await.unwrap();
    let mut texts = vec![];
    for name in [&arn[..], missing] {
        texts.push(encrypt(&f, &bob, name, &[]).await.unwrap_err().message().replace(name, "KEY"));
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn a_policy_that_locks_its_author_out_is_refused_unless_that_is_meant() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let alice = user(ME, "alice");
    let only_alice = statement("Allow", &format!(r#"{{"AWS":"{}"}}"#, alice.arn), r#""kms:*""#, "");
    let only_alice = format!(r#"{{"Version":"2012-10-17","Statement":{only_alice}}}"#);
    let error = put(&f, &key, &only_alice).await.unwrap_err();
    let text = "The new key policy will not allow you to update the key policy in the future.";
    assert_eq!((error.code(), error.message()), ("MalformedPolicyDocumentException", text));
    assert_eq!(code(encrypt(&f, &f.me, &key, &[]).await), "ok");

    let request = |bypass| PutKeyPolicyRequest {
        key_id: key.clone(),
        policy: only_alice.clone(),
        bypass_policy_lockout_safety_check: Some(bypass),
        policy_name: Some("default".to_owned()),
    };
    assert_eq!(code(f.keys.put_key_policy(&alice, request(false)).await), "ok");
    put(&f, &key, &policy(&[])).await.unwrap_err();
    let fresh = f.key().await;
    let request = PutKeyPolicyRequest { key_id: fresh.clone(), ..request(true) };
    assert_eq!(code(f.keys.put_key_policy(&f.me, request).await), "ok");
    assert_eq!(code(f.describe(&fresh).await), "AccessDeniedException");

    // The same for CreateKey.
    let create = |policy: &str, bypass| CreateKeyRequest {
        policy: Some(policy.to_owned()),
        bypass_policy_lockout_safety_check: bypass,
        ..Default::default()
    };
    assert_eq!(code(f.keys.create_key(&f.me, create(&only_alice, None)).await), "MalformedPolicyDocumentException");
    let made = f.keys.create_key(&alice, create(&only_alice, None)).await.unwrap().key_metadata.key_id;
    assert_eq!(get(&f.keys, &alice, &made).await.unwrap(), only_alice);
    assert_eq!(code(encrypt(&f, &f.me, &made, &[]).await), "AccessDeniedException");
    assert_eq!(code(f.keys.create_key(&f.me, create(&only_alice, Some(true))).await), "ok");
}

#[tokio::test]
async fn what_is_no_key_policy_is_refused() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let root = r#"{"AWS":"111122223333"}"#;
    let all = statement("Allow", root, r#""kms:*""#, "");
    let whole = |statement: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    for (policy, expected) in [
        (whole(&all), "ok"),
        ("not a real policy statement".to_owned(), "MalformedPolicyDocumentException"),
        ("{}".to_owned(), "MalformedPolicyDocumentException"),
        (whole(&all.replace(r#""Principal""#, r#""Principals""#)), "MalformedPolicyDocumentException"),
        (
            whole(&all.replace(root, r#"{"AWS":"arn:aws:iam::111122223333:group/g"}"#)),
            "MalformedPolicyDocumentException",
        ),
        (whole(&all.replace("Effect", "Condition")), "MalformedPolicyDocumentException"),
        (whole(r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#), "MalformedPolicyDocumentException"),
        (
            whole(&statement("Allow", root, r#""kms:*""#, r#","Condition":{"StringIs":{"a:b":"c"}}"#)),
            "MalformedPolicyDocumentException",
        ),
        (
            whole(
                &[&all[..], &statement("Allow", root, r#""kms:*""#, &format!(r#","Sid":"{}""#, "x".repeat(32_768)))]
                    .join(","),
            ),
            "LimitExceededException",
        ),
    ] {
        let found = code(put(&f, &key, &policy).await);
        assert_eq!(found, expected, "{policy:.200}");
        let request = CreateKeyRequest { policy: Some(policy.clone()), ..Default::default() };
        assert_eq!(code(f.keys.create_key(&f.me, request).await), expected, "{policy:.200}");
    }
    let error = put(&f, &key, &whole(&all.replace(root, r#"{"AWS":"x"}"#))).await.unwrap_err();
    assert_eq!(error.message(), "Policy contains a statement with one or more invalid principals.");

    let named = |name: &str| PutKeyPolicyRequest {
        key_id: key.clone(),
        policy: whole(&all),
        policy_name: Some(name.to_owned()),
        ..Default::default()
    };
    let error = f.keys.put_key_policy(&f.me, named("AWS_RAM")).await.unwrap_err();
    let text = "The AWS_RAM policy can only be managed by the RAM service.";
    assert_eq!((error.code(), error.message()), ("ValidationException", text));
    assert_eq!(code(f.keys.put_key_policy(&f.me, named("other")).await), "NotFoundException");
    for name in ["AWS_RAM", "other"] {
        let request = GetKeyPolicyRequest { key_id: key.clone(), policy_name: Some(name.to_owned()) };
        assert_eq!(code(f.keys.get_key_policy(&f.me, request).await), "NotFoundException", "{name}");
    }
}

#[tokio::test]
async fn a_policy_can_be_read_and_changed_in_every_state() {
    let f = Fixture::new().await;
    let (disabled, pending) = (f.key().await, f.key().await);
    f.disable(&disabled).await.unwrap();
    f.schedule(&pending, 7).await.unwrap();
    for key in [disabled, pending] {
        put(&f, &key, &policy(&[])).await.unwrap();
        assert_eq!(get(&f.keys, &f.me, &key).await.unwrap(), policy(&[]));
    }
}

#[tokio::test]
async fn whoever_deletes_the_policys_row_opens_the_key_to_nobody() {
    let mut f = Fixture::new().await;
    let key = f.key().await;
    put(&f, &key, &policy(&[])).await.unwrap();
    let rows = f.store.scan(Table::Key, &Range::prefix([0x20]), Order::Ascending, 9).await.unwrap();
    assert_eq!(rows.len(), 1);
    f.store.commit(Transaction::new().delete(Table::Key, &rows[0].key)).await.unwrap();
    f.restart().await;
    assert_eq!(code(encrypt(&f, &f.me, &key, &[]).await), "KMSInternalException");
    let mut damages = vec![];
    f.keys.verify(&mut |damage| damages.push(damage.what)).await.unwrap();
    assert_eq!(damages, ["key policy"]);
}

#[tokio::test]
async fn an_aws_managed_key_keeps_its_policy() {
    let f = Fixture::new().await;
    let key = f.describe("alias/aws/s3").await.unwrap().key_id;
    let text = get(&f.keys, &f.me, &key).await.unwrap();
    assert!(text.contains("auto-s3-2") && text.contains("s3.eu-west-1.amazonaws.com"), "{text}");
    assert_eq!(code(put(&f, &key, &policy(&[])).await), "AccessDeniedException");
    assert_eq!(code(f.keys.data_key(&user(ME, "alice"), &key, &EncryptionContext::new()).await), "ok");
    assert_eq!(code(encrypt(&f, &f.me, &key, &[]).await), "AccessDeniedException");
}

#[tokio::test]
async fn an_alias_moves_only_where_both_keys_allow_it() {
    use keys::operation::alias::{DeleteAliasRequest, UpdateAliasRequest};
    let f = Fixture::new().await;
    let (one, two) = (f.key().await, f.key().await);
    f.alias("alias/a", &one).await.unwrap();
    put(&f, &one, &policy(&[])).await.unwrap();
    let update = UpdateAliasRequest { alias_name: "alias/a".to_owned(), target_key_id: two.clone() };
    assert_eq!(code(f.keys.update_alias(&f.me, update).await), "AccessDeniedException");
    let delete = || DeleteAliasRequest { alias_name: "alias/a".to_owned() };
    assert_eq!(code(f.keys.delete_alias(&f.me, delete()).await), "AccessDeniedException");
    put(&f, &one, &policy(&[statement("Allow", r#"{"AWS":"*"}"#, r#""kms:*Alias""#, "")])).await.unwrap();
    assert_eq!(code(f.keys.delete_alias(&f.me, delete()).await), "ok");
}

#[tokio::test]
async fn a_policy_sees_the_encryption_context_of_what_s3_asks() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let alice = user(ME, "alice");
    let of_bucket = |operator: &str, bucket: &str| {
        format!(
            r#","Condition":{{"{operator}":{{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::{bucket}/*"}},
                "StringEquals":{{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT","kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}}"#
        )
    };
    let named = format!(r#"{{"AWS":"{}"}}"#, alice.arn);
    let statements = [
        statement("Allow", &named, r#"["kms:GenerateDataKey","kms:Decrypt"]"#, &of_bucket("StringLike", "reports*")),
        statement("Deny", r#""*""#, r#""kms:*""#, &of_bucket("StringLike", "reports-closed")),
    ];
    put(&f, &key, &policy(&statements)).await.unwrap();
    let context = |bucket: &str| {
        let mut context = EncryptionContext::new();
        context.insert("aws:s3:arn", format!("arn:aws:s3:::{bucket}/q1")).unwrap();
        context
    };
    let made = f.keys.data_key(&alice, &key, &context("reports")).await.unwrap();
    let open =
        async |bucket: &str| code(f.keys.decrypt_data_key(&alice, &made.key_arn, &made.blob, &context(bucket)).await);
    assert_eq!(open("reports").await, "ok");
    for bucket in ["other", "reports-closed"] {
        assert_eq!(code(f.keys.data_key(&alice, &key, &context(bucket)).await), "AccessDeniedException", "{bucket}");
        assert_eq!(open(bucket).await, "AccessDeniedException", "{bucket}");
    }
}

#[tokio::test]
async fn a_policy_sees_the_way_that_a_request_came() {
    let f = Fixture::new().await;
    let key = f.key().await;
    let everyone = r#"{"AWS":"*"}"#;
    let statements = [
        statement("Allow", everyone, r#"["kms:Encrypt","kms:GenerateDataKey"]"#, ""),
        statement("Deny", everyone, r#""kms:*""#, r#","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#),
        statement("Deny", everyone, r#""kms:Enc*""#, r#","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.128/25"}}"#),
    ];
    put(&f, &key, &policy(&statements)).await.unwrap();
    for (secure, last, expected) in
        [(true, 1, "ok"), (false, 1, "AccessDeniedException"), (true, 129, "AccessDeniedException")]
    {
        let request = incoming([0; 16], secure, [192, 0, 2, last]);
        let done = keys::in_request(request, encrypt(&f, &f.me, &key, &[])).await.0;
        assert_eq!(code(done), expected, "{secure} {last}");
    }
    let request = incoming([0; 16], false, [192, 0, 2, 1]);
    let asked = keys::in_request(request, async { f.keys.data_key(&f.me, &key, &EncryptionContext::new()).await });
    assert_eq!(code(asked.await.0), "AccessDeniedException");
}
