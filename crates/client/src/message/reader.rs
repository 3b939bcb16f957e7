//! The body of a message, as it is read.

use super::decrypt::Opened;
use super::frame::{Cipher, FRAME_HEAD, LAST_HEAD, LAST_MARK, PIECE, Part, TAG, WHOLE_HEAD, length_of};
use super::header::{Body, Header, Sealed};
use super::plain::Plain;
use super::policy::Release;
use super::sign::Verifier;
use crate::context::EncryptionContext;
use crate::error::{Error, Result};
use crate::release::{Destination, settled};
use crate::source::Source;
use std::io::{self, BufRead, Read};

/// Buffer of an input that has none, in bytes: 15 frames of the usual 4 KiB.
pub(super) const READ: usize = 1 << 16;

/// Plaintext that is written at once, where frames are short.
const BATCH: usize = 1 << 20;

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
    plain: Plain,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Body,
    Done,
    Failed,
}

impl<R: BufRead> MessageReader<R> {
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
            plain: Plain::default(),
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
        let written = self.write_all_into(place);
        settled(place, written.map(|()| self.header))
    }

    /// All plaintext, which has no more than so many bytes.
    pub(super) fn open_all(mut self, bytes: usize) -> Result<Opened> {
        self.limits.hold = usize::MAX;
        self.plain = Plain::with_room(bytes);
        while self.state == State::Body {
            self.part()?;
        }
        Ok(Opened { plaintext: self.plain.into_plaintext(), context: self.context, header: self.header })
    }

    fn write_all_into(&mut self, place: &mut impl Destination) -> Result<()> {
        let frame = match self.header.body {
            _ if self.state == State::Failed => return Err(Error::Failed),
            Body::Whole if self.state == State::Body => return self.stream_whole(place),
            Body::Whole => 0,
            Body::Framed(length) => usize::try_from(length).unwrap_or(usize::MAX),
        };
        self.limits.hold = usize::MAX;
        while self.state == State::Body {
            let next = frame.saturating_add(LAST_HEAD + TAG);
            if next.saturating_add(self.plain.bytes().len()) > BATCH || !self.source.has(next) {
                self.write_out(place)?;
            }
            self.part()?;
        }
        self.write_out(place)
    }

    fn write_out(&mut self, place: &mut impl Destination) -> Result<()> {
        let ready = self.plain.bytes();
        place.write_all(ready)?;
        let length = ready.len();
        self.plain.pass(length);
        Ok(())
    }

    /// A body without frames, unverified until its end.
    fn stream_whole(&mut self, place: &mut impl Destination) -> Result<()> {
        let (iv, mut left) = self.whole_head()?;
        let mut opening = self.cipher.opening(Part::Whole, 1, &iv, left)?;
        let mut opened = Plain::with_room(PIECE);
        while left > 0 {
            let sealed = self.source.some(usize::try_from(left).map_or(PIECE, |left| left.min(PIECE)), "the body")?;
            hash(&mut self.verifier, sealed);
            let piece = opened.room(sealed.len(), PIECE);
            opening.update_into(sealed, piece)?;
            place.write_all(piece)?;
            let length = sealed.len();
            left -= u64::try_from(length).unwrap_or(left);
            self.source.pass(length);
        }
        self.tag(opening, Part::Whole)?;
        self.end()
    }

    /// Verified plaintext that may leave.
    fn ready(&self) -> &[u8] {
        if self.holds() { &[] } else { self.plain.bytes() }
    }

    /// Whether plaintext waits for the end of the message.
    fn holds(&self) -> bool {
        self.state == State::Body && self.header.suite.signs() && self.limits.release == Release::Verified
    }

    /// Brings more plaintext, or the end.
    fn advance(&mut self) -> Result<()> {
        while self.state == State::Body && self.ready().is_empty() {
            if let Err(error) = self.part() {
                self.state = State::Failed;
                self.plain.wipe();
                return Err(error);
            }
        }
        if self.state == State::Failed { Err(Error::Failed) } else { Ok(()) }
    }

    /// The plaintext of the next frame, or of the body without frames. Of the last one: after signature and end of input were seen.
    fn part(&mut self) -> Result<()> {
        match self.header.body {
            Body::Framed(length) => self.frame(length),
            Body::Whole => self.whole(),
        }
    }

    fn frame(&mut self, frame_length: u32) -> Result<()> {
        let mark = u32::from_be_bytes(array(self.source.need(4, "a frame")?));
        if mark != LAST_MARK {
            self.in_order(mark)?;
            let head = self.source.need(FRAME_HEAD, "a frame")?;
            hash(&mut self.verifier, head);
            let iv = array(&head[4..]);
            self.source.pass(FRAME_HEAD);
            self.open_frame(Part::Frame, iv, frame_length)?;
            self.sequence = self.sequence.checked_add(1).ok_or(Error::TooManyFrames)?;
            return Ok(());
        }
        let head = self.source.need(LAST_HEAD, "the last frame")?;
        let (found, length) = (u32::from_be_bytes(array(&head[4..])), u32::from_be_bytes(array(&head[20..])));
        if length > frame_length {
            return Err(Error::LastFrameLength { length, frame: frame_length });
        }
        hash(&mut self.verifier, head);
        let iv = array(&head[8..]);
        self.in_order(found)?;
        self.source.pass(LAST_HEAD);
        self.open_frame(Part::LastFrame, iv, length)?;
        self.end()
    }

    fn open_frame(&mut self, part: Part, iv: [u8; 12], length: u32) -> Result<()> {
        let too_long = Error::FrameLimit { length, limit: self.limits.frame };
        match usize::try_from(length) {
            Ok(bytes) if length <= self.limits.frame => self.open(part, iv, bytes),
            _ => Err(too_long),
        }
    }

    fn in_order(&self, found: u32) -> Result<()> {
        if found == self.sequence { Ok(()) } else { Err(Error::FrameOrder { expected: self.sequence, found }) }
    }

    /// A body without frames that may be held.
    fn whole(&mut self) -> Result<()> {
        let (iv, length) = self.whole_head()?;
        let limit = self.limits.hold;
        let length =
            usize::try_from(length).ok().filter(|length| *length <= limit).ok_or(Error::HoldLimit { limit })?;
        self.open(Part::Whole, iv, length)?;
        self.end()
    }

    /// Opens what comes next, so many bytes and their tag: long ones piece by piece as they arrive. They are plaintext once the tag is right.
    fn open(&mut self, part: Part, iv: [u8; 12], length: usize) -> Result<()> {
        let limit = self.limits.hold;
        if self.holds() && self.plain.bytes().len().saturating_add(length) > limit {
            return Err(Error::HoldLimit { limit });
        }
        if length <= PIECE {
            evp::prefetch(self.source.behind(length + TAG, FRAME_HEAD + length + TAG));
            let sealed = self.source.need(length + TAG, part.name())?;
            hash(&mut self.verifier, sealed);
            if !self.cipher.open(part, self.sequence, iv, sealed, self.plain.room(length, length)) {
                return Err(self.wrong(part));
            }
            self.source.pass(length + TAG);
        } else {
            let mut opening = self.cipher.opening(part, self.sequence, &iv, length_of(length))?;
            let mut opened = 0;
            while opened < length {
                let sealed = self.source.near(length - opened, part.name())?;
                hash(&mut self.verifier, sealed);
                let end = opened + sealed.len();
                opening.update_into(sealed, &mut self.plain.room(end, length)[opened..])?;
                self.source.pass(end - opened);
                opened = end;
            }
            self.tag(opening, part)?;
        }
        self.plain.push(length);
        Ok(())
    }

    /// Verifies the tag that comes next.
    fn tag(&mut self, opening: evp::Opening, part: Part) -> Result<()> {
        let tag = self.source.need(TAG, part.name())?;
        hash(&mut self.verifier, tag);
        opening.finish(&array(tag)).map_err(|_| self.wrong(part))?;
        self.source.pass(TAG);
        Ok(())
    }

    fn wrong(&self, part: Part) -> Error {
        if part == Part::Whole { Error::BodyTag } else { Error::FrameTag(self.sequence) }
    }

    /// IV and length of a body without frames.
    fn whole_head(&mut self) -> Result<([u8; 12], u64)> {
        let head = self.source.need(WHOLE_HEAD, "the body")?;
        let (iv, length) = (array(head), u64::from_be_bytes(array(&head[12..])));
        if length > evp::MESSAGE_LIMIT {
            return Err(Error::BodyLength(length));
        }
        hash(&mut self.verifier, head);
        self.source.pass(WHOLE_HEAD);
        Ok((iv, length))
    }

    /// Verifies the footer, if there is one, and that nothing follows.
    fn end(&mut self) -> Result<()> {
        if let Some(verifier) = self.verifier.take() {
            let length = usize::from(u16::from_be_bytes(array(self.source.need(2, "the footer")?)));
            let footer = self.source.need(2 + length, "the footer")?;
            verifier.verify(&footer[2..])?;
            self.source.pass(2 + length);
        }
        self.source.end()?;
        self.state = State::Done;
        Ok(())
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

impl<R: BufRead> BufRead for MessageReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        Ok(self.ready())
    }

    fn consume(&mut self, bytes: usize) {
        self.plain.pass(bytes);
    }
}

impl<R: BufRead> Read for MessageReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let taken = self.fill_buf()?.read(into)?;
        self.consume(taken);
        Ok(taken)
    }
}
