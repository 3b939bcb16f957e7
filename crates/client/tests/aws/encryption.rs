//! The S3 Encryption Client over a bucket in memory: what is stored, what is fetched, and what goes wrong between.

use crate::server::{Asked, Reply};
use crate::store::{Bucket, Store, refusal};
use client::aws::{AwsError, EncryptionClient, PutOptions, S3Client};
use client::keys::AesKey;
use client::object::{AesKeyring, CommitmentPolicy, ObjectDecryptor, ObjectEncryptor, Release, Rotation, Version};
use client::{Destination, Error};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// Short, so that a small object has many parts.
const PART: usize = 1_000;

fn keyring(byte: u8) -> AesKeyring {
    let key = AesKey::new(&[byte; 32]).unwrap();
    AesKeyring::new(key).material_description([("key", byte.to_string())])
}

fn data(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn s3(store: &Store) -> S3Client {
    S3Client::new(&store.server.config().attempts(3)).unwrap()
}

fn put(store: &Store, plain: &[u8]) -> client::Result<client::aws::Stored> {
    put_with(store, &ObjectEncryptor::new(keyring(1)), plain, Some(plain.len() as u64), &PutOptions::new())
}

fn put_with(
    store: &Store,
    encryptor: &ObjectEncryptor<AesKeyring>,
    plain: impl Read,
    length: Option<u64>,
    options: &PutOptions,
) -> client::Result<client::aws::Stored> {
    EncryptionClient::new(&s3(store)).part_length(PART).put(encryptor, "bucket", "a key", plain, length, options)
}

/// Remembers which words were spoken.
#[derive(Default)]
struct Place {
    bytes: Vec<u8>,
    words: Vec<&'static str>,
}

impl Write for Place {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        assert!(self.words.is_empty());
        self.bytes.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Destination for Place {
    fn keep(&mut self) -> io::Result<()> {
        self.words.push("keep");
        Ok(())
    }

    fn discard(&mut self) {
        self.words.push("discard");
    }
}

fn get(store: &Store) -> Result<Vec<u8>, Error> {
    let mut place = Place::default();
    let got = EncryptionClient::new(&s3(store)).part_length(PART).get(
        &ObjectDecryptor::new(keyring(1)),
        "bucket",
        "a key",
        &mut place,
    );
    assert_eq!(place.words, [if got.is_ok() { "keep" } else { "discard" }], "one word, once");
    assert_eq!(got.as_ref().map_or(0, |got| got.length), if got.is_ok() { place.bytes.len() as u64 } else { 0 });
    got.map(|_| place.bytes)
}

#[test]
fn objects_of_all_lengths_go_both_ways() {
    for length in [0, 1, PART - 17, PART - 16, PART - 15, PART - 1, PART, PART + 1, 2 * PART - 16, 2 * PART, 9_999] {
        let store = Store::new();
        let plain = data(length);
        put(&store, &plain).unwrap();
        assert_eq!(get(&store).unwrap(), plain, "{length}");
        let single = length + 16 <= PART;
        assert_eq!(store.server.asked().iter().any(|asked| asked.query.contains("partNumber")), !single, "{length}");
        let bucket = store.bucket();
        assert_eq!((bucket.objects["a key"].body.len(), bucket.uploads.len()), (length + 16, 0));
        assert!(!bucket.objects["a key"].body.windows(8).any(|window| window == &data(8)[..]), "nothing is in clear");
    }
}

#[test]
fn lengths_that_were_announced_are_held_against_what_comes() {
    for length in [10, 5_000] {
        let store = Store::new();
        let plain = data(length);
        let put =
            |announced| put_with(&store, &ObjectEncryptor::new(keyring(1)), &plain[..], announced, &PutOptions::new());
        assert!(matches!(put(Some(length as u64 + 3)), Err(Error::Missing(3))));
        assert!(matches!(put(Some(length as u64 - 3)), Err(Error::PlaintextLength(_))));
        assert!(matches!(put(Some(1 << 37)), Err(Error::BodyLength(_))), "more than AES-GCM takes");
        assert!(store.bucket().objects.is_empty() && store.bucket().uploads.is_empty(), "uploads are aborted");
        put(None).unwrap();
        assert_eq!(get(&store).unwrap(), plain);
    }
}

/// Fails after so many bytes.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let taken = into.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::Error::other("the disk is gone")) } else { Ok(taken) }
    }
}

