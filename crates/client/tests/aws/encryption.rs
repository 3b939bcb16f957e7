//! The S3 Encryption Client over a bucket in memory: what is stored, what is fetched, and what goes wrong between.

use crate::server::{Asked, Reply};
use crate::store::{Bucket, Store, refusal};
use client::aws::{AwsError, EncryptionClient, PutOptions, S3Client};
use client::keys::AesKey;
use client::object::{
    AesKeyring, ByteRange, CommitmentPolicy, ObjectDecryptor, ObjectEncryptor, Release, Rotation, Version,
};
use client::{Destination, Error};
use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// Short, so that a small object has many parts.
pub(crate) const PART: usize = 1_000;

pub(crate) fn keyring(byte: u8) -> AesKeyring {
    let key = AesKey::new(&[byte; 32]).unwrap();
    AesKeyring::new(key).material_description([("key", byte.to_string())])
}

pub(crate) fn data(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

pub(crate) fn s3(store: &Store) -> S3Client {
    S3Client::new(&store.server.config().attempts(3)).unwrap()
}

pub(crate) fn put(store: &Store, plain: &[u8]) -> client::Result<client::aws::Stored> {
    put_with(store, &ObjectEncryptor::new(keyring(1)), plain, Some(plain.len() as u64), &PutOptions::new())
}

pub(crate) fn put_with(
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
pub(crate) struct Place {
    pub(crate) bytes: Vec<u8>,
    pub(crate) words: Vec<&'static str>,
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

pub(crate) fn get(store: &Store) -> Result<Vec<u8>, Error> {
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
        let error = get(&store).unwrap_err();
        let is_cut = matches!(error, Error::Truncated("the tag"));
        assert!(is_cut == (what == "to nothing") && (is_cut || matches!(error, Error::BodyTag)), "{what}: {error}");
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
    let Err(Error::OfInstructionFile { name, error }) = get(&store) else { panic!("it is too long") };
    assert!(name == "a key.instruction" && matches!(*error, Error::MetadataLength { .. }), "{name} {error}");
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
    store.server.asked();
    let mut place = Vec::new();
    client.get_range(&decryptor, "bucket", "a key", ByteRange::Last(17), &mut place).unwrap();
    assert_eq!(place, data(9_000)[8_983..]);
    let asked = store.server.asked();
    let asked: Vec<_> = asked.iter().map(|asked| (&*asked.method, asked.header("if-match"))).collect();
    assert_eq!(asked, [("HEAD", ""), ("GET", "\"2\"")], "the length and the bytes are of one object");
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
