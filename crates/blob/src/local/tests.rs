#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{Buffer, Crc64, Written};

fn store() -> (TempDir, LocalBlobs) {
    let directory = TempDir::new().unwrap();
    let blobs = LocalBlobs::open(&directory.path().join("blobs"), &Options::default()).unwrap();
    (directory, blobs)
}

async fn write(blobs: &LocalBlobs, id: BlobId, pieces: &[Vec<u8>]) -> Result<Written, Error> {
    let mut writer = blobs.create(id).await?;
    let mut buffer = blobs.buffers().take();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        buffer = writer.write(buffer).await?;
        assert!(buffer.is_empty());
    }
    writer.finish().await
}

fn files(blobs: &LocalBlobs) -> usize {
    let folders = fs::read_dir(&blobs.0.directory).unwrap();
    folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

/// Removal runs beside the task, so it may take a moment.
async fn assert_no_files(blobs: &LocalBlobs) {
    for _ in 0..200 {
        if files(blobs) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} files are left", files(blobs));
}

#[test]
fn reads_give_back_what_was_written() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (_directory, blobs) = store();
    let pieces = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..5000), 0..6);
    let windows = proptest::collection::vec((0_u64..30_000, 0_usize..10_000), 1..10);
    proptest!(ProptestConfig::with_cases(64), |(pieces in pieces, windows in windows)| {
        runtime.block_on(check_reads(&blobs, &pieces, windows));
    });
}

