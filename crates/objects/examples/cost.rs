//! What an object costs in this crate: CPU of the whole process for each PUT and GET, over the real stores.
//!
//!     cargo run --release -p strongroom-objects --example cost [memory]
//!
//! `memory`: rows are kept in maps, which leaves this crate's own share.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the product")]

use blob::local::{LocalBlobs, Options};
use bytes::Bytes;
use keys::{AccountId, KeyFile, Keys, Principal, Region};
use objects::{
    BlockedTypes, BucketName, Dependencies, EncryptionRequest, GetObject, ObjectName, Objects, PutObject, Settings,
    system_clock,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const WRITERS: usize = 32;
const EACH: usize = 600;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let directory = tempfile::TempDir::new_in(std::env::current_dir().unwrap()).unwrap();
    let path = directory.path();
    let store: Arc<dyn meta::Store> = match std::env::args().nth(1).as_deref() {
        Some("memory") => Arc::new(meta::memory::Memory::new()),
        _ => Arc::new(meta::sqlite::Sqlite::open(&path.join("meta.db"), meta::sqlite::Options::default()).unwrap()),
    };
    let region = Region::parse("eu-central-1").unwrap();
    let root = Arc::new(KeyFile::create(&path.join("root")).unwrap());
    let keys = keys::Settings { region: region.clone(), other_regions: vec![], clock: system_clock() };
    let keys = Keys::open(Arc::clone(&store), root, keys).await.unwrap();
    let blobs = Arc::new(LocalBlobs::open(&path.join("blobs"), &Options::default()).unwrap());
    let settings = Settings {
        inline_limit: 64 * 1024,
        blocked_by_default: BlockedTypes::default(),
        public_access_by_default: None,
        region,
        clock: system_clock(),
    };
    let objects = Objects::open(Dependencies { store: Arc::clone(&store), blobs, keys }, settings).unwrap();
    let principal = Arc::new(Principal::root(AccountId::parse("111122223333").unwrap(), "AKIDEXAMPLE"));
    let bucket = objects.create_bucket(&principal, &BucketName::parse("bucket").unwrap()).await.unwrap();

    for (label, kms, bucket_key) in [("SSE-S3", false, false), ("SSE-KMS", true, false), ("Bucket Key", true, true)] {
        for size in [4 * 1024, 64 * 1024, 1024 * 1024, 64 * 1024 * 1024] {
            let each = (EACH * 64 * 1024 / size.max(64 * 1024)).max(1);
            let data = Bytes::from(vec![7; size]);
            let before = store.statistics();
            let put = measure(each, |writer| {
                let (objects, principal, bucket, data) =
                    (Arc::clone(&objects), Arc::clone(&principal), Arc::clone(&bucket), data.clone());
                async move {
                    for number in 0..each {
                        let encryption = match kms {
                            true => {
                                EncryptionRequest::SseKms { key: None, context: None, bucket_key: Some(bucket_key) }
                            }
                            false => EncryptionRequest::SseS3,
                        };
                        let request = PutObject { encryption, length: Some(data.len() as u64), ..PutObject::default() };
                        let name = name(writer, number);
                        let mut body = Some(data.clone());
                        objects.put_object(&principal, &bucket, &name, request, &mut body).await.unwrap();
                    }
                }
            })
            .await;
            let syncs = store.statistics().syncs - before.syncs;
            let get = measure(each, |writer| {
                let (objects, principal, bucket) = (Arc::clone(&objects), Arc::clone(&principal), Arc::clone(&bucket));
                async move {
                    for number in 0..each {
                        let name = name(writer, number);
                        let mut reader =
                            objects.open_object(&principal, &bucket, &name, GetObject::default()).await.unwrap();
                        let mut received = 0;
                        while let Some(piece) = reader.next().await.unwrap() {
                            received += piece.len();
                        }
                        // A cost is worth nothing if the work was not done.
                        assert_eq!(received, size);
                    }
                }
            })
            .await;
            println!(
                "{label:10} {:5} KiB: PUT {:7.1} µs CPU {:7.0}/s ({} syncs per 1,000), GET {:7.1} µs CPU {:7.0}/s",
                size / 1024,
                put.0,
                put.1,
                syncs * 1000 / (WRITERS * each) as u64,
                get.0,
                get.1,
            );
        }
    }
}

/// CPU µs and wall-clock rate of each of `WRITERS * each` operations.
async fn measure<F: Future<Output = ()> + Send + 'static>(each: usize, work: impl Fn(usize) -> F) -> (f64, f64) {
    let (cpu, wall) = (cpu_time(), Instant::now());
    let tasks: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(work(writer))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let count = (WRITERS * each) as f64;
    ((cpu_time() - cpu).as_secs_f64() * 1e6 / count, count / wall.elapsed().as_secs_f64())
}

fn name(writer: usize, number: usize) -> ObjectName {
    ObjectName::parse(&format!("{:08x}/{writer}/{number}", (writer * EACH + number).wrapping_mul(2_654_435_761)))
        .unwrap()
}

/// User and system time of this process: fields 14 and 15 of its stat file, in hundredths of a second.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
