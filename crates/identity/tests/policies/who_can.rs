use identity::operation::attach::*;
use identity::operation::boundary::PutUserPermissionsBoundaryRequest;
use identity::operation::group::CreateGroupRequest;
use identity::operation::inline::*;
use identity::operation::membership::AddUserToGroupRequest;
use identity::operation::role::CreateRoleRequest;
use identity::operation::simulate::SimulatePrincipalPolicyRequest;
use identity::operation::user::CreateUserRequest;
use identity::simulation::rule;
use identity::simulation::who_can::{Access, Permitted};
use policy::{ContextMap, Document, GlobalContext, Kind, Question, decide};
use proptest::prelude::*;
use serde_json::json;

use crate::bed::{Bed, allow, arn};
use crate::roles::create;

const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/k";

async fn who_can(bed: &Bed, action: &str, resource: &str, policy: Option<(&str, Kind)>) -> Vec<Permitted> {
    let document = policy.map(|(text, kind)| Document::parse(text, kind).unwrap());
    let keys = ContextMap::new();
    let rule = rule(action);
    let access = Access { action, resource, owner: bed.account, policy: document.as_ref(), rule, keys: &keys };
    bed.identity.who_can(&access, Vec::new()).await.unwrap()
}

fn line(principal: &str, source: &str, statement: &str) -> Permitted {
    let text = str::to_owned;
    Permitted { principal: text(principal), source: text(source), statement: text(statement), elsewhere: false }
}

#[tokio::test]
async fn a_keys_users_are_found_with_the_statement_that_lets_them() {
    let bed = Bed::new().await;
    for user in ["alice", "bob", "carol"] {
        bed.ok::<CreateUserRequest>(json!({"UserName": user})).await;
    }
    bed.ok::<CreateRoleRequest>(create("R")).await;
    let inline = json!({"UserName": "alice", "PolicyName": "in", "PolicyDocument": allow("kms:Decrypt", KEY)});
    bed.ok::<PutUserPolicyRequest>(inline).await;
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    bed.ok::<AttachRolePolicyRequest>(json!({"RoleName": "R", "PolicyArn": admin})).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"Account","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"kms:*","Resource":"*"},
        {"Sid":"Bob","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/bob"},"Action":"kms:Decrypt","Resource":"*"},
        {"Sid":"Far","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::333333333333:role/x/far","444444444444"]},"Action":"kms:*","Resource":"*"},
        {"Sid":"Service","Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}]}"#;
    let found = who_can(&bed, "kms:Decrypt", KEY, Some((policy, Kind::Key))).await;
    let far = |principal: &str| Permitted { elsewhere: true, ..line(principal, "resource policy", "") };
    let expected = [
        line("arn:aws:iam::111111111111:role/R", admin, "0"),
        line("arn:aws:iam::111111111111:root", "resource policy", "Account"),
        line("arn:aws:iam::111111111111:user/alice", "user/alice/in", "0"),
        line("arn:aws:iam::111111111111:user/bob", "resource policy", "Bob"),
        far("arn:aws:iam::333333333333:role/x/far"),
        far("arn:aws:iam::444444444444:root"),
        line("logs.amazonaws.com", "resource policy", "Service"),
    ];
    assert_eq!(found, expected);
    // Nobody but whom the key's policy names, if it does not name the account.
    let alone = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/bob"},"Action":"kms:Decrypt","Resource":"*"}}"#;
    let found = who_can(&bed, "kms:Decrypt", KEY, Some((alone, Kind::Key))).await;
    assert_eq!(found, [line("arn:aws:iam::111111111111:user/bob", "resource policy", "0")]);
}

#[tokio::test]
async fn what_is_open_to_everyone_is_told_so() {
    let bed = Bed::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
    let found = who_can(&bed, "s3:GetObject", "arn:aws:s3:::b/k", Some((policy, Kind::Bucket))).await;
    assert!(found.contains(&line("*", "resource policy", "0")));
    let found = who_can(&bed, "s3:PutObject", "arn:aws:s3:::b/k", Some((policy, Kind::Bucket))).await;
    assert_eq!(found, [line("arn:aws:iam::111111111111:root", "root user", "")]);
}

#[derive(Clone, Debug)]
struct Statement {
    deny: bool,
    action: &'static str,
    resource: &'static str,
    condition: Option<&'static str>,
}

impl Statement {
    fn text(&self, principal: Option<&str>) -> String {
        let effect = if self.deny { "Deny" } else { "Allow" };
        let principal = principal.map(|principal| format!("\"Principal\":{principal},")).unwrap_or_default();
        let condition = self.condition.map(|condition| format!(",\"Condition\":{condition}")).unwrap_or_default();
        let (action, resource) = (self.action, self.resource);
        format!(r#"{{"Effect":"{effect}",{principal}"Action":"{action}","Resource":"{resource}"{condition}}}"#)
    }
}

fn statement() -> impl Strategy<Value = Statement> {
    let actions = prop::sample::select(&["s3:GetObject", "s3:*", "*", "kms:Decrypt", "kms:*"][..]);
    let resources = prop::sample::select(&["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}/*", KEY][..]);
    let conditions = prop::sample::select(
        &[
            r#"{"StringEquals":{"aws:username":"u0"}}"#,
            r#"{"StringEquals":{"aws:PrincipalTag/team":"t"}}"#,
            r#"{"ArnLike":{"aws:PrincipalArn":"*:role/*"}}"#,
            r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
            r#"{"Null":{"aws:TokenIssueTime":"true"}}"#,
        ][..],
    );
    (prop::bool::weighted(0.2), actions, resources, prop::option::weighted(0.3, conditions))
        .prop_map(|(deny, action, resource, condition)| Statement { deny, action, resource, condition })
}

fn document(statements: &[Statement]) -> String {
    let texts: Vec<_> = statements.iter().map(|statement| statement.text(None)).collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, texts.join(","))
}

