//! The names that are attached to a key: its tags and its aliases, as policies ask for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use meta::Table;

use crate::error::Error;
use crate::identifier::KeyId;
use crate::limits::MAX_ALIASES_PER_KEY;
use crate::vault::Vault;

/// The tags and aliases of a key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Labels {
    /// `aws:ResourceTag/...`
    pub(crate) tags: BTreeMap<String, String>,
    /// `kms:ResourceAliases`: `alias/...`
    pub(crate) aliases: Vec<String>,
}

impl Vault {
    /// A key's tags and aliases, from memory if they are warm. Of a key that is gone there are none.
    pub(crate) async fn labels(&self, id: KeyId) -> Result<Arc<Labels>, Error> {
        let miss = match self.labels.find(&id) {
            Ok(labels) => return Ok(labels),
            Err(miss) => miss,
        };
        let tags = self.draft(id).await?.map(|found| found.value.details.tags).unwrap_or_default();
        let rows = self.scan(Table::Alias, &self.rows.targets(id), MAX_ALIASES_PER_KEY).await?;
        let names = rows.iter().filter_map(|row| self.rows.target_name(&row.key));
        let labels = Arc::new(Labels { tags, aliases: names.map(|name| name.as_str().to_owned()).collect() });
        self.labels.fill(miss, id, Arc::clone(&labels));
        Ok(labels)
    }
}
