//! PEM (RFC 7468), as far as one key in one file goes.

use crate::error::{Error, Result};
use data_encoding::BASE64;
use zeroize::Zeroizing;

/// Longest text that is read, in bytes: an RSA key of 16,384 bits has 13,000.
const LIMIT: usize = 1 << 16;

/// The label of the first block, and its bytes.
pub(super) fn decode(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>)> {
    if text.len() > LIMIT {
        return Err(Error::Key("a PEM text longer than any key"));
    }
    let (_, rest) = text.split_once("-----BEGIN ").ok_or(Error::Key("no PEM block"))?;
    let (label, rest) = rest.split_once("-----").ok_or(Error::Key("no PEM block"))?;
    let (body, end) = rest.split_once("-----END ").ok_or(Error::Key("a PEM block without an end"))?;
    if !end.strip_prefix(label).is_some_and(|after| after.starts_with("-----")) {
        return Err(Error::Key("a PEM block that ends as another one"));
    }
    if label == "ENCRYPTED PRIVATE KEY" || body.contains("ENCRYPTED") {
        return Err(Error::Key(
            "the PEM block is encrypted: decrypt it first (openssl pkcs8 -in key.pem -out plain.pem)",
        ));
    }
    let mut compact = Zeroizing::new(Vec::with_capacity(body.len()));
    compact.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let room = BASE64.decode_len(compact.len()).map_err(|_| Error::Key("a PEM block that is no Base64"))?;
    let mut bytes = Zeroizing::new(vec![0; room]);
    let length = BASE64.decode_mut(&compact, &mut bytes).map_err(|_| Error::Key("a PEM block that is no Base64"))?;
    bytes.truncate(length);
    Ok((label, bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_block_is_found_within_other_text() {
        let (label, bytes) = decode("a key\r\n-----BEGIN X Y-----\r\nAAEC\r\nAw==\r\n-----END X Y-----\r\n").unwrap();
        assert_eq!((label, &bytes[..]), ("X Y", &[0, 1, 2, 3][..]));
    }

    #[test]
    fn what_is_no_block_is_told_so() {
        let cases = [
            ("", "no PEM"),
            ("-----BEGIN A", "no PEM"),
            ("-----BEGIN A-----\nAAEC", "without an end"),
            ("-----BEGIN A-----\nAAEC\n-----END B-----", "as another"),
            ("-----BEGIN A-----\nAA!C\n-----END A-----", "Base64"),
            ("-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nAAEC\n-----END A-----", "encrypted"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAEC\n-----END ENCRYPTED PRIVATE KEY-----", "encrypted"),
        ];
        for (text, words) in cases {
            let error = decode(text).err().unwrap().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
