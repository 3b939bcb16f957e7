//! Buffers that are lent, filled, passed on and given back.
//!
//! A request works on one or two buffers of about a mebibyte, whatever the size of its object. Bodies are sealed in place before
//! they are written and opened in place after they are read, so a buffer that comes back may still hold plaintext. Wiping it there
//! would cost a quarter of the cipher's time, and the next request overwrites it anyway. So:
//!
//! - a buffer whose memory goes back to the allocator is wiped first, also when it grows;
//! - [`BufferPool::tidy`], called every few seconds, wipes what lies idle and frees what nobody wanted for a while.
//!
//! Writes that pass by the page cache take whole pages alone, from memory that begins at a page. So the contents of a buffer begin as
//! many bytes behind a page boundary of the memory as they will in their file, and what the buffer before it left over of its last
//! page is put in front of them ([`Buffer::prefixed`]) without moving anything.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::format::HEADER_LEN;

/// Bytes in memory lent from a [`BufferPool`], or owned alone if made by [`Buffer::default`].
///
/// Reads like a slice of its contents.
#[derive(Default)]
pub struct Buffer {
    /// All of it is initialized; the contents are `len` bytes from `start` on, the rest is left over from earlier use.
    memory: Vec<u8>,
    start: usize,
    len: usize,
    /// How many bytes `start` lies behind a page boundary; less than a page.
    phase: usize,
    pool: Option<Arc<Shared>>,
}

impl Buffer {
    /// Forgets the contents.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends bytes.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let before = self.len;
        self.reserve(before + bytes.len());
        self.len = before + bytes.len();
        self[before..].copy_from_slice(bytes);
    }

    /// Appends zeros and returns them, to be written over.
    pub fn extend_zeroed(&mut self, count: usize) -> &mut [u8] {
        let before = self.len;
        self.reserve(before + count);
        self.len = before + count;
        let added = &mut self[before..];
        added.fill(0);
        added
    }

    /// Drops all contents after the first `len` bytes. Does nothing if there are no more than that.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Makes the contents `len` bytes of what happens to be in memory, which may be another request's. The caller writes over all
    /// of them before anyone else sees them; that is why this does not leave the crate.
    pub(crate) fn overwrite(&mut self, len: usize) -> &mut [u8] {
        self.len = 0;
        self.reserve(len);
        self.len = len;
        self
    }

    /// Empties the buffer, and has what is filled in next begin `phase` bytes behind a page boundary.
    pub(crate) fn restart(&mut self, phase: usize) {
        self.len = 0;
        self.phase = phase % PAGE;
        // Without memory there is nothing to begin in; `reserve` sees to it then.
        if !self.memory.is_empty() {
            self.start = aligned(&self.memory) + self.phase;
        }
    }

    /// `prefix`, which is shorter than a page, and the contents behind it as one slice that begins at a page boundary. Nothing
    /// moves if the contents begin where a prefix of this length ends; else they are moved there.
    pub(crate) fn prefixed(&mut self, prefix: &[u8]) -> &[u8] {
        assert!(prefix.len() < PAGE, "a whole page is no prefix");
        let len = self.len;
        if self.phase != prefix.len() || self.memory.is_empty() {
            self.reserve(len + PAGE);
            let start = self.start;
            self.restart(prefix.len());
            self.memory.copy_within(start..start + len, self.start);
            self.len = len;
        }
        let (first, end) = (self.start - prefix.len(), self.start + len);
        self.memory[first..self.start].copy_from_slice(prefix);
        &self.memory[first..end]
    }

    /// Turns the contents into [`Bytes`] without a copy. When the last slice of them is gone, the memory goes back to its pool.
    #[must_use]
    pub fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }

    /// Makes sure of room for `len` bytes. Moves by hand, because a `Vec` that grows would free its old memory unwiped.
    fn reserve(&mut self, len: usize) {
        if self.start + len <= self.memory.len() {
            return;
        }
        let grown = if len > SMALL_BYTES && len <= WORKING_BYTES {
            WORKING_BYTES
        } else {
            len.max(self.len * 2).max(MIN_BYTES)
        };
        // A page for the phase, and one to begin at a boundary.
        let mut larger = vec![0; grown + 2 * PAGE];
        let start = aligned(&larger) + self.phase;
        larger[start..start + self.len].copy_from_slice(self);
        wipe(&mut self.memory);
        self.memory = larger;
        self.start = start;
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Says how much is in it, never what.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut memory = std::mem::take(&mut self.memory);
        if memory.is_empty() {
            return;
        }
        match &self.pool {
            Some(pool) => pool.give_back(memory),
            None => wipe(&mut memory),
        }
    }
}

