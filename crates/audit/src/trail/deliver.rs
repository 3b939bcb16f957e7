//! The delivery of log files and digests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keys::{Region, Timestamp};

use super::digest::digest;
use super::file::{File, file, log_content, log_name};
use super::selector::{Facts, Selectors};
use super::state::{Delivered, DigestState, Intent, State};
use super::trails::GIVE_UP_AFTER;
use super::{Error, Trail, Trails, Window};
use crate::{Audit, Category, Event, Stored};

/// Where files go: whoever knows what a bucket is.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Stores an object in the trail's bucket, in CloudTrail's name, under the trail's key. It exists when this returns `Ok`; one of
    /// this name that exists is replaced.
    async fn put(&self, trail: &Trail, file: &File) -> Result<(), Undelivered>;
}

/// Why an object could not be stored: an S3 error code, as GetTrailStatus tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undelivered(pub String);

/// How often there are files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Log files. AWS: about every five minutes.
    pub log_files: Duration,
    /// Digests. AWS: every hour.
    pub digests: Duration,
}

/// Delivers what trails want.
pub struct Deliverer<D> {
    audit: Arc<Audit>,
    trails: Arc<Trails>,
    regions: Vec<Region>,
    destination: D,
    pace: Pace,
}

impl<D: Destination> Deliverer<D> {
    /// Delivers to `destination` what happens in `regions`.
    pub fn new(audit: Arc<Audit>, trails: Arc<Trails>, regions: Vec<Region>, destination: D, pace: Pace) -> Self {
        Self { audit, trails, regions, destination, pace }
    }

    /// Delivers whatever is due. What fails is told in the trail's status and tried again at the next call.
    ///
    /// # Errors
    /// A failing store: the log's or the trails'.
    pub async fn tick(&self) -> Result<(), Error> {
        let newest = *self.audit.newest().borrow();
        let all = self.trails.all();
        for trail in all.iter() {
            let mut reached = Reached::Ended;
            for region in self.regions.iter().filter(|region| trail.covers(region.as_str())) {
                reached = reached.min(self.deliver(trail, region, newest).await?);
            }
            self.tidy(trail, reached).await?;
        }
        Ok(())
    }

