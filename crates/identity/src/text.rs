//! Policies as IAM answers them.

/// A document as IAM answers it: all but unreserved characters in percent form (RFC 3986, section 2.3).
pub(crate) fn url_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, RESERVED).to_string()
}

const RESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_encode_all_but_unreserved_characters() {
        assert_eq!(url_encoded("{\"a\": \"~-_.Zz09+/é\"}"), "%7B%22a%22%3A%20%22~-_.Zz09%2B%2F%C3%A9%22%7D");
    }
}
