//! How often somebody may ask: each principal, each account where AWS has a quota, and each address from which signatures fail.

mod failures;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use http::{HeaderValue, header};
use policy::{AccountId, Network, Principal};
use throttle::{Buckets, Rate};

use crate::auth::Refusal;
use crate::request::Request;
use crate::response::Response;
use crate::service::Service;

pub(crate) use failures::Verdict;
use failures::{Failures, source};

/// What keeps clients from each other, besides who may do what.
#[derive(Clone, Debug, Default)]
pub struct Safeguards {
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether whoever fails to sign over and over waits for the answers.
    pub delay_failures: bool,
    /// Requests a second that a principal may make.
    pub request_rate: Option<u32>,
    /// What AWS's request quotas are multiplied by, where they hold. Those of KMS: [`keys::Keys::limit_requests`].
    pub quotas: Option<f64>,
}

/// The limits of a server.
pub(crate) struct Limiter {
    of_principals: Option<Rate>,
    lookups: Option<Rate>,
    buckets: Buckets,
    unsigned: Buckets,
    failures: Option<Failures>,
}

#[derive(Hash)]
enum Bucket<'a> {
    Principal(&'a str),
    Lookups(AccountId, &'a str),
}

impl Limiter {
    pub(crate) fn new(safeguards: &Safeguards) -> Limiter {
        Limiter {
            of_principals: safeguards.request_rate.map(|rate| Rate::per_second(f64::from(rate))),
            lookups: safeguards.quotas.map(|factor| Rate::per_second(LOOKUPS * factor)),
            buckets: Buckets::new(ROOM),
            unsigned: Buckets::new(ROOM),
            failures: safeguards.delay_failures.then(Failures::new),
        }
    }

    /// Counts a request that was not let in, and waits as long as its source has to.
    pub(crate) async fn hold(&self, source: IpAddr, refusal: &Refusal) -> Verdict {
        match &self.failures {
            Some(failures) => failures.hold(source, refusal).await,
            None => Verdict::Answer,
        }
    }

    /// Counts a request of a principal. Sessions of a role are principals of their own, as in its quota on AWS they are not: there it
    /// would be the account's.
    ///
    /// # Errors
    /// When to come again.
    pub(crate) fn admit(&self, principal: &Principal) -> Result<(), Duration> {
        match self.of_principals {
            Some(rate) if !principal.is_anonymous() => {
                self.buckets.take(&Bucket::Principal(&principal.arn), rate, Instant::now())
            }
            _ => Ok(()),
        }
    }

    /// Counts a request to S3 that nobody signed and that was refused, by where it comes from: its record is in the account of the bucket.
    ///
    /// # Errors
    /// When to come again.
    pub(crate) fn admit_refused(&self, address: IpAddr) -> Result<(), Duration> {
        match self.failures {
            Some(_) => self.admit_unsigned(address),
            None => Ok(()),
        }
    }

    /// Counts a request of STS's that nobody signed and that goes on record in somebody's account, by where it comes from.
    ///
    /// # Errors
    /// When to come again.
    pub(crate) fn admit_unsigned(&self, address: IpAddr) -> Result<(), Duration> {
        self.unsigned.take(&source(address), unsigned(), Instant::now())
    }

    /// One of them had a good token: it does not count.
    pub(crate) fn forgive_unsigned(&self, address: IpAddr) {
        self.unsigned.give_back(&source(address), unsigned(), Instant::now());
    }

    /// Counts a LookupEvents: two a second for an account in a Region (its API reference).
    ///
    /// # Errors
    /// When to come again.
    pub(crate) fn admit_lookup(&self, account: AccountId, region: &str) -> Result<(), Duration> {
        match self.lookups {
            Some(rate) => self.buckets.take(&Bucket::Lookups(account, region), rate, Instant::now()),
            None => Ok(()),
        }
    }
}

impl Service {
    /// What a request is answered that came too soon, in the service's words.
    pub(crate) fn throttled(self, request: &Request, wait: Duration) -> Response {
        retry_after(self.too_fast(request), wait)
    }
}

/// With the hint when to come again, in whole seconds.
pub(crate) fn retry_after(mut response: Response, wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    response.set(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

/// Of those that nobody signed and that are refused, a source has one each second: 86,400 records a day, at most 500 MB of the audit log,
/// since none has more than 6 KB. So many at once: whatever a fleet behind one address does wrong in its first moment is told it for what
/// it is.
fn unsigned() -> Rate {
    Rate::every(Duration::from_secs(1), UNSIGNED_BURST)
}

const UNSIGNED_BURST: u32 = 100;
const LOOKUPS: f64 = 2.0;
/// Principals, or sources, that are told from each other; about 2 MiB.
const ROOM: usize = 64 * 1_024;
