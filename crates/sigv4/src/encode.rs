use std::borrow::Cow;

/// Percent-decodes `text` into bytes. A `%` that two hexadecimal digits do not follow stays as it is.
#[must_use]
pub fn percent_decode(text: &str) -> Cow<'_, [u8]> {
    let _ = text;
    todo!()
}

/// The parameters of a raw query in the order sent, decoded (`%XX` and `+` for a space). A parameter without `=` has an empty value.
///
/// The canonical query is made of exactly these, so a parameter taken from here is a parameter that was signed.
pub fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(name), percent_decode(value))
    })
}
