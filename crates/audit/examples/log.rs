//! Measures the event log over SQLite: `cargo run --release -p strongroom-audit --example log -- FOLDER [EVENTS] [REUSE]`.
//!
//! First what recording costs with 32 recorders, strict and relaxed: CPU of the whole process for each event, events made beforehand.
//! Then it fills the log with EVENTS (ten million by default) in blocks of 32, measures lookups by key, user and the like, how long the
//! log takes to open, and how long it takes to verify. The folder is left behind, and can be given again with REUSE.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation, reason = "a measurement")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use audit::{Attribute, Audit, Category, Event, Mode, Query, Resource, Searchable, Settings};
use bytes::Bytes;
use keys::{AccountId, KeyFile, Keys, Region, RootKey, Timestamp};
use uuid::Uuid;

const RECORDERS: u64 = 32;
const ROUNDS: u64 = 2_000;
const LOOKUPS: u64 = 2_000;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder");
    let events: u64 = arguments.next().map_or(10_000_000, |count| count.parse().unwrap());
    let reuse = arguments.next().is_some();
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    if !reuse {
        for (mode, name) in [(Mode::Strict, "strict"), (Mode::Relaxed, "relaxed")] {
            record(&folder.join(name), mode, name).await;
        }
    }
    look(folder, events, reuse).await;
}

async fn open(folder: &Path, mode: Mode) -> (Arc<Audit>, Arc<dyn meta::Store>) {
    std::fs::create_dir_all(folder).unwrap();
    let store: Arc<dyn meta::Store> =
        Arc::new(meta::sqlite::Sqlite::open(&folder.join("metadata.db"), meta::sqlite::Options::default()).unwrap());
    let path = folder.join("root.key");
    let root: Arc<dyn RootKey> = match path.exists() {
        true => Arc::new(KeyFile::load(&path).unwrap()),
        false => Arc::new(KeyFile::create(&path).unwrap()),
    };
    let clock: keys::Clock = Arc::new(SystemTime::now);
    let settings = keys::Settings { region: region(), other_regions: Vec::new(), clock: Arc::clone(&clock) };
    let keys = Keys::open(Arc::clone(&store), root, settings).await.unwrap();
    let retention = Duration::from_secs(400 * 24 * 60 * 60);
    (Audit::open(Arc::clone(&store), keys, Settings { mode, retention, clock }).await.unwrap(), store)
}

