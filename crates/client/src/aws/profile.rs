//! The files `config` and `credentials` in `~/.aws`, as far as they say something of S3, KMS and who signs
//! ([AWS on them](https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html)).

use super::error::AwsError;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Longest file that is read, in bytes: those of thousands of profiles are shorter.
const FILE: u64 = 1 << 20;

/// What both files say, by profile and by section of services.
#[derive(Default)]
pub(super) struct Profiles {
    profiles: BTreeMap<String, Section>,
    services: BTreeMap<String, Section>,
}

/// Name to value; a value within a nested group has the name `group.name`.
type Section = BTreeMap<String, Zeroizing<String>>;

/// Which of the two files: they spell the names of profiles differently.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Config,
    Credentials,
}

impl Profiles {
    /// Reads both files: where `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` say, or in `~/.aws`. One that is not there is empty.
    pub(super) fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, AwsError> {
        let mut all = Profiles::default();
        for (kind, variable, name) in [
            (Kind::Config, "AWS_CONFIG_FILE", "config"),
            (Kind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ] {
            let path = env(variable)
                .map(|path| expanded(&path))
                .or_else(|| Some(std::env::home_dir()?.join(".aws").join(name)));
            if let Some(text) = path.as_deref().map(text).transpose()?.flatten() {
                all.parse(&text, kind);
            }
        }
        Ok(all)
    }

    pub(super) fn has(&self, profile: &str) -> bool {
        self.profiles.contains_key(profile)
    }

    /// What a profile says of something.
    pub(super) fn get(&self, profile: &str, name: &str) -> Option<&str> {
        Some(self.profiles.get(profile)?.get(name)?.as_str()).filter(|value| !value.is_empty())
    }

    /// What the section of services that a profile names says of one of them.
    pub(super) fn service(&self, profile: &str, service: &str, name: &str) -> Option<&str> {
        let section = self.services.get(self.get(profile, "services")?)?;
        Some(section.get(&format!("{service}.{name}"))?.as_str()).filter(|value| !value.is_empty())
    }

    /// Takes in a file. What is malformed is passed over, as AWS's clients do. Of a name that is there twice, the later value counts, and
    /// that of `credentials` before that of `config`.
    fn parse(&mut self, text: &str, kind: Kind) {
        let (mut section, mut group) = (None, None::<String>);
        for line in text.lines() {
            let (indented, trimmed) = (line.starts_with([' ', '\t']), line.trim());
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if let Some(title) = trimmed.strip_prefix('[').filter(|_| !indented) {
                let title = title.split_once(']').map_or("", |(title, _)| title);
                (section, group) = (self.section(title, kind), None);
                continue;
            }
            let (Some(section), Some((name, value))) = (&mut section, trimmed.split_once('=')) else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), Zeroizing::new(value.trim().to_owned()));
            match &group {
                Some(group) if indented => drop(section.insert(format!("{group}.{name}"), value)),
                _ => {
                    group = value.is_empty().then(|| name.clone());
                    section.insert(name, value);
                }
            }
        }
    }

    fn section(&mut self, title: &str, kind: Kind) -> Option<&mut Section> {
        let title = title.trim();
        let (word, name) = title.split_once(|character: char| character.is_whitespace()).unwrap_or(("", title));
        let name = name.trim().trim_matches('"').to_owned();
        match (kind, word) {
            (Kind::Credentials, _) => Some(self.profiles.entry(title.to_owned()).or_default()),
            (Kind::Config, "profile") => Some(self.profiles.entry(name).or_default()),
            (Kind::Config, "services") => Some(self.services.entry(name).or_default()),
            (Kind::Config, "") if name == "default" => Some(self.profiles.entry(name).or_default()),
            _ => None,
        }
    }
}

/// A path of the environment, whose `~/` is home.
fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn text(path: &Path) -> Result<Option<Zeroizing<String>>, AwsError> {
    let wrong = |why: &dyn std::fmt::Display| AwsError::Config(format!("{}: {why}", path.display()));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(wrong(&error)),
    };
    // Room for all of it at once: a buffer that grows leaves copies of secrets behind.
    let length = file.metadata().map_or(0, |metadata| metadata.len()).min(FILE);
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(length).unwrap_or(0) + 64));
    let read = file.take(FILE + 1).read_to_string(&mut text).map_err(|error| wrong(&error))?;
    if read as u64 > FILE { Err(wrong(&format_args!("longer than {FILE} bytes"))) } else { Ok(Some(text)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn anything_is_read_to_its_end(text in "([\\[\\]=#; \\n\\ta-zé\"]|profile |services ){0,80}") {
            let mut profiles = Profiles::default();
            profiles.parse(&text, Kind::Config);
            profiles.parse(&text, Kind::Credentials);
            profiles.parse("\n[default]\nregion = here\n", Kind::Config);
            prop_assert_eq!(profiles.get("default", "region"), Some("here"));
        }
    }

    fn parsed(config: &str, credentials: &str) -> Profiles {
        let mut profiles = Profiles::default();
        profiles.parse(config, Kind::Config);
        profiles.parse(credentials, Kind::Credentials);
        profiles
    }

    #[test]
    fn both_files_and_their_spellings() {
        let profiles = parsed(
            "# a comment\n[default]\nregion = eu-west-1\n\n[profile a b]\nREGION=x\n[profile  \"c\"]\nservices = mine\n\
             s3 =\n  addressing_style = path\n\tmore = 1\noutput = json\n[services mine]\ns3 = \n  endpoint_url = http://s3\n\
             kms =\n  endpoint_url = http://kms\n[sso-session default]\nregion = no\n[plain]\nregion = no\n",
            "[default]\naws_access_key_id = AKIA\naws_secret_access_key = a=b=\nregion = us-east-1\n[profile z]\na = b\n",
        );
        assert_eq!(profiles.get("default", "region"), Some("us-east-1"), "credentials go before config");
        assert_eq!(profiles.get("default", "aws_secret_access_key"), Some("a=b="));
        assert_eq!(profiles.get("a b", "region"), Some("x"));
        assert_eq!(profiles.get("c", "s3.addressing_style"), Some("path"));
        assert_eq!((profiles.get("c", "s3.more"), profiles.get("c", "output")), (Some("1"), Some("json")));
        assert_eq!(profiles.service("c", "s3", "endpoint_url"), Some("http://s3"));
        assert_eq!(profiles.service("c", "kms", "endpoint_url"), Some("http://kms"));
        assert_eq!(profiles.service("default", "kms", "endpoint_url"), None);
        assert!(!profiles.has("plain") && profiles.has("profile z") && !profiles.has("z"));
    }

    #[test]
    fn what_is_malformed_is_passed_over() {
        let profiles = parsed("a = b\n[\n[default\n x = y\n=\nnothing\n[default]\n  a = b\n]\nc==d\n", "\u{feff}");
        assert_eq!((profiles.get("default", "a"), profiles.get("default", "c")), (Some("b"), Some("=d")));
    }
}
