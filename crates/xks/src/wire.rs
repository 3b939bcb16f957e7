//! The JSON of the API, both ways. Strict in what it says of lengths, encodings and required members; members that a later
//! version may add are passed over, as the specification wants it of proxies too.

use std::borrow::Cow;

use aws_lc_rs::digest;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Error, Fault};

/// Who asks: `requestMetadata`. The proxy may decide by it, and should log it.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asker<'a> {
    /// The ARN of the principal that called KMS. Not sent for a health check.
    #[serde(rename = "awsPrincipalArn", skip_serializing_if = "Option::is_none")]
    pub principal: Option<&'a str>,
    /// The ARN of the KMS key. Not sent for a health check or by CreateKey.
    #[serde(rename = "kmsKeyArn", skip_serializing_if = "Option::is_none")]
    pub key_arn: Option<&'a str>,
    /// The operation of KMS, such as `GenerateDataKey`.
    #[serde(rename = "kmsOperation")]
    pub operation: &'a str,
    /// The identifier of the request to KMS, by which the logs of both sides are laid side by side.
    #[serde(rename = "kmsRequestId")]
    pub request_id: &'a str,
    /// The service that called KMS for the principal, such as `s3`.
    #[serde(rename = "kmsViaService", skip_serializing_if = "Option::is_none")]
    pub via_service: Option<&'a str>,
}

/// What a proxy makes of a plaintext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// As long as the plaintext.
    pub ciphertext: Vec<u8>,
    /// What the proxy wants to see again, such as the external key's version: at most [`MAX_METADATA`] bytes.
    pub metadata: Option<Vec<u8>>,
    /// 12 or 16 bytes.
    pub iv: Vec<u8>,
    /// The authentication tag of AES-GCM.
    pub tag: [u8; 16],
}

/// Bytes of `ciphertextMetadata`.
pub const MAX_METADATA: usize = 20;

/// What a proxy says of an external key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// `AES_256`, or what a KMS key cannot be made of.
    pub spec: String,
    /// `ENCRYPT`, `DECRYPT` and others.
    pub usages: Vec<String>,
    /// Whether it may be used.
    pub enabled: bool,
}

impl Metadata {
    /// Whether a KMS key can be made of it: AES-256, enabled, for encryption and for decryption.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        let can = |usage: &str| self.usages.iter().any(|one| one == usage);
        self.spec == "AES_256" && self.enabled && can("ENCRYPT") && can("DECRYPT")
    }
}

/// How a proxy and what is behind it are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Proxies behind the endpoint.
    pub fleet_size: u64,
    /// Who made the proxy.
    pub proxy_vendor: String,
    /// Which proxy it is.
    pub proxy_model: String,
    /// Who made the key manager.
    pub manager_vendor: String,
    /// The key managers, one to ten.
    pub managers: Vec<Manager>,
}

/// One external key manager.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Manager {
    /// Its name.
    pub id: String,
    /// What it is.
    pub model: String,
    /// How it is.
    #[serde(rename = "healthStatus")]
    pub status: ManagerStatus,
}

/// How a key manager is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ManagerStatus {
    /// Well.
    Active,
    /// Not well, and still serving.
    Degraded,
    /// Not serving.
    Unavailable,
}

/// `health` and `metadata` have no more than this.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ask<'a> {
    pub(crate) request_metadata: Asker<'a>,
}

/// The only algorithms of the API's version 1.
const AES_GCM: &str = "AES_GCM";
const SHA_256: &str = "SHA_256";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EncryptRequest<'a> {
    request_metadata: Asker<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_authenticated_data: Option<String>,
    plaintext: &'a str,
    encryption_algorithm: &'static str,
    ciphertext_data_integrity_value_algorithm: &'static str,
}

