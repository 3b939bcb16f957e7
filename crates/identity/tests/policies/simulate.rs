use identity::operation::attach::AttachUserPolicyRequest;
use identity::operation::boundary::PutUserPermissionsBoundaryRequest;
use identity::operation::context_keys::*;
use identity::operation::group::CreateGroupRequest;
use identity::operation::inline::*;
use identity::operation::managed_policy::CreatePolicyRequest;
use identity::operation::membership::AddUserToGroupRequest;
use identity::operation::role::CreateRoleRequest;
use identity::operation::simulate::*;
use identity::operation::user::CreateUserRequest;
use serde_json::{Value, json};

use crate::bed::{Bed, allow, arn, statement};
use crate::roles::create;

async fn custom(bed: &Bed, request: Value) -> Value {
    bed.ok::<SimulateCustomPolicyRequest>(request).await["EvaluationResults"].clone()
}

#[tokio::test]
async fn a_custom_policy_is_decided_and_its_statement_placed() {
    let bed = Bed::new().await;
    let policy = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"s3:Get*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}";
    let results =
        custom(&bed, json!({"PolicyInputList": [policy], "ActionNames": ["s3:GetObject", "s3:PutObject"]})).await;
    let place = json!({
        "SourcePolicyId": "PolicyInputList.1",
        "SourcePolicyType": "IAM Policy",
        "StartPosition": {"Line": 3, "Column": 17},
        "EndPosition": {"Line": 8, "Column": 6},
    });
    assert_eq!(
        results,
        json!([
            {
                "EvalActionName": "s3:GetObject", "EvalResourceName": "*", "EvalDecision": "allowed",
                "MatchedStatements": [place], "MissingContextValues": [],
            },
            {
                "EvalActionName": "s3:PutObject", "EvalResourceName": "*", "EvalDecision": "implicitDeny",
                "MatchedStatements": [], "MissingContextValues": [],
            },
        ])
    );
}

#[tokio::test]
async fn an_explicit_deny_is_the_only_entry() {
    let bed = Bed::new().await;
    let policies = [allow("s3:*", "*"), statement("Deny", "s3:DeleteObject", "*")];
    let results = custom(&bed, json!({"PolicyInputList": policies, "ActionNames": ["s3:DeleteObject"]})).await;
    assert_eq!(results[0]["EvalDecision"], "explicitDeny");
    let matched = results[0]["MatchedStatements"].as_array().unwrap();
    assert_eq!((matched.len(), &matched[0]["SourcePolicyId"]), (1, &json!("PolicyInputList.2")));
}

#[tokio::test]
async fn missing_context_values_are_told_and_given_ones_decide() {
    let bed = Bed::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*",
        "Condition":{"StringLike":{"s3:prefix":"home/${aws:username}/*"},"Bool":{"aws:SecureTransport":"true"}}}]}"#;
    let mut request = json!({"PolicyInputList": [policy], "ActionNames": ["s3:ListBucket"]});
    let results = custom(&bed, request.clone()).await;
    assert_eq!(results[0]["EvalDecision"], "implicitDeny");
    assert_eq!(results[0]["MissingContextValues"], json!(["aws:SecureTransport", "aws:username", "s3:prefix"]));
    request["ContextEntries"] = json!([
        {"ContextKeyName": "s3:prefix", "ContextKeyValues": ["home/alice/x"], "ContextKeyType": "string"},
        {"ContextKeyName": "AWS:SECURETRANSPORT", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"},
    ]);
    request["CallerArn"] = arn("user/alice").into();
    let results = custom(&bed, request.clone()).await;
    assert_eq!((&results[0]["EvalDecision"], &results[0]["MissingContextValues"]), (&json!("allowed"), &json!([])));
    let keys = bed.ok::<GetContextKeysForCustomPolicyRequest>(json!({"PolicyInputList": [policy]})).await;
    assert_eq!(keys["ContextKeyNames"], json!(["aws:SecureTransport", "aws:username", "s3:prefix"]));
}

