use identity::operation::attach::{AttachRolePolicyRequest, DetachRolePolicyRequest};
use identity::operation::inline::PutRolePolicyRequest;
use identity::operation::role::*;
use identity::operation::role_tag::*;
use serde_json::{Value, json};

use crate::bed::{Bed, allow, arn};

pub(crate) const SERVICE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub(crate) fn create(name: &str) -> Value {
    json!({"RoleName": name, "AssumeRolePolicyDocument": SERVICE})
}

#[tokio::test]
async fn a_role_is_made_and_answered_as_aws_does() {
    let bed = Bed::new().await;
    let mut request = create("R");
    request["Path"] = "/team/".into();
    request["Description"] = "does".into();
    request["MaxSessionDuration"] = 7_200.into();
    request["Tags"] = json!([{"Key": "k", "Value": "v"}]);
    let made = bed.ok::<CreateRoleRequest>(request).await["Role"].clone();
    assert_eq!(made["Arn"], arn("role/team/R"));
    assert!(made["RoleId"].as_str().unwrap().starts_with("AROA"));
    assert_eq!(made["Tags"], json!([{"Key": "k", "Value": "v"}]));
    for absent in ["Description", "MaxSessionDuration", "RoleLastUsed", "PermissionsBoundary"] {
        assert!(made.get(absent).is_none(), "{absent}");
    }
    let got = bed.ok::<GetRoleRequest>(json!({"RoleName": "R"})).await["Role"].clone();
    assert_eq!((&got["Description"], &got["MaxSessionDuration"]), (&json!("does"), &json!(7_200)));
    assert_eq!(got["RoleLastUsed"], json!({}));
    assert!(got["AssumeRolePolicyDocument"].as_str().unwrap().starts_with("%7B%22Version"));
    let listed = bed.ok::<ListRolesRequest>(json!({"PathPrefix": "/team/"})).await["Roles"][0].clone();
    assert_eq!(listed["Description"], "does");
    assert!(listed.get("Tags").is_none() && listed.get("RoleLastUsed").is_none());
    let (code, text) = bed.fails::<CreateRoleRequest>(create("r")).await;
    assert_eq!((code.as_str(), text.as_str()), ("EntityAlreadyExists", "Role with name r already exists."));
}

#[tokio::test]
async fn a_role_is_updated_where_the_request_says_so() {
    let bed = Bed::new().await;
    bed.ok::<CreateRoleRequest>(create("R")).await;
    let answer =
        bed.ok::<UpdateRoleRequest>(json!({"RoleName": "R", "Description": "d", "MaxSessionDuration": 43_200})).await;
    assert_eq!(answer, json!({}));
    bed.ok::<UpdateRoleRequest>(json!({"RoleName": "R"})).await;
    let got = bed.ok::<GetRoleRequest>(json!({"RoleName": "R"})).await["Role"].clone();
    assert_eq!((&got["Description"], &got["MaxSessionDuration"]), (&json!("d"), &json!(43_200)));
    let answer = bed.ok::<UpdateRoleDescriptionRequest>(json!({"RoleName": "R", "Description": "e"})).await;
    assert_eq!(answer["Role"]["Description"], "e");
    assert!(answer["Role"].get("MaxSessionDuration").is_none());
}

#[tokio::test]
async fn a_role_that_is_not_there() {
    let bed = Bed::new().await;
    let expected = ("NoSuchEntity".to_owned(), "The role with name test-nonexistent-role cannot be found.".to_owned());
    let request = json!({"RoleName": "test-nonexistent-role"});
    assert_eq!(bed.fails::<GetRoleRequest>(request.clone()).await, expected);
    assert_eq!(bed.fails::<UpdateRoleRequest>(request.clone()).await, expected);
    assert_eq!(bed.fails::<DeleteRoleRequest>(request.clone()).await, expected);
    assert_eq!(bed.fails::<ListRoleTagsRequest>(request).await, expected);
    let request = json!({"RoleName": "test-nonexistent-role", "PolicyDocument": "nonsense"});
    assert_eq!(bed.fails::<UpdateAssumeRolePolicyRequest>(request).await, expected);
}

