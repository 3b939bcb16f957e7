//! Whoever guesses access keys and secrets is answered more and more slowly.
//!
//! Counted are requests whose access key does not exist, whose signature is not right or whose session token is not ours, by the address
//! that they come from: of IPv6 the first 64 bits, of which every customer of a provider has at least that much. Nothing that is signed
//! well is ever held up, wherever it comes from and however often others fail for the same access key: so nobody can lock somebody out,
//! least of all the root user.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use throttle::{Buckets, Rate};

use crate::auth::Refusal;

/// The failures of all sources.
pub(crate) struct Failures {
    buckets: Buckets,
    /// How many requests of a source are being held up.
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// How a failed request is to be answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it deserves.
    Answer,
    /// That there are too many, and when to come again.
    TooMany(Duration),
}

impl Failures {
    pub(crate) fn new() -> Failures {
        Failures { buckets: Buckets::new(SOURCES), held: Mutex::default() }
    }

    /// Counts a failure, and waits as long as its source has to. Returns how to answer.
    pub(crate) async fn hold(&self, address: IpAddr, refusal: &Refusal) -> Verdict {
        if !is_guess(refusal) {
            return Verdict::Answer;
        }
        let source = source(address);
        let excess = self.buckets.overdraw(&source, rate(), MOST, Instant::now());
        if excess == 0 {
            return Verdict::Answer;
        }
        if excess == 1 {
            tracing::warn!(%source, "signatures fail over and over; answers to such requests from there are delayed");
        }
        let delay = delay(excess);
        match self.place(source) {
            Some(_place) => {
                tokio::time::sleep(delay).await;
                Verdict::Answer
            }
            None => Verdict::TooMany(delay),
        }
    }

    fn place(&self, source: IpAddr) -> Option<Place<'_>> {
        let mut held = self.lock();
        let all: usize = held.values().sum();
        let own = held.get(&source).copied().unwrap_or(0);
        if own >= HELD_EACH || all >= HELD {
            return None;
        }
        held.insert(source, own + 1);
        Some(Place { failures: self, source })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being held up: whoever hangs up meanwhile has its place until its time is over.
struct Place<'a> {
    failures: &'a Failures,
    source: IpAddr,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut held = self.failures.lock();
        match held.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(held.remove(&self.source)),
        }
    }
}

/// Whether it may have been a guess. A clock that is off, a header that is missing or a session that has ended is none.
fn is_guess(refusal: &Refusal) -> bool {
    use sigv4::Error as Signature;
    let Refusal::Signature(error) = refusal else { return false };
    matches!(
        error,
        Signature::InvalidAccessKeyId { .. } | Signature::InvalidToken | Signature::SignatureDoesNotMatch(_)
    )
}

/// Where requests come from, as far as anybody is told from others.
pub(super) fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & PREFIX_64).into(),
        address => address,
    }
}

/// 200 ms, 400 ms and so on, doubling.
fn delay(excess: u32) -> Duration {
    (STEP * 2_u32.pow(excess.min(10))).min(LONGEST)
}

/// A client that is set up wrong, with its retries, fails a dozen times before somebody looks; and one failure each three seconds may go
/// on for ever, which is 29,000 guesses a day where a secret has 2^240 values.
fn rate() -> Rate {
    Rate::every(Duration::from_secs(3), 20)
}
/// How many failures too many are remembered: after 192 s of peace a source is as good as new.
const MOST: u32 = 64;
const STEP: Duration = Duration::from_millis(100);
/// Below the time limits of SDKs, so that they see an answer.
const LONGEST: Duration = Duration::from_secs(5);
/// Requests of one source that are held up at once: each takes a connection of `max_connections`.
const HELD_EACH: usize = 4;
/// Of all sources.
const HELD: usize = 256;
/// Sources that are told from each other; about 2 MiB.
const SOURCES: usize = 64 * 1_024;
const PREFIX_64: u128 = !0 << 64;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn unknown_key() -> Refusal {
        sigv4::Error::InvalidAccessKeyId { access_key_id: "AKIA".to_owned() }.into()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_answered_more_and_more_slowly() {
        let failures = Failures::new();
        let mut waited = Vec::new();
        for _ in 0..27 {
            let before = tokio::time::Instant::now();
            assert_eq!(failures.hold(ip("203.0.113.1"), &unknown_key()).await, Verdict::Answer);
            waited.push(before.elapsed().as_millis());
        }
        assert_eq!(waited[..20], [0; 20]);
        assert_eq!(waited[20..], [200, 400, 800, 1600, 3200, 5000, 5000]);
        let before = tokio::time::Instant::now();
        failures.hold(ip("203.0.113.2"), &unknown_key()).await;
        failures.hold(ip("203.0.113.1"), &Refusal::Expired).await;
        assert_eq!(before.elapsed().as_millis(), 0, "another source, and what is no guess");
        assert!(failures.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_cannot_have_everything_waiting_for_it() {
        let failures = Failures::new();
        let all = all_at_once(&failures).await;
        let refused = all.iter().filter(|verdict| matches!(verdict, Verdict::TooMany(_))).count();
        assert_eq!(refused, 100 - 20 - HELD_EACH);
        assert!(failures.lock().is_empty());
    }

    async fn all_at_once(failures: &Failures) -> Vec<Verdict> {
        let refusal = unknown_key();
        let mut waiting: Vec<_> =
            (0..100).map(|_| Some(Box::pin(failures.hold(ip("203.0.113.1"), &refusal)))).collect();
        let mut done = Vec::new();
        std::future::poll_fn(|context| {
            for slot in &mut waiting {
                if let Some(future) = slot
                    && let std::task::Poll::Ready(verdict) = future.as_mut().poll(context)
                {
                    done.push(verdict);
                    *slot = None;
                }
            }
            if waiting.iter().all(Option::is_none) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        done
    }

    #[test]
    fn neighbours_in_ipv6_are_one_source() {
        assert_eq!(source(ip("2001:db8:1:2:3:4:5:6")), source(ip("2001:db8:1:2::")));
        assert_ne!(source(ip("2001:db8:1:2::")), source(ip("2001:db8:1:3::")));
        assert_eq!(source(ip("::ffff:203.0.113.1")), ip("203.0.113.1"));
        assert_ne!(source(ip("203.0.113.1")), source(ip("203.0.113.2")));
    }
}
