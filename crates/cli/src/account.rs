//! `strongroom account`: the accounts of a store.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use server::operator::{self, Account, AccountAnswer, AccountCommand};

use crate::{Outcome, config, settings};

pub(crate) fn command() -> Command {
    let json = || Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object");
    let id = || Arg::new("account").value_name("ACCOUNT").required(true).help("The account's id, 12 digits");
    let key = || Arg::new("key").value_name("ACCESS_KEY_ID").required(true).help("The access key's id");
    let wanted =
        Arg::new("id").long("id").value_name("ACCOUNT").help("The id that it shall have, 12 digits [default: random]");
    let name = Arg::new("name").value_name("NAME").required(true).help("What you call it: 1 to 50 characters");
    let once = "The secret is shown this once.";
    Command::new("account")
        .about("Makes, lists and deletes accounts, whether the server runs or not")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            settings::find(Command::new("create").about("Makes an account and an access key for its root user"))
                .after_help(once)
                .arg(name)
                .arg(wanted)
                .arg(json()),
        )
        .subcommand(settings::find(Command::new("list").about("Lists all accounts")).arg(json()))
        .subcommand(
            settings::find(Command::new("delete").about("Deletes an account with everybody in it"))
                .after_help("Refused while it owns buckets, KMS keys, custom key stores or trails.")
                .arg(id()),
        )
        .subcommand(
            Command::new("access-key")
                .about("Makes and deletes access keys of an account's root user")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand(
                    settings::find(Command::new("create").about("Makes an access key"))
                        .after_help(once)
                        .arg(id())
                        .arg(json()),
                )
                .subcommand(settings::find(Command::new("delete").about("Deletes an access key")).arg(id()).arg(key())),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let (name, mut matches) = matches.subcommand().expect("clap asks for a subcommand");
    let text = |matches: &ArgMatches, name| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let command = match name {
        "create" => {
            AccountCommand::Create { name: text(matches, "name"), id: matches.get_one::<String>("id").cloned() }
        }
        "list" => AccountCommand::List,
        "delete" => AccountCommand::Delete { id: text(matches, "account") },
        _ => {
            let (name, inner) = matches.subcommand().expect("clap asks for a subcommand");
            matches = inner;
            let id = text(matches, "account");
            match name {
                "create" => AccountCommand::CreateAccessKey { id },
                _ => AccountCommand::DeleteAccessKey { id, access_key_id: text(matches, "key") },
            }
        }
    };
    let config = config(matches)?;
    server::log::start(&config);
    let answer = operator::account(&config, &command)?;
    let as_json = matches.try_get_one::<bool>("json").ok().flatten().copied().unwrap_or(false);
    let mut output = io::stdout();
    match answer {
        AccountAnswer::AccessKey(key) if as_json => writeln!(output, "{}", json!(key))?,
        AccountAnswer::AccessKey(key) => {
            writeln!(output, "account            {}", key.account)?;
            writeln!(output, "access key id      {}", key.access_key_id)?;
            writeln!(output, "secret access key  {}   shown this once!", key.secret_access_key)?;
        }
        AccountAnswer::Accounts(accounts) if as_json => writeln!(output, "{}", json!({ "accounts": accounts }))?,
        AccountAnswer::Accounts(accounts) => {
            for account in &accounts {
                writeln!(output, "{}", describe(account))?;
            }
        }
        AccountAnswer::Deleted => writeln!(output, "deleted")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(account: &Account) -> String {
    let Account { id, name, alias, root_access_keys, users, roles, closing } = account;
    let counted = |count: &usize, one: &str| format!("{count} {one}{}", if *count == 1 { "" } else { "s" });
    let mut line = format!("{id}  {name:?}  {}, {}", counted(users, "user"), counted(roles, "role"));
    if let Some(alias) = alias {
        line += &format!(", alias {alias}");
    }
    if !root_access_keys.is_empty() {
        line += &format!(", root access keys {}", root_access_keys.join(" "));
    }
    if *closing {
        line += ", being deleted";
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_a_line() {
        let account = Account {
            id: "111122223333".to_owned(),
            name: "team\n".to_owned(),
            alias: Some("team".to_owned()),
            root_access_keys: vec!["AKIA1".to_owned()],
            users: 2,
            roles: 0,
            closing: false,
        };
        let line = "111122223333  \"team\\n\"  2 users, 0 roles, alias team, root access keys AKIA1";
        assert_eq!(describe(&account), line);
        let account = Account { users: 1, roles: 1, alias: None, root_access_keys: Vec::new(), ..account };
        assert_eq!(describe(&account), "111122223333  \"team\\n\"  1 user, 1 role");
    }

    #[test]
    fn an_account_has_to_be_named() {
        let parsed = |arguments: &[&str]| command().try_get_matches_from([&["account"], arguments].concat());
        assert!(parsed(&["create"]).is_err() && parsed(&["delete"]).is_err() && parsed(&["access-key"]).is_err());
        assert!(parsed(&["create", "team", "--id", "111122223333"]).is_ok());
        assert!(parsed(&["access-key", "delete", "111122223333", "AKIA1"]).is_ok());
    }
}
