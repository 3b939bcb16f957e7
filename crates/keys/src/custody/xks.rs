//! Keys in an external key store: our material inside, the external key of a key manager outside, reached through its XKS proxy.
//!
//! ```text
//! inner = envelope(M_{k,j}, label KmsInner, fields, aad = canonical(encryption context), plaintext) = header ‖ text
//! outer = Encrypt(external key, text; aad = header ‖ SHA-256(canonical(encryption context)))      asked of the proxy
//! blob  = header ‖ outer
//! ```
//!
//! docs/formats/external-ciphertext.md has the bytes. Nothing is opened without the proxy, and nothing by the proxy alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use courier::{Credentials, Endpoint, Trust};
use seal::EncryptionContext;
use seal::envelope::{Envelope, Label, overhead, parse_header};
use xks::{Configuration, Fault, MAX_METADATA, Proxy, Sealed, UriPath};
use zeroize::Zeroizing;

use crate::access::{Asker, Via};
use crate::cipher::invalid_ciphertext;
use crate::codec::{Decoder, Encoder};
use crate::error::Error;
use crate::request;

/// How the proxies of external key stores are reached: what the operator says of all of them.
#[derive(Clone, Debug, Default)]
pub struct XksNetwork {
    certificates: Option<Vec<u8>>,
    /// Host names, in lower case, and the endpoints where they are.
    routes: BTreeMap<String, String>,
}

impl XksNetwork {
    /// `certificates`, PEM, are certificate authorities to trust besides the system's. A route says where a host is, as an endpoint
    /// (`https://10.0.0.5:8443`, or `http://127.0.0.1:9000` for a proxy on this machine), if not where the DNS says.
    ///
    /// # Errors
    /// What is wrong with them, for the operator.
    pub fn new(
        certificates: Option<Vec<u8>>,
        routes: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let mut known = BTreeMap::new();
        for (host, route) in routes {
            let named = Endpoint::parse(&format!("https://{host}")).map_err(|error| error.to_string())?;
            named.clone().through(&route).map_err(|error| error.to_string())?;
            known.insert(named.host().to_owned(), route);
        }
        if let Some(pem) = &certificates {
            Trust::only(pem).map_err(|error| error.to_string())?;
        }
        Ok(Self { certificates, routes: known })
    }
}

/// This process's connections to proxies.
pub(crate) struct Proxies {
    network: XksNetwork,
    trust: OnceLock<Trust>,
    /// By key store.
    live: Mutex<HashMap<String, (ProxySettings, Arc<Proxy>)>>,
}

impl Proxies {
    pub(crate) fn new(network: XksNetwork) -> Self {
        Self { network, trust: OnceLock::new(), live: Mutex::default() }
    }

    /// The proxy of a key store, with the connections that it has already.
    pub(crate) fn proxy(&self, store: &str, region: &str, settings: &ProxySettings) -> Result<Arc<Proxy>, xks::Error> {
        if let Some((known, proxy)) = self.live().get(store)
            && known == settings
        {
            return Ok(Arc::clone(proxy));
        }
        let proxy = Arc::new(self.connect(region, settings)?);
        self.live().insert(store.to_owned(), (settings.clone(), Arc::clone(&proxy)));
        Ok(proxy)
    }

    /// A proxy by settings that no key store has yet.
    pub(crate) fn connect(&self, region: &str, settings: &ProxySettings) -> Result<Proxy, xks::Error> {
        let unusable = |fault, error: &dyn std::fmt::Display| xks::Error::new(fault, error.to_string());
        let path = UriPath::parse(&settings.path).map_err(|error| unusable(Fault::InvalidUriPath, &error))?;
        let endpoint = Endpoint::parse(&settings.endpoint).map_err(|error| unusable(Fault::Unreachable, &error))?;
        let configuration = Configuration {
            endpoint: &settings.endpoint,
            route: self.network.routes.get(endpoint.host()).map(String::as_str),
            path: &path,
            credentials: &Credentials::new(&settings.access_key_id, settings.secret.as_bytes()),
            region,
        };
        Proxy::new(&configuration, self.trust()?).map_err(|error| unusable(Fault::Unreachable, &error))
    }

    /// Closes this process's connections to a key store's proxy.
    pub(crate) fn forget(&self, store: &str) {
        self.live().remove(store);
    }