    /// Forgets what is over: times of logging of which everything is delivered, and trails that were deleted.
    async fn tidy(&self, trail: &Trail, reached: Reached) -> Result<(), Error> {
        let now = self.trails.now();
        match trail.deleted {
            Some(deleted) if reached == Reached::Ended || now.since(deleted) > GIVE_UP_AFTER => {
                self.trails.forget(trail).await
            }
            None if reached >= Reached::Newest && trail.windows.iter().any(|window| is_over(window, now)) => {
                let ended = reached == Reached::Ended;
                let keep = |trail: &mut Trail| {
                    let last = trail.windows.last().copied();
                    trail.windows.retain(|window| !is_over(window, now) || (!ended && Some(*window) == last));
                    Ok(())
                };
                self.trails.change(trail, keep).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// One trail in one Region.
    async fn deliver(&self, trail: &Trail, region: &Region, newest: u64) -> Result<Reached, Error> {
        if trail.windows.is_empty() {
            return Ok(Reached::Ended);
        }
        let now = self.trails.now();
        let mut state = self.trails.state(trail, region.as_str()).await?;
        let due = state.file.is_some()
            || !trail.is_logging()
            || state.delivered.is_none_or(|last| now.since(last) >= self.pace.log_files);
        while due && (state.file.is_some() || state.next <= newest) {
            match self.log_file(trail, region, &mut state, now).await? {
                Step::Done => {}
                Step::Refused => return Ok(Reached::Less),
            }
        }
        let caught_up = due && state.next > newest;
        let ended = trail.windows.iter().all(|window| is_over(window, now));
        self.digests(trail, region, &mut state, now, caught_up && ended).await?;
        Ok(match (caught_up, ended && state.digest.is_none()) {
            (true, true) => Reached::Ended,
            (true, false) => Reached::Newest,
            (false, _) => Reached::Less,
        })
    }

    /// The next log file, if there is anything to put into one.
    async fn log_file(&self, trail: &Trail, region: &Region, state: &mut State, now: Timestamp) -> Result<Step, Error> {
        let wanted = |event: &Event| wants(trail, region, event);
        let (from, until) = match &state.file {
            Some(intent) => (intent.from, Some(intent.until)),
            None => (state.next, None),
        };
        let (events, next) = self.read(from, until, wanted).await?;
        if events.is_empty() {
            let far = next.saturating_sub(from) >= LOOKED_AT_IN_VAIN || state.file.is_some();
            (state.next, state.file) = (next, None);
            // What little was looked at in vain may be looked at again.
            if far {
                self.trails.set_state(trail, region.as_str(), state).await?;
            }
            return Ok(Step::Done);
        }
        if state.file.is_none() {
            state.file = Some(Intent { at: now, from, until: next });
            self.trails.set_state(trail, region.as_str(), state).await?;
        }
        let at = state.file.as_ref().map_or(now, |intent| intent.at);
        let content = log_content(events.iter().map(|stored| &stored.event.record[..]));
        let file = file(log_name(trail, region.as_str(), at, from), &content, Vec::new());
        drop(content);
        if let Err(Undelivered(code)) = self.destination.put(trail, &file).await {
            if state.error.as_ref() != Some(&code) {
                tracing::warn!(
                    trail = trail.arn(),
                    bucket = trail.bucket,
                    code,
                    "a log file could not be delivered; it is tried again"
                );
                state.error = Some(code);
            }
            state.attempted = Some(now);
            self.trails.set_state(trail, region.as_str(), state).await?;
            return Ok(Step::Refused);
        }
        let times = || events.iter().map(|stored| stored.event.time);
        let (newest, oldest) = (times().max().unwrap_or(now), times().min().unwrap_or(now));
        if trail.validation {
            let bucket = trail.bucket.clone();
            let chain = trail.chain;
            let digest = state.digest.get_or_insert_with(|| DigestState::new(chain, at));
            digest.files.push(Delivered { bucket, object: file.object, hash: file.hash, newest, oldest });
        }
        let (attempted, delivered) = (Some(now), Some(now));
        *state = State { next, file: None, attempted, delivered, error: None, ..std::mem::take(state) };
        self.trails.set_state(trail, region.as_str(), state).await?;
        Ok(Step::Done)
    }

    /// Events for one file, and where to read on.
    async fn read(
        &self,
        from: u64,
        until: Option<u64>,
        wanted: impl Fn(&Event) -> bool + Send + Sync,
    ) -> Result<(Vec<Stored>, u64), Error> {
        let (mut events, mut next, mut bytes) = (Vec::new(), from, 0);
        loop {
            let batch = self.audit.read(next, EVENTS_AT_ONCE, &wanted).await;
            let batch = batch.map_err(|error| Error::Internal(error.to_string()))?;
            for stored in batch.events {
                if until.is_some_and(|until| stored.number >= until) {
                    return Ok((events, until.unwrap_or(next)));
                }
                bytes += stored.event.record.len();
                next = stored.number + 1;
                events.push(stored);
                // A file that was announced has exactly the events that it was announced with.
                if until.is_none() && (bytes >= FILE_BYTES || events.len() >= FILE_EVENTS) {
                    return Ok((events, next));
                }
            }
            next = batch.next;
            if batch.end || until.is_some_and(|until| next >= until) {
                return Ok((events, until.unwrap_or(next)));
            }
        }
    }

    /// Digests that are due. `ended`: the trail has stopped, and all its log files are delivered.
    async fn digests(
        &self,
        trail: &Trail,
        region: &Region,
        state: &mut State,
        now: Timestamp,
        ended: bool,
    ) -> Result<(), Error> {
        loop {
            let goes_on = trail.validation && trail.is_logging();
            if state.digest.is_none() {
                if goes_on {
                    state.digest = Some(DigestState::new(trail.chain, now));
                    self.trails.set_state(trail, region.as_str(), state).await?;
                }
                return Ok(());
            }
            let Some(pending) = state.digest.as_mut() else { return Ok(()) };
            let last = !goes_on || pending.chain != trail.chain;
            let full = pending.files.len() >= DIGEST_FILES || now.since(pending.start) >= self.pace.digests;
            // Names of digests tell seconds, and no two may have the same.
            let apart = now.as_millis() / 1000 > pending.start.as_millis() / 1000;
            if pending.end.is_none() && !((full || (last && (ended || trail.is_logging()))) && apart) {
                return Ok(());
            }
            let key = self.trails.signing_key(region.as_str(), pending.signer.as_deref()).await?;
            if pending.end.is_none() {
                (pending.end, pending.signer) = (Some(now), Some(key.fingerprint().to_owned()));
                self.trails.set_state(trail, region.as_str(), state).await?;
            }
            let Some(pending) = state.digest.as_ref() else { return Ok(()) };
            let end = pending.end.unwrap_or(now);
            let (file, previous) = digest(trail, region.as_str(), pending, end, &key).map_err(Error::Internal)?;
            if let Err(Undelivered(code)) = self.destination.put(trail, &file).await {
                if state.digest_error.as_ref() != Some(&code) {
                    tracing::warn!(
                        trail = trail.arn(),
                        bucket = trail.bucket,
                        code,
                        "a digest could not be delivered; it is tried again"
                    );
                    state.digest_error = Some(code);
                    self.trails.set_state(trail, region.as_str(), state).await?;
                }
                return Ok(());
            }
            let following = DigestState { previous: Some(previous), ..DigestState::new(trail.chain, end) };
            state.digest = (!last).then_some(following);
            (state.digest_delivered, state.digest_error) = (Some(now), None);
            self.trails.set_state(trail, region.as_str(), state).await?;
            if !last || !goes_on {
                return Ok(());
            }
        }
    }
}

impl DigestState {
    fn new(chain: u64, start: Timestamp) -> Self {
        Self { chain, start, end: None, signer: None, files: Vec::new(), previous: None }
    }
}

/// How far delivery is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    /// Not at the log's end.
    Less,
    /// All that is in the log.
    Newest,
    /// All that there will be, with its digest.
    Ended,
}

/// Whether a time of logging has ended so long ago that every request that began in it is recorded.
fn is_over(window: &Window, now: Timestamp) -> bool {
    window.to.is_some_and(|to| now.since(Timestamp::from_millis(to)) >= SETTLES_IN)
}

enum Step {
    Done,
    Refused,
}

/// Whether a trail wants an event of a Region.
fn wants(trail: &Trail, region: &Region, event: &Event) -> bool {
    event.account == trail.account
        && event.region == *region
        && trail.logged_at(event.time)
        && (trail.recursive || !is_of_delivery(event))
        && {
            let found = &event.searchable;
            let resources: Vec<_> =
                found.resources.iter().map(|resource| (resource.kind.as_str(), resource.name.as_str())).collect();
            let (event_type, identity) = match trail.selectors {
                Selectors::Advanced(_) => described(event),
                Selectors::Basic(_) => Default::default(),
            };
            trail.wants(&Facts {
                data: event.category == Category::Data,
                name: &found.event_name,
                source: &found.event_source,
                read_only: found.read_only,
                event_type: &event_type,
                identity: &identity,
                resources: &resources,
            })
        }
}

/// `eventType` and `userIdentity.arn`, which the log keeps in the record alone.
fn described(event: &Event) -> (String, String) {
    #[derive(serde::Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Record {
        event_type: String,
        user_identity: Identity,
    }
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Identity {
        arn: String,
    }
    let record: Record = serde_json::from_slice(&event.record).unwrap_or_default();
    (record.event_type, record.user_identity.arn)
}

/// Whether it comes of a delivery: CloudTrail itself did it.
fn is_of_delivery(event: &Event) -> bool {
    let found = &event.searchable;
    found.user_name.is_none()
        && found.access_key_id.is_none()
        && memchr(&event.record, br#""invokedBy":"cloudtrail.amazonaws.com""#)
}

fn memchr(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Events that are asked of the log at a time.
const EVENTS_AT_ONCE: usize = 2_000;
/// Events that no file came of are looked at again after a restart, but not more than these.
const LOOKED_AT_IN_VAIN: u64 = 5_000;
/// A request that began before logging was stopped is recorded when it is answered; longer ones are left out.
const SETTLES_IN: Duration = Duration::from_secs(5);
/// A log file ends here, before compression; readers hold one in memory as a whole.
const FILE_BYTES: usize = 16 * 1024 * 1024;
/// Or here.
const FILE_EVENTS: usize = 20_000;
/// Log files of one digest: its row must hold them.
const DIGEST_FILES: usize = 120;
