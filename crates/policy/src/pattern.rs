//! Patterns with `*` (any characters, also none) and `?` (any one character).
//!
//! A pattern is cut at its stars. The first piece must begin the text, the last must end it, and those between are searched from left
//! to right, each as early as it comes: that is enough, for a star takes whatever lies between. Nothing is tried twice, so matching
//! is linear in the text, times one word for each 64 characters of a piece that holds a `?`.

use std::collections::BTreeMap;

/// A compiled pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(Shape);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Shape {
    /// `*`, or nothing but stars.
    Everything,
    /// No star.
    Whole(Piece),
    /// `first * middle * middle * last`.
    Starred { first: Piece, middle: Vec<Piece>, last: Piece },
}

/// One character of a pattern's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    /// This character and no other.
    Char(char),
    /// `?`
    AnyChar,
    /// `*`
    Star,
}

impl Pattern {
    /// Compiles a text in which `*` and `?` are wildcards.
    pub fn new(text: &str) -> Self {
        Self::from_tokens(text.chars().map(Token::from_pattern))
    }

    pub(crate) fn from_tokens(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut pieces = vec![Vec::new()];
        for token in tokens {
            match token {
                Token::Star => pieces.push(Vec::new()),
                Token::AnyChar => last_of(&mut pieces).push(None),
                Token::Char(c) => last_of(&mut pieces).push(Some(c)),
            }
        }
        let mut pieces = pieces.into_iter().map(Piece::new).collect::<Vec<_>>();
        let last = pieces.pop().unwrap_or_default();
        if pieces.is_empty() {
            return Self(Shape::Whole(last));
        }
        let first = pieces.remove(0);
        pieces.retain(|piece| !piece.is_empty());
        if first.is_empty() && last.is_empty() && pieces.is_empty() {
            return Self(Shape::Everything);
        }
        Self(Shape::Starred { first, middle: pieces, last })
    }

    /// Whether the whole text matches. Letters match as they are.
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Shape::Everything => true,
            Shape::Whole(piece) => piece.strip_start(text) == Some(""),
            Shape::Starred { first, middle, last } => {
                let Some(rest) = first.strip_start(text) else { return false };
                let Some(mut rest) = last.strip_end(rest) else { return false };
                for piece in middle {
                    let Some(after) = piece.find(rest) else { return false };
                    rest = after;
                }
                true
            }
        }
    }

    /// The one text that matches, if no other does.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &self.0 {
            Shape::Whole(Piece::Literal(text)) => Some(text),
            _ => None,
        }
    }

    /// What every text that matches begins with, up to the first star, if there is one and nothing before it is a `?`.
    pub(crate) fn before_first_star(&self) -> Option<&str> {
        match &self.0 {
            Shape::Starred { first: Piece::Literal(text), .. } => Some(text),
            _ => None,
        }
    }
}

fn last_of(pieces: &mut [Vec<Option<char>>]) -> &mut Vec<Option<char>> {
    pieces.last_mut().expect("a pattern begins with one piece and only gains more")
}

impl Token {
    /// A character of a text in which `*` and `?` are wildcards.
    pub(crate) fn from_pattern(c: char) -> Self {
        match c {
            '*' => Self::Star,
            '?' => Self::AnyChar,
            c => Self::Char(c),
        }
    }
}

/// What stands between two stars.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Literal(String),
    Masked(Masked),
}

/// A piece with a `?` in it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Masked {
    /// `None`: any character.
    chars: Vec<Option<char>>,
    /// For each character that the piece names, the places where it may stand, as bits.
    places: BTreeMap<char, Vec<u64>>,
    /// The places where any character may stand.
    anywhere: Vec<u64>,
}

impl Default for Piece {
    fn default() -> Self {
        Self::Literal(String::new())
    }
}