async fn record(folder: &Path, mode: Mode, name: &str) {
    let (audit, store) = open(folder, mode).await;
    let made: Vec<Vec<Event>> =
        (0..RECORDERS).map(|of| (0..ROUNDS).map(|turn| event(of * ROUNDS + turn)).collect()).collect();
    let (before, started, syncs) = (cpu(), Instant::now(), store.statistics().groups);
    let tasks: Vec<_> = made
        .into_iter()
        .map(|events| {
            let audit = Arc::clone(&audit);
            tokio::spawn(async move {
                for event in events {
                    audit.record(vec![event]).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    audit.close().await;
    let (events, blocks) = (RECORDERS * ROUNDS, store.statistics().groups - syncs);
    println!(
        "{name}: {:.1} µs CPU an event, {:.0} events/s, {:.1} events a block",
        (cpu() - before).as_secs_f64() * 1e6 / events as f64,
        events as f64 / started.elapsed().as_secs_f64(),
        events as f64 / blocks as f64,
    );
    store.close().await;
    println!("{name}: {} bytes an event in the store", size(folder) / events);
}

/// What the lookup of a number asks for.
type Ask = fn(u64) -> Option<Attribute>;

async fn look(folder: &Path, events: u64, reuse: bool) {
    if !reuse {
        fill(folder, events).await;
    }
    let started = Instant::now();
    let (audit, store) = open(folder, Mode::Strict).await;
    println!("opened in {:?}", started.elapsed());
    // Waits for the index.
    audit.lookup(&query(None)).await.unwrap();
    println!("index ready after {:?}", started.elapsed());
    let kinds: [(&str, Ask); 8] = [
        ("any", |_| None),
        ("key (ResourceName)", |of| Some(Attribute::ResourceName(key(of % KEYS)))),
        ("user", |of| Some(Attribute::Username(user(of % USERS)))),
        ("a user with 30 events", |of| Some(Attribute::Username(rare(of % 100)))),
        ("a user with none", |of| Some(Attribute::Username(format!("nobody-{of}")))),
        ("EventId", |of| Some(Attribute::EventId(id(of * 4_999).to_string()))),
        ("EventName", |of| Some(Attribute::EventName(NAMES[of as usize % NAMES.len()].to_owned()))),
        ("session key", |of| Some(Attribute::AccessKeyId(session(of * 61)))),
    ];
    let newest = *audit.newest().borrow();
    for (name, attribute) in kinds {
        let mut times = Vec::new();
        let mut found = 0;
        for of in 0..LOOKUPS {
            // Half of them in the week that ends somewhere, half in all that there is.
            let until = START + of.wrapping_mul(7_919) % newest * STEP;
            let mut query = query(attribute(of % events));
            if of.is_multiple_of(2) {
                query.start = Some(Timestamp::from_millis(until.saturating_sub(7 * 24 * 3_600_000)));
                query.end = Some(Timestamp::from_millis(until));
            }
            let started = Instant::now();
            found += audit.lookup(&query).await.unwrap().events.len();
            times.push(started.elapsed());
        }
        times.sort();
        println!(
            "lookup by {name}: p50 {:?}, p99 {:?}, longest {:?}; {:.1} events a page",
            times[times.len() / 2],
            times[times.len() * 99 / 100],
            times[times.len() - 1],
            found as f64 / LOOKUPS as f64
        );
    }
    let (before, started) = (cpu(), Instant::now());
    let report = audit.verify(None).await.unwrap();
    println!(
        "verified {} events, {} findings, in {:?} ({:?} CPU)",
        report.events,
        report.findings.len(),
        started.elapsed(),
        cpu() - before
    );
    audit.close().await;
    store.close().await;
}

async fn fill(folder: &Path, events: u64) {
    let (audit, store) = open(folder, Mode::Strict).await;
    let (before, started) = (cpu(), Instant::now());
    let mut waiting = std::collections::VecDeque::new();
    for first in (0..events).step_by(32) {
        let made: Vec<Event> = (first..first + 32).map(event).collect();
        let audit = Arc::clone(&audit);
        waiting.push_back(tokio::spawn(async move { audit.record(made).await.unwrap() }));
        if waiting.len() >= 2 {
            waiting.pop_front().unwrap().await.unwrap();
        }
        if first > 0 && first % 1_000_000 == 0 {
            println!("{first} after {:?}", started.elapsed());
        }
    }
    for task in waiting {
        task.await.unwrap();
    }
    println!("filled with {events} in {:?} ({:?} CPU)", started.elapsed(), cpu() - before);
    audit.close().await;
    store.close().await;
    println!("{} bytes an event in the store, index included", size(folder) / events);
}

const USERS: u64 = 500;
const KEYS: u64 = 300;
/// 90 days of ten million events.
const STEP: u64 = 777;
const START: u64 = 1_750_000_000_000;
const NAMES: [&str; 6] = ["Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey", "AssumeRole", "ListKeys"];

fn region() -> Region {
    Region::parse("us-east-1").unwrap()
}

fn account() -> AccountId {
    AccountId::parse("123456789012").unwrap()
}

fn id(of: u64) -> Uuid {
    let random = mix(of);
    Uuid::from_u64_pair(random, mix(random))
}

fn user(of: u64) -> String {
    format!("application-{of}")
}

fn rare(of: u64) -> String {
    format!("auditor-{of}")
}

fn key(of: u64) -> String {
    format!("arn:aws:kms:us-east-1:123456789012:key/{}", id(1 << 40 | of))
}

fn session(of: u64) -> String {
    format!("ASIA{:016X}", mix(of / 60))
}

/// A record of 1.2 KB, as one of KMS looks.
fn event(of: u64) -> Event {
    let (random, id) = (mix(of), id(of));
    let user = if random % 3_333 == 0 { rare(random / 3_333 % 100) } else { user(random % USERS) };
    let (key, name) = (key(random / 7 % KEYS), NAMES[(random / 11) as usize % NAMES.len()]);
    let session = session(of);
    let read_only = name != "AssumeRole";
    let record = format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROA{random:016X}:{user}","arn":"arn:aws:sts::123456789012:assumed-role/{user}/session","accountId":"123456789012","accessKeyId":"{session}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{random:016X}","arn":"arn:aws:iam::123456789012:role/{user}","accountId":"123456789012","userName":"{user}"}},"attributes":{{"creationDate":"2025-06-15T12:00:00Z","mfaAuthenticated":"false"}}}}}},"eventTime":"2025-06-15T12:34:56Z","eventSource":"kms.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"10.0.{}.{}","userAgent":"Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.11.2","requestParameters":{{"keyId":"{key}","encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{{"tenant":"{:08x}"}}}},"responseElements":null,"requestID":"{}","eventID":"{id}","readOnly":{read_only},"resources":[{{"accountId":"123456789012","type":"AWS::KMS::Key","ARN":"{key}"}}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"kms.example.com"}}}}"#,
        random >> 8 & 255,
        random & 255,
        random as u32,
        Uuid::from_u64_pair(mix(random ^ 1), mix(random ^ 2)),
    );
    Event {
        id,
        time: Timestamp::from_millis(START + of * STEP),
        account: account(),
        region: region(),
        category: Category::Management,
        searchable: Searchable {
            event_name: name.to_owned(),
            event_source: "kms.amazonaws.com".to_owned(),
            read_only,
            user_name: Some(user),
            access_key_id: Some(session),
            resources: vec![Resource { kind: "AWS::KMS::Key".to_owned(), name: key }],
        },
        record: Bytes::from(record),
    }
}

fn query(attribute: Option<Attribute>) -> Query {
    Query {
        account: account(),
        region: region(),
        attribute,
        start: None,
        oldest: None,
        end: None,
        limit: 50,
        token: None,
    }
}

/// SplitMix64.
fn mix(of: u64) -> u64 {
    let mut z = of.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// CPU time of this process, in steps of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn size(folder: &Path) -> u64 {
    let file = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().metadata().unwrap();
    std::fs::read_dir(folder).unwrap().map(file).filter(std::fs::Metadata::is_file).map(|file| file.len()).sum()
}
