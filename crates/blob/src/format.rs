//! The file of a blob: a header of 32 bytes, and the blob's bytes after it. See docs/formats/blob.md.

use crate::BlobId;

/// Bytes before the blob's own.
pub const HEADER_LEN: usize = 32;

const MAGIC: [u8; 8] = *b"STRMBLOB";
const VERSION: [u8; 2] = 1_u16.to_be_bytes();
const RESERVED: [u8; 6] = [0; 6];

/// The header of a blob of this name.
#[must_use]
pub fn header(id: BlobId) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(&MAGIC);
    header[8..10].copy_from_slice(&VERSION);
    header[10..16].copy_from_slice(&RESERVED);
    header[16..].copy_from_slice(id.as_bytes());
    header
}

/// Checks that a file which begins like this is the blob of this name.
///
/// # Errors
/// What about it is wrong.
pub fn check(header: &[u8; HEADER_LEN], id: BlobId) -> Result<(), &'static str> {
    if header[..8] != MAGIC {
        return Err("it does not begin like a blob");
    }
    if header[8..10] != VERSION {
        return Err("it is of a version that this program does not know");
    }
    if header[10..16] != RESERVED {
        return Err("its header has bits set that have no meaning");
    }
    if header[16..] != id.as_bytes()[..] {
        return Err("it belongs to another name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first 32 bytes of a file of version 1, for ever.
    #[test]
    fn version_1_opens() {
        let file = *b"STRMBLOB\x00\x01\0\0\0\0\0\0\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f";
        let id = BlobId::parse(b"000102030405060708090a0b0c0d0e0f").expect("32 digits");
        assert_eq!(check(&file, id), Ok(()));
        assert_eq!(header(id), file);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let id = BlobId::generate();
        for bit in 0..HEADER_LEN * 8 {
            let mut header = header(id);
            header[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&header, id).is_err(), "bit {bit}");
        }
    }
}
