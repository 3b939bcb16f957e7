//! What policies and records cost: the same requests of the root user, for whom nothing is decided, and of a user with as many policies
//! as IAM lets a user have, with the audit log in both of its modes, and with records of data events.
#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

use std::time::Duration;

use data_encoding::BASE64;
use serde_json::json;

use crate::connection::{Connection, Request, Service};
use crate::load::{self, Figures};
use crate::scenario::{Mode, Operation, Prepared, Scenario, iam_request, json_request, kms_request};
use crate::target::{BUCKET, Target};
use crate::{Error, Options, kms};

const CONNECTIONS: usize = 32;
const SIZE: usize = 4 << 10;
/// As many managed policies as IAM attaches to a user.
const POLICIES: usize = 10;
const USER: &str = "bench";
const TRAIL: &str = "bench";
const TRAIL_BUCKET: &str = "strongroom-bench-trail";

/// Both modes of the audit log, each on a server of its own.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    println!("| audit | caller | operation | records | requests/s | p50 ms | p99 ms | CPU µs/request | syncs/1,000 |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for audit in ["strict", "relaxed"] {
        let root = Target::from_options(options, &[("STRONGROOM_AUDIT", audit)])?;
        let user = user(&root)?;
        let prepare = |operation, mode| Scenario::new(operation, mode, SIZE).prepare(&root);
        let encrypt = encrypt(&root)?;
        let get = prepare(Operation::Get, Mode::SseKms)?;
        let put = prepare(Operation::Put, Mode::SseKms)?;
        let plain = prepare(Operation::Get, Mode::SseS3)?;
        let line = |name, caller, records, request: &Prepared| -> Result<(), Error> {
            let target = if caller == ROOT { &root } else { &user };
            let figures = load::run(target, request, CONNECTIONS, Duration::from_secs_f64(options.seconds))?;
            println!("| {audit} | {caller} | {name} | {records} | {} | {} |", kms::cells(&figures), syncs(&figures));
            Ok(())
        };
        for caller in CALLERS {
            line("Encrypt", caller, 1, &encrypt)?;
            line("GET 4 KiB, SSE-S3", caller, 0, &plain)?;
            line("GET 4 KiB, SSE-KMS", caller, 1, &get)?;
            line("PUT 4 KiB, SSE-KMS", caller, 1, &put)?;
        }
        trail(&root)?;
        for caller in CALLERS {
            line("GET 4 KiB, SSE-S3", caller, 1, &plain)?;
            line("GET 4 KiB, SSE-KMS", caller, 2, &get)?;
            line("PUT 4 KiB, SSE-KMS", caller, 2, &put)?;
        }
    }
    println!();
    Ok(())
}

const ROOT: &str = "root";
const CALLERS: [&str; 2] = [ROOT, "user, ten policies"];

fn encrypt(root: &Target) -> Result<Prepared, Error> {
    let plaintext = BASE64.encode(b"sixty-four bytes of a configuration secret, or a key of that size");
    let body = json!({ "KeyId": root.kms_key()?, "Plaintext": plaintext, "EncryptionContext": { "tenant": "bench" } });
    Ok(Prepared::of_requests(vec![kms_request("TrentService.Encrypt", body.to_string())]))
}

/// A user whose policies are read to the last one: only that allows what is measured.
fn user(root: &Target) -> Result<Target, Error> {
    let mut connection = Connection::open(root, false)?;
    let mut iam = |form: String| -> Result<String, Error> {
        let answer = connection.expect_success(&iam_request(format!("Version=2010-05-08&{form}")))?;
        Ok(String::from_utf8_lossy(&answer.kept).into_owned())
    };
    iam(format!("Action=CreateUser&UserName={USER}&Tags.member.1.Key=team&Tags.member.1.Value=red"))?;
    for number in 1..=POLICIES {
        let document = encoded(&policy(number));
        let made = iam(format!("Action=CreatePolicy&PolicyName=policy-{number}&PolicyDocument={document}"))?;
        let arn = encoded(element(&made, "Arn")?);
        iam(format!("Action=AttachUserPolicy&UserName={USER}&PolicyArn={arn}"))?;
    }
    let made = iam(format!("Action=CreateAccessKey&UserName={USER}"))?;
    Ok(root.as_another(element(&made, "AccessKeyId")?, element(&made, "SecretAccessKey")?))
}

/// Three statements each, with conditions, patterns and variables.
fn policy(number: usize) -> String {
    let bucket = if number == POLICIES { BUCKET.to_owned() } else { format!("bucket-{number}") };
    let key = if number == POLICIES { "*".to_owned() } else { format!("00000000-0000-4000-8000-{number:012}") };
    let same_team = json!({ "StringEquals": { "aws:PrincipalTag/team": ["red", "blue"] } });
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "Objects", "Effect": "Allow", "Action": ["s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*"],
          "Resource": format!("arn:aws:s3:::{bucket}/*"), "Condition": same_team },
        { "Sid": "Keys", "Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
          "Resource": format!("arn:aws:kms:*:*:key/{key}"), "Condition": same_team },
        { "Sid": "Nowhere", "Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
          "Condition": { "NotIpAddress": { "aws:SourceIp": ["127.0.0.0/8", "10.0.0.0/8"] },
                         "Bool": { "aws:ViaAWSService": "false" } } },
    ] });
    document.to_string()
}

/// A trail that has every object's events.
fn trail(root: &Target) -> Result<(), Error> {
    let mut connection = Connection::open(root, false)?;
    let service = json!({ "Service": "cloudtrail.amazonaws.com" });
    let whole = format!("arn:aws:s3:::{TRAIL_BUCKET}");
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": whole },
        { "Effect": "Allow", "Principal": service, "Action": "s3:PutObject", "Resource": format!("{whole}/AWSLogs/*"),
          "Condition": { "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } } },
    ] });
    for (query, body) in [("", String::new()), ("policy=", policy.to_string())] {
        // Anything that is signed with its body, for another service.
        let request = json_request(Service::S3, "", body);
        connection.expect_success(&Request { method: "PUT", path: format!("/{TRAIL_BUCKET}"), query, ..request })?;
    }
    let mut cloudtrail = |operation, body: serde_json::Value| {
        connection.expect_success(&json_request(Service::CloudTrail, operation, body.to_string()))
    };
    cloudtrail(
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.CreateTrail",
        json!({ "Name": TRAIL, "S3BucketName": TRAIL_BUCKET }),
    )?;
    let objects = json!([{ "Type": "AWS::S3::Object", "Values": [format!("arn:aws:s3:::{BUCKET}/")] }]);
    cloudtrail(
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.PutEventSelectors",
        json!({ "TrailName": TRAIL, "EventSelectors": [{ "ReadWriteType": "All", "DataResources": objects }] }),
    )?;
    cloudtrail("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.StartLogging", json!({ "Name": TRAIL }))?;
    Ok(())
}

fn element<'a>(xml: &'a str, name: &str) -> Result<&'a str, Error> {
    let between = xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    between.map(|(text, _)| text).ok_or_else(|| Error::Failed(format!("no {name} in {xml}")))
}

/// For a form: everything but letters and digits.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn syncs(figures: &Figures) -> String {
    let per_thousand = |syncs: u64| format!("{:.0}", syncs as f64 / figures.requests as f64 * 1e3);
    figures.syncs.map(per_thousand).unwrap_or_default()
}
