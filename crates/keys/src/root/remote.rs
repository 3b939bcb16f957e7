//! The root key in another KMS: AWS's, or whichever speaks its API. A domain key is its Encrypt's ciphertext, bound by the encryption
//! context; the KMS of the root key sees each domain key once, when it wraps and when it unwraps it, and nothing else ever.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use courier::{Client, Credentials, Endpoint, Limits, Trust};
use data_encoding::BASE64;
use seal::SecretKey;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{RootKey, RootKeyError, RootKeyIdentity, RootKeyKind};

/// How long the other KMS may take. It is asked when a store is opened, so nobody's request waits.
const TIME: Duration = Duration::from_secs(20);
/// Answers have a few hundred bytes.
const ANSWER: usize = 64 * 1024;
/// The name of the one pair of the encryption context.
const CONTEXT: &str = "strongroom:domain-key";

/// A root key in another KMS.
pub struct RemoteKms {
    client: Client,
    /// As the operator named it: id, ARN or alias.
    key: String,
    session_token: Option<Zeroizing<String>>,
    /// The key's ARN, once the KMS has told it.
    arn: OnceLock<String>,
}

/// Where a root key in another KMS is, and who asks for it.
pub struct RemoteKmsSettings {
    /// `https://HOST` or `https://HOST:PORT`.
    pub endpoint: String,
    /// Its id, ARN, alias name or alias ARN. It must be a symmetric encryption key.
    pub key: String,
    /// The Region of the signature.
    pub region: String,
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Zeroizing<String>,
    /// Of temporary credentials.
    pub session_token: Option<Zeroizing<String>>,
    /// Certificate authorities in PEM, to trust instead of the system's.
    pub authorities: Option<Vec<u8>>,
}

impl RemoteKms {
    /// Prepares the client. Nothing is sent.
    ///
    /// # Errors
    /// [`RootKeyError::Provider`] if the endpoint or the authorities are none.
    pub fn new(settings: RemoteKmsSettings) -> Result<Self, RootKeyError> {
        let failed = |error: &dyn std::fmt::Display| RootKeyError::Provider(error.to_string());
        let endpoint = Endpoint::parse(&settings.endpoint).map_err(|error| failed(&error))?;
        let trust = match &settings.authorities {
            Some(pem) => Trust::only(pem),
            None => Trust::system(),
        };
        let trust = trust.map_err(|error| failed(&error))?;
        let credentials = Credentials::new(&settings.access_key_id, settings.secret_access_key.as_bytes());
        let limits = Limits { time: TIME, answer: ANSWER };
        let client = Client::new(endpoint, &credentials, &settings.region, "kms", &trust, limits);
        Ok(Self { client, key: settings.key, session_token: settings.session_token, arn: OnceLock::new() })
    }

    async fn call(&self, operation: &str, body: Zeroizing<String>) -> Result<Zeroizing<Vec<u8>>, RootKeyError> {
        let target = format!("TrentService.{operation}");
        let mut headers = vec![("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)];
        if let Some(token) = &self.session_token {
            headers.push(("x-amz-security-token", token));
        }
        let body = Zeroizing::new(body.as_bytes().to_vec());
        let answer = self.client.post("/", &headers, body).await;
        let answer = answer.map_err(|error| RootKeyError::Provider(error.to_string()))?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        let fault: Fault<'_> = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = fault.code.rsplit('#').next().unwrap_or_default();
        Err(match code {
            "InvalidCiphertextException" | "IncorrectKeyException" => RootKeyError::WrongKey,
            "" => RootKeyError::Provider(format!("{operation} was answered with status {}", answer.status)),
            code => RootKeyError::Provider(format!("{operation} was answered {code}: {}", fault.message)),
        })
    }

    fn context(aad: &[u8]) -> serde_json::Value {
        serde_json::json!({ CONTEXT: BASE64.encode(aad) })
    }
}

#[derive(Deserialize, Default)]
struct Fault<'a> {
    #[serde(rename = "__type", borrow, default)]
    code: Cow<'a, str>,
    #[serde(alias = "Message", borrow, default)]
    message: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted<'a> {
    // Borrowed, so that no copy stays behind: base64 has nothing to unescape.
    plaintext: &'a str,
}

fn unreadable() -> RootKeyError {
    RootKeyError::Provider("the answer is not one of KMS".to_owned())
}

#[async_trait]
impl RootKey for RemoteKms {
    fn identity(&self) -> RootKeyIdentity {
        let name = self.arn.get().cloned().or_else(|| self.key.starts_with("arn:").then(|| self.key.clone()));
        // The ARN of an alias is not the key's.
        RootKeyIdentity { kind: RootKeyKind::Kms, name: name.filter(|name| !name.contains(":alias/")) }
    }

