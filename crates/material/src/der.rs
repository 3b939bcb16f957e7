//! The one thing about DER that the library leaves to its callers.

/// Whether the bytes are one `SEQUENCE` and nothing after it.
pub(crate) fn is_one_sequence(bytes: &[u8]) -> bool {
    sequence(bytes).is_some()
}

/// What is in one `SEQUENCE`, if the bytes are that and nothing after it: AWS-LC parses a key from the front and ignores what
/// follows. It does not look deeper: the parser that comes next does.
pub(crate) fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if tag != SEQUENCE {
        return None;
    }
    if first < LONG_FORM {
        return (rest.len() == usize::from(first)).then_some(rest);
    }
    let (length, content) = rest.split_at_checked(usize::from(first - LONG_FORM))?;
    let length = match length {
        [low @ LONG_FORM..=u8::MAX] => usize::from(*low),
        [high @ 1..=u8::MAX, low] => usize::from(u16::from_be_bytes([*high, *low])),
        // Shorter than the long form needs, or beyond 64 KiB, which no key has.
        _ => return None,
    };
    (content.len() == length).then_some(content)
}

const SEQUENCE: u8 = 0x30;
const LONG_FORM: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(length: &[u8], content: usize) -> Vec<u8> {
        let mut bytes = vec![SEQUENCE];
        bytes.extend_from_slice(length);
        bytes.resize(bytes.len() + content, 0);
        bytes
    }

    #[test]
    fn lengths_of_each_form() {
        assert!(is_one_sequence(&encoded(&[0], 0)));
        assert!(is_one_sequence(&encoded(&[0x7f], 0x7f)));
        assert!(is_one_sequence(&encoded(&[0x81, 0x80], 0x80)));
        assert!(is_one_sequence(&encoded(&[0x82, 0x01, 0x00], 0x100)));
    }

    #[test]
    fn trailing_missing_and_overlong_are_refused() {
        assert!(!is_one_sequence(&[]));
        assert!(!is_one_sequence(&[SEQUENCE]));
        assert!(!is_one_sequence(&[0x31, 0]));
        assert!(!is_one_sequence(&encoded(&[0x7f], 0x80)));
        assert!(!is_one_sequence(&encoded(&[0x7f], 0x7e)));
        assert!(!is_one_sequence(&encoded(&[0x80], 0)), "indefinite length is BER");
        assert!(!is_one_sequence(&encoded(&[0x81, 0x7f], 0x7f)), "not minimal");
        assert!(!is_one_sequence(&encoded(&[0x82, 0x00, 0x80], 0x80)), "not minimal");
        assert!(!is_one_sequence(&encoded(&[0x83, 0x01, 0x00, 0x00], 0x10000)));
        assert!(!is_one_sequence(&encoded(&[0xff], 0x10)));
    }
}
