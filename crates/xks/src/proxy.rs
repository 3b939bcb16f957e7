use std::time::Duration;

use courier::{Client, Credentials, Endpoint, InvalidEndpoint, Limits, Trust};
use zeroize::Zeroizing;

use crate::wire::{self, Ask, Asker, Health, Metadata, Sealed};
use crate::{Error, Fault, KeyId, UriPath};

/// The service that stands in the credential scope of every signature.
pub const SERVICE: &str = "kms-xks-proxy";

/// From the first packet of a name lookup to the last byte of the answer. AWS KMS has the same, and does not ask twice either.
pub const TIME_LIMIT: Duration = Duration::from_millis(250);

/// Bytes of an answer's body. The longest by the specification, a ciphertext of 4,300 bytes, has 6 KiB; health reports have texts of
/// no stated length.
pub const MAX_ANSWER: usize = 64 * 1024;

/// Bytes of plaintext that every proxy must take.
pub const MAX_PLAINTEXT: usize = 4300;

/// Bytes of additional authenticated data that every proxy must take.
pub const MAX_AAD: usize = 8192;

/// How a proxy is reached.
#[derive(Debug)]
pub struct Configuration<'a> {
    /// `https://HOST`, as the key store's owner gave it.
    pub endpoint: &'a str,
    /// Where the operator says that this host is, as an endpoint; if not where the DNS says.
    pub route: Option<&'a str>,
    /// The base path.
    pub path: &'a UriPath,
    /// Who signs.
    pub credentials: &'a Credentials,
    /// The Region that the key store is in.
    pub region: &'a str,
}

/// One external key store's proxy. Keeps connections; made once per key store.
#[derive(Debug)]
pub struct Proxy {
    client: Client,
    path: UriPath,
}

impl Proxy {
    /// A proxy; nothing is sent yet.
    ///
    /// # Errors
    /// [`InvalidEndpoint`].
    pub fn new(configuration: &Configuration<'_>, trust: &Trust) -> Result<Proxy, InvalidEndpoint> {
        let Configuration { endpoint, route, path, credentials, region } = *configuration;
        let endpoint = Endpoint::parse(endpoint)?;
        let endpoint = match route {
            Some(route) => endpoint.through(route)?,
            None => endpoint,
        };
        let limits = Limits { time: TIME_LIMIT, answer: MAX_ANSWER };
        let client = Client::new(endpoint, credentials, region, SERVICE, trust, limits);
        Ok(Proxy { client, path: path.clone() })
    }

    /// Whether the proxy and the key manager behind it are there (`GetHealthStatus`).
    ///
    /// # Errors
    /// [`Error`]; [`Fault::ManagersUnavailable`] if the proxy is there and nobody behind it.
    pub async fn health(&self, asker: Asker<'_>) -> Result<Health, Error> {
        wire::health(&self.ask("health", wire::body(&Ask { request_metadata: asker })).await?)
    }

    /// What an external key is (`GetKeyMetadata`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn metadata(&self, key: &KeyId, asker: Asker<'_>) -> Result<Metadata, Error> {
        let body = wire::body(&Ask { request_metadata: asker });
        wire::metadata(&self.ask(&format!("keys/{key}/metadata"), body).await?)
    }

    /// Encrypts `plaintext`, at most [`MAX_PLAINTEXT`] bytes, so that it decrypts with the same `aad` alone, at most [`MAX_AAD`].
    ///
    /// # Errors
    /// [`Error`]; [`Fault::UnsupportedOperation`] without asking if a length is above what proxies must take.
    pub async fn encrypt(&self, key: &KeyId, asker: Asker<'_>, aad: &[u8], plaintext: &[u8]) -> Result<Sealed, Error> {
        check_lengths(aad, plaintext.len())?;
        let body = wire::encrypt(asker, aad, plaintext);
        wire::encrypted(&self.ask(&format!("keys/{key}/encrypt"), body).await?, aad, plaintext.len())
    }

    /// Decrypts what [`Proxy::encrypt`] gave.
    ///
    /// # Errors
    /// [`Error`]; [`Fault::InvalidCiphertext`] if the key, the `aad` or a byte is not that of the encryption.
    pub async fn decrypt(
        &self,
        key: &KeyId,
        asker: Asker<'_>,
        aad: &[u8],
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        check_lengths(aad, sealed.ciphertext.len())?;
        let body = wire::decrypt(asker, aad, sealed);
        wire::decrypted(&self.ask(&format!("keys/{key}/decrypt"), body).await?, sealed.ciphertext.len())
    }

    async fn ask(&self, what: &str, body: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let path = format!("{}/{what}", self.path.as_str());
        let answer = self.client.post(&path, &[("content-type", "application/json")], body).await?;
        if answer.status == 200 { Ok(answer.body) } else { Err(wire::refusal(answer.status, &answer.body)) }
    }
}

fn check_lengths(aad: &[u8], text: usize) -> Result<(), Error> {
    if aad.len() <= MAX_AAD && text <= MAX_PLAINTEXT {
        return Ok(());
    }
    let detail = format!("{} bytes of additional data, {text} bytes of text: more than every proxy takes", aad.len());
    Err(Error::new(Fault::UnsupportedOperation, detail))
}
