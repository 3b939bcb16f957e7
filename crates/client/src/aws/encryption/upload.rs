//! Uploads: one cipher from the first byte to the last, and several parts of what it makes on their way at once.

use super::EncryptionClient;
use crate::aws::error::AwsError;
use crate::aws::s3::{Crc64, Part, PartUpload, PutOptions, Stored, Upload};
use crate::error::{Error, Result};
use crate::object::{Metadata, Sealing};
use crate::plaintext::Plaintext;
use std::io::{ErrorKind, Read};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};

/// Length of a part, in bytes: with 10,000 of them, S3's most, there is room for the longest stream of AES-GCM, which has 64 GiB. An
/// object that fits into one is stored at once.
pub const UPLOAD_PART: usize = 7 << 20;

/// Most parts of an upload.
const PARTS: u32 = 10_000;

impl EncryptionClient<'_> {
    pub(super) fn upload(
        &self,
        sealing: Sealing,
        bucket: &str,
        key: &str,
        input: impl Read,
        (length, total): (Option<u64>, Option<u64>),
        options: &PutOptions,
    ) -> Result<Stored> {
        let described = sealing.metadata().clone();
        let options = &options.clone().metadata(described.iter());
        let mut sealer = Sealer::new(sealing, input, length);
        let mut first = self.buffer();
        self.report(0, total);
        if sealer.fill(&mut first)? {
            let stored = self.s3.put(bucket, key, Upload::Bytes(&first), options);
            let stored = self.settled(stored, (bucket, key), &described, sealer.made)?;
            self.report(sealer.made, Some(sealer.made));
            return Ok(stored);
        }
        let upload = self.s3.create_multipart(bucket, key, options)?;
        let stored = self.parts(&upload, &mut sealer, first, total).and_then(|parts| {
            let (length, crc) = (sealer.made, sealer.crc.text());
            let stored = self.s3.complete_multipart(&upload, &parts, Some((length, &crc)), options);
            Ok(self.settled(stored, (bucket, key), &described, length)?)
        });
        if stored.is_err() {
            // What failed first is what counts. Parts that are left behind are for the bucket's lifecycle.
            drop(self.s3.abort_multipart(&upload));
        }
        stored
    }

    /// What became of an upload. Where the answer to a try is lost, the next one is refused because the first was not: then the object is
    /// there, and told by what describes its content, which no other object has.
    fn settled(
        &self,
        stored: Result<Stored, AwsError>,
        (bucket, key): (&str, &str),
        described: &Metadata,
        length: u64,
    ) -> Result<Stored, AwsError> {
        let Err(error) = stored else { return stored };
        if !(error.is_code("NoSuchUpload") || error.is_code("PreconditionFailed")) {
            return Err(error);
        }
        let Ok(info) = self.s3.head(bucket, key) else { return Err(error) };
        let same = described.iter().all(|(name, value)| info.metadata.get(name).is_some_and(|found| found == value));
        if same && !described.is_empty() && info.length == length {
            return Ok(Stored { etag: info.etag, version_id: info.version_id });
        }
        Err(error)
    }

    fn buffer(&self) -> Plaintext {
        Plaintext::zeroed(self.upload_part)
    }

    /// Seals part after part, and has them uploaded.
    fn parts<R: Read>(
        &self,
        upload: &PartUpload,
        sealer: &mut Sealer<R>,
        first: Plaintext,
        total: Option<u64>,
    ) -> Result<Vec<Part>> {
        let (jobs, queue) = mpsc::sync_channel(0);
        let (tell, told) = mpsc::channel();
        let queue = Mutex::new(queue);
        std::thread::scope(|scope| {
            for _ in 0..self.parallel {
                let (queue, tell) = (&queue, tell.clone());
                scope.spawn(move || {
                    while let Some(Job { number, buffer }) = next(queue) {
                        let part = self.s3.upload_part(upload, number, Upload::Bytes(&buffer));
                        // Nobody listens any more after another failure.
                        drop(tell.send(Told { part, buffer }));
                    }
                });
            }
            drop(tell);
            // Dropped at the end of this closure, so that those who wait for jobs end.
            let jobs = jobs;
            let mut done = Done { client: self, parts: Vec::new(), bytes: 0, total };
            let (mut buffer, mut buffers, mut number, mut ended) = (first, 1, 1, false);
            loop {
                jobs.send(Job { number, buffer }).map_err(|_| Error::Failed)?;
                if ended {
                    break;
                }
                if number == PARTS {
                    return Err(Error::Setting("more than 10,000 parts: use longer ones"));
                }
                buffer = if buffers < self.parallel {
                    buffers += 1;
                    self.buffer()
                } else {
                    done.note(told.recv().map_err(|_| Error::Failed)?)?
                };
                number += 1;
                ended = sealer.fill(&mut buffer)?;
            }
            drop(jobs);
            for told in told {
                done.note(told)?;
            }
            done.parts.sort_by_key(|part| part.number);
            Ok(done.parts)
        })
    }
}

struct Job {
    number: u32,
    buffer: Plaintext,
}

fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// What became of a part, and its buffer for another one.
struct Told {
    part: Result<Part, AwsError>,
    buffer: Plaintext,
}

/// What is stored.
struct Done<'a> {
    client: &'a EncryptionClient<'a>,
    parts: Vec<Part>,
    bytes: u64,
    total: Option<u64>,
}

impl Done<'_> {
    fn note(&mut self, told: Told) -> Result<Plaintext> {
        self.parts.push(told.part?);
        self.bytes += told.buffer.len() as u64;
        self.client.report(self.bytes, self.total);
        Ok(told.buffer)
    }
}

/// Ciphertext and tag, piece by piece.
struct Sealer<R> {
    input: R,
    /// Until the tag is made.
    sealing: Option<Sealing>,
    /// What is left of the tag.
    tag: Vec<u8>,
    /// The length that was announced, and what was taken.
    announced: Option<u64>,
    taken: u64,
    made: u64,
    crc: Crc64,
}

impl<R: Read> Sealer<R> {
    fn new(sealing: Sealing, input: R, announced: Option<u64>) -> Self {
        Self { input, sealing: Some(sealing), tag: Vec::new(), announced, taken: 0, made: 0, crc: Crc64::new() }
    }

    /// Fills a buffer as far as there is something, and shortens it to that. Whether that is the end.
    fn fill(&mut self, buffer: &mut Plaintext) -> Result<bool> {
        let mut there = 0;
        if let Some(sealing) = &mut self.sealing {
            let mut ended = false;
            while there < buffer.len() && !ended {
                match self.input.read(&mut buffer[there..]) {
                    Ok(0) => ended = true,
                    Ok(read) => there += read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.into()),
                }
            }
            sealing.update(&mut buffer[..there])?;
            self.taken += there as u64;
            self.check_length(ended)?;
            if ended && let Some(sealing) = self.sealing.take() {
                self.tag = sealing.finish()?.to_vec();
            }
        }
        let taken = self.tag.len().min(buffer.len() - there);
        buffer[there..there + taken].copy_from_slice(&self.tag[..taken]);
        self.tag.drain(..taken);
        buffer.truncate(there + taken);
        self.crc.update(buffer);
        self.made += buffer.len() as u64;
        Ok(self.sealing.is_none() && self.tag.is_empty())
    }

    fn check_length(&self, ended: bool) -> Result<()> {
        match self.announced {
            Some(announced) if self.taken > announced => Err(Error::PlaintextLength(announced)),
            Some(announced) if ended && self.taken < announced => Err(Error::Missing(announced - self.taken)),
            _ => Ok(()),
        }
    }
}