#[test]
fn an_upload_that_fails_leaves_nothing_behind() {
    let store = Store::new();
    let failed = put_with(&store, &ObjectEncryptor::new(keyring(1)), Failing(5_500), None, &PutOptions::new());
    assert_eq!(failed.unwrap_err().to_string(), "the disk is gone");
    assert!(store.bucket().objects.is_empty() && store.bucket().uploads.is_empty());
    let refusing = |word: &'static str| {
        Store::failing(move |asked, _| {
            let refused = asked.query.contains(word) && asked.method != "DELETE";
            refused.then(|| Reply::Say(refusal("403 Forbidden", "AccessDenied")))
        })
    };
    for word in ["uploads", "partNumber=1&", "partNumber=4&", "partNumber=21&"] {
        let store = refusing(word);
        let error = put(&store, &data(20_100)).unwrap_err();
        assert!(matches!(&error, Error::Aws(error) if error.is_code("AccessDenied")), "{word}: {error}");
        assert!(store.bucket().objects.is_empty() && store.bucket().uploads.is_empty(), "{word}");
    }
}

#[test]
fn what_fails_in_passing_is_tried_again() {
    let count = AtomicU32::new(0);
    let store = Store::failing(move |asked, bucket| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        match number % 4 {
            2 if asked.method == "GET" => {
                let answer = bucket.answer(asked);
                Some(Reply::SayAndClose(answer[..answer.len() - 300].to_vec()))
            }
            0 => Some(Reply::Say(refusal("503 Slow Down", "SlowDown"))),
            2 => Some(Reply::SayAndClose(Vec::new())),
            _ => None,
        }
    });
    let s3 = S3Client::new(&store.server.config().attempts(9)).unwrap();
    let client = EncryptionClient::new(&s3).part_length(PART).parallel(1);
    let plain = data(5_000);
    let encryptor = ObjectEncryptor::new(keyring(1));
    client.put(&encryptor, "bucket", "a key", &plain[..], None, &PutOptions::new()).unwrap();
    let mut place = Vec::new();
    client.get(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", &mut place).unwrap();
    assert_eq!(place, plain);
}

#[test]
fn an_upload_whose_answer_is_lost_is_complete() {
    for length in [10, 5_000] {
        let lost = Mutex::new(true);
        let store = Store::failing(move |asked, bucket| {
            let last = asked.query.starts_with("uploadId") || (asked.method == "PUT" && asked.query.is_empty());
            if last && std::mem::take(&mut *lost.lock().unwrap()) {
                bucket.answer(asked);
                return Some(Reply::SayAndClose(Vec::new()));
            }
            None
        });
        let options = PutOptions::new().only_new();
        let stored = put_with(&store, &ObjectEncryptor::new(keyring(1)), &data(length)[..], None, &options).unwrap();
        assert_eq!(stored.etag, store.bucket().objects["a key"].etag);
        assert_eq!(get(&store).unwrap(), data(length));
    }
    let gone = Store::failing(|asked, bucket| {
        if asked.method == "POST" && asked.query.starts_with("uploadId") {
            bucket.uploads.clear();
        }
        None
    });
    gone.bucket().put("a key", data(5_016), [].into());
    let error = put(&gone, &data(5_000)).unwrap_err();
    assert!(matches!(&error, Error::Aws(error) if error.is_code("NoSuchUpload")), "{error}");
}

