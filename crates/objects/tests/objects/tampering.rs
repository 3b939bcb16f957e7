//! Somebody changes what is stored: no wrong byte ever comes out, in any mode, and each change is an error.

use crate::support::{MIB, WAYS, Way, World, data};
use objects::{Error, RangeSpec, Window};
use std::fs;

/// Over several segments and several buffers, or in the row.
const LARGE: usize = 2 * MIB + 100_000;
const SMALL: usize = 10_000;
/// Magic, version and id at the start of a blob's file.
const HEADER: usize = blob::format::HEADER_LEN;

#[tokio::test]
async fn a_flipped_bit_anywhere_in_a_blob() {
    let world = World::new().await;
    for way in WAYS {
        let data = data(LARGE);
        world.put("object", way, &data).await.unwrap();
        let file = world.only_blob().await;
        let whole = fs::read(&file).unwrap();
        let places = [0, 5, HEADER, HEADER + 70_000, HEADER + 65_536, whole.len() / 2, whole.len() - 1];
        for place in places {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            fs::write(&file, &damaged).unwrap();
            world.refuses("object", way, &data).await;
        }
        fs::write(&file, &whole).unwrap();
        assert!(world.get("object", way, Window::All).await.unwrap() == data);
    }
}

#[tokio::test]
async fn a_truncated_extended_or_missing_blob() {
    let world = World::new().await;
    for way in WAYS {
        let data = data(LARGE);
        world.put("object", way, &data).await.unwrap();
        let file = world.only_blob().await;
        let whole = fs::read(&file).unwrap();
        for len in [0, HEADER - 1, HEADER, HEADER + 65_552, whole.len() - 65_552, whole.len() - 1] {
            fs::write(&file, &whole[..len]).unwrap();
            world.refuses("object", way, &data).await;
        }
        fs::write(&file, [&whole[..], b"more"].concat()).unwrap();
        world.refuses("object", way, &data).await;
        fs::remove_file(&file).unwrap();
        world.refuses("object", way, &data).await;
        fs::write(&file, &whole).unwrap();
    }
}

#[tokio::test]
async fn reordered_and_repeated_segments() {
    let world = World::new().await;
    let data = data(4 * 65_536);
    world.put("object", Way::SseKms, &data).await.unwrap();
    let file = world.only_blob().await;
    let whole = fs::read(&file).unwrap();
    let segment = |index: usize| HEADER + index * 65_552..HEADER + (index + 1) * 65_552;
    for (from, to) in [(0, 1), (1, 0), (3, 0), (0, 3)] {
        let mut damaged = whole.clone();
        damaged.copy_within(segment(from), segment(to).start);
        fs::write(&file, &damaged).unwrap();
        world.refuses("object", Way::SseKms, &data).await;
    }
}

#[tokio::test]
async fn blobs_that_change_places() {
    let world = World::new().await;
    for way in WAYS {
        let (first, second) = (data(LARGE), vec![0x5a; LARGE]);
        world.put("first", way, &first).await.unwrap();
        let first_file = world.only_blob().await;
        world.put("second", way, &second).await.unwrap();
        let second_file = world.blob_files().into_iter().find(|file| *file != first_file).unwrap();
        let (first_bytes, second_bytes) = (fs::read(&first_file).unwrap(), fs::read(&second_file).unwrap());
        fs::write(&first_file, &second_bytes).unwrap();
        fs::write(&second_file, &first_bytes).unwrap();
        world.refuses("first", way, &first).await;
        world.refuses("second", way, &second).await;
        // The same with each file's own header: the segments themselves are bound to their blob.
        fs::write(&first_file, [&first_bytes[..HEADER], &second_bytes[HEADER..]].concat()).unwrap();
        world.refuses("first", way, &first).await;
        world.delete_and_wait("first").await;
        world.delete_and_wait("second").await;
    }
}

#[tokio::test]
async fn an_older_blob_in_the_place_of_a_newer_one() {
    let world = World::new().await;
    for way in WAYS {
        let (old, new) = (vec![1; LARGE], vec![2; LARGE]);
        world.put("object", way, &old).await.unwrap();
        let old_bytes = fs::read(world.only_blob().await).unwrap();
        world.put("object", way, &new).await.unwrap();
        let file = world.only_blob().await;
        let header = fs::read(&file).unwrap()[..HEADER].to_vec();
        fs::write(&file, [&header[..], &old_bytes[HEADER..]].concat()).unwrap();
        world.refuses("object", way, &new).await;
    }
}

