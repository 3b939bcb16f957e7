//! One side in S3: what goes there is encrypted, what comes from there is verified.

use std::cell::Cell;
use std::fs;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use client::Error;
use client::aws::{EncryptionClient, Fetched, PartialFile, PutOptions, S3Client, Stored};
use client::message::Destination;
use client::object::{ByteRange, INSTRUCTION_SUFFIX, Keyrings, ObjectDecryptor, ObjectEncryptor, Release, Rotation};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::args::{Format, Keys, Objects, Service, Written};
use super::super::failure::{Failure, Kind};
use super::super::files::Facts;
use super::super::input::{Counted, Input};
use super::super::keys::Purpose;
use super::super::output::{self, Existing, NewFile};
use super::super::progress::Progress;
use super::super::report::complain;
use super::super::signals::Uploading;
use super::super::spot::Spot;
use super::inspect::object_json;
use super::time;
use super::url::{S3Url, path_of};

/// Plaintext that is held for a pipe until all of it is verified, in bytes: as of messages.
const HOLD_LIMIT: u64 = 16 << 20;

/// Bytes that go to a pipe at once.
const PIECE: usize = 1 << 18;

/// Permissions of files that are made of objects, before the umask.
const MODE: u32 = 0o666;

/// The name of the metadata that has a file's time.
const MTIME: &str = "mtime";

/// What was said on the command line.
pub(super) struct Settings<'a> {
    pub(super) keys: &'a Keys,
    pub(super) objects: &'a Objects,
    pub(super) written: Option<&'a Written>,
    pub(super) service: &'a Service,
    pub(super) purpose: Purpose,
    /// Whether downloads go on where a former one broke off.
    pub(super) resume: bool,
}

impl Settings<'_> {
    /// An option that would say nothing is a mistake.
    fn check(&self) -> Result<(), Failure> {
        let writes = self.written.is_some_and(|written| written.format.is_some() || written.instruction_file);
        match self.purpose {
            Purpose::Encrypt if self.objects.legacy => Err(Failure::usage("--legacy is to read")),
            Purpose::Encrypt if self.resume => Err(Failure::usage("--resume is for downloads: an upload begins anew")),
            Purpose::Decrypt if writes => Err(Failure::usage("--format and --instruction-file are to write")),
            _ => Ok(()),
        }
    }
}

/// S3, with a key.
pub(super) struct Remote {
    s3: S3Client,
    encryptor: ObjectEncryptor<Arc<Keyrings>>,
    decryptor: ObjectDecryptor<Arc<Keyrings>>,
    parallel: usize,
    resume: bool,
    progress: Progress,
}

impl Remote {
    pub(super) fn new(settings: &Settings<'_>, label: &str, quiet: bool) -> Result<Self, Failure> {
        let Settings { keys, objects, written, service, purpose, resume } = settings;
        settings.check()?;
        let config = service.config()?;
        let keyring = Arc::new(keys.of_objects(*purpose, &config, &objects.material_description()?)?);
        let context = objects.context()?;
        let mut encryptor = ObjectEncryptor::new(keyring.clone()).context(context.clone());
        if let Some(written) = written {
            let format = written.format.unwrap_or(Format::V3);
            encryptor = encryptor
                .version(format.into())
                .commitment(objects.writing(format))
                .instruction_file(written.instruction_file);
        }
        let decryptor = ObjectDecryptor::new(keyring)
            .context(context)
            .commitment(objects.reading())
            .legacy(objects.legacy)
            .hold_limit(HOLD_LIMIT);
        let s3 = S3Client::new(&config)?;
        let progress = Progress::new(label, None, quiet);
        Ok(Self { s3, encryptor, decryptor, parallel: 1, resume: *resume, progress })
    }

    /// So many parts of one object at a time.
    pub(super) fn parallel(self, parts: usize) -> Self {
        Self { parallel: parts, ..self }
    }

