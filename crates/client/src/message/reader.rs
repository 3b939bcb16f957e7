//! The body of a message, as it is read.

use super::frame::{Cipher, FRAME_HEAD, LAST_HEAD, LAST_MARK, PIECE, Part, TAG, WHOLE_HEAD};
use super::header::{Body, Header, Sealed};
use super::policy::Release;
use super::sign::Verifier;
use super::source::Source;
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::held::Held;
use crate::release::Destination;
use std::io::{self, BufRead, Read};

/// What a caller allows a reader to hold and to release.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) release: Release,
    pub(super) frame: u32,
    pub(super) hold: usize,
}

/// The plaintext of a message whose header is verified. What [`Read`] and [`BufRead`] give is verified, too: see [`Release`].
///
/// The end of the plaintext is reported only after the last frame, the signature and the end of the input were seen. An
/// [`io::Error`] of it has an [`Error`] within: `client::Error::from(error)` takes it out.
pub struct MessageReader<R> {
    source: Source<R>,
    header: Header,
    context: EncryptionContext,
    cipher: Cipher,
    verifier: Option<Verifier>,
    limits: Limits,
    /// The number of the next frame.
    sequence: u32,
    ready: Ready,
    held: Held,
    state: State,
}

/// Verified plaintext that was not taken yet: by its place in the source, or in what was held.
#[derive(Clone, Copy)]
enum Ready {
    Source(usize, usize),
    Held(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Body,
    Done,
    Failed,
}

impl<R: Read> MessageReader<R> {
    pub(super) fn new(
        source: Source<R>,
        sealed: Sealed,
        context: EncryptionContext,
        cipher: Cipher,
        mut verifier: Option<Verifier>,
        limits: Limits,
    ) -> Self {
        if let Some(verifier) = &mut verifier {
            verifier.update(&sealed.all);
        }
        Self {
            source,
            header: sealed.header,
            context,
            cipher,
            verifier,
            limits,
            sequence: 1,
            ready: Ready::Source(0, 0),
            held: Held::default(),
            state: State::Body,
        }
    }

    /// The header, verified with the data key. Its signature is verified at the end of the message.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The encryption context, with what the caller supplied.
    pub fn context(&self) -> &EncryptionContext {
        &self.context
    }

    /// Writes all plaintext (that was not read yet) to a place that is discarded if anything turns out to be wrong, at any point. Nothing is held in memory but a
    /// frame, however long the message is, and whether it is signed, and without frames, or not.
    ///
    /// ```
    /// # use client::{keys::AesKey, message::{Decryptor, Encryptor, RawAes}};
    /// # let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
    /// let mut message = Encryptor::new(&keyring).frame_length(4).encrypt(b"attack at dawn")?;
    /// let mut place = Vec::new();
    /// Decryptor::new(&keyring).start(&message[..])?.decrypt_into(&mut place)?;
    /// assert_eq!(place, b"attack at dawn");
    ///
    /// message.pop();
    /// assert!(Decryptor::new(&keyring).start(&message[..])?.decrypt_into(&mut place).is_err());
    /// assert_eq!(place, b"");
    /// # Ok::<(), client::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever is wrong with the message, and what input or destination fails with. The destination was discarded then.
    pub fn decrypt_into(mut self, place: &mut impl Destination) -> Result<Header> {
        let written = self.write_all_into(place).and_then(|()| Ok(place.keep()?));
        match written {
            Ok(()) => Ok(self.header),
            Err(error) => {
                place.discard();
                Err(error)
            }
        }
    }

    fn write_all_into(&mut self, place: &mut impl Destination) -> Result<()> {
        if self.state == State::Failed {
            return Err(Error::Failed);
        }
        place.write_all(self.ready_bytes())?;
        if self.header.body == Body::Whole && self.state == State::Body {
            return self.stream_whole(place);
        }
        while self.state == State::Body {
            let (from, to) = self.frame()?;
            place.write_all(self.source.at(from, to))?;
        }
        Ok(())
    }

