//! How an operator names a root key: docs/configuration.md, "Root keys".

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use keys::{RootKeyKind, TokenSelector};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::uri::{attributes, take_selector, text_of};

/// Where a root key is. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `file:PATH`.
    File(PathBuf),
    /// `passphrase:PATH`, `passphrase-env:NAME`, `passphrase-prompt`.
    Passphrase(Passphrase),
    /// `pkcs11:...`, a URI of RFC 7512.
    Pkcs11(Token),
    /// `kms:https://HOST/KEY`.
    Kms(Kms),
}

/// Where a passphrase is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passphrase {
    /// The first line of a file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
    /// The operator's head.
    Prompt,
}

/// A key in a PKCS#11 token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// `module-path`.
    pub module: PathBuf,
    /// `token`, `serial` or `slot-id`.
    pub token: TokenSelector,
    /// `id`, 16 bytes.
    pub id: [u8; 16],
    /// `object`: the label of a key that is to be made.
    pub label: String,
    /// `pin-source`: a file.
    pub pin: PathBuf,
}

/// A key of another KMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kms {
    /// `https://HOST:PORT`.
    pub endpoint: String,
    /// Its id, ARN or alias.
    pub key: String,
    /// `region`, else the ARN's.
    pub region: String,
    /// `credentials`: a file with an access key. Without it, the environment has one.
    pub credentials: Option<PathBuf>,
    /// `ca`: a PEM file of authorities to trust instead of the system's.
    pub authorities: Option<PathBuf>,
}

impl Source {
    /// A list of them, as a setting has it: separated by commas, of which a path may have some too.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn list(text: &str) -> Result<Vec<Source>, String> {
        let mut items: Vec<String> = Vec::new();
        for piece in text.split(',') {
            let begins = SCHEMES.iter().any(|scheme| piece.trim_start().starts_with(scheme));
            match items.last_mut() {
                Some(last) if !begins => {
                    last.push(',');
                    last.push_str(piece);
                }
                _ => items.push(piece.to_owned()),
            }
        }
        items.iter().map(|item| item.trim().parse()).collect()
    }

    /// The sort of provider.
    #[must_use]
    pub fn kind(&self) -> RootKeyKind {
        match self {
            Source::File(_) => RootKeyKind::KeyFile,
            Source::Passphrase(_) => RootKeyKind::Passphrase,
            Source::Pkcs11(_) => RootKeyKind::Pkcs11,
            Source::Kms(_) => RootKeyKind::Kms,
        }
    }

    /// The files that lead to the root key, none of which may lie with the data.
    #[must_use]
    pub fn secrets(&self) -> Vec<&Path> {
        match self {
            Source::File(path) | Source::Passphrase(Passphrase::File(path)) => vec![path],
            Source::Passphrase(_) => vec![],
            Source::Pkcs11(token) => vec![&token.pin],
            Source::Kms(kms) => {
                [&kms.credentials, &kms.authorities].into_iter().flatten().map(PathBuf::as_path).collect()
            }
        }
    }

    /// The same with absolute paths, for another process.
    ///
    /// # Errors
    /// The working directory is gone.
    pub fn absolute(mut self) -> std::io::Result<Source> {
        let paths: Vec<&mut PathBuf> = match &mut self {
            Source::File(path) | Source::Passphrase(Passphrase::File(path)) => vec![path],
            Source::Passphrase(_) => vec![],
            Source::Pkcs11(token) => vec![&mut token.pin, &mut token.module],
            Source::Kms(kms) => [&mut kms.credentials, &mut kms.authorities].into_iter().flatten().collect(),
        };
        for path in paths {
            *path = std::path::absolute(&*path)?;
        }
        Ok(self)
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Source, String> {
        let unknown = || format!("{text:?} is none of {FORMS}");
        if text == PROMPT {
            return Ok(Source::Passphrase(Passphrase::Prompt));
        }
        let (scheme, rest) = text.split_once(':').ok_or_else(unknown)?;
        let wrong = |reason: String| format!("{text:?}: {reason}");
        match scheme {
            "file" => Ok(Source::File(path(rest).map_err(wrong)?)),
            "passphrase" => Ok(Source::Passphrase(Passphrase::File(path(rest).map_err(wrong)?))),
            "passphrase-env" if !rest.is_empty() && !rest.starts_with(crate::config::setting::PREFIX) => {
                Ok(Source::Passphrase(Passphrase::Variable(rest.to_owned())))
            }
            "passphrase-env" => {
                Err(wrong("it takes the name of a variable that does not begin with STRONGROOM_".to_owned()))
            }
            "pkcs11" => Token::parse(rest).map(Source::Pkcs11).map_err(wrong),
            "kms" => Kms::parse(rest).map(Source::Kms).map_err(wrong),
            _ => Err(unknown()),
        }
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("an empty path".to_owned()) } else { Ok(PathBuf::from(text)) }
}

