//! The operator's file of more accounts: who may sign besides the root user. docs/configuration.md describes it.

use std::collections::HashSet;
use std::path::Path;

use identity::{Identity, StaticKey};
use keys::AccountId;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::error::Error;
use crate::files::{self, FileError};

/// An access key that the file gives, and whose it is.
pub struct Entry {
    /// The account.
    pub account: AccountId,
    /// The user; none: the root user.
    pub user: Option<String>,
    /// ARNs of the managed policies of a user that is made for it.
    pub policies: Vec<String>,
    /// The access key.
    pub credentials: Credentials,
}

/// Reads the file.
///
/// # Errors
/// [`FileError`]: what about the file is wrong. No error holds a secret.
pub fn load(path: &Path) -> Result<Vec<Entry>, FileError> {
    let text = files::read_private(path)?;
    let file: AccountsFile = files::parse_toml(&text, path)?;
    let malformed = |reason: String| FileError::Malformed(path.to_owned(), reason);
    let mut entries = Vec::new();
    for entry in file.account {
        let account: AccountId =
            entry.id.parse().map_err(|_| malformed(format!("{:?} is not an account id of 12 digits", entry.id)))?;
        for key in entry.key {
            let credentials = Credentials::new(&key.access_key_id, &key.secret_access_key)
                .map_err(|weakness| malformed(format!("account {account}: {weakness}")))?;
            match &key.user {
                Some(user) if !is_user_name(user) => {
                    return Err(malformed(format!("account {account}: {user:?} is not a user name")));
                }
                None if !key.policies.is_empty() => {
                    let reason = "the root user needs no policies, and has none";
                    return Err(malformed(format!("account {account}: {reason}")));
                }
                _ => entries.push(Entry { account, user: key.user, policies: key.policies, credentials }),
            }
        }
    }
    Ok(entries)
}

/// Lets the root user of the home account sign with `root`, and the others with theirs.
///
/// # Errors
/// An access key that is given twice, a policy that does not exist, a failing store.
pub(crate) async fn provision(identity: &Identity, root: &Credentials, entries: Vec<Entry>) -> Result<(), Error> {
    let mut seen = HashSet::from([root.access_key_id().to_owned()]);
    identity.provision(identity.home(), None, &[], vec![static_key(root)]).await?;
    for entry in entries {
        let id = entry.credentials.access_key_id();
        if !seen.insert(id.to_owned()) {
            return Err(Error::DuplicateAccessKey(id.to_owned()));
        }
        let keys = vec![static_key(&entry.credentials)];
        identity.provision(entry.account, entry.user.as_deref(), &entry.policies, keys).await?;
    }
    Ok(())
}

fn static_key(credentials: &Credentials) -> StaticKey {
    let secret = Zeroizing::new(credentials.secret().expose().to_vec());
    StaticKey { access_key_id: credentials.access_key_id().to_owned(), secret }
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
    #[serde(default)]
    policies: Vec<String>,
}

/// IAM's rule (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html>).
fn is_user_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn load_text(text: &str) -> Result<Vec<Entry>, FileError> {
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
        policies = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    "#;

    #[test]
    fn keys_are_of_the_root_user_unless_a_user_is_named() {
        let entries = load_text(GOOD).unwrap();
        assert_eq!(entries[0].user, None);
        assert_eq!(entries[1].user.as_deref(), Some("alt"));
        assert_eq!(entries[1].policies, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
        assert_eq!(entries[1].credentials.secret().expose(), b"nopqrstuvwxyzabcdefghijklmnabcdefghijklm");
    }

    #[test]
    fn whatever_is_wrong_is_an_error_without_the_secret() {
        for (from, to) in [
            ("id = \"111122223333\"", "id = \"1\""),
            ("user = \"alt\"", "user = \"a/b\""),
            ("user = \"alt\"", "usr = \"alt\""),
            ("user = \"alt\"", ""),
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