#[tokio::test]
async fn a_flipped_bit_anywhere_in_a_row() {
    let world = World::new().await;
    for way in WAYS {
        let data = data(SMALL);
        world.put("object", way, &data).await.unwrap();
        let row = world.row("object").await;
        for place in (0..row.value.len()).step_by(7) {
            let mut value = row.value.to_vec();
            value[place] ^= 1;
            world.set_row("object", meta::Record { value: value.into(), body: row.body.clone() }).await;
            world.refuses("object", way, &data).await;
        }
        let body = row.body.clone().unwrap();
        for place in [0, 1, SMALL / 2, body.len() - 16, body.len() - 1] {
            let mut damaged = body.to_vec();
            damaged[place] ^= 1;
            world.set_row("object", meta::Record { value: row.value.clone(), body: Some(damaged.into()) }).await;
            world.refuses("object", way, &data).await;
        }
        for body in [None, Some(body.slice(1..)), Some(body.slice(..body.len() - 1)), Some(bytes::Bytes::new())] {
            world.set_row("object", meta::Record { value: row.value.clone(), body }).await;
            world.refuses("object", way, &data).await;
        }
    }
}

#[tokio::test]
async fn rows_that_change_places() {
    let world = World::new().await;
    for way in WAYS {
        for size in [SMALL, LARGE] {
            let (first, second) = (data(size), vec![0x5a; size]);
            world.put("first", way, &first).await.unwrap();
            world.put("second", way, &second).await.unwrap();
            let (first_row, second_row) = (world.row("first").await, world.row("second").await);
            world.set_row("first", second_row.clone()).await;
            world.set_row("second", first_row.clone()).await;
            world.refuses("first", way, &first).await;
            world.refuses("second", way, &second).await;
            // Bodies alone.
            if size == SMALL {
                world.set_row("first", meta::Record { value: first_row.value.clone(), body: second_row.body }).await;
                world.refuses("first", way, &first).await;
            }
        }
    }
}

#[tokio::test]
async fn an_older_body_beside_a_newer_row() {
    let world = World::new().await;
    for way in WAYS {
        let new = vec![2; SMALL];
        world.put("object", way, &vec![1; SMALL]).await.unwrap();
        let old = world.row("object").await;
        world.put("object", way, &new).await.unwrap();
        let row = world.row("object").await;
        world.set_row("object", meta::Record { value: row.value, body: old.body }).await;
        world.refuses("object", way, &new).await;
    }
}

#[tokio::test]
async fn a_damaged_object_can_be_replaced_and_deleted() {
    let world = World::new().await;
    for _ in 0..2 {
        world.put("object", Way::SseS3, b"x").await.unwrap();
        world.set_row("object", meta::Record { value: "junk".into(), body: None }).await;
        world.put("object", Way::SseS3, b"new").await.unwrap();
        assert_eq!(world.get("object", Way::SseS3, Window::All).await.unwrap(), b"new");
        world.set_row("object", meta::Record { value: "junk".into(), body: None }).await;
        world.delete_and_wait("object").await;
        assert!(matches!(world.get("object", Way::SseS3, Window::All).await, Err(Error::NoSuchKey)));
    }
}

impl World {
    /// Every way to read ends in an error, or (a range that the damage does not touch) gives the right bytes.
    async fn refuses(&self, name: &str, way: Way, data: &[u8]) {
        let whole = self.get(name, way, Window::All).await;
        assert!(matches!(whole, Err(Error::DamagedObject)), "{way:?}: {:?}", whole.map(|bytes| bytes.len()));
        let end = data.len() as u64 - 1;
        for (first, last) in [(0, 0), (0, end), (end, end), (70_000.min(end), 70_100.min(end)), (end / 2, end)] {
            match self.get(name, way, Window::Range(RangeSpec::FirstLast(first, last))).await {
                Ok(found) => {
                    let expected = &data[usize::try_from(first).unwrap()..=usize::try_from(last).unwrap()];
                    assert!(found == expected, "{way:?}: wrong bytes");
                }
                Err(error) => assert!(matches!(error, Error::DamagedObject), "{way:?}: {error:?}"),
            }
        }
    }

    async fn only_blob(&self) -> std::path::PathBuf {
        self.objects.close().await;
        let mut files = self.blob_files();
        assert_eq!(files.len(), 1);
        files.remove(0)
    }

    async fn delete_and_wait(&self, name: &str) {
        self.delete(name).await;
        self.objects.close().await;
    }
}