    /// A body without frames, unverified until its end.
    fn stream_whole(&mut self, place: &mut impl Destination) -> Result<()> {
        let (iv, mut left) = self.whole_head()?;
        self.source.pass(WHOLE_HEAD);
        let mut opening = self.cipher.open_whole(&iv, left)?;
        while left > 0 {
            let piece = self.source.some(left, "the body")?;
            hash(&mut self.verifier, piece);
            opening.update(piece)?;
            place.write_all(piece)?;
            let length = piece.len();
            left -= u64::try_from(length).unwrap_or(left);
            self.source.pass(length);
        }
        let tag = self.source.need(TAG, "the body")?;
        hash(&mut self.verifier, tag);
        opening.finish(&array(tag))?;
        self.source.pass(TAG);
        self.end(0)?;
        self.state = State::Done;
        Ok(())
    }

    fn ready_bytes(&self) -> &[u8] {
        match self.ready {
            Ready::Source(from, to) => self.source.at(from, to),
            Ready::Held(from) => &self.held.bytes()[from..],
        }
    }

    /// Brings more plaintext, or the end.
    fn advance(&mut self) -> Result<()> {
        if self.state == State::Failed {
            return Err(Error::Failed);
        }
        let advanced = self.try_advance();
        if advanced.is_err() {
            self.state = State::Failed;
            self.ready = Ready::Source(0, 0);
            self.held.clear();
        }
        advanced
    }

    fn try_advance(&mut self) -> Result<()> {
        while self.state == State::Body && self.ready_bytes().is_empty() {
            let hold = self.verifier.is_some() && self.limits.release == Release::Verified;
            let (from, to) = match self.header.body {
                Body::Framed(_) => self.frame()?,
                Body::Whole => self.whole()?,
            };
            if self.state == State::Done && self.held.len() == 0 {
                // Verified to the end, and all of it lies in the source.
                self.ready = Ready::Source(from, to);
            } else if hold {
                if self.held.len() + (to - from) > self.limits.hold {
                    return Err(Error::HoldLimit { limit: self.limits.hold });
                }
                self.held.extend(self.source.at(from, to));
                if self.state == State::Done {
                    self.ready = Ready::Held(0);
                }
            } else {
                self.ready = Ready::Source(from, to);
            }
        }
        Ok(())
    }

    /// The next frame's plaintext, by its place. Of the last one: after signature and end of input were seen.
    fn frame(&mut self) -> Result<(usize, usize)> {
        let Body::Framed(frame_length) = self.header.body else { return Err(Error::Failed) };
        let mark = u32::from_be_bytes(array(self.source.need(4, "a frame")?));
        let last = mark == LAST_MARK;
        let (part, head, length) = if last {
            let head = self.source.need(LAST_HEAD, "the last frame")?;
            let (found, length) = (u32::from_be_bytes(array(&head[4..])), u32::from_be_bytes(array(&head[20..])));
            if length > frame_length {
                return Err(Error::LastFrameLength { length, frame: frame_length });
            }
            self.in_order(found)?;
            (Part::LastFrame, LAST_HEAD, length)
        } else {
            self.in_order(mark)?;
            (Part::Frame, FRAME_HEAD, frame_length)
        };
        if length > self.limits.frame {
            return Err(Error::FrameLimit { length, limit: self.limits.frame });
        }
        let length = usize::try_from(length).map_err(|_| Error::FrameLimit { length, limit: self.limits.frame })?;
        let total = head + length + TAG;
        self.open_frame(part, head, length)?;
        let at = if last {
            self.end(total)?
        } else {
            self.sequence = self.sequence.checked_add(1).ok_or(Error::TooManyFrames)?;
            self.source.pass(total)
        };
        if last {
            self.state = State::Done;
        }
        Ok((at + head, at + head + length))
    }

