//! JSON Web Tokens (RFC 7519) as JSON Web Signatures in compact form (RFC 7515), read strictly.
//!
//! A token says nothing until its signature has verified: [`Unverified`] tells only who is said to have issued it and which key is
//! said to have signed it, which is what the key is looked for by.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::Rejected;
use super::key_set::{Algorithm, KeySet};

/// The longest token that is read, in characters: `clientTokenType` of the STS model.
pub(crate) const MAX_TOKEN: usize = 20_000;

/// A token of which nothing is believed yet.
#[derive(Debug)]
pub(crate) struct Unverified<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    /// What was signed: header and payload as they came.
    signed: &'a [u8],
    signature: Vec<u8>,
    claims: Claims,
}

/// The claims of a token. Private until the signature has verified.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Claims(BTreeMap<String, Value>);

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Rejected::NotAToken`], [`Rejected::Algorithm`], [`Rejected::Missing`] the issuer.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Rejected> {
        if text.len() > MAX_TOKEN {
            return Err(Rejected::NotAToken);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Rejected::NotAToken)?;
        let (header, payload) = signed.split_once('.').ok_or(Rejected::NotAToken)?;
        let Members(mut header) = decode(header)?;
        let Members(claims) = decode(payload)?;
        // An extension that must be understood, and none is (RFC 7515, section 4.1.11). A payload that is encrypted or not base64
        // announces itself here, too.
        if header.contains_key("crit") || header.contains_key("enc") {
            return Err(Rejected::NotAToken);
        }
        let algorithm = match header.remove("alg") {
            Some(Value::String(name)) => Algorithm::named(&name).ok_or(Rejected::Algorithm)?,
            _ => return Err(Rejected::Algorithm),
        };
        let key_id = match header.remove("kid") {
            Some(Value::String(id)) => Some(id),
            None => None,
            Some(_) => return Err(Rejected::NotAToken),
        };
        let signature = base64(signature)?;
        let claims = Claims(claims);
        claims.text("iss")?;
        Ok(Self { algorithm, key_id, signed: signed.as_bytes(), signature, claims })
    }

    /// Who is said to have issued it.
    pub(crate) fn issuer(&self) -> &str {
        self.claims.text("iss").unwrap_or_default()
    }

    /// Whether `keys` has the key that is said to have signed it.
    pub(crate) fn key_is_in(&self, keys: &KeySet) -> bool {
        keys.find(self.key_id.as_deref(), self.algorithm).is_some()
    }

    /// The claims, if one of the issuer's keys signed them: the one that the token names, of the type that its algorithm has.
    ///
    /// # Errors
    /// [`Rejected::Key`], [`Rejected::Signature`].
    pub(crate) fn verify(self, keys: &KeySet) -> Result<Claims, Rejected> {
        let key = keys.find(self.key_id.as_deref(), self.algorithm).ok_or(Rejected::Key)?;
        if !key.verifies(self.algorithm, self.signed, &self.signature) {
            return Err(Rejected::Signature);
        }
        Ok(self.claims)
    }
}

impl Claims {
    /// A claim that must be there, as text.
    ///
    /// # Errors
    /// [`Rejected::Missing`].
    pub(crate) fn text(&self, name: &'static str) -> Result<&str, Rejected> {
        match self.0.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            _ => Err(Rejected::Missing(name)),
        }
    }

    /// A claim that may be absent, as text.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is one text or several (RFC 7519, section 4.1.3). Empty if it is not there or anything else.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => {
                several.iter().map(Value::as_str).collect::<Option<Vec<_>>>().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// A claim that is a time, in seconds since 1970; fractions are cut off (RFC 7519, section 2, NumericDate).
    ///
    /// # Errors
    /// [`Rejected::Missing`] if it is anything else. `Ok(None)` if it is not there.
    pub(crate) fn time(&self, name: &'static str) -> Result<Option<i64>, Rejected> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let whole = value.as_i64();
        // Up to 2^53, so exact: the year 285 million.
        #[allow(clippy::cast_possible_truncation, reason = "the range is checked, and fractions shall be cut off")]
        let cut = || value.as_f64().filter(|number| number.abs() < 9e15).map(|number| number.floor() as i64);
        whole.or_else(cut).map(Some).ok_or(Rejected::Missing(name))
    }

    /// Claims whose names begin so, with the rest of their names.
    pub(crate) fn flat<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
    }

    /// A claim of any kind.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// A JSON object whose members are each there once. Two of one name would mean one thing to us and another to somebody else.
pub(super) struct Members(pub(super) BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Once)
    }
}

fn decode(text: &str) -> Result<Members, Rejected> {
    serde_json::from_slice(&base64(text)?).map_err(|_| Rejected::NotAToken)
}

/// Base64url without padding (RFC 7515, section 2); bits beyond the last byte must be zero, so that a text has one form.
fn base64(text: &str) -> Result<Vec<u8>, Rejected> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Rejected::NotAToken)
}
