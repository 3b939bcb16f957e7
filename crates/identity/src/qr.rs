//! Pictures of texts for the cameras of MFA devices: QR codes (ISO/IEC 18004) as PNG.

use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

/// Pixels of a module.
const SCALE: usize = 4;
/// Modules of white around the code (ISO/IEC 18004, section 6.3.8).
const MARGIN: usize = 4;

/// A PNG of a QR code; `None` if the text is longer than any code holds.
pub(crate) fn png(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let modules = code.width();
    let width = (modules + 2 * MARGIN) * SCALE;
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| (at / SCALE).checked_sub(MARGIN).filter(|at| *at < modules);
        matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark)
    };
    // Rows of one bit a pixel, each behind a byte that says "no filter".
    let mut pixels = Zeroizing::new(Vec::with_capacity(width * (width / 8 + 2)));
    for y in 0..width {
        pixels.push(0);
        for first in (0..width).step_by(8) {
            let bits = (first..first + 8).map(|x| u8::from(x < width && !dark(x, y)));
            pixels.push(bits.fold(0, |byte, bit| byte << 1 | bit));
        }
    }
    let side = u32::try_from(width).ok()?.to_be_bytes();
    let mut out = Zeroizing::new(b"\x89PNG\r\n\x1a\n".to_vec());
    // One bit of grey, deflate, no interlacing (PNG, third edition, section 11.2.1).
    chunk(&mut out, b"IHDR", &[&side[..], &side, &[1, 0, 0, 0, 0]].concat());
    chunk(&mut out, b"IDAT", &stored(&pixels));
    chunk(&mut out, b"IEND", &[]);
    Some(out)
}

/// A zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4): what it holds is a few kilobytes.
fn stored(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![0x78, 0x01]);
    let blocks = bytes.chunks(usize::from(u16::MAX));
    let last = blocks.len().saturating_sub(1);
    for (index, block) in blocks.enumerate() {
        out.push(u8::from(index == last));
        let len = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    out.extend_from_slice(&(high << 16 | low).to_be_bytes());
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    let start = out.len();
    out.extend_from_slice(kind);
    out.extend_from_slice(bytes);
    let sum = crc32(&out[start..]);
    out.extend_from_slice(&sum.to_be_bytes());
}

/// CRC-32 as PNG has it (PNG, third edition, annex D), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        // RFC 1950's Adler-32 of a well-known text.
        assert_eq!(stored(b"Wikipedia")[2 + 5 + 9..], 0x11E6_0398_u32.to_be_bytes());
    }

    #[test]
    fn a_picture_is_a_png_of_its_code() {
        let png = png("otpauth://totp/a@111122223333?secret=JBSWY3DPEHPK3PXP&issuer=Strongroom").unwrap();
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
        assert!(png.ends_with(b"IEND\xaeB`\x82"));
    }
}
