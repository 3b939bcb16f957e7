//! How near sealing is to the cipher alone: prints GiB/s of both over the same buffers, and the time of one envelope and one part's key.
//! `cargo run --release -p strongroom-seal --example speed`
#![allow(clippy::print_stdout, reason = "it prints")]

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use seal::envelope::{Envelope, Label};
use seal::stream::{Opener, SEGMENT, Sealer, TAG};
use seal::{ObjectKey, SecretKey};
use std::time::{Duration, Instant};

const SEGMENTS: usize = 16;
const ROUNDS: usize = 4_000;

fn main() {
    let mut slots = vec![[0_u8; SEGMENT + TAG]; SEGMENTS];
    let (mut raw, mut ours) = (Duration::MAX, Duration::MAX);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("32 bytes"));
    let mut sealer = Sealer::one(ObjectKey::generate().new_part(1, &[7; 16]).0);
    // In turns, and the best of each: what else runs on the machine falls on both.
    for _ in 0..ROUNDS / 20 {
        raw = raw.min(time(20, || alone(&cipher, &mut slots)));
        ours = ours.min(time(20, || stream(&mut sealer, &mut slots)));
    }
    let per_second = |time: Duration| (SEGMENTS * SEGMENT) as f64 / time.as_secs_f64() / f64::from(1 << 30);
    println!("cipher alone  {:6.3} GiB/s", per_second(raw));
    println!(
        "sealer        {:6.3} GiB/s   {:.3} of the cipher",
        per_second(ours),
        raw.as_secs_f64() / ours.as_secs_f64()
    );

    let opening = opening(&mut slots);
    println!("opener        {:6.3} GiB/s", per_second(opening));

    let envelope = Envelope::new(&SecretKey::generate());
    let blob = envelope.seal(Label::Kms, &[1; 33], &[2; 100], &[3; 32]);
    let sealing = time(100_000, || drop(envelope.seal(Label::Kms, &[1; 33], &[2; 100], &[3; 32])));
    let opening = time(100_000, || drop(envelope.open(Label::Kms, &[2; 100], &blob)));
    println!("envelope      seal {sealing:?}, open {opening:?}");
    let key = ObjectKey::generate();
    println!("new part      {:?}", time(100_000, || drop(key.new_part(1, &[7; 16]))));
}

fn time(rounds: u32, mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        work();
    }
    start.elapsed() / rounds
}

fn alone(key: &LessSafeKey, slots: &mut [[u8; SEGMENT + TAG]]) {
    for (index, slot) in slots.iter_mut().enumerate() {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
        let (text, room) = slot.split_at_mut(SEGMENT);
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from([0; 24]), text)
            .expect("64 KiB");
        room.copy_from_slice(tag.as_ref());
    }
}

fn stream(sealer: &mut Sealer, slots: &mut [[u8; SEGMENT + TAG]]) {
    for slot in slots {
        sealer.seal_segment(slot);
    }
}

fn opening(slots: &mut [[u8; SEGMENT + TAG]]) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..200 {
        let key = ObjectKey::generate();
        let (sealing, salt, commitment) = key.new_part(1, &[7; 16]);
        let mut sealer = Sealer::one(sealing);
        for slot in slots.iter_mut() {
            sealer.seal_segment(slot);
        }
        let start = Instant::now();
        let opener = Opener::one(key.open_part(1, &[7; 16], &salt, &commitment).expect("its own commitment"));
        for (index, slot) in slots.iter_mut().enumerate() {
            opener.open_segment(index as u64, false, slot).expect("untouched");
        }
        best = best.min(start.elapsed());
    }
    best
}
