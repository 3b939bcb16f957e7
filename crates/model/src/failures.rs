//! Broken constraints, in AWS's words and order.

use std::fmt;

use crate::error::Error;
use crate::shape::{Kind, Pattern, Shape};

/// How many AWS tells of at once.
const MAX_FAILURES: usize = 10;

/// A constraint that a value breaks.
pub(crate) enum Broken {
    NotNull,
    MinLength(usize),
    MaxLength(usize),
    MinValue(i64),
    MaxValue(i64),
    Pattern(&'static Pattern),
    OneOf(&'static [&'static str]),
    /// Some item of a list of texts breaks one of the constraints of their shape: AWS names them all.
    Items(&'static Shape),
    /// The same of the keys of a map.
    Keys(&'static Shape),
    /// The same of its values.
    Values(&'static Shape),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNull => f.write_str("Member must not be null"),
            Self::MinLength(min) => write!(f, "Member must have length greater than or equal to {min}"),
            Self::MaxLength(max) => write!(f, "Member must have length less than or equal to {max}"),
            Self::MinValue(min) => write!(f, "Member must have value greater than or equal to {min}"),
            Self::MaxValue(max) => write!(f, "Member must have value less than or equal to {max}"),
            Self::Pattern(pattern) => write!(f, "Member must satisfy regular expression pattern: {}", pattern.text),
            Self::OneOf(names) => write!(f, "Member must satisfy enum value set: [{}]", names.join(", ")),
            Self::Items(shape) => write!(f, "Member must satisfy constraint: [{}]", listed(shape)),
            Self::Keys(shape) => write!(f, "Map keys must satisfy constraint: [{}]", listed(shape)),
            Self::Values(shape) => write!(f, "Map value must satisfy constraint: [{}]", listed(shape)),
        }
    }
}

fn listed(shape: &'static Shape) -> String {
    let all: Vec<String> = constraints(shape).iter().map(Broken::to_string).collect();
    all.join(", ")
}

/// All constraints of a text's shape, in the order in which AWS lists them.
fn constraints(shape: &'static Shape) -> Vec<Broken> {
    match &shape.kind {
        Kind::Text { min, max, pattern } => {
            let longest = (*max < usize::MAX).then_some(Broken::MaxLength(*max));
            let shortest = (*min > 0 || *max < usize::MAX).then_some(Broken::MinLength(*min));
            longest.into_iter().chain(shortest).chain(pattern.as_ref().map(Broken::Pattern)).collect()
        }
        Kind::Name(names) => vec![Broken::OneOf(names)],
        _ => vec![],
    }
}

/// The constraints of its shape that a text breaks.
pub(crate) fn broken(shape: &'static Shape, text: &str) -> impl Iterator<Item = Broken> + use<> {
    let (short, long, pattern, name) = match &shape.kind {
        Kind::Text { min, max, pattern } => (
            // A scalar value has one to four bytes: most texts need no counting.
            (text.len() < min.saturating_mul(4) && text.chars().count() < *min).then_some(Broken::MinLength(*min)),
            (text.len() > *max && text.chars().count() > *max).then_some(Broken::MaxLength(*max)),
            pattern.as_ref().filter(|pattern| !pattern.matches(text)).map(Broken::Pattern),
            None,
        ),
        Kind::Name(names) => (None, None, None, (!names.contains(&text)).then_some(Broken::OneOf(names))),
        _ => (None, None, None, None),
    };
    [short, long, pattern, name].into_iter().flatten()
}

/// Where in a request a value is: a chain up to the body itself.
pub(crate) struct Place<'p> {
    above: Option<&'p Place<'p>>,
    step: Step,
}

#[derive(Clone, Copy)]
pub(crate) enum Step {
    Body,
    /// A structure's member: its name, and its number in the model.
    Member(&'static str, usize),
    /// A list's item, from 0.
    Item(usize),
    /// A map's value, from 0.
    Value(usize),
}

impl<'p> Place<'p> {
    pub(crate) const ROOT: Self = Self { above: None, step: Step::Body };

    pub(crate) fn then(&'p self, step: Step) -> Place<'p> {
        Place { above: Some(self), step }
    }

    /// The place as AWS writes it (`tags.1.member.tagKey`), and where it stands in the order of the model.
    fn resolve(&self) -> (String, Vec<usize>) {
        let (mut path, mut order) = self.above.map(Place::resolve).unwrap_or_default();
        match self.step {
            Step::Body => {}
            Step::Member(name, index) => {
                if !path.is_empty() {
                    path.push('.');
                }
                let mut letters = name.chars();
                path.extend(letters.next().map(|first| first.to_ascii_lowercase()));
                path.push_str(letters.as_str());
                order.push(index);
            }
            Step::Item(index) => {
                path.push_str(&format!(".{}.member", index + 1));
                order.push(index);
            }
            Step::Value(index) => {
                path.push_str(&format!(".{}.value", index + 1));
                order.push(index);
            }
        }
        (path, order)
    }
}

/// What has been found so far.
#[derive(Default)]
pub(crate) struct Failures {
    broken: Vec<(Vec<usize>, String)>,
    /// The first by the model's order of what is told alone, once the constraints hold.
    alone: Option<(Vec<usize>, String)>,
}

impl Failures {
    /// A text against its shape.
    pub(crate) fn check_text(&mut self, shape: &'static Shape, text: &str, place: &Place<'_>) {
        for broken in broken(shape, text) {
            if let (Broken::Pattern(_), Some(told)) = (&broken, shape.told) {
                let (path, order) = place.resolve();
                if self.alone.as_ref().is_none_or(|(first, _)| order < *first) {
                    self.alone = Some((order, format!("The specified value for {path} is invalid. {told}")));
                }
                continue;
            }
            self.push(place, (!shape.secret).then_some(text), &broken);
        }
    }

    /// A broken constraint. `value` is what the message may show: nothing of blobs and secrets.
    pub(crate) fn push(&mut self, place: &Place<'_>, value: Option<&str>, broken: &Broken) {
        match value {
            Some(value) => self.add(place, &format!("Value '{value}'"), broken),
            None => self.add(place, "Value", broken),
        }
    }

    /// A required member that is not there. Of a secret, AWS does not even say that it is null.
    pub(crate) fn push_absent(&mut self, shape: &Shape, place: &Place<'_>) {
        self.add(place, if shape.secret { "Value" } else { "Value null" }, &Broken::NotNull);
    }

    fn add(&mut self, place: &Place<'_>, value: &str, broken: &Broken) {
        if self.broken.len() < MAX_FAILURES {
            let (path, order) = place.resolve();
            self.broken.push((order, format!("{value} at '{path}' failed to satisfy constraint: {broken}")));
        }
    }

    /// All constraints hold, or one exception tells of all that do not.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let count = self.broken.len();
        if count == 0 {
            return self.alone.map_or(Ok(()), |(_, text)| Err(Error::Validation(text)));
        }
        // Stable: what is broken at one place stays in the order in which it was found.
        self.broken.sort_by(|(a, _), (b, _)| a.cmp(b));
        let plural = if count == 1 { "" } else { "s" };
        let texts: Vec<String> = self.broken.into_iter().map(|(_, text)| text).collect();
        Err(Error::Validation(format!("{count} validation error{plural} detected: {}", texts.join("; "))))
    }
}
