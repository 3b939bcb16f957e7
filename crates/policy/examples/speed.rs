//! How long a decision takes: a user with ten policies of three statements, a boundary and a bucket policy.
//!
//! `cargo run --release -p strongroom-policy --example speed`

#![allow(clippy::print_stdout, reason = "its figures are its purpose")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use policy::{AccountId, Attached, Document, GlobalContext, Kind, Principal, Question, RequestFacts, Rule, decide};

const ROUNDS: u32 = 200;
const DECISIONS: u32 = 1_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let account = AccountId::parse("111122223333")?;
    let mut user = Principal::user(account, "arn:aws:iam::111122223333:user/alice", "alice", "AIDAALICEALICEALICE1");
    user.tags.push(("team".to_owned(), "red".to_owned()));
    user.permissions.identity = (0..10).map(identity_policy).collect::<Result<_, _>>()?;
    user.permissions.boundary = Some(identity_policy(10)?);
    let bucket = Document::parse(BUCKET, Kind::Bucket)?;
    let facts = RequestFacts {
        secure: true,
        address: Ipv4Addr::new(203, 0, 113, 9).into(),
        listener: None,
        user_agent: Some("aws-cli/2".to_owned()),
        referer: None,
        time: SystemTime::now(),
    };
    let context = GlobalContext {
        principal: &user,
        facts: Some(&facts),
        region: "eu-west-1",
        resource_account: Some(account),
        via_service: None,
        service: &(),
    };
    for (name, action, resource) in [
        ("allowed", "s3:GetObject", "arn:aws:s3:::bucket-9/home/alice/x"),
        ("not allowed", "s3:GetObject", "arn:aws:s3:::elsewhere/x"),
        ("another service", "kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1"),
    ] {
        let question = Question { principal: &user, action, resource, owner: Some(account), context: &context };
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..DECISIONS {
                std::hint::black_box(decide(std::hint::black_box(&question), Some(&bucket), Rule::Either)).ok();
            }
            best = best.min(start.elapsed() / DECISIONS);
        }
        let answer = decide(&question, Some(&bucket), Rule::Either);
        println!("{name:16} {best:?} a decision: {answer:?}");
    }
    Ok(())
}

fn identity_policy(number: usize) -> Result<Attached, policy::Malformed> {
    let buckets = if number == 10 { "bucket-*".to_owned() } else { format!("bucket-{number}") };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Sid":"List","Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::{buckets}",
              "Condition":{{"StringLike":{{"s3:prefix":["","home/${{aws:username}}/*"]}}}}}},
            {{"Sid":"Home","Effect":"Allow","Action":["s3:GetObject*","s3:PutObject*","s3:DeleteObject*"],
              "Resource":"arn:aws:s3:::{buckets}/home/${{aws:username}}/*",
              "Condition":{{"Bool":{{"aws:SecureTransport":"true"}},"StringEquals":{{"aws:PrincipalTag/team":["red","blue"]}}}}}},
            {{"Sid":"Nowhere","Effect":"Deny","NotAction":"iam:*","Resource":"*",
              "Condition":{{"NotIpAddress":{{"aws:SourceIp":["203.0.113.0/24","10.0.0.0/8"]}}}}}}]}}"#
    );
    Ok(Attached {
        source: format!("arn:aws:iam::111122223333:policy/p{number}").into(),
        document: Arc::new(Document::parse(&text, Kind::Identity)?),
    })
}

const BUCKET: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"Tls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},
    {"Sid":"Logs","Effect":"Allow","Principal":{"Service":"logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket-9/logs/*"},
    {"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/bob"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket-9/*"}]}"#;