#[test]
fn a_condition_holds_for_parts_too_and_leaves_what_is_there() {
    let store = Store::new();
    let only_new = PutOptions::new().only_new();
    let encryptor = || ObjectEncryptor::new(keyring(1)).instruction_file(true);
    for length in [10, 5_000] {
        put_with(&store, &encryptor(), &data(length)[..], None, &PutOptions::new()).unwrap();
        let refused = put_with(&store, &encryptor(), &data(20)[..], None, &only_new).unwrap_err();
        assert!(matches!(&refused, Error::Aws(error) if error.is_code("PreconditionFailed")), "{refused}");
        assert_eq!(get(&store).unwrap(), data(length), "neither the object nor its instruction file was touched");
    }
}

/// Changes what is stored after so many ranges were read.
fn changing(after: u32, change: impl Fn(&mut Bucket) + Send + Sync + 'static) -> Store {
    let count = AtomicU32::new(0);
    Store::failing(move |asked: &Asked, bucket: &mut Bucket| {
        if asked.headers.contains_key("range") && count.fetch_add(1, Ordering::Relaxed) == after {
            change(bucket);
        }
        None
    })
}

#[test]
fn a_download_is_of_one_object() {
    let store = changing(3, |bucket| {
        let other = bucket.objects["other"].clone();
        bucket.put("a key", other.body, other.metadata);
    });
    put(&store, &data(9_000)).unwrap();
    let other = store.bucket().objects["a key"].clone();
    store.bucket().put("other", other.body, other.metadata);
    let error = get(&store).unwrap_err();
    assert!(matches!(&error, Error::Aws(error) if error.is_code("PreconditionFailed")), "{error}");
}

#[test]
fn what_was_changed_cut_or_joined_is_discarded() {
    type Change = fn(&mut Vec<u8>);
    let changes: [(&str, Change); 5] = [
        ("a bit", |body| body[4_321] ^= 1),
        ("the tag", |body| *body.last_mut().unwrap() ^= 1),
        ("cut", |body| body.truncate(4_000)),
        ("longer", |body| body.push(0)),
        ("to nothing", Vec::clear),
    ];
    for (what, change) in changes {
        let store = Store::new();
        put(&store, &data(9_000)).unwrap();
        change(&mut store.bucket().objects.get_mut("a key").unwrap().body);
        assert!(get(&store).is_err(), "{what}");
    }
    // The same ETag, and another length: a server that lies.
    let store = changing(3, |bucket| bucket.objects.get_mut("a key").unwrap().body.truncate(8_000));
    put(&store, &data(9_000)).unwrap();
    let error = get(&store).unwrap_err();
    assert!(matches!(&error, Error::Aws(AwsError::Answer { .. })), "{error}");
}

#[test]
fn what_is_not_encrypted_is_not_taken() {
    let store = Store::new();
    assert!(matches!(get(&store), Err(Error::Aws(error)) if error.is_code("NoSuchKey")));
    for body in [Vec::new(), data(10), data(5_000)] {
        store.bucket().put("a key", body, [].into());
        assert!(matches!(get(&store), Err(Error::NotEncrypted)));
    }
    let s3 = s3(&store);
    let (info, header) = EncryptionClient::new(&s3).inspect("bucket", "a key").unwrap();
    assert_eq!((info.length, header), (5_000, None));
    let reserved = PutOptions::new().metadata([("X-Amz-I", "x")]);
    let error = put_with(&store, &ObjectEncryptor::new(keyring(1)), &b""[..], None, &reserved).unwrap_err();
    assert!(matches!(error, Error::Setting(_)), "{error}");
}

