//! How fast messages and objects are written and read, against AES-256-GCM of the same library over the same bytes in place, in processor time.
//!
//! `cargo run --release -p strongroom-client --example speed` (Linux: it reads /proc/self/schedstat)

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA384, digest};
use client::Result;
use client::keys::AesKey;
use client::message::{Decryptor, Destination, Encryptor, RawAes, Suite};
use client::object::{AesKeyring, ObjectDecryptor, ObjectEncryptor};
use std::hint::black_box;
use std::io::{self, Read, Write};

const BYTES: usize = 64 << 20;

fn main() -> Result<()> {
    let plaintext = vec![7; BYTES];
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32]).map_err(|_| client::Error::Library)?);
    let keyring = RawAes::new("speed", "key", AesKey::new(&[1; 32])?)?;
    let hash = speed(|| {
        black_box(digest(&SHA384, &plaintext));
    });
    for (suite, frame) in [
        (Suite::Aes256Commit, 1 << 20),
        (Suite::Aes256Commit, 1 << 16),
        (Suite::Aes256Commit, 4096),
        (Suite::Aes256CommitP384, 1 << 20),
        (Suite::Aes256CommitP384, 4096),
    ] {
        let seal = |buffer: &mut [u8]| {
            let nonce = Nonce::assume_unique_for_key([0; 12]);
            drop(black_box(key.seal_in_place_separate_tag(nonce, Aad::empty(), buffer)));
        };
        let mut buffer = plaintext.clone();
        let whole = speed(|| seal(&mut buffer));
        let frames = speed(|| buffer.chunks_mut(frame).for_each(seal));
        // What the work is measured by: the cipher, and for a signed message the hash, too.
        let work = if suite.signs() { 1.0 / (1.0 / whole + 1.0 / hash) } else { whole };

        let length = u32::try_from(frame).expect("of the list above");
        let encryptor = Encryptor::new(&keyring).suite(suite).frame_length(length);
        let write = speed(|| {
            let mut message = encryptor.start(Nowhere).expect("nothing fails in memory");
            message.write_all(&plaintext).expect("nothing fails in memory");
            message.finish().expect("nothing fails in memory");
        });
        let copy = speed(|| {
            let mut message = encryptor.start(Nowhere).expect("nothing fails in memory");
            message.copy_from(&mut &plaintext[..]).expect("nothing fails in memory");
            message.finish().expect("nothing fails in memory");
        });
        let message = encryptor.encrypt(&plaintext)?;
        let decryptor = Decryptor::new(&keyring);
        let read = speed(|| {
            let message = decryptor.start_buffered(&message[..]).expect("it was just written");
            message.decrypt_into(&mut Nowhere).expect("it was just written");
        });
        let of = |speed: f64| format!("{speed:6.0} ({:3.0} %)", 100.0 * speed / work);
        eprintln!(
            "{suite}, frames of {frame:7}: write {}, copy_from {}, read {} MiB/s; the cipher at once {whole:.0}, by frames {frames:.0}, \
             SHA-384 {hash:.0}, percentages of {work:.0}",
            of(write),
            of(copy),
            of(read)
        );
    }
    objects(&plaintext, &key)
}

/// Objects of the S3 Encryption Client, version 3.
fn objects(plaintext: &[u8], cipher: &LessSafeKey) -> Result<()> {
    let mut buffer = plaintext.to_vec();
    let whole = speed(|| {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        drop(black_box(cipher.seal_in_place_separate_tag(nonce, Aad::empty(), &mut buffer)));
    });
    let keyring = AesKeyring::new(AesKey::new(&[1; 32])?);
    let encryptor = ObjectEncryptor::new(&keyring);
    let in_place = speed(|| {
        let mut sealing = encryptor.start().expect("nothing fails in memory");
        sealing.update(&mut buffer).expect("nothing fails in memory");
        black_box(sealing.finish().expect("nothing fails in memory"));
    });
    let mut piece = vec![0; 1 << 17];
    let reader = speed(|| {
        let mut reader = encryptor.start().expect("nothing fails in memory").into_reader(plaintext);
        while reader.read(&mut piece).expect("nothing fails in memory") > 0 {
            black_box(&piece);
        }
    });
    // A reader copies: what the work of one is measured by.
    let copy = speed(|| {
        let mut input = plaintext;
        while input.read(&mut piece).expect("nothing fails in memory") > 0 {
            black_box(&piece);
        }
    });
    let object = encryptor.encrypt(plaintext)?;
    let length = u64::try_from(object.body.len()).expect("a small number");
    let decryptor = ObjectDecryptor::new(&keyring).ranges(true);
    let start = || decryptor.start(&object.metadata, None, length).expect("it was just written");
    let into = speed(|| {
        start().decrypt_into(&object.body[..], &mut Nowhere).expect("it was just written");
    });
    let held = speed(|| {
        io::copy(&mut start().into_reader(&object.body[..]).expect("it is held"), &mut Nowhere)
            .expect("it was just written");
    });
    let range = speed(|| {
        let opening = start();
        let range = opening.range(0..=length).expect("they are on");
        range.decrypt_into(&object.body[..plaintext.len()], &mut Nowhere).expect("it was just written");
    });
    let work = 1.0 / (1.0 / whole + 1.0 / copy);
    let of = |speed: f64, work: f64| format!("{speed:6.0} ({:3.0} %)", 100.0 * speed / work);
    eprintln!(
        "S3 objects, version 3: in place {} MiB/s of the cipher at once, {whole:.0}; as a reader {}, read {}, held \
         until verified {}, as a range {} MiB/s, of it and the copy that a reader makes, {work:.0}",
        of(in_place, whole),
        of(reader, work),
        of(into, work),
        of(held, work),
        of(range, work)
    );
    Ok(())
}

/// MiB for each second of processor time: the best of some runs.
fn speed(mut run: impl FnMut()) -> f64 {
    let mut best: f64 = 0.0;
    for _ in 0..40 {
        let s = cpu_seconds();
        run();
        best = best.max(64.0 / (cpu_seconds() - s));
    }
    best
}

/// Giving way makes the kernel bring its account up to date.
fn cpu_seconds() -> f64 {
    std::thread::yield_now();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).expect("Linux tells it") / 1e9
}

struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Destination for Nowhere {
    fn keep(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn discard(&mut self) {}
}
