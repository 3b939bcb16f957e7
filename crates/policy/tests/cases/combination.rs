//! How identity policies, boundary, session policies, the resource's policy and accounts decide together.
//!
//! A row is `caller | identity boundary session resource | owner rule | answer | name`. Of a caller's policies: `A` allows the action,
//! `O` allows another, `D` allows everything and denies the action, `-` there is none. Of the resource's: `A:` or `D:` and whom, joined
//! by `+`. An answer names the kind of policy that decided.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use policy::{
    AccountId, Attached, By, Document, GlobalContext, Kind, Permissions, Principal, Question, RequestFacts, Rule,
    decide, simulate,
};

use crate::common::{HERE, ISSUED, THERE, document, who};

const ONE_ACCOUNT: &str = "IAM: Policy evaluation for requests within a single account";
const ENFORCEMENT: &str = "IAM: How AWS enforcement code logic evaluates requests to allow or deny access";
const CROSS: &str = "IAM: Cross-account policy evaluation logic";
const BOUNDARIES: &str = "IAM: Permissions boundaries for IAM entities";
const SESSIONS: &str = "IAM: Policies and permissions: session policies";
const PRINCIPAL: &str = "IAM: AWS JSON policy elements: Principal";
const NOT_PRINCIPAL: &str = "IAM: AWS JSON policy elements: NotPrincipal";
const DENIES: &str = "IAM: The difference between explicit and implicit denies";
const KEYS: &str = "KMS: Key policies; Determining access to AWS KMS keys";
const TRUST: &str = "IAM: How to use trust policies with IAM roles";
const SERVICES: &str = "IAM: AWS JSON policy elements: Principal, service principals";
const S3: &str = "S3: How Amazon S3 authorizes a request; API reference, PutBucketPolicy";

