//! The key management service over HTTP.

use super::config::Config;
use super::endpoint::Endpoint;
use super::error::{AwsError, ServiceError, text};
use super::http::{Answer, Call, Http, Sent};
use super::region::Region;
use crate::kms::{DecryptedKey, EncryptedKey, GeneratedKey, KeyArn, KeyRequest, Kms, KmsError};
use crate::secret::DataKey;
use data_encoding::BASE64;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sigv4::Payload;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Longest answer, in bytes: a ciphertext of 6,144 bytes and a data key of 1,024, both in base64, are less than 10 KiB.
const ANSWER: usize = 64 << 10;

/// Longest data key that `GenerateDataKey` makes, in bytes.
const DATA_KEY: usize = 1_024;

/// [`Kms`] by the wire: of AWS, of Strongroom, or of whoever speaks AWS's JSON 1.1.
///
/// A key that is named by its ARN is asked for in the ARN's Region: at that Region's endpoint, or at the one that is configured. Any other
/// name is of the configured Region.
///
/// What a data key passes through here is wiped; what the TLS library keeps of it in its own buffers is beyond reach.
///
/// ```no_run
/// use client::aws::{Config, KmsClient};
/// use client::message::{Encryptor, KmsKeyring};
///
/// let kms = KmsClient::new(&Config::from_env()?)?;
/// let keyring = KmsKeyring::new(&kms, "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234")?;
/// let message = Encryptor::new(keyring).context([("purpose", "backup")]).encrypt(b"attack at dawn")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KmsClient {
    http: Http,
    region: Option<Region>,
    endpoint: Option<Endpoint>,
}

impl KmsClient {
    /// # Errors
    /// [`AwsError::Config`]: no credentials, certificate authorities that cannot be read; an endpoint beyond this machine that is not
    /// HTTPS, unless [`Config::kms_without_tls`] allows it.
    pub fn new(config: &Config) -> Result<Self, AwsError> {
        let endpoint = config.kms().cloned();
        let https = endpoint.as_ref().is_none_or(|endpoint| endpoint.https);
        if let Some(endpoint) = endpoint.as_ref().filter(|_| !https && !config.kms_without_tls)
            && !endpoint.is_loopback()
        {
            return Err(AwsError::Config(format!(
                "the KMS at http://{} would send data keys in clear: its endpoint has to be https:// (kms-without-tls allows it)",
                endpoint.authority
            )));
        }
        Ok(Self { http: Http::new(config, "kms", https)?, region: config.region.clone(), endpoint })
    }

    /// Asks, and gives the members of the answer as they stand in it.
    fn ask<T>(
        &self,
        operation: &'static str,
        key_id: &str,
        body: &[u8],
        take: impl Fn(&Members<'_>) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let region = self.region_of(key_id)?;
        let endpoint = self.endpoint.clone().unwrap_or_else(|| Endpoint::of("kms", &region));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        let target = format!("TrentService.{operation}");
        headers.insert(HeaderName::from_static("x-amz-target"), super::http::header(&target)?);
        let call = Call {
            operation,
            method: Method::POST,
            endpoint,
            region: &region,
            path: "/".into(),
            query: String::new(),
            headers,
        };
        self.http.retried(|| {
            let mut answer = self.http.send(&call, Sent::Bytes(body, Payload::of(body)))?;
            let bytes = answer.bytes(ANSWER)?;
            if !answer.status.is_success() {
                return Err(refusal(&answer, &bytes).into());
            }
            let members = serde_json::from_slice(&bytes).map_err(|_| AwsError::answer(operation, "not JSON"))?;
            take(&Members { operation, members })
        })
    }

    fn region_of(&self, key_id: &str) -> Result<Region, AwsError> {
        if let Ok(arn) = key_id.parse::<KeyArn>() {
            let region: Region = arn.region().parse()?;
            // With AWS's own hosts it names one, and may come out of a message that a stranger wrote.
            if self.endpoint.is_some() || region.is_plausible() || self.region.as_ref() == Some(&region) {
                return Ok(region);
            }
            return Err(AwsError::Config(format!("{key_id:?} is in no Region of AWS")));
        }
        self.region.clone().ok_or_else(|| {
            AwsError::Config(format!(
                "no Region: set AWS_REGION, or name the key by its ARN instead of {key_id:?}, which does not tell where it is"
            ))
        })
    }
}

impl Kms for KmsClient {
    fn generate_data_key(&self, key: &KeyRequest<'_>, bytes: usize) -> Result<GeneratedKey, KmsError> {
        let body = request(key, "NumberOfBytes", json!(bytes));
        Ok(self.ask("GenerateDataKey", key.key_id, body.as_bytes(), |answer| {
            let plaintext = answer.secret("Plaintext")?;
            if plaintext.len() != bytes {
                let why = format!("a data key of {} bytes, where {bytes} were asked for", plaintext.len());
                return Err(AwsError::answer(answer.operation, why));
            }
            Ok(GeneratedKey { plaintext, ciphertext: answer.bytes("CiphertextBlob")?, key_arn: answer.key_id()? })
        })?)
    }