/// The body of an encrypt request. An integrity value is always asked for: the caller of KMS throws its plaintext data key away
/// because of the answer.
pub(crate) fn encrypt(asker: Asker<'_>, aad: &[u8], plaintext: &[u8]) -> Zeroizing<Vec<u8>> {
    let plaintext = Zeroizing::new(BASE64.encode(plaintext));
    body(&EncryptRequest {
        request_metadata: asker,
        additional_authenticated_data: optional(aad),
        plaintext: &plaintext,
        encryption_algorithm: AES_GCM,
        ciphertext_data_integrity_value_algorithm: SHA_256,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DecryptRequest<'a> {
    request_metadata: Asker<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_authenticated_data: Option<String>,
    encryption_algorithm: &'static str,
    ciphertext: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext_metadata: Option<String>,
    initialization_vector: String,
    authentication_tag: String,
}

pub(crate) fn decrypt(asker: Asker<'_>, aad: &[u8], sealed: &Sealed) -> Zeroizing<Vec<u8>> {
    body(&DecryptRequest {
        request_metadata: asker,
        additional_authenticated_data: optional(aad),
        encryption_algorithm: AES_GCM,
        ciphertext: BASE64.encode(&sealed.ciphertext),
        ciphertext_metadata: sealed.metadata.as_ref().map(|metadata| BASE64.encode(metadata)),
        initialization_vector: BASE64.encode(&sealed.iv),
        authentication_tag: BASE64.encode(&sealed.tag),
    })
}

fn optional(aad: &[u8]) -> Option<String> {
    (!aad.is_empty()).then(|| BASE64.encode(aad))
}

/// More than the longest request: 4,300 and 8,192 bytes in base64, and three ARNs of at most 2,048 characters. A body that grows
/// would leave copies of the plaintext behind.
const BODY_ROOM: usize = 32 * 1024;

pub(crate) fn body(request: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::with_capacity(BODY_ROOM));
    serde_json::to_writer(&mut *body, request)
        .expect("texts and structures of texts serialize, and a Vec takes all bytes");
    body
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EncryptAnswer<'a> {
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
    #[serde(borrow)]
    ciphertext_metadata: Option<Cow<'a, str>>,
    #[serde(borrow)]
    initialization_vector: Cow<'a, str>,
    #[serde(borrow)]
    authentication_tag: Cow<'a, str>,
    #[serde(borrow)]
    ciphertext_data_integrity_value: Cow<'a, str>,
}

/// Reads the answer to [`encrypt`] of `length` bytes with `aad`.
pub(crate) fn encrypted(body: &[u8], aad: &[u8], length: usize) -> Result<Sealed, Error> {
    let answer: EncryptAnswer<'_> = json(body)?;
    let sealed = Sealed {
        ciphertext: base64("ciphertext", &answer.ciphertext)?,
        metadata: answer.ciphertext_metadata.map(|text| base64("ciphertextMetadata", &text)).transpose()?,
        iv: base64("initializationVector", &answer.initialization_vector)?,
        tag: base64("authenticationTag", &answer.authentication_tag)?
            .try_into()
            .map_err(|_| malformed("authenticationTag is not 16 bytes long"))?,
    };
    if sealed.ciphertext.len() != length {
        return Err(malformed("ciphertext is not as long as the plaintext"));
    }
    if !matches!(sealed.iv.len(), 12 | 16) {
        return Err(malformed("initializationVector is neither 12 nor 16 bytes long"));
    }
    if sealed.metadata.as_ref().is_some_and(|metadata| metadata.len() > MAX_METADATA) {
        return Err(malformed("ciphertextMetadata is longer than 20 bytes"));
    }
    let claimed = base64("ciphertextDataIntegrityValue", &answer.ciphertext_data_integrity_value)?;
    if claimed != integrity_value(aad, &sealed) {
        return Err(malformed("ciphertextDataIntegrityValue is not that of the answer"));
    }
    Ok(sealed)
}

/// SHA-256 of all that decryption will need (appendix C). Against accidents, not against malice.
fn integrity_value(aad: &[u8], sealed: &Sealed) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [aad, sealed.metadata.as_deref().unwrap_or_default(), &sealed.iv, &sealed.ciphertext, &sealed.tag] {
        hash.update(part);
    }
    hash.finish().as_ref().to_vec()
}

#[derive(Deserialize)]
struct DecryptAnswer<'a> {
    #[serde(borrow)]
    plaintext: Cow<'a, str>,
}

