//! A trail: what it is set to, and when it logged.

use keys::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::name::arn;
use super::selector::{Facts, Selectors};

/// A trail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trail {
    /// 16 random bytes in hexadecimal: what it is, whatever it is called.
    pub id: String,
    /// Whose it is.
    #[serde(with = "account")]
    pub account: AccountId,
    /// The Region in which it was made.
    pub home: String,
    /// Its name.
    pub name: String,
    /// Where its files go.
    pub bucket: String,
    /// What their names begin with.
    pub prefix: Option<String>,
    /// The ARN of the KMS key that encrypts them; SSE-S3 without.
    pub key: Option<String>,
    /// Whether there are digests.
    pub validation: bool,
    /// Whether it logs every Region.
    pub multi_region: bool,
    /// Whether it logs IAM and STS.
    pub global_events: bool,
    /// Whether it logs what comes of its own deliveries.
    pub recursive: bool,
    /// Which events it wants.
    pub selectors: Selectors,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// When it logged, oldest first: the last one is open while it logs. Ended ones go once everything of them is delivered.
    pub windows: Vec<Window>,
    /// Of the latest StartLogging.
    pub started: Option<Timestamp>,
    /// Of the latest StopLogging.
    pub stopped: Option<Timestamp>,
    /// Counts the chains of digests: one more whenever logging or validation begins anew.
    pub chain: u64,
    /// The first number of the event log that it may want.
    pub first: u64,
    /// When it was deleted: its last files are still to be delivered.
    pub deleted: Option<Timestamp>,
}

/// A tag.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// 1 to 256 characters, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A time in which a trail logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// Events of this moment or later, in milliseconds since 1970.
    pub from: u64,
    /// Events of this moment or earlier; none while it goes on.
    pub to: Option<u64>,
}

impl Trail {
    /// Its ARN.
    pub fn arn(&self) -> String {
        arn(self.account, &self.home, &self.name)
    }

    /// Whether it logs now.
    pub fn is_logging(&self) -> bool {
        self.deleted.is_none() && self.windows.last().is_some_and(|window| window.to.is_none())
    }

    /// Whether it logs what happens in a Region.
    pub fn covers(&self, region: &str) -> bool {
        self.multi_region || self.home == region
    }

    /// Whether it logged at a moment.
    pub fn logged_at(&self, time: Timestamp) -> bool {
        let time = time.as_millis();
        self.windows.iter().any(|window| window.from <= time && window.to.is_none_or(|to| time <= to))
    }

    /// Whether it wants an event that its account got.
    pub fn wants(&self, facts: &Facts<'_>) -> bool {
        let global = matches!(facts.source, "iam.amazonaws.com" | "sts.amazonaws.com");
        (self.global_events || !global) && self.selectors.want(facts)
    }

    /// Begins to log.
    pub(crate) fn start(&mut self, now: Timestamp) {
        if !self.is_logging() {
            self.windows.push(Window { from: now.as_millis(), to: None });
            self.chain += 1;
        }
        self.started = Some(now);
    }

    /// Ends logging.
    pub(crate) fn stop(&mut self, now: Timestamp) {
        if let Some(window) = self.windows.last_mut().filter(|window| window.to.is_none()) {
            window.to = Some(now.as_millis());
        }
        self.stopped = Some(now);
    }
}

/// Twelve digits in JSON.
mod account {
    use keys::AccountId;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(account: &AccountId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(account.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccountId, D::Error> {
        AccountId::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