#[rustfmt::skip]
const ROWS: &[(&str, &[&str])] = &[
    (ONE_ACCOUNT, &[
        "alice | - - - -         | here either | no Identity    | nothing allows a user by itself",
        "alice | A - - -         | here either | allow Identity | an identity policy is enough",
        "alice | O - - -         | here either | no Identity    | an identity policy about something else is not",
        "alice | - - - A:user    | here either | allow Resource | a resource's policy that names the user is enough",
        "alice | - - - A:all     | here either | allow Resource | a resource's policy that names everyone is enough",
        "alice | O - - A:user    | here either | allow Resource | an implicit deny of identity policies does not limit it",
        "alice | A - - A:user    | here either | allow Resource | both",
        "alice | A - - O         | here either | allow Identity | a resource's policy about something else does not matter",
        "alice | A - - A:bob     | here either | allow Identity | nor one that names somebody else",
        "alice | - - - A:bob     | here either | no Identity    | which does not let the user in",
        "alice | - - - A:account | here either | no Identity    | the account's name delegates, and allows nobody by itself",
        "alice | A - - A:account | here either | allow Identity | and leaves it to the identity policies",
        "alice | - - - A:uid     | here either | allow Resource | a unique id is the user's name too",
        "root  | - - - -         | here either | allow Identity | the root user has full access",
        "root  | - - - A:account | here either | allow Resource | the account's name is the root user's",
        "root  | - - - O         | here either | allow Identity | whatever a resource's policy leaves out",
        "admin | A - - -         | here either | allow Identity | a role's session has the role's policies",
        "admin | - - - -         | here either | no Identity    | and without them nothing",
        "admin | - - - A:role    | here either | allow Resource | a resource's policy that names the role lets its sessions in",
        "admin | - - - A:session | here either | allow Resource | and so does one that names the session",
        "admin | - - - A:user    | here either | no Identity    | but not one that names a user",
        "fed   | A - A -         | here either | allow Identity | a federated session has what user and session policies allow",
        "fed   | - - - A:fed     | here either | allow Resource | a resource's policy may name the federated session",
    ]),
    (DENIES, &[
        "alice | D - - -               | here either | deny Identity | a deny in an identity policy",
        "alice | A - - D:all           | here either | deny Resource | a deny in the resource's policy",
        "alice | A - - D:user          | here either | deny Resource | of the user",
        "alice | A - - D:account       | here either | deny Resource | of the account denies its users",
        "alice | A - - D:bob           | here either | allow Identity | of somebody else does not matter",
        "alice | D - - A:user          | here either | deny Identity | a deny in an identity policy overrides the resource's allow",
        "alice | A D - -               | here either | deny Boundary | a deny in the boundary",
        "alice | A D - A:user          | here either | deny Boundary | overrides the resource's allow",
        "admin | A - D -               | here either | deny Session  | a deny in a session policy",
        "admin | - - D A:session       | here either | deny Session  | overrides the resource's allow of the session",
        "admin | A - - D:role          | here either | deny Resource | a deny of the role denies its sessions",
        "admin | A - - D:session       | here either | deny Resource | a deny of one session",
        "admin | A - - D:account       | here either | deny Resource | a deny of the account",
        "fed   | A - A D:user          | here either | deny Resource | a deny of the user denies its federated sessions",
        "fed   | A - A D:fed           | here either | deny Resource | a deny of the federated session",
        "alice | - - - A:user+D:all    | here either | deny Resource | allow and deny in one policy",
        "root  | - - - D:account       | here either | deny Resource | a resource's policy can deny the root user",
        "root  | - - - D:all           | here either | deny Resource | as it can everyone",
        "alice | D D - D:all           | here either | deny Resource | of several kinds that deny the message names one",
        "alice | O - - D:all           | here either | deny Resource | an explicit deny is told before an implicit one",
        "alice | D O - -               | here either | deny Identity | of whichever kind",
        "admin | O O D -               | here either | deny Session  | also where it is the last",
    ]),
    (BOUNDARIES, &[
        "alice | A A - -         | here either | allow Identity | identity policies and boundary both allow",
        "alice | A O - -         | here either | no Boundary    | the boundary does not",
        "alice | - A - -         | here either | no Identity    | a boundary allows nothing by itself",
        "alice | O O - -         | here either | no Identity    | neither: the identity policies come first",
        "alice | - O - A:user    | here either | allow Resource | a resource's policy that names the user is not limited",
        "alice | O O - A:all     | here either | allow Resource | nor one that names everyone",
        "alice | A O - A:account | here either | no Boundary    | one that names the account is",
        "admin | A A - -         | here either | allow Identity | a role within its boundary",
        "admin | A O - -         | here either | no Boundary    | a role beyond its boundary",
        "admin | - A - A:role    | here either | allow Resource | a resource's policy that names the role, within the boundary",
        "admin | - O - A:role    | here either | no Boundary    | is limited by the boundary",
        "admin | A O - A:role    | here either | no Boundary    | whatever the identity policies allow",
        "admin | - O - A:session | here either | allow Resource | one that names the session is not limited",
        "admin | - O - A:role+A:session | here either | allow Resource | session and role named: the session counts",
        "fed   | - O A A:user    | here either | no Boundary    | one that names the user behind the federated session is",
        "fed   | - O O A:fed     | here either | allow Resource | one that names the federated session is not",
        "admin | A A A -         | here either | allow Identity | identity policies, boundary and session policies all allow",
        "admin | A O A -         | here either | no Boundary    | the boundary does not",
        "admin | A A O -         | here either | no Session     | the session policies do not",
        "admin | O A A -         | here either | no Identity    | the identity policies do not",
        "admin | A O O -         | here either | no Boundary    | boundary and session policies do not",
    ]),
    (SESSIONS, &[
        "admin | A - A -         | here either | allow Identity | what role and session policies allow",
        "admin | A - O -         | here either | no Session     | a session policy leaves out what the role may",
        "admin | - - A -         | here either | no Identity    | and adds nothing",
        "admin | - - A A:role    | here either | allow Resource | what the resource's policy allows the role, the session may",
        "admin | - - O A:role    | here either | no Session     | as far as the session policies let it",
        "admin | A - O A:role    | here either | no Session     | whatever the role's own policies allow",
        "admin | - - O A:session | here either | allow Resource | what is given to the session is not limited",
        "admin | A - O A:account | here either | no Session     | what is given to the account is",
        "admin | - - O A:arn     | here either | allow Resource | aws:PrincipalArn beside everyone is not limited",
        "admin | - O O A:arn     | here either | allow Resource | neither by the boundary",
        "admin | D - - A:arn     | here either | deny Identity  | but an explicit deny is one",
        "fed   | A - O -         | here either | no Session     | a federated session may what its session policies allow",
        "fed   | A - E -         | here either | no Session     | and without any nothing",
        "fed   | - - A A:user    | here either | allow Resource | what the resource's policy allows the user",
        "fed   | - - O A:user    | here either | no Session     | is limited by the session policies",
        "fed   | - - O A:fed     | here either | allow Resource | what it allows the session is not",
        "fed   | - - E A:fed     | here either | allow Resource | even without any session policies",
        "root  | - - O -         | here either | no Session     | a root user's session with a session policy",
        "root  | - - A -         | here either | allow Identity | within it",
    ]),
    (CROSS, &[
        "bob   | A - - -         | here either | no Resource    | identity policies alone reach no other account",
        "bob   | - - - A:bob     | here either | no Identity    | a resource's policy alone does not let them in",
        "bob   | A - - A:bob     | here either | allow Identity | both do",
        "bob   | A - - A:there   | here either | allow Identity | the account's name is enough for the resource's side",
        "bob   | - - - A:there   | here either | no Identity    | but not for the caller's",
        "bob   | A - - A:all     | here either | allow Identity | everyone",
        "bob   | - - - A:all     | here either | no Identity    | also everyone needs the caller's side",
        "bob   | A - - A:account | here either | no Resource    | the resource's own account is not the caller's",
        "bob   | A - - A:user    | here either | no Resource    | nor is its user of the same kind",
        "bob   | A A - A:bob     | here either | allow Identity | within the boundary",
        "bob   | A O - A:bob     | here either | no Boundary    | beyond the boundary, though the resource's policy names the user",
        "bob   | D - - A:bob     | here either | deny Identity  | a deny on the caller's side",
        "bob   | A - - A:bob+D:there | here either | deny Resource | a deny on the resource's side",
        "bob   | A - - D:all     | here either | deny Resource  | of everyone",
        "admin | A - - A:role    | there either | allow Identity | a role of another account",
        "admin | - - - A:role    | there either | no Identity    | needs its own policies",
        "admin | A - O A:session | there either | no Session     | and its session's, though its session is named",
        "admin | A O - A:session | there either | no Boundary    | and its boundary",
        "admin | A - A A:session | there either | allow Identity | all sides",
        "fed   | A - A A:fed     | there either | allow Identity | a federated session of another account",
        "fed   | A - O A:fed     | there either | no Session     | within its session policies",
        "root  | - - - -         | there either | no Resource    | a root user is nobody in another account",
        "root  | - - - A:account | there either | allow Identity | unless the resource's policy names its account",
        "root  | - - - A:all     | there either | allow Identity | or everyone",
        "root  | - - - D:account | there either | deny Resource  | a deny of its account",
        "alice | A - - A:account | there either | allow Identity | the caller's account, delegated to",
        "alice | O - - A:account | there either | no Identity    | which does not let the user",
        "alice | A - - A:arn     | there either | no Resource    | aws:PrincipalArn of somebody else",
        "admin | A - - A:arn     | there either | allow Identity | aws:PrincipalArn of the role",
    ]),
    (ENFORCEMENT, &[
        "root  | - - - -         | here must | no Resource    | a policy that must allow and is not there",
        "alice | A - - O         | here must | no Resource    | a policy that must allow and does not",
        "alice | A - - -         | here must | no Resource    | whatever the identity policies say",
    ]),
    (KEYS, &[
        "alice | A - - A:account | here must | allow Identity | a key policy that delegates to the account",
        "alice | - - - A:account | here must | no Identity    | delegates: identity policies have to allow",
        "alice | A - - A:bob     | here must | no Resource    | a key policy that names somebody else",
        "alice | - - - A:user    | here must | allow Resource | a key policy that names the user needs no identity policy",
        "alice | - - - A:all     | here must | allow Resource | one that names everyone neither",
        "alice | A O - A:account | here must | no Boundary    | the boundary limits what is delegated",
        "alice | - O - A:user    | here must | allow Resource | but not what is given to the user",
        "alice | D - - A:user    | here must | deny Identity  | an identity policy can deny it",
        "alice | A - - D:account | here must | deny Resource  | a key policy can deny the account",
        "root  | - - - A:account | here must | allow Resource | the root user by its account's name",
        "root  | - - - A:user    | here must | no Resource    | the root user has no way round a key policy",
        "admin | - - - A:role    | here must | allow Resource | a key policy that names the role",
        "admin | - - O A:role    | here must | no Session     | within session policies",
        "admin | - O - A:role    | here must | no Boundary    | and boundary",
        "admin | - - O A:session | here must | allow Resource | but not where it names the session",
        "bob   | A - - A:there   | here must | allow Identity | another account, both sides",
        "bob   | - - - A:there   | here must | no Identity    | another account, the key's side alone",
        "bob   | A - - A:account | here must | no Resource    | another account, its own side alone",
        "bob   | - - - A:bob     | here must | no Identity    | also where the key policy names the user",
    ]),
    (TRUST, &[
        "alice | - - - A:user    | here trust | allow Trust    | a trust policy that names the user is enough",
        "alice | - - - A:account | here trust | no Identity    | one that names the account needs an identity policy",
        "alice | A - - A:account | here trust | allow Identity | which may be there",
        "alice | A - - A:bob     | here trust | no Trust       | one that names somebody else",
        "alice | A - - A:user+D:all | here trust | deny Trust  | one that denies",
        "bob   | A - - A:there   | here trust | allow Identity | another account's user, both sides",
        "bob   | - - - A:there   | here trust | no Identity    | another account's user without an identity policy",
        "admin | - - - A:role    | here trust | allow Trust    | a role that may assume another: chaining",
        "admin | - - O A:role    | here trust | no Session     | within its session policies",
        "web   | - - - A:idp     | here trust | allow Trust    | a web identity of the provider",
        "web   | - - - A:account | here trust | no Trust       | a web identity belongs to no account",
        "web   | - - - A:idp+D:all | here trust | deny Trust   | a web identity that is denied",
        "logs  | - - - A:logs    | here trust | allow Trust    | a service",
        "nobody | - - - A:account | here trust | no Trust      | nobody in particular",
    ]),
    (SERVICES, &[
        "logs  | - - - A:logs    | here either | allow Resource | a service needs the resource's policy alone",
        "logs  | - - - -         | here either | no Resource    | and has nothing without it",
        "logs  | - - - A:account | here either | no Resource    | it belongs to no account",
        "logs  | - - - A:all     | here either | allow Resource | it is one of everyone",
        "logs  | - - - A:logs+D:all | here either | deny Resource | and can be denied",
        "logs  | - - - A:logs    | here must | allow Resource   | a key policy may name it too",
    ]),
    (PRINCIPAL, &[
        "nobody | - - - A:all    | here either | allow Resource | anonymous callers are everyone",
        "nobody | - - - -        | here either | no Resource    | and nobody else",
        "nobody | - - - A:account | here either | no Resource   | they have no account",
        "nobody | - - - A:arn    | here either | no Resource    | and no aws:PrincipalArn",
        "nobody | - - - A:all+D:all | here either | deny Resource | they can be denied",
        "alice | - - - A:roleid  | here either | no Identity    | a user is no role",
        "admin | - - - A:roleid  | here either | allow Resource | a role by its unique id",
        "admin | - - O A:roleid  | here either | no Session     | which is the role's name, and limited as such",
    ]),
    (NOT_PRINCIPAL, &[
        "alice | A - - N:user    | here either | allow Identity | a deny of all but the account and its user spares the user",
        "bob   | A - - A:bob+N:user | here either | deny Resource | and nobody else",
        "alice | A A - N:user    | here either | deny Resource  | whoever has a boundary is never spared",
        "root  | - - - N:user    | here either | allow Identity | the root user is spared by its account's name",
        "admin | A - - N:user    | here either | deny Resource  | a role's session is not",
    ]),
    (S3, &[
        "root  | - - - D:all     | here policy | allow Identity | the owner's root user always gets at its bucket's policy",
        "alice | A - - D:all     | here policy | deny Resource  | a user does not",
        "root  | - - - A:account+D:all | there policy | deny Resource | nor another account's root user",
    ]),
];

