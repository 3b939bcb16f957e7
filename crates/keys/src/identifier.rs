//! Key ids, ARNs and alias names: parsed once, at the edge.

use std::fmt;

use uuid::Uuid;

use crate::error::Error;
use crate::limits::MAX_ALIAS;
use crate::principal::{AccountId, Principal, Region};

/// A key's id: 16 bytes in rows and blobs. In ARNs it is a UUID of version 4 in `8-4-4-4-12` lower-case hexadecimal digits, and
/// of a multi-Region key `mrk-` and 32 digits. Which of the two it is, the bytes say: a multi-Region key's have UUID version 8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyId([u8; KeyId::LEN]);

impl KeyId {
    /// Bytes of a key id.
    pub const LEN: usize = 16;

    /// The key of SSE-S3. The nil UUID is nobody's random id, and lookups by clients never reach it.
    pub(crate) const SERVICE: Self = Self([0; Self::LEN]);

    /// A random id (UUID version 4, RFC 9562 section 5.4).
    pub(crate) fn generate() -> Self {
        Self(Uuid::new_v4().into_bytes())
    }

    /// A random id of a multi-Region key (UUID version 8, "custom", RFC 9562 section 5.8).
    pub(crate) fn generate_multi_region() -> Self {
        Self(uuid::Builder::from_custom_bytes(seal::random_bytes()).into_uuid().into_bytes())
    }

    /// Whether this is a multi-Region key's.
    pub(crate) fn is_multi_region(&self) -> bool {
        Uuid::from_bytes(self.0).get_version_num() == MULTI_REGION_VERSION
    }

    /// From the 16 bytes of a row key or blob header.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Parses the form that [`fmt::Display`] gives and no other.
    fn parse(text: &str) -> Option<Self> {
        let id = Self(Uuid::try_parse(text.strip_prefix(MULTI_REGION_PREFIX).unwrap_or(text)).ok()?.into_bytes());
        (id.to_string() == text).then_some(id)
    }
}

/// What the id of a multi-Region key begins with (KMS developer guide, "Multi-Region keys").
const MULTI_REGION_PREFIX: &str = "mrk-";
const MULTI_REGION_VERSION: usize = 8;

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uuid = Uuid::from_bytes(self.0);
        if self.is_multi_region() {
            write!(f, "{MULTI_REGION_PREFIX}{}", uuid.as_simple())
        } else {
            uuid.as_hyphenated().fmt(f)
        }
    }
}

/// A key's ARN: `arn:aws:kms:REGION:ACCOUNT:key/ID`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KeyArn {
    /// The Region.
    pub region: Region,
    /// The owner.
    pub account: AccountId,
    /// The key.
    pub key: KeyId,
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:aws:kms:{}:{}:key/{}", self.region, self.account, self.key)
    }
}

/// An alias name with its prefix: `alias/` and letters, digits, `/`, `_`, `-`; at most 256 characters in all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AliasName(String);

impl AliasName {
    const PREFIX: &'static str = "alias/";

