//! The control socket: how `strongroom root-key` and its neighbours speak to the running server of a store. docs/formats/control-socket.md.
//!
//! A Unix socket in the data directory that its owner alone may use. One connection is one request and one answer, each a line of
//! JSON.

mod client;
mod server;

pub(crate) use client::ask;
pub(crate) use server::{Control, Served, rotate_root_key};

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event_log::Verification;
use crate::operator::{Access, AccountAnswer, AccountCommand, Letting};
use crate::root_key::Given;

/// What a server can be asked.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// What all keys lie under.
    Status,
    /// Another root key.
    RotateRootKey {
        /// As a setting names it, with absolute paths.
        to: String,
        #[serde(default)]
        given: Given,
    },
    /// A new domain key, and all material under it.
    RotateDomainKey,
    /// The audit log against its chain.
    VerifyAudit {
        /// `NUMBER:HASH`.
        #[serde(default)]
        expect: Option<String>,
    },
    /// Records of the audit log, a page of them.
    ExportAudit {
        /// The number of the first.
        from: u64,
        /// Milliseconds since 1970.
        #[serde(default)]
        start: Option<u64>,
        #[serde(default)]
        end: Option<u64>,
    },
    /// Something about accounts.
    Account(AccountCommand),
    /// Who may do something, a page of them.
    WhoCan {
        #[serde(flatten)]
        access: Access,
        /// How many of them are known already.
        #[serde(default)]
        from: usize,
    },
}

/// What it answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Status(Status),
    /// How many domain keys were wrapped anew.
    RotatedRootKey {
        domain_keys: usize,
    },
    /// The number of the new one.
    RotatedDomainKey {
        number: u32,
    },
    VerifiedAudit(Verification),
    /// Where to read on; none at the end.
    Audit {
        records: Vec<String>,
        next: Option<u64>,
    },
    Account(AccountAnswer),
    /// Whether there are more.
    WhoCan {
        letting: Vec<Letting>,
        more: bool,
    },
    Refused(String),
}

/// What all keys of a store lie under.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The root keys of the process that answered, in words; the first wraps.
    pub root_keys: Vec<String>,
    /// The domain keys.
    pub domain_keys: Vec<DomainKey>,
    /// Materials that are not under the domain key that seals.
    pub pending: u64,
}

/// A domain key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DomainKey {
    /// Its number.
    pub number: u32,
    /// When it was made, seconds since 1970.
    pub created: u64,
    /// How long ago, seconds.
    pub age: u64,
    /// What wraps it, in words.
    pub under: String,
    /// Whether it seals.
    pub seals: bool,
    /// How many materials are under it.
    pub materials: u64,
}

impl From<keys::Protection> for Status {
    fn from(found: keys::Protection) -> Status {
        let materials = |number: u32| {
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            found.materials.get(index).copied().unwrap_or(0)
        };
        let domain_keys = found.domain_keys.iter().map(|key| DomainKey {
            number: key.number,
            created: key.created.as_millis() / 1000,
            age: found.now.since(key.created).as_secs(),
            under: key.under.to_string(),
            seals: key.number == found.sealing,
            materials: materials(key.number),
        });
        Status {
            root_keys: found.root_keys.iter().map(ToString::to_string).collect(),
            domain_keys: domain_keys.collect(),
            pending: found.materials.iter().sum::<u64>() - materials(found.sealing),
        }
    }
}

/// The socket's name in the data directory.
const NAME: &str = "control";
/// A request has a few secrets of a few hundred bytes, an answer a line for each domain key.
const MAX_BYTES: usize = 1024 * 1024;

/// A path to the socket that is short enough: an address has room for 107 bytes (unix(7)), so Linux is shown the way through the open
/// folder.
struct Reach {
    path: PathBuf,
    _folder: Option<File>,
}

impl Reach {
    fn of(data_dir: &Path) -> io::Result<Reach> {
        let path = data_dir.join(NAME);
        if path.as_os_str().len() <= 107 {
            return Ok(Reach { path, _folder: None });
        }
        let folder = File::open(data_dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(NAME);
        Ok(Reach { path, _folder: Some(folder) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    #[cfg(target_os = "linux")]
    fn a_long_path_is_reached_too() {
        let folder = tempfile::TempDir::new().unwrap();
        let long = folder.path().join("a".repeat(120));
        std::fs::create_dir(&long).unwrap();
        let reach = Reach::of(&long).unwrap();
        let _listener = UnixListener::bind(&reach.path).unwrap();
        assert!(long.join(NAME).exists());
        let reach = Reach::of(&long).unwrap();
        UnixStream::connect(&reach.path).unwrap();
    }

    #[test]
    fn a_request_is_a_line_as_the_documents_have_it() {
        let request = r#"{"command": "rotate-root-key", "to": "passphrase-prompt", "given": {"passphrase": "p"}}"#;
        let Request::RotateRootKey { to, given } = serde_json::from_str(request).unwrap() else { panic!() };
        assert_eq!((to.as_str(), given.passphrase.unwrap().as_str()), ("passphrase-prompt", "p"));
        assert!(serde_json::from_str::<Request>(r#"{"command": "status"}"#).is_ok());
        assert!(serde_json::from_str::<Request>(r#"{"command": "rotate-domain-key"}"#).is_ok());
        let request = r#"{"command": "account", "do": "create", "name": "team", "id": "111122223333"}"#;
        let Request::Account(AccountCommand::Create { name, id }) = serde_json::from_str(request).unwrap() else {
            panic!()
        };
        assert_eq!((name.as_str(), id.as_deref()), ("team", Some("111122223333")));
        assert!(serde_json::from_str::<Request>(r#"{"command": "account", "do": "list"}"#).is_ok());
        let request = r#"{"command": "who-can", "action": "kms:Decrypt", "resource": "alias/a"}"#;
        assert!(serde_json::from_str::<Request>(request).is_ok());
        assert!(serde_json::from_str::<Request>(r#"{"command": "stop"}"#).is_err());
        let answer = serde_json::to_string(&Answer::RotatedRootKey { domain_keys: 3 }).unwrap();
        assert_eq!(answer, r#"{"rotated-root-key":{"domain_keys":3}}"#);
        assert_eq!(serde_json::to_string(&Answer::Refused("no".to_owned())).unwrap(), r#"{"refused":"no"}"#);
    }
}
