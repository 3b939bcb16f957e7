//! The cipher and the hash alone.

use crate::{BYTES, Outcome, Task};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA384, digest};
use std::hint::black_box;

pub struct Raw<'a> {
    plaintext: &'a [u8],
    key: LessSafeKey,
    place: Vec<u8>,
    nonce: u64,
}

impl<'a> Raw<'a> {
    pub fn new(plaintext: &'a [u8]) -> Outcome<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32])?);
        Ok(Self { plaintext, key, place: plaintext.to_vec(), nonce: 0 })
    }

    pub fn measure(
        &mut self,
        measure: &mut impl FnMut(Task, &mut dyn FnMut() -> Outcome<()>) -> Outcome<()>,
    ) -> Outcome<()> {
        let Self { plaintext, key, place, nonce } = self;
        let mut next = || {
            *nonce += 1;
            let mut bytes = [0; 12];
            bytes[4..].copy_from_slice(&nonce.to_be_bytes());
            Nonce::assume_unique_for_key(bytes)
        };
        let mut tag = [0; 16];
        measure(Task::InPlace, &mut || {
            let _ = black_box(key.seal_in_place_separate_tag(next(), Aad::empty(), place)?);
            Ok(())
        })?;
        measure(Task::Apart, &mut || {
            Ok(key.seal_out_of_place_scatter(next(), Aad::empty(), plaintext, place, &[], &mut tag)?)
        })?;
        for (task, large) in [(Task::Fresh, false), (Task::Large, true)] {
            measure(task, &mut || {
                let mut place = vec![0; BYTES];
                if large {
                    evp::large_pages(&mut place);
                }
                key.seal_out_of_place_scatter(next(), Aad::empty(), plaintext, &mut place, &[], &mut tag)?;
                black_box(place);
                Ok(())
            })?;
        }
        measure(Task::Calls, &mut || {
            for (from, to) in plaintext.chunks(4096).zip(place.chunks_mut(4096)) {
                key.seal_out_of_place_scatter(next(), Aad::empty(), from, to, &[], &mut tag)?;
            }
            Ok(())
        })?;
        measure(Task::Sha384, &mut || {
            black_box(digest(&SHA384, plaintext));
            Ok(())
        })
    }
}
