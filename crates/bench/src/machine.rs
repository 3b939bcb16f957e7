//! What this machine can do at best, in the same run: the yardstick beside every figure.

use crate::Error;
use crate::bare::{self, Bare};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest;
use md5::{Digest, Md5};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Seconds that one pass over a GiB, or one sync, takes here on one core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    /// AES-256-GCM over 64 KiB segments, as objects are sealed.
    pub(crate) cipher: f64,
    pub(crate) md5: f64,
    pub(crate) sha256: f64,
    pub(crate) crc64: f64,
    pub(crate) copy: f64,
    /// 4 KiB written and synced, in the folder that the server uses.
    pub(crate) syncs_per_second: f64,
    /// The floor under a large GET and PUT.
    pub(crate) bare: Bare,
}

pub(crate) const GIB: f64 = (1_u64 << 30) as f64;
const SEGMENT: usize = 64 * 1024;
/// Larger than the caches, as object data is.
const BUFFER: usize = 64 << 20;
const AT_LEAST: Duration = Duration::from_millis(700);

/// Measures it all; takes about five seconds.
pub(crate) fn measure(folder: &Path) -> Result<Machine, Error> {
    let mut buffer = vec![7_u8; BUFFER];
    let mut other = vec![0_u8; BUFFER];
    let key = segment_key();
    Ok(Machine {
        cipher: per_gib(|| seal_segments(&key, &mut buffer)),
        md5: per_gib(|| {
            std::hint::black_box(Md5::digest(&buffer));
        }),
        sha256: per_gib(|| {
            std::hint::black_box(digest::digest(&digest::SHA256, &buffer));
        }),
        crc64: per_gib(|| {
            std::hint::black_box(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &buffer));
        }),
        copy: per_gib(|| {
            other.copy_from_slice(std::hint::black_box(&buffer));
            std::hint::black_box(&mut other);
        }),
        syncs_per_second: syncs(folder).map_err(|error| Error::Io("sync".into(), error))?,
        bare: bare::measure(folder).map_err(|error| Error::Io("the bare transfers".into(), error))?,
    })
}

/// A key as segments are sealed with.
pub(crate) fn segment_key() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32]).expect("AES-256 keys are 32 bytes"))
}

fn seal_segments(key: &LessSafeKey, buffer: &mut [u8]) {
    for segment in buffer.chunks_mut(SEGMENT) {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&[0_u8; 24]), segment);
        std::hint::black_box(tag.is_ok());
    }
}

fn per_gib(mut pass: impl FnMut()) -> f64 {
    pass();
    let (started, mut bytes) = (Instant::now(), 0.0);
    while started.elapsed() < AT_LEAST {
        pass();
        bytes += BUFFER as f64;
    }
    started.elapsed().as_secs_f64() / (bytes / GIB)
}

fn syncs(folder: &Path) -> std::io::Result<f64> {
    let path = folder.join("sync-rate");
    let mut file = std::fs::File::create(&path)?;
    file.write_all(&vec![0; 1 << 20])?;
    file.sync_all()?;
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < AT_LEAST {
        file.write_all_at(&[1; 4096], u64::from(count % 256) * 4096)?;
        file.sync_data()?;
        count += 1;
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
