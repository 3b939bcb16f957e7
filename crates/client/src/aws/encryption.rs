//! Objects that are encrypted before they leave and decrypted after they arrive.

mod download;
mod partial;
mod upload;

pub use partial::PartialFile;
pub use upload::UPLOAD_PART;

use super::error::AwsError;
use super::s3::{GetOptions, ObjectInfo, PutOptions, S3Client, Stored, Upload};
use crate::error::{Error, Result};
use crate::object::{
    ByteRange, ContentAlgorithm, INSTRUCTION_SUFFIX, METADATA_LIMIT, Metadata, ObjectDecryptor, ObjectEncryptor,
    ObjectHeader, ObjectKeyring, Opening, Rotation, instruction_mark, is_of_instruction,
};
use crate::release::Destination;
use std::io::Read;

/// Parts that travel at once, unless the caller says otherwise: so that an upload has less than 32 MiB in memory, all in all.
pub const PARALLEL: usize = 3;

/// What is called as an object travels, by the thread that asked for it: bytes that are done, and bytes in all if that is known. Of the
/// object as it is stored, so 16 more than of the plaintext.
pub type Progress<'a> = dyn Fn(u64, Option<u64>) + Send + Sync + 'a;

/// The S3 Encryption Client: [`object`](crate::object) over [`S3Client`].
///
/// What is written and read how is said by the [`ObjectEncryptor`] and the [`ObjectDecryptor`] that each call is given. Large objects
/// travel in parts, several at once, both ways; memory is some 7 MiB for each of them ([`EncryptionClient::parallel`]), however large the
/// object is.
///
/// - An upload that fails is aborted. It cannot be resumed: the same key and IV would encrypt twice.
/// - A download is of one object: all parts are asked for by its ETag. What breaks off is fetched again, and
///   [`EncryptionClient::get_resumed`] goes on where a former try ended.
/// - Plaintext counts only when all of it is verified; until then it is in the hands of a [`Destination`].
///
/// ```no_run
/// use client::aws::{Config, EncryptionClient, KmsClient, PutOptions, S3Client};
/// use client::object::{KmsKeyring, ObjectDecryptor, ObjectEncryptor};
///
/// let config = Config::from_env()?;
/// let (s3, kms) = (S3Client::new(&config)?, KmsClient::new(&config)?);
/// let keyring = KmsKeyring::new(&kms, "arn:aws:kms:eu-central-1:111122223333:key/1234")?;
/// let client = EncryptionClient::new(&s3);
///
/// let encryptor = ObjectEncryptor::new(&keyring).context([("purpose", "backup")]);
/// client.put(&encryptor, "bucket", "key", &b"attack at dawn"[..], None, &PutOptions::new())?;
///
/// let decryptor = ObjectDecryptor::new(&keyring).context([("purpose", "backup")]);
/// let mut plaintext = Vec::new();
/// client.get(&decryptor, "bucket", "key", &mut plaintext)?;
/// assert_eq!(plaintext, b"attack at dawn");
/// # Ok::<(), client::Error>(())
/// ```
pub struct EncryptionClient<'a> {
    s3: &'a S3Client,
    parallel: usize,
    upload_part: usize,
    download_part: u64,
    progress: Option<&'a Progress<'a>>,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The object as it is stored.
    pub info: ObjectInfo,
    /// How it is encrypted.
    pub header: ObjectHeader,
    /// Bytes of plaintext that were written.
    pub length: u64,
}

impl<'a> EncryptionClient<'a> {
    /// Over a client of S3.
    #[must_use]
    pub fn new(s3: &'a S3Client) -> Self {
        Self { s3, parallel: PARALLEL, upload_part: UPLOAD_PART, download_part: download::PART, progress: None }
    }

    /// How many parts travel at once: [`PARALLEL`] unless set, and one at least. Each takes the memory of a part.
    #[must_use]
    pub fn parallel(self, parts: usize) -> Self {
        Self { parallel: parts.max(1), ..self }
    }

    /// The length of parts in bytes: [`UPLOAD_PART`] for uploads unless set. S3 takes none below 5 MiB but the last, and no more than
    /// 10,000: so with less than 7 MiB, the largest objects do not fit.
    #[must_use]
    pub fn part_length(self, bytes: usize) -> Self {
        let bytes = bytes.max(16);
        Self { upload_part: bytes, download_part: bytes as u64, ..self }
    }

