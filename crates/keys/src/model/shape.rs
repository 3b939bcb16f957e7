//! What the service model can say of a member: its type and its constraints.

use std::sync::OnceLock;

use regex_lite::Regex;

/// A shape of the service model.
pub struct Shape {
    pub(super) kind: Kind,
    /// Whether messages leave its value out.
    pub(super) secret: bool,
}

/// A member of a structure.
pub(super) struct Member {
    /// Its name on the wire.
    pub(super) name: &'static str,
    pub(super) shape: &'static Shape,
    pub(super) required: bool,
}

pub(super) enum Kind {
    Structure(&'static [Member]),
    /// Of structures, or of texts and names.
    List {
        of: &'static Shape,
        min: usize,
        max: usize,
    },
    /// From strings to strings, which are not constrained.
    Map,
    /// Lengths in Unicode scalar values (Smithy 2.0, `length` trait).
    Text {
        min: usize,
        max: usize,
        pattern: Option<Pattern>,
    },
    /// One of a set of names.
    Name(&'static [&'static str]),
    /// Lengths in bytes, base64 taken off.
    Blob {
        min: usize,
        max: usize,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Boolean,
    Timestamp,
}

/// A pattern, which a whole string must match.
pub(super) struct Pattern {
    /// As the service model writes it.
    pub(super) text: &'static str,
    rule: Rule,
}

enum Rule {
    /// At least `least` characters, each of them in one of the ranges: two characters each, the first and the last.
    Each { least: usize, ranges: &'static str },
    /// Compiled when it is first needed.
    Expression(OnceLock<Regex>),
}

impl Pattern {
    pub(super) fn matches(&self, text: &str) -> bool {
        match &self.rule {
            Rule::Each { least, ranges } => {
                text.len() >= *least && text.chars().all(|character| in_ranges(character, ranges))
            }
            Rule::Expression(compiled) => compiled.get_or_init(|| self.compile()).is_match(text),
        }
    }

    fn compile(&self) -> Regex {
        Regex::new(&format!("^(?:{})$", self.text)).expect("a test compiles every pattern of the table")
    }
}

fn in_ranges(character: char, ranges: &str) -> bool {
    let mut bounds = ranges.chars();
    while let (Some(first), Some(last)) = (bounds.next(), bounds.next()) {
        if (first..=last).contains(&character) {
            return true;
        }
    }
    false
}

// What the table is written with.

pub(super) const fn open(kind: Kind) -> Shape {
    Shape { kind, secret: false }
}

pub(super) const fn secret(kind: Kind) -> Shape {
    Shape { kind, secret: true }
}

pub(super) const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, required: true }
}

pub(super) const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, required: false }
}

pub(super) const fn list(of: &'static Shape, min: usize, max: usize) -> Kind {
    Kind::List { of, min, max }
}

pub(super) const fn text(min: usize, max: usize, pattern: Option<Pattern>) -> Kind {
    Kind::Text { min, max, pattern }
}

pub(super) const fn each(text: &'static str, least: usize, ranges: &'static str) -> Option<Pattern> {
    Some(Pattern { text, rule: Rule::Each { least, ranges } })
}

pub(super) const fn expression(text: &'static str) -> Option<Pattern> {
    Some(Pattern { text, rule: Rule::Expression(OnceLock::new()) })
}

pub(super) const fn blob(min: usize, max: usize) -> Kind {
    Kind::Blob { min, max }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn ranges_hold_for_every_character() {
        let pattern = each("^[a-c_]+$", 1, "ac__").unwrap();
        for (text, matches) in [("a", true), ("abc_", true), ("", false), ("d", false), ("a b", false), ("aé", false)]
        {
            assert_eq!(pattern.matches(text), matches, "{text}");
        }
    }

    #[test]
    fn an_expression_matches_the_whole_text_or_nothing() {
        let pattern = expression("[0-9]{3}").unwrap();
        for (text, matches) in [("123", true), ("1234", false), ("12", false), ("123\n", false)] {
            assert_eq!(pattern.matches(text), matches, "{text:?}");
        }
    }
}