impl Piece {
    fn new(chars: Vec<Option<char>>) -> Self {
        let literal: Option<String> = chars.iter().copied().collect();
        literal.map_or_else(|| Self::Masked(Masked::new(chars)), Self::Literal)
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Literal(text) if text.is_empty())
    }

    /// What follows the piece, if the text begins with it.
    fn strip_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(literal) => text.strip_prefix(literal.as_str()),
            Self::Masked(masked) => {
                let mut rest = text.chars();
                masked.chars.iter().all(|want| rest.next().is_some_and(|c| fits(*want, c))).then_some(rest.as_str())
            }
        }
    }

    /// What precedes the piece, if the text ends with it.
    fn strip_end<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(literal) => text.strip_suffix(literal.as_str()),
            Self::Masked(masked) => {
                let mut rest = text.chars();
                let all = masked.chars.iter().rev().all(|want| rest.next_back().is_some_and(|c| fits(*want, c)));
                all.then_some(rest.as_str())
            }
        }
    }

    /// What follows the piece where it first ends in the text.
    fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(literal) => text.find(literal.as_str()).map(|at| &text[at + literal.len()..]),
            Self::Masked(masked) => masked.find(text),
        }
    }
}

fn fits(want: Option<char>, c: char) -> bool {
    want.is_none_or(|want| want == c)
}

impl Masked {
    fn new(chars: Vec<Option<char>>) -> Self {
        let words = chars.len().div_ceil(64);
        let mut anywhere = vec![0; words];
        for (place, _) in chars.iter().enumerate().filter(|(_, c)| c.is_none()) {
            anywhere[place / 64] |= 1 << (place % 64);
        }
        let mut places: BTreeMap<char, Vec<u64>> = BTreeMap::new();
        for (place, c) in chars.iter().enumerate().filter_map(|(place, c)| Some((place, (*c)?))) {
            places.entry(c).or_insert_with(|| anywhere.clone())[place / 64] |= 1 << (place % 64);
        }
        Self { chars, places, anywhere }
    }

    /// Shift-And (Baeza-Yates and Gonnet 1992): bit `i` of the state says that the text so far ends with the first `i + 1`
    /// characters of the piece.
    fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        let end = self.chars.len() - 1;
        let mut state = vec![0_u64; self.anywhere.len()];
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let places = self.places.get(&c).unwrap_or(&self.anywhere);
            let mut carry = 1;
            for (word, places) in state.iter_mut().zip(places) {
                let next = *word >> 63;
                *word = (*word << 1 | carry) & places;
                carry = next;
            }
            if state[end / 64] >> (end % 64) & 1 == 1 {
                return Some(rest.as_str());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_take_anything_and_question_marks_one_character() {
        for (pattern, text, matches) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "ab", true),
            ("a*", "a", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("?", "é", true),
            ("?", "", false),
            ("?*", "", false),
            ("*?", "ab", true),
            ("a?c*e", "abcde", true),
            ("*b?d*", "abcbeede", false),
            ("*b?d*", "abcbedbxd", true),
            ("*ab*ba*", "aba", false),
            ("arn:*:s3:::b/*", "arn:aws:s3:::b/k", true),
            ("Ä*", "ä", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn a_piece_of_more_than_64_characters_is_found() {
        let piece = format!("{}?{}", "a".repeat(70), "b".repeat(70));
        let pattern = Pattern::new(&format!("*{piece}*"));
        let text = format!("xx{}é{}yy", "a".repeat(70), "b".repeat(70));
        assert!(pattern.matches(&text));
        assert!(!pattern.matches(&text.replace('é', "")));
    }

    /// The definition, which takes exponential time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) if naive(rest, text) => true,
            (Some(('*', _)), Some((_, text))) => naive(pattern, text),
            (Some(('?', rest)), Some((_, text))) => naive(rest, text),
            (Some((want, rest)), Some((c, text))) => want == c && naive(rest, text),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_pattern_matches_what_its_definition_says(pattern in "[ab?*é]{0,10}", text in "[abé]{0,12}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), naive(&chars(&pattern), &chars(&text)));
        }
    }
}
