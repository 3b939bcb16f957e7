//! The keys of issuers: asked for at the place that the issuer names, and remembered for a while.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use courier::{Endpoint, Fetcher, Limits, Thumbprint, Trust};
use serde::Deserialize;

use super::Rejected;
use super::jwt::Unverified;
use super::key_set::KeySet;

/// What an issuer has for both of its documents each, name lookup and TLS included. AWS is said to wait five seconds.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// Bytes of a document: a hundred RSA-4096 keys with certificates beside them are about 400 KiB; AWS's limit is not known.
const MAX_DOCUMENT: usize = 512 * 1024;
/// How long keys are believed without asking again: a key that its owner withdraws is refused after that.
const KEYS_LIFE: Duration = Duration::from_secs(900);
/// How long an issuer is left alone after it was asked, whatever tokens say that it signed with.
const REST: Duration = Duration::from_secs(10);
/// Issuers that are remembered.
const MAX_ISSUERS: usize = 1024;

/// How issuers are reached: what the operator sets.
#[derive(Clone)]
pub struct OidcNetwork {
    trust: Trust,
    routes: HashMap<String, String>,
}

impl OidcNetwork {
    /// Issuers with certificates of the system's authorities and of those in `certificates` (PEM), reached where the DNS says, or at
    /// the endpoint that `routes` has for their host.
    ///
    /// # Errors
    /// In words: no certificates, or a route that is no endpoint.
    pub fn new(
        certificates: Option<Vec<u8>>,
        routes: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let trust = match certificates {
            Some(pem) => Trust::system_and(&pem).map_err(|error| error.to_string())?,
            // A system without authorities can serve all that is not OIDC.
            None => Trust::system().unwrap_or_else(|_| Trust::nobody()),
        };
        let routes: HashMap<_, _> = routes.into_iter().collect();
        for route in routes.values() {
            Endpoint::parse(route).map_err(|error| error.to_string())?;
        }
        Ok(Self { trust, routes })
    }

    fn endpoint(&self, url: &Url<'_>) -> Result<Endpoint, String> {
        let endpoint = Endpoint::parse(&format!("https://{}", url.authority)).map_err(|error| error.to_string())?;
        match self.routes.get(endpoint.host()) {
            Some(route) => endpoint.through(route).map_err(|error| error.to_string()),
            None => Ok(endpoint),
        }
    }
}

impl fmt::Debug for OidcNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcNetwork").field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// Issuers and their keys.
pub struct Issuers {
    network: OidcNetwork,
    fetcher: Fetcher,
    known: Mutex<HashMap<Name, Arc<Issuer>>>,
}

/// The URL without `https://`, and the certificates that the provider in the account names.
type Name = (String, Vec<Thumbprint>);

#[derive(Default)]
struct Issuer {
    /// Held while the issuer is asked, so that it is asked by one request at a time.
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<(Arc<KeySet>, Instant)>,
    asked: Option<Instant>,
}

impl Issuers {
    /// Nobody is asked yet.
    #[must_use]
    pub fn new(network: OidcNetwork) -> Self {
        Self { network, fetcher: Fetcher::new(), known: Mutex::default() }
    }

