//! `strongroom ls`: what is in a bucket.

use std::process::ExitCode;

use clap::{ArgAction, Args};
use client::aws::{ListOptions, S3Client};
use serde_json::json;

use super::super::Outcome;
use super::super::args::S3Service;
use super::super::output::print;
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
    for page in s3.list(&command.url.bucket, options) {
        let page = page?;
        for prefix in page.prefixes {
            say(match command.json {
                true => json!({ "prefix": command.url.with_key(&prefix).to_string() }).to_string(),
                false => format!("{:>24}  {:>13}  {}", "", "", clean(&prefix)),
            })?;
        }
        for object in page.objects {
            let url = command.url.with_key(&object.key);
            let found = if command.long { Some(inspect::look(&s3, &url)?) } else { None };
            if command.json {
                let mut line = json!({
                    "url": url.to_string(),
                    "sealed_bytes": object.length,
                    "last_modified": object.last_modified,
                    "etag": object.etag,
                });
                if let Some(found) = found {
                    line["header"] = found.json();
                }
                say(line.to_string())?;
            } else {
                let what = found.map(|found| format!("  {}", found.brief())).unwrap_or_default();
                say(format!("{:>24}  {:>13}  {}{what}", object.last_modified, object.length, clean(&object.key)))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A key may hold anything, also what a terminal obeys.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}