#[test]
fn instruction_files_are_written_read_wrapped_anew_and_deleted() {
    for version in [Version::V3, Version::V2] {
        let policy = match version {
            Version::V3 => CommitmentPolicy::RequireEncryptRequireDecrypt,
            _ => CommitmentPolicy::ForbidEncryptAllowDecrypt,
        };
        let store = Store::new();
        let encryptor = ObjectEncryptor::new(keyring(1)).version(version).commitment(policy).instruction_file(true);
        let decryptor = |byte| ObjectDecryptor::new(keyring(byte)).commitment(policy);
        let options = PutOptions::new().metadata([("colour", "blue")]);
        put_with(&store, &encryptor, &data(5_000)[..], None, &options).unwrap();
        assert!(store.bucket().objects["a key"].metadata.contains_key("colour"));
        assert!(store.bucket().objects["a key.instruction"].metadata.contains_key("x-amz-crypto-instr-file"));
        let s3 = s3(&store);
        let client = EncryptionClient::new(&s3).part_length(PART);
        let (_, header) = client.inspect("bucket", "a key").unwrap();
        let header = header.unwrap();
        assert_eq!((header.version, header.in_instruction_file), (version, true));
        assert_eq!(header.description.get("key"), Some("1"));
        let mut place = Vec::new();
        client.get(&decryptor(1), "bucket", "a key", &mut place).unwrap();
        assert_eq!(place, data(5_000));

        let checked = Rotation::Checked;
        client.re_encrypt_instruction_file(&decryptor(1), keyring(2), "bucket", "a key", checked).unwrap();
        assert!(store.bucket().objects["a key.instruction"].metadata.contains_key("x-amz-crypto-instr-file"));
        assert!(client.get(&decryptor(1), "bucket", "a key", &mut place).is_err(), "the old key opens nothing");
        client.get(&decryptor(2), "bucket", "a key", &mut place).unwrap();
        assert_eq!(place, data(5_000));
        client.delete("bucket", "a key").unwrap();
        assert!(store.bucket().objects.is_empty());
    }
}

#[test]
fn an_instruction_file_that_cannot_be_stored_is_told() {
    let store = Store::failing(|asked, _| {
        let file = asked.path.ends_with(".instruction") && asked.method == "PUT";
        file.then(|| Reply::Say(refusal("403 Forbidden", "AccessDenied")))
    });
    let encryptor = ObjectEncryptor::new(keyring(1)).instruction_file(true);
    let error = put_with(&store, &encryptor, &b"text"[..], None, &PutOptions::new()).unwrap_err();
    assert!(matches!(&error, Error::Aws(AwsError::InstructionFile(_))), "{error}");
    assert!(matches!(get(&store), Err(Error::InstructionFileMissing)));
    let long = vec![b' '; 70_000];
    store.bucket().put("a key.instruction", long, [].into());
    assert!(matches!(get(&store), Err(Error::MetadataLength { .. })));
}

#[test]
fn ranges_behind_their_switch() {
    let store = Store::new();
    put(&store, &data(9_000)).unwrap();
    let s3 = s3(&store);
    let client = EncryptionClient::new(&s3).part_length(PART);
    let decryptor = ObjectDecryptor::new(keyring(1)).ranges(true);
    for (first, last) in [(0, 0), (17, 5_000), (8_990, 10_000), (0, u64::MAX)] {
        let mut place = Vec::new();
        client.get_range(&decryptor, "bucket", "a key", first..=last, &mut place).unwrap();
        let end = usize::try_from(last).unwrap().min(8_999);
        assert_eq!(place, data(9_000)[usize::try_from(first).unwrap()..=end], "{first}");
    }
    let mut place = Place::default();
    let refused = client.get_range(&decryptor, "bucket", "a key", 9_000..=9_001, &mut place).unwrap_err();
    assert!(matches!(refused, Error::Range) && place.words == ["discard"]);
    let mut place = Place::default();
    let off = ObjectDecryptor::new(keyring(1));
    let refused = client.get_range(&off, "bucket", "a key", 0..=1, &mut place).unwrap_err();
    assert!(matches!(refused, Error::RangesOff) && place.words == ["discard"]);
}

