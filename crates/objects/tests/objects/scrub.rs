//! The scrub finds every damage, names it, and is silent about what is healthy.

use crate::support::{MIB, WAYS, Way, World, data};
use keys::operation::deletion::ScheduleKeyDeletionRequest;
use keys::operation::lifecycle::DisableKeyRequest;
use meta::{Order, Range, Record, Table, Transaction, Write};
use objects::{Damage, Finding, ScrubReport};
use std::fs;
use std::path::{Path, PathBuf};

const LARGE: usize = 2 * MIB + 100_000;
const SMALL: usize = 10_000;
const HEADER: usize = blob::format::HEADER_LEN;
const FIVE: usize = 5 * MIB;

#[tokio::test]
async fn silence_about_a_healthy_store() {
    let world = World::new().await;
    for (index, way) in WAYS.into_iter().enumerate() {
        world.put(&format!("empty{index}"), way, b"").await.unwrap();
        world.put(&format!("small{index}"), way, &data(SMALL)).await.unwrap();
        world.put(&format!("large{index}"), way, &data(LARGE)).await.unwrap();
        world.multipart(&format!("parts{index}"), way, &[(3, &data(FIVE)), (9, b"last")]).await;
        let open = world.create(&format!("open{index}"), way).await;
        world.part(&format!("open{index}"), &open, way, 1, &data(SMALL)).await.unwrap();
    }
    world.objects.close().await;
    let (report, findings) = world.scrub().await;
    assert!(findings.is_empty(), "{findings:?}");
    let ways = WAYS.len() as u64;
    let expected = ScrubReport { objects: 5 * ways, blobs: 4 * ways, orphans: 0, findings: 0, ..report };
    assert_eq!(report, expected);
    let stored: u64 = world.blob_files().iter().map(|file| fs::metadata(file).unwrap().len() - HEADER as u64).sum();
    assert!(report.bytes > stored && report.keys > 5);
}

#[tokio::test]
async fn a_flipped_bit_in_any_blob() {
    for way in WAYS {
        let (world, files) = world_of_blobs(way).await;
        for (name, part, file) in &files {
            let whole = fs::read(file).unwrap();
            let places =
                [0, 9, 12, HEADER - 1, HEADER, HEADER + 65_536, HEADER + 65_552, whole.len() / 2, whole.len() - 1];
            for place in places.into_iter().filter(|place| *place < whole.len()) {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << (place % 8);
                fs::write(file, &damaged).unwrap();
                let damage = match place {
                    _ if place < HEADER => Damage::Header,
                    _ if way.customer_key().is_some() => Damage::Checksum,
                    _ => Damage::Tag,
                };
                world.finds(name, Some(*part), damage).await;
            }
            for (len, damage) in
                [(HEADER - 1, Damage::Header), (HEADER, Damage::Length), (whole.len() - 1, Damage::Length)]
            {
                fs::write(file, &whole[..len]).unwrap();
                world.finds(name, Some(*part), damage).await;
            }
            fs::write(file, [&whole[..], b"x"].concat()).unwrap();
            world.finds(name, Some(*part), Damage::Length).await;
            fs::remove_file(file).unwrap();
            world.finds(name, Some(*part), Damage::Missing).await;
            fs::write(file, &whole).unwrap();
        }
        world.finds_nothing().await;
    }
}

#[tokio::test]
async fn blobs_that_change_places() {
    for way in WAYS {
        let world = World::new().await;
        let first = world.new_file(world.put("first", way, &data(LARGE))).await;
        let second = world.new_file(world.put("second", way, &vec![0x5a; LARGE])).await;
        let (one, two) = (fs::read(&first).unwrap(), fs::read(&second).unwrap());
        fs::write(&first, &two).unwrap();
        world.finds("first", Some(1), Damage::Header).await;
        // Under a header of its own.
        fs::write(&first, [&one[..HEADER], &two[HEADER..]].concat()).unwrap();
        let damage = if way.customer_key().is_some() { Damage::Checksum } else { Damage::Tag };
        world.finds("first", Some(1), damage).await;
    }
}

