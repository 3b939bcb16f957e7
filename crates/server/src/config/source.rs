//! Where settings come from: a file, the environment, flags; what comes later wins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::ConfigError;
use super::setting::{CONFIG_VARIABLE, PREFIX, SETTINGS, Setting};

/// What the command line and the environment say.
#[derive(Default)]
pub struct Sources {
    /// The file that `--config` names.
    pub config: Option<PathBuf>,
    /// Values of flags, by the name of the setting.
    pub flags: Vec<(&'static str, String)>,
    /// The environment: ours and what it takes to find the user's folder.
    pub environment: Vec<(OsString, OsString)>,
}

impl Sources {
    /// A variable that is not ours; empty counts as unset (as for `XDG_CONFIG_HOME`: XDG Base Directory Specification).
    pub(super) fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// Where this user's configuration of ours is: `strongroom` in `$XDG_CONFIG_HOME`, else in `~/.config`.
    pub(super) fn user_dir(&self) -> Option<PathBuf> {
        let folder = match (self.variable("XDG_CONFIG_HOME"), self.variable("HOME")) {
            (Some(folder), _) if Path::new(folder).is_absolute() => Some(PathBuf::from(folder)),
            (_, Some(home)) => Some(Path::new(home).join(".config")),
            _ => None,
        };
        folder.map(|folder| folder.join("strongroom"))
    }

    /// All settings, and the file that some of them may be from.
    pub(super) fn values(&self) -> Result<(Values, Option<PathBuf>), ConfigError> {
        let environment = from_environment(&self.environment)?;
        let flags: Values = self
            .flags
            .iter()
            .map(|(name, text)| (*name, Value { text: Zeroizing::new(text.clone()), origin: Origin::Flag }))
            .collect();
        let (mut values, file) = self.file()?;
        values.extend(environment);
        values.extend(flags);
        Ok((values, file))
    }

    fn file(&self) -> Result<(Values, Option<PathBuf>), ConfigError> {
        if let Some(named) = self.config.clone().or_else(|| self.variable(CONFIG_VARIABLE).map(PathBuf::from)) {
            let text = fs::read_to_string(&named).map_err(|error| ConfigError::File(named.clone(), error))?;
            return Ok((parse(&text, &named)?, Some(named)));
        }
        let Some(path) = self.user_dir().map(|folder| folder.join(DEFAULT_FILE)) else {
            return Ok((Values::new(), None));
        };
        match fs::read_to_string(&path) {
            Ok(text) => Ok((parse(&text, &path)?, Some(path))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Ok((Values::new(), None))
            }
            Err(error) => Err(ConfigError::File(path, error)),
        }
    }
}

/// Settings that somebody gave.
pub(super) type Values = BTreeMap<&'static str, Value>;

/// What was given for a setting. Every value is text until it is parsed; several are separated by commas.
pub(super) struct Value {
    pub(super) text: Zeroizing<String>,
    pub(super) origin: Origin,
}

/// Who gave a value: errors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag,
    /// A variable.
    Environment,
    /// A file.
    File(PathBuf),
}

impl Origin {
    /// The setting as its giver calls it.
    pub(super) fn describe(&self, setting: &Setting) -> String {
        match self {
            Origin::Flag => format!("--{}", setting.flag.unwrap_or(setting.name)),
            Origin::Environment => setting.variable(),
            Origin::File(path) => format!("{} in {}", setting.name, path.display()),
        }
    }
}

fn from_environment(environment: &[(OsString, OsString)]) -> Result<Values, ConfigError> {
    let mut values = Values::new();
    for (name, text) in environment {
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || name == CONFIG_VARIABLE {
            continue;
        }
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.variable() == name)
            .ok_or_else(|| ConfigError::UnknownVariable(name.clone().into_owned()))?;
        let text = text.to_str().ok_or_else(|| ConfigError::NotText(name.into_owned()))?;
        let text = Zeroizing::new(text.to_owned());
        values.insert(setting.name, Value { text, origin: Origin::Environment });
    }
    Ok(values)
}

fn parse(text: &str, path: &Path) -> Result<Values, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error| ConfigError::Toml(path.to_owned(), Box::new(error)))?;
    let mut values = Values::new();
    for (name, value) in table {
        let unknown = || ConfigError::UnknownName(name.clone(), path.to_owned());
        let setting = Setting::named(&name).ok_or_else(unknown)?;
        if setting.flag.is_none() {
            return Err(ConfigError::VariableOnly(setting.variable(), path.to_owned()));
        }
        let text = text_of(&value).ok_or_else(|| ConfigError::NotSimple(name.clone(), path.to_owned()))?;
        values.insert(setting.name, Value { text: Zeroizing::new(text), origin: Origin::File(path.to_owned()) });
    }
    Ok(values)
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({:?})", self.origin)
    }
}

/// The file in the user's folder that is read when no other is named. Never one in the data directory: who can write there is not
/// trusted, and settings name accounts.
const DEFAULT_FILE: &str = "strongroom.toml";