#[test]
fn reading_holds_until_all_is_verified_unless_told_otherwise() {
    let store = Store::new();
    put(&store, &data(9_000)).unwrap();
    let s3 = s3(&store);
    let client = EncryptionClient::new(&s3).part_length(PART);
    let read = |decryptor: ObjectDecryptor<AesKeyring>| {
        let mut plain = Vec::new();
        let read = client.read(&decryptor, "bucket", "a key", |reader| Ok(reader.read_to_end(&mut plain)?));
        (read, plain)
    };
    assert_eq!(read(ObjectDecryptor::new(keyring(1))).1, data(9_000));
    let (read_some, plain) = read(ObjectDecryptor::new(keyring(1)).hold_limit(8_000));
    assert!(matches!(read_some, Err(Error::HoldLimit { .. })) && plain.is_empty());
    store.bucket().objects.get_mut("a key").unwrap().body[8_888] ^= 1;
    let (failed, plain) = read(ObjectDecryptor::new(keyring(1)));
    assert!(failed.is_err() && plain.is_empty());
    let (failed, plain) = read(ObjectDecryptor::new(keyring(1)).release(Release::Unverified));
    assert!(failed.is_err() && plain.len() <= 9_000);

    let long = data(3_000_000);
    let client = EncryptionClient::new(&s3).part_length(100_000);
    client.put(&ObjectEncryptor::new(keyring(1)), "bucket", "a key", &long[..], None, &PutOptions::new()).unwrap();
    store.server.asked();
    let unverified = ObjectDecryptor::new(keyring(1)).release(Release::Unverified);
    let first = client.read(&unverified, "bucket", "a key", |reader| {
        let mut first = [0; 10];
        reader.read_exact(&mut first)?;
        Ok(first)
    });
    assert_eq!(first.unwrap(), *data(10));
    assert!(store.server.asked().len() < 15, "who stops reading stops fetching");
}

fn partial_file() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("strongroom-partial-{}-{number}", std::process::id()))
}

#[test]
fn a_download_goes_on_where_it_ended() {
    let cut = Mutex::new(Some(5));
    let store = Store::failing(move |asked, _| {
        let mut cut = cut.lock().unwrap();
        let fails = asked.headers.contains_key("range") && cut.is_some_and(|left| left == 0);
        if asked.headers.contains_key("range") {
            *cut = cut.and_then(|left: u32| left.checked_sub(1));
        }
        fails.then(|| Reply::Say(refusal("403 Forbidden", "ExpiredToken")))
    });
    let plain = data(9_000);
    put(&store, &plain).unwrap();
    let (s3, file) = (s3(&store), partial_file());
    let told = Mutex::new(Vec::new());
    let progress = |done: u64, total: Option<u64>| told.lock().unwrap().push((done, total));
    let get = |place: &mut Place| {
        let client = EncryptionClient::new(&s3).part_length(PART).parallel(1).progress(&progress);
        client.get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", &file, place)
    };
    let mut place = Place::default();
    assert!(get(&mut place).is_err());
    assert!(place.bytes.is_empty() && place.words == ["discard"], "no plaintext before all of it is there");
    let kept = std::fs::read(&file).unwrap();
    let head = "strongroom partial download 1\nbucket/a%20key\n\"2\"\n9016\n";
    assert!(kept.starts_with(head.as_bytes()));
    assert!(kept.ends_with(&store.bucket().objects["a key"].body[..5 * PART]));
    store.server.asked();
    told.lock().unwrap().clear();
    let mut place = Place::default();
    assert_eq!(get(&mut place).unwrap().length, 9_000);
    assert!(place.bytes == plain && place.words == ["keep"]);
    let told = std::mem::take(&mut *told.lock().unwrap());
    assert_eq!((told[0], told.last()), ((5_000, Some(9_016)), Some(&(9_016, Some(9_016)))));
    let ranges: Vec<_> = store.server.asked().iter().map(|asked| asked.header("range").to_owned()).collect();
    assert_eq!(ranges[..2], ["", "bytes=5000-5999"], "only what is missing is fetched");
    assert!(!file.exists());
}