    /// What is called as an object travels.
    #[must_use]
    pub fn progress(self, progress: &'a Progress<'a>) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Encrypts and stores what `input` gives. `length` is its length, if it is known: then less or more of it is an error, and too much is
    /// refused before anything is sent. An instruction file, if the encryptor makes one, is stored after its object.
    ///
    /// # Errors
    /// [`Error::Setting`] for metadata whose names are reserved; what the keyring and the input fail with; [`Error::BodyLength`],
    /// [`Error::PlaintextLength`], [`Error::Missing`]; [`Error::Aws`], of which [`AwsError::InstructionFile`] is special: there is an
    /// object then, which nothing opens.
    pub fn put<K: ObjectKeyring>(
        &self,
        encryptor: &ObjectEncryptor<K>,
        bucket: &str,
        key: &str,
        input: impl Read,
        length: Option<u64>,
        options: &PutOptions,
    ) -> Result<Stored> {
        if options.reserved().is_some() {
            return Err(Error::Setting("names of user metadata that are reserved to the format of encrypted objects"));
        }
        let total = length.map(crate::object::sealed_length).transpose()?;
        let sealing = encryptor.start()?;
        let instruction = sealing.instruction().cloned();
        let stored = self.upload(sealing, bucket, key, input, (length, total), options)?;
        if let Some((body, metadata)) = instruction {
            let options = PutOptions::new().metadata(metadata.iter());
            self.s3
                .put(bucket, &instruction_key(key), Upload::Bytes(&body), &options)
                .map_err(|error| Error::Aws(AwsError::InstructionFile(Box::new(error))))?;
        }
        Ok(stored)
    }

    /// Fetches an object and decrypts it into a place that is discarded unless all of it is verified.
    ///
    /// # Errors
    /// [`Error::Aws`]: `NoSuchKey`, or `PreconditionFailed` if the object was replaced on the way; [`Error::OfInstructionFile`]; whatever
    /// [`ObjectDecryptor::start`](crate::object::ObjectDecryptor::start) and [`Opening::decrypt_into`] fail with.
    pub fn get<K: ObjectKeyring>(
        &self,
        decryptor: &ObjectDecryptor<K>,
        bucket: &str,
        key: &str,
        place: &mut impl Destination,
    ) -> Result<Fetched> {
        let opened = discarding(place, self.first_part(decryptor, bucket, key))?;
        let (remote, opening, first) = opened;
        let length = self.with_ciphertext(&remote, first, |body| opening.decrypt_into(body, place))?;
        Ok(Fetched { info: remote.info, header: opening.header().clone(), length })
    }

    /// Fetches an object and gives its plaintext to read: as the decryptor's
    /// [`release`](crate::object::ObjectDecryptor::release) says, after all of it is verified, of which only so much is held as it
    /// allows, or as it comes.
    ///
    /// # Errors
    /// As [`EncryptionClient::get`]; [`Error::HoldLimit`]; what `consume` fails with.
    pub fn read<K: ObjectKeyring, T>(
        &self,
        decryptor: &ObjectDecryptor<K>,
        bucket: &str,
        key: &str,
        consume: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let (remote, opening, first) = self.first_part(decryptor, bucket, key)?;
        self.with_ciphertext(&remote, first, |body| consume(&mut opening.into_reader(body)?))
    }

    /// The same as [`EncryptionClient::get`], but what arrives is first kept, still encrypted, in the file `partial`, so that after a
    /// failure the next call goes on where it ended. The file is deleted once it was decrypted, or turned out to be wrong, unless it is not there
    /// any more or cannot be deleted, which is no failure of an object that is there and verified. An object that
    /// arrives at once needs none, and one of AES-CBC has none: nothing would tell that the file was damaged.
    /// `docs/formats/partial-download.md` has its bytes.
    ///
    /// # Errors
    /// As [`EncryptionClient::get`]; [`Error::Resumed`] where that is what is wrong with an object of which a part was in the file: the
    /// next call begins anew; [`Error::Io`] for what the file fails with, and if another download uses it.
    pub fn get_resumed<K: ObjectKeyring>(
        &self,
        decryptor: &ObjectDecryptor<K>,
        bucket: &str,
        key: &str,
        partial: PartialFile<'_>,
        place: &mut impl Destination,
    ) -> Result<Fetched> {
        let begun = partial.exists().map_err(Error::from).and_then(|exists| {
            if exists {
                let (remote, opening) = self.head_opened(decryptor, bucket, key)?;
                Ok((remote, opening, Vec::new()))
            } else {
                self.first_part(decryptor, bucket, key)
            }
        });
        let (remote, opening, first) = discarding(place, begun)?;
        // Of what has no tag, a file that was damaged would be believed.
        let is_proved = opening.header().content != ContentAlgorithm::AesCbc;
        let length = if first.len() as u64 == remote.info.length || !is_proved {
            self.with_ciphertext(&remote, first, |body| opening.decrypt_into(body, place))?
        } else {
            let (mut file, resumed) = discarding(place, self.fetch_into(partial, &remote, first))?;
            let written = opening.decrypt_into(&mut file, place);
            // Of a disk that is full, say, the ciphertext is still good.
            if !matches!(written, Err(Error::Io(_))) {
                // One that cannot be removed is no reason to say that there is no object, where there is one.
                drop(partial.remove(file.into_inner()));
            }
            match written {
                Err(error) if resumed && is_of_content(&error) => return Err(Error::Resumed(Box::new(error))),
                written => written?,
            }
        };
        Ok(Fetched { info: remote.info, header: opening.header().clone(), length })
    }