    fn encrypt(&self, key: &KeyRequest<'_>, plaintext: &DataKey) -> Result<EncryptedKey, KmsError> {
        // The secret is put behind all else, into room that is there: so no copy of it is left behind.
        let open = request(key, "Plaintext", json!(""));
        let (before, after) = open.split_at(open.len() - 2);
        let length = BASE64.encode_len(plaintext.len());
        let mut body = Zeroizing::new(vec![0; open.len() + length]);
        body[..before.len()].copy_from_slice(before.as_bytes());
        BASE64.encode_mut(plaintext.as_bytes(), &mut body[before.len()..before.len() + length]);
        body[before.len() + length..].copy_from_slice(after.as_bytes());
        Ok(self.ask("Encrypt", key.key_id, &body, |answer| {
            Ok(EncryptedKey { ciphertext: answer.bytes("CiphertextBlob")?, key_arn: answer.key_id()? })
        })?)
    }

    fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError> {
        let body = request(key, "CiphertextBlob", json!(BASE64.encode(ciphertext)));
        Ok(self.ask("Decrypt", key.key_id, body.as_bytes(), |answer| {
            Ok(DecryptedKey { plaintext: answer.secret("Plaintext")?, key_arn: answer.key_id()? })
        })?)
    }
}

/// What all three operations are told, and one member more: the last, since its name is.
fn request(key: &KeyRequest<'_>, member: &str, value: Value) -> String {
    let mut head = json!({ "KeyId": key.key_id });
    if !key.context.is_empty() {
        head["EncryptionContext"] = key.context.iter().collect();
    }
    if !key.grant_tokens.is_empty() {
        head["GrantTokens"] = json!(key.grant_tokens);
    }
    let head = head.to_string();
    format!("{},{}:{value}}}", &head[..head.len() - 1], json!(member))
}

/// The members of an answer, as they stand in it: secrets are not copied before they are decoded.
struct Members<'a> {
    operation: &'static str,
    members: BTreeMap<&'a str, &'a RawValue>,
}

impl Members<'_> {
    fn text(&self, name: &str) -> Result<&str, AwsError> {
        let quoted = self.members.get(name).map_or("", |value| value.get());
        let text = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        // Neither base64 nor an ARN has anything to escape.
        text.filter(|text| !text.contains('\\')).ok_or_else(|| self.wrong(name))
    }

    fn wrong(&self, name: &str) -> AwsError {
        AwsError::answer(self.operation, format!("{name} is missing or malformed"))
    }

    fn key_id(&self) -> Result<String, AwsError> {
        Ok(self.text("KeyId")?.to_owned())
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, AwsError> {
        BASE64.decode(self.text(name)?.as_bytes()).map_err(|_| self.wrong(name))
    }

    fn secret(&self, name: &str) -> Result<DataKey, AwsError> {
        let text = self.text(name)?.as_bytes();
        let length = BASE64.decode_len(text.len()).map_err(|_| self.wrong(name))?;
        let mut bytes = Zeroizing::new(vec![0; length]);
        let length = BASE64.decode_mut(text, &mut bytes).map_err(|_| self.wrong(name))?;
        if length == 0 || length > DATA_KEY {
            return Err(AwsError::answer(self.operation, format!("a data key of {length} bytes")));
        }
        bytes.truncate(length);
        Ok(DataKey::from_bytes(bytes))
    }
}

/// An error of the JSON services: the code in `__type`, behind a `#` as some have it, or in a header.
fn refusal(answer: &Answer, body: &[u8]) -> ServiceError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let member = |names: [&str; 2]| names.iter().find_map(|name| body[name].as_str());
    let code = member(["__type", "code"]).or_else(|| answer.header("x-amzn-errortype")).unwrap_or("UnknownError");
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    ServiceError {
        operation: answer.operation,
        code: text(code),
        message: text(member(["message", "Message"]).unwrap_or_default()),
        status: answer.status.as_u16(),
        request_id: answer.header("x-amzn-requestid").map(text),
        region: None,
    }
}