#[test]
fn what_arrives_at_once_needs_no_file() {
    let store = Store::new();
    put(&store, &data(PART - 16)).unwrap();
    store.server.asked();
    let (s3, mut place) = (s3(&store), Place::default());
    let client = EncryptionClient::new(&s3).part_length(PART);
    let nowhere = PathBuf::from("/nowhere/at/all");
    client.get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", &nowhere, &mut place).unwrap();
    assert!(place.bytes == data(PART - 16) && place.words == ["keep"]);
    assert_eq!(store.server.asked().len(), 1);
    put(&store, &data(PART)).unwrap();
    let mut place = Place::default();
    assert!(client.get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", &nowhere, &mut place).is_err());
    assert_eq!(place.words, ["discard"]);
}

/// As a download would have, whatever the umask.
fn leave(file: &std::path::Path, bytes: &[u8]) {
    std::fs::write(file, bytes).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[cfg(unix)]
#[test]
fn what_others_put_where_a_partial_file_would_be_is_not_touched() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let store = Store::new();
    put(&store, &data(9_000)).unwrap();
    let (s3, file, victim) = (s3(&store), partial_file(), partial_file());
    let refused = |what: &str| {
        let client = EncryptionClient::new(&s3).part_length(PART);
        let mut place = Place::default();
        let fetched =
            client.get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", &file, &mut place).map(|_| ());
        let Err(Error::Io(error)) = fetched else { panic!("{what}: {fetched:?}") };
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{what}");
        assert!(place.bytes.is_empty() && file.symlink_metadata().is_ok(), "{what}");
    };
    std::fs::write(&victim, "precious").unwrap();
    symlink(&victim, &file).unwrap();
    refused("a link");
    std::fs::remove_file(&file).unwrap();
    std::fs::hard_link(&victim, &file).unwrap();
    refused("another name of a file");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    std::fs::remove_file(&victim).unwrap();
    symlink(&victim, &file).unwrap();
    refused("a link to nothing");
    assert!(!victim.exists());
    std::fs::remove_file(&file).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &file,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    refused("a pipe");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o622)).unwrap();
    refused("a file that others may write");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_partial_file_of_another_object_or_with_other_bytes_does_no_harm() {
    let store = Store::new();
    let plain = data(9_000);
    put(&store, &plain).unwrap();
    let (s3, file) = (s3(&store), partial_file());
    let head = |etag: &str| format!("strongroom partial download 1\nbucket/a%20key\n{etag}\n9016\n").into_bytes();
    let etag = store.bucket().objects["a key"].etag.clone();
    let get = |place: &mut Place| {
        let client = EncryptionClient::new(&s3).part_length(PART);
        client.get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", &file, place)
    };
    for other in [
        Vec::new(),
        b"strongroom".to_vec(),
        [head("\"0\""), data(500)].concat(),
        [head(&etag), data(10_000)].concat(),
        data(200_000),
    ] {
        leave(&file, &other);
        let mut place = Place::default();
        assert_eq!(get(&mut place).unwrap().length, 9_000);
        assert!(place.bytes == plain && !file.exists());
    }
    leave(&file, &[head(&etag), data(500)].concat());
    let mut place = Place::default();
    assert!(matches!(get(&mut place), Err(Error::BodyTag)), "what is in it is not of the object");
    assert!(place.words == ["discard"] && !file.exists(), "so that the next try begins anew");

    let locked = std::fs::File::create(&file).unwrap();
    locked.lock().unwrap();
    let mut place = Place::default();
    let refused = get(&mut place).unwrap_err();
    assert!(refused.to_string().contains("another download"), "{refused}");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn progress_is_told_to_its_end() {
    let store = Store::new();
    let told = Mutex::new(Vec::new());
    let progress = |done: u64, total: Option<u64>| told.lock().unwrap().push((done, total));
    let s3 = s3(&store);
    let client = EncryptionClient::new(&s3).part_length(PART).progress(&progress);
    let encryptor = ObjectEncryptor::new(keyring(1));
    let decryptor = ObjectDecryptor::new(keyring(1));
    for length in [10, 5_000] {
        let total = length as u64 + 16;
        client.put(&encryptor, "bucket", "a key", &data(length)[..], Some(length as u64), &PutOptions::new()).unwrap();
        let up = std::mem::take(&mut *told.lock().unwrap());
        client.get(&decryptor, "bucket", "a key", &mut Vec::new()).unwrap();
        let down = std::mem::take(&mut *told.lock().unwrap());
        for told in [up, down] {
            assert!(told.is_sorted() && told.len() >= 2, "{told:?}");
            assert_eq!((told[0].0, *told.last().unwrap()), (0, (total, Some(total))));
        }
    }
}