    /// Fetches a range of the plaintext, which has to be allowed by [`ranges`](crate::object::ObjectDecryptor::ranges): **nothing of it is
    /// authenticated**.
    ///
    /// # Errors
    /// As [`EncryptionClient::get`]; [`Error::RangesOff`], [`Error::Range`], [`Error::SuffixRange`].
    pub fn get_range<K: ObjectKeyring>(
        &self,
        decryptor: &ObjectDecryptor<K>,
        bucket: &str,
        key: &str,
        range: impl Into<ByteRange>,
        place: &mut impl Destination,
    ) -> Result<Fetched> {
        let (remote, opening) = discarding(place, self.head_opened(decryptor, bucket, key))?;
        let range = discarding(place, opening.range(range))?;
        let length = self.with_range(&remote, range.wire.clone(), |body| range.decrypt_into(body, place))?;
        Ok(Fetched { info: remote.info, header: opening.header().clone(), length })
    }

    /// What an object says of itself, without a key; no header if it is not encrypted.
    ///
    /// # Errors
    /// [`Error::Aws`], with code `NotFound` if there is no such object; what is wrong with its metadata; [`Error::OfInstructionFile`].
    pub fn inspect(&self, bucket: &str, key: &str) -> Result<(ObjectInfo, Option<ObjectHeader>)> {
        let info = self.s3.head(bucket, key)?;
        let metadata = metadata(&info);
        let instruction = self.instruction(bucket, key, &metadata)?;
        check_instruction(key, &metadata, instruction.as_deref())?;
        Ok((info, ObjectHeader::inspect(&metadata, instruction.as_deref())?))
    }

