//! `x-amz-tagging` and `x-amz-tagging-directive`.

use super::text;
use crate::s3::error::{Code, S3Error};
use http::HeaderMap;
use objects::{TaggingDirective, Tags};

/// The tags that a write gives its object: URL query parameters.
pub(crate) fn tagging(headers: &HeaderMap) -> Result<Tags, S3Error> {
    let Some(header) = text(headers, TAGGING)?.filter(|header| !header.is_empty()) else { return Ok(Tags::default()) };
    let bad = || {
        S3Error::argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
            TAGGING,
            header,
        )
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in header.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decode(key).ok_or_else(bad)?, decode(value).ok_or_else(bad)?);
        if key.is_empty() || pairs.iter().any(|(earlier, _)| *earlier == key) {
            return Err(bad());
        }
        pairs.push((key, value));
    }
    Ok(Tags::of_object(pairs).map_err(objects::Error::from)?)
}

/// Which tags a copy has. With COPY, AWS takes no notice of the request's own.
pub(crate) fn tagging_directive(headers: &HeaderMap) -> Result<TaggingDirective, S3Error> {
    match text(headers, DIRECTIVE)? {
        None | Some("COPY") => Ok(TaggingDirective::Copy),
        Some("REPLACE") => Ok(TaggingDirective::Replace(tagging(headers)?)),
        Some(other) => Err(S3Error::saying(Code::InvalidArgument, "Unknown tagging directive.")
            .detail("ArgumentName", DIRECTIVE)
            .detail("ArgumentValue", other)),
    }
}

/// As a form is encoded: `+` is a space. A `%` that encodes nothing is an error.
fn decode(text: &str) -> Option<String> {
    let mut percents = text.match_indices('%');
    let hexadecimal =
        |at: usize| text.get(at + 1..at + 3).is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !percents.all(|(at, _)| hexadecimal(at)) {
        return None;
    }
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into_owned())
}

const TAGGING: &str = "x-amz-tagging";
const DIRECTIVE: &str = "x-amz-tagging-directive";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::super::map;
    use super::*;

    fn of(value: &str) -> Result<Vec<(String, String)>, String> {
        let tags = tagging(&map(&[(TAGGING, value)])).map_err(|error| error.code().to_owned())?;
        Ok(tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn a_query_of_tags() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(of("a=b+c&%C3%A4=%2F&x").unwrap(), [pair("a", "b c"), pair("x", ""), pair("ä", "/")]);
        assert_eq!(of("a=b=c").unwrap(), [pair("a", "b=c")]);
        assert!(of("").unwrap().is_empty() && tagging(&map(&[])).unwrap().is_empty());
    }

    #[test]
    fn queries_that_are_refused() {
        for bad in ["a=1&a=2", "a=%", "a=%zz", "a=%ff", "=b", "a=1&", "a=1&%61=2"] {
            assert_eq!(of(bad).unwrap_err(), "InvalidArgument", "{bad}");
        }
        assert_eq!(of("aws:x=1").unwrap_err(), "InvalidTag");
        assert_eq!(of("a=*").unwrap_err(), "InvalidTag");
        let eleven: Vec<_> = (0..11).map(|number| format!("k{number}=v")).collect();
        assert_eq!(of(&eleven.join("&")).unwrap_err(), "BadRequest");
    }

    #[test]
    fn directives() {
        let of = |pairs: &[(&str, &str)]| tagging_directive(&map(pairs)).map_err(|error| error.code().to_owned());
        assert_eq!(of(&[(TAGGING, "a=b")]).unwrap(), TaggingDirective::Copy);
        assert!(
            matches!(of(&[(DIRECTIVE, "REPLACE"), (TAGGING, "a=b")]).unwrap(), TaggingDirective::Replace(tags) if tags.len() == 1)
        );
        assert_eq!(of(&[(DIRECTIVE, "copy")]).unwrap_err(), "InvalidArgument");
    }
}
