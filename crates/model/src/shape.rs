//! What the service model can say of a member: its type and its constraints.

use std::sync::OnceLock;

use regex_lite::Regex;

use crate::unicode;

/// An operation of a service model.
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// The shape of its request; of one without input an empty structure.
    pub request: &'static Shape,
    /// Whether the model knows an answer, be it an empty one.
    pub answers: bool,
}

/// A shape of the service model.
pub struct Shape {
    pub(crate) kind: Kind,
    /// Whether messages leave its value out.
    pub(crate) secret: bool,
    /// What AWS says instead of naming the pattern, once all other constraints hold.
    pub(crate) told: Option<&'static str>,
}

/// What a value of a shape is made of, for those who walk one beside its shape.
pub enum View {
    /// See [`Shape::member`].
    Structure,
    /// Of values of this shape.
    List(&'static Shape),
    /// From texts to values of this shape.
    Map(&'static Shape),
    /// A text, or one of a set of names.
    Text,
    /// Bytes in base64.
    Blob,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Seconds since 1970.
    Timestamp,
}

impl Shape {
    /// What its values are made of.
    pub fn view(&self) -> View {
        match &self.kind {
            Kind::Structure(_) => View::Structure,
            Kind::List { of, .. } => View::List(of),
            Kind::Map { value, .. } => View::Map(value),
            Kind::Text { .. } | Kind::Name(_) => View::Text,
            Kind::Blob { .. } => View::Blob,
            Kind::Integer { .. } => View::Integer,
            Kind::Boolean => View::Boolean,
            Kind::Timestamp => View::Timestamp,
        }
    }

    /// The member of a structure that is named exactly so, with its name.
    pub fn member(&self, name: &str) -> Option<(&'static str, &'static Shape)> {
        let Kind::Structure(members) = &self.kind else { return None };
        members.iter().find(|member| member.name == name).map(|member| (member.name, member.shape))
    }
}

/// A member of a structure.
pub(crate) struct Member {
    /// Its name on the wire.
    pub(crate) name: &'static str,
    pub(crate) shape: &'static Shape,
    pub(crate) required: bool,
}

pub(crate) enum Kind {
    Structure(&'static [Member]),
    /// Of structures, or of texts and names.
    List {
        of: &'static Shape,
        min: usize,
        max: usize,
    },
    /// From texts to texts or structures.
    Map {
        key: &'static Shape,
        value: &'static Shape,
        min: usize,
        max: usize,
    },
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
pub(crate) struct Pattern {
    /// As the service model writes it.
    pub(crate) text: &'static str,
    /// What the library does not know of it, said otherwise.
    instead: Option<Instead>,
    rule: Rule,
}

/// An expression for texts of some lengths.
struct Instead {
    expression: &'static str,
    min: usize,
    max: usize,
}

enum Rule {
    /// At least `least` characters, each of them in one of the ranges (two characters each, the first and the last) or, where
    /// `words` says so, a letter, a number or a separator of any script (Unicode's categories L, N and Z).
    Each { least: usize, ranges: &'static str, words: bool },
    /// Compiled when it is first needed.
    Expression(OnceLock<Regex>),
}

impl Pattern {
    pub(crate) fn matches(&self, text: &str) -> bool {
        match &self.rule {
            Rule::Each { least, ranges, words } => {
                let each = |character| in_ranges(character, ranges) || (*words && unicode::is_word(character));
                text.len() >= *least && text.chars().all(each)
            }
            Rule::Expression(compiled) => {
                let fits = |instead: &Instead| (instead.min..=instead.max).contains(&text.chars().count());
                self.instead.as_ref().is_none_or(fits) && compiled.get_or_init(|| self.compile()).is_match(text)
            }
        }
    }

    fn compile(&self) -> Regex {
        let expression = self.instead.as_ref().map_or(self.text, |instead| instead.expression);
        Regex::new(&format!("^(?:{expression})$")).expect("a test compiles every pattern of the table")
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

pub(crate) const fn answering(name: &'static str, request: &'static Shape) -> Operation {
    Operation { name, request, answers: true }
}

pub(crate) const fn silent(name: &'static str, request: &'static Shape) -> Operation {
    Operation { name, request, answers: false }
}

pub(crate) const fn open(kind: Kind) -> Shape {
    Shape { kind, secret: false, told: None }
}

pub(crate) const fn secret(kind: Kind) -> Shape {
    Shape { kind, secret: true, told: None }
}

pub(crate) const fn told(words: &'static str, kind: Kind) -> Shape {
    Shape { kind, secret: false, told: Some(words) }
}

pub(crate) const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, required: true }
}

pub(crate) const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, required: false }
}

pub(crate) const fn list(of: &'static Shape, min: usize, max: usize) -> Kind {
    Kind::List { of, min, max }
}

pub(crate) const fn map(key: &'static Shape, value: &'static Shape, min: usize, max: usize) -> Kind {
    Kind::Map { key, value, min, max }
}

pub(crate) const fn text(min: usize, max: usize, pattern: Option<Pattern>) -> Kind {
    Kind::Text { min, max, pattern }
}

pub(crate) const fn each(text: &'static str, least: usize, ranges: &'static str) -> Option<Pattern> {
    Some(Pattern { text, instead: None, rule: Rule::Each { least, ranges, words: false } })
}

pub(crate) const fn each_word(text: &'static str, least: usize, ranges: &'static str) -> Option<Pattern> {
    Some(Pattern { text, instead: None, rule: Rule::Each { least, ranges, words: true } })
}

pub(crate) const fn expression(text: &'static str) -> Option<Pattern> {
    Some(Pattern { text, instead: None, rule: Rule::Expression(OnceLock::new()) })
}

pub(crate) const fn rewritten(text: &'static str, expression: &'static str, min: usize, max: usize) -> Option<Pattern> {
    Some(Pattern { text, instead: Some(Instead { expression, min, max }), rule: Rule::Expression(OnceLock::new()) })
}

pub(crate) const fn blob(min: usize, max: usize) -> Kind {
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
