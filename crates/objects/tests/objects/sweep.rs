//! The sweep deletes what a crash leaves, and nothing else.

use crate::support::uploads::named;
use crate::support::{MIB, WAYS, Way, World, data, object};
use bytes::Bytes;
use meta::{Order, Range, Record, Table};
use objects::{
    Body, BodyError, CopyObject, CopySource, MetadataDirective, PutObject, ReadConditions, Window, WriteCondition,
};
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

const LARGE: usize = 300_000;
const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn what_is_named_stays() {
    let world = World::new().await;
    let five = data(5 * MIB);
    for (index, way) in WAYS.into_iter().enumerate() {
        world.put(&format!("large{index}"), way, &data(LARGE)).await.unwrap();
        world.multipart(&format!("parts{index}"), way, &[(1, &five), (2, b"last")]).await;
    }
    let open = world.create("open", Way::SseKms).await;
    let part = world.part("open", &open, Way::SseKms, 1, b"part").await.unwrap();
    // Sealed anew: another version of the same data.
    let source = CopySource {
        seen: None,
        bucket: Arc::clone(&world.bucket),
        name: object("parts0"),
        customer_key: None,
        conditions: ReadConditions::default(),
    };
    let request = CopyObject {
        tags: objects::TaggingDirective::Copy,
        source,
        encryption: world.encryption(Way::BucketKey),
        metadata: MetadataDirective::Copy,
        checksum: None,
        condition: WriteCondition::default(),
    };
    world.objects.copy_object(&world.principal, &world.bucket, &object("parts0"), request).await.unwrap();
    let files = world.blob_files().len();
    let report = world.objects.sweep(Duration::ZERO).await.unwrap();
    assert_eq!((report.examined, report.deleted, report.rows), (files as u64, 0, 0));
    assert_eq!(world.blob_files().len(), files);
    for (index, way) in WAYS.into_iter().enumerate() {
        assert!(world.get(&format!("parts{index}"), way, Window::All).await.unwrap().len() == five.len() + 4);
    }
    world.complete("open", &open, vec![named(1, &part)]).await.unwrap();
    assert_eq!(world.objects.sweep(Duration::ZERO).await.unwrap().deleted, 0);
    assert_eq!(world.get("open", Way::SseKms, Window::All).await.unwrap(), b"part");
}

#[tokio::test]
async fn leftovers_go() {
    let world = World::new().await;
    world.put("object", Way::SseS3, &data(LARGE)).await.unwrap();
    let kept = world.blob_files();
    // As a crash before the commit leaves it, whole, torn, and before its first byte.
    let whole = fs::read(&kept[0]).unwrap();
    for len in [whole.len(), whole.len() / 2, 0] {
        fs::write(world.stranger(), &whole[..len]).unwrap();
    }
    // A file that is none of ours.
    let foreign = world.stranger().with_file_name("README");
    fs::write(&foreign, b"leave me").unwrap();

    assert_eq!(world.objects.sweep(HOUR).await.unwrap().deleted, 0, "young files may be waiting for their record");
    let report = world.objects.sweep(Duration::ZERO).await.unwrap();
    assert_eq!((report.deleted, report.rows), (3, 0));
    assert!(report.bytes > LARGE as u64 && foreign.exists());
    fs::remove_file(foreign).unwrap();
    assert_eq!(world.blob_files(), kept);

    let old = world.stranger();
    fs::write(&old, &whole).unwrap();
    File::options().write(true).open(&old).unwrap().set_modified(SystemTime::now() - 2 * HOUR).unwrap();
    assert_eq!(world.objects.sweep(HOUR).await.unwrap().deleted, 1);
}

