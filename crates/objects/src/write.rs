//! The road of a PUT: plaintext in, sealed segments out.
//!
//! Bytes are copied once, from the request's buffer to their place in ours, sealed there segment by segment while they are in the
//! cache, and handed to the blob's writer a mebibyte at a time; it writes one buffer while the next one fills. A small body goes
//! into one exact allocation instead and touches no blob.

use crate::body::Body;
use crate::checksum::{Algorithm, ChecksumClaim, ChecksumValue, Hasher};
use crate::error::{Digest, Error};
use crate::objects::Objects;
use crate::record::Location;
use blob::{BlobId, Buffer, Crc64, Writer};
use bytes::Bytes;
use md5::{Digest as _, Md5};
use seal::stream::{SEGMENT, Sealer};
use std::ops::DerefMut;

/// What is computed beside the cipher, and what must come out.
pub(crate) struct Digests {
    hasher: Option<Hasher>,
    /// A second checksum, which nobody claims.
    beside: Option<Hasher>,
    md5: Option<Md5>,
    claim: Option<ChecksumClaim>,
    content_md5: Option<[u8; 16]>,
}

/// A body to be sealed.
pub(crate) struct Intake<'a> {
    pub(crate) body: &'a mut dyn Body,
    /// Plaintext bytes announced.
    pub(crate) length: Option<u64>,
    /// Most bytes, plaintext.
    pub(crate) limit: u64,
    /// Bodies of up to that many bytes are kept out of blobs; `None`: none is.
    pub(crate) inline: Option<usize>,
    pub(crate) digests: Digests,
}

/// A sealed body, digests verified, blob synced.
pub(crate) struct SealedBody {
    /// Plaintext bytes.
    pub(crate) size: u64,
    pub(crate) location: Location,
    /// The sealed bytes, if they are to lie in the row.
    pub(crate) inline: Option<Bytes>,
    pub(crate) checksum: Option<ChecksumValue>,
    /// What the client claimed of another algorithm, verified.
    pub(crate) claimed: Option<ChecksumValue>,
    pub(crate) md5: Option<[u8; 16]>,
}

/// Digests that agreed with what was claimed.
struct Verified {
    checksum: Option<ChecksumValue>,
    claimed: Option<ChecksumValue>,
    md5: Option<[u8; 16]>,
}

impl Digests {
    /// `etag`: whether the ETag needs an MD5. `default`: computed if nothing is claimed.
    pub(crate) fn new(
        claim: Option<ChecksumClaim>,
        default: Option<Algorithm>,
        content_md5: Option<[u8; 16]>,
        etag: bool,
    ) -> Digests {
        let hasher = claim.as_ref().map(ChecksumClaim::algorithm).or(default).map(Algorithm::hasher);
        let md5 = (etag || content_md5.is_some()).then(Md5::new);
        Digests { hasher, beside: None, md5, claim, content_md5 }
    }

