//! Delivery against a log and a bucket in memory.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use keys::{AccountId, Region, Timestamp};

use super::requests::CreateTrailRequest;
use super::{Deliverer, Destination, File, Pace, Plan, Trail, Trails, Undelivered};
use crate::testing::Fixture;
use crate::{Audit, Category, Event, Mode, Searchable};

/// A bucket that may refuse, or take an object and lose the answer.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    objects: BTreeMap<String, File>,
    refuses: Option<&'static str>,
    loses_answers: bool,
}

#[async_trait]
impl Destination for Bucket {
    async fn put(&self, _: &Trail, file: &File) -> Result<(), Undelivered> {
        let mut inner = self.0.lock().unwrap();
        if let Some(code) = inner.refuses {
            return Err(Undelivered(code.to_owned()));
        }
        if let Some(before) = inner.objects.insert(file.object.clone(), file.clone()) {
            assert_eq!(&before, file, "a repeated delivery has the same bytes");
        }
        if inner.loses_answers { Err(Undelivered("InternalError".to_owned())) } else { Ok(()) }
    }
}

impl Bucket {
    fn named(&self, part: &str) -> Vec<String> {
        let inner = self.0.lock().unwrap();
        inner.objects.keys().filter(|name| name.contains(part)).cloned().collect()
    }

    fn content(&self, name: &str) -> serde_json::Value {
        let inner = self.0.lock().unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&inner.objects[name].body[..]).read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The numbers of all delivered events, in order.
    fn events(&self) -> Vec<u64> {
        let logs = self.named("/CloudTrail/");
        let numbers = |log: &String| {
            let content = self.content(log);
            content["Records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|record| record["n"].as_u64().unwrap())
                .collect::<Vec<_>>()
        };
        let mut all: Vec<u64> = logs.iter().flat_map(numbers).collect();
        all.sort_unstable();
        all
    }
}

struct World {
    fixture: Fixture,
    audit: Arc<Audit>,
    trails: Arc<Trails>,
    bucket: Bucket,
    written: u64,
}

const MINUTE: u64 = 60_000;

impl World {
    async fn new() -> World {
        let fixture = Fixture::new().await;
        let audit = fixture.open(Mode::Strict).await;
        let trails = World::open(&fixture).await;
        World { fixture, audit, trails, bucket: Bucket::default(), written: 0 }
    }

    async fn open(fixture: &Fixture) -> Arc<Trails> {
        let now = Arc::clone(&fixture.now);
        let clock: keys::Clock =
            Arc::new(move || UNIX_EPOCH + Duration::from_millis(now.load(std::sync::atomic::Ordering::Relaxed)));
        Trails::open(Arc::clone(&fixture.store), Arc::clone(&fixture.keys), clock).await.unwrap()
    }

    fn pass(&self, millis: u64) {
        self.fixture.now.fetch_add(millis, std::sync::atomic::Ordering::Relaxed);
    }

