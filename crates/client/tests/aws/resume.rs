//! Downloads that go on where an earlier one ended, and what lies where it should have left its file.

use crate::encryption::{PART, Place, data, keyring, put, s3};
use crate::server::Reply;
use crate::store::{Store, refusal};
use client::Error;
use client::aws::{EncryptionClient, PartialFile};
use client::keys::AesKey;
#[cfg(unix)]
use client::message::Destination;
use client::object::{AesKeyring, CommitmentPolicy, ObjectDecryptor};
use data_encoding::BASE64;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

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
        client.get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", PartialFile::at(&file), place)
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
    client
        .get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", PartialFile::at(&nowhere), &mut place)
        .unwrap();
    assert!(place.bytes == data(PART - 16) && place.words == ["keep"]);
    assert_eq!(store.server.asked().len(), 1);
    put(&store, &data(PART)).unwrap();
    let mut place = Place::default();
    assert!(
        client
            .get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", PartialFile::at(&nowhere), &mut place)
            .is_err()
    );
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
        let fetched = client
            .get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", PartialFile::at(&file), &mut place)
            .map(|_| ());
        let Err(Error::Io(error)) = fetched else { panic!("{what}: {fetched:?}") };
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{what}");
        assert!(error.to_string().contains(file.to_str().unwrap()), "{what}: {error}");
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
    std::fs::create_dir(&file).unwrap();
    refused("a folder");
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o622)).unwrap();
    refused("a file that others may write");
    std::fs::remove_file(&file).unwrap();
}

/// Does something to a file at the moment at which the plaintext is kept.
#[cfg(unix)]
struct Meddled<'a> {
    place: Place,
    meddle: &'a dyn Fn(),
}

#[cfg(unix)]
impl io::Write for Meddled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.place.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.place.flush()
    }
}

#[cfg(unix)]
impl Destination for Meddled<'_> {
    fn keep(&mut self) -> io::Result<()> {
        (self.meddle)();
        self.place.keep()
    }

    fn discard(&mut self) {
        self.place.discard();
    }
}

#[cfg(unix)]
#[test]
fn what_becomes_of_the_partial_file_is_no_failure_of_what_was_kept() {
    let store = Store::new();
    let plain = data(9_000);
    put(&store, &plain).unwrap();
    let (s3, file) = (s3(&store), partial_file());
    let away = file.with_extension("away");
    let remove = || std::fs::remove_file(&file).unwrap();
    let replace = || {
        std::fs::rename(&file, &away).unwrap();
        std::fs::write(&file, "precious").unwrap();
    };
    let folder = || {
        remove();
        std::fs::create_dir(&file).unwrap();
    };
    let locked = || {
        let other = std::fs::File::open(&file).unwrap();
        assert!(matches!(other.try_lock(), Err(std::fs::TryLockError::WouldBlock)), "it is ours until it is removed");
    };
    let get = |meddle: &dyn Fn()| {
        let client = EncryptionClient::new(&s3).part_length(PART);
        let mut place = Meddled { place: Place::default(), meddle };
        let partial = PartialFile::at(&file);
        let fetched = client.get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", partial, &mut place);
        assert_eq!(fetched.unwrap().length, 9_000);
        assert!(place.place.bytes == plain && place.place.words == ["keep"]);
    };
    get(&locked);
    assert!(!file.exists());
    get(&remove);
    assert!(!file.exists());
    get(&replace);
    assert_eq!(std::fs::read(&file).unwrap(), b"precious", "it is somebody else's");
    remove();
    std::fs::remove_file(&away).unwrap();
    get(&folder);
    std::fs::remove_dir(&file).unwrap();
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
        client.get_resumed(&ObjectDecryptor::new(keyring(1)), "bucket", "a key", PartialFile::at(&file), place)
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
    let Err(Error::Resumed(error)) = get(&mut place) else { panic!("what is in it is not of the object") };
    assert!(matches!(*error, Error::BodyTag) && place.words == ["discard"] && !file.exists());
    let mut place = Place::default();
    assert_eq!(get(&mut place).unwrap().length, 9_000, "the next try begins anew");
    assert!(place.bytes == plain && place.words == ["keep"]);
    // Where it is the object that is wrong, that is said as soon as nothing of it was there before.
    store.bucket().objects.get_mut("a key").unwrap().body[4_321] ^= 1;
    leave(&file, &[head(&etag), store.bucket().objects["a key"].body[..500].to_vec()].concat());
    assert!(matches!(get(&mut Place::default()), Err(Error::Resumed(_))));
    assert!(matches!(get(&mut Place::default()), Err(Error::BodyTag)) && !file.exists());

    let locked = std::fs::File::create(&file).unwrap();
    locked.lock().unwrap();
    let mut place = Place::default();
    let refused = get(&mut place).unwrap_err();
    assert!(refused.to_string().contains("another download"), "{refused}");
    std::fs::remove_file(&file).unwrap();
}

