//! What every request shares: the domains, who may sign, and the settings.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keys::{Clock, Keys, Principal, Region};
use objects::Objects;
use sigv4::{Secret, SigningKeys};

use crate::health::Readiness;
use crate::host::Domains;

/// The server's state as requests see it. Shared by all connections.
pub struct App {
    /// The S3 domain.
    pub objects: Arc<Objects>,
    /// The KMS domain, in the home Region.
    pub keys: Arc<Keys>,
    /// The KMS domain in every Region that is served, the home first.
    regions: Box<[Arc<Keys>]>,
    /// Who may sign.
    pub accounts: Accounts,
    /// Region, domains, clock and limits.
    pub settings: Settings,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) readiness: Readiness,
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
    /// Puts the domains together. `store` and `blobs` are asked for readiness alone.
    pub fn new(
        objects: Arc<Objects>,
        keys: Arc<Keys>,
        store: Arc<dyn meta::Store>,
        blobs: Arc<dyn blob::Blobs>,
        accounts: Accounts,
        settings: Settings,
    ) -> App {
        let regions = keys.regions().filter_map(|region| keys.in_region(region.as_str())).collect();
        App {
            objects,
            keys,
            regions,
            accounts,
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

/// One access key and whose it is.
pub struct Account {
    /// Who a request signed with this key speaks for.
    pub principal: Principal,
    /// The secret access key.
    pub secret: Secret,
}

/// Access keys by their id. Fixed for the life of the process.
#[derive(Default)]
pub struct Accounts {
    by_access_key: HashMap<String, Entry>,
}

pub(crate) struct Entry {
    pub(crate) principal: Arc<Principal>,
    pub(crate) secret: Secret,
}

/// Two accounts were given the same access key id.
#[derive(Debug, thiserror::Error)]
#[error("the access key id {0} is given twice")]
pub struct DuplicateAccessKey(pub String);

impl Accounts {
    /// All access keys, each under the id that its principal names.
    ///
    /// # Errors
    /// [`DuplicateAccessKey`].
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Result<Accounts, DuplicateAccessKey> {
        let mut by_access_key = HashMap::new();
        for Account { principal, secret } in accounts {
            let id = principal.access_key_id.clone();
            let entry = Entry { principal: Arc::new(principal), secret };
            if by_access_key.insert(id.clone(), entry).is_some() {
                return Err(DuplicateAccessKey(id));
            }
        }
        Ok(Accounts { by_access_key })
    }

    pub(crate) fn has(&self, access_key_id: &str) -> bool {
        self.by_access_key.contains_key(access_key_id)
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<&Entry> {
        self.by_access_key.get(access_key_id)
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("access_keys", &self.by_access_key.len()).finish()
    }
}
