//! Conditions: operator × quantifier × `IfExists`, over the values of one condition key.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".

use crate::context::{Context, Value};
use crate::error::Malformed;
use crate::json::Json;
use crate::public;
use crate::statement::Effect;
use crate::template::Variables;
use crate::test::{Family, Outcome, Relation, Test, boolean};

/// One operator over one condition key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Condition {
    /// In lower case.
    key: String,
    /// As the document spells it.
    spelled: String,
    check: Check,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Check {
    /// `Null`: whether the key shall be absent.
    Null(Vec<bool>),
    Values {
        quantifier: Quantifier,
        if_exists: bool,
        negated: bool,
        test: Test,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quantifier {
    /// For keys of one value. Of several values one must match; of a negated operator all must pass.
    One,
    /// `ForAllValues`
    All,
    /// `ForAnyValue`
    Any,
}

impl Condition {
    /// The conditions of a `Condition` element; all must hold.
    pub(crate) fn parse(element: &Json, variables: Variables) -> Result<Vec<Self>, Malformed> {
        let operators = element.as_object().ok_or_else(|| Malformed::syntax("Condition must be an object"))?;
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let operator = Operator::named(name).ok_or_else(|| Malformed::InvalidOperator(name.clone()))?;
            let keys = keys.as_object().ok_or_else(|| Malformed::syntax(format!("{name} must be an object")))?;
            for (key, values) in keys {
                let values =
                    values.one_or_many().iter().map(|value| text_of(value, name)).collect::<Result<Vec<_>, _>>()?;
                let check = operator.check(name, &values, variables)?;
                conditions.push(Self { key: key_name(key)?, spelled: key.clone(), check });
            }
        }
        Ok(conditions)
    }

    /// Whether only requests with fixed values of a key that tells who or whence can meet it: see [`crate::public`].
    pub(crate) fn pins(&self) -> bool {
        match &self.check {
            // ForAllValues and IfExists hold for requests without the key.
            Check::Values { quantifier: Quantifier::One | Quantifier::Any, if_exists: false, negated: false, test } => {
                public::pins(&self.key, test)
            }
            Check::Values { .. } | Check::Null(_) => false,
        }
    }

    /// The condition key and the variables, as the document spells them.
    pub(crate) fn context_keys<'c>(&'c self, found: &mut Vec<&'c str>) {
        found.push(&self.spelled);
        if let Check::Values { test, .. } = &self.check {
            test.variables(found);
        }
    }

    /// Whether the condition holds for a request. What cannot be decided holds where that denies.
    pub(crate) fn holds(&self, effect: Effect, context: &dyn Context) -> bool {
        let value = context.value(&self.key);
        let values = value.as_ref().map_or(&[][..], Value::as_slice);
        match &self.check {
            Check::Null(wanted) => wanted.contains(&values.is_empty()),
            Check::Values { quantifier, if_exists, negated, .. } if values.is_empty() => {
                *if_exists
                    || match quantifier {
                        Quantifier::One => *negated,
                        Quantifier::All => true,
                        Quantifier::Any => false,
                    }
            }
            Check::Values { quantifier, negated, test, .. } => {
                let mut passing = values.iter().map(|value| match test.compare(value, context) {
                    Outcome::Match => !negated,
                    Outcome::NoMatch => *negated,
                    Outcome::Unknown => *negated && effect == Effect::Deny,
                });
                match quantifier {
                    Quantifier::All => passing.all(|passes| passes),
                    Quantifier::One if *negated => passing.all(|passes| passes),
                    Quantifier::One | Quantifier::Any => passing.any(|passes| passes),
                }
            }
        }
    }
}

/// An operator's name, taken apart.
#[derive(Clone, Copy)]
struct Operator {
    quantifier: Quantifier,
    if_exists: bool,
    negated: bool,
    /// `None`: `Null`.
    family: Option<Family>,
}

