//! Actions, resources, principals and their negations, several statements: named cases.

use policy::{ContextMap, Kind};

use crate::common::{context, document, says, who};

/// Name, the statements, action, resource, condition keys, answer.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const IDENTITY: &[(&str, &[Case])] = &[
    ("IAM: Action and NotAction", &[
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
    ]),
    ("IAM: Resource and NotResource", &[
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
    ]),
    ("IAM: Variables and tags", &[
        ("variable in a resource", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/alice/k", r#"{"aws:username":"alice"}"#, "allow"),
        ("variable: somebody else's", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/bob/k", r#"{"aws:username":"alice"}"#, "nothing"),
        ("variable value that is a star", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/k"}"#, "s3:GetObject", "arn:aws:s3:::b/bob/k", r#"{"aws:username":"*"}"#, "nothing"),
        ("variable missing", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/home${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/home/secret", "{}", "nothing"),
        ("variable missing in NotResource never allows", r#"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/bob/k", "{}", "nothing"),
        ("variable missing in NotResource denies", r#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/bob/k", "{}", "deny"),
        ("variable with default in a resource", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'all'}/*"}"#, "s3:GetObject", "arn:aws:s3:::b/all/k", "{}", "allow"),
        ("escape in a resource", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/a${*}b"}"#, "s3:GetObject", "arn:aws:s3:::b/a*b", "{}", "allow"),
        ("escape in a resource matches no other", r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/a${*}b"}"#, "s3:GetObject", "arn:aws:s3:::b/aXb", "{}", "nothing"),
    ]),
    ("IAM: Policy evaluation logic", &[
        ("deny before allow", r#"[{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"s3:*","Resource":"*"}]"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "deny"),
        ("deny after allow", r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]"#, "s3:GetObject", "arn:aws:s3:::b/k", "{}", "deny"),
        ("deny whose condition does not hold", r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]"#, "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:SecureTransport":"true"}"#, "allow"),
        ("deny without TLS", r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]"#, "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:SecureTransport":"false"}"#, "deny"),
        ("allow by the second statement", r#"[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]"#, "s3:PutObject", "arn:aws:s3:::b/k", "{}", "allow"),
    ]),
    ("IAM: Global condition keys", &[
        ("deny without MFA, IfExists", r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]"#, "s3:PutObject", "arn:aws:s3:::b/k", "{}", "deny"),
    ]),
    ("S3: Bucket policy examples", &[
        ("encryption header missing", r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"Null":{"s3:x-amz-server-side-encryption":"true"}}}]"#, "s3:PutObject", "arn:aws:s3:::b/k", "{}", "deny"),
        ("another encryption than the demanded", r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}]"#, "s3:PutObject", "arn:aws:s3:::b/k", r#"{"s3:x-amz-server-side-encryption":"AES256"}"#, "deny"),
    ]),
    ("KMS: Condition keys", &[
        ("encryption context", r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:AppName":"ExampleApp"}}}"#, "kms:Decrypt", "*", r#"{"kms:EncryptionContext:AppName":"ExampleApp"}"#, "allow"),
        ("encryption context keys", r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["AppName","FilePath"]}}}"#, "kms:Decrypt", "*", r#"{"kms:EncryptionContextKeys":["AppName","Other"]}"#, "nothing"),
        ("through a service only", r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:ViaService":"s3.*.amazonaws.com"}}}"#, "kms:Decrypt", "*", r#"{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}"#, "allow"),
        ("not through a service", r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:ViaService":"s3.*.amazonaws.com"}}}"#, "kms:Decrypt", "*", "{}", "nothing"),
    ]),
];

#[test]
fn an_identity_policy_decides_as_documented() {
    for (page, cases) in IDENTITY {
        for (name, statements, action, resource, keys, answer) in *cases {
            let document = document(statements, Kind::Identity);
            let said = says(&document, &who("alice"), action, resource, &context(keys));
            assert_eq!(said, *answer, "{page}: {name}");
        }
    }
}

/// Name, Effect and principal element, caller, answer.
type PrincipalCase = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const PRINCIPALS: &[(&str, &[PrincipalCase])] = &[
    ("IAM: Principal", &[
        ("everyone", r#""Effect":"Allow","Principal":"*""#, "alice", "allow"),
        ("everyone, as an AWS principal", r#""Effect":"Allow","Principal":{"AWS":"*"}"#, "bob", "allow"),
        ("everyone: anonymous", r#""Effect":"Allow","Principal":"*""#, "nobody", "allow"),
        ("everyone: a service", r#""Effect":"Allow","Principal":"*""#, "logs", "allow"),
        ("account id: a user", r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, "alice", "account"),
        ("account root ARN: a user", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#, "alice", "account"),
        ("account root ARN: a session", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#, "admin", "account"),
        ("account root ARN: its root", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#, "root", "allow"),
        ("account id: its root", r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, "root", "allow"),
        ("account id: another account", r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, "bob", "nothing"),
        ("user ARN", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, "alice", "allow"),
        ("user ARN: the account's root", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, "root", "nothing"),
        ("user ARN: another user", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#, "alice", "nothing"),
        ("user ARN: the same name elsewhere", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#, "bob", "nothing"),
        ("user ARN and account: the user", r#""Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:user/alice"]}"#, "alice", "allow"),
        ("unique id", r#""Effect":"Allow","Principal":{"AWS":"AIDAALICEALICEALICE1"}"#, "alice", "allow"),
        ("role ARN: a session of it", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/path/admin"}"#, "admin", "entity"),
        ("session ARN", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/admin/s1"}"#, "admin", "allow"),
        ("session ARN: another session", r#""Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/admin/s2"}"#, "admin", "nothing"),
        ("anonymous is no account", r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, "nobody", "nothing"),
        ("service", r#""Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"}"#, "logs", "allow"),
        ("another service", r#""Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"}"#, "logs", "nothing"),
        ("a service is no user", r#""Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"}"#, "alice", "nothing"),
        ("federated", r#""Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example.com"}"#, "web", "allow"),
        ("two kinds: the service", r#""Effect":"Allow","Principal":{"AWS":["111122223333"],"Service":"logs.amazonaws.com"}"#, "logs", "allow"),
        ("two kinds: the account", r#""Effect":"Allow","Principal":{"AWS":["111122223333"],"Service":"logs.amazonaws.com"}"#, "alice", "account"),
        ("deny to an account denies its users", r#""Effect":"Deny","Principal":{"AWS":"111122223333"}"#, "alice", "deny"),
        ("deny to an account denies its root", r#""Effect":"Deny","Principal":{"AWS":"111122223333"}"#, "root", "deny"),
        ("deny to a role denies its sessions", r#""Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/path/admin"}"#, "admin", "deny"),
        ("deny to everyone", r#""Effect":"Deny","Principal":"*""#, "bob", "deny"),
    ]),
    ("IAM: NotPrincipal", &[
        ("NotPrincipal: user and account are spared", r#""Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/alice","111122223333"]}"#, "alice", "nothing"),
        ("NotPrincipal: the user alone is not enough", r#""Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, "alice", "deny"),
        ("NotPrincipal: the account alone is not enough for its users", r#""Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}"#, "alice", "deny"),
        ("NotPrincipal: the account spares its root", r#""Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}"#, "root", "nothing"),
        ("NotPrincipal: session, role and account", r#""Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:sts::111122223333:assumed-role/admin/s1","arn:aws:iam::111122223333:role/path/admin","111122223333"]}"#, "admin", "nothing"),
        ("NotPrincipal: role and account are not the session", r#""Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/path/admin","111122223333"]}"#, "admin", "deny"),
        ("NotPrincipal: another account", r#""Effect":"Deny","NotPrincipal":{"AWS":"111122223333"}"#, "bob", "deny"),
        ("NotPrincipal: anonymous", r#""Effect":"Deny","NotPrincipal":{"AWS":"111122223333"}"#, "nobody", "deny"),
        ("NotPrincipal: a service that is named", r#""Effect":"Deny","NotPrincipal":{"Service":"logs.amazonaws.com"}"#, "logs", "nothing"),
    ]),
];

#[test]
fn a_principal_is_meant_as_documented() {
    for (page, cases) in PRINCIPALS {
        for (name, element, caller, answer) in *cases {
            let document = document(&format!(r#"{{{element},"Action":"*","Resource":"*"}}"#), Kind::Bucket);
            let said = says(&document, &who(caller), "s3:GetObject", "arn:aws:s3:::b/k", &ContextMap::new());
            assert_eq!(said, *answer, "{page}: {name}");
        }
    }
}

/// KMS API reference, PutKeyPolicy: "the policy statement has no effect".
#[test]
fn a_statement_of_a_key_policy_without_actions_or_resources_does_nothing() {
    for element in [r#""Action":"kms:*""#, r#""Resource":"*""#, r#""NotAction":"s3:*""#] {
        for effect in ["Allow", "Deny"] {
            let statement = format!(r#"{{"Effect":"{effect}","Principal":"*",{element}}}"#);
            let document = document(&statement, Kind::Key);
            let key = "arn:aws:kms:r:1:key/1";
            assert_eq!(says(&document, &who("alice"), "kms:Encrypt", key, &ContextMap::new()), "nothing");
        }
    }
}

#[test]
fn a_trust_policy_needs_no_resource() {
    let statement = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}"#;
    let (document, role) = (document(statement, Kind::Trust), "arn:aws:iam::444455556666:role/r");
    assert_eq!(says(&document, &who("alice"), "sts:AssumeRole", role, &ContextMap::new()), "account");
}
