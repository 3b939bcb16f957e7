//! Actions, resources, principals and their negations, several statements and documents: named cases.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{ALICE, context, decide, word};
use policy::{Caller, ContextMap, Document, Kind, RequestContext, evaluate};

/// Name, the statements, action, resource, condition keys, answer.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const IDENTITY: &[Case] = &[
    ("one action", r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "allow"),
    ("another action", r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#, "s3:PutObject", "arn:aws:s3:::b/k", "{}", "nothing"),
    ("actions have no case", r#"{"Effect":"Allow","Action":"S3:getobject","Resource":"*"}"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "allow"),
    ("action with star", r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#, "s3:GetObjectTagging", "arn:aws:s3:::b/k", "{}", "allow"),
    ("action with star inside", r#"{"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"*"}"#, "iam:CreateAccessKey", "*", "{}", "allow"),
    ("action with question mark", r#"{"Effect":"Allow","Action":"kms:?ncrypt","Resource":"*"}"#, "kms:Encrypt", "*", "{}", "allow"),
    ("every action of a service", r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#, "kms:Encrypt", "*", "{}", "allow"),
    ("every action of another service", r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#, "kms:Encrypt", "*", "{}", "nothing"),
    ("every action", r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#, "kms:Encrypt", "*", "{}", "allow"),
    ("a list of actions", r#"{"Effect":"Allow","Action":["s3:GetObject","kms:Decrypt"],"Resource":"*"}"#, "kms:Decrypt", "*", "{}", "allow"),
    ("NotAction", r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#, "kms:Decrypt", "*", "{}", "allow"),
    ("NotAction names it", r#"{"Effect":"Allow","NotAction":["kms:Decrypt","iam:*"],"Resource":"*"}"#, "kms:Decrypt", "*", "{}", "nothing"),
    ("NotAction in a Deny", r#"{"Effect":"Deny","NotAction":"iam:*","Resource":"*"}"#, "kms:Decrypt", "*", "{}", "deny"),
    ("NotAction in a Deny names it", r#"[{"Effect":"Deny","NotAction":"kms:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]"#, "kms:Decrypt", "*", "{}", "allow"),
    ("resource", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/k"}"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "allow"),
    ("resources mind case", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/K"}"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "nothing"),
    ("resource with star", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/*"}"#, "s3:GetObject", "arn:aws:s3:::b/a/b/c", "{}", "allow"),
    ("the bucket is not its objects", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/*"}"#, "s3:ListBucket", "arn:aws:s3:::b", "{}", "nothing"),
    ("the bucket's prefix without slash", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b*"}"#, "s3:ListBucket", "arn:aws:s3:::bigger", "{}", "allow"),
    ("resource with question mark", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/?"}"#, "s3:GetObject", "arn:aws:s3:::b/kk", "{}", "nothing"),
    ("a list of resources", r#"{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::a","arn:aws:s3:::b"]}"#, "s3:ListBucket", "arn:aws:s3:::b", "{}", "allow"),
    ("wildcard in the service part", r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"arn:aws:*:::b/*"}]"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "deny"),
    ("arn:* as a resource", r#"{"Effect":"Deny","Action":"s3:*","Resource":"arn:*"}"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "deny"),
    ("wildcard Region", r#"{"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:*:111122223333:key/*"}"#, "kms:Encrypt", "arn:aws:kms:eu-west-1:111122223333:key/1", "{}", "allow"),
    ("another account's key", r#"{"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:*:111122223333:key/*"}"#, "kms:Encrypt", "arn:aws:kms:eu-west-1:444455556666:key/1", "{}", "nothing"),
    ("NotResource", r#"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/*"}"#, "s3:GetObject", "arn:aws:s3:::c/k", "{}", "allow"),
    ("NotResource names it", r#"{"Effect":"Allow","Action":"*","NotResource":["arn:aws:s3:::b/*","arn:aws:s3:::c/*"]}"#, "s3:GetObject", "arn:aws:s3:::c/k", "{}", "nothing"),
    ("NotResource in a Deny", r#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::b/*"}"#, "s3:GetObject", "arn:aws:s3:::c/k", "{}", "deny"),
    ("variable in a resource", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/alice/k", r#"{"aws:username":"alice"}"#, "allow"),
    ("variable: somebody else's", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/bob/k", r#"{"aws:username":"alice"}"#, "nothing"),
    ("variable value that is a star", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/k"}"#, "s3:GetObject", "arn:aws:s3:::b/bob/k", r#"{"aws:username":"*"}"#, "nothing"),
    ("variable missing", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/home${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/home/secret", "{}", "nothing"),
    ("variable missing in NotResource never allows", r#"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/bob/k", "{}", "nothing"),
    ("variable missing in NotResource denies", r#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/bob/k", "{}", "deny"),
    ("variable with default in a resource", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'all'}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/all/k", "{}", "allow"),
    ("escape in a resource", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/a${*}b"}"#, "s3:GetObject", "arn:aws:s3:::b/a*b", "{}", "allow"),
    ("escape in a resource matches no other", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/a${*}b"}"#, "s3:GetObject", "arn:aws:s3:::b/aXb", "{}", "nothing"),
    ("deny before allow", r#"[{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"s3:*","Resource":"*"}]"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "deny"),
    ("deny after allow", r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "deny"),
    ("deny whose condition does not hold", r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]"#, "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:SecureTransport":"true"}"#, "allow"),
    ("deny without TLS", r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]"#, "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:SecureTransport":"false"}"#, "deny"),
    ("allow by the second statement", r#"[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]"#, "s3:PutObject", "arn:aws:s3:::b/k", "{}", "allow"),
    ("deny without MFA, IfExists", r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]"#, "s3:PutObject", "arn:aws:s3:::b/k", "{}", "deny"),
    ("encryption header missing", r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"Null":{"s3:x-amz-server-side-encryption":"true"}}}]"#, "s3:PutObject", "arn:aws:s3:::b/k", "{}", "deny"),
    ("another encryption than the demanded", r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}]"#, "s3:PutObject", "arn:aws:s3:::b/k", r#"{"s3:x-amz-server-side-encryption":"AES256"}"#, "deny"),
    ("encryption context", r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:AppName":"ExampleApp"}}}"#, "kms:Decrypt", "*", r#"{"kms:EncryptionContext:AppName":"ExampleApp"}"#, "allow"),
    ("encryption context keys", r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["AppName","FilePath"]}}}"#, "kms:Decrypt", "*", r#"{"kms:EncryptionContextKeys":["AppName","Other"]}"#, "nothing"),
    ("through a service only", r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:ViaService":"s3.*.amazonaws.com"}}}"#, "kms:Decrypt", "*", r#"{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#, "allow"),
    ("not through a service", r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:ViaService":"s3.*.amazonaws.com"}}}"#, "kms:Decrypt", "*", "{}", "nothing"),
];

#[test]
fn an_identity_policy_decides_as_documented() {
    for (name, statements, action, resource, keys, answer) in IDENTITY {
        let document = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
        assert_eq!(decide(&document, Kind::Identity, ALICE, action, resource, &context(keys)), *answer, "{name}");
    }
}

const A: &str = "111122223333";
const ROOT: Caller<'_> = Caller::Aws { account: A, names: &["arn:aws:iam::111122223333:root"], canonical_user: None };
const ROOT_BARE: Caller<'_> = Caller::Aws { account: A, names: &[], canonical_user: Some(CANONICAL) };
const SESSION: Caller<'_> = Caller::Aws {
    account: A,
    names: &[
        "arn:aws:iam::111122223333:role/path/admin",
        "AROAADMINADMINADMIN1",
        "arn:aws:sts::111122223333:assumed-role/admin/s1",
    ],
    canonical_user: None,
};
const BOB: Caller<'_> =
    Caller::Aws { account: "444455556666", names: &["arn:aws:iam::444455556666:user/bob"], canonical_user: None };
const LOGS: Caller<'_> = Caller::Service(&["logs.amazonaws.com", "logs.us-east-1.amazonaws.com"]);
const CANONICAL: &str = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";

/// Name, Effect and principal element, caller, answer.
type PrincipalCase = (&'static str, &'static str, Caller<'static>, &'static str);

#[rustfmt::skip]
const PRINCIPALS: &[PrincipalCase] = &[
    ("everyone", r#""Effect":"Allow","Principal":"*""#, ALICE, "allow"),
    ("everyone, as an AWS principal", r#""Effect":"Allow","Principal":{"AWS":"*"}"#, BOB, "allow"),
    ("everyone: anonymous", r#""Effect":"Allow","Principal":"*""#, Caller::Anonymous, "allow"),
    ("everyone: a service", r#""Effect":"Allow","Principal":"*""#, LOGS, "allow"),
    ("account id: a user", r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, ALICE, "account"),
    ("account root ARN: a user", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#, ALICE, "account"),
    ("account root ARN: a session", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#, SESSION, "account"),
    ("account root ARN: its root", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#, ROOT, "allow"),
    ("account id: its root", r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, ROOT_BARE, "allow"),
    ("account id: another account", r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, BOB, "nothing"),
    ("user ARN", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, ALICE, "allow"),
    ("user ARN: the account's root", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, ROOT, "nothing"),
    ("user ARN: another user", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#, ALICE, "nothing"),
    ("user ARN: the same name elsewhere", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#, BOB, "nothing"),
    ("user ARN and account: the user", r#""Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:user/alice"]}"#, ALICE, "allow"),
    ("unique id", r#""Effect":"Allow","Principal":{"AWS":"AIDAALICEALICEALICE1"}"#, ALICE, "allow"),
    ("role ARN: a session of it", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/path/admin"}"#, SESSION, "entity"),
    ("session ARN", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/admin/s1"}"#, SESSION, "allow"),
    ("session ARN: another session", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/admin/s2"}"#, SESSION, "nothing"),
    ("anonymous is no account", r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, Caller::Anonymous, "nothing"),
    ("service", r#""Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"}"#, LOGS, "allow"),
    ("another service", r#""Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"}"#, LOGS, "nothing"),
    ("a service is no user", r#""Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"}"#, ALICE, "nothing"),
    ("federated", r#""Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example.com"}"#, Caller::Federated("arn:aws:iam::111122223333:oidc-provider/idp.example.com"), "allow"),
    ("federated by host name", r#""Effect":"Allow","Principal":{"Federated":"accounts.google.com"}"#, Caller::Federated("accounts.google.com"), "allow"),
    ("canonical user", r#""Effect":"Allow","Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}"#, ROOT_BARE, "allow"),
    ("two kinds: the service", r#""Effect":"Allow","Principal":{"AWS":["111122223333"],"Service":"logs.amazonaws.com"}"#, LOGS, "allow"),
    ("two kinds: the account", r#""Effect":"Allow","Principal":{"AWS":["111122223333"],"Service":"logs.amazonaws.com"}"#, ALICE, "account"),
    ("deny to an account denies its users", r#""Effect":"Deny","Principal":{"AWS":"111122223333"}"#, ALICE, "deny"),
    ("deny to an account denies its root", r#""Effect":"Deny","Principal":{"AWS":"111122223333"}"#, ROOT, "deny"),
    ("deny to a role denies its sessions", r#""Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/path/admin"}"#, SESSION, "deny"),
    ("deny to everyone", r#""Effect":"Deny","Principal":"*""#, BOB, "deny"),
    ("NotPrincipal: user and account are spared", r#""Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/alice","111122223333"]}"#, ALICE, "nothing"),
    ("NotPrincipal: the user alone is not enough", r#""Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, ALICE, "deny"),
    ("NotPrincipal: the account alone is not enough for its users", r#""Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}"#, ALICE, "deny"),
    ("NotPrincipal: the account spares its root", r#""Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}"#, ROOT, "nothing"),
    ("NotPrincipal: session, role and account", r#""Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:sts::111122223333:assumed-role/admin/s1","arn:aws:iam::111122223333:role/path/admin","111122223333"]}"#, SESSION, "nothing"),
    ("NotPrincipal: role and account are not the session", r#""Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/path/admin","111122223333"]}"#, SESSION, "deny"),
    ("NotPrincipal: another account", r#""Effect":"Deny","NotPrincipal":{"AWS":"111122223333"}"#, BOB, "deny"),
    ("NotPrincipal: anonymous", r#""Effect":"Deny","NotPrincipal":{"AWS":"111122223333"}"#, Caller::Anonymous, "deny"),
    ("NotPrincipal: a service that is named", r#""Effect":"Deny","NotPrincipal":{"Service":"logs.amazonaws.com"}"#, LOGS, "nothing"),
];

#[test]
fn a_principal_is_meant_as_documented() {
    for (name, element, caller, answer) in PRINCIPALS {
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{{{element},"Action":"*","Resource":"*"}}]}}"#);
        let decided = decide(&document, Kind::Bucket, *caller, "s3:GetObject", "arn:aws:s3:::b/k", &ContextMap::new());
        assert_eq!(decided, *answer, "{name}");
    }
}

#[test]
fn the_decision_names_its_statement() {
    let parse = |text| Document::parse(text, Kind::Key).unwrap();
    let documents = [
        parse(
            r#"{"Statement":[{"Sid":"account","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}]}"#,
        ),
        parse(
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"kms:*","Resource":"*"},
                {"Sid":"alice may encrypt","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:Encrypt","Resource":"*"},
                {"Sid":"nobody deletes","Effect":"Deny","Principal":"*","Action":"kms:ScheduleKeyDeletion","Resource":"*"}]}"#,
        ),
    ];
    let keys = ContextMap::new();
    let mut found = Vec::new();
    for action in ["kms:Encrypt", "kms:Decrypt", "kms:ScheduleKeyDeletion"] {
        let request = RequestContext {
            caller: ALICE,
            action,
            resource: "arn:aws:kms:eu-west-1:111122223333:key/1",
            context: &keys,
        };
        let decision = evaluate(&documents, &request);
        let deciding = decision.statement.unwrap();
        found.push((word(&decision), deciding.document, deciding.statement, deciding.sid.unwrap()));
    }
    assert_eq!(
        found,
        [("allow", 1, 1, "alice may encrypt"), ("account", 0, 0, "account"), ("deny", 1, 2, "nobody deletes"),]
    );
    let none = evaluate::<Document>(
        &[],
        &RequestContext { caller: ALICE, action: "kms:Encrypt", resource: "*", context: &keys },
    );
    assert_eq!((word(&none), none.statement), ("nothing", None));
}

/// KMS API reference, PutKeyPolicy: "the policy statement has no effect".
#[test]
fn a_statement_of_a_key_policy_without_actions_or_resources_does_nothing() {
    for element in [r#""Action":"kms:*""#, r#""Resource":"*""#, r#""NotAction":"s3:*""#] {
        for effect in ["Allow", "Deny"] {
            let document = format!(r#"{{"Statement":{{"Effect":"{effect}","Principal":"*",{element}}}}}"#);
            assert_eq!(
                decide(&document, Kind::Key, ALICE, "kms:Encrypt", "arn:aws:kms:r:1:key/1", &ContextMap::new()),
                "nothing"
            );
        }
    }
}

#[test]
fn a_trust_policy_needs_no_resource() {
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#;
    let role = "arn:aws:iam::444455556666:role/r";
    assert_eq!(decide(document, Kind::Trust, ALICE, "sts:AssumeRole", role, &ContextMap::new()), "account");
}