#[tokio::test]
async fn a_flipped_bit_in_any_row() {
    for way in WAYS {
        let world = World::new().await;
        world.put("small", way, &data(SMALL)).await.unwrap();
        world.put("large", way, &data(LARGE)).await.unwrap();
        world.multipart("parts", way, &[(1, &data(FIVE)), (2, b"last")]).await;
        let upload = world.create("open", way).await;
        world.part("open", &upload, way, 7, b"part").await.unwrap();
        for table in [Table::Bucket, Table::Object, Table::Blob, Table::Upload, Table::Part] {
            for row in world.store.scan(table, &Range::all(), Order::Ascending, 100).await.unwrap() {
                let whole = world.store.record(table, &row.key).await.unwrap().unwrap();
                for place in [0, 6, whole.value.len() / 2, whole.value.len() - 1] {
                    let mut value = whole.value.to_vec();
                    value[place] ^= 0x20;
                    world.set(table, &row.key, Record { value: value.into(), body: whole.body.clone() }).await;
                    let (_, findings) = world.scrub().await;
                    assert!(findings.iter().any(|finding| finding.damage == Damage::Record), "{way:?} {table:?}");
                }
                if let Some(body) = &whole.body {
                    for place in [0, body.len() / 2, body.len() - 1] {
                        let mut body = body.to_vec();
                        body[place] ^= 0x04;
                        world
                            .set(table, &row.key, Record { value: whole.value.clone(), body: Some(body.into()) })
                            .await;
                        let small = row.key.ends_with(b"small");
                        let damage = match way.customer_key() {
                            _ if !small => Damage::Record,
                            Some(_) => Damage::Checksum,
                            None => Damage::Tag,
                        };
                        let (name, part) = if small { ("small", Some(1)) } else { ("parts", None) };
                        world.finds(name, part, damage).await;
                    }
                    let small = row.key.ends_with(b"small");
                    world.set(table, &row.key, Record { value: whole.value.clone(), body: None }).await;
                    let (name, part, damage) =
                        if small { ("small", Some(1), Damage::Missing) } else { ("parts", None, Damage::Record) };
                    world.finds(name, part, damage).await;
                }
                world.set(table, &row.key, whole).await;
            }
        }
        world.finds_nothing().await;
    }
}

#[tokio::test]
async fn rows_and_bodies_that_change_places() {
    for way in WAYS {
        let world = World::new().await;
        world.put("first", way, &data(SMALL)).await.unwrap();
        world.put("second", way, &vec![7; SMALL]).await.unwrap();
        let (first, second) = (world.row("first").await, world.row("second").await);
        world.set_row("first", second.clone()).await;
        world.finds("first", None, Damage::Record).await;
        world.set_row("first", Record { value: first.value.clone(), body: second.body.clone() }).await;
        let damage = if way.customer_key().is_some() { Damage::Checksum } else { Damage::Tag };
        world.finds("first", Some(1), damage).await;
        world.set_row("first", first).await;

        // An older manifest beside the newer row.
        world.multipart("parts", way, &[(1, b"old")]).await;
        let old = world.row("parts").await;
        world.multipart("parts", way, &[(1, b"new")]).await;
        let new = world.row("parts").await;
        world.set_row("parts", Record { value: new.value.clone(), body: old.body.clone() }).await;
        world.finds("parts", None, Damage::Record).await;
        // The whole older row: its blob is gone.
        world.objects.close().await;
        world.set_row("parts", old).await;
        let (_, findings) = world.scrub().await;
        assert!(findings.iter().any(|finding| finding.damage == Damage::Missing));
        world.set_row("parts", new).await;
        world.finds_nothing().await;
    }
}

#[tokio::test]
async fn rows_that_are_gone() {
    let world = World::new().await;
    world.put("large", Way::SseS3, &data(LARGE)).await.unwrap();
    let blob = world.store.scan(Table::Blob, &Range::all(), Order::Ascending, 1).await.unwrap().remove(0);
    world.remove(Table::Blob, &blob.key).await;
    // The sweep would delete the file.
    world.finds("large", Some(1), Damage::Record).await;
    world.set(Table::Blob, &blob.key, Record { value: blob.value, body: None }).await;
    world.remove(Table::Bucket, world.bucket.name.as_str().as_bytes()).await;
    let (_, findings) = world.scrub().await;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].damage, findings[0].bucket.clone()), (Damage::Record, None));
    assert_eq!(findings[0].name.as_ref().unwrap().as_str(), "large");
}

#[tokio::test]
async fn a_key_that_may_not_be_used_still_verifies() {
    let world = World::new().await;
    for way in [Way::SseKms, Way::BucketKey, Way::Dsse] {
        let name = format!("{way:?}");
        let file = world.new_file(world.put(&name, way, &data(LARGE))).await;
        let whole = fs::read(&file).unwrap();
        let key_id = world.key_arn.clone();
        world.keys.disable_key(&world.principal, DisableKeyRequest { key_id }).await.unwrap();
        world.finds_nothing().await;
        fs::write(&file, flipped(&whole, 70_000)).unwrap();
        world.finds(&name, Some(1), Damage::Tag).await;
        fs::write(&file, &whole).unwrap();
        let key_id = world.key_arn.clone();
        world.keys.enable_key(&world.principal, keys::operation::lifecycle::EnableKeyRequest { key_id }).await.unwrap();
    }
    let request = ScheduleKeyDeletionRequest { key_id: world.key_arn.clone(), ..ScheduleKeyDeletionRequest::default() };
    world.keys.schedule_key_deletion(&world.principal, request).await.unwrap();
    world.finds_nothing().await;
}

#[tokio::test]
async fn without_the_kms_key_the_checksum_is_left() {
    let world = World::new().await;
    let file = world.new_file(world.put("object", Way::SseKms, &data(LARGE))).await;
    for table in [Table::Key, Table::Material] {
        for row in world.store.scan(table, &Range::all(), Order::Ascending, 100).await.unwrap() {
            world.remove(table, &row.key).await;
        }
    }
    let world = world.reopened().await;
    world.finds("object", None, Damage::KeyUnavailable).await;
    let whole = fs::read(&file).unwrap();
    fs::write(&file, flipped(&whole, 70_000)).unwrap();
    let (_, findings) = world.scrub().await;
    let found: Vec<_> = findings.iter().map(|finding| finding.damage).collect();
    assert_eq!(found, [Damage::KeyUnavailable, Damage::Checksum]);
}

