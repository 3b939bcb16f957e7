//! What the URIs in settings have in common: attributes, percent-encoded, and which token of a PKCS#11 module is meant.

use keys::TokenSelector;
use percent_encoding::percent_decode_str;

/// A list of `name=value`, percent-encoded.
pub(crate) fn attributes(text: &str, separator: char) -> impl Iterator<Item = Result<(&str, Vec<u8>), String>> {
    text.split(separator).filter(|item| !item.is_empty()).map(|item| {
        let (name, value) = item.split_once('=').ok_or_else(|| format!("{item:?} is not of the form NAME=VALUE"))?;
        Ok((name, percent_decode_str(value).collect()))
    })
}

pub(crate) fn text_of(name: &str, value: Vec<u8>) -> Result<String, String> {
    String::from_utf8(value).map_err(|_| format!("{name} is not UTF-8"))
}

/// Takes an attribute of a PKCS#11 URI's path (RFC 7512, 2.3) that says which token is meant, into `token`.
///
/// # Errors
/// Another attribute; a second one that says it.
pub(crate) fn take_selector(token: &mut Option<TokenSelector>, name: &str, value: Vec<u8>) -> Result<(), String> {
    let selector = match name {
        "token" => TokenSelector::Label(text_of(name, value)?),
        "serial" => TokenSelector::Serial(text_of(name, value)?),
        "slot-id" => {
            TokenSelector::Slot(text_of(name, value)?.parse().map_err(|_| "slot-id is not a number".to_owned())?)
        }
        _ => return Err(format!("the attribute {name} is not supported")),
    };
    match token.replace(selector) {
        None => Ok(()),
        Some(_) => Err("one of token, serial and slot-id is enough".to_owned()),
    }
}