#[tokio::test]
async fn resources_have_results_of_their_own_and_pages_count_them() {
    let bed = Bed::new().await;
    let request = json!({
        "PolicyInputList": [allow("s3:GetObject", "arn:aws:s3:::a/*")],
        "ActionNames": ["s3:GetObject", "s3:PutObject"],
        "ResourceArns": ["arn:aws:s3:::a/k", "arn:aws:s3:::b/k"],
    });
    let results = custom(&bed, request.clone()).await;
    let decisions: Vec<_> = results.as_array().unwrap().iter().map(|result| result["EvalDecision"].clone()).collect();
    assert_eq!(decisions, ["allowed", "implicitDeny", "implicitDeny", "implicitDeny"]);
    let specific = &results[0]["ResourceSpecificResults"][0];
    assert_eq!(
        (&specific["EvalResourceName"], &specific["EvalResourceDecision"]),
        (&json!("arn:aws:s3:::a/k"), &json!("allowed"))
    );
    assert_eq!(results[0]["EvalDecisionDetails"], json!({}));
    let mut paged = request.clone();
    paged["MaxItems"] = 3.into();
    let page = bed.ok::<SimulateCustomPolicyRequest>(paged.clone()).await;
    paged["Marker"] = page["Marker"].clone();
    let rest = bed.ok::<SimulateCustomPolicyRequest>(paged).await;
    assert_eq!((page["EvaluationResults"].as_array().unwrap().len(), &page["IsTruncated"]), (3, &json!(true)));
    assert_eq!((rest["EvaluationResults"].as_array().unwrap().len(), &rest["IsTruncated"]), (1, &json!(false)));
}

#[tokio::test]
async fn a_boundary_has_its_say() {
    let bed = Bed::new().await;
    let request = json!({
        "PolicyInputList": [allow("*", "*")],
        "PermissionsBoundaryPolicyInputList": [allow("s3:*", "*")],
        "ActionNames": ["s3:GetObject", "kms:Decrypt"],
    });
    let results = custom(&bed, request).await;
    assert_eq!(results[0]["EvalDecision"], "allowed");
    assert_eq!(results[0]["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"], true);
    assert_eq!(results[1]["EvalDecision"], "implicitDeny");
    assert_eq!(results[1]["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"], false);
}

