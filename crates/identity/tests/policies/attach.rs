use identity::operation::attach::*;
use identity::operation::group::CreateGroupRequest;
use identity::operation::managed_policy::*;
use identity::operation::policy_entities::ListEntitiesForPolicyRequest;
use identity::operation::user::{CreateUserRequest, DeleteUserRequest};
use serde_json::json;

use crate::bed::{Bed, allow, arn};

async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.ok::<CreateUserRequest>(json!({"UserName": "alice"})).await;
    bed.ok::<CreateGroupRequest>(json!({"GroupName": "staff"})).await;
    bed.ok::<CreatePolicyRequest>(json!({"PolicyName": "P", "PolicyDocument": allow("s3:*", "*")})).await;
    bed
}

#[tokio::test]
async fn attachments_are_counted_and_listed() {
    let bed = bed().await;
    let policy = arn("policy/P");
    bed.ok::<AttachUserPolicyRequest>(json!({"UserName": "alice", "PolicyArn": policy})).await;
    bed.ok::<AttachUserPolicyRequest>(json!({"UserName": "ALICE", "PolicyArn": policy})).await;
    bed.ok::<AttachGroupPolicyRequest>(json!({"GroupName": "staff", "PolicyArn": policy})).await;
    let got = bed.ok::<GetPolicyRequest>(json!({"PolicyArn": policy})).await;
    assert_eq!(got["Policy"]["AttachmentCount"], 2, "attaching twice is attaching once");
    let entities = bed.ok::<ListEntitiesForPolicyRequest>(json!({"PolicyArn": policy})).await;
    assert_eq!(entities["PolicyUsers"][0]["UserName"], "alice");
    assert_eq!(entities["PolicyGroups"][0]["GroupName"], "staff");
    let groups = json!({"PolicyArn": policy, "EntityFilter": "Group"});
    let groups = bed.ok::<ListEntitiesForPolicyRequest>(groups).await;
    assert_eq!((&groups["PolicyUsers"], groups["PolicyGroups"].as_array().unwrap().len()), (&json!([]), 1));
    let bounded = json!({"PolicyArn": policy, "PolicyUsageFilter": "PermissionsBoundary"});
    let bounded = bed.ok::<ListEntitiesForPolicyRequest>(bounded).await;
    assert_eq!(bounded["PolicyUsers"], json!([]));

    let list = bed.ok::<ListAttachedUserPoliciesRequest>(json!({"UserName": "alice"})).await;
    assert_eq!(list["AttachedPolicies"], json!([{"PolicyName": "P", "PolicyArn": policy}]));
    let attached = bed.ok::<ListPoliciesRequest>(json!({"OnlyAttached": true})).await;
    assert_eq!(attached["Policies"].as_array().unwrap().len(), 1);

    let (code, text) = bed.fails::<DeletePolicyRequest>(json!({"PolicyArn": policy})).await;
    assert_eq!((code.as_str(), text.as_str()), ("DeleteConflict", "Cannot delete a policy attached to entities."));
    let (code, text) = bed.fails::<DeleteUserRequest>(json!({"UserName": "alice"})).await;
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    );
    bed.ok::<DetachUserPolicyRequest>(json!({"UserName": "alice", "PolicyArn": policy})).await;
    bed.ok::<DetachGroupPolicyRequest>(json!({"GroupName": "staff", "PolicyArn": policy})).await;
    bed.ok::<DeleteUserRequest>(json!({"UserName": "alice"})).await;
    bed.ok::<DeletePolicyRequest>(json!({"PolicyArn": policy})).await;
}

#[tokio::test]
async fn what_is_not_there_is_told_in_awss_words() {
    let bed = bed().await;
    let gone = arn("policy/nonexistent-policy");
    let cases = [
        (
            json!({"UserName": "alice", "PolicyArn": gone}),
            "NoSuchEntity",
            format!("Policy {gone} does not exist or is not attachable."),
        ),
        (
            json!({"UserName": "bob", "PolicyArn": arn("policy/P")}),
            "NoSuchEntity",
            "The user with name bob cannot be found.".to_owned(),
        ),
        (
            json!({"UserName": "alice", "PolicyArn": "longpolicynamebutnoarn"}),
            "ValidationError",
            "ARN longpolicynamebutnoarn is not valid.".to_owned(),
        ),
        (
            json!({"UserName": "alice", "PolicyArn": "arn:aws:iam::222222222222:policy/P"}),
            "NoSuchEntity",
            "Policy arn:aws:iam::222222222222:policy/P does not exist or is not attachable.".to_owned(),
        ),
    ];
    for (request, code, text) in cases {
        assert_eq!(bed.fails::<AttachUserPolicyRequest>(request).await, (code.to_owned(), text));
    }
    let request = json!({"UserName": "alice", "PolicyArn": arn("policy/P")});
    let (code, text) = bed.fails::<DetachUserPolicyRequest>(request).await;
    assert_eq!((code.as_str(), text), ("NoSuchEntity", format!("Policy {} was not found.", arn("policy/P"))));
}

#[tokio::test]
async fn ten_policies_are_attached_at_most() {
    let bed = bed().await;
    for number in 0..10 {
        let name = format!("P{number}");
        bed.ok::<CreatePolicyRequest>(json!({"PolicyName": name, "PolicyDocument": allow("s3:*", "*")})).await;
        let policy = arn(&format!("policy/{name}"));
        bed.ok::<AttachUserPolicyRequest>(json!({"UserName": "alice", "PolicyArn": policy})).await;
        bed.ok::<AttachGroupPolicyRequest>(json!({"GroupName": "staff", "PolicyArn": policy})).await;
    }
    let (code, text) =
        bed.fails::<AttachUserPolicyRequest>(json!({"UserName": "alice", "PolicyArn": arn("policy/P")})).await;
    assert_eq!((code.as_str(), text.as_str()), ("LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10"));
    let (_, text) =
        bed.fails::<AttachGroupPolicyRequest>(json!({"GroupName": "staff", "PolicyArn": arn("policy/P")})).await;
    assert_eq!(text, "Cannot exceed quota for PoliciesPerGroup: 10");
    let page = bed.ok::<ListAttachedUserPoliciesRequest>(json!({"UserName": "alice", "MaxItems": 7})).await;
    let next = json!({"UserName": "alice", "MaxItems": 7, "Marker": page["Marker"]});
    let rest = bed.ok::<ListAttachedUserPoliciesRequest>(next).await;
    assert_eq!(rest["AttachedPolicies"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_request() {
    let bed = bed().await;
    let (_, alice) = bed.sign_in("alice").await;
    assert!(bed.attempt::<GetPolicyRequest>(&alice, json!({"PolicyArn": arn("policy/P")})).await.is_none());
    let policy = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    bed.ok::<AttachUserPolicyRequest>(json!({"UserName": "alice", "PolicyArn": policy})).await;
    let alice = bed.who(&alice.access_key_id, None).await;
    assert!(bed.attempt::<GetPolicyRequest>(&alice, json!({"PolicyArn": arn("policy/P")})).await.is_some());
    let request = json!({"PolicyArn": arn("policy/P")});
    assert!(bed.attempt::<DeletePolicyRequest>(&alice, request).await.is_none());
    bed.ok::<DetachUserPolicyRequest>(json!({"UserName": "alice", "PolicyArn": policy})).await;
    let alice = bed.who(&alice.access_key_id, None).await;
    assert!(bed.attempt::<GetPolicyRequest>(&alice, json!({"PolicyArn": arn("policy/P")})).await.is_none());
}
