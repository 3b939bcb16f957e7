//! The floor under a GET and a PUT: one thread, no HTTP, no store. What is left is what the kernel and the cipher ask for.
//!
//! GET: read a mebibyte of a file in the page cache, open its 16 segments, write it to a loopback socket.
//! PUT: read a mebibyte from a loopback socket, CRC-32, seal 16 segments, write it to a file; sync at the end.

use crate::machine::{GIB, segment_key};
use crate::process::thread_cpu_seconds;
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use std::fs::File;
use std::io::{Error, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

/// CPU seconds a GiB of the thread that plays the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bare {
    pub(crate) get: f64,
    pub(crate) put: f64,
}

const SEGMENT: usize = 64 * 1024;
const SEALED: usize = SEGMENT + 16;
const SEGMENTS: usize = 16;
/// 64 MiB of plaintext, as the largest object of the table.
const BUFFERS: usize = 64;
const ROUNDS: usize = 24;

/// Measures both, in about two seconds.
pub(crate) fn measure(folder: &Path) -> Result<Bare> {
    let path = folder.join("bare");
    let key = segment_key();
    let mut file = File::create(&path)?;
    let mut buffer = vec![0_u8; SEGMENTS * SEALED];
    seal(&key, &mut buffer)?;
    for _ in 0..BUFFERS {
        file.write_all(&buffer)?;
    }
    let bare = Bare { get: get(&path, &key)?, put: put(&path, &key)? };
    std::fs::remove_file(path)?;
    Ok(bare)
}

fn get(path: &Path, key: &LessSafeKey) -> Result<f64> {
    let (mut server, mut client) = pair()?;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut sink = vec![0; 256 * 1024];
            while client.read(&mut sink).is_ok_and(|count| count > 0) {}
        });
        let before = thread_cpu_seconds()?;
        let mut buffer = vec![0_u8; SEGMENTS * SEALED];
        for _ in 0..ROUNDS {
            let mut file = File::open(path)?;
            for _ in 0..BUFFERS {
                file.read_exact(&mut buffer)?;
                for slot in buffer.chunks_mut(SEALED) {
                    key.open_in_place(nonce(), Aad::empty(), slot).map_err(Error::other)?;
                }
                server.write_all(&buffer[..SEGMENTS * SEGMENT])?;
            }
        }
        let spent = thread_cpu_seconds()? - before;
        drop(server);
        Ok(per_gib(spent))
    })
}

fn put(path: &Path, key: &LessSafeKey) -> Result<f64> {
    let (mut server, mut client) = pair()?;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let content = vec![7; SEGMENTS * SEGMENT];
            for _ in 0..ROUNDS * BUFFERS {
                if client.write_all(&content).is_err() {
                    return;
                }
            }
        });
        let before = thread_cpu_seconds()?;
        let mut buffer = vec![0_u8; SEGMENTS * SEALED];
        for _ in 0..ROUNDS {
            let mut file = File::create(path)?;
            for _ in 0..BUFFERS {
                for slot in buffer.chunks_mut(SEALED) {
                    server.read_exact(&mut slot[..SEGMENT])?;
                    std::hint::black_box(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &slot[..SEGMENT]));
                }
                seal(key, &mut buffer)?;
                file.write_all(&buffer)?;
            }
            file.sync_data()?;
        }
        Ok(per_gib(thread_cpu_seconds()? - before))
    })
}

fn seal(key: &LessSafeKey, buffer: &mut [u8]) -> Result<()> {
    for slot in buffer.chunks_mut(SEALED) {
        let (plaintext, tag) = slot.split_at_mut(SEGMENT);
        let made = key.seal_in_place_separate_tag(nonce(), Aad::empty(), plaintext).map_err(Error::other)?;
        tag.copy_from_slice(made.as_ref());
    }
    Ok(())
}

/// Nothing that is sealed here is kept: the speed is the same whatever the nonce.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn pair() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((listener.accept()?.0, client))
}

fn per_gib(seconds: f64) -> f64 {
    seconds / ((ROUNDS * BUFFERS * SEGMENTS * SEGMENT) as f64 / GIB)
}