    /// A pipe gets plaintext before it is verified, or allows ranges, of which nothing can be.
    pub(super) fn released(self, unverified: bool, ranges: bool) -> Self {
        let release = if unverified { Release::Unverified } else { Release::Verified };
        Self { decryptor: self.decryptor.release(release).ranges(ranges), ..self }
    }

    pub(super) fn s3(&self) -> &S3Client {
        &self.s3
    }

    /// Whether the object was made of a file of this time.
    pub(super) fn is_of_time(&self, url: &S3Url, modified: i128) -> Result<bool, Failure> {
        let info = self.s3.head(&url.bucket, &url.key)?;
        Ok(info.metadata.get(MTIME) == Some(&time::to_metadata(modified)))
    }

    pub(super) fn upload_file(&self, spot: &Spot, url: &S3Url) -> Result<Facts, Failure> {
        let input = Input::open(spot)?;
        let modified = input.file.metadata().and_then(|metadata| metadata.modified());
        let modified = modified.map_err(|error| Failure::file(&spot.path(), &error))?;
        let options = PutOptions::new().metadata([(MTIME, time::to_metadata(time::of_file(modified)))]);
        self.upload(input, url, &options)
    }

    pub(super) fn upload_pipe(&self, url: &S3Url) -> Result<Facts, Failure> {
        self.upload(Input::open(&Spot::Named("-".into()))?, url, &PutOptions::new())
    }

    fn upload(&self, input: Input, url: &S3Url, options: &PutOptions) -> Result<Facts, Failure> {
        if url.key.ends_with(INSTRUCTION_SUFFIX) {
            return Err(Failure::new(Kind::Failed, "a name that ends in .instruction is that of an instruction file"));
        }
        if path_of(&url.key).is_none() {
            let why = "its key would be no path within a folder, and is refused when all of the bucket is downloaded";
            return Err(Failure::new(Kind::Failed, why));
        }
        let length = input.announced();
        if let Some(length) = length {
            client::object::sealed_length(length).map_err(|error| Failure::new(Kind::Failed, error.to_string()))?;
        }
        let (plain, uploading, is_pipe) = (Cell::new(0), Uploading::begin(), input.length.is_none());
        let reader = Counted::new(uploading.input(input.steady(), is_pipe), &plain, None);
        let stored =
            self.with_client(|client| client.put(&self.encryptor, &url.bucket, &url.key, reader, length, options))?;
        let Stored { etag, version_id } = stored;
        Ok(facts([
            ("plaintext_bytes", json!(plain.get())),
            ("sealed_bytes", json!(client::object::sealed_length(plain.get())?)),
            ("etag", json!(etag)),
            ("version_id", json!(version_id)),
        ]))
    }

    /// A file gets the object's time, so that it is known again.
    pub(super) fn download_file(&self, url: &S3Url, spot: &Spot) -> Result<Facts, Failure> {
        let mut told = Facts::new();
        match self.download(url, spot, &mut told) {
            Ok(()) => Ok(told),
            Err(failure) => Err(failure.with(told)),
        }
    }

