//! The operator's file of more accounts: who may sign besides the root user. docs/configuration.md describes it.

use std::path::Path;

use aws_lc_rs::digest;
use data_encoding::BASE32_NOPAD;
use gateway::Account;
use keys::{AccountId, Principal};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::files::{self, FileError};

/// The root user of an account.
pub(crate) fn root(account: AccountId, credentials: &Credentials) -> Account {
    Account {
        principal: Principal {
            account,
            arn: format!("arn:aws:iam::{account}:root"),
            access_key_id: credentials.access_key_id().to_owned(),
            user_id: account.to_string(),
        },
        secret: credentials.secret().duplicate(),
    }
}

/// Reads the file.
///
/// # Errors
/// [`FileError`]: what about the file is wrong. No error holds a secret.
pub fn load(path: &Path) -> Result<Vec<Account>, FileError> {
    let text = files::read_private(path)?;
    let file: AccountsFile = files::parse_toml(&text, path)?;
    let malformed = |reason: String| FileError::Malformed(path.to_owned(), reason);
    let mut accounts = Vec::new();
    for entry in &file.account {
        let account: AccountId =
            entry.id.parse().map_err(|_| malformed(format!("{:?} is not an account id of 12 digits", entry.id)))?;
        for key in &entry.key {
            let credentials = Credentials::new(&key.access_key_id, &key.secret_access_key)
                .map_err(|weakness| malformed(format!("account {account}: {weakness}")))?;
            let mut given = root(account, &credentials);
            if let Some(user) = &key.user {
                if !is_user_name(user) {
                    return Err(malformed(format!("account {account}: {user:?} is not a user name")));
                }
                given.principal.arn = format!("arn:aws:iam::{account}:user/{user}");
                given.principal.user_id = user_id(account, user);
            }
            accounts.push(given);
        }
    }
    Ok(accounts)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountsFile {
    #[serde(default)]
    account: Vec<AccountEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountEntry {
    id: String,
    #[serde(default)]
    key: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    access_key_id: String,
    #[serde(deserialize_with = "files::secret")]
    secret_access_key: Zeroizing<String>,
    user: Option<String>,
}

/// IAM's rule (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html>).
fn is_user_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// A unique id of IAM's form (`AIDA` and 17 characters), the same at every start.
fn user_id(account: AccountId, user: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("{account}/{user}").as_bytes());
    format!("AIDA{}", &BASE32_NOPAD.encode(hash.as_ref())[..17])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn load_text(text: &str) -> Result<Vec<Account>, FileError> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("accounts.toml");
        files::write_new(&path, text.as_bytes()).unwrap();
        load(&path)
    }

    const GOOD: &str = r#"
        [[account]]
        id = "111122223333"

        [[account.key]]
        access_key_id = "0555b35654ad1656d804"
        secret_access_key = "h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q=="

        [[account.key]]
        access_key_id = "NOPQRSTUVWXYZABCDEFG"
        secret_access_key = "nopqrstuvwxyzabcdefghijklmnabcdefghijklm"
        user = "alt"
    "#;

    #[test]
    fn keys_are_of_the_root_user_unless_a_user_is_named() {
        let accounts = load_text(GOOD).unwrap();
        let arns: Vec<&str> = accounts.iter().map(|account| account.principal.arn.as_str()).collect();
        assert_eq!(arns, ["arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/alt"]);
        assert_eq!(accounts[0].principal.user_id, "111122223333");
        assert!(accounts[1].principal.user_id.starts_with("AIDA") && accounts[1].principal.user_id.len() == 21);
        assert_eq!(accounts[1].secret.expose(), b"nopqrstuvwxyzabcdefghijklmnabcdefghijklm");
    }

    #[test]
    fn whatever_is_wrong_is_an_error_without_the_secret() {
        for (from, to) in [
            ("id = \"111122223333\"", "id = \"1\""),
            ("user = \"alt\"", "user = \"a/b\""),
            ("user = \"alt\"", "usr = \"alt\""),
            ("NOPQRSTUVWXYZABCDEFG", "N/O"),
            ("[[account]]", "[[acount]]"),
            ("secret_access_key = \"nopq", "secret_access_key = nopq"),
        ] {
            assert!(GOOD.contains(from));
            let error = load_text(&GOOD.replace(from, to)).err().expect(to).to_string();
            assert!(!error.contains("nopqrs"), "{error}");
        }
    }
}
