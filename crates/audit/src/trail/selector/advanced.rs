//! Advanced event selectors.

use serde::{Deserialize, Serialize};

use super::{Error, Facts, invalid};

/// An advanced event selector: wants an event if each of its fields lets it pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdvancedEventSelector {
    /// What its author calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The fields.
    pub field_selectors: Vec<AdvancedFieldSelector>,
}

/// What a field's value has to be. Of the first three operators one has to hold, of the last three all.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdvancedFieldSelector {
    /// The field.
    pub field: String,
    /// One of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Vec<String>>,
    /// Begins with one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<Vec<String>>,
    /// Ends with one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_with: Option<Vec<String>>,
    /// None of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_equals: Option<Vec<String>>,
    /// Begins with none of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_starts_with: Option<Vec<String>>,
    /// Ends with none of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_ends_with: Option<Vec<String>>,
}

impl AdvancedEventSelector {
    pub(super) fn is_data(&self) -> bool {
        self.category() == Some("Data")
    }

    fn category(&self) -> Option<&str> {
        self.only("eventCategory")
    }

    /// The one value that a field has to equal.
    fn only(&self, field: &str) -> Option<&str> {
        let selector = self.field_selectors.iter().find(|selector| selector.field == field)?;
        selector.equals.as_deref()?.first().map(String::as_str)
    }

    pub(super) fn wants(&self, facts: &Facts<'_>) -> bool {
        self.is_data() == facts.data
            && self.field_selectors.iter().all(|selector| match selector.field.as_str() {
                "eventCategory" => true,
                "readOnly" => selector.lets(if facts.read_only { "true" } else { "false" }),
                "eventName" => selector.lets(facts.name),
                "eventSource" => selector.lets(facts.source),
                "eventType" => selector.lets(facts.event_type),
                "userIdentity.arn" => selector.lets(facts.identity),
                "sessionCredentialFromConsole" => selector.lets("false"),
                "resources.type" => facts.resources.iter().any(|(kind, _)| selector.lets(kind)),
                "resources.ARN" => {
                    let kind = self.only("resources.type");
                    facts.resources.iter().any(|(is, arn)| Some(*is) == kind && selector.lets(arn))
                }
                _ => false,
            })
    }
}

impl AdvancedFieldSelector {
    fn lets(&self, value: &str) -> bool {
        let any = |values: &Option<Vec<String>>, holds: &dyn Fn(&str) -> bool| {
            values.as_ref().map(|values| values.iter().any(|given| holds(given)))
        };
        let equals = |given: &str| value == given;
        let starts = |given: &str| value.starts_with(given);
        let ends = |given: &str| value.ends_with(given);
        let selecting = [any(&self.equals, &equals), any(&self.starts_with, &starts), any(&self.ends_with, &ends)];
        let selected = selecting.iter().all(Option::is_none) || selecting.contains(&Some(true));
        let out =
            [any(&self.not_equals, &equals), any(&self.not_starts_with, &starts), any(&self.not_ends_with, &ends)];
        selected && !out.contains(&Some(true))
    }

    fn operators(&self) -> [(&'static str, &Option<Vec<String>>); 6] {
        [
            ("Equals", &self.equals),
            ("StartsWith", &self.starts_with),
            ("EndsWith", &self.ends_with),
            ("NotEquals", &self.not_equals),
            ("NotStartsWith", &self.not_starts_with),
            ("NotEndsWith", &self.not_ends_with),
        ]
    }
}

/// Holds selectors against AWS's rules.
pub(super) fn checked(selectors: Vec<AdvancedEventSelector>) -> Result<Vec<AdvancedEventSelector>, Error> {
    if selectors.is_empty() {
        return invalid("Specify at least one advanced event selector for your trail.");
    }
    let fields = selectors.iter().flat_map(|selector| &selector.field_selectors);
    let values = fields.flat_map(AdvancedFieldSelector::operators).filter_map(|(_, values)| values.as_ref());
    if values.map(Vec::len).sum::<usize>() > MOST_VALUES {
        return invalid(format!(
            "A maximum of {MOST_VALUES} total values for all conditions in all advanced event selectors is allowed."
        ));
    }
    selectors.iter().try_for_each(check)?;
    Ok(selectors)
}

fn check(selector: &AdvancedEventSelector) -> Result<(), Error> {
    let fields = match selector.category() {
        Some("Management") => MANAGEMENT_FIELDS,
        Some("Data") => DATA_FIELDS,
        Some("NetworkActivity") => {
            return Err(Error::UnsupportedOperation("Network activity events are not supported.".to_owned()));
        }
        _ => return invalid("An advanced event selector requires the field eventCategory with the operator Equals."),
    };
    if selector.is_data() && selector.only("resources.type").is_none() {
        return invalid(
            "An advanced event selector for data events requires the field resources.type with the operator Equals.",
        );
    }
    for (index, field) in selector.field_selectors.iter().enumerate() {
        if !fields.contains(&field.field.as_str()) {
            return invalid(format!("The field {} is not valid for this event category.", field.field));
        }
        if selector.field_selectors[..index].iter().any(|earlier| earlier.field == field.field) {
            return invalid(format!("The field {} is specified more than once.", field.field));
        }
        check_operators(field)?;
    }
    Ok(())
}

fn check_operators(field: &AdvancedFieldSelector) -> Result<(), Error> {
    let used: Vec<_> =
        field.operators().into_iter().filter(|(_, values)| values.is_some()).map(|(name, _)| name).collect();
    if used.is_empty() {
        return invalid(format!("The field {} requires an operator.", field.field));
    }
    let single = matches!(field.field.as_str(), "eventCategory" | "readOnly" | "resources.type");
    if single && (used != ["Equals"] || field.equals.as_ref().is_none_or(|values| values.len() != 1)) {
        return invalid(format!("The field {} takes the operator Equals with exactly one value.", field.field));
    }
    let wrong = |value: &String| match field.field.as_str() {
        "readOnly" => value != "true" && value != "false",
        "resources.type" => !value.starts_with("AWS::"),
        _ => false,
    };
    if let Some(value) = field.equals.iter().flatten().find(|value| wrong(value)) {
        return invalid(format!("The value {value} is not valid for the field {}.", field.field));
    }
    Ok(())
}

/// Most values in all conditions of a trail.
const MOST_VALUES: usize = 500;
const MANAGEMENT_FIELDS: &[&str] = &[
    "eventCategory",
    "eventName",
    "eventSource",
    "eventType",
    "readOnly",
    "sessionCredentialFromConsole",
    "userIdentity.arn",
];
const DATA_FIELDS: &[&str] = &[
    "eventCategory",
    "eventName",
    "eventSource",
    "eventType",
    "readOnly",
    "resources.ARN",
    "resources.type",
    "sessionCredentialFromConsole",
    "userIdentity.arn",
];