    async fn happen(&mut self, count: u64) {
        for _ in 0..count {
            self.written += 1;
            let now = self.fixture.now.load(std::sync::atomic::Ordering::Relaxed);
            let searchable = Searchable {
                event_name: "CreateKey".to_owned(),
                event_source: "kms.amazonaws.com".to_owned(),
                ..Searchable::default()
            };
            let event = Event {
                id: uuid::Uuid::new_v4(),
                time: Timestamp::from_millis(now),
                account: account(),
                region: Region::parse("us-east-1").unwrap(),
                category: Category::Management,
                searchable,
                record: Bytes::from(format!(r#"{{"n":{}}}"#, self.written)),
            };
            self.audit.record(vec![event]).await.unwrap();
        }
    }

    async fn tick(&self) {
        let regions = vec![Region::parse("us-east-1").unwrap()];
        let pace = Pace { log_files: Duration::from_secs(300), digests: Duration::from_secs(3600) };
        let (audit, trails) = (Arc::clone(&self.audit), Arc::clone(&self.trails));
        Deliverer::new(audit, trails, regions, self.bucket.clone(), pace).tick().await.unwrap();
    }

    async fn trail(&self, validation: bool) -> Arc<Trail> {
        let request = serde_json::json!({"Name": "one", "S3BucketName": "logs", "EnableLogFileValidation": validation});
        let request: CreateTrailRequest = serde_json::from_value(request).unwrap();
        let plan = Plan::create(account(), "us-east-1", 1, request).unwrap();
        let trail = self.trails.create(plan.trail).await.unwrap();
        self.trails.start_logging(&trail, self.trails.now()).await.unwrap();
        trail
    }
}

fn account() -> AccountId {
    AccountId::parse("111111111111").unwrap()
}

#[tokio::test]
async fn every_event_of_a_logging_trail_is_delivered_once_and_in_five_minutes() {
    let mut world = World::new().await;
    world.happen(3).await;
    world.pass(1);
    let trail = world.trail(false).await;
    world.happen(4).await;
    world.tick().await;
    assert_eq!(world.bucket.events(), [4, 5, 6, 7]);
    world.happen(2).await;
    world.pass(4 * MINUTE);
    world.tick().await;
    assert_eq!(world.bucket.events().len(), 4, "not yet");
    world.pass(MINUTE);
    world.tick().await;
    assert_eq!(world.bucket.events(), [4, 5, 6, 7, 8, 9]);
    world.trails.stop_logging(&trail).await.unwrap();
    world.pass(1);
    world.happen(2).await;
    world.pass(10 * MINUTE);
    world.tick().await;
    assert_eq!(world.bucket.events(), [4, 5, 6, 7, 8, 9], "what came after StopLogging");
    assert!(world.bucket.named("Digest").is_empty());
}

#[tokio::test]
async fn a_lost_answer_or_a_crash_neither_loses_nor_doubles_an_event() {
    let mut world = World::new().await;
    world.trail(false).await;
    world.happen(3).await;
    world.bucket.0.lock().unwrap().loses_answers = true;
    world.tick().await;
    // Others came meanwhile, and the process is another.
    world.happen(3).await;
    world.pass(7 * MINUTE);
    world.trails = World::open(&world.fixture).await;
    world.tick().await;
    world.bucket.0.lock().unwrap().loses_answers = false;
    world.tick().await;
    world.pass(5 * MINUTE);
    world.tick().await;
    assert_eq!(world.bucket.events(), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_refusal_is_told_and_tried_again() {
    let mut world = World::new().await;
    let trail = world.trail(false).await;
    world.happen(1).await;
    world.bucket.0.lock().unwrap().refuses = Some("NoSuchBucket");
    world.tick().await;
    assert_eq!(world.trails.state(&trail, "us-east-1").await.unwrap().error.as_deref(), Some("NoSuchBucket"));
    world.bucket.0.lock().unwrap().refuses = None;
    world.tick().await;
    assert_eq!(world.trails.state(&trail, "us-east-1").await.unwrap().error, None);
    assert_eq!(world.bucket.events(), [1]);
}

#[tokio::test]
async fn digests_come_hourly_chain_and_end_with_the_trail() {
    let mut world = World::new().await;
    let trail = world.trail(true).await;
    world.happen(2).await;
    world.tick().await;
    for _ in 0..2 {
        world.pass(60 * MINUTE);
        world.tick().await;
    }
    world.pass(MINUTE);
    world.happen(1).await;
    world.trails.delete(&trail).await.unwrap();
    world.pass(MINUTE);
    world.tick().await;
    assert!(world.trails.all().is_empty(), "forgotten once all is delivered");
    let digests: Vec<_> =
        world.bucket.named("CloudTrail-Digest").iter().map(|name| world.bucket.content(name)).collect();
    let files = |digest: &serde_json::Value| digest["logFiles"].as_array().unwrap().len();
    assert_eq!(digests.iter().map(files).collect::<Vec<_>>(), [1, 0, 1], "an empty hour has its digest too");
    assert_eq!(digests[0]["previousDigestSignature"], serde_json::Value::Null);
    assert_eq!(digests[1]["oldestEventTime"], serde_json::Value::Null);
    for pair in digests.windows(2) {
        assert_eq!(pair[1]["previousDigestS3Object"], pair[0]["digestS3Object"]);
        assert_eq!(pair[1]["digestStartTime"], pair[0]["digestEndTime"]);
    }
}