#[tokio::test]
async fn a_role_with_policies_is_not_deleted() {
    let bed = Bed::new().await;
    bed.ok::<CreateRoleRequest>(create("R")).await;
    let policy = json!({"RoleName": "R", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
    bed.ok::<AttachRolePolicyRequest>(policy.clone()).await;
    let (code, text) = bed.fails::<DeleteRoleRequest>(json!({"RoleName": "R"})).await;
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    );
    bed.ok::<DetachRolePolicyRequest>(policy).await;
    let inline = json!({"RoleName": "R", "PolicyName": "p", "PolicyDocument": allow("s3:*", "*")});
    bed.ok::<PutRolePolicyRequest>(inline).await;
    let (_, text) = bed.fails::<DeleteRoleRequest>(json!({"RoleName": "R"})).await;
    assert_eq!(text, "Cannot delete entity, must delete policies first.");
}

#[tokio::test]
async fn tags_of_roles_have_no_case() {
    let bed = Bed::new().await;
    bed.ok::<CreateRoleRequest>(create("R")).await;
    bed.ok::<TagRoleRequest>(json!({"RoleName": "R", "Tags": [{"Key": "Team", "Value": "a"}]})).await;
    bed.ok::<TagRoleRequest>(json!({"RoleName": "R", "Tags": [{"Key": "team", "Value": "b"}]})).await;
    let tags = bed.ok::<ListRoleTagsRequest>(json!({"RoleName": "R"})).await;
    assert_eq!(tags["Tags"], json!([{"Key": "team", "Value": "b"}]));
    let twice = json!({"RoleName": "R", "Tags": [{"Key": "x", "Value": ""}, {"Key": "X", "Value": ""}]});
    let (code, text) = bed.fails::<TagRoleRequest>(twice).await;
    assert_eq!(code, "InvalidInput");
    assert_eq!(text, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    bed.ok::<UntagRoleRequest>(json!({"RoleName": "R", "TagKeys": ["TEAM"]})).await;
    assert_eq!(bed.ok::<ListRoleTagsRequest>(json!({"RoleName": "R"})).await["Tags"], json!([]));
}

#[tokio::test]
async fn lists_of_roles_have_pages() {
    let bed = Bed::new().await;
    for name in ["c", "a", "d", "b"] {
        bed.ok::<CreateRoleRequest>(create(name)).await;
    }
    let page = bed.ok::<ListRolesRequest>(json!({"MaxItems": 3})).await;
    let rest = bed.ok::<ListRolesRequest>(json!({"MaxItems": 3, "Marker": page["Marker"]})).await;
    let names = |page: &Value| -> Vec<String> {
        page["Roles"].as_array().unwrap().iter().map(|role| role["RoleName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((names(&page), names(&rest)), (vec!["a".into(), "b".into(), "c".into()], vec!["d".into()]));
}

#[tokio::test]
async fn the_last_use_of_a_role_outlives_the_memory_and_goes_with_the_role() {
    let bed = Bed::new().await;
    let id = bed.ok::<CreateRoleRequest>(create("R")).await["Role"]["RoleId"].as_str().unwrap().to_owned();
    bed.identity.used(&id, "s3", "us-east-1");
    let used = json!({"LastUsedDate": "2025-10-09T08:53:20Z", "Region": "us-east-1"});
    assert_eq!(bed.ok::<GetRoleRequest>(json!({"RoleName": "R"})).await["Role"]["RoleLastUsed"], used);
    bed.identity.flush().await.unwrap();
    assert_eq!(bed.ok::<GetRoleRequest>(json!({"RoleName": "R"})).await["Role"]["RoleLastUsed"], used);
    bed.ok::<DeleteRoleRequest>(json!({"RoleName": "R"})).await;
    bed.ok::<CreateRoleRequest>(create("R")).await;
    assert_eq!(bed.ok::<GetRoleRequest>(json!({"RoleName": "R"})).await["Role"]["RoleLastUsed"], json!({}));
}