#[test]
fn policies_decide_together_as_documented() {
    let mut count = 0;
    for (page, rows) in ROWS {
        for row in *rows {
            let columns: Vec<_> = row.split('|').map(str::trim).collect();
            let [caller, policies, how, answer, name] = columns[..] else { panic!("{row}") };
            assert_eq!(decided(caller, policies, how), answer, "{page}: {caller} {policies}: {name}");
            count += 1;
        }
    }
    assert!(count >= 100, "{count}");
}

fn decided(caller: &str, policies: &str, how: &str) -> String {
    let policies: Vec<_> = policies.split_whitespace().collect();
    let [identity, boundary, session, resource] = policies[..] else { panic!("{policies:?}") };
    let (owner, rule) = how.split_once(' ').unwrap();
    let action = match rule {
        "trust" => "sts:AssumeRole",
        "policy" => "s3:PutBucketPolicy",
        _ => "s3:GetObject",
    };
    let kind = if rule == "trust" { Kind::Trust } else { Kind::Bucket };
    let arn = if rule == "trust" { "arn:aws:iam::111122223333:role/r" } else { "arn:aws:s3:::b/k" };
    let rule = if matches!(rule, "either" | "policy") { Rule::Either } else { Rule::ResourceMustAllow };
    let mut principal = who(caller);
    principal.permissions = Permissions {
        all: principal.permissions.all,
        identity: own(identity, action).unwrap_or_default(),
        boundary: own(boundary, action).and_then(|mut one| one.pop()),
        session: own(session, action),
    };
    let owner = AccountId::parse(if owner == "here" { HERE } else { THERE }).unwrap();
    let facts = RequestFacts {
        secure: true,
        address: [203, 0, 113, 9].into(),
        listener: None,
        user_agent: None,
        referer: None,
        time: UNIX_EPOCH + Duration::from_secs(ISSUED + 60),
    };
    let context = GlobalContext {
        principal: &principal,
        facts: Some(&facts),
        region: "eu-west-1",
        resource_account: Some(owner),
        via_service: None,
        service: &(),
    };
    let question = Question { principal: &principal, action, resource: arn, owner: Some(owner), context: &context };
    let resource = theirs(resource, action, kind);
    let outcome = decide(&question, resource.as_ref(), rule);
    assert_eq!(simulate(&question, resource.as_ref(), rule).outcome, outcome);
    let kind = |by: By| format!("{by:?}");
    match outcome {
        Ok(allowed) => format!("allow {}", kind(allowed.by)),
        Err(refused) if refused.explicit() => format!("deny {}", kind(refused.by)),
        Err(refused) => format!("no {}", kind(refused.by)),
    }
}