    /// The keys of the issuer at `url` (without `https://`), with that of `token` among them if the issuer has it.
    ///
    /// # Errors
    /// [`Rejected::Unreachable`], [`Rejected::Key`] if what the issuer answers has no keys.
    pub(crate) async fn keys(
        &self,
        url: &str,
        thumbprints: &[Thumbprint],
        token: &Unverified<'_>,
    ) -> Result<Arc<KeySet>, Rejected> {
        let issuer = self.issuer((url.to_owned(), thumbprints.to_vec()));
        let mut state = issuer.state.lock().await;
        let rested = state.asked.is_none_or(|asked| asked.elapsed() >= REST);
        match &state.keys {
            Some((keys, at)) if at.elapsed() < KEYS_LIFE && (token.key_is_in(keys) || !rested) => {
                return Ok(Arc::clone(keys));
            }
            // It did not answer a moment ago.
            None if !rested => return Err(Rejected::Unreachable),
            _ => {}
        }
        state.asked = Some(Instant::now());
        match self.ask(url, thumbprints).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                state.keys = Some((Arc::clone(&keys), Instant::now()));
                Ok(keys)
            }
            Err(error) => {
                tracing::warn!(issuer = url, %error, "an OpenID Connect issuer gave no keys");
                // What it gave before is good for its time, or a token of whoever would end the sessions of everybody else.
                state.keys = state.keys.take().filter(|(_, at)| at.elapsed() < KEYS_LIFE);
                Err(match error {
                    Failure::Courier(_) => Rejected::Unreachable,
                    Failure::Answer(_) => Rejected::Key,
                })
            }
        }
    }

    /// The certificate that vouches for whoever answers at `url`: the last that it shows.
    ///
    /// # Errors
    /// In words, for the log.
    pub(crate) async fn thumbprint(&self, url: &str) -> Result<Thumbprint, String> {
        let place = Url::parse(url).ok_or("its URL cannot be asked")?;
        let endpoint = self.network.endpoint(&place)?;
        self.fetcher.last_certificate(endpoint, TIME_LIMIT).await.map_err(|error| error.to_string())
    }

    fn issuer(&self, name: Name) -> Arc<Issuer> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_ISSUERS && !known.contains_key(&name) {
            known.clear();
        }
        Arc::clone(known.entry(name).or_default())
    }

    /// OpenID Connect Discovery 1.0, section 4: the configuration says where the keys are.
    async fn ask(&self, url: &str, thumbprints: &[Thumbprint]) -> Result<KeySet, Failure> {
        let place = Url::parse(url).ok_or_else(|| Failure::Answer("its URL cannot be asked".to_owned()))?;
        let path = format!("{}/.well-known/openid-configuration", place.path.trim_end_matches('/'));
        let body = self.get(&place, &path, thumbprints).await?;
        let configuration: Configuration =
            serde_json::from_slice(&body).map_err(|_| Failure::Answer("its configuration is no such JSON".into()))?;
        if configuration.issuer.strip_prefix("https://") != Some(url) {
            return Err(Failure::Answer(format!("its configuration names the issuer {:?}", configuration.issuer)));
        }
        let keys = configuration.jwks_uri.strip_prefix("https://").and_then(Url::parse);
        let keys = keys.ok_or_else(|| Failure::Answer(format!("jwks_uri is {:?}", configuration.jwks_uri)))?;
        let path = if keys.path.is_empty() { "/" } else { keys.path };
        let body = self.get(&keys, path, thumbprints).await?;
        KeySet::parse(&body).map_err(|error| Failure::Answer(error.to_string()))
    }

    async fn get(&self, url: &Url<'_>, path: &str, thumbprints: &[Thumbprint]) -> Result<Vec<u8>, Failure> {
        let endpoint = self.network.endpoint(url).map_err(Failure::Answer)?;
        let trust = self.network.trust.or_thumbprints(thumbprints);
        let limits = Limits { time: TIME_LIMIT, answer: MAX_DOCUMENT };
        let answer = self.fetcher.get(endpoint, path, &trust, limits).await?;
        match answer.status {
            200 => Ok(answer.body.to_vec()),
            status => Err(Failure::Answer(format!("GET {path} was answered with status {status}"))),
        }
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuers").field("network", &self.network).finish_non_exhaustive()
    }
}

/// Why an issuer gave no keys. For the log.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Courier(#[from] courier::Error),
    #[error("{0}")]
    Answer(String),
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

/// An HTTPS URL without its scheme: host (and port), path (and query).
struct Url<'a> {
    authority: &'a str,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(rest: &'a str) -> Option<Self> {
        let at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        (!authority.is_empty() && path.bytes().all(plain)).then_some(Self { authority, path })
    }
}