/// Of AES-CBC, nothing would tell.
#[test]
fn what_nothing_proves_whole_is_not_resumed() {
    #[derive(serde::Deserialize)]
    struct Vectors {
        objects: Vec<serde_json::Value>,
        keys: BTreeMap<String, serde_json::Value>,
    }
    let vectors: Vectors = serde_json::from_str(include_str!("../vectors/objects.json")).unwrap();
    let object = &vectors.objects[0];
    let text = |value: &serde_json::Value| BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let key = AesKey::new(&text(&vectors.keys[object["key"].as_str().unwrap()]["aes"])).unwrap();
    let metadata: BTreeMap<String, String> = serde_json::from_value(object["metadata"].clone()).unwrap();
    let (store, body) = (Store::new(), text(&object["body"]));
    let etag = store.bucket().put("a key", body.clone(), metadata);
    let (s3, file) = (s3(&store), partial_file());
    let decryptor = ObjectDecryptor::new(AesKeyring::new(key))
        .legacy(true)
        .commitment(CommitmentPolicy::RequireEncryptAllowDecrypt);
    let client = EncryptionClient::new(&s3).part_length(16);
    let (mut expected, mut place) = (Vec::new(), Vec::new());
    client.get(&decryptor, "bucket", "a key", &mut expected).unwrap();
    // The machine crashed, and some of it is zeros.
    let head = format!("strongroom partial download 1\nbucket/a%20key\n{etag}\n{}\n", body.len());
    leave(&file, &[head.as_bytes(), &body[..16], &[0; 32]].concat());
    client.get_resumed(&decryptor, "bucket", "a key", PartialFile::at(&file), &mut place).unwrap();
    assert_eq!(place, expected);
    std::fs::remove_file(&file).unwrap();
}

#[cfg(unix)]
#[test]
fn a_partial_file_is_in_the_folder_that_is_open() {
    let store = Store::failing(|asked, _| {
        let fails = asked.header("range") == "bytes=3000-3999";
        fails.then(|| Reply::Say(refusal("403 Forbidden", "ExpiredToken")))
    });
    put(&store, &data(9_000)).unwrap();
    let (s3, folder) = (s3(&store), partial_file());
    std::fs::create_dir(&folder).unwrap();
    let open = std::fs::File::open(&folder).unwrap();
    // Somebody puts another folder in its place.
    let away = folder.with_extension("away");
    std::fs::rename(&folder, &away).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("partial");
    let partial = PartialFile::within(&open, &path).unwrap();
    let client = EncryptionClient::new(&s3).part_length(PART);
    let decryptor = ObjectDecryptor::new(keyring(1));
    client.get_resumed(&decryptor, "bucket", "a key", partial, &mut Place::default()).unwrap_err();
    assert!(away.join("partial").exists() && !path.exists());
    assert!(PartialFile::within(&open, std::path::Path::new("/")).is_err());
    // What is read, and what is removed, is there, too.
    std::fs::write(&path, "precious").unwrap();
    std::fs::remove_file(away.join("partial")).unwrap();
    std::os::unix::fs::symlink(&path, away.join("partial")).unwrap();
    let error = client.get_resumed(&decryptor, "bucket", "a key", partial, &mut Place::default()).unwrap_err();
    assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    for each in [folder, away] {
        std::fs::remove_dir_all(each).unwrap();
    }
}
