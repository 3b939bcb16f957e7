//! A message in the making: frames as plaintext comes, the last one and the signature at the end.

use super::frame::{Cipher, FRAME_HEAD, LAST_HEAD, LAST_MARK, PIECE, Part, TAG, WHOLE_HEAD, iv, length_of};
use super::header::{Body, Header};
use super::sign::Signer;
use crate::error::{Error, Result};
use crate::plaintext::Plaintext;
use crate::source::NEAR;
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

/// Bytes of a long frame that are sealed at once.
const SEAL: usize = 1 << 20;

/// Sealed bytes that are collected before they are written, in long messages. Sealing into a shorter room, again and again, is slower by a
/// third, though that would fit a nearer cache.
const WRITE: usize = 2 * SEAL;

/// And those at first, that short messages cost little.
const FIRST_WRITE: usize = 1 << 17;

/// Longest frame for which [`MessageWriter::copy_from`] takes a window of its length.
const COPY_LIMIT: u32 = 16 << 20;

/// A message in the making. **It is one only after [`MessageWriter::finish`]**; readers find what was dropped before to be truncated.
pub struct MessageWriter<W> {
    output: W,
    header: Header,
    cipher: Cipher,
    signer: Option<Signer>,
    body: Writing,
    /// Sealed bytes that were not written yet: `filled` of them. The rest is room, kept so that it is not zeroed again and again.
    sealed: Vec<u8>,
    filled: usize,
    /// The most bytes of plaintext that may come, if that is known.
    announced: Option<u64>,
    /// Bytes of plaintext that came.
    pushed: u64,
    failed: bool,
    /// Bytes of the header as it is written.
    header_length: usize,
}

enum Writing {
    /// Plaintext of the frame with this number; it may turn out to be the last one.
    Framed {
        pending: Zeroizing<Vec<u8>>,
        sequence: u32,
    },
    Whole(evp::Sealing),
}

impl<W: Write> MessageWriter<W> {
    /// Writes a header, and what stands before a body without frames.
    pub(super) fn begin(
        output: W,
        header: Header,
        cipher: Cipher,
        signer: Option<Signer>,
        sealed_header: &[u8],
        announced: Option<u64>,
    ) -> Result<Self> {
        let mut writer = Self {
            output,
            header,
            cipher,
            signer,
            body: Writing::Framed { pending: Zeroizing::new(Vec::new()), sequence: 1 },
            sealed: Vec::new(),
            filled: 0,
            announced,
            pushed: 0,
            failed: false,
            header_length: sealed_header.len(),
        };
        writer.emit(sealed_header.len(), |out| out.copy_from_slice(sealed_header))?;
        if let (Body::Whole, Some(length)) = (writer.header.body, announced) {
            writer.body = Writing::Whole(writer.cipher.sealing(Part::Whole, 1, length)?);
            writer.emit(WHOLE_HEAD, |out| {
                out[..12].copy_from_slice(&iv(1));
                out[12..].copy_from_slice(&length.to_be_bytes());
            })?;
        }
        Ok(writer)
    }

