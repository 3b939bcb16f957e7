//! What every request shares: the domains, who may sign, and the settings.

use std::sync::Arc;
use std::time::Duration;

use audit::Audit;
use audit::trail::Trails;
use identity::Identity;
use keys::{Clock, Keys, Region};
use objects::Objects;
use sigv4::SigningKeys;

use crate::health::Readiness;
use crate::host::Domains;
use crate::throttle::{Limiter, Safeguards};

/// The server's state as requests see it. Shared by all connections.
pub struct App {
    /// The S3 domain.
    pub objects: Arc<Objects>,
    /// The KMS domain, in the home Region.
    pub keys: Arc<Keys>,
    /// The KMS domain in every Region that is served, the home first.
    regions: Box<[Arc<Keys>]>,
    /// Who may sign, and what each may do: the IAM and STS domains.
    pub identity: Arc<Identity>,
    /// The event log.
    pub audit: Arc<Audit>,
    /// What goes from it to buckets.
    pub trails: Arc<Trails>,
    /// Region, domains, clock and limits.
    pub settings: Settings,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) readiness: Readiness,
    pub(crate) limiter: Limiter,
}

/// What requests are answered with.
pub struct Parts {
    /// The S3 domain.
    pub objects: Arc<Objects>,
    /// The KMS domain, in the home Region.
    pub keys: Arc<Keys>,
    /// The IAM and STS domains.
    pub identity: Arc<Identity>,
    /// The event log.
    pub audit: Arc<Audit>,
    /// What goes from it to buckets.
    pub trails: Arc<Trails>,
    /// Asked for readiness alone.
    pub store: Arc<dyn meta::Store>,
    /// Asked for readiness alone.
    pub blobs: Arc<dyn blob::Blobs>,
}

/// What an operator sets.
pub struct Settings {
    /// The home Region: what credential scopes must name, but for KMS, which answers in every Region of its keys.
    pub region: Region,
    /// Domains under which a label in front names a bucket.
    pub domains: Domains,
    /// The time of day: for signatures, expiry and dates in answers.
    pub clock: Clock,
    /// How much and how long a client may take.
    pub limits: Limits,
    /// What keeps clients from each other.
    pub safeguards: Safeguards,
}

/// Bounds on what one connection may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's line and headers together. AWS documents 8 KiB of headers for S3; a key of 1,024 bytes,
    /// percent-encoded, and a presigned query come on top.
    pub head_bytes: usize,
    /// Bytes of a connection's read buffer at most, and of an answer that is queued for a client that does not read.
    pub buffer_bytes: usize,
    /// From the end of an answer (or the start of the connection) to the end of the next request's head: bounds slow
    /// heads and idle connections alike. SDKs keep pooled connections for tens of seconds.
    pub head_time: Duration,
    /// The longest silence within a body that is being read.
    pub body_silence: Duration,
    /// The longest time that a client may leave an answer unread while the socket's buffer is full.
    pub answer_silence: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head_bytes: 32 * 1024,
            buffer_bytes: 128 * 1024,
            head_time: Duration::from_secs(60),
            body_silence: Duration::from_secs(30),
            answer_silence: Duration::from_secs(60),
        }
    }
}

impl App {
    /// Puts the domains together.
    pub fn new(parts: Parts, settings: Settings) -> App {
        let Parts { objects, keys, identity, audit, trails, store, blobs } = parts;
        let regions = keys.regions().filter_map(|region| keys.in_region(region.as_str())).collect();
        if let Some(factor) = settings.safeguards.quotas {
            keys.limit_requests(factor);
        }
        App {
            limiter: Limiter::new(&settings.safeguards),
            objects,
            keys,
            regions,
            identity,
            audit,
            trails,
            settings,
            signing_keys: SigningKeys::new(),
            readiness: Readiness::new(store, blobs),
        }
    }

    /// The KMS domain in a Region, if it is served.
    pub(crate) fn keys_in(&self, region: &str) -> Option<&Arc<Keys>> {
        self.regions.iter().find(|keys| keys.region().as_str() == region)
    }
}
