//! The road of a GET: sealed segments in, verified plaintext out.
//!
//! Sealed bytes are read into a lent buffer, opened in place and handed out as slices of it; when the last slice is gone the
//! buffer goes back. While the slices of one buffer leave, the next one is being read.

use crate::acquire::ObjectKeys;
use crate::error::Error;
use crate::info::ObjectInfo;
use crate::record::{Location, Part};
use crate::window::Span;
use blob::{BlobId, Blobs, Buffer, BufferPool, Reader};
use bytes::{Bytes, BytesMut};
use seal::stream::{Layout, Opener, SEGMENT, SegmentRange};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

/// An open object. Its bytes come in verified pieces of at most one segment (64 KiB).
pub struct ObjectReader {
    info: ObjectInfo,
    span: Option<Span>,
    ready: VecDeque<Bytes>,
    blobs: Option<Box<BlobStream>>,
}

/// Why an object could not be opened for reading.
pub(crate) enum OpenFailure {
    /// A blob is gone. If the object was replaced a moment ago, reading its row again finds the new one.
    Vanished(blob::Error),
    Other(Error),
}

impl ObjectReader {
    /// Plans the read and verifies its first bytes. `bytes` is the plaintext wanted; `body` the row's.
    pub(crate) async fn open(
        info: ObjectInfo,
        span: Option<Span>,
        parts: Vec<Part>,
        body: Option<Bytes>,
        keys: ObjectKeys,
        blobs: &Arc<dyn Blobs>,
    ) -> Result<ObjectReader, OpenFailure> {
        let wanted = span.map_or(0..info.size, |span| span.first..span.last + 1);
        let mut reader = ObjectReader { info, span, ready: VecDeque::new(), blobs: None };
        if let [part @ Part { location: Location::Inline { .. }, .. }] = &parts[..] {
            let opener = keys.opener(part)?;
            reader.ready = open_inline(&opener, part.layout(), wanted, body)?;
        } else {
            let mut stream = BlobStream::new(plan(parts, wanted), keys, Arc::clone(blobs));
            stream.advance(&mut reader.ready).await?;
            reader.blobs = Some(Box::new(stream));
        }
        Ok(reader)
    }

    /// The object.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// The bytes that come, if a range or part was asked for (206); `None`: the whole object.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// Plaintext bytes that come in all.
    pub fn content_length(&self) -> u64 {
        self.span.map_or(self.info.size, |span| span.len())
    }

    /// The next verified bytes, never empty; `None` when all have come. After an error the connection must be cut: bytes are
    /// missing. May be dropped before it has answered and called again.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.ready.is_empty()
            && let Some(stream) = &mut self.blobs
        {
            stream.advance(&mut self.ready).await.map_err(OpenFailure::into_error)?;
        }
        let piece = self.ready.pop_front();
        if let Some(stream) = &mut self.blobs
            && self.ready.len() <= READ_AHEAD_FROM
        {
            stream.read_ahead().await;
        }
        Ok(piece)
    }
}

impl OpenFailure {
    pub(crate) fn into_error(self) -> Error {
        match self {
            OpenFailure::Vanished(error) => error.into(),
            OpenFailure::Other(error) => error,
        }
    }
}

impl From<Error> for OpenFailure {
    fn from(error: Error) -> OpenFailure {
        OpenFailure::Other(error)
    }
}

impl From<blob::Error> for OpenFailure {
    fn from(error: blob::Error) -> OpenFailure {
        match error {
            blob::Error::NotFound(_) => OpenFailure::Vanished(error),
            other => OpenFailure::Other(other.into()),
        }
    }
}

/// A part and the segments of it that are wanted.
struct Plan {
    part: Part,
    segments: SegmentRange,
}