impl Token {
    /// RFC 7512, 2.3. What could be meant in two ways, or would put a PIN on a command line, is refused.
    fn parse(text: &str) -> Result<Token, String> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut token, mut id, mut label, mut module, mut pin) = (None, DEFAULT_ID, None, None, None);
        for attribute in attributes(path, ';') {
            let (name, value) = attribute?;
            match name {
                "id" => id = value.try_into().map_err(|_| "id must have 16 bytes".to_owned())?,
                "object" => label = Some(text_of(name, value)?),
                "type" if value == b"secret-key" => {}
                _ => take_selector(&mut token, name, value)?,
            }
        }
        for attribute in attributes(query, '&') {
            let (name, value) = attribute?;
            let value = text_of(name, value)?;
            match name {
                "module-path" => module = Some(PathBuf::from(value)),
                "pin-source" => pin = Some(PathBuf::from(value.strip_prefix("file:").unwrap_or(&value))),
                "pin-value" => return Err("a PIN belongs into a file: pin-source=PATH".to_owned()),
                _ => return Err(format!("the attribute {name} is not supported")),
            }
        }
        Ok(Token {
            module: module.ok_or("it needs module-path=PATH")?,
            token: token.ok_or("it needs token=LABEL, serial=NUMBER or slot-id=NUMBER")?,
            id,
            label: label.unwrap_or_else(|| DEFAULT_LABEL.to_owned()),
            pin: pin.ok_or("it needs pin-source=PATH, a file with the PIN")?,
        })
    }
}

impl Kms {
    fn parse(text: &str) -> Result<Kms, String> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = address.split_once("://").ok_or("it is not of the form kms:https://HOST/KEY")?;
        let (host, key) = rest.split_once('/').ok_or("the key is missing: kms:https://HOST/KEY")?;
        if host.is_empty() || key.is_empty() {
            return Err("host or key is missing: kms:https://HOST/KEY".to_owned());
        }
        let (mut region, mut credentials, mut authorities) = (None, None, None);
        for attribute in attributes(query, '&') {
            let (name, value) = attribute?;
            let value = text_of(name, value)?;
            match name {
                "region" => region = Some(value),
                "credentials" => credentials = Some(path(&value)?),
                "ca" => authorities = Some(path(&value)?),
                _ => return Err(format!("there is no {name}; there are region, credentials and ca")),
            }
        }
        let key = percent_decode_str(key).decode_utf8().map_err(|_| "the key is not UTF-8")?.into_owned();
        let of_arn = || key.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)).map(str::to_owned);
        let region = region.or_else(of_arn).filter(|region| !region.is_empty());
        let region = region.ok_or("the key is no ARN, so it needs ?region=REGION")?;
        Ok(Kms { endpoint: format!("{scheme}://{host}"), key, region, credentials, authorities })
    }
}

/// As it would be written into a configuration file.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(f, "file:{}", path.display()),
            Source::Passphrase(Passphrase::File(path)) => write!(f, "passphrase:{}", path.display()),
            Source::Passphrase(Passphrase::Variable(name)) => write!(f, "passphrase-env:{name}"),
            Source::Passphrase(Passphrase::Prompt) => f.write_str(PROMPT),
            Source::Pkcs11(Token { module, token, id, label, pin }) => {
                let encode = |text: &str| utf8_percent_encode(text, KEPT).to_string();
                let token = match token {
                    TokenSelector::Label(label) => format!("token={}", encode(label)),
                    TokenSelector::Serial(serial) => format!("serial={}", encode(serial)),
                    TokenSelector::Slot(slot) => format!("slot-id={slot}"),
                };
                let id = percent_encoding::percent_encode(id, KEPT);
                write!(f, "pkcs11:{token};id={id}")?;
                if label != DEFAULT_LABEL {
                    write!(f, ";object={}", encode(label))?;
                }
                let (module, pin) = (encode(&module.to_string_lossy()), encode(&pin.to_string_lossy()));
                write!(f, "?module-path={module}&pin-source={pin}")
            }
            Source::Kms(Kms { endpoint, key, region, credentials, authorities }) => {
                let encode = |text: &str| utf8_percent_encode(text, KEPT).to_string();
                write!(f, "kms:{endpoint}/{}?region={}", encode(key), encode(region))?;
                for (name, path) in [("credentials", credentials), ("ca", authorities)] {
                    if let Some(path) = path {
                        write!(f, "&{name}={}", encode(&path.to_string_lossy()))?;
                    }
                }
                Ok(())
            }
        }
    }
}