    fn download(&self, url: &S3Url, spot: &Spot, told: &mut Facts) -> Result<(), Failure> {
        let path = &spot.path();
        let folder = match spot {
            Spot::Named(path) => path.parent().filter(|folder| !folder.as_os_str().is_empty()),
            Spot::Within { root, .. } => Some(&**root),
        };
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        }
        spot.folder(true)?;
        let mut file = NewFile::create(spot, Existing::Replaced, MODE)?;
        let mut fetched = self.fetch(url, &mut file);
        if let Err(Error::Resumed(error)) = &fetched {
            told.extend(facts([("began_anew", json!(true))]));
            let text =
                format!("what an earlier download left of it may be damaged ({error}), so all of it is fetched anew");
            complain(&Failure::new(Kind::Input, text).within(url));
            file = NewFile::create(spot, Existing::Replaced, MODE)?;
            fetched = self.fetch(url, &mut file);
        }
        let fetched = fetched?;
        let stored = fetched.info.last_modified.as_deref().and_then(time::of_service).and_then(time::for_file);
        if let Some(stored) = stored {
            file.set_modified(stored).map_err(|error| Failure::file(path, &error))?;
        }
        told.extend(fetched_facts(&fetched));
        Ok(())
    }

    /// What comes of a download that is to be resumed lies beside the file until all of it is there, named by the object.
    fn fetch(&self, url: &S3Url, file: &mut NewFile) -> Result<Fetched, Error> {
        let (bucket, key) = (&*url.bucket, &*url.key);
        if !self.resume {
            return self.with_client(|client| client.get(&self.decryptor, bucket, key, file));
        }
        let (folder, path) = (file.folder(), file.target().with_file_name(output::partial_name(&url.to_string())));
        let partial = PartialFile::within(&folder, &path)?;
        self.with_client(|client| client.get_resumed(&self.decryptor, bucket, key, partial, file))
    }

    /// An object, or a range of it, to a pipe.
    pub(super) fn pour(&self, url: &S3Url, pipe: &mut fs::File, range: Option<ByteRange>) -> Result<Facts, Failure> {
        let (bucket, key) = (&*url.bucket, &*url.key);
        if let Some(range) = range {
            let fetched =
                self.with_client(|client| client.get_range(&self.decryptor, bucket, key, range, &mut Pipe(pipe)))?;
            return Ok(fetched_facts(&fetched));
        }
        let poured =
            self.with_client(|client| client.read(&self.decryptor, bucket, key, |plain| Ok(copy(plain, pipe)?)));
        match poured {
            Ok(length) => Ok(facts([("plaintext_bytes", json!(length))])),
            Err(Error::HoldLimit { limit }) => Err(Failure::new(
                Kind::Refused,
                format!(
                    "more than {limit} bytes would have to be held until the object is verified as a whole: copy it to a file, or take it \
                     unverified with `strongroom cat --release-unverified`"
                ),
            )),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn delete(&self, url: &S3Url) -> Result<Facts, Failure> {
        EncryptionClient::new(&self.s3).delete(&url.bucket, &url.key)?;
        Ok(Facts::new())
    }

    /// The instruction file anew, under another key.
    pub(super) fn rewrap(&self, url: &S3Url, new: &Keyrings, rotation: Rotation) -> Result<Facts, Failure> {
        let (bucket, key) = (&*url.bucket, &*url.key);
        let stored =
            EncryptionClient::new(&self.s3).re_encrypt_instruction_file(&self.decryptor, new, bucket, key, rotation)?;
        Ok(facts([("etag", json!(stored.etag)), ("version_id", json!(stored.version_id))]))
    }

    fn with_client<T>(&self, work: impl FnOnce(EncryptionClient<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let before = AtomicU64::new(0);
        let progress = |done: u64, total: Option<u64>| {
            if self.parallel > 1 {
                self.progress.expect(total);
            }
            self.progress.advance(done.saturating_sub(before.swap(done, Ordering::Relaxed)));
        };
        work(EncryptionClient::new(&self.s3).parallel(self.parallel).progress(&progress))
    }
}

fn fetched_facts(fetched: &Fetched) -> Facts {
    facts([
        ("plaintext_bytes", json!(fetched.length)),
        ("sealed_bytes", json!(fetched.info.length)),
        ("etag", json!(fetched.info.etag)),
        ("version_id", json!(fetched.info.version_id)),
        ("header", object_json(&fetched.header)),
    ])
}

fn facts<const N: usize>(facts: [(&str, Value); N]) -> Facts {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// As [`io::copy`], in larger pieces.
fn copy(input: &mut dyn Read, output: &mut impl Write) -> io::Result<u64> {
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    let mut copied = 0;
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(copied),
            Ok(read) => {
                output.write_all(&piece[..read])?;
                copied += u64::try_from(read).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What is written has left.
struct Pipe<'a>(&'a mut fs::File);

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Destination for Pipe<'_> {
    fn keep(&mut self) -> io::Result<()> {
        self.flush()
    }

    fn discard(&mut self) {}
}