impl Operator {
    fn named(name: &str) -> Option<Self> {
        let (quantifier, bare) = match name.split_once(':') {
            Some(("ForAllValues", bare)) => (Quantifier::All, bare),
            Some(("ForAnyValue", bare)) => (Quantifier::Any, bare),
            Some(_) => return None,
            None => (Quantifier::One, name),
        };
        if bare == "Null" {
            return Some(Self { quantifier, if_exists: false, negated: false, family: None });
        }
        let (bare, if_exists) = bare.strip_suffix("IfExists").map_or((bare, false), |bare| (bare, true));
        let (family, negated) = family(bare)?;
        Some(Self { quantifier, if_exists, negated, family: Some(family) })
    }

    fn check(self, name: &str, values: &[String], variables: Variables) -> Result<Check, Malformed> {
        let Self { quantifier, if_exists, negated, family } = self;
        let Some(family) = family else {
            let invalid = |value: &String| Malformed::InvalidValue { operator: name.to_owned(), value: value.clone() };
            let wanted = values.iter().map(|value| boolean(value).ok_or_else(|| invalid(value)));
            return Ok(Check::Null(wanted.collect::<Result<_, _>>()?));
        };
        let test = Test::compile(family, name, values, variables)?;
        Ok(Check::Values { quantifier, if_exists, negated, test })
    }
}

/// A family of operators, and whether the name is its negation.
fn family(name: &str) -> Option<(Family, bool)> {
    use Relation::{Equals, GreaterThan, GreaterThanEquals, LessThan, LessThanEquals};
    Some(match name {
        "StringEquals" => (Family::StringEquals, false),
        "StringNotEquals" => (Family::StringEquals, true),
        "StringEqualsIgnoreCase" => (Family::StringEqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Family::StringEqualsIgnoreCase, true),
        "StringLike" => (Family::StringLike, false),
        "StringNotLike" => (Family::StringLike, true),
        "NumericEquals" => (Family::Numeric(Equals), false),
        "NumericNotEquals" => (Family::Numeric(Equals), true),
        "NumericLessThan" => (Family::Numeric(LessThan), false),
        "NumericLessThanEquals" => (Family::Numeric(LessThanEquals), false),
        "NumericGreaterThan" => (Family::Numeric(GreaterThan), false),
        "NumericGreaterThanEquals" => (Family::Numeric(GreaterThanEquals), false),
        "DateEquals" => (Family::Date(Equals), false),
        "DateNotEquals" => (Family::Date(Equals), true),
        "DateLessThan" => (Family::Date(LessThan), false),
        "DateLessThanEquals" => (Family::Date(LessThanEquals), false),
        "DateGreaterThan" => (Family::Date(GreaterThan), false),
        "DateGreaterThanEquals" => (Family::Date(GreaterThanEquals), false),
        "Bool" => (Family::Bool, false),
        "BinaryEquals" => (Family::Binary, false),
        "IpAddress" => (Family::Ip, false),
        "NotIpAddress" => (Family::Ip, true),
        // "The ArnEquals and ArnLike condition operators behave identically."
        "ArnEquals" | "ArnLike" => (Family::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Family::Arn, true),
        _ => return None,
    })
}

/// A condition key is prefixed by its service; names have no case.
fn key_name(key: &str) -> Result<String, Malformed> {
    match key.split_once(':') {
        Some((vendor, name)) if !vendor.is_empty() && !name.is_empty() => Ok(key.to_ascii_lowercase()),
        _ => Err(Malformed::NoVendor),
    }
}

/// The grammar lets a condition value be a string, a number or a boolean.
fn text_of(value: &Json, operator: &str) -> Result<String, Malformed> {
    match value {
        Json::Text(text) | Json::Number(text) => Ok(text.clone()),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Null | Json::List(_) | Json::Object(_) => {
            Err(Malformed::syntax(format!("a value of {operator} is neither text, number nor boolean")))
        }
    }
}
