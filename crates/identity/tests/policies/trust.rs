use std::sync::Arc;

use identity::operation::inline::PutRolePolicyRequest;
use identity::operation::inline::PutUserPolicyRequest;
use identity::operation::role::*;
use identity::operation::user::*;
use identity::sts::AssumeRoleRequest;
use policy::Principal;
use serde_json::json;

use crate::bed::{Bed, allow, arn};

fn trusting(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
    )
}

async fn shown(bed: &Bed) -> String {
    let role = bed.ok::<GetRoleRequest>(json!({"RoleName": "R"})).await;
    let text = role["Role"]["AssumeRolePolicyDocument"].as_str().unwrap().to_owned();
    percent_encoding::percent_decode_str(&text).decode_utf8().unwrap().into_owned()
}

async fn user(bed: &Bed, name: &str) -> String {
    bed.ok::<CreateUserRequest>(json!({"UserName": name})).await["User"]["UserId"].as_str().unwrap().to_owned()
}

async fn assume(bed: &Bed, caller: &Arc<Principal>) -> Option<Arc<Principal>> {
    let request = json!({"RoleArn": arn("role/R"), "RoleSessionName": "s"});
    let answer = bed.attempt::<AssumeRoleRequest>(caller, request).await?;
    let credentials = &answer["Credentials"];
    let token = credentials["SessionToken"].as_str().unwrap();
    Some(bed.who(credentials["AccessKeyId"].as_str().unwrap(), Some(token)).await)
}

#[tokio::test]
async fn principals_must_exist() {
    let bed = Bed::new().await;
    user(&bed, "alice").await;
    let cases = [
        r#"{"AWS":"arn:aws:iam::111111111111:user/bob"}"#,
        r#"{"AWS":"arn:aws:iam::111111111111:user/path/alice"}"#,
        r#"{"AWS":"arn:aws:iam::111111111111:role/none"}"#,
        r#"{"AWS":"arn:aws:sts::111111111111:assumed-role/none/s"}"#,
        r#"{"AWS":"arn:aws:iam::222222222222:user/alice"}"#,
        r#"{"AWS":"222222222222"}"#,
        r#"{"AWS":"AIDAAAAAAAAAAAAAAAAAA"}"#,
    ];
    for principal in cases {
        let request = json!({"RoleName": "R", "AssumeRolePolicyDocument": trusting(principal)});
        let (code, text) = bed.fails::<CreateRoleRequest>(request).await;
        assert_eq!(code, "MalformedPolicyDocument", "{principal}");
        let inner = principal.trim_matches(['{', '}']);
        assert_eq!(text, format!("Invalid principal in policy: {inner}"));
    }
    for principal in [
        r#"{"AWS":["111111111111","arn:aws:iam::111111111111:user/alice"]}"#,
        r#"{"AWS":"*"}"#,
        r#"{"Service":"lambda.amazonaws.com"}"#,
    ] {
        let request = json!({"RoleName": "R", "AssumeRolePolicyDocument": trusting(principal)});
        bed.ok::<CreateRoleRequest>(request).await;
        bed.ok::<DeleteRoleRequest>(json!({"RoleName": "R"})).await;
    }
}