/// Memory for buffers, kept for reuse. A clone is another handle to the same pool.
///
/// Taking never waits: a client that reads slowly holds its buffers for long, and must not keep others from theirs. What bounds the
/// memory in use is the number of connections; what the pool bounds is the memory that lies idle.
#[derive(Clone)]
pub struct BufferPool(Arc<Shared>);

struct Shared {
    max_idle: usize,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// Used last in, first out, so that what is not needed stays at the front.
    stack: Vec<Spare>,
    /// The smallest length of the stack since the last tidying: so many buffers nobody wanted.
    low_water: usize,
}

struct Spare {
    memory: Vec<u8>,
    wiped: bool,
}

impl BufferPool {
    /// A pool that keeps up to `max_idle` buffers for reuse.
    #[must_use]
    pub fn new(max_idle: usize) -> BufferPool {
        BufferPool(Arc::new(Shared { max_idle, idle: Mutex::default() }))
    }

    /// An empty buffer, which fits the beginning of a blob: its contents will lie where they do in the file, behind the header.
    #[must_use]
    pub fn take(&self) -> Buffer {
        let mut idle = self.0.lock();
        let memory = idle.stack.pop().map(|spare| spare.memory).unwrap_or_default();
        idle.low_water = idle.low_water.min(idle.stack.len());
        drop(idle);
        let mut buffer = Buffer { memory, pool: Some(Arc::clone(&self.0)), ..Buffer::default() };
        buffer.restart(HEADER_LEN);
        buffer
    }

    /// Wipes idle buffers and frees those that were idle ever since the last call. Meant to be called every few seconds.
    pub fn tidy(&self) {
        let unwanted: Vec<Spare> = {
            let mut idle = self.0.lock();
            let unwanted = idle.low_water.min(idle.stack.len());
            let front = idle.stack.drain(..unwanted).collect();
            idle.low_water = idle.stack.len();
            front
        };
        for spare in unwanted {
            spare.free();
        }
        // Wiped outside of the lock, one at a time: a mebibyte takes about a tenth of a millisecond.
        while let Some(mut spare) = self.0.take_unwiped() {
            wipe(&mut spare.memory);
            spare.wiped = true;
            self.0.put_wiped(spare);
        }
    }

    /// The bytes of memory that lie idle.
    #[must_use]
    pub fn idle_bytes(&self) -> usize {
        self.0.lock().stack.iter().map(|spare| spare.memory.len()).sum()
    }
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BufferPool({} bytes idle)", self.idle_bytes())
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        // No code that holds the lock can leave the list half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, memory: Vec<u8>) {
        let spare = Spare { memory, wiped: false };
        let mut idle = self.lock();
        if idle.stack.len() < self.max_idle && spare.memory.len() <= MAX_KEPT_BYTES {
            idle.stack.push(spare);
        } else {
            drop(idle);
            spare.free();
        }
    }

    fn take_unwiped(&self) -> Option<Spare> {
        let mut idle = self.lock();
        let at = idle.stack.iter().position(|spare| !spare.wiped)?;
        Some(idle.stack.remove(at))
    }

    /// Puts a wiped buffer below the others: those on top are warm in the cache.
    fn put_wiped(&self, spare: Spare) {
        let mut idle = self.lock();
        if idle.stack.len() < self.max_idle {
            idle.stack.insert(0, spare);
        }
    }
}

impl Spare {
    fn free(mut self) {
        if !self.wiped {
            wipe(&mut self.memory);
        }
    }
}

/// Fills with zeros in a way that the compiler may not leave out. `Zeroize` would do it a byte at a time.
fn wipe(memory: &mut [u8]) {
    memory.fill(0);
    zeroize::optimization_barrier(memory);
}

/// Where the first page of a buffer's memory begins.
fn aligned(memory: &[u8]) -> usize {
    let offset = memory.as_ptr().align_offset(PAGE);
    // It may decline to tell, by its contract. Then writes past the page cache are refused, and go through it.
    if offset < PAGE { offset } else { 0 }
}

