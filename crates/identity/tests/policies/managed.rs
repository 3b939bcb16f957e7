use identity::operation::managed_policy::*;
use identity::operation::policy_tag::*;
use identity::operation::policy_version::*;
use serde_json::{Value, json};

use crate::bed::{Bed, allow, arn};

fn create(name: &str) -> Value {
    json!({"PolicyName": name, "PolicyDocument": allow("s3:GetObject", "*")})
}

fn names(answer: &Value) -> Vec<&str> {
    answer["Policies"].as_array().unwrap().iter().map(|policy| policy["PolicyName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_policy_is_made_and_answered_as_aws_does() {
    let bed = Bed::new().await;
    let mut request = create("Reader");
    request["Path"] = "/team/".into();
    request["Description"] = "reads".into();
    let made = bed.ok::<CreatePolicyRequest>(request).await["Policy"].clone();
    assert_eq!(made["Arn"], arn("policy/team/Reader"));
    assert_eq!((&made["DefaultVersionId"], &made["IsAttachable"]), (&json!("v1"), &json!(true)));
    assert!(made["PolicyId"].as_str().unwrap().starts_with("ANPA"));
    // AWS's answer has neither.
    assert!(made.get("Description").is_none() && made.get("Tags").is_none());

    let got = bed.ok::<GetPolicyRequest>(json!({"PolicyArn": arn("policy/team/Reader")})).await["Policy"].clone();
    assert_eq!((&got["Description"], &got["Tags"]), (&json!("reads"), &json!([])));
    let version = bed
        .ok::<GetPolicyVersionRequest>(json!({"PolicyArn": arn("policy/team/Reader"), "VersionId": "v1"}))
        .await["PolicyVersion"]
        .clone();
    assert!(version["Document"].as_str().unwrap().starts_with("%7B%22Version%22%3A%222012-10-17%22"));
    assert_eq!(version["IsDefaultVersion"], true);
}

#[tokio::test]
async fn names_are_taken_whatever_their_case_and_path() {
    let bed = Bed::new().await;
    bed.ok::<CreatePolicyRequest>(create("Reader")).await;
    let mut again = create("reader");
    again["Path"] = "/elsewhere/".into();
    let (code, text) = bed.fails::<CreatePolicyRequest>(again).await;
    assert_eq!(code, "EntityAlreadyExists");
    assert_eq!(text, "A policy called reader already exists. Duplicate names are not allowed.");
}

#[tokio::test]
async fn an_arn_must_be_exact() {
    let bed = Bed::new().await;
    bed.ok::<CreatePolicyRequest>(create("Reader")).await;
    for wrong in ["policy/reader", "policy/x/Reader", "policy/Other"] {
        let (code, text) = bed.fails::<GetPolicyRequest>(json!({"PolicyArn": arn(wrong)})).await;
        assert_eq!((code.as_str(), text), ("NoSuchEntity", format!("Policy {} was not found.", arn(wrong))));
    }
    let (code, text) = bed.fails::<GetPolicyRequest>(json!({"PolicyArn": "longpolicynamebutnoarn"})).await;
    assert_eq!((code.as_str(), text.as_str()), ("ValidationError", "ARN longpolicynamebutnoarn is not valid."));
}

#[tokio::test]
async fn malformed_documents_are_refused_in_awss_words() {
    let bed = Bed::new().await;
    let cases = [
        ("not json", "Syntax errors in policy."),
        (
            r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (
            r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}"#,
            "Policy statement must contain resources.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}"#,
            "Policy statement must contain actions.",
        ),
        (r#"{"Version":"2012-10-17","Statement":[],"Extra":1}"#, "Syntax errors in policy."),
    ];
    for (document, text) in cases {
        let failed = bed.fails::<CreatePolicyRequest>(json!({"PolicyName": "P", "PolicyDocument": document})).await;
        assert_eq!(failed, ("MalformedPolicyDocument".to_owned(), text.to_owned()), "{document}");
    }
    let long = allow("s3:*", &format!("arn:aws:s3:::{}", "b".repeat(6_144)));
    let (code, text) = bed.fails::<CreatePolicyRequest>(json!({"PolicyName": "P", "PolicyDocument": long})).await;
    assert_eq!((code.as_str(), text.as_str()), ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144"));
    // White space does not count.
    let padded = allow("s3:*", "*").replace(",\"", &format!(",{}\"", " ".repeat(5_000)));
    bed.ok::<CreatePolicyRequest>(json!({"PolicyName": "P", "PolicyDocument": padded})).await;
}

#[tokio::test]
async fn versions_count_on_and_are_five_at_most() {
    let bed = Bed::new().await;
    bed.ok::<CreatePolicyRequest>(create("P")).await;
    let arn = arn("policy/P");
    let version =
        |default: bool| json!({"PolicyArn": arn, "PolicyDocument": allow("s3:*", "*"), "SetAsDefault": default});
    for number in 2..=5 {
        let made = bed.ok::<CreatePolicyVersionRequest>(version(number == 3)).await["PolicyVersion"].clone();
        assert_eq!(made["VersionId"], format!("v{number}"));
        assert_eq!(made["IsDefaultVersion"], number == 3);
        assert!(made.get("Document").is_none());
    }
    let (code, text) = bed.fails::<CreatePolicyVersionRequest>(version(false)).await;
    assert_eq!(code, "LimitExceeded");
    assert_eq!(
        text,
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
    );
    bed.ok::<DeletePolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v5"})).await;
    let made = bed.ok::<CreatePolicyVersionRequest>(version(false)).await;
    assert_eq!(made["PolicyVersion"]["VersionId"], "v6", "no number is given twice");

    let list = bed.ok::<ListPolicyVersionsRequest>(json!({"PolicyArn": arn})).await;
    let ids: Vec<_> = list["Versions"].as_array().unwrap().iter().map(|version| version["VersionId"].clone()).collect();
    assert_eq!(ids, ["v6", "v4", "v3", "v2", "v1"]);
    let page = bed.ok::<ListPolicyVersionsRequest>(json!({"PolicyArn": arn, "MaxItems": 3})).await;
    let next = json!({"PolicyArn": arn, "MaxItems": 3, "Marker": page["Marker"]});
    let rest = bed.ok::<ListPolicyVersionsRequest>(next).await;
    assert_eq!((&page["IsTruncated"], &rest["IsTruncated"]), (&json!(true), &json!(false)));
    assert_eq!(rest["Versions"].as_array().unwrap().len(), 2);

    bed.ok::<SetDefaultPolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v1"})).await;
    let (code, text) = bed.fails::<DeletePolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v1"})).await;
    assert_eq!((code.as_str(), text.as_str()), ("DeleteConflict", "Cannot delete the default version of a policy."));
    let missing = format!("Policy {arn} version v5 does not exist or is not attachable.");
    for failed in [
        bed.fails::<DeletePolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v5"})).await,
        bed.fails::<GetPolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v5"})).await,
        bed.fails::<SetDefaultPolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v5"})).await,
    ] {
        assert_eq!(failed, ("NoSuchEntity".to_owned(), missing.clone()));
    }
    let (code, text) = bed.fails::<DeletePolicyRequest>(json!({"PolicyArn": arn})).await;
    assert_eq!(code, "DeleteConflict");
    assert!(text.starts_with("This policy has more than one version. Before you delete a policy"), "{text}");
}

#[tokio::test]
async fn tags_of_policies_have_case() {
    let bed = Bed::new().await;
    let mut request = create("P");
    request["Tags"] = json!([{"Key": "a", "Value": "1"}]);
    let made = bed.ok::<CreatePolicyRequest>(request).await;
    assert_eq!(made["Policy"]["Tags"], json!([{"Key": "a", "Value": "1"}]));
    let arn = arn("policy/P");
    bed.ok::<TagPolicyRequest>(
        json!({"PolicyArn": arn, "Tags": [{"Key": "A", "Value": "2"}, {"Key": "a", "Value": ""}]}),
    )
    .await;
    let tags = bed.ok::<ListPolicyTagsRequest>(json!({"PolicyArn": arn})).await;
    assert_eq!(tags["Tags"], json!([{"Key": "A", "Value": "2"}, {"Key": "a", "Value": ""}]));
    let twice = json!({"PolicyArn": arn, "Tags": [{"Key": "b", "Value": ""}, {"Key": "b", "Value": ""}]});
    let (code, text) = bed.fails::<TagPolicyRequest>(twice).await;
    assert_eq!((code.as_str(), text.as_str()), ("InvalidInput", "Duplicate tag keys found."));
    bed.ok::<UntagPolicyRequest>(json!({"PolicyArn": arn, "TagKeys": ["a", "none"]})).await;
    let tags = bed.ok::<ListPolicyTagsRequest>(json!({"PolicyArn": arn})).await;
    assert_eq!(tags["Tags"], json!([{"Key": "A", "Value": "2"}]));
    let missing = crate::bed::arn("policy/NotAPolicy");
    let (code, text) = bed.fails::<TagPolicyRequest>(json!({"PolicyArn": missing, "Tags": []})).await;
    assert_eq!((code.as_str(), text), ("NoSuchEntity", format!("Policy {missing} was not found.")));
}

#[tokio::test]
async fn lists_tell_scopes_and_paths_apart() {
    let bed = Bed::new().await;
    let mut request = create("Mine");
    request["Path"] = "/team/".into();
    bed.ok::<CreatePolicyRequest>(request).await;
    let local = bed.ok::<ListPoliciesRequest>(json!({"Scope": "Local"})).await;
    assert_eq!(names(&local), ["Mine"]);
    let aws = bed.ok::<ListPoliciesRequest>(json!({"Scope": "AWS"})).await;
    assert!(names(&aws).contains(&"AdministratorAccess") && !names(&aws).contains(&"Mine"));
    assert!(!names(&aws).contains(&"IAMUserChangePassword"));
    let all = bed.ok::<ListPoliciesRequest>(json!({})).await;
    assert_eq!(names(&all).len(), names(&aws).len() + 1);
    let team = bed.ok::<ListPoliciesRequest>(json!({"PathPrefix": "/team/"})).await;
    assert_eq!(names(&team), ["Mine"]);
    let jobs = bed.ok::<ListPoliciesRequest>(json!({"PathPrefix": "/job-function/"})).await;
    assert_eq!(names(&jobs), ["ViewOnlyAccess"]);
    let mut seen = Vec::new();
    let mut request = json!({"MaxItems": 4});
    loop {
        let page = bed.ok::<ListPoliciesRequest>(request.clone()).await;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        if page["IsTruncated"] == false {
            break;
        }
        request["Marker"] = page["Marker"].clone();
    }
    assert_eq!(seen, names(&all));
}

#[tokio::test]
async fn policies_of_awss_are_read_and_never_changed() {
    let bed = Bed::new().await;
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    let got = bed.ok::<GetPolicyRequest>(json!({"PolicyArn": arn})).await["Policy"].clone();
    assert_eq!((&got["PolicyId"], &got["Path"]), (&json!("ANPAIWMBCKSKIEE64ZLYK"), &json!("/")));
    assert_eq!(got["CreateDate"], "2015-02-06T18:39:46Z");
    let version = bed.ok::<GetPolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v1"})).await;
    assert!(version["PolicyVersion"]["Document"].as_str().unwrap().contains("%22Action%22%3A%20%22%2A%22"));
    let document = allow("s3:*", "*");
    for failed in [
        bed.fails::<DeletePolicyRequest>(json!({"PolicyArn": arn})).await,
        bed.fails::<CreatePolicyVersionRequest>(json!({"PolicyArn": arn, "PolicyDocument": document})).await,
        bed.fails::<DeletePolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v1"})).await,
        bed.fails::<SetDefaultPolicyVersionRequest>(json!({"PolicyArn": arn, "VersionId": "v1"})).await,
        bed.fails::<TagPolicyRequest>(json!({"PolicyArn": arn, "Tags": []})).await,
        bed.fails::<UntagPolicyRequest>(json!({"PolicyArn": arn, "TagKeys": []})).await,
    ] {
        assert_eq!(failed.0, "AccessDenied");
        assert!(failed.1.ends_with("on resource: policy arn:aws:iam::aws:policy/AdministratorAccess"), "{}", failed.1);
    }
}