/// Which segments of which parts hold the wanted plaintext. An empty part or object still has a segment that must verify.
fn plan(parts: Vec<Part>, wanted: Range<u64>) -> VecDeque<Plan> {
    let mut start = 0;
    let mut plans = VecDeque::new();
    for part in parts {
        let end = start + part.size;
        let local = wanted.start.clamp(start, end) - start..wanted.end.clamp(start, end) - start;
        if !local.is_empty() || (start == end && wanted.contains(&start)) || wanted == (start..end) {
            let segments = part.layout().segments_for(local).expect("the range lies within the part");
            plans.push_back(Plan { part, segments });
        }
        start = end;
    }
    plans
}

/// Opens what is wanted of an object that lies in its row.
fn open_inline(
    opener: &Opener,
    layout: Layout,
    wanted: Range<u64>,
    body: Option<Bytes>,
) -> Result<VecDeque<Bytes>, Error> {
    let body = body.filter(|body| body.len() as u64 == layout.sealed_len()).ok_or_else(|| {
        tracing::error!("the bytes of an inline object are missing or of another length");
        Error::DamagedObject
    })?;
    // The row was read for this request alone, so its bytes are opened where they are.
    let mut body = body.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    let mut segments = layout.segments_for(wanted).expect("the range lies within the object");
    let sealed = offset(segments.sealed.start)..offset(segments.sealed.end);
    let pieces = open_run(opener, layout, &mut segments, u64::MAX, &mut body[sealed.clone()]).map_err(|segment| {
        tracing::error!(segment, "a segment of an inline object does not verify: the stored bytes are damaged");
        Error::DamagedObject
    })?;
    let body = body.freeze();
    Ok(pieces.into_iter().map(|piece| body.slice(sealed.start + piece.start..sealed.start + piece.end)).collect())
}

/// Opens up to `count` segments in place and moves `segments` past them. Answers where in `sealed` the wanted plaintext lies.
///
/// # Errors
/// The number of the segment that does not verify.
fn open_run(
    opener: &Opener,
    layout: Layout,
    segments: &mut SegmentRange,
    count: u64,
    sealed: &mut [u8],
) -> Result<Vec<Range<usize>>, u64> {
    let count = count.min(segments.count);
    let mut pieces = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    let mut start = 0;
    for index in segments.first..segments.first + count {
        let slot = &mut sealed[start..start + layout.slot_len(index)];
        let length = opener.open_segment(index, layout.is_last(index), slot).map_err(|_| index)?;
        let skip = std::mem::take(&mut segments.skip);
        let take = offset(segments.take.min((length - skip) as u64));
        if take > 0 {
            pieces.push(start + skip..start + skip + take);
        }
        segments.take -= take as u64;
        start += layout.slot_len(index);
    }
    segments.first += count;
    segments.count -= count;
    Ok(pieces)
}

/// The blobs of a read, one after the other.
struct BlobStream {
    blobs: Arc<dyn Blobs>,
    keys: ObjectKeys,
    plans: VecDeque<Plan>,
    open: Option<OpenPart>,
}

/// A part that is being read.
struct OpenPart {
    blob: BlobId,
    opener: Opener,
    layout: Layout,
    segments: SegmentRange,
    fetch: Fetch,
}

type Fetched = (Box<dyn Reader>, Result<Buffer, blob::Error>);

/// The reader is where it is needed: here, on its way, or back with the bytes.
enum Fetch {
    Idle(Box<dyn Reader>),
    Running(Pin<Box<dyn Future<Output = Fetched> + Send>>),
    Done(Fetched),
    /// A read failed; nothing more comes.
    Failed,
}

impl BlobStream {
    fn new(plans: VecDeque<Plan>, keys: ObjectKeys, blobs: Arc<dyn Blobs>) -> BlobStream {
        BlobStream { blobs, keys, plans, open: None }
    }

