//! The condition keys of every service: what they are, for whom they are there.
//!
//! Source: "IAM: AWS global condition context keys" ("Availability" of each) and "IAM: Variables and tags" (values by kind of principal).

use std::time::{Duration, UNIX_EPOCH};

use policy::{AccountId, Context, ContextMap, GlobalContext, Principal, RequestFacts, Value};

use crate::common::{HERE, ISSUED, THERE, who};

/// Name, condition key, caller (`+` marks change it, see [`caller`]), how it came, value; `-`: the request has no such key.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("username of a user", "aws:username", "alice", "tls", "alice"),
    ("username of the root user", "aws:username", "root", "tls", "-"),
    ("username of a role", "aws:username", "admin", "tls", "-"),
    ("username of a federated user", "aws:username", "fed", "tls", "-"),
    ("username of an anonymous caller", "aws:username", "nobody", "tls", "-"),
    ("username of a user with a session", "aws:username", "alice+session", "tls", "alice"),
    ("userid of a user", "aws:userid", "alice", "tls", "AIDAALICEALICEALICE1"),
    ("userid of the root user", "aws:userid", "root", "tls", "111122223333"),
    ("userid of a role", "aws:userid", "admin", "tls", "AROAADMINADMINADMIN1:s1"),
    ("userid of a federated user", "aws:userid", "fed", "tls", "111122223333:fed"),
    ("userid of an anonymous caller", "aws:userid", "nobody", "tls", "anonymous"),
    ("userid of a web identity, which has not signed", "aws:userid", "web", "tls", "anonymous"),
    ("type of a user", "aws:PrincipalType", "alice", "tls", "User"),
    ("type of the root user", "aws:PrincipalType", "root", "tls", "Account"),
    ("type of a role", "aws:PrincipalType", "admin", "tls", "AssumedRole"),
    ("type of a federated user", "aws:PrincipalType", "fed", "tls", "FederatedUser"),
    ("type of an anonymous caller", "aws:PrincipalType", "nobody", "tls", "Anonymous"),
    ("account of a user", "aws:PrincipalAccount", "bob", "tls", THERE),
    ("account of an anonymous caller", "aws:PrincipalAccount", "nobody", "tls", "anonymous"),
    ("account of a service", "aws:PrincipalAccount", "logs", "own", "-"),
    ("ARN of a user", "aws:PrincipalArn", "alice", "tls", "arn:aws:iam::111122223333:user/alice"),
    ("ARN of the root user", "aws:PrincipalArn", "root", "tls", "arn:aws:iam::111122223333:root"),
    ("ARN of a session is the role's", "aws:PrincipalArn", "admin", "tls", "arn:aws:iam::111122223333:role/path/admin"),
    ("ARN of a federated user", "aws:PrincipalArn", "fed", "tls", "arn:aws:sts::111122223333:federated-user/fed"),
    ("ARN of an anonymous caller", "aws:PrincipalArn", "nobody", "tls", "-"),
    ("ARN of a service", "aws:PrincipalArn", "logs", "own", "-"),
    ("ARN of a web identity", "aws:PrincipalArn", "web", "tls", "-"),
    ("a user is no service", "aws:PrincipalIsAWSService", "alice", "tls", "false"),
    ("a service is one", "aws:PrincipalIsAWSService", "logs", "own", "true"),
    ("anonymous callers are not asked", "aws:PrincipalIsAWSService", "nobody", "tls", "-"),
    ("what a service asks for a user is the user's", "aws:PrincipalIsAWSService", "alice", "via s3", "false"),
    ("name of a service", "aws:PrincipalServiceName", "logs", "own", "logs.amazonaws.com"),
    ("name of a service: a user", "aws:PrincipalServiceName", "alice", "via s3", "-"),
    ("names of a service", "aws:PrincipalServiceNamesList", "logs", "own", "[logs.amazonaws.com]"),
    ("tag of a user", "aws:PrincipalTag/Team", "alice+tag", "tls", "red"),
    ("tag: names have no case", "aws:PrincipalTag/tEAM", "alice+tag", "tls", "red"),
    ("tag that is not there", "aws:PrincipalTag/other", "alice+tag", "tls", "-"),
    ("tag of an anonymous caller", "aws:PrincipalTag/Team", "nobody", "tls", "-"),
    ("issue time of a session", "aws:TokenIssueTime", "admin", "tls", "2023-11-14T22:13:20Z"),
    ("issue time of a user's session", "aws:TokenIssueTime", "alice+session", "tls", "2023-11-14T22:13:20Z"),
    ("issue time of long-term credentials", "aws:TokenIssueTime", "alice", "tls", "-"),
    ("issue time of a web identity's token", "aws:TokenIssueTime", "web", "tls", "-"),
    ("MFA of long-term credentials", "aws:MultiFactorAuthPresent", "alice", "tls", "-"),
    ("MFA of the root user", "aws:MultiFactorAuthPresent", "root", "tls", "-"),
    ("MFA of a session without", "aws:MultiFactorAuthPresent", "alice+session", "tls", "false"),
    ("MFA of a session with", "aws:MultiFactorAuthPresent", "alice+mfa", "tls", "true"),
    ("MFA of a role's session", "aws:MultiFactorAuthPresent", "admin", "tls", "false"),
    ("MFA of what a service asks for a user", "aws:MultiFactorAuthPresent", "alice", "via s3", "false"),
    ("MFA of an anonymous caller", "aws:MultiFactorAuthPresent", "nobody", "tls", "-"),
    ("age of MFA in seconds", "aws:MultiFactorAuthAge", "alice+mfa", "tls", "50"),
    ("age of MFA: none was used", "aws:MultiFactorAuthAge", "alice+session", "tls", "-"),
    ("source identity", "aws:SourceIdentity", "admin+source", "tls", "carlos"),
    ("no source identity", "aws:SourceIdentity", "admin", "tls", "-"),
    ("federated provider", "aws:FederatedProvider", "web", "tls", "arn:aws:iam::111122223333:oidc-provider/idp.example.com"),
    ("no federated provider", "aws:FederatedProvider", "admin", "tls", "-"),
    ("claim of a web identity", "idp.example.com:sub", "web", "tls", "sub-1"),
    ("claim: names have no case", "IDP.example.com:AUD", "web", "tls", "app"),
    ("claim of several values", "idp.example.com:amr", "web", "tls", "[a,b]"),
    ("a claim is no service's key", "kms:ViaService", "web", "tls", "-"),
    ("a claim takes no service's key", "s3:prefix", "web", "tls", "home/"),
    ("claim of nobody", "idp.example.com:sub", "alice", "tls", "-"),
    ("TLS", "aws:SecureTransport", "alice", "tls", "true"),
    ("no TLS", "aws:SecureTransport", "alice", "plain", "false"),
    ("address", "aws:SourceIp", "alice", "tls", "203.0.113.9"),
    ("address of an anonymous caller", "aws:SourceIp", "nobody", "tls", "203.0.113.9"),
    ("address: mapped into IPv6", "aws:SourceIp", "alice", "mapped", "203.0.113.9"),
    ("address: by a named listener", "aws:SourceIp", "alice", "private", "-"),
    ("address: by a named listener it has another name", "aws:VpcSourceIp", "alice", "private", "203.0.113.9"),
    ("that name: not by a named listener", "aws:VpcSourceIp", "alice", "tls", "-"),
    ("address of what a service asks", "aws:SourceIp", "alice", "via s3", "-"),
    ("listener", "aws:SourceVpce", "alice", "private", "vpce-1"),
    ("no listener", "aws:SourceVpce", "alice", "tls", "-"),
    ("listener of what a service asks", "aws:SourceVpce", "alice", "via s3", "-"),
    ("no HTTP request: no address", "aws:SourceIp", "logs", "own", "-"),
    ("user agent", "aws:UserAgent", "alice", "tls", "aws-cli/2"),
    ("referer", "aws:referer", "nobody", "tls", "https://example.com/"),
    ("current time", "aws:CurrentTime", "alice", "tls", "2023-11-14T22:14:20Z"),
    ("seconds since 1970", "aws:EpochTime", "alice", "tls", "1700000060"),
    ("Region", "aws:RequestedRegion", "alice", "tls", "eu-west-1"),
    ("account of the resource", "aws:ResourceAccount", "bob", "tls", HERE),
    ("by the caller itself", "aws:ViaAWSService", "alice", "tls", "false"),
    ("by a service", "aws:ViaAWSService", "alice", "via s3", "true"),
    ("by a service of its own", "aws:ViaAWSService", "logs", "own", "false"),
    ("services between", "aws:CalledVia", "alice", "via kms", "[kms.amazonaws.com]"),
    ("first of them", "aws:CalledViaFirst", "alice", "via kms", "kms.amazonaws.com"),
    ("last of them", "aws:CalledViaLast", "alice", "via kms", "kms.amazonaws.com"),
    ("S3 is none of those that are told", "aws:CalledVia", "alice", "via s3", "-"),
    ("no service between", "aws:CalledVia", "alice", "tls", "-"),
    ("organizations: there are none", "aws:PrincipalOrgID", "alice", "tls", "-"),
    ("tags of the request are its service's", "aws:RequestTag/team", "alice", "tls", "blue"),
    ("keys of a service", "s3:prefix", "alice", "tls", "home/"),
    ("what nobody knows", "aws:Unknown", "alice", "tls", "-"),
];

