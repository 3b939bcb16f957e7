//! Basic event selectors.

use serde::{Deserialize, Deserializer, Serialize};

use super::super::nullable;
use super::{Error, Facts, invalid};

/// Which of reads and writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum ReadWriteType {
    /// Events that change nothing.
    ReadOnly,
    /// Events that change something.
    WriteOnly,
    /// Both.
    #[default]
    All,
}

/// A basic event selector.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventSelector {
    /// Which of reads and writes.
    #[serde(default, deserialize_with = "nullable")]
    pub read_write_type: ReadWriteType,
    /// Whether management events are wanted.
    #[serde(default = "yes", deserialize_with = "yes_or")]
    pub include_management_events: bool,
    /// What data events are wanted of.
    #[serde(default, deserialize_with = "nullable")]
    pub data_resources: Vec<DataResource>,
    /// Services whose management events are not wanted.
    #[serde(default, deserialize_with = "nullable")]
    pub exclude_management_event_sources: Vec<String>,
}

/// Resources of one type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DataResource {
    /// `AWS::S3::Object`; the other two types that AWS takes have no events here.
    #[serde(default, deserialize_with = "nullable")]
    pub r#type: String,
    /// ARNs, or their beginnings.
    #[serde(default, deserialize_with = "nullable")]
    pub values: Vec<String>,
}

impl Default for EventSelector {
    fn default() -> Self {
        Self {
            read_write_type: ReadWriteType::All,
            include_management_events: true,
            data_resources: Vec::new(),
            exclude_management_event_sources: Vec::new(),
        }
    }
}

impl EventSelector {
    pub(super) fn wants(&self, facts: &Facts<'_>) -> bool {
        let rightly = match self.read_write_type {
            ReadWriteType::ReadOnly => facts.read_only,
            ReadWriteType::WriteOnly => !facts.read_only,
            ReadWriteType::All => true,
        };
        rightly
            && match facts.data {
                true => self.data_resources.iter().any(|resource| resource.covers(facts.resources)),
                false => {
                    self.include_management_events
                        && self.exclude_management_event_sources.iter().all(|source| source != facts.source)
                }
            }
    }
}

impl DataResource {
    fn covers(&self, resources: &[(&str, &str)]) -> bool {
        let covers = |arn: &str| self.values.iter().any(|value| arn.starts_with(value.as_str()));
        resources.iter().any(|(kind, arn)| *kind == self.r#type && covers(arn))
    }
}

/// Holds selectors against AWS's rules.
pub(super) fn checked(selectors: Vec<EventSelector>) -> Result<Vec<EventSelector>, Error> {
    if selectors.is_empty() || selectors.len() > MOST_SELECTORS {
        return invalid(format!("Specify a valid number of event selectors (1 to {MOST_SELECTORS}) for your trail."));
    }
    let resources = selectors.iter().flat_map(|selector| &selector.data_resources);
    if resources.clone().map(|resource| resource.values.len()).sum::<usize>() > MOST_RESOURCES {
        return invalid(format!("Specify a valid number of data resources (1 to {MOST_RESOURCES}) for your trail."));
    }
    for resource in resources {
        check_resource(resource)?;
    }
    for source in selectors.iter().flat_map(|selector| &selector.exclude_management_event_sources) {
        if !EXCLUDABLE.contains(&source.as_str()) {
            return invalid(format!(
                "Value {source} for ExcludeManagementEventSources is invalid. Valid values are: {}",
                EXCLUDABLE.join(", ")
            ));
        }
    }
    Ok(selectors)
}

fn check_resource(resource: &DataResource) -> Result<(), Error> {
    if !TYPES.contains(&resource.r#type.as_str()) {
        return invalid(format!(
            "Value {} for DataResources.Type is invalid. Valid values are: {}",
            resource.r#type,
            TYPES.join(", ")
        ));
    }
    let service = match resource.r#type.as_str() {
        "AWS::S3::Object" => "arn:aws:s3",
        "AWS::Lambda::Function" => "arn:aws:lambda",
        _ => "arn:aws:dynamodb",
    };
    for value in &resource.values {
        let rest = value.strip_prefix(service);
        if value.contains('*') || !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':')) {
            return invalid(format!("Value {value} for DataResources.Values is invalid."));
        }
        let bucket = rest.and_then(|rest| rest.strip_prefix(":::")).filter(|rest| !rest.is_empty());
        if service == "arn:aws:s3" && bucket.is_some_and(|bucket| bucket.find('/').is_none_or(|at| at == 0)) {
            return invalid(format!("Invalid S3 ARN: {value}"));
        }
    }
    Ok(())
}

fn yes() -> bool {
    true
}

fn yes_or<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(true))
}

/// Most event selectors of a trail.
const MOST_SELECTORS: usize = 5;
/// Most data resources of a trail.
const MOST_RESOURCES: usize = 250;
/// The types that basic selectors take.
const TYPES: [&str; 3] = ["AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Object"];
/// Whose management events can be left out.
pub(super) const EXCLUDABLE: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];
