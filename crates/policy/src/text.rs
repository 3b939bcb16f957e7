//! Policies as their texts stand: where each statement is, which principals, actions and condition keys it writes.
//!
//! What a policy means is the business of [`Document`](crate::Document). Texts that come here have parsed there; of others nothing is
//! found.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A value of a document, and the names of the members that lead to it; lists are passed through.
pub struct Piece<'a, 't> {
    /// `["Statement", "Principal", "AWS"]`
    pub path: &'a [String],
    /// The value as it is written.
    pub text: &'t str,
    /// Where that is.
    pub at: Range<usize>,
}

impl Piece<'_, '_> {
    /// Whether it is reached by these names.
    pub fn is_at(&self, path: &[&str]) -> bool {
        self.path.iter().map(String::as_str).eq(path.iter().copied())
    }

    /// The value, if it is a text.
    pub fn string(&self) -> Option<String> {
        self.text.starts_with('"').then(|| serde_json::from_str(self.text).ok()).flatten()
    }
}

/// Shows every value of a document, what is inside a value before the value.
pub fn walk<'t>(text: &'t str, mut show: impl FnMut(&Piece<'_, 't>)) {
    let tokens: Vec<Token<'t>> = Tokens { text, at: 0 }.collect();
    let mut walk = Walk { text, tokens, path: Vec::new(), show: &mut show };
    walk.value(0, 0);
}

/// The texts under a path.
pub fn strings(text: &str, path: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    walk(text, |piece| found.extend(piece.is_at(path).then(|| piece.string()).flatten()));
    found
}

/// The AWS principals that a document names, as they are written, each once.
pub fn aws_principals(text: &str) -> BTreeSet<String> {
    AWS_PRINCIPALS.iter().flat_map(|path| strings(text, path)).collect()
}

/// The document with AWS principals exchanged, and nothing else touched.
pub fn exchange_aws_principals(text: &str, new: &BTreeMap<String, String>) -> String {
    exchange(text, &AWS_PRINCIPALS, |principal| new.get(principal).cloned())
}

const AWS_PRINCIPALS: [&[&str]; 2] = [&["Statement", "Principal", "AWS"], &["Statement", "NotPrincipal", "AWS"]];

fn exchange(text: &str, paths: &[&[&str]], new: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    walk(text, |piece| {
        let string = paths.iter().any(|path| piece.is_at(path)).then(|| piece.string()).flatten();
        if let Some(new) = string.and_then(|string| new(&string)) {
            out.push_str(&text[copied..piece.at.start]);
            out.push_str(&serde_json::Value::String(new).to_string());
            copied = piece.at.end;
        }
    });
    out.push_str(&text[copied..]);
    out
}

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
    fn an_exchange_touches_nothing_else() {
        let new = BTreeMap::from([("b".to_owned(), "\"ARN\"".to_owned())]);
        assert_eq!(exchange_aws_principals(TRUST, &new), TRUST.replace(r#""\u0062""#, r#""\"ARN\"""#));
        assert_eq!(exchange_aws_principals(TRUST, &BTreeMap::new()), TRUST);
    }

    #[test]
    fn principals_are_those_of_both_elements_and_of_aws_alone() {
        let text = r#"{"Statement":[{"Principal":{"AWS":["x","y"],"Service":"s"}},{"NotPrincipal":{"\u0041WS":"z"}},
            {"Principal":{"AWS":"x"},"Condition":{"StringEquals":{"AWS":"c"}}}], "AWS":"no"}"#;
        assert_eq!(aws_principals(text), ["x", "y", "z"].map(str::to_owned).into());
        let new = ["x", "z", "c", "s", "no"].map(|name| (name.to_owned(), "new".to_owned())).into();
        let expected = text.replace(r#""x""#, r#""new""#).replace(r#""z""#, r#""new""#);
        assert_eq!(exchange_aws_principals(text, &new), expected);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in r#"([{}\[\]:,"\\ a]|"a"|\{"a":|é){0,40}"#) {
            let mut seen = 0;
            walk(&text, |piece| seen += piece.text.len());
            let same = exchange(&text, &[&["a"]], |_| None);
            prop_assert_eq!(same, text);
        }
    }
}