    /// Closes the connections of all key stores but these.
    pub(crate) fn keep(&self, stores: &[String]) {
        self.live().retain(|store, _| stores.contains(store));
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, (ProxySettings, Arc<Proxy>)>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Read when first needed: most servers have no external key store, and need no certificate authorities.
    fn trust(&self) -> Result<&Trust, xks::Error> {
        if let Some(trust) = self.trust.get() {
            return Ok(trust);
        }
        let trust = match &self.network.certificates {
            Some(pem) => Trust::system_and(pem),
            None => Trust::system(),
        };
        let trust = trust.map_err(|error| xks::Error::new(Fault::Tls, error.to_string()))?;
        Ok(self.trust.get_or_init(|| trust))
    }
}

/// What a key store's record has of its proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ProxySettings {
    /// `XksProxyUriEndpoint`.
    pub(crate) endpoint: String,
    /// `XksProxyUriPath`.
    pub(crate) path: String,
    /// `AccessKeyId` of the proxy's credential.
    pub(crate) access_key_id: String,
    /// `RawSecretAccessKey`.
    pub(crate) secret: Zeroizing<String>,
}

impl ProxySettings {
    pub(crate) fn encode(&self, out: &mut Encoder) {
        [&self.endpoint, &self.path, &self.access_key_id, &*self.secret].into_iter().for_each(|text| out.text(text));
    }

    pub(crate) fn decode(fields: &mut Decoder<'_>) -> Option<Self> {
        Some(Self {
            endpoint: fields.text()?,
            path: fields.text()?,
            access_key_id: fields.text()?,
            secret: Zeroizing::new(fields.text()?),
        })
    }

    /// What no two stores of an account may share: endpoint and path together.
    pub(crate) fn place(&self) -> String {
        format!("{}{}", self.endpoint.to_ascii_lowercase(), self.path)
    }
}

/// A KMS key's external key, ready to be asked for.
pub(crate) struct External {
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) key: xks::KeyId,
    /// The KMS key's ARN.
    pub(crate) arn: String,
}

/// Bytes of the envelope's header, with `fields` bytes of fields.
const fn header_len(fields: usize) -> usize {
    overhead(fields) - TAG
}

/// The tag of AES-GCM, in both layers.
const TAG: usize = 16;

impl External {
    /// Seals in both layers.
    ///
    /// # Errors
    /// [`Error::KmsInvalidState`] with AWS's text for whatever keeps the proxy from it.
    pub(crate) async fn seal(
        &self,
        asker: Asker<'_>,
        inner: &Envelope,
        fields: &[u8],
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let canonical = context.canonical();
        let inner = inner.seal(Label::KmsInner, fields, &canonical, plaintext);
        let (header, text) = inner.split_at(header_len(fields.len()));
        let id = request::id();
        let aad = outer_aad(header, context);
        let sealed = self.proxy.encrypt(&self.key, self.asker(asker, &id), &aad, text).await;
        let sealed = sealed.map_err(|error| self.failed(&error, &id))?;
        Ok(write_outer(header, &sealed))
    }

    /// Opens both layers of a blob whose header has `fields` bytes of fields.
    ///
    /// # Errors
    /// [`Error::InvalidCiphertext`] if it is no such blob; [`Error::KmsInvalidState`] as [`External::seal`], and if the proxy gave
    /// something that is not our layer, or the context is another.
    pub(crate) async fn open(
        &self,
        asker: Asker<'_>,
        inner: &Envelope,
        fields: usize,
        context: &EncryptionContext,
        blob: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        if parse_header(blob).map_err(|_| invalid_ciphertext())?.label != Label::KmsInner {
            return Err(invalid_ciphertext());
        }
        let (header, outer) = blob.split_at_checked(header_len(fields)).ok_or_else(invalid_ciphertext)?;
        let sealed = read_outer(outer).ok_or_else(invalid_ciphertext)?;
        let canonical = context.canonical();
        let id = request::id();
        let aad = outer_aad(header, context);
        let text = self.proxy.decrypt(&self.key, self.asker(asker, &id), &aad, &sealed).await;
        let text = text.map_err(|error| self.failed(&error, &id))?;
        let whole = [header, &text].concat();
        inner.open(Label::KmsInner, &canonical, &whole).map_err(|_| {
            tracing::warn!(key = self.arn, request = id, "what the XKS proxy decrypted is not what it was given");
            Error::KmsInvalidState(NOT_OUR_LAYER.to_owned())
        })
    }

