//! No segment, index or length makes the stream panic, and no segment opens but as it was sealed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seal::ObjectKey;
use seal::stream::{Layers, Layout, Opener, SEGMENT, Sealer};

fuzz_target!(|data: &[u8]| {
    let Some((numbers, slot)) = data.split_at_checked(25) else { return };
    if slot.len() > SEGMENT {
        return;
    }
    let [a, b, c] = [0, 8, 16].map(|at| u64::from_be_bytes(numbers[at..at + 8].try_into().expect("8 of 24 bytes")));
    let last = numbers[24] & 1 == 1;
    let layers = if numbers[24] & 2 == 2 { Layers::Two } else { Layers::One };

    let (inner, outer) = (ObjectKey::generate(), ObjectKey::generate());
    let (inner_key, inner_salt, inner_commitment) = inner.new_part(1, &[7; 16]);
    let (outer_key, outer_salt, outer_commitment) = outer.new_part(1, &[7; 16]);
    let inner = inner.open_part(1, &[7; 16], &inner_salt, &inner_commitment).expect("its own commitment");
    let outer = outer.open_part(1, &[7; 16], &outer_salt, &outer_commitment).expect("its own commitment");
    let (sealer, opener) = match layers {
        Layers::One => (Sealer::one(inner_key), Opener::one(inner)),
        Layers::Two => (Sealer::two(inner_key, outer_key), Opener::two(inner, outer)),
    };

    let mut forged = slot.to_vec();
    assert!(opener.open_segment(a, last, &mut forged).is_err(), "made without the key");
    assert!(forged.iter().all(|byte| *byte == 0), "what did not open is gone");

    // What was sealed, opened at a place of the fuzzer's choice and with a byte of its choice changed.
    let mut sealed = slot.to_vec();
    sealed.resize(slot.len() + layers.overhead(), 0);
    sealer.seal_last(&mut sealed);
    let at = usize::try_from(b).expect("64-bit") % sealed.len();
    sealed[at] ^= numbers[23];
    let whole = a == 0 && last && numbers[23] == 0;
    assert_eq!(opener.open_segment(a, last, &mut sealed).is_ok(), whole);
    if whole {
        assert_eq!(sealed[..slot.len()], *slot);
    }

    let Some(layout) = Layout::new(a, layers) else { return };
    assert!(layout.sealed_offset(b) <= layout.sealed_len());
    let _ = (layout.slot_len(b), layout.is_last(c));
    if let Some(wanted) = layout.segments_for(b..c) {
        assert!(wanted.sealed.end <= layout.sealed_len() && wanted.take == c - b);
        assert!(wanted.first + wanted.count <= layout.segments());
    }
});
