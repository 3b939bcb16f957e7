//! `strongroom ls`: what is in a bucket.

use std::process::ExitCode;

use clap::{ArgAction, Args};
use client::aws::{ListOptions, S3Client};
use serde_json::json;

use super::super::Outcome;
use super::super::args::S3Service;
use super::super::failure::{Failure, Kind, clean};
use super::super::output::print;
use super::super::report::complain;
use super::inspect;
use super::url::S3Url;

/// Lists what is in a bucket: when it was stored, its length as it is stored, its name
#[derive(Debug, Args)]
pub(in crate::client) struct Ls {
    /// s3://bucket, or s3://bucket/ and how names begin
    #[arg(value_name = "URL")]
    url: S3Url,

    /// What is in folders, too
    #[arg(short, long, action = ArgAction::SetTrue)]
    recursive: bool,

    /// What each is sealed with; one request more for each
    #[arg(short, long, action = ArgAction::SetTrue)]
    long: bool,

    /// Print a JSON object a line
    #[arg(long, action = ArgAction::SetTrue)]
    json: bool,

    #[command(flatten)]
    service: S3Service,
}

pub(in crate::client) fn run(command: &Ls) -> Outcome {
    let s3 = S3Client::new(&command.service.config()?)?;
    let mut options = ListOptions::new().prefix(&command.url.key);
    if !command.recursive {
        options = options.delimiter("/");
    }
    let say = |line: String| print(&format!("{line}\n"));
    let (mut any, mut first) = (command.url.key.is_empty(), None);
    for page in s3.list(&command.url.bucket, options) {
        let page = page?;
        any |= !page.prefixes.is_empty() || !page.objects.is_empty();
        for prefix in page.prefixes {
            say(match command.json {
                true => json!({ "prefix": command.url.with_key(&prefix).to_string() }).to_string(),
                false => format!("{:>24}  {:>13}  {}", "", "", clean(&prefix)),
            })?;
        }
        for object in page.objects {
            let url = command.url.with_key(&object.key);
            // What cannot be told of one object does not keep back the others.
            let found = command.long.then(|| inspect::look(&s3, &url));
            if let Some(Err(failure)) = &found {
                first.get_or_insert(failure.code());
            }
            if command.json {
                let mut line = json!({
                    "url": url.to_string(),
                    "sealed_bytes": object.length,
                    "last_modified": object.last_modified,
                    "etag": object.etag,
                });
                match &found {
                    Some(Ok(found)) => line["header"] = found.json(),
                    Some(Err(failure)) => {
                        line["code"] = json!(failure.number());
                        line["error"] = json!(failure.to_string());
                    }
                    None => {}
                }
                say(line.to_string())?;
            } else {
                let what = match &found {
                    Some(Ok(found)) => format!("  {}", found.brief()),
                    Some(Err(_)) => "  malformed, or not to be read".to_owned(),
                    None => String::new(),
                };
                let line = format!("{:>24}  {:>13}  {}{what}", object.last_modified, object.length, object.key);
                say(clean(&line))?;
            }
            if let Some(Err(failure)) = found {
                complain(&failure.within(&url));
            }
        }
    }
    if !any {
        return Err(Failure::new(Kind::Failed, format!("{}: nothing is there", command.url)));
    }
    Ok(first.map_or(ExitCode::SUCCESS, ExitCode::from))
}