#[tokio::test]
async fn trust_policies_are_refused_in_awss_words() {
    let bed = Bed::new().await;
    let service = r#""Principal":{"Service":"ec2.amazonaws.com"}"#;
    let document = |body: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{body}}}]}}"#);
    let cases = [
        ("{\"Version".to_owned(), "This policy contains invalid Json"),
        (
            document(&format!(r#"{service},"Action":"s3:*""#)),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (document(&format!(r#"{service},"Action":"sts:AssumeRole","Resource":"*""#)), "Has prohibited field Resource"),
        (trusting("\"*\""), "AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\"."),
    ];
    for (document, expected) in cases {
        let request = json!({"RoleName": "R", "AssumeRolePolicyDocument": document});
        let (code, text) = bed.fails::<CreateRoleRequest>(request).await;
        assert_eq!((code.as_str(), text.as_str()), ("MalformedPolicyDocument", expected), "{document}");
    }
    let long = document(&format!(r#"{service},"Action":"sts:AssumeRole","Sid":"{}""#, "a".repeat(2_048)));
    let (code, text) = bed.fails::<CreateRoleRequest>(json!({"RoleName": "R", "AssumeRolePolicyDocument": long})).await;
    assert_eq!((code.as_str(), text.as_str()), ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"));
}

#[tokio::test]
async fn who_takes_a_deleted_users_name_does_not_inherit_its_trust() {
    let bed = Bed::new().await;
    let id = user(&bed, "alice").await;
    let alice = arn("user/alice");
    let document = trusting(&format!(r#"{{"AWS":"{alice}"}}"#));
    bed.ok::<CreateRoleRequest>(json!({"RoleName": "R", "AssumeRolePolicyDocument": document})).await;
    let (key, first) = bed.sign_in("alice").await;
    assert!(assume(&bed, &first).await.is_some());
    assert_eq!(shown(&bed).await, document);

    let deletion = json!({"UserName": "alice", "AccessKeyId": key});
    bed.ok::<identity::operation::access_key::DeleteAccessKeyRequest>(deletion).await;
    bed.ok::<DeleteUserRequest>(json!({"UserName": "alice"})).await;
    assert_eq!(shown(&bed).await, document.replace(&alice, &id));
    user(&bed, "alice").await;
    let (_, second) = bed.sign_in("alice").await;
    assert_eq!(second.arn, first.arn);
    assert!(assume(&bed, &second).await.is_none());
    assert_eq!(shown(&bed).await, document.replace(&alice, &id));
    // A policy that names who is gone is not taken again.
    let request = json!({"RoleName": "R", "PolicyDocument": shown(&bed).await});
    let (code, text) = bed.fails::<UpdateAssumeRolePolicyRequest>(request).await;
    assert_eq!(
        (code.as_str(), text),
        ("MalformedPolicyDocument", format!("Invalid principal in policy: \"AWS\":\"{id}\""))
    );
    bed.ok::<UpdateAssumeRolePolicyRequest>(json!({"RoleName": "R", "PolicyDocument": document})).await;
    assert!(assume(&bed, &second).await.is_some());
}

#[tokio::test]
async fn trust_follows_a_user_to_its_new_name() {
    let bed = Bed::new().await;
    user(&bed, "alice").await;
    let document = trusting(&format!(r#"{{"AWS" : "{}"}}"#, arn("user/alice")));
    bed.ok::<CreateRoleRequest>(json!({"RoleName": "R", "AssumeRolePolicyDocument": document})).await;
    let (key, _) = bed.sign_in("alice").await;
    bed.ok::<UpdateUserRequest>(json!({"UserName": "alice", "NewUserName": "anna", "NewPath": "/x/"})).await;
    assert_eq!(shown(&bed).await, document.replace("user/alice", "user/x/anna"));
    let anna = bed.who(&key, None).await;
    assert!(assume(&bed, &anna).await.is_some());
}

/// What AWS's console attaches to a role to end its sessions (IAM User Guide, "Revoke IAM role temporary security credentials").
#[tokio::test]
async fn sessions_issued_before_a_moment_are_refused_from_the_next_request_on() {
    let bed = Bed::new().await;
    user(&bed, "alice").await;
    let document = trusting(&format!(r#"{{"AWS":"{}"}}"#, arn("user/alice")));
    bed.ok::<CreateRoleRequest>(json!({"RoleName": "R", "AssumeRolePolicyDocument": document})).await;
    let inline = json!({"RoleName": "R", "PolicyName": "p", "PolicyDocument": allow("iam:*", "*")});
    bed.ok::<PutRolePolicyRequest>(inline).await;
    let nothing = json!({"UserName": "alice", "PolicyName": "p", "PolicyDocument": allow("sts:AssumeRole", "*")});
    bed.ok::<PutUserPolicyRequest>(nothing).await;
    let (_, alice) = bed.sign_in("alice").await;
    let request = json!({"RoleArn": arn("role/R"), "RoleSessionName": "s"});
    let old = bed.attempt::<AssumeRoleRequest>(&alice, request).await.unwrap()["Credentials"].clone();
    let (key, token) = (old["AccessKeyId"].as_str().unwrap(), old["SessionToken"].as_str());
    let session = bed.who(key, token).await;
    assert!(bed.attempt::<GetRoleRequest>(&session, json!({"RoleName": "R"})).await.is_some());

    bed.wait(10);
    let revocation = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],
        "Condition":{"DateLessThan":{"aws:TokenIssueTime":"2025-10-09T08:53:30.000Z"}}}]}"#;
    let request = json!({"RoleName": "R", "PolicyName": "AWSRevokeOlderSessions", "PolicyDocument": revocation});
    bed.ok::<PutRolePolicyRequest>(request).await;
    let session = bed.who(key, token).await;
    assert!(bed.attempt::<GetRoleRequest>(&session, json!({"RoleName": "R"})).await.is_none());
    let session = assume(&bed, &alice).await.unwrap();
    assert!(bed.attempt::<GetRoleRequest>(&session, json!({"RoleName": "R"})).await.is_some());
}