/// What writes past the page cache are multiples of, in length and address. Disks ask for 512 bytes or 4 KiB.
pub(crate) const PAGE: usize = 4 * 1024;
/// The least room in a buffer once it holds something.
const MIN_BYTES: usize = 4 * 1024;
/// Up to here the room in a buffer doubles as it grows; behind it comes the working size at once.
const SMALL_BYTES: usize = 128 * 1024;
/// Room for a mebibyte in sealed segments of 64 KiB, with a segment to spare: what transfers work with. Not the next power of two,
/// since every transfer has two of them.
const WORKING_BYTES: usize = (1024 + 68) * 1024;
/// Larger buffers than this are not kept: nothing asks for them in the normal course of things.
const MAX_KEPT_BYTES: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_survive_growth() {
        let mut buffer = BufferPool::new(1).take();
        for round in 0..1000_u32 {
            buffer.extend_from_slice(&round.to_be_bytes());
        }
        let expected: Vec<u8> = (0..1000_u32).flat_map(u32::to_be_bytes).collect();
        assert_eq!(&buffer[..], expected);
    }

    #[test]
    fn memory_comes_back_when_the_last_slice_is_dropped() {
        let pool = BufferPool::new(4);
        let mut buffer = pool.take();
        buffer.extend_from_slice(b"some bytes");
        let slice = buffer.freeze().slice(5..);
        assert_eq!(pool.idle_bytes(), 0);
        assert_eq!(&slice[..], b"bytes");
        drop(slice);
        assert!(pool.idle_bytes() > 0);
    }

    #[test]
    fn a_reused_buffer_shows_nothing_of_its_past() {
        let pool = BufferPool::new(4);
        let mut buffer = pool.take();
        buffer.extend_from_slice(b"secret");
        drop(buffer);
        let mut buffer = pool.take();
        assert!(buffer.is_empty());
        assert_eq!(buffer.extend_zeroed(6), &[0; 6]);
    }

    #[test]
    fn tidying_wipes_then_frees() {
        let pool = BufferPool::new(4);
        let mut buffer = pool.take();
        buffer.extend_from_slice(b"secret");
        drop(buffer);
        pool.tidy();
        assert!(pool.idle_bytes() > 0, "it was in use since the last tidying");
        let mut buffer = pool.take();
        assert_eq!(buffer.overwrite(6), &[0; 6], "wiped while idle");
        drop(buffer);
        pool.tidy();
        pool.tidy();
        assert_eq!(pool.idle_bytes(), 0, "nobody wanted it between the last two");
    }

    #[test]
    fn no_more_is_kept_than_allowed() {
        let pool = BufferPool::new(2);
        let buffers: Vec<Buffer> = (0..5)
            .map(|_| {
                let mut buffer = pool.take();
                buffer.extend_from_slice(b"x");
                buffer
            })
            .collect();
        drop(buffers);
        assert_eq!(pool.idle_bytes(), 2 * (MIN_BYTES + 2 * PAGE));
    }

    #[test]
    fn a_prefix_begins_at_a_page_wherever_the_contents_were() {
        let pool = BufferPool::new(1);
        for phase in [0, 1, HEADER_LEN, 4095] {
            for prefix in [0, 1, HEADER_LEN, 4095] {
                for len in [0, 1, 4095, 4096, 5000, 200_000] {
                    for mut buffer in [pool.take(), Buffer::default()] {
                        buffer.restart(phase);
                        let contents: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
                        buffer.extend_from_slice(&contents);
                        let whole = buffer.prefixed(&vec![7; prefix]);
                        assert_eq!(whole.as_ptr().align_offset(PAGE), 0);
                        assert_eq!(whole, [vec![7; prefix], contents.clone()].concat());
                        assert_eq!(&buffer[..], contents);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_moves_where_the_prefix_fits() {
        let mut buffer = BufferPool::new(1).take();
        buffer.extend_from_slice(b"contents");
        let before = buffer.as_ptr();
        buffer.prefixed(&[0; HEADER_LEN]);
        assert_eq!(buffer.as_ptr(), before);
    }

    #[test]
    fn debug_says_nothing_of_the_contents() {
        let mut buffer = Buffer::default();
        buffer.extend_from_slice(b"secret");
        assert_eq!(format!("{buffer:?}"), "Buffer(6 bytes)");
    }
}