    fn asker<'a>(&'a self, asker: Asker<'a>, request_id: &'a str) -> xks::Asker<'a> {
        xks::Asker { key_arn: Some(&self.arn), ..for_proxy(asker, request_id) }
    }

    fn failed(&self, error: &xks::Error, request_id: &str) -> Error {
        tracing::warn!(key = self.arn, request = request_id, %error, "an XKS proxy did not do what it was asked");
        Error::KmsInvalidState(error.fault().message().to_owned())
    }
}

/// The specification's text for an outer layer that opened to something else.
const NOT_OUR_LAYER: &str = "The ciphertext that the external key store proxy submitted for decryption, or the encryption \
                             context, is corrupted, missing, or otherwise invalid.";

/// The specification's text for a key whose store is not connected.
pub(super) const NOT_CONNECTED: &str = "This KMS key is in a custom key store that is not connected to its external key store \
                                        proxy. Connect the external key store and try the request again.";

/// What a proxy is told of a request, without the key.
pub(crate) fn for_proxy<'a>(asker: Asker<'a>, request_id: &'a str) -> xks::Asker<'a> {
    xks::Asker {
        // Of what the server does for itself, such as a scrub, the specification has this to say.
        principal: Some(asker.principal.map_or("AWS Internal", |principal| &principal.arn)),
        key_arn: None,
        operation: asker.action.operation(),
        request_id,
        via_service: match asker.via {
            Via::Kms => None,
            Via::S3 => Some("s3"),
        },
    }
}

/// What a proxy is told when the key store itself is checked.
pub(crate) fn for_health<'a>(operation: &'a str, request_id: &'a str) -> xks::Asker<'a> {
    xks::Asker { principal: None, key_arn: None, operation, request_id, via_service: None }
}

fn outer_aad(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    [header, context.digest().as_slice()].concat()
}

/// `header ‖ m ‖ metadata ‖ v ‖ iv ‖ tag ‖ ciphertext`.
fn write_outer(header: &[u8], sealed: &Sealed) -> Vec<u8> {
    let Sealed { ciphertext, metadata, iv, tag } = sealed;
    let metadata = metadata.as_deref().unwrap_or_default();
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("the client lets 20 bytes through at most");
    let mut blob = Vec::with_capacity(header.len() + 2 + metadata.len() + iv.len() + TAG + ciphertext.len());
    blob.extend_from_slice(header);
    blob.push(length(metadata));
    blob.extend_from_slice(metadata);
    blob.push(length(iv));
    blob.extend_from_slice(iv);
    blob.extend_from_slice(tag);
    blob.extend_from_slice(ciphertext);
    blob
}

fn read_outer(outer: &[u8]) -> Option<Sealed> {
    let (&m, rest) = outer.split_first()?;
    let (metadata, rest) = rest.split_at_checked(m.into())?;
    let (&v, rest) = rest.split_first()?;
    let (iv, rest) = rest.split_at_checked(v.into())?;
    let (tag, ciphertext) = rest.split_first_chunk()?;
    let fits = metadata.len() <= MAX_METADATA && matches!(iv.len(), 12 | 16) && ciphertext.len() >= TAG;
    fits.then(|| Sealed {
        ciphertext: ciphertext.to_vec(),
        metadata: (!metadata.is_empty()).then(|| metadata.to_vec()),
        iv: iv.to_vec(),
        tag: *tag,
    })
}

/// A failed health check of CreateCustomKeyStore or UpdateCustomKeyStore, as AWS answers it (the specification, "Error codes").
pub(crate) fn store_error(fault: Fault) -> Error {
    let text = fault.message().to_owned();
    match fault {
        Fault::AuthenticationFailed => Error::XksProxyIncorrectAuthenticationCredential(text),
        Fault::InvalidUriPath | Fault::InvalidState | Fault::AccessDenied => Error::XksProxyInvalidConfiguration(text),
        Fault::DependencyTimeout
        | Fault::Throttling
        | Fault::Unreachable
        | Fault::Tls
        | Fault::TimedOut
        | Fault::ManagersUnavailable => Error::XksProxyUriUnreachable(text),
        Fault::Validation
        | Fault::InvalidCiphertext
        | Fault::InvalidKeyUsage
        | Fault::KeyNotFound
        | Fault::UnsupportedOperation
        | Fault::Internal
        | Fault::Malformed => Error::XksProxyInvalidResponse(text),
    }
}

