use identity::operation::attach::*;
use identity::operation::details::GetAccountAuthorizationDetailsRequest;
use identity::operation::group::CreateGroupRequest;
use identity::operation::inline::*;
use identity::operation::managed_policy::CreatePolicyRequest;
use identity::operation::membership::AddUserToGroupRequest;
use identity::operation::role::CreateRoleRequest;
use identity::operation::user::CreateUserRequest;
use serde_json::{Value, json};

use crate::bed::{Bed, allow, arn};
use crate::roles::create;

fn len(value: &Value) -> usize {
    value.as_array().unwrap().len()
}

#[tokio::test]
async fn everything_is_told_and_filters_choose() {
    let bed = Bed::new().await;
    bed.ok::<CreateUserRequest>(json!({"UserName": "alice", "Tags": [{"Key": "k", "Value": "v"}]})).await;
    bed.ok::<CreateGroupRequest>(json!({"GroupName": "staff"})).await;
    bed.ok::<AddUserToGroupRequest>(json!({"UserName": "alice", "GroupName": "staff"})).await;
    bed.ok::<CreateRoleRequest>(create("R")).await;
    bed.ok::<CreatePolicyRequest>(json!({"PolicyName": "P", "PolicyDocument": allow("s3:*", "*")})).await;
    let document = allow("s3:ListBucket", "*");
    bed.ok::<PutUserPolicyRequest>(json!({"UserName": "alice", "PolicyName": "in", "PolicyDocument": document})).await;
    bed.ok::<AttachRolePolicyRequest>(json!({"RoleName": "R", "PolicyArn": arn("policy/P")})).await;
    let aws = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    bed.ok::<AttachGroupPolicyRequest>(json!({"GroupName": "staff", "PolicyArn": aws})).await;

    let all = bed.ok::<GetAccountAuthorizationDetailsRequest>(json!({})).await;
    let user = &all["UserDetailList"][0];
    assert_eq!((&user["GroupList"], &user["Tags"]), (&json!(["staff"]), &json!([{"Key": "k", "Value": "v"}])));
    assert_eq!(user["UserPolicyList"][0]["PolicyName"], "in");
    assert!(user["UserPolicyList"][0]["PolicyDocument"].as_str().unwrap().starts_with("%7B"));
    let role = &all["RoleDetailList"][0];
    assert_eq!((&role["InstanceProfileList"], &role["RoleLastUsed"]), (&json!([]), &json!({})));
    assert_eq!(role["AttachedManagedPolicies"], json!([{"PolicyName": "P", "PolicyArn": arn("policy/P")}]));
    assert_eq!(all["GroupDetailList"][0]["AttachedManagedPolicies"][0]["PolicyName"], "AmazonS3FullAccess");
    // AWS's policies only where they are in use.
    assert_eq!(len(&all["Policies"]), 2);
    for (filter, counts) in [
        ("User", [1, 0, 0, 0]),
        ("Group", [0, 1, 0, 0]),
        ("Role", [0, 0, 1, 0]),
        ("LocalManagedPolicy", [0, 0, 0, 1]),
        ("AWSManagedPolicy", [0, 0, 0, 1]),
    ] {
        let some = bed.ok::<GetAccountAuthorizationDetailsRequest>(json!({"Filter": [filter]})).await;
        let lists = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
        assert_eq!(lists.map(|list| len(&some[list])), counts, "{filter}");
    }
    let local = bed.ok::<GetAccountAuthorizationDetailsRequest>(json!({"Filter": ["LocalManagedPolicy"]})).await;
    assert_eq!(local["Policies"][0]["AttachmentCount"], 1);
    assert!(local["Policies"][0]["PolicyVersionList"][0]["Document"].as_str().unwrap().starts_with("%7B"));

    let (mut seen, mut request) = (0, json!({"MaxItems": 2}));
    loop {
        let page = bed.ok::<GetAccountAuthorizationDetailsRequest>(request.clone()).await;
        let lists = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
        seen += lists.map(|list| len(&page[list])).iter().sum::<usize>();
        if page["IsTruncated"] == false {
            break;
        }
        request["Marker"] = page["Marker"].clone();
    }
    assert_eq!(seen, 5);
}