/// A caller's policies of one kind.
fn own(code: &str, action: &str) -> Option<Vec<Attached>> {
    let allow = |action: &str| format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
    let statements = match code {
        "-" => return None,
        // Session policies, but none.
        "E" => return Some(Vec::new()),
        "A" => allow(action),
        "O" => allow("s3:ListBucket"),
        "D" => format!(r#"[{},{{"Effect":"Deny","Action":"{action}","Resource":"*"}}]"#, allow("*")),
        other => panic!("{other}"),
    };
    let document = Arc::new(document(&statements, Kind::Identity));
    Some(vec![Attached { source: "policy".into(), document }])
}

/// The resource's policy.
fn theirs(code: &str, action: &str, kind: Kind) -> Option<Document> {
    let resource = if kind == Kind::Trust { "" } else { r#","Resource":"*""# };
    let statement = |part: &str| {
        let (effect, whom) = part.split_once(':').unwrap_or(("A", "all"));
        let action = if part == "O" { "s3:ListBucket" } else { action };
        let named = match whom {
            "all" | "arn" => r#""*""#,
            "user" if effect == "N" => r#"{"AWS":["111122223333","arn:aws:iam::111122223333:user/alice"]}"#,
            "user" => r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#,
            "uid" => r#"{"AWS":"AIDAALICEALICEALICE1"}"#,
            "role" => r#"{"AWS":"arn:aws:iam::111122223333:role/path/admin"}"#,
            "roleid" => r#"{"AWS":"AROAADMINADMINADMIN1"}"#,
            "session" => r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/admin/s1"}"#,
            "fed" => r#"{"AWS":"arn:aws:sts::111122223333:federated-user/fed"}"#,
            "account" => r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
            "bob" => r#"{"AWS":"arn:aws:iam::444455556666:user/bob"}"#,
            "there" => r#"{"AWS":"444455556666"}"#,
            "logs" => r#"{"Service":"logs.amazonaws.com"}"#,
            "idp" => r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example.com"}"#,
            other => panic!("{other}"),
        };
        let condition = match whom {
            "arn" => r#","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/path/admin"}}"#,
            _ => "",
        };
        let (effect, element) = match effect {
            "N" => ("Deny", "NotPrincipal"),
            "D" => ("Deny", "Principal"),
            _ => ("Allow", "Principal"),
        };
        format!(r#"{{"Effect":"{effect}","{element}":{named},"Action":"{action}"{resource}{condition}}}"#)
    };
    let statements: Vec<_> = code.split('+').map(statement).collect();
    (code != "-").then(|| document(&format!("[{}]", statements.join(",")), kind))
}

/// A federated session of a root user came from the account, which is no name of a user.
#[test]
fn a_root_users_federated_session_is_its_accounts() {
    let mut principal: Principal = who("fed");
    principal.kind = policy::PrincipalKind::FederatedUser {
        user_arn: "arn:aws:iam::111122223333:root".to_owned(),
        user_id: HERE.to_owned(),
        name: "fed".to_owned(),
    };
    let policy = theirs("A:account", "s3:GetObject", Kind::Bucket);
    let ask = |principal: &Principal| {
        let question =
            Question { principal, action: "s3:GetObject", resource: "arn:aws:s3:::b/k", owner: None, context: &() };
        decide(&question, policy.as_ref(), Rule::ResourceMustAllow).map(|_| ()).map_err(|refused| refused.by)
    };
    assert_eq!(ask(&principal), Err(By::Identity));
    principal.permissions = Permissions { all: true, session: own("A", "s3:GetObject"), ..Permissions::default() };
    assert_eq!(ask(&principal), Ok(()));
    principal.permissions.session = own("O", "s3:GetObject");
    assert_eq!(ask(&principal), Err(By::Session));
}