/// A failed look at the external key for CreateKey, as AWS answers it. `UnsupportedOperationException` has an exception there that
/// the service model does not know; it is the key's configuration that is wrong then.
pub(crate) fn create_key_error(fault: Fault) -> Error {
    let text = fault.message().to_owned();
    match fault {
        Fault::InvalidState | Fault::InvalidKeyUsage | Fault::UnsupportedOperation => {
            Error::XksKeyInvalidConfiguration(text)
        }
        Fault::KeyNotFound => Error::XksKeyNotFound(text),
        Fault::AccessDenied => Error::KmsInvalidState(text),
        _ => Error::CustomKeyStoreInvalidState(text),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn sealed(metadata: Option<&[u8]>, iv: usize) -> Sealed {
        Sealed { ciphertext: vec![7; 40], metadata: metadata.map(<[u8]>::to_vec), iv: vec![8; iv], tag: [9; 16] }
    }

    #[test]
    fn an_outer_layer_comes_back_as_it_was() {
        for (metadata, iv) in [(None, 12), (Some(&b"version=1"[..]), 16), (Some(&[1; 20][..]), 12)] {
            let blob = write_outer(b"header", &sealed(metadata, iv));
            assert_eq!(read_outer(&blob[6..]).unwrap(), sealed(metadata, iv));
            assert_eq!(blob.len(), 6 + 1 + metadata.map_or(0, <[u8]>::len) + 1 + iv + 16 + 40);
        }
        // What a proxy sent as an empty text is not sent back: to AES-GCM both are the same.
        assert_eq!(read_outer(&write_outer(b"", &sealed(Some(b""), 12))).unwrap(), sealed(None, 12));
    }

    #[test]
    fn bytes_that_are_no_outer_layer_are_refused() {
        let good = write_outer(b"", &sealed(Some(b"m"), 12));
        let shortest = good.len() - (40 - TAG);
        for len in 0..shortest {
            assert!(read_outer(&good[..len]).is_none(), "{len}");
        }
        assert!(read_outer(&good[..shortest]).is_some());
        for (at, value) in [(0, 21), (0, 255), (2, 11), (2, 13), (2, 255)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(read_outer(&bad).is_none(), "{at} {value}");
        }
    }

    #[test]
    fn settings_come_back_and_are_compared_by_place() {
        let settings = ProxySettings {
            endpoint: "https://xks.example.com".to_owned(),
            path: "/kms/xks/v1".to_owned(),
            access_key_id: "A".repeat(20),
            secret: Zeroizing::new("s".repeat(43)),
        };
        let mut out = Encoder::new(1);
        settings.encode(&mut out);
        let bytes = out.finish();
        let mut fields = Decoder::new(1, &bytes).unwrap();
        assert!(ProxySettings::decode(&mut fields).unwrap() == settings);
        let other = ProxySettings { secret: Zeroizing::new("t".repeat(43)), ..settings.clone() };
        assert!(other != settings && other.place() == settings.place());
        let shouted = ProxySettings { endpoint: "https://XKS.example.com".to_owned(), ..settings.clone() };
        assert_eq!(shouted.place(), settings.place());
        assert_ne!(ProxySettings { path: "/a/kms/xks/v1".to_owned(), ..settings.clone() }.place(), settings.place());
    }

    #[test]
    fn the_operators_settings_are_checked_when_they_are_given() {
        let route = |host: &str, to: &str| XksNetwork::new(None, [(host.to_owned(), to.to_owned())]);
        assert!(route("xks.corp", "https://10.0.0.5:8443").is_ok());
        assert!(route("xks.corp", "http://127.0.0.1:9000").is_ok());
        for (host, to) in [("xks.corp", "http://10.0.0.5:9000"), ("xks.corp", "10.0.0.5:9000"), ("a b", "https://a")] {
            assert!(route(host, to).is_err(), "{host} {to}");
        }
        assert!(XksNetwork::new(Some(b"no certificates".to_vec()), []).is_err());
    }
}