    /// Deletes an object, and then its instruction file, if it has one.
    ///
    /// # Errors
    /// [`Error::Aws`]. That there is none such is no error.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<()> {
        self.s3.delete(bucket, key)?;
        Ok(self.s3.delete(bucket, &instruction_key(key))?)
    }

    /// Wraps the data key of an object anew, in its instruction file: `old` opens it, `new` wraps it. The object itself is not touched. If
    /// the file was changed meanwhile, it stays.
    ///
    /// # Errors
    /// As [`ObjectDecryptor::reencrypt_instruction_file`](crate::object::ObjectDecryptor::reencrypt_instruction_file);
    /// [`Error::NoInstructionFile`], [`Error::InstructionFileMissing`], [`Error::OfInstructionFile`]; [`Error::Aws`], with code `NotFound` if there is no such object.
    pub fn re_encrypt_instruction_file<K: ObjectKeyring>(
        &self,
        old: &ObjectDecryptor<K>,
        new: impl ObjectKeyring,
        bucket: &str,
        key: &str,
        rotation: Rotation,
    ) -> Result<Stored> {
        let metadata = metadata(&self.s3.head(bucket, key)?);
        let file = instruction_key(key);
        let says = ObjectHeader::inspect(&metadata, None);
        if says.as_ref().is_ok_and(|header| header.as_ref().is_some_and(|header| !header.in_instruction_file)) {
            return Err(Error::NoInstructionFile);
        }
        let (info, instruction) = match self.small(bucket, &file) {
            // The object itself is there.
            Err(Error::Aws(error)) if error.is_code("NoSuchKey") => {
                return Err(if says?.is_some() { Error::InstructionFileMissing } else { Error::NotEncrypted });
            }
            found => found?,
        };
        check_instruction(key, &metadata, Some(&instruction))?;
        let body = old.reencrypt_instruction_file(new, &metadata, &instruction, rotation)?;
        let options = PutOptions::new().metadata(instruction_mark().iter()).if_match(info.etag);
        Ok(self.s3.put(bucket, &file, Upload::Bytes(&body), &options)?)
    }

    /// An object whose data key is opened, and the first bytes of it.
    fn first_part<K: ObjectKeyring>(
        &self,
        decryptor: &ObjectDecryptor<K>,
        bucket: &str,
        key: &str,
    ) -> Result<(Remote, Opening, Vec<u8>)> {
        let options = GetOptions::new().range(0..=self.download_part - 1);
        let mut first = Vec::new();
        let info = match self.s3.fetch(bucket, key, &options, &mut first) {
            // Of no bytes there is no range. What is encrypted has some, unless it was cut: its metadata tell.
            Err(error) if error.is_code("InvalidRange") => {
                let (remote, opening) = self.head_opened(decryptor, bucket, key)?;
                return Ok((remote, opening, first));
            }
            fetched => fetched?,
        };
        let remote = Remote { bucket: bucket.to_owned(), key: key.to_owned(), info };
        let opening = self.open(decryptor, &remote)?;
        Ok((remote, opening, first))
    }

    fn head_opened<K: ObjectKeyring>(
        &self,
        decryptor: &ObjectDecryptor<K>,
        bucket: &str,
        key: &str,
    ) -> Result<(Remote, Opening)> {
        let info = self.s3.head(bucket, key)?;
        let remote = Remote { bucket: bucket.to_owned(), key: key.to_owned(), info };
        let opening = self.open(decryptor, &remote)?;
        Ok((remote, opening))
    }

    fn open<K: ObjectKeyring>(&self, decryptor: &ObjectDecryptor<K>, remote: &Remote) -> Result<Opening> {
        let metadata = metadata(&remote.info);
        let instruction = self.instruction(&remote.bucket, &remote.key, &metadata)?;
        check_instruction(&remote.key, &metadata, instruction.as_deref())?;
        decryptor.start(&metadata, instruction.as_deref(), remote.info.length)
    }

    /// The instruction file, if the object may have one and does.
    fn instruction(&self, bucket: &str, key: &str, metadata: &Metadata) -> Result<Option<Vec<u8>>> {
        let says_nothing = match ObjectHeader::inspect(metadata, None) {
            Ok(Some(header)) if !header.in_instruction_file => return Ok(None),
            Ok(header) => header.is_none(),
            // Of an older version, something may stand here and the rest there.
            Err(Error::MissingMember(_)) => false,
            Err(error) => return Err(error),
        };
        match self.small(bucket, &instruction_key(key)) {
            Ok((_, body)) => Ok(Some(body)),
            Err(Error::Aws(error)) if error.is_code("NoSuchKey") => Ok(None),
            // So S3 answers for what is not there to who may not list. An object without a trace of encryption is none, then.
            Err(Error::Aws(error)) if error.is_code("AccessDenied") && says_nothing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An instruction file, which is small.
    fn small(&self, bucket: &str, key: &str) -> Result<(ObjectInfo, Vec<u8>)> {
        let small = GetOptions::new().range(0..=METADATA_LIMIT as u64);
        let mut body = Vec::new();
        let info = match self.s3.fetch(bucket, key, &small, &mut body) {
            Err(error) if error.is_code("InvalidRange") => {
                return Err(of_instruction(key, Error::InstructionFile("it is empty")));
            }
            fetched => fetched?,
        };
        if info.length > METADATA_LIMIT as u64 {
            return Err(of_instruction(key, Error::MetadataLength { limit: METADATA_LIMIT }));
        }
        Ok((info, body))
    }

    fn report(&self, done: u64, total: Option<u64>) {
        if let Some(progress) = self.progress {
            progress(done, total);
        }
    }
}

/// An object as it is stored, of which pieces are asked for.
struct Remote {
    bucket: String,
    key: String,
    info: ObjectInfo,
}

fn instruction_key(key: &str) -> String {
    format!("{key}{INSTRUCTION_SUFFIX}")
}

/// Whatever is wrong with an instruction file is told with its name: it reads as if it were wrong with the object.
fn check_instruction(key: &str, metadata: &Metadata, instruction: Option<&[u8]>) -> Result<()> {
    if instruction.is_none() {
        return Ok(());
    }
    match ObjectHeader::inspect(metadata, None) {
        // What the object lacks may be in the file.
        Ok(_) | Err(Error::MissingMember(_)) => {}
        Err(error) => return Err(error),
    }
    match ObjectHeader::inspect(metadata, instruction) {
        Err(error) if is_of_instruction(&error, metadata) => Err(of_instruction(&instruction_key(key), error)),
        inspected => inspected.map(drop),
    }
}

fn of_instruction(name: &str, error: Error) -> Error {
    Error::OfInstructionFile { name: name.to_owned(), error: Box::new(error) }
}

fn metadata(info: &ObjectInfo) -> Metadata {
    info.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Whether the ciphertext is not what was sealed.
fn is_of_content(error: &Error) -> bool {
    matches!(error, Error::BodyTag | Error::Truncated(_) | Error::Trailing)
}

/// Where something fails before anything was written, the place is discarded all the same: it waits for one of two words.
fn discarding<T>(place: &mut impl Destination, result: Result<T>) -> Result<T> {
    if result.is_err() {
        place.discard();
    }
    result
}