#[tokio::test]
async fn damaged_keys_materials_and_aliases() {
    let world = World::new().await;
    world.put("managed", Way::Managed, b"makes alias/aws/s3").await.unwrap();
    for table in [Table::Key, Table::Material, Table::Alias] {
        let rows = world.store.scan(table, &Range::all(), Order::Ascending, 100).await.unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let whole = world.store.record(table, &row.key).await.unwrap().unwrap();
            let value = flipped(&whole.value, whole.value.len() / 2);
            world.set(table, &row.key, Record { value: value.into(), body: whole.body.clone() }).await;
            let (_, findings) = world.scrub().await;
            assert!(findings.iter().any(|finding| finding.record.is_some()), "{table:?}");
            world.set(table, &row.key, whole).await;
        }
    }
    world.finds_nothing().await;
}

#[tokio::test]
async fn files_that_nobody_names_are_no_damage() {
    let world = World::new().await;
    let file = world.new_file(world.put("object", Way::SseS3, &data(LARGE))).await;
    let stranger =
        file.with_file_name(format!("{}{}", &file.file_name().unwrap().to_str().unwrap()[..2], "0".repeat(30)));
    fs::copy(&file, stranger).unwrap();
    let (report, findings) = world.scrub().await;
    assert!(findings.is_empty() && report.orphans == 1);
}

/// Runs beside writers, and blames nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_false_alarm_beside_writers() {
    let world = std::sync::Arc::new(World::new().await);
    let writers: Vec<_> = (0..3_usize)
        .map(|writer| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                for round in 0..60 {
                    let name = format!("object{}", round % 2);
                    let size = [10, 200_000][(round + writer) % 2];
                    match round % 5 {
                        0 => drop(world.multipart(&name, Way::SseKms, &[(1, &data(size))]).await),
                        _ => drop(world.put(&name, WAYS[(round + writer) % WAYS.len()], &data(size)).await.unwrap()),
                    }
                }
            })
        })
        .collect();
    while writers.iter().any(|writer| !writer.is_finished()) {
        world.finds_nothing().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

/// One object of one blob and one of two, with their files.
async fn world_of_blobs(way: Way) -> (World, Vec<(&'static str, u16, PathBuf)>) {
    let world = World::new().await;
    let large = world.new_file(world.put("large", way, &data(200_000))).await;
    let upload = world.create("parts", way).await;
    let (five, last) = (data(FIVE + 3), data(100));
    let first = world.new_file(world.part("parts", &upload, way, 4, &five)).await;
    let last = world.new_file(world.part("parts", &upload, way, 9, &last)).await;
    let page = objects::ListParts { after: 0, max_parts: 9 };
    let name = crate::support::object("parts");
    let page = world.objects.list_parts(&world.principal, &world.bucket, &name, &upload, &page).await.unwrap();
    let named = page.parts.iter().map(|part| objects::CompletedPart {
        number: part.number,
        etag: objects::ETagMatch::Of(vec![part.etag.to_string()]),
        checksum: None,
    });
    world.complete("parts", &upload, named.collect()).await.unwrap();
    (world, vec![("large", 1, large), ("parts", 4, first), ("parts", 9, last)])
}

fn flipped(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 1;
    bytes
}

impl World {
    async fn scrub(&self) -> (ScrubReport, Vec<Finding>) {
        let mut findings = Vec::new();
        let report = self.objects.scrub(&mut |finding| findings.push(finding)).await.unwrap();
        assert_eq!(report.findings, findings.len() as u64);
        (report, findings)
    }

    async fn finds_nothing(&self) {
        let (_, findings) = self.scrub().await;
        assert!(findings.is_empty(), "{findings:?}");
    }

    /// Exactly one thing.
    async fn finds(&self, name: &str, part: Option<u16>, damage: Damage) {
        let (_, findings) = self.scrub().await;
        let [finding] = &findings[..] else { panic!("{name}: {findings:?}, expected {damage:?}") };
        let found = finding.name.as_ref().map(objects::ObjectName::as_str);
        assert_eq!((found, finding.part, finding.damage), (Some(name), part, damage));
        assert_eq!(finding.bucket.as_ref(), Some(&self.bucket.name));
    }

    /// The file that something makes.
    async fn new_file<T>(&self, write: impl Future<Output = Result<T, objects::Error>>) -> PathBuf {
        let before = self.blob_files();
        write.await.unwrap();
        let mut new = self.blob_files();
        new.retain(|file: &PathBuf| !before.iter().any(|old: &PathBuf| Path::new(old) == file));
        assert_eq!(new.len(), 1);
        new.remove(0)
    }

    async fn set(&self, table: Table, key: &[u8], record: Record) {
        let write = Write::Put { table, key: key.to_vec().into(), value: record.value, body: record.body };
        self.store.commit(Transaction { expects: Vec::new(), writes: vec![write], shred: false }).await.unwrap();
    }
}
