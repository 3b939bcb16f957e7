//! Policies as their texts stand: where each statement is, which principals, actions and condition keys it writes.
//!
//! What a policy means is the business of crate `policy`. Texts that come here have parsed there; of others nothing is found.

use std::ops::Range;

/// A value of a document, and the names of the members that lead to it; lists are passed through.
pub(crate) struct Piece<'a, 't> {
    /// `["Statement", "Principal", "AWS"]`
    pub(crate) path: &'a [String],
    /// The value as it is written.
    pub(crate) text: &'t str,
    /// Where that is.
    pub(crate) at: Range<usize>,
}

impl Piece<'_, '_> {
    /// Whether it is reached by these names.
    pub(crate) fn is_at(&self, path: &[&str]) -> bool {
        self.path.iter().map(String::as_str).eq(path.iter().copied())
    }

    /// The value, if it is a text.
    pub(crate) fn string(&self) -> Option<String> {
        self.text.starts_with('"').then(|| serde_json::from_str(self.text).ok()).flatten()
    }
}

/// Shows every value of a document, what is inside a value before the value.
pub(crate) fn walk<'t>(text: &'t str, mut show: impl FnMut(&Piece<'_, 't>)) {
    let tokens: Vec<Token<'t>> = Tokens { text, at: 0 }.collect();
    let mut walk = Walk { text, tokens, path: Vec::new(), show: &mut show };
    walk.value(0, 0);
}

/// The texts under a path.
pub(crate) fn strings(text: &str, path: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    walk(text, |piece| found.extend(piece.is_at(path).then(|| piece.string()).flatten()));
    found
}

/// The document with texts under a path exchanged, and nothing else touched.
pub(crate) fn exchange(text: &str, path: &[&str], new: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    walk(text, |piece| {
        let string = piece.is_at(path).then(|| piece.string()).flatten();
        if let Some(new) = string.and_then(|string| new(&string)) {
            out.push_str(&text[copied..piece.at.start]);
            out.push_str(&serde_json::Value::String(new).to_string());
            copied = piece.at.end;
        }
    });
    out.push_str(&text[copied..]);
    out
}

/// A document as IAM answers it: all but unreserved characters in percent form (RFC 3986, section 2.3).
pub(crate) fn url_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, RESERVED).to_string()
}

const RESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How deep values are looked into: `Statement` → `Condition` → operator → key is four.
const MAX_DEPTH: usize = 16;

struct Walk<'w, 't> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    path: Vec<String>,
    show: &'w mut dyn FnMut(&Piece<'_, 't>),
}

impl<'t> Walk<'_, 't> {
    /// Shows the value that begins at a token; gives the token behind it.
    fn value(&mut self, start: usize, depth: usize) -> usize {
        let Some(first) = self.tokens.get(start).map(|token| token.text) else { return start };
        let end = match first {
            _ if depth == MAX_DEPTH => return self.tokens.len(),
            "{" => self.members(start + 1, depth + 1),
            "[" => self.items(start + 1, depth + 1),
            _ => start + 1,
        };
        let end = end.min(self.tokens.len());
        let at = self.tokens[start].start..self.tokens[end - 1].end;
        (self.show)(&Piece { path: &self.path, text: &self.text[at.clone()], at });
        end
    }

    fn members(&mut self, mut at: usize, depth: usize) -> usize {
        while let Some(name) = self.tokens.get(at) {
            match name.text {
                "}" => return at + 1,
                "," => at += 1,
                text => {
                    let Ok(name) = serde_json::from_str(text) else { return self.tokens.len() };
                    self.path.push(name);
                    at = self.value(at + 2, depth);
                    self.path.pop();
                }
            }
        }
        at
    }

    fn items(&mut self, mut at: usize, depth: usize) -> usize {
        while let Some(item) = self.tokens.get(at) {
            match item.text {
                "]" => return at + 1,
                "," => at += 1,
                _ => at = self.value(at, depth),
            }
        }
        at
    }
}

/// A token of JSON: punctuation, a text with its quotes, or a literal.
struct Token<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let token = &self.text[start..];
        let len = match token.bytes().next()? {
            b'"' => string_len(token),
            b'{' | b'}' | b'[' | b']' | b':' | b',' => 1,
            _ => token.find(|c: char| c.is_whitespace() || "{}[]:,\"".contains(c)).unwrap_or(token.len()),
        };
        self.at = start + len;
        Some(Token { text: &token[..len], start, end: self.at })
    }
}

/// Bytes of the text in quotes that a token begins with.
fn string_len(token: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in token.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    token.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRUST: &str = r#"{"Statement":[{"Principal":{"AWS":["a", "\u0062"],"Service":"s"},
        "Condition":{"StringEquals":{"k":["a"]}}}, {"Principal":"a"}]}"#;

    #[test]
    fn texts_are_found_by_their_path_alone() {
        assert_eq!(strings(TRUST, &["Statement", "Principal", "AWS"]), ["a", "b"]);
        assert_eq!(strings(TRUST, &["Statement", "Principal"]), ["a"]);
        assert_eq!(strings(TRUST, &["Statement", "Condition", "StringEquals", "k"]), ["a"]);
    }

    #[test]
    fn answers_encode_all_but_unreserved_characters() {
        assert_eq!(url_encoded("{\"a\": \"~-_.Zz09+/é\"}"), "%7B%22a%22%3A%20%22~-_.Zz09%2B%2F%C3%A9%22%7D");
    }

    #[test]
    fn an_exchange_touches_nothing_else() {
        let path = ["Statement", "Principal", "AWS"];
        let new = exchange(TRUST, &path, |text| (text == "b").then(|| "\"ARN\"".to_owned()));
        assert_eq!(new, TRUST.replace(r#""\u0062""#, r#""\"ARN\"""#));
        assert_eq!(exchange(TRUST, &path, |_| None), TRUST);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in r#"([{}\[\]:,"\\ a]|"a"|\{"a":|é){0,40}"#) {
            let mut seen = 0;
            walk(&text, |piece| seen += piece.text.len());
            let same = exchange(&text, &["a"], |_| None);
            prop_assert_eq!(same, text);
        }
    }
}
