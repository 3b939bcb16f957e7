//! Whom a verified token speaks of, and for whom it was made.

use serde_json::{Map, Value};

use super::Rejected;
use super::jwt::Claims;

/// How far an issuer's clock may be ahead of ours, in seconds.
const SKEW: i64 = 300;

/// The longest subject and audience, in characters: `webIdentitySubjectType` of the STS model, `clientIDType` of IAM's.
const MAX_NAME: usize = 255;

/// Authentication methods that are kept of `amr`.
const MAX_METHODS: usize = 16;

const TAGS: &str = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// Somebody whom an identity provider vouches for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebIdentity {
    /// `sub`
    pub subject: String,
    /// For whom the token was made: `azp`, or else the client id of `aud` that the provider lists.
    pub audience: String,
    /// Condition keys with their values, in lower case: `HOST:aud`, `HOST:sub`, and `HOST:amr`, `HOST:oaud`, `HOST:email`.
    pub claims: Vec<(String, Vec<String>)>,
    /// Session tags that the provider passes.
    pub tags: Vec<(String, String)>,
    /// Which of them are inherited.
    pub transitive_tag_keys: Vec<String>,
    /// The source identity that the provider sets.
    pub source_identity: Option<String>,
}

/// Believes the claims of a token whose signature has verified, if it is meant for this account and its time is now.
///
/// `url` is the provider's without `https://`, `client_ids` those that the account lists, `now` seconds since 1970.
///
/// # Errors
/// [`Rejected`].
pub(crate) fn accept(claims: &Claims, url: &str, client_ids: &[String], now: i64) -> Result<WebIdentity, Rejected> {
    // OpenID Connect Core 1.0, section 3.1.3.7: issuer, audience, expiry.
    if claims.text("iss")?.strip_prefix("https://") != Some(url) {
        return Err(Rejected::Issuer(claims.text("iss")?.to_owned()));
    }
    let subject = name(claims.text("sub")?, "sub")?;
    let audience = audience(claims, client_ids)?;
    let expired = claims.time("exp")?.ok_or(Rejected::Missing("exp"))?;
    if now >= expired {
        return Err(Rejected::Expired { now, expired });
    }
    let issued = claims.time("iat")?.ok_or(Rejected::Missing("iat"))?;
    for from in [Some(issued), claims.time("nbf")?].into_iter().flatten() {
        if from > now.saturating_add(SKEW) {
            return Err(Rejected::NotYet { now, from });
        }
    }
    let (tags, transitive_tag_keys) = tags(claims)?;
    Ok(WebIdentity {
        claims: condition_keys(claims, url, &subject, &audience),
        source_identity: claims.optional(SOURCE_IDENTITY).map(str::to_owned),
        subject,
        audience,
        tags,
        transitive_tag_keys,
    })
}

fn name(text: &str, claim: &'static str) -> Result<String, Rejected> {
    let fits = (1..=MAX_NAME).contains(&text.chars().count());
    if fits { Ok(text.to_owned()) } else { Err(Rejected::Claim(claim)) }
}

/// IAM User Guide, "Available keys for AWS OIDC federation": if there is `azp`, it is what `aud` means.
fn audience(claims: &Claims, client_ids: &[String]) -> Result<String, Rejected> {
    let audiences = claims.texts("aud");
    if audiences.is_empty() {
        return Err(Rejected::Missing("aud"));
    }
    let candidates = match claims.value("azp") {
        Some(azp) => vec![azp.as_str().ok_or(Rejected::Claim("azp"))?],
        None => audiences,
    };
    let known = candidates.into_iter().find(|audience| client_ids.iter().any(|id| id == audience));
    known.map(str::to_owned).ok_or(Rejected::Audience)
}

fn condition_keys(claims: &Claims, url: &str, subject: &str, audience: &str) -> Vec<(String, Vec<String>)> {
    let key = |name: &str| format!("{}:{name}", url.to_lowercase());
    let mut keys = vec![(key("aud"), vec![audience.to_owned()]), (key("sub"), vec![subject.to_owned()])];
    let owned = |texts: Vec<&str>| texts.into_iter().take(MAX_METHODS).map(str::to_owned).collect::<Vec<_>>();
    let methods = owned(claims.texts("amr"));
    if !methods.is_empty() {
        keys.push((key("amr"), methods));
    }
    if claims.value("azp").is_some() {
        keys.push((key("oaud"), owned(claims.texts("aud"))));
    }
    if let Some(email) = claims.optional("email").filter(|email| email.len() <= MAX_NAME) {
        keys.push((key("email"), vec![email.to_owned()]));
    }
    keys
}

type Tags = (Vec<(String, String)>, Vec<String>);

/// Session tags (IAM User Guide, "Pass session tags using AssumeRoleWithWebIdentity"): nested, or flat as some providers must have
/// their claims.
fn tags(claims: &Claims) -> Result<Tags, Rejected> {
    let wrong = || Rejected::Claim(TAGS);
    let empty = Map::new();
    let nested = match claims.value(TAGS) {
        None => &empty,
        Some(value) => value.as_object().ok_or_else(wrong)?,
    };
    let mut tags = Vec::new();
    if let Some(principal) = nested.get("principal_tags") {
        for (key, value) in principal.as_object().ok_or_else(wrong)? {
            tags.push((key.clone(), one_text(value).ok_or_else(wrong)?));
        }
    }
    for (key, value) in claims.flat(&format!("{TAGS}/principal_tags/")) {
        tags.push((key.to_owned(), one_text(value).ok_or_else(wrong)?));
    }
    let mut transitive = Vec::new();
    for list in [nested.get("transitive_tag_keys"), claims.value(&format!("{TAGS}/transitive_tag_keys"))] {
        for key in list.map(|list| list.as_array().ok_or_else(wrong)).transpose()?.into_iter().flatten() {
            transitive.push(key.as_str().ok_or_else(wrong)?.to_owned());
        }
    }
    Ok((tags, transitive))
}

/// A text, or a list of just one.
fn one_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => match list.as_slice() {
            [Value::String(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}