#[test]
fn global_keys_are_what_aws_says_for_whom_it_says() {
    for (name, key, caller_name, how, value) in CASES {
        let principal = caller(caller_name);
        let facts = facts(how);
        let service = ContextMap::new().with("aws:RequestTag/team", "blue").with("s3:prefix", "home/");
        let context = GlobalContext {
            principal: &principal,
            facts: facts.as_ref(),
            region: "eu-west-1",
            resource_account: AccountId::parse(HERE).ok(),
            via_service: match *how {
                "via s3" => Some("s3.eu-west-1.amazonaws.com"),
                "via kms" => Some("kms.amazonaws.com"),
                _ => None,
            },
            service: &service,
        };
        let found = context.value(&key.to_ascii_lowercase());
        let found = found.map_or_else(
            || "-".to_owned(),
            |value| match value {
                Value::One(one) => one.into_owned(),
                Value::Many(many) => format!("[{}]", many.join(",")),
            },
        );
        assert_eq!(found, *value, "{name}: {key} of {caller_name}, {how}");
    }
}

fn caller(name: &str) -> Principal {
    let (name, change) = name.split_once('+').unwrap_or((name, ""));
    let mut principal = who(name);
    let mut session = principal.session.take().unwrap_or_else(crate::common::new_session);
    match change {
        "" if !matches!(name, "admin" | "fed" | "web") => return principal,
        "tag" => {
            principal.tags = vec![("Team".to_owned(), "red".to_owned()), ("other\u{e9}".to_owned(), "x".to_owned())];
            return principal;
        }
        "mfa" => session.mfa = Some(UNIX_EPOCH + Duration::from_secs(ISSUED + 10)),
        "source" => session.source_identity = Some("carlos".to_owned()),
        _ => {}
    }
    principal.session = Some(session);
    principal
}

fn facts(how: &str) -> Option<RequestFacts> {
    (how != "own").then(|| RequestFacts {
        secure: how != "plain",
        address: if how == "mapped" { "::ffff:203.0.113.9".parse().unwrap() } else { [203, 0, 113, 9].into() },
        listener: (how == "private").then(|| "vpce-1".into()),
        user_agent: Some("aws-cli/2".to_owned()),
        referer: Some("https://example.com/".to_owned()),
        time: UNIX_EPOCH + Duration::from_secs(ISSUED + 60),
    })
}