    /// Verifies the next buffer and appends its pieces. Appends nothing at the end.
    async fn advance(&mut self, ready: &mut VecDeque<Bytes>) -> Result<(), OpenFailure> {
        while ready.is_empty() {
            if self.open.as_ref().is_none_or(|part| part.segments.count == 0) {
                let Some(plan) = self.plans.front() else { return Ok(()) };
                self.open = Some(OpenPart::open(plan, &self.keys, self.blobs.as_ref()).await?);
                self.plans.pop_front();
            }
            if let Some(part) = &mut self.open {
                part.next_buffer(self.blobs.buffers(), ready).await?;
            }
        }
        Ok(())
    }

    /// Starts to read what comes next, without waiting for it.
    async fn read_ahead(&mut self) {
        if let Some(part) = &mut self.open {
            part.begin(self.blobs.buffers()).await;
        }
    }
}

impl OpenPart {
    async fn open(plan: &Plan, keys: &ObjectKeys, blobs: &dyn Blobs) -> Result<OpenPart, OpenFailure> {
        let Plan { part, segments } = plan;
        let opener = keys.opener(part)?;
        let layout = part.layout();
        let reader = blobs.open(part.blob).await?;
        if reader.len() != layout.sealed_len() {
            tracing::error!(blob = %part.blob, expected = layout.sealed_len(), found = reader.len(), "a blob has another length than its record says");
            return Err(Error::DamagedObject.into());
        }
        Ok(OpenPart { blob: part.blob, opener, layout, segments: segments.clone(), fetch: Fetch::Idle(reader) })
    }

    /// Starts the next read if none is under way. A read that the page cache answers is done at once.
    async fn begin(&mut self, pool: &BufferPool) {
        if self.segments.count == 0 || !matches!(self.fetch, Fetch::Idle(_)) {
            return;
        }
        let Fetch::Idle(mut reader) = std::mem::replace(&mut self.fetch, Fetch::Failed) else { return };
        let start = self.layout.sealed_offset(self.segments.first);
        let end = self.layout.sealed_offset(self.segments.first + self.segments.count.min(READ_SEGMENTS));
        let buffer = pool.take();
        let mut running: Pin<Box<dyn Future<Output = Fetched> + Send>> = Box::pin(async move {
            let result = reader.read_at(start, buffer, offset(end - start)).await;
            (reader, result)
        });
        let polled = poll_fn(|context| Poll::Ready(running.as_mut().poll(context))).await;
        self.fetch = match polled {
            Poll::Ready(fetched) => Fetch::Done(fetched),
            Poll::Pending => Fetch::Running(running),
        };
    }

    async fn next_buffer(&mut self, pool: &BufferPool, ready: &mut VecDeque<Bytes>) -> Result<(), OpenFailure> {
        self.begin(pool).await;
        if let Fetch::Running(running) = &mut self.fetch {
            let fetched = running.await;
            self.fetch = Fetch::Done(fetched);
        }
        match std::mem::replace(&mut self.fetch, Fetch::Failed) {
            Fetch::Done((reader, Ok(mut buffer))) => {
                let pieces = open_run(&self.opener, self.layout, &mut self.segments, READ_SEGMENTS, &mut buffer)
                    .map_err(|segment| {
                        tracing::error!(blob = %self.blob, segment, "a segment does not verify: the stored bytes are damaged");
                        Error::DamagedObject
                    })?;
                self.fetch = Fetch::Idle(reader);
                let buffer = buffer.freeze();
                ready.extend(pieces.into_iter().map(|piece| buffer.slice(piece)));
                Ok(())
            }
            Fetch::Done((_, Err(error))) => Err(error.into()),
            Fetch::Idle(_) | Fetch::Running(_) | Fetch::Failed => Err(Error::DamagedObject.into()),
        }
    }
}

/// Offsets within a buffer or an inline object.
fn offset(value: u64) -> usize {
    usize::try_from(value).expect("far below the address space")
}

/// Segments of one read: a mebibyte.
const READ_SEGMENTS: u64 = (1 << 20) / SEGMENT as u64;
/// The next read starts when so many pieces of the buffer before it are left.
const READ_AHEAD_FROM: usize = 8;