    /// The header as it was written.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The output, which has what was written through by now: [`Write::flush`] brings it there.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.output
    }

    /// Writes on to another output, which is made of the one that has what was written through by now.
    ///
    /// With [`MessageWriter::sealed_length`] for who makes room for a whole message once its header is known:
    ///
    /// ```
    /// # use client::{keys::AesKey, message::{Decryptor, Encryptor, RawAes}};
    /// # use std::io::Write;
    /// # let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
    /// let begun = Encryptor::new(&keyring).start(Vec::new())?;
    /// let mut room = vec![0; begun.sealed_length(14).expect("a short message")];
    /// let mut message = begun.onto(|written| {
    ///     let (front, rest) = room.split_at_mut(written.len());
    ///     front.copy_from_slice(&written);
    ///     rest
    /// });
    /// message.write_all(b"attack at dawn")?;
    /// assert!(message.finish()?.0.is_empty(), "no room is left");
    /// assert_eq!(&Decryptor::new(&keyring).decrypt(&room)?.plaintext[..], b"attack at dawn");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn onto<V: Write>(self, make: impl FnOnce(W) -> V) -> MessageWriter<V> {
        let Self { output, header, cipher, signer, body, sealed, filled, announced, pushed, failed, header_length } =
            self;
        let output = make(output);
        MessageWriter { output, header, cipher, signer, body, sealed, filled, announced, pushed, failed, header_length }
    }

    /// Bytes of the whole message, header and signature included, if the plaintext has so many; `None` where no message has so many.
    pub fn sealed_length(&self, plaintext: usize) -> Option<usize> {
        let body = match self.header.body {
            Body::Framed(length) => {
                let length = usize::try_from(length).ok()?;
                // The last frame is never empty but in an empty message.
                let frames = plaintext.saturating_sub(1) / length;
                frames.checked_mul(FRAME_HEAD + TAG)?.checked_add(LAST_HEAD + TAG)?
            }
            Body::Whole => WHOLE_HEAD + TAG,
        };
        let footer = self.signer.as_ref().map_or(0, Signer::footer_length);
        self.header_length.checked_add(body)?.checked_add(plaintext)?.checked_add(footer)
    }

    /// Writes what is left, the last frame and the signature; flushes the output, and gives it back.
    ///
    /// # Errors
    /// What the output fails with; [`Error::PlaintextLength`] for a body without frames that is shorter than announced.
    pub fn finish(self) -> Result<(W, Header)> {
        self.finish_with(&[])
    }

    /// Writes a last piece of plaintext, and finishes: so the last frame is known, and sealed from where it lies.
    ///
    /// # Errors
    /// As of a write, and of [`MessageWriter::finish`].
    pub fn finish_with(mut self, plaintext: &[u8]) -> Result<(W, Header)> {
        let last = self.push_all_but_last(plaintext)?;
        match std::mem::replace(&mut self.body, Writing::Framed { pending: Zeroizing::default(), sequence: 0 }) {
            Writing::Framed { sequence, .. } if !last.is_empty() => self.last_frame(last, sequence)?,
            Writing::Framed { pending, sequence } => self.last_frame(&pending, sequence)?,
            Writing::Whole(sealing) => {
                if let Some(missing) = self.announced.map(|all| all - self.pushed).filter(|missing| *missing != 0) {
                    return Err(Error::Missing(missing));
                }
                let tag = sealing.finish()?;
                self.emit(TAG, |out| out.copy_from_slice(&tag))?;
            }
        }
        if let Some(signer) = self.signer.take() {
            let footer = signer.footer()?;
            self.emit(footer.len(), |out| out.copy_from_slice(&footer))?;
        }
        self.write_out()?;
        self.output.flush()?;
        Ok((self.output, self.header))
    }

    /// Pushes everything but the last frame, which is returned if it lies in this piece as a whole.
    fn push_all_but_last<'a>(&mut self, plaintext: &'a [u8]) -> Result<&'a [u8]> {
        let (Body::Framed(length), Writing::Framed { pending, .. }) = (self.header.body, &self.body) else {
            return self.push(plaintext).map(|()| &[][..]);
        };
        let length = usize::try_from(length).map_err(|_| Error::Setting("a frame longer than memory"))?;
        if !pending.is_empty() || self.failed {
            return self.push(plaintext).map(|()| &[][..]);
        }
        self.count(plaintext.len())?;
        let (frames, last) = plaintext.split_at(plaintext.len().saturating_sub(1) / length * length);
        for frame in frames.chunks(length) {
            if let Writing::Framed { sequence, .. } = &mut self.body {
                let number = next(sequence)?;
                self.frame(number, frame)?;
            }
        }
        Ok(last)
    }

    /// Reads all of the input and writes it: as [`io::copy`] does, and faster for frames of more than a few KiB, since what is read is
    /// sealed from where it was read to.
    ///
    /// ```
    /// # use client::{keys::AesKey, message::{Decryptor, Encryptor, RawAes}};
    /// # let keyring = RawAes::new("example", "key 1", AesKey::generate()?)?;
    /// let mut message = Encryptor::new(&keyring).frame_length(1 << 20).start(Vec::new())?;
    /// assert_eq!(message.copy_from(&mut &b"attack at dawn"[..])?, 14);
    /// assert_eq!(&Decryptor::new(&keyring).decrypt(&message.finish()?.0)?.plaintext[..], b"attack at dawn");
    /// # Ok::<(), client::Error>(())
    /// ```
    ///
    /// # Errors
    /// What input and output fail with; as of a failed write, the message is then lost.
    pub fn copy_from(&mut self, input: &mut impl Read) -> Result<u64> {
        if self.failed {
            return Err(Error::Failed);
        }
        let copied = match self.header.body {
            Body::Framed(length) if length <= COPY_LIMIT => self.copy_frames(input, length),
            _ => self.copy_pieces(input),
        };
        self.failed = copied.is_err();
        copied
    }

    fn copy_pieces(&mut self, input: &mut impl Read) -> Result<u64> {
        let mut piece = Plaintext::zeroed(PIECE);
        let mut copied = 0;
        loop {
            let read = read(input, &mut piece)?;
            if read == 0 {
                return Ok(copied);
            }
            self.try_push(&piece[..read])?;
            copied += length_of(read);
        }
    }

    fn copy_frames(&mut self, input: &mut impl Read, length: u32) -> Result<u64> {
        let length = usize::try_from(length).map_err(|_| Error::Setting("a frame longer than memory"))?;
        let mut window = Plaintext::zeroed(length + PIECE);
        let mut there = 0;
        if let Writing::Framed { pending, .. } = &mut self.body {
            there = pending.len();
            window[..there].copy_from_slice(pending);
            pending.clear();
        }
        let mut copied = 0;
        loop {
            let read = read(input, &mut window[there..])?;
            self.count(read)?;
            there += read;
            copied += length_of(read);
            let mut from = 0;
            while let Writing::Framed { sequence, .. } = &mut self.body
                && there - from > length
            {
                let number = next(sequence)?;
                self.frame(number, &window[from..from + length])?;
                from += length;
            }
            window.copy_within(from..there, 0);
            there -= from;
            if read == 0 {
                self.push_frames(&window[..there], length)?;
                return Ok(copied);
            }
        }
    }

    pub(super) fn push(&mut self, plaintext: &[u8]) -> Result<()> {
        if self.failed {
            return Err(Error::Failed);
        }
        let pushed = self.try_push(plaintext);
        self.failed = pushed.is_err();
        pushed
    }

    fn try_push(&mut self, plaintext: &[u8]) -> Result<()> {
        self.count(plaintext.len())?;
        match self.header.body {
            Body::Framed(length) => {
                let length = usize::try_from(length).map_err(|_| Error::Setting("a frame longer than memory"))?;
                self.push_frames(plaintext, length)
            }
            Body::Whole => plaintext.chunks(PIECE).try_for_each(|piece| self.push_whole(piece)),
        }
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        self.pushed = self.pushed.saturating_add(length_of(bytes));
        match self.announced {
            Some(announced) if self.pushed > announced => Err(Error::PlaintextLength(announced)),
            _ => Ok(()),
        }
    }

    /// A frame leaves once a byte of the next one has come: so the last one is known, and is never empty but in an empty message.
    fn push_frames(&mut self, mut plaintext: &[u8], length: usize) -> Result<()> {
        while let Writing::Framed { pending, sequence } = &mut self.body
            && !plaintext.is_empty()
        {
            if pending.is_empty() && plaintext.len() > length {
                // Straight from the caller's bytes.
                let number = next(sequence)?;
                let (frame, rest) = plaintext.split_at(length);
                plaintext = rest;
                evp::prefetch(&rest[..rest.len().min(length).min(NEAR)]);
                self.frame(number, frame)?;
            } else if pending.len() == length {
                let number = next(sequence)?;
                let mut frame = std::mem::take(pending);
                self.frame(number, &frame)?;
                frame.clear();
                if let Writing::Framed { pending, .. } = &mut self.body {
                    *pending = frame;
                }
            } else {
                let (taken, rest) = plaintext.split_at(plaintext.len().min(length - pending.len()));
                plaintext = rest;
                grow(pending, taken, length);
            }
        }
        Ok(())
    }

    fn frame(&mut self, sequence: u32, plaintext: &[u8]) -> Result<()> {
        let mut head = [0; FRAME_HEAD];
        head[..4].copy_from_slice(&sequence.to_be_bytes());
        head[4..].copy_from_slice(&iv(sequence));
        self.seal(Part::Frame, &head, sequence, plaintext)
    }

    fn last_frame(&mut self, plaintext: &[u8], sequence: u32) -> Result<()> {
        let length =
            u32::try_from(plaintext.len()).map_err(|_| Error::Setting("a frame longer than its length field"))?;
        let mut head = [0; LAST_HEAD];
        head[..4].copy_from_slice(&LAST_MARK.to_be_bytes());
        head[4..8].copy_from_slice(&sequence.to_be_bytes());
        head[8..20].copy_from_slice(&iv(sequence));
        head[20..].copy_from_slice(&length.to_be_bytes());
        self.seal(Part::LastFrame, &head, sequence, plaintext)
    }

    /// A short frame at once; a long one in pieces, so that the room for what was sealed stays short.
    fn seal(&mut self, part: Part, head: &[u8], sequence: u32, plaintext: &[u8]) -> Result<()> {
        if plaintext.len() <= SEAL {
            let length = head.len() + plaintext.len() + TAG;
            let (cipher, out) = self.room(length)?;
            let (begin, body) = out.split_at_mut(head.len());
            begin.copy_from_slice(head);
            cipher.seal_into(part, sequence, plaintext, body)?;
            self.took(length);
            return Ok(());
        }
        self.emit(head.len(), |out| out.copy_from_slice(head))?;
        let mut sealing = self.cipher.sealing(part, sequence, length_of(plaintext.len()))?;
        for piece in plaintext.chunks(SEAL) {
            sealing.update_into(piece, self.room(piece.len())?.1)?;
            self.took(piece.len());
        }
        let tag = sealing.finish()?;
        self.emit(TAG, |out| out.copy_from_slice(&tag))
    }

    fn push_whole(&mut self, piece: &[u8]) -> Result<()> {
        self.room(piece.len())?;
        if let Writing::Whole(sealing) = &mut self.body {
            sealing.update_into(piece, &mut self.sealed[self.filled..self.filled + piece.len()])?;
        }
        self.took(piece.len());
        Ok(())
    }

    /// Bytes that are sealed already.
    fn emit(&mut self, length: usize, fill: impl FnOnce(&mut [u8])) -> Result<()> {
        fill(self.room(length)?.1);
        self.took(length);
        Ok(())
    }

    /// Room for so many bytes behind what is collected, which is written first if they do not fit.
    fn room(&mut self, length: usize) -> Result<(&Cipher, &mut [u8])> {
        if self.sealed.len() - self.filled < length {
            self.write_out()?;
            if self.sealed.len() < length.max(WRITE) {
                self.sealed = vec![0; length.max(4 * self.sealed.len()).clamp(FIRST_WRITE, WRITE.max(length))];
            }
        }
        Ok((&self.cipher, &mut self.sealed[self.filled..self.filled + length]))
    }

    /// The room was filled. A signature covers everything but itself, and the signer is gone by then.
    fn took(&mut self, length: usize) {
        if let Some(signer) = &mut self.signer {
            signer.update(&self.sealed[self.filled..self.filled + length]);
        }
        self.filled += length;
    }

    fn write_out(&mut self) -> Result<()> {
        self.output.write_all(&self.sealed[..self.filled])?;
        self.filled = 0;
        Ok(())
    }
}

impl<W: Write> Write for MessageWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.push(plaintext)?;
        Ok(plaintext.len())
    }

    /// Passes on the frames that are complete. What does not fill a frame stays: it may have to be the last one.
    fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.output.flush()
    }
}

fn read(input: &mut impl Read, into: &mut [u8]) -> Result<usize> {
    loop {
        match input.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return Ok(read?),
        }
    }
}

/// The number of a frame that is not the last, and counts on.
fn next(sequence: &mut u32) -> Result<u32> {
    let number = *sequence;
    // The last frame needs a number, too, and `LAST_MARK` is none.
    *sequence = number.checked_add(1).filter(|next| *next < LAST_MARK).ok_or(Error::TooManyFrames)?;
    Ok(number)
}

/// Adds to a frame's plaintext, and leaves no copy behind when it moves.
fn grow(pending: &mut Zeroizing<Vec<u8>>, bytes: &[u8], length: usize) {
    let needed = pending.len() + bytes.len();
    if needed > pending.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * pending.len()).min(length)));
        larger.extend_from_slice(pending);
        *pending = larger;
    }
    pending.extend_from_slice(bytes);
}