#[tokio::test]
async fn rows_and_files_whose_owner_forgot_them() {
    let world = World::new().await;
    for case in 0..4 {
        let data = data(LARGE);
        world.put("object", Way::SseS3, &data).await.unwrap();
        world.objects.close().await;
        let (files, before) = (world.blob_files(), world.blob_rows().await);
        match case {
            // The object is gone without its blob's row.
            0 => world.remove(Table::Object, &world.row_key("object")).await,
            // A damaged record was replaced: nobody could tell what it named.
            1 => {
                let row = world.row("object").await;
                world.set_row("object", Record { value: Bytes::from_static(b"damaged"), ..row }).await;
                let report = world.objects.sweep(Duration::ZERO).await.unwrap();
                assert_eq!((report.deleted, report.rows), (0, 0), "what a damaged record named may be needed");
                world.put("object", Way::SseS3, &data).await.unwrap();
            }
            // The deletion of a replaced blob was lost.
            2 => {
                let kept = fs::read(&files[0]).unwrap();
                world.put("object", Way::SseS3, &data).await.unwrap();
                world.objects.close().await;
                fs::write(&files[0], kept).unwrap();
            }
            // The file is gone, its row is not.
            _ => {
                world.remove(Table::Object, &world.row_key("object")).await;
                fs::remove_file(&files[0]).unwrap();
            }
        }
        let report = world.objects.sweep(Duration::ZERO).await.unwrap();
        let expected = [(1, 1), (1, 1), (1, 0), (0, 1)][case];
        assert_eq!((report.deleted, report.rows), expected, "{case}");
        assert!(!files[0].exists());
        let after = world.blob_rows().await;
        assert!(!after.iter().any(|row| before.contains(row)));
        assert_eq!(after.len(), world.blob_files().len());
        if case == 1 || case == 2 {
            assert!(world.get("object", Way::SseS3, Window::All).await.unwrap() == data);
        }
    }
}

/// A client that pauses for longer than any grace in the middle of its body.
#[tokio::test]
async fn a_blob_that_is_being_written_stays() {
    let world = Arc::new(World::new().await);
    let (resume, written) = (Arc::new(Notify::new()), data(4 * MIB));
    let mut body =
        Pausing { rest: vec![Bytes::from(written.clone()), Bytes::from_static(b"end")], resume: Arc::clone(&resume) };
    let writer = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let (principal, bucket) = (&world.principal, &world.bucket);
            world
                .objects
                .put_object(principal, bucket, &object("object"), PutObject::default(), &mut body)
                .await
                .unwrap();
        })
    };
    while world.blob_files().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let report = world.objects.sweep(Duration::ZERO).await.unwrap();
    assert_eq!((report.examined, report.deleted), (1, 0));
    resume.notify_one();
    writer.await.unwrap();
    assert_eq!(world.get("object", Way::SseS3, Window::All).await.unwrap(), [&written[..], b"end"].concat());
    assert_eq!(world.objects.sweep(Duration::ZERO).await.unwrap().deleted, 0);
}

/// Writers of all kinds and a sweep without grace, over and over: what is acknowledged is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_is_needed_goes_beside_writers() {
    let world = Arc::new(World::new().await);
    let writers: Vec<_> = (0..4_usize)
        .map(|writer| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for round in 0..50_usize {
                    let (name, data) = (format!("object{writer}"), data(100_000 + round));
                    if round % 3 == 0 {
                        world.multipart(&name, Way::SseS3, &[(1, &data)]).await;
                    } else {
                        world.put(&name, Way::SseS3, &data).await.unwrap();
                    }
                    assert!(world.get(&name, Way::SseS3, Window::All).await.unwrap() == data);
                }
            })
        })
        .collect();
    while writers.iter().any(|writer| !writer.is_finished()) {
        world.objects.sweep(Duration::ZERO).await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    world.objects.close().await;
    world.objects.sweep(Duration::ZERO).await.unwrap();
    assert_eq!((world.blob_files().len(), world.blob_rows().await.len()), (4, 4));
}

struct Pausing {
    rest: Vec<Bytes>,
    resume: Arc<Notify>,
}

#[async_trait::async_trait]
impl Body for Pausing {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        if self.rest.len() == 1 {
            self.resume.notified().await;
        }
        Ok(if self.rest.is_empty() { None } else { Some(self.rest.remove(0)) })
    }
}

impl World {
    /// The path of a blob that does not exist.
    fn stranger(&self) -> PathBuf {
        let id = blob::BlobId::generate().to_string();
        self.directory().join("blobs").join(&id[..2]).join(&id)
    }

    async fn blob_rows(&self) -> Vec<Bytes> {
        let rows = self.store.scan(Table::Blob, &Range::all(), Order::Ascending, 1_000).await.unwrap();
        rows.into_iter().map(|row| row.key).collect()
    }
}