/// Reads the answer to [`decrypt`] of `length` bytes.
pub(crate) fn decrypted(body: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let answer: DecryptAnswer<'_> = json(body)?;
    let plaintext = Zeroizing::new(base64("plaintext", &answer.plaintext)?);
    // Borrowed from the body, which is wiped, unless the proxy wrote escapes.
    if let Cow::Owned(text) = answer.plaintext {
        drop(Zeroizing::new(text));
    }
    if plaintext.len() == length { Ok(plaintext) } else { Err(malformed("plaintext is not as long as the ciphertext")) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataAnswer {
    key_spec: String,
    key_usage: Vec<String>,
    key_status: KeyStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum KeyStatus {
    Enabled,
    Disabled,
}

/// Usages of an external key.
const MAX_USAGES: usize = 10;

pub(crate) fn metadata(body: &[u8]) -> Result<Metadata, Error> {
    let answer: MetadataAnswer = json(body)?;
    if answer.key_usage.len() > MAX_USAGES {
        return Err(malformed("more than ten values of keyUsage"));
    }
    let enabled = matches!(answer.key_status, KeyStatus::Enabled);
    Ok(Metadata { spec: answer.key_spec, usages: answer.key_usage, enabled })
}

#[derive(Deserialize)]
struct HealthAnswer {
    #[serde(rename = "xksProxyFleetSize")]
    fleet_size: u64,
    #[serde(rename = "xksProxyVendor")]
    proxy_vendor: String,
    #[serde(rename = "xksProxyModel")]
    proxy_model: String,
    #[serde(rename = "ekmVendor")]
    manager_vendor: String,
    #[serde(rename = "ekmFleetDetails")]
    managers: Vec<Manager>,
}

/// Key managers behind a proxy.
const MAX_MANAGERS: usize = 10;

pub(crate) fn health(body: &[u8]) -> Result<Health, Error> {
    let answer: HealthAnswer = json(body)?;
    if answer.fleet_size == 0 {
        return Err(malformed("xksProxyFleetSize is not greater than zero"));
    }
    if !(1..=MAX_MANAGERS).contains(&answer.managers.len()) {
        return Err(malformed("ekmFleetDetails has not one to ten entries"));
    }
    if answer.managers.iter().all(|manager| manager.status == ManagerStatus::Unavailable) {
        return Err(Error::new(Fault::ManagersUnavailable, "every healthStatus is UNAVAILABLE"));
    }
    let HealthAnswer { fleet_size, proxy_vendor, proxy_model, manager_vendor, managers } = answer;
    Ok(Health { fleet_size, proxy_vendor, proxy_model, manager_vendor, managers })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    error_name: String,
    error_message: Option<String>,
}

/// Characters of `errorMessage`, fewer than which the specification allows.
const MAX_MESSAGE: usize = 512;

/// What an answer of another status than 200 says.
pub(crate) fn refusal(status: u16, body: &[u8]) -> Error {
    let refusal: Refusal = match json(body) {
        Ok(refusal) if status >= 400 => refusal,
        _ => return malformed(&format!("status {status} without an errorName")),
    };
    let Some(fault) = Fault::named(&refusal.error_name) else {
        return malformed(&format!("status {status} with an unknown errorName"));
    };
    // The text goes to our log: only what the specification allows, so that nobody else writes lines there.
    let printable = |byte: u8| matches!(byte, b' '..=b'~');
    let said = refusal.error_message.filter(|text| text.len() < MAX_MESSAGE && text.bytes().all(printable));
    Error::new(fault, said.map_or_else(|| format!("status {status}"), |text| format!("status {status}: {text}")))
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Error> {
    // Of the error, the place alone: its text may quote the body, which may be a plaintext.
    serde_json::from_slice(body).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Data => "not the answer's shape",
            _ => "not JSON",
        };
        malformed(&format!("{kind}, at line {} column {}", error.line(), error.column()))
    })
}

fn base64(name: &str, text: &str) -> Result<Vec<u8>, Error> {
    BASE64.decode(text.as_bytes()).map_err(|_| malformed(&format!("{name} is not base64")))
}

fn malformed(detail: &str) -> Error {
    Error::new(Fault::Malformed, detail)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