async fn check_reads(blobs: &LocalBlobs, pieces: &[Vec<u8>], windows: Vec<(u64, usize)>) {
    let id = BlobId::generate();
    let model = pieces.concat();
    let mut crc = Crc64::new();
    crc.update(&model);
    let written = write(blobs, id, pieces).await.unwrap();
    assert_eq!(written, Written { len: model.len() as u64, crc64: crc.value() });

    let mut reader = blobs.open(id).await.unwrap();
    assert_eq!(reader.len(), model.len() as u64);
    for (offset, len) in windows {
        let start = usize::try_from(offset).unwrap();
        match reader.read_at(offset, blobs.buffers().take(), len).await {
            Ok(buffer) => assert_eq!(&buffer[..], &model[start..start + len]),
            Err(Error::Truncated(_)) => assert!(start + len > model.len()),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Stores that write past the page cache, that do not, and that want to where there is no way past it (if there is such a place).
fn every_way() -> Vec<(TempDir, LocalBlobs)> {
    let mut stores = vec![store(), store()];
    stores[1].1.0.direct.store(false, Ordering::Relaxed);
    if let Ok(directory) = TempDir::new_in("/dev/shm") {
        let blobs = LocalBlobs::open(&directory.path().join("blobs"), &Options::default()).unwrap();
        stores.push((directory, blobs));
    }
    stores
}

/// Lengths that come close to a page boundary: some pages, a few bytes more or less, and perhaps the header's.
fn near_pages(pages: std::ops::Range<usize>) -> impl Strategy<Value = usize> {
    (pages, 0_usize..5, prop_oneof![Just(0), Just(HEADER_LEN), Just(16)])
        .prop_map(|(pages, more, less)| (pages * 4096 + more).saturating_sub(less).saturating_sub(2))
}

#[test]
fn page_boundaries_leave_no_trace() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let stores = every_way();
    let more = proptest::collection::vec((near_pages(0..40), any::<bool>()), 0..8);
    proptest!(ProptestConfig::with_cases(64), |(first in near_pages(30..300), more in more)| {
        for (_, blobs) in &stores {
            runtime.block_on(check_near_pages(blobs, first, &more));
        }
    });
}

/// `more`: the lengths of further buffers, and whether each is another than the one that the writer gave back.
async fn check_near_pages(blobs: &LocalBlobs, first: usize, more: &[(usize, bool)]) {
    let id = BlobId::generate();
    let mut writer = blobs.create(id).await.unwrap();
    let (mut buffer, mut model) = (blobs.buffers().take(), Vec::new());
    for (len, foreign) in [(first, false)].iter().chain(more) {
        if *foreign {
            buffer = blobs.buffers().take();
        }
        let piece: Vec<u8> = (0..=250).cycle().skip(model.len() % 13).take(*len).collect();
        buffer.extend_from_slice(&piece);
        model.extend(piece);
        buffer = writer.write(buffer).await.unwrap();
        assert!(buffer.is_empty());
    }
    let mut crc = Crc64::new();
    crc.update(&model);
    let written = writer.finish().await.unwrap();
    assert_eq!(written, Written { len: model.len() as u64, crc64: crc.value() });
    let file = fs::read(blobs.0.path(id)).unwrap();
    assert_eq!(file.len(), HEADER_LEN + model.len());
    assert!(file[..HEADER_LEN] == crate::format::header(id) && file[HEADER_LEN..] == model);
}

#[tokio::test]
async fn an_upload_uses_two_buffers() {
    let (_directory, blobs) = store();
    let mut writer = blobs.create(BlobId::generate()).await.unwrap();
    let mut buffer = blobs.buffers().take();
    for _ in 0..10 {
        buffer.extend_from_slice(&[7; 1_048_832]);
        buffer = writer.write(buffer).await.unwrap();
    }
    writer.finish().await.unwrap();
    drop(buffer);
    assert!(blobs.buffers().idle_bytes() < 2 * 1_150_000, "{}", blobs.buffers().idle_bytes());
}

#[tokio::test]
async fn the_file_is_the_header_and_the_bytes() {
    let (_directory, blobs) = store();
    let id = BlobId::generate();
    write(&blobs, id, &[b"sealed".to_vec()]).await.unwrap();
    let path = blobs.0.path(id);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(path).unwrap(), [&crate::format::header(id)[..], b"sealed"].concat());
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let (_directory, blobs) = store();
    let id = BlobId::generate();
    assert_eq!(write(&blobs, id, &[]).await.unwrap().len, 0);
    assert!(blobs.open(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_dropped_writer_leaves_no_file() {
    let (_directory, blobs) = store();
    for writes in 0..4 {
        let mut writer = blobs.create(BlobId::generate()).await.unwrap();
        for _ in 0..writes {
            let mut buffer = blobs.buffers().take();
            buffer.extend_from_slice(&[7; 100_000]);
            writer.write(buffer).await.unwrap();
        }
        drop(writer);
        assert_no_files(&blobs).await;
    }
}

#[tokio::test]
async fn an_id_is_written_once() {
    let (_directory, blobs) = store();
    let id = BlobId::generate();
    write(&blobs, id, &[b"first".to_vec()]).await.unwrap();
    assert!(matches!(write(&blobs, id, &[b"second".to_vec()]).await, Err(Error::Exists(_))));
    let buffer = blobs.open(id).await.unwrap().read_at(0, Buffer::default(), 5).await.unwrap();
    assert_eq!(&buffer[..], b"first", "and the loser does not remove the winner's file");
}

#[tokio::test]
async fn a_truncated_file_is_seen() {
    let (_directory, blobs) = store();
    let id = BlobId::generate();
    write(&blobs, id, &[vec![1; 1000]]).await.unwrap();
    let mut early = blobs.open(id).await.unwrap();
    let file = File::options().write(true).open(blobs.0.path(id)).unwrap();

    file.set_len(HEADER_LEN as u64 + 999).unwrap();
    assert!(matches!(early.read_at(0, Buffer::default(), 1000).await, Err(Error::Truncated(_))), "already open");
    let mut late = blobs.open(id).await.unwrap();
    assert!(matches!(late.read_at(0, Buffer::default(), 1000).await, Err(Error::Truncated(_))));

    file.set_len(HEADER_LEN as u64 - 1).unwrap();
    assert!(matches!(blobs.open(id).await, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_foreign_file_is_refused() {
    let (_directory, blobs) = store();
    let (here, there) = (BlobId::generate(), BlobId::generate());
    write(&blobs, here, &[b"bytes".to_vec()]).await.unwrap();
    fs::copy(blobs.0.path(here), blobs.0.path(there)).unwrap();
    assert!(matches!(blobs.open(there).await, Err(Error::Damaged { .. })), "another blob's file");
    fs::write(blobs.0.path(there), [0; 100]).unwrap();
    assert!(matches!(blobs.open(there).await, Err(Error::Damaged { .. })), "not a blob");
    assert!(matches!(blobs.open(BlobId::generate()).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn deleting_is_idempotent() {
    let (_directory, blobs) = store();
    let id = BlobId::generate();
    write(&blobs, id, &[b"bytes".to_vec()]).await.unwrap();
    blobs.delete(id).await.unwrap();
    blobs.delete(id).await.unwrap();
    assert!(matches!(blobs.open(id).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn pages_of_a_list_make_up_the_whole() {
    let (_directory, blobs) = store();
    let mut ids: Vec<BlobId> = (0..40).map(|_| BlobId::generate()).collect();
    for spread in 0..10 {
        ids.push(BlobId::from_bytes([[0xaa; 15].as_slice(), &[spread]].concat().try_into().unwrap()));
    }
    for id in &ids {
        write(&blobs, *id, &[b"bytes".to_vec()]).await.unwrap();
    }
    ids.sort();
    fs::write(blobs.0.folder(3).join("not-a-blob"), b"").unwrap();
    fs::write(blobs.0.folder(3).join("ff".repeat(16)), b"").unwrap();
    for limit in [1, 3, 50, 1000] {
        let mut listed = Vec::new();
        loop {
            let page = blobs.list(listed.last().copied(), limit).await.unwrap();
            assert!(page.len() <= limit && page.iter().all(|entry| entry.len == 5));
            if page.is_empty() {
                break;
            }
            listed.extend(page.iter().map(|entry| entry.id));
        }
        assert_eq!(listed, ids, "limit {limit}");
    }
}

#[tokio::test]
async fn a_failed_sync_ends_all_writing_but_no_reading() {
    let broken: fn(&File) -> io::Result<()> = |_| Err(io::Error::other("the disk is broken"));
    for syncs in [Syncs { file: broken, ..SYNCS }, Syncs { folder: broken, ..SYNCS }] {
        let directory = TempDir::new().unwrap();
        let good = LocalBlobs::open(directory.path(), &Options::default()).unwrap();
        let old = BlobId::generate();
        write(&good, old, &[b"old".to_vec()]).await.unwrap();

        let blobs = LocalBlobs::with_syncs(directory.path(), &Options::default(), syncs).unwrap();
        let mut open = blobs.create(BlobId::generate()).await.unwrap();
        assert!(!blobs.poisoned());
        assert!(matches!(write(&blobs, BlobId::generate(), &[b"new".to_vec()]).await, Err(Error::Io(_))));
        assert!(blobs.poisoned());
        assert!(matches!(blobs.create(BlobId::generate()).await, Err(Error::Poisoned)));
        assert!(matches!(open.write(Buffer::default()).await, Err(Error::Poisoned)));
        assert!(matches!(blobs.delete(old).await, Err(Error::Poisoned)));
        assert_eq!(blobs.open(old).await.unwrap().len(), 3);
        assert_eq!(files(&blobs), 1, "the blob that could not be synced is gone");
    }
}

#[tokio::test]
async fn no_room_at_the_sync_fails_that_blob_alone() {
    let directory = TempDir::new().unwrap();
    let full: fn(&File) -> io::Result<()> = |_| Err(io::ErrorKind::StorageFull.into());
    let blobs = LocalBlobs::with_syncs(directory.path(), &Options::default(), Syncs { file: full, ..SYNCS }).unwrap();
    assert!(matches!(write(&blobs, BlobId::generate(), &[b"new".to_vec()]).await, Err(Error::Full)));
    assert!(!blobs.poisoned());
    assert_eq!(files(&blobs), 0);
}

#[tokio::test]
async fn a_failed_writer_stays_failed() {
    let (_directory, blobs) = store();
    fs::remove_dir(blobs.0.folder(0)).unwrap();
    let mut writer = blobs.create(BlobId::from_bytes([0; 16])).await.unwrap();
    let mut failures = 0;
    for _ in 0..4 {
        failures += u32::from(writer.write(Buffer::default()).await.is_err());
    }
    assert_eq!(failures, 3, "the first write is held back");
    assert!(matches!(writer.finish().await, Err(Error::Interrupted)));
}