const PROMPT: &str = "passphrase-prompt";
const SCHEMES: [&str; 6] = ["file:", "passphrase:", "passphrase-env:", PROMPT, "pkcs11:", "kms:"];
/// What a setting may look like.
const FORMS: &str =
    "file:PATH, passphrase:PATH, passphrase-env:NAME, passphrase-prompt, pkcs11:URI and kms:https://HOST/KEY";
/// The id of a root key whose id nobody chose.
const DEFAULT_ID: [u8; 16] = *b"strongroom-rk-01";
const DEFAULT_LABEL: &str = "strongroom root key";
/// Characters that mean nothing in any of the forms.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':');

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/0d990263-018e-4e65-a703-eff731de951e";

    #[test]
    fn what_is_shown_is_what_was_said() {
        for text in [
            "file:/etc/strongroom/root.key".to_owned(),
            "passphrase:/run/secrets/pass".to_owned(),
            "passphrase-env:ROOT_PASSPHRASE".to_owned(),
            "passphrase-prompt".to_owned(),
            "pkcs11:token=vault;id=strongroom-rk-02?module-path=/usr/lib/p11.so&pin-source=/etc/pin".to_owned(),
            "pkcs11:slot-id=7;id=%00%01%02%03%04%05%06%07%08%09%0A%0B%0C%0D%0E%FF?module-path=/p11.so&pin-source=/pin"
                .to_owned(),
            format!("kms:https://kms.eu-west-1.amazonaws.com/{ARN}?region=eu-west-1&credentials=/etc/kms.toml"),
        ] {
            let source: Source = text.parse().unwrap();
            assert_eq!(source.to_string(), text);
            assert_eq!(source.to_string().parse::<Source>().unwrap(), source);
        }
    }

    #[test]
    fn a_token_has_defaults_and_a_region_is_in_the_arn() {
        let text = "pkcs11:serial=a%2Cb;object=my%20key;type=secret-key?pin-source=file:/pin&module-path=/p11.so";
        let Source::Pkcs11(token) = text.parse().unwrap() else { panic!() };
        assert_eq!((token.token, token.label.as_str()), (TokenSelector::Serial("a,b".to_owned()), "my key"));
        assert_eq!((&token.id, token.pin.as_path()), (b"strongroom-rk-01", Path::new("/pin")));
        let Source::Kms(kms) = format!("kms:https://h:9443/{ARN}").parse().unwrap() else { panic!() };
        assert_eq!(
            (kms.endpoint.as_str(), kms.key.as_str(), kms.region.as_str()),
            ("https://h:9443", ARN, "eu-west-1")
        );
        let Source::Kms(kms) = "kms:https://h/alias/a/b?region=eu-west-2".parse().unwrap() else { panic!() };
        assert_eq!((kms.key.as_str(), kms.region.as_str()), ("alias/a/b", "eu-west-2"));
    }

    #[test]
    fn a_list_is_separated_by_commas_that_are_in_no_path() {
        let list = Source::list("file:/a,b, passphrase:/c,kms:https://h/k?region=r,passphrase-prompt").unwrap();
        let shown: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["file:/a,b", "passphrase:/c", "kms:https://h/k?region=r", "passphrase-prompt"]);
    }

    #[test]
    fn whatever_is_unclear_is_refused() {
        for text in [
            "",
            "/root.key",
            "file:",
            "passphrase:",
            "passphrase-env:",
            "passphrase-env:STRONGROOM_X",
            "pkcs11:",
            "pkcs11:token=a?module-path=/m",
            "pkcs11:token=a?pin-source=/p",
            "pkcs11:token=a;serial=b?module-path=/m&pin-source=/p",
            "pkcs11:token=a;id=short?module-path=/m&pin-source=/p",
            "pkcs11:token=a;manufacturer=m?module-path=/m&pin-source=/p",
            "pkcs11:token=a?module-path=/m&pin-value=1234",
            "kms:https://h",
            "kms:https://h/",
            "kms:https:///k?region=r",
            "kms:https://h/alias/a",
            "kms:https://h/k?region=r&profile=p",
            "vault:x",
        ] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_path_with_secrets_is_overlooked() {
        for (text, paths) in [
            ("file:/a", vec!["/a"]),
            ("passphrase:/a", vec!["/a"]),
            ("pkcs11:token=a?module-path=/m&pin-source=/p", vec!["/p"]),
            ("kms:https://h/k?region=r&credentials=/c&ca=/d", vec!["/c", "/d"]),
        ] {
            assert_eq!(text.parse::<Source>().unwrap().secrets(), paths.iter().map(Path::new).collect::<Vec<_>>());
        }
    }
}
