use std::borrow::Cow;

use http::header::{AUTHORIZATION, DATE};

use crate::credential::{self, Fault, Place};
use crate::encode::hex32;
use crate::{ALGORITHM, Dialect, Error, RequestHead, Timestamp, presigned};

/// How a request says who signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The `Authorization` header.
    Header,
    /// The query parameters of a presigned URL, which live for so many seconds.
    Presigned {
        /// `X-Amz-Expires`, 1..=[`crate::MAX_EXPIRES`].
        lifetime: u32,
    },
}

/// A credential scope: `<date>/<region>/<service>/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope<'a> {
    /// `YYYYMMDD`.
    pub date: Cow<'a, str>,
    /// The region, as named by the client.
    pub region: Cow<'a, str>,
    /// The service, as named by the client: `s3`, `kms`, `sts`, `iam`...
    pub service: Cow<'a, str>,
}

/// What a request says of its signature. Well formed, and not yet believed.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    pub(crate) mechanism: Mechanism,
    pub(crate) access_key_id: Cow<'a, str>,
    pub(crate) scope: Scope<'a>,
    pub(crate) signed_headers: Cow<'a, str>,
    pub(crate) signature: [u8; 32],
    pub(crate) time: Timestamp,
    pub(crate) dialect: Dialect,
    pub(crate) session_token: Option<Cow<'a, str>>,
}

impl Claim<'_> {
    /// The token of a temporary credential, `X-Amz-Security-Token`. The signature covers it.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// Whose secret is needed.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// What the signing key was made for.
    #[must_use]
    pub fn scope(&self) -> &Scope<'_> {
        &self.scope
    }

    /// Header or presigned query.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Whose rules apply: S3's if the scope names `s3`.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// When the client says that it signed.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }
}

/// Reads what `head` claims. `None`: it claims nothing, the request is anonymous.
///
/// `hint` says whose errors to speak where the scope cannot be read.
///
/// # Errors
/// Whatever keeps the claim from being understood; see [`Error`].
pub fn parse<'a>(head: &RequestHead<'a>, hint: Dialect) -> Result<Option<Claim<'a>>, Error> {
    let in_query = presigned::mentions_signature(head.query)?;
    let mut values = head.headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return if in_query { presigned::parse(head, hint).map(Some) } else { Ok(None) };
    };
    if in_query {
        return Err(Error::SeveralMechanisms);
    }
    if values.next().is_some() {
        return Err(Error::UnsupportedAuthorization);
    }
    let value = value.to_str().map_err(|_| Error::UnsupportedAuthorization)?;
    let (kind, parts) = value.split_once(' ').unwrap_or((value, ""));
    match kind {
        ALGORITHM => header(head, parts, hint).map(Some),
        // Signature Version 2, and 4A.
        "AWS" | "AWS4-ECDSA-P256-SHA256" => Err(Error::UnsupportedMechanism),
        _ => Err(Error::UnsupportedAuthorization),
    }
}

/// `Credential=..., SignedHeaders=..., Signature=...`, in any order.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html>
fn header<'a>(head: &RequestHead<'a>, text: &'a str, hint: Dialect) -> Result<Claim<'a>, Error> {
    let parts = Parts::parse(text, hint)?;
    let place = Place { dialect: hint, presigned: false };
    let (access_key_id, scope) = credential::parse(parts.credential.into(), place)?;
    let dialect = Dialect::of(&scope.service);
    let place = Place { dialect, ..place };

    let malformed = |name: &str| match dialect {
        Dialect::S3 => Error::AuthorizationHeaderMalformed {
            reason: format!("the authorization component \"{name}\" is malformed."),
            region: None,
        },
        Dialect::Service => {
            Error::IncompleteSignature(format!("Authorization header has a malformed '{name}' parameter."))
        }
    };
    if !is_header_list(parts.signed_headers) {
        return Err(malformed("SignedHeaders"));
    }
    let signature = hex32(parts.signature.as_bytes()).ok_or_else(|| malformed("Signature"))?;
    let time = time(head).ok_or(Error::MissingDate)?;
    check_date(&scope, time, place)?;
    Ok(Claim {
        mechanism: Mechanism::Header,
        access_key_id,
        scope,
        signed_headers: parts.signed_headers.into(),
        signature,
        time,
        dialect,
        session_token: token_header(head)?.map(Cow::Borrowed),
    })
}

/// The header that carries the token of a temporary credential. That it is signed, `check_signed_headers` sees to.
pub(crate) fn token_header<'a>(head: &RequestHead<'a>) -> Result<Option<&'a str>, Error> {
    let mut values = head.headers.get_all("x-amz-security-token").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Error::InvalidToken),
        (Some(_), Some(_)) => Err(Error::InvalidToken),
    }
}

struct Parts<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn parse(text: &'a str, hint: Dialect) -> Result<Parts<'a>, Error> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let slot = match part.split_once('=') {
                Some(("Credential", value)) => credential.replace(value),
                Some(("SignedHeaders", value)) => signed_headers.replace(value),
                Some(("Signature", value)) => signature.replace(value),
                _ => Some(part),
            };
            // An unknown part, or one that is there twice.
            if slot.is_some() {
                let reason = format!("the authorization component \"{part}\" is malformed.");
                return Err(match hint {
                    Dialect::S3 => Error::AuthorizationHeaderMalformed { reason, region: None },
                    Dialect::Service => Error::IncompleteSignature(format!(
                        "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header."
                    )),
                });
            }
        }
        if let (Some(credential), Some(signed_headers), Some(signature)) = (credential, signed_headers, signature) {
            return Ok(Parts { credential, signed_headers, signature });
        }
        Err(missing([("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)], hint))
    }
}

fn missing(parts: [(&str, Option<&str>); 3], hint: Dialect) -> Error {
    let names = parts.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name);
    match hint {
        Dialect::S3 => {
            let mut names: Vec<_> = names.collect();
            let reason = if names.len() == 3 {
                "the authorization header requires three components: Credential, SignedHeaders, and Signature."
                    .to_owned()
            } else {
                format!("missing {}.", names.remove(0))
            };
            Error::AuthorizationHeaderMalformed { reason, region: None }
        }
        Dialect::Service => {
            let sentences: Vec<_> =
                names.map(|name| format!("Authorization header requires '{name}' parameter.")).collect();
            Error::IncompleteSignature(sentences.join(" "))
        }
    }
}

/// The time of a request signed by header: `x-amz-date`, or else `Date`.
fn time(head: &RequestHead<'_>) -> Option<Timestamp> {
    match head.headers.get("x-amz-date") {
        Some(value) => Timestamp::parse_http(value.to_str().ok()?),
        None => Timestamp::parse_http(head.headers.get(DATE)?.to_str().ok()?),
    }
}

/// The date of the scope must be that of the time.
pub(crate) fn check_date(scope: &Scope<'_>, time: Timestamp, place: Place) -> Result<(), Error> {
    if scope.date.as_bytes() == &time.text()[..8] {
        return Ok(());
    }
    Err(place.error(Fault::DateMismatch { scope: &scope.date, time }))
}

/// Header names in lower case, sorted, each once, joined by `;`, as the specification has them. That they are strictly sorted also
/// bounds the canonical request by the size of the request.
pub(crate) fn is_header_list(text: &str) -> bool {
    let well_formed = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'+'))
    };
    text.split(';').all(well_formed) && text.split(';').is_sorted_by(|one, next| one < next)
}