fn resource_document(statements: &[(Statement, &'static str)]) -> String {
    let texts: Vec<_> = statements.iter().map(|(statement, principal)| statement.text(Some(principal))).collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, texts.join(","))
}

fn principal() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &[
            r#""*""#,
            r#"{"AWS":"111111111111"}"#,
            r#"{"AWS":"arn:aws:iam::111111111111:user/u0"}"#,
            r#"{"AWS":"arn:aws:iam::111111111111:role/R"}"#,
        ][..],
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Who may, by access analysis, is whom the simulator allows.
    #[test]
    fn access_analysis_agrees_with_the_simulator(
        users in prop::collection::vec(prop::collection::vec(statement(), 0..3), 3),
        group in prop::collection::vec(statement(), 1..3),
        role in prop::collection::vec(statement(), 1..3),
        boundary in any::<bool>(),
        resource in prop::option::of(prop::collection::vec((statement(), principal()), 1..4)),
        kms in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bed = Bed::new().await;
            bed.ok::<CreateGroupRequest>(json!({"GroupName": "g"})).await;
            let inline = json!({"GroupName": "g", "PolicyName": "p", "PolicyDocument": document(&group)});
            bed.ok::<PutGroupPolicyRequest>(inline).await;
            bed.ok::<CreateRoleRequest>(create("R")).await;
            let inline = json!({"RoleName": "R", "PolicyName": "p", "PolicyDocument": document(&role)});
            bed.ok::<PutRolePolicyRequest>(inline).await;
            let mut arns = vec![arn("role/R")];
            for (number, statements) in users.iter().enumerate() {
                let name = format!("u{number}");
                let tags = json!([{"Key": "team", "Value": if number == 1 { "t" } else { "x" }}]);
                bed.ok::<CreateUserRequest>(json!({"UserName": name, "Tags": tags})).await;
                if !statements.is_empty() {
                    let inline = json!({"UserName": name, "PolicyName": "p", "PolicyDocument": document(statements)});
                    bed.ok::<PutUserPolicyRequest>(inline).await;
                }
                arns.push(arn(&format!("user/{name}")));
            }
            bed.ok::<AddUserToGroupRequest>(json!({"UserName": "u1", "GroupName": "g"})).await;
            if boundary {
                let policy = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
                bed.ok::<PutUserPermissionsBoundaryRequest>(json!({"UserName": "u2", "PermissionsBoundary": policy})).await;
            }
            let (action, target, kind) = match kms {
                true => ("kms:Decrypt", KEY, Kind::Key),
                false => ("s3:GetObject", "arn:aws:s3:::b/u0/k", Kind::Bucket),
            };
            let resource = resource.map(|statements| resource_document(&statements));
            // Where there is no policy of the resource, the simulator asks identity policies alone.
            let rule = if resource.is_some() { rule(action) } else { policy::Rule::Either };
            let parsed = resource.as_deref().map(|text| Document::parse(text, kind).unwrap());
            let keys = ContextMap::new();
            let access = Access { action, resource: target, owner: bed.account, policy: parsed.as_ref(), rule, keys: &keys };
            let found = bed.identity.who_can(&access, Vec::new()).await.unwrap();
            for arn in arns {
                let mut request = json!({"PolicySourceArn": arn, "ActionNames": [action], "ResourceArns": [target], "ResourceOwner": "111111111111"});
                if let Some(resource) = &resource {
                    request["ResourcePolicy"] = resource.as_str().into();
                }
                let answer = bed.ok::<SimulatePrincipalPolicyRequest>(request).await;
                let allowed = answer["EvaluationResults"][0]["EvalDecision"] == "allowed";
                assert_eq!(found.iter().any(|line| line.principal == arn), allowed, "{arn}: {answer}");
                // And so is the request of whoever signs with the user's key.
                let Some((_, user)) = arn.split_once(":user/") else { continue };
                let (_, caller) = bed.sign_in(user).await;
                let context = GlobalContext {
                    principal: &caller, facts: None, region: "us-east-1", resource_account: Some(bed.account), via_service: None,
                    service: &(),
                };
                let question =
                    Question { principal: &caller, action, resource: target, owner: Some(bed.account), context: &context };
                assert_eq!(decide(&question, parsed.as_ref(), rule).is_ok(), allowed, "{arn}: {answer}");
            }
        });
    }
}