    /// Whatever is claimed, `stored` is computed and is what [`SealedBody::checksum`] holds.
    pub(crate) fn and(mut self, stored: Algorithm) -> Digests {
        if self.claim.as_ref().is_some_and(|claim| claim.algorithm() != stored) {
            self.beside = Some(stored.hasher());
        }
        self
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        if let Some(beside) = &mut self.beside {
            beside.update(bytes);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    /// Compares with what was claimed; `body` has ended, so its trailer is known.
    fn verify(self, body: &dyn Body) -> Result<Verified, Error> {
        let md5 = self.md5.map(|md5| <[u8; 16]>::from(md5.finalize()));
        if self.content_md5.is_some() && self.content_md5 != md5 {
            return Err(Error::BadDigest(Digest::Md5));
        }
        let computed = self.hasher.map(Hasher::finish);
        let claimed = match self.claim {
            Some(ChecksumClaim::Value(value)) => Some(value),
            Some(ChecksumClaim::Trailer(algorithm)) => {
                let (found, value) = body.trailing_checksum().ok_or(MISSING_TRAILER)?;
                if found != algorithm {
                    return Err(MISSING_TRAILER);
                }
                Some(ChecksumValue::parse(algorithm, &value)?)
            }
            Some(ChecksumClaim::Compute(_)) | None => None,
        };
        match claimed {
            Some(value) if computed != Some(value) => Err(Error::BadDigest(Digest::Checksum(value.algorithm()))),
            _ => Ok(match self.beside.map(Hasher::finish) {
                Some(beside) => Verified { checksum: Some(beside), claimed: computed, md5 },
                None => Verified { checksum: computed, claimed: None, md5 },
            }),
        }
    }
}

impl Objects {
    /// Seals a body under `sealer`, to `blob` or into memory.
    pub(crate) async fn seal_body(
        &self,
        sealer: Sealer,
        blob: BlobId,
        intake: Intake<'_>,
    ) -> Result<SealedBody, Error> {
        if let Some(length) = intake.length {
            within(length, intake.limit)?;
            if intake.inline.is_some_and(|limit| length <= limit as u64) {
                return seal_small(sealer, length, intake).await;
            }
        }
        self.seal_large(sealer, blob, intake).await
    }

    async fn seal_large(&self, sealer: Sealer, blob: BlobId, mut intake: Intake<'_>) -> Result<SealedBody, Error> {
        let mut writer: Option<Box<dyn Writer>> = None;
        let mut filler = Filler::new(sealer, self.blobs.buffers().take());
        let mut size = 0;
        while let Some(chunk) = intake.body.next().await? {
            size = grown(size, &chunk, &intake)?;
            intake.digests.update(&chunk);
            let mut rest = &chunk[..];
            while !rest.is_empty() {
                if filler.out.len() >= filler.segment + SEGMENT {
                    filler.seal_full();
                    if filler.sealed_segments == WRITE_SEGMENTS {
                        let writer = match &mut writer {
                            Some(writer) => writer,
                            None => writer.insert(self.blobs.create(blob).await?),
                        };
                        let full = std::mem::take(&mut filler.out);
                        filler.restart(writer.write(full).await?);
                    }
                }
                rest = filler.take(rest);
            }
        }
        complete(size, intake.length)?;
        let Verified { checksum, claimed, md5 } = intake.digests.verify(intake.body)?;
        let last = filler.seal_last();
        if writer.is_none() && intake.inline.is_some_and(|limit| size <= limit as u64) {
            let inline = Bytes::copy_from_slice(&last);
            return Ok(SealedBody {
                size,
                location: inline_location(&inline),
                inline: Some(inline),
                checksum,
                claimed,
                md5,
            });
        }
        let mut writer = match writer {
            Some(writer) => writer,
            None => self.blobs.create(blob).await?,
        };
        writer.write(last).await?;
        let written = writer.finish().await?;
        let location = Location::Blob { crc64: written.crc64 };
        Ok(SealedBody { size, location, inline: None, checksum, claimed, md5 })
    }
}

/// A body whose announced length fits the row: one allocation of the exact size.
async fn seal_small(sealer: Sealer, length: u64, mut intake: Intake<'_>) -> Result<SealedBody, Error> {
    let layout = seal::stream::Layout::new(length, sealer.layers()).expect("an inline object is far below the limit");
    let capacity = usize::try_from(layout.sealed_len()).expect("an inline object fits the memory");
    let mut filler = Filler::new(sealer, Vec::with_capacity(capacity));
    let mut size = 0;
    while let Some(chunk) = intake.body.next().await? {
        size = grown(size, &chunk, &intake)?;
        intake.digests.update(&chunk);
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            if filler.out.len() >= filler.segment + SEGMENT {
                filler.seal_full();
            }
            rest = filler.take(rest);
        }
    }
    complete(size, intake.length)?;
    let Verified { checksum, claimed, md5 } = intake.digests.verify(intake.body)?;
    let inline = Bytes::from(filler.seal_last());
    Ok(SealedBody { size, location: inline_location(&inline), inline: Some(inline), checksum, claimed, md5 })
}

/// With the checksum that the scrub knows SSE-C bodies by.
fn inline_location(sealed: &[u8]) -> Location {
    let mut crc = Crc64::new();
    crc.update(sealed);
    Location::Inline { crc64: crc.value() }
}

/// Memory that segments are sealed in.
trait Memory: DerefMut<Target = [u8]> {
    fn append(&mut self, bytes: &[u8]);
    fn append_zeroes(&mut self, count: usize);
}

impl Memory for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn append_zeroes(&mut self, count: usize) {
        self.resize(self.len() + count, 0);
    }
}

impl Memory for Buffer {
    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn append_zeroes(&mut self, count: usize) {
        self.extend_zeroed(count);
    }
}

/// Cuts plaintext into segments and seals each in place. Which segment is the last is known only when no byte follows it, so a
/// full one waits for the next byte.
struct Filler<M> {
    sealer: Sealer,
    out: M,
    /// Where the open segment starts in `out`.
    segment: usize,
    sealed_segments: usize,
}

impl<M: Memory> Filler<M> {
    fn new(sealer: Sealer, out: M) -> Filler<M> {
        Filler { sealer, out, segment: 0, sealed_segments: 0 }
    }

    /// Takes what fits the open segment and gives the rest back.
    fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = SEGMENT - (self.out.len() - self.segment);
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        self.out.append(now);
        later
    }

    fn seal_full(&mut self) {
        self.out.append_zeroes(self.sealer.layers().overhead());
        self.sealer.seal_segment(&mut self.out[self.segment..]);
        self.segment = self.out.len();
        self.sealed_segments += 1;
    }

    /// Goes on in empty memory.
    fn restart(&mut self, out: M) {
        self.out = out;
        self.segment = 0;
        self.sealed_segments = 0;
    }

    fn seal_last(mut self) -> M {
        self.out.append_zeroes(self.sealer.layers().overhead());
        self.sealer.seal_last(&mut self.out[self.segment..]);
        self.out
    }
}

/// The size with `chunk`, checked against what was announced and what is allowed.
fn grown(size: u64, chunk: &Bytes, intake: &Intake<'_>) -> Result<u64, Error> {
    let size = size + chunk.len() as u64;
    match intake.length {
        Some(expected) if size > expected => Err(Error::IncompleteBody { expected, received: size }),
        _ => within(size, intake.limit),
    }
}

fn within(size: u64, limit: u64) -> Result<u64, Error> {
    if size > limit { Err(Error::EntityTooLarge { size, limit }) } else { Ok(size) }
}

fn complete(received: u64, expected: Option<u64>) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != received => Err(Error::IncompleteBody { expected, received }),
        _ => Ok(()),
    }
}

/// The largest body of one PUT, in bytes (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
pub const PUT_LIMIT: u64 = 5 * 1024 * 1024 * 1024;

/// Segments handed to the writer at once: a mebibyte, where a disk call costs little beside its bytes.
const WRITE_SEGMENTS: usize = 16;

const MISSING_TRAILER: Error =
    Error::InvalidRequest("The checksum that the x-amz-trailer header announces did not arrive.");
