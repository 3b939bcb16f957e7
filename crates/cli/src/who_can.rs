//! `strongroom who-can`: who may do what, and what lets them.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use server::operator::{self, Access, Letting};

use crate::{Outcome, config, settings};

pub(crate) fn command() -> Command {
    let action = Arg::new("action").value_name("ACTION").required(true).help("As in kms:Decrypt or s3:GetObject");
    let resource = Arg::new("resource")
        .value_name("RESOURCE")
        .required(true)
        .help("A KMS key by its id, ARN, alias name or alias ARN; arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY");
    let context =
        Arg::new("context").long("context").value_name("KEY=VALUE").value_parser(pair).action(ArgAction::Append).help(
            "A condition key of the circumstances, as in kms:ViaService=s3.us-east-1.amazonaws.com; may be given again",
        );
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object");
    settings::find(Command::new("who-can").about("Lists who may do something, and the statement or grant that lets each").after_help(
        "A statement whose conditions ask for more than the resource, the caller and --context tell (an address, an encryption \
         context, the service that asks) lets and denies nobody here; grants are listed with their constraints. Who is in an account that is not of \
         this server needs the leave of that account, too.",
    ))
    .arg(action)
    .arg(resource)
    .arg(context)
    .arg(json)
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let config = config(matches)?;
    server::log::start(&config);
    let text = |name| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let context = matches.get_many("context").unwrap_or_default().cloned().collect();
    let access = Access { action: text("action"), resource: text("resource"), context };
    let found = operator::who_can(&config, &access)?;
    let mut output = io::stdout();
    match matches.get_flag("json") {
        true => writeln!(output, "{}", json!({ "who-can": found }))?,
        false => {
            for one in &found {
                writeln!(output, "{}", describe(one))?;
            }
            if found.is_empty() {
                writeln!(output, "nobody")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A condition key and its value.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if key.contains(':') => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a condition key, as in aws:SourceIp, an equals sign and a value".to_owned()),
    }
}

fn describe(letting: &Letting) -> String {
    let Letting { principal, source, statement, elsewhere } = letting;
    let mut line = format!("{principal}  by {source}");
    if !statement.is_empty() {
        line += if source == "grant" { " " } else { ", statement " };
        line += statement;
    }
    if *elsewhere {
        line += ", if its own account lets it";
    }
    // Whoever writes a policy chooses its `Sid`s: they end no line and command no terminal.
    line.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_and_why() {
        let text = str::to_owned;
        let mut letting = Letting {
            principal: text("arn:aws:iam::111122223333:user/alice"),
            source: text("user/alice/own"),
            statement: text("0"),
            elsewhere: false,
        };
        assert_eq!(describe(&letting), "arn:aws:iam::111122223333:user/alice  by user/alice/own, statement 0");
        letting.source = text("grant");
        letting.statement = text("ab12 with EncryptionContextSubset {\"a\":\"b\"}");
        letting.elsewhere = true;
        let line = "by grant ab12 with EncryptionContextSubset {\"a\":\"b\"}, if its own account lets it";
        assert!(describe(&letting).ends_with(line));
        letting.statement = text("a\n\u{1b}[2J\u{9b}b");
        assert!(describe(&letting).contains("a\\n\\u{1b}[2J\\u{9b}b"), "{}", describe(&letting));
    }
}