#[tokio::test]
async fn the_policy_of_a_resource_crosses_accounts() {
    let bed = Bed::new().await;
    let resource = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"},
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;
    let mut request = json!({
        "PolicyInputList": [allow("s3:GetObject", "*")], "ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::b/k"],
        "ResourcePolicy": resource, "ResourceOwner": "arn:aws:iam::999999999999:root", "CallerArn": arn("user/alice"),
    });
    let results = custom(&bed, request.clone()).await;
    assert_eq!(results[0]["EvalDecision"], "allowed");
    assert_eq!(results[0]["EvalDecisionDetails"], json!({"IAM Policy": "allowed", "Resource Policy": "allowed"}));
    request["PolicyInputList"] = json!([allow("s3:PutObject", "*")]);
    let results = custom(&bed, request.clone()).await;
    assert_eq!(results[0]["EvalDecision"], "implicitDeny");
    let details = &results[0]["ResourceSpecificResults"][0]["EvalDecisionDetails"];
    assert_eq!(*details, json!({"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}));
    // Within the account the resource's policy is enough.
    request["ResourceOwner"] = "111111111111".into();
    assert_eq!(custom(&bed, request.clone()).await[0]["EvalDecision"], "allowed");
    request["CallerArn"] = arn("user/bob").into();
    assert_eq!(custom(&bed, request).await[0]["EvalDecision"], "implicitDeny");
}

#[tokio::test]
async fn what_is_no_simulation_is_refused() {
    let bed = Bed::new().await;
    let base = json!({"PolicyInputList": [allow("s3:*", "*")], "ActionNames": ["s3:GetObject"]});
    let with = |name: &str, value: Value| {
        let mut request = base.clone();
        request[name] = value;
        request
    };
    for request in [
        with("ActionNames", json!(["s3:*"])),
        with("ActionNames", json!(["GetObject"])),
        with("PolicyInputList", json!(["{}"])),
        with("ResourcePolicy", json!(allow("s3:*", "*"))),
        with("ResourceHandlingOption", json!("EC2-VPC-InstanceStore")),
        with("PermissionsBoundaryPolicyInputList", json!([allow("s3:*", "*"), allow("s3:*", "*")])),
        with("OrderedOrganizationPolicyInputList", json!([{}])),
        with("CallerArn", json!("arn:aws:sts::111111111111:assumed-role/R/s")),
        with("ResourceOwner", json!("somebody")),
    ] {
        assert_eq!(bed.fails::<SimulateCustomPolicyRequest>(request.clone()).await.0, "InvalidInput", "{request}");
    }
}

#[tokio::test]
async fn a_principal_is_simulated_with_all_its_policies() {
    let bed = Bed::new().await;
    bed.ok::<CreateUserRequest>(json!({"UserName": "alice"})).await;
    bed.ok::<CreateGroupRequest>(json!({"GroupName": "staff"})).await;
    bed.ok::<AddUserToGroupRequest>(json!({"UserName": "alice", "GroupName": "staff"})).await;
    let inline = |kind: &str, action: &str| json!({kind: if kind == "UserName" { "alice" } else { "staff" }, "PolicyName": "in", "PolicyDocument": allow(action, "*")});
    bed.ok::<PutUserPolicyRequest>(inline("UserName", "s3:GetObject")).await;
    bed.ok::<PutGroupPolicyRequest>(inline("GroupName", "s3:PutObject")).await;
    bed.ok::<CreatePolicyRequest>(json!({"PolicyName": "P", "PolicyDocument": allow("kms:Decrypt", "*")})).await;
    bed.ok::<AttachUserPolicyRequest>(json!({"UserName": "alice", "PolicyArn": arn("policy/P")})).await;
    let actions = ["s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:Encrypt"];
    let request = json!({"PolicySourceArn": arn("user/alice"), "ActionNames": actions});
    let results = bed.ok::<SimulatePrincipalPolicyRequest>(request.clone()).await["EvaluationResults"].clone();
    let told: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (result["EvalDecision"].clone(), result["MatchedStatements"][0]["SourcePolicyId"].clone()))
        .collect();
    let expected = [
        ("allowed", json!("user_alice_in")),
        ("allowed", json!("group_staff_in")),
        ("allowed", json!("P")),
        ("implicitDeny", Value::Null),
    ];
    assert_eq!(told, expected.map(|(decision, id)| (json!(decision), id)));
    // Left out, and added.
    let mut changed = request.clone();
    changed["PolicyExclusionList"] = json!([
        {"PolicyArn": arn("policy/*")},
        {"InlinePolicyIdentifier": {"PolicyName": "in", "AttachmentType": "group", "AttachmentName": "st*"}},
    ]);
    changed["PolicyInputList"] = json!([allow("kms:Encrypt", "*")]);
    let results = bed.ok::<SimulatePrincipalPolicyRequest>(changed).await["EvaluationResults"].clone();
    let decisions: Vec<_> = results.as_array().unwrap().iter().map(|result| result["EvalDecision"].clone()).collect();
    assert_eq!(decisions, ["allowed", "implicitDeny", "implicitDeny", "allowed"]);
    // Its boundary counts, and one in the request counts instead.
    bed.ok::<PutUserPermissionsBoundaryRequest>(json!({"UserName": "alice", "PermissionsBoundary": arn("policy/P")}))
        .await;
    let results = bed.ok::<SimulatePrincipalPolicyRequest>(request.clone()).await["EvaluationResults"].clone();
    assert_eq!((&results[0]["EvalDecision"], &results[2]["EvalDecision"]), (&json!("implicitDeny"), &json!("allowed")));
    let mut other = request;
    other["PermissionsBoundaryPolicyInputList"] = json!([allow("s3:*", "*")]);
    let results = bed.ok::<SimulatePrincipalPolicyRequest>(other).await["EvaluationResults"].clone();
    assert_eq!((&results[0]["EvalDecision"], &results[2]["EvalDecision"]), (&json!("allowed"), &json!("implicitDeny")));
    let group = json!({"PolicySourceArn": arn("group/staff"), "ActionNames": ["s3:PutObject"]});
    let results = bed.ok::<SimulatePrincipalPolicyRequest>(group).await["EvaluationResults"].clone();
    assert_eq!(results[0]["EvalDecision"], "allowed");
    let nobody = json!({"PolicySourceArn": arn("user/bob"), "ActionNames": ["s3:PutObject"]});
    let (code, text) = bed.fails::<SimulatePrincipalPolicyRequest>(nobody).await;
    assert_eq!((code.as_str(), text.as_str()), ("NoSuchEntity", "The user with name bob cannot be found."));
}

#[tokio::test]
async fn context_keys_of_a_principal() {
    let bed = Bed::new().await;
    bed.ok::<CreateRoleRequest>(create("R")).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;
    bed.ok::<PutRolePolicyRequest>(json!({"RoleName": "R", "PolicyName": "p", "PolicyDocument": policy})).await;
    let request = json!({"PolicySourceArn": arn("role/R"), "PolicyInputList": [policy.replace("aws:M", "AWS:m")]});
    let keys = bed.ok::<GetContextKeysForPrincipalPolicyRequest>(request).await;
    assert_eq!(keys["ContextKeyNames"], json!(["aws:MultiFactorAuthPresent"]));
}
