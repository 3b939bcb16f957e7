//! What a condition operator compares a value with, compiled.

use std::cmp::Ordering;
use std::net::IpAddr;

use data_encoding::BASE64;

use crate::arn::{self, ArnPattern};
use crate::context::Context;
use crate::date::Moment;
use crate::error::Malformed;
use crate::network::Network;
use crate::number::Decimal;
use crate::template::{Glob, Template, Text, Variables};

/// How a comparison ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// The value matches one of the policy's.
    Match,
    /// It matches none.
    NoMatch,
    /// It matches none that could be compared with, but a variable had no value, or the value is not of the operator's type.
    Unknown,
}

/// A family of operators, without their negation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    Ip,
    Arn,
}

/// The relation of the request's value to the policy's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThan => ordering.is_gt(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

/// An operator's values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Test {
    Equals(Vec<Text>),
    EqualsIgnoreCase(Vec<Text>),
    Like(Vec<Glob>),
    Numeric(Relation, Vec<Decimal>),
    Date(Relation, Vec<Moment>),
    Bool(Vec<bool>),
    Binary(Vec<Vec<u8>>),
    Ip(Vec<Network>),
    Arn(Vec<ArnPattern>),
}

impl Test {
    /// Compiles an operator's values. `operator` is its name in the document, for errors.
    pub(crate) fn compile(
        family: Family,
        operator: &str,
        values: &[String],
        variables: Variables,
    ) -> Result<Self, Malformed> {
        let text = |value: &String| Template::text(value, variables).map(Text::new);
        let glob = |value: &String| Template::pattern(value, variables).map(Glob::new);
        let arn = |value: &String| ArnPattern::parse(value, variables);
        let texts = || values.iter().map(text).collect::<Result<_, _>>();
        Ok(match family {
            Family::StringEquals => Self::Equals(texts()?),
            Family::StringEqualsIgnoreCase => Self::EqualsIgnoreCase(texts()?),
            Family::StringLike => Self::Like(values.iter().map(glob).collect::<Result<_, _>>()?),
            Family::Numeric(relation) => Self::Numeric(relation, typed(operator, values, Decimal::parse)?),
            Family::Date(relation) => Self::Date(relation, typed(operator, values, Moment::parse)?),
            Family::Bool => Self::Bool(typed(operator, values, boolean)?),
            Family::Binary => Self::Binary(typed(operator, values, binary)?),
            Family::Ip => Self::Ip(typed(operator, values, Network::parse)?),
            Family::Arn => Self::Arn(values.iter().map(arn).collect::<Result<_, _>>()?),
        })
    }

    /// The variables in the values, as the document spells them.
    pub(crate) fn variables<'t>(&'t self, found: &mut Vec<&'t str>) {
        match self {
            Self::Equals(texts) | Self::EqualsIgnoreCase(texts) => texts.iter().for_each(|text| text.variables(found)),
            Self::Like(globs) => globs.iter().for_each(|glob| glob.variables(found)),
            Self::Arn(patterns) => patterns.iter().for_each(|pattern| pattern.variables(found)),
            Self::Numeric(..) | Self::Date(..) | Self::Bool(_) | Self::Binary(_) | Self::Ip(_) => {}
        }
    }

    /// Compares one value of a request.
    pub(crate) fn compare(&self, value: &str, context: &dyn Context) -> Outcome {
        match self {
            Self::Equals(texts) => any(texts, |text| text.with(context, |text| text == value)),
            Self::EqualsIgnoreCase(texts) => any(texts, |text| text.with(context, |text| same_letters(text, value))),
            Self::Like(globs) => any(globs, |glob| glob.matches(value, context)),
            Self::Numeric(relation, numbers) => {
                let value = Decimal::parse(value);
                any(numbers, |number| Some(relation.holds(value.as_ref()?.cmp(number))))
            }
            Self::Date(relation, moments) => {
                let value = Moment::parse(value);
                any(moments, |moment| Some(relation.holds(value?.cmp(moment))))
            }
            Self::Bool(booleans) => {
                let value = boolean(value);
                any(booleans, |boolean| Some(*boolean == value?))
            }
            Self::Binary(blobs) => {
                let value = binary(value);
                any(blobs, |blob| Some(blob == value.as_ref()?))
            }
            Self::Ip(networks) => {
                let value: Option<IpAddr> = value.parse().ok();
                any(networks, |network| Some(network.contains(value?)))
            }
            Self::Arn(patterns) => {
                let value = arn::split(value);
                any(patterns, |pattern| pattern.matches(value?, context))
            }
        }
    }
}

fn typed<T>(operator: &str, values: &[String], parse: fn(&str) -> Option<T>) -> Result<Vec<T>, Malformed> {
    let invalid = |value: &String| Malformed::InvalidValue { operator: operator.to_owned(), value: value.clone() };
    values.iter().map(|value| parse(value).ok_or_else(|| invalid(value))).collect()
}

fn any<T>(items: &[T], mut compare: impl FnMut(&T) -> Option<bool>) -> Outcome {
    let mut outcome = Outcome::NoMatch;
    for item in items {
        match compare(item) {
            Some(true) => return Outcome::Match,
            Some(false) => {}
            None => outcome = Outcome::Unknown,
        }
    }
    outcome
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}

fn binary(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok()
}

fn same_letters(one: &str, two: &str) -> bool {
    one.chars().flat_map(char::to_lowercase).eq(two.chars().flat_map(char::to_lowercase))
}