    /// Parses a whole alias name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
        let name = text.strip_prefix(Self::PREFIX)?;
        let good = !name.is_empty() && text.len() <= MAX_ALIAS && name.bytes().all(plain);
        good.then(|| Self(text.to_owned()))
    }

    /// The name, `alias/` included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `arn:aws:kms:REGION:ACCOUNT:alias/NAME`.
    pub(crate) fn arn(&self, region: &Region, account: AccountId) -> String {
        format!("arn:aws:kms:{region}:{account}:{}", self.0)
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a `KeyId` parameter names, and in whose account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reference {
    pub(crate) account: AccountId,
    pub(crate) target: Target,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    Key(KeyId),
    Alias(AliasName),
}

impl Reference {
    /// Parses a key id, key ARN, alias name or alias ARN. A bare id or name is the caller's own account's.
    ///
    /// # Errors
    /// As AWS answers: `NotFoundException` for what cannot be an id and for another Region, `InvalidArnException` for an ARN of
    /// something else than a key.
    pub(crate) fn parse(text: &str, principal: &Principal, region: &Region) -> Result<Self, Error> {
        let (account, resource) = match text.strip_prefix("arn:") {
            Some(rest) => parse_arn(text, rest, region)?,
            None => (principal.account, text),
        };
        // In an ARN the id stands behind `key/`; alone it stands bare.
        let id = if text.starts_with("arn:") { resource.strip_prefix("key/") } else { Some(resource) };
        let target = if let Some(key) = id.and_then(KeyId::parse) {
            Target::Key(key)
        } else if let Some(alias) = AliasName::parse(resource) {
            Target::Alias(alias)
        } else {
            return Err(no_such_key(text, id, account, region));
        };
        Ok(Self { account, target })
    }

    /// Parses a key id or key ARN, for the operations that take no alias.
    pub(crate) fn parse_key(text: &str, principal: &Principal, region: &Region) -> Result<(AccountId, KeyId), Error> {
        match Self::parse(text, principal, region)? {
            Self { account, target: Target::Key(key) } => Ok((account, key)),
            Self { target: Target::Alias(_), .. } => {
                Err(Error::InvalidArn("Key Aliases are not supported for this operation.".to_owned()))
            }
        }
    }
}

/// AWS tells ids that could be a key's, in upper case or of another origin, from those that could not, and quotes the bare ones.
fn no_such_key(text: &str, id: Option<&str>, account: AccountId, region: &Region) -> Error {
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let uuid = |id: &str| id.len() == 36 && Uuid::try_parse(id).is_ok();
    let multi_region = |id: &str| id.strip_prefix("mrk-").is_some_and(|rest| rest.len() == 32 && hexadecimal(rest));
    Error::NotFound(match id {
        Some(id) if uuid(id) || multi_region(id) => {
            format!("Key 'arn:aws:kms:{region}:{account}:key/{id}' does not exist")
        }
        Some(id) if id.len() < text.len() => format!("Invalid keyId {id}"),
        _ => format!("Invalid keyId '{text}'"),
    })
}

/// `rest` is what follows `arn:`: `aws:kms:REGION:ACCOUNT:RESOURCE`.
fn parse_arn<'a>(text: &str, rest: &'a str, own: &Region) -> Result<(AccountId, &'a str), Error> {
    let invalid = || Error::InvalidArn(format!("Invalid arn {text}"));
    let mut parts = rest.splitn(5, ':');
    let mut next = || parts.next().ok_or_else(invalid);
    let (partition, service, region, account, resource) = (next()?, next()?, next()?, next()?, next()?);
    if partition != "aws" || service != "kms" || !(resource.starts_with("key/") || resource.starts_with("alias/")) {
        return Err(invalid());
    }
    if region != own.as_str() {
        return Err(Error::NotFound(format!("Invalid arn {region}")));
    }
    let account = AccountId::parse(account).map_err(|_| invalid())?;
    Ok((account, resource))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const ID: &str = "1234abcd-12ab-44cd-96ef-1234567890ab";

    fn caller() -> (Principal, Region) {
        let account = AccountId::parse("111122223333").unwrap();
        let principal = Principal::root(account, "AKIA");
        (principal, Region::parse("eu-west-1").unwrap())
    }

    fn parse(text: &str) -> Result<Reference, Error> {
        let (principal, region) = caller();
        Reference::parse(text, &principal, &region)
    }

    #[test]
    fn the_four_forms_of_a_key_identifier() {
        let key = parse(ID).unwrap();
        assert_eq!(parse(&format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}")).unwrap(), key);
        let alias = parse("alias/a/b_c-D").unwrap();
        assert_eq!(parse("arn:aws:kms:eu-west-1:111122223333:alias/a/b_c-D").unwrap(), alias);
        assert_eq!(parse("arn:aws:kms:eu-west-1:444455556666:alias/x").unwrap().account.as_str(), "444455556666");
    }

    #[test]
    fn what_is_no_identifier_is_answered_as_aws_does() {
        for (text, code) in [
            ("foo", "NotFoundException"),
            ("1234ABCD-12AB-44CD-96EF-1234567890AB", "NotFoundException"),
            ("1234abcd12ab44cd96ef1234567890ab", "NotFoundException"),
            ("alias/", "NotFoundException"),
            ("alias/a:b", "NotFoundException"),
            ("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-44cd-96ef-1234567890ab", "NotFoundException"),
            ("arn:aws:kms:eu-west-1:111122223333:key/foo", "NotFoundException"),
            ("arn:aws:kms:eu-west-1:1:key/1234abcd-12ab-44cd-96ef-1234567890ab", "InvalidArnException"),
            ("arn:aws:s3:::bucket", "InvalidArnException"),
            ("arn:aws:kms:eu-west-1:111122223333:1234abcd-12ab-44cd-96ef-1234567890ab", "InvalidArnException"),
            ("arn:", "InvalidArnException"),
        ] {
            assert_eq!(parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn the_id_of_a_multi_region_key_shows_what_it_is() {
        let id = KeyId::generate_multi_region();
        let text = id.to_string();
        assert!(text.starts_with("mrk-") && text.len() == 36, "{text}");
        assert_eq!(parse(&text).unwrap().target, Target::Key(id));
        assert!(parse(&text["mrk-".len()..]).is_err());
        assert!(parse(&format!("mrk-{}", ID.replace('-', ""))).is_err(), "no id that was ever given");
        assert!(!KeyId::generate().is_multi_region() && !KeyId::SERVICE.is_multi_region());
    }

    #[test]
    fn what_is_no_key_is_named_as_aws_names_it() {
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/";
        let missing = |id: &str| format!("Key '{arn}{id}' does not exist");
        let upper = ID.to_ascii_uppercase();
        let other = "mrk-1234567812341234123412345678901A";
        for (text, message) in [
            (upper.clone(), missing(&upper)),
            (format!("{arn}{upper}"), missing(&upper)),
            (other.to_owned(), missing(other)),
            ("foo".to_owned(), "Invalid keyId 'foo'".to_owned()),
            ("mrk-1234".to_owned(), "Invalid keyId 'mrk-1234'".to_owned()),
            (
                "12345678123412341234123456789012".to_owned(),
                "Invalid keyId '12345678123412341234123456789012'".to_owned(),
            ),
            (format!("{arn}foo"), "Invalid keyId foo".to_owned()),
            (format!("{}us-west-2:111122223333:key/{ID}", &arn[..12]), "Invalid arn us-west-2".to_owned()),
        ] {
            let error = parse(&text).unwrap_err();
            assert_eq!((error.code(), error.message()), ("NotFoundException", message.as_str()), "{text}");
        }
        let (principal, region) = caller();
        for alias in ["alias/x", "arn:aws:kms:eu-west-1:111122223333:alias/x"] {
            let error = Reference::parse_key(alias, &principal, &region).unwrap_err();
            assert_eq!(error.message(), "Key Aliases are not supported for this operation.");
        }
    }

    #[test]
    fn an_arn_prefix_does_not_hide_an_alias_in_a_key() {
        assert_eq!(parse("arn:aws:kms:eu-west-1:111122223333:key/alias/x").unwrap_err().code(), "NotFoundException");
    }
}