    /// Opens the frame that begins here where it lies, piece by piece as it arrives: so what was just read is in the processor's cache.
    fn open_frame(&mut self, part: Part, head: usize, length: usize) -> Result<()> {
        let (what, iv_at) = if part == Part::LastFrame { ("the last frame", 8) } else { ("a frame", 4) };
        let (wrong, total) = (Error::FrameTag(self.sequence), head + length + TAG);
        if length <= PIECE {
            let frame = self.source.need(total, what)?;
            hash(&mut self.verifier, frame);
            let iv = array(&frame[iv_at..]);
            return self.cipher.open(part, self.sequence, iv, &mut frame[head..]).then_some(()).ok_or(wrong);
        }
        let frame = self.source.need(head, what)?;
        hash(&mut self.verifier, frame);
        let mut opening = self.cipher.opening(part, self.sequence, &array(&frame[iv_at..]), length)?;
        for from in (0..length).step_by(PIECE) {
            let to = length.min(from + PIECE);
            let piece = &mut self.source.need(head + to, what)?[head + from..];
            hash(&mut self.verifier, piece);
            opening.update(piece)?;
        }
        let tag = &self.source.need(total, what)?[head + length..];
        hash(&mut self.verifier, tag);
        opening.finish(&array(tag)).map_err(|_| wrong)
    }

    fn in_order(&self, found: u32) -> Result<()> {
        if found == self.sequence { Ok(()) } else { Err(Error::FrameOrder { expected: self.sequence, found }) }
    }

    /// A body without frames that may be held, opened where it lies.
    fn whole(&mut self) -> Result<(usize, usize)> {
        let (iv, length) = self.whole_head()?;
        let limit = self.limits.hold;
        let length =
            usize::try_from(length).ok().filter(|length| *length <= limit).ok_or(Error::HoldLimit { limit })?;
        let total = WHOLE_HEAD + length + TAG;
        let body = self.source.need(total, "the body")?;
        hash(&mut self.verifier, &body[WHOLE_HEAD..]);
        if !self.cipher.open(Part::Whole, 1, iv, &mut body[WHOLE_HEAD..]) {
            return Err(Error::BodyTag);
        }
        let at = self.end(total)? + WHOLE_HEAD;
        self.state = State::Done;
        Ok((at, at + length))
    }

    /// IV and length of a body without frames.
    fn whole_head(&mut self) -> Result<([u8; 12], u64)> {
        let head = self.source.need(WHOLE_HEAD, "the body")?;
        let (iv, length) = (array(head), u64::from_be_bytes(array(&head[12..])));
        if length > evp::MESSAGE_LIMIT {
            return Err(Error::BodyLength(length));
        }
        hash(&mut self.verifier, head);
        Ok((iv, length))
    }

    /// Verifies the footer, if there is one, that stands after the next `passed` bytes, and that nothing follows. Where those bytes lie.
    fn end(&mut self, passed: usize) -> Result<usize> {
        let mut total = passed;
        if let Some(verifier) = self.verifier.take() {
            let length = u16::from_be_bytes(array(&self.source.need(passed + 2, "the footer")?[passed..]));
            let length = usize::from(length);
            total += 2 + length;
            let footer = self.source.need(total, "the footer")?;
            verifier.verify(&footer[passed + 2..])?;
        }
        let at = self.source.pass(total);
        self.source.end()?;
        Ok(at)
    }
}

/// The first bytes, of which there are enough: whoever asks has asked the source for them.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("the source gave as many bytes as were needed")
}

fn hash(verifier: &mut Option<Verifier>, bytes: &[u8]) {
    if let Some(verifier) = verifier {
        verifier.update(bytes);
    }
}

impl<R: Read> BufRead for MessageReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        Ok(self.ready_bytes())
    }

    fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.ready_bytes().len());
        self.ready = match self.ready {
            Ready::Source(from, to) => Ready::Source(from + bytes, to),
            Ready::Held(from) => Ready::Held(from + bytes),
        };
    }
}

impl<R: Read> Read for MessageReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let ready = self.fill_buf()?;
        let taken = ready.len().min(into.len());
        into[..taken].copy_from_slice(&ready[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}