    async fn wrap(&self, aad: &[u8], domain_key: &SecretKey) -> Result<Vec<u8>, RootKeyError> {
        let rest = serde_json::json!({ "KeyId": self.key, "EncryptionContext": Self::context(aad) }).to_string();
        let body = with_secret("Plaintext", domain_key.expose(), &rest);
        let answer = self.call("Encrypt", body).await?;
        let encrypted: Encrypted = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
        let _ = self.arn.set(encrypted.key_id);
        BASE64.decode(encrypted.ciphertext_blob.as_bytes()).map_err(|_| unreadable())
    }

    async fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretKey, RootKeyError> {
        let body = serde_json::json!({
            "KeyId": self.key,
            "CiphertextBlob": BASE64.encode(wrapped),
            "EncryptionContext": Self::context(aad),
        });
        let answer = self.call("Decrypt", body.to_string().into()).await?;
        let decrypted: Decrypted<'_> = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
        let plaintext = BASE64.decode(decrypted.plaintext.as_bytes()).map(Zeroizing::new);
        SecretKey::from_slice(&plaintext.map_err(|_| unreadable())?).map_err(|_| unreadable())
    }
}

/// The JSON object `rest` with one more member, of base64, at its start. It is written into one buffer, which is wiped.
fn with_secret(member: &str, secret: &[u8], rest: &str) -> Zeroizing<String> {
    let encoded = Zeroizing::new(BASE64.encode(secret));
    let mut body = Zeroizing::new(String::with_capacity(member.len() + encoded.len() + rest.len() + 8));
    for piece in ["{\"", member, "\":\"", &encoded, "\",", &rest[1..]] {
        body.push_str(piece);
    }
    body
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn kms(key: &str) -> RemoteKms {
        RemoteKms::new(RemoteKmsSettings {
            endpoint: "http://127.0.0.1:9".to_owned(),
            key: key.to_owned(),
            region: "us-east-1".to_owned(),
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned().into(),
            session_token: None,
            authorities: None,
        })
        .unwrap()
    }

    #[test]
    fn the_request_is_json_whatever_is_in_it() {
        let body = with_secret("Plaintext", &[0xff; 32], &serde_json::json!({ "KeyId": "a\"b" }).to_string());
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(value, serde_json::json!({ "Plaintext": BASE64.encode(&[0xff; 32]), "KeyId": "a\"b" }));
        assert!(body.capacity() >= body.len() && !body.is_empty());
    }

    #[test]
    fn only_a_keys_own_arn_is_its_name() {
        let arn = "arn:aws:kms:us-east-1:111122223333:key/0d990263-018e-4e65-a703-eff731de951e";
        assert_eq!(kms(arn).identity().name.unwrap(), arn);
        for other in ["alias/a", "arn:aws:kms:us-east-1:111122223333:alias/a", "0d990263-018e-4e65-a703-eff731de951e"] {
            assert_eq!(kms(other).identity().name, None, "{other}");
        }
    }

    #[tokio::test]
    async fn a_kms_that_is_not_there_is_no_wrong_key() {
        let error = kms("alias/a").unwrap(b"aad", b"wrapped").await.err().unwrap();
        assert!(matches!(error, RootKeyError::Provider(_)), "{error}");
    }
}
