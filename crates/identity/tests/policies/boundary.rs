use identity::operation::attach::AttachUserPolicyRequest;
use identity::operation::boundary::*;
use identity::operation::managed_policy::*;
use identity::operation::policy_entities::ListEntitiesForPolicyRequest;
use identity::operation::role::*;
use identity::operation::user::*;
use serde_json::json;

use crate::bed::{Bed, allow, arn};
use crate::roles::create;

async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.ok::<CreatePolicyRequest>(json!({"PolicyName": "B", "PolicyDocument": allow("s3:*", "*")})).await;
    bed.ok::<CreateUserRequest>(json!({"UserName": "alice"})).await;
    bed.ok::<CreateRoleRequest>(create("R")).await;
    bed
}

#[tokio::test]
async fn boundaries_are_shown_and_counted() {
    let bed = bed().await;
    let boundary = arn("policy/B");
    bed.ok::<PutRolePermissionsBoundaryRequest>(json!({"RoleName": "R", "PermissionsBoundary": boundary})).await;
    bed.ok::<PutUserPermissionsBoundaryRequest>(json!({"UserName": "alice", "PermissionsBoundary": boundary})).await;
    let mut bounded = create("R2");
    bounded["PermissionsBoundary"] = boundary.clone().into();
    let made = bed.ok::<CreateRoleRequest>(bounded).await;
    let shown = json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary});
    assert_eq!(made["Role"]["PermissionsBoundary"], shown);
    assert_eq!(bed.ok::<GetRoleRequest>(json!({"RoleName": "R"})).await["Role"]["PermissionsBoundary"], shown);
    let policy = bed.ok::<GetPolicyRequest>(json!({"PolicyArn": boundary})).await["Policy"].clone();
    assert_eq!((&policy["AttachmentCount"], &policy["PermissionsBoundaryUsageCount"]), (&json!(0), &json!(3)));
    let entities = bed.ok::<ListEntitiesForPolicyRequest>(json!({"PolicyArn": boundary})).await;
    assert_eq!(entities["PolicyRoles"].as_array().unwrap().len(), 2);
    let used = bed.ok::<ListPoliciesRequest>(json!({"PolicyUsageFilter": "PermissionsBoundary"})).await;
    assert_eq!(used["Policies"].as_array().unwrap().len(), 1);
    let attached = bed.ok::<ListPoliciesRequest>(json!({"OnlyAttached": true})).await;
    assert_eq!(attached["Policies"], json!([]));
    let (code, text) = bed.fails::<DeletePolicyRequest>(json!({"PolicyArn": boundary})).await;
    assert_eq!((code.as_str(), text.as_str()), ("DeleteConflict", "Cannot delete a policy attached to entities."));

    bed.ok::<DeleteRolePermissionsBoundaryRequest>(json!({"RoleName": "R"})).await;
    bed.ok::<DeleteUserPermissionsBoundaryRequest>(json!({"UserName": "alice"})).await;
    bed.ok::<DeleteRoleRequest>(json!({"RoleName": "R2"})).await;
    assert!(bed.ok::<GetRoleRequest>(json!({"RoleName": "R"})).await["Role"].get("PermissionsBoundary").is_none());
    bed.ok::<DeletePolicyRequest>(json!({"PolicyArn": boundary})).await;
}

#[tokio::test]
async fn what_is_no_boundary_is_refused_in_awss_words() {
    let bed = bed().await;
    let put = |role: &str, boundary: String| json!({"RoleName": role, "PermissionsBoundary": boundary});
    let invalid = arn("not_a_policy/invalid");
    let failed = bed.fails::<PutRolePermissionsBoundaryRequest>(put("R", invalid.clone())).await;
    assert_eq!(failed, ("InvalidInput".to_owned(), format!("ARN {invalid} is not valid.")));
    let gone = arn("policy/nonexistent-policy");
    let text = format!("Scope ARN: {gone} does not exist or is not attachable.");
    let failed = bed.fails::<PutRolePermissionsBoundaryRequest>(put("R", gone.clone())).await;
    assert_eq!(failed, ("NoSuchEntity".to_owned(), text.clone()));
    let mut role = create("R2");
    role["PermissionsBoundary"] = gone.into();
    assert_eq!(bed.fails::<CreateRoleRequest>(role).await, ("NoSuchEntity".to_owned(), text));
    let failed = bed.fails::<PutRolePermissionsBoundaryRequest>(put("nobody", arn("policy/B"))).await;
    assert_eq!(failed.1, "The role with name nobody cannot be found.");
}

#[tokio::test]
async fn a_boundary_limits_the_next_request() {
    let bed = bed().await;
    let all = json!({"UserName": "alice", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"});
    bed.ok::<AttachUserPolicyRequest>(all).await;
    let (key, alice) = bed.sign_in("alice").await;
    assert!(bed.attempt::<GetRoleRequest>(&alice, json!({"RoleName": "R"})).await.is_some());
    let put = json!({"UserName": "alice", "PermissionsBoundary": arn("policy/B")});
    bed.ok::<PutUserPermissionsBoundaryRequest>(put).await;
    let alice = bed.who(&key, None).await;
    assert!(bed.attempt::<GetRoleRequest>(&alice, json!({"RoleName": "R"})).await.is_none());
}
