//! CreateAlias, UpdateAlias, DeleteAlias, ListAliases.

use meta::{Row, Table, Transaction};
use serde::{Deserialize, Serialize};

use super::Done;
use super::page::{Page, list};
use crate::Keys;
use crate::access::{ALL, Action, Via, note};
use crate::codec::decode_empty;
use crate::error::Error;
use crate::identifier::{AliasName, KeyId};
use crate::limits::{DEFAULT_SMALL_PAGE, MAX_ALIASES_PER_KEY, MAX_ATTEMPTS};
use crate::principal::{AccountId, Principal};
use crate::record::AliasRecord;
use crate::vault::{Draft, Opened, busy, gone};
use crate::wire::Timestamp;

model::requests!(kms: CreateAliasRequest, UpdateAliasRequest, DeleteAliasRequest, ListAliasesRequest);

/// The request of CreateAlias.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAliasRequest {
    /// `AliasName`.
    pub alias_name: String,
    /// `TargetKeyId`.
    pub target_key_id: String,
}

/// The request of UpdateAlias.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateAliasRequest {
    /// `AliasName`.
    pub alias_name: String,
    /// `TargetKeyId`.
    pub target_key_id: String,
}

/// The request of DeleteAlias.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteAliasRequest {
    /// `AliasName`.
    pub alias_name: String,
}

/// The request of ListAliases.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliasesRequest {
    /// `KeyId`.
    pub key_id: Option<String>,
    /// `Limit`.
    pub limit: Option<i64>,
    /// `Marker`.
    pub marker: Option<String>,
}

/// The answer of ListAliases.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliasesResponse {
    /// `Aliases`.
    pub aliases: Vec<AliasListEntry>,
    /// `NextMarker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// `Truncated`.
    pub truncated: bool,
}

/// `AliasListEntry` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct AliasListEntry {
    /// `AliasName`.
    pub alias_name: String,
    /// `AliasArn`.
    pub alias_arn: String,
    /// `TargetKeyId`.
    pub target_key_id: String,
    /// `CreationDate`.
    pub creation_date: Timestamp,
    /// `LastUpdatedDate`.
    pub last_updated_date: Timestamp,
}

impl Keys {
    /// CreateAlias.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, CreateAlias.
    pub async fn create_alias(&self, principal: &Principal, request: CreateAliasRequest) -> Result<Done, Error> {
        let name = usable(&request.alias_name)?;
        refuse_alias(&request.target_key_id)?;
        self.allow_alias(principal, Action::CreateAlias, &name)?;
        let key = self.find_by_id(principal, &request.target_key_id, Action::CreateAlias).await?;
        self.point(principal.account, name, key.id, true).await
    }

    /// UpdateAlias. The key that the alias pointed to may be pending deletion, the new one not.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, UpdateAlias.
    pub async fn update_alias(&self, principal: &Principal, request: UpdateAliasRequest) -> Result<Done, Error> {
        let name = usable(&request.alias_name)?;
        refuse_alias(&request.target_key_id)?;
        self.allow_alias(principal, Action::UpdateAlias, &name)?;
        let key = self.find_by_id(principal, &request.target_key_id, Action::UpdateAlias).await?;
        // The permission is needed on the key that loses the alias, too.
        self.decide_by_alias(principal, &name, Action::UpdateAlias).await?;
        self.point(principal.account, name, key.id, false).await
    }

    /// Whether the caller's own policies let it do this with the alias: an alias has no policy of its own.
    fn allow_alias(&self, principal: &Principal, action: Action, name: &AliasName) -> Result<(), Error> {
        let facts = [("kms:requestalias", name.as_str().into())];
        self.allow_account_wide(principal, action, &name.arn(&self.region, principal.account), &facts)
    }

    /// Whether the caller may do this with the key that an alias points to, if it does.
    async fn decide_by_alias(&self, principal: &Principal, name: &AliasName, action: Action) -> Result<(), Error> {
        let target = self.vault.alias(principal.account, name.clone()).await?;
        let Some(target) = target else { return Ok(()) };
        match self.vault.key(target).await? {
            Some(key) => {
                // UpdateAlias is told with the key that gets the alias.
                if action == Action::DeleteAlias {
                    note(&key, action);
                }
                let decided = self.decide(principal, &key, Via::Kms, Some(name), &action.into(), &[]).await;
                decided.map_err(|no| no.told(principal, &key, action, &key.arn))
            }
            None => Ok(()),
        }
    }

    /// Points an alias to a key: a `new` alias that must not exist, or one that must.
    async fn point(&self, account: AccountId, name: AliasName, target: KeyId, new: bool) -> Result<Done, Error> {
        let _alone = self.vault.lock(target).await;
        for _ in 0..MAX_ATTEMPTS {
            let found = self.vault.draft(target).await?;
            let Opened { row, value: draft } = found.ok_or_else(|| gone(target))?;
            draft.record.require_not_pending(&draft.arn)?;
            let place = self.vault.rows.alias(account, &name);
            let now = self.now();
            let (transaction, record) = match self.vault.read(&place, AliasRecord::decode).await? {
                Some(_) if new => {
                    let arn = name.arn(&self.region, account);
                    return Err(Error::AlreadyExists(format!("An alias with the name {arn} already exists")));
                }
                Some(Opened { row, value }) => {
                    self.refuse_another_kind(value.target, &draft).await?;
                    let old = self.vault.rows.target(value.target, &name);
                    let transaction = Transaction::new().expect_equals(place.table, &place.key, row);
                    (transaction.delete(old.table, &old.key), AliasRecord { target, updated: now, ..value })
                }
                None if new => {
                    let transaction = Transaction::new().expect_absent(place.table, &place.key);
                    (transaction, AliasRecord { target, created: now, updated: now })
                }
                None => return Err(self.no_such_alias(account, &name)),
            };
            self.refuse_one_more(target, &name).await?;
            let transaction = self.vault.put(transaction, &place, &record.encode());
            let transaction = self.vault.put(transaction, &self.vault.rows.target(target, &name), &[]);
            // The key is written too, unchanged: so no other alias of it, nor its deletion, can happen at the same time.
            let committed = self.vault.commit_change(row, &draft, transaction).await;
            self.vault.forget_alias(account, name.clone());
            if committed? {
                return Ok(Done);
            }
        }
        Err(busy())
    }

    /// Programs that use an alias expect that whatever key it names does the same things.
    async fn refuse_another_kind(&self, current: KeyId, new: &Draft) -> Result<(), Error> {
        let Some(current) = self.vault.key(current).await? else { return Ok(()) };
        let (ours, theirs) = (&current.record, &new.record);
        // With the usage, this tells HMAC keys from symmetric encryption keys, too.
        if ours.usage == theirs.usage && ours.spec.is_asymmetric() == theirs.spec.is_asymmetric() {
            return Ok(());
        }
        let text = format!(
            "The current and the new KMS key must be of the same type and have the same key usage: {} is {} with usage {}, {} is {} \
             with usage {}.",
            current.arn, ours.spec, ours.usage, new.arn, theirs.spec, theirs.usage
        );
        Err(Error::Validation(text))
    }

    async fn refuse_one_more(&self, target: KeyId, name: &AliasName) -> Result<(), Error> {
        let rows = self.vault.scan(Table::Alias, &self.vault.rows.targets(target), MAX_ALIASES_PER_KEY).await?;
        let same = self.vault.rows.target(target, name).key;
        if rows.len() >= MAX_ALIASES_PER_KEY && !rows.iter().any(|row| row.key[..] == same[..]) {
            let text = format!("The key {target} has {MAX_ALIASES_PER_KEY} aliases, the most it may have.");
            return Err(Error::LimitExceeded(text));
        }
        Ok(())
    }

    /// DeleteAlias.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DeleteAlias.
    pub async fn delete_alias(&self, principal: &Principal, request: DeleteAliasRequest) -> Result<Done, Error> {
        let (name, account) = (usable(&request.alias_name)?, principal.account);
        let place = self.vault.rows.alias(account, &name);
        self.allow_alias(principal, Action::DeleteAlias, &name)?;
        self.decide_by_alias(principal, &name, Action::DeleteAlias).await?;
        for _ in 0..MAX_ATTEMPTS {
            let found = self.vault.read(&place, AliasRecord::decode).await?;
            let Opened { row, value } = found.ok_or_else(|| self.no_such_alias(account, &name))?;
            let target = self.vault.rows.target(value.target, &name);
            let transaction = Transaction::new()
                .expect_equals(place.table, &place.key, row)
                .delete(place.table, &place.key)
                .delete(target.table, &target.key);
            let committed = self.vault.commit(transaction).await;
            self.vault.forget_alias(account, name.clone());
            if committed? {
                return Ok(Done);
            }
        }
        Err(busy())
    }

    /// ListAliases, in the order of names. Predefined aliases of AWS that have no key yet are not listed.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ListAliases.
    pub async fn list_aliases(
        &self,
        principal: &Principal,
        request: ListAliasesRequest,
    ) -> Result<ListAliasesResponse, Error> {
        let account = principal.account;
        let page = Page::new(request.limit, request.marker.as_deref(), DEFAULT_SMALL_PAGE)?;
        let mut aliases = Vec::new();
        let next_marker = match &request.key_id {
            Some(key_id) => {
                let key = self.find_by_id(principal, key_id, Action::ListAliases).await?;
                let (rows, next) = list(&self.vault, Table::Alias, self.vault.rows.targets(key.id), page).await?;
                for row in rows {
                    let name = self
                        .vault
                        .rows
                        .target_name(&row.key)
                        .ok_or_else(|| Error::damaged("alias target", &row.key))?;
                    self.vault.decode(&self.vault.rows.target(key.id, &name), &row.value, decode_empty)?;
                    let place = self.vault.rows.alias(account, &name);
                    // Deleted between the two reads: not an alias of this key any more.
                    let Some(found) = self.vault.read(&place, AliasRecord::decode).await? else { continue };
                    if found.value.target == key.id {
                        aliases.push(self.alias_entry(account, &name, found.value));
                    }
                }
                next
            }
            None => {
                self.allow_account_wide(principal, Action::ListAliases, ALL, &[])?;
                let (rows, next) = list(&self.vault, Table::Alias, self.vault.rows.aliases(account), page).await?;
                for Row { key, value } in rows {
                    let name = self.vault.rows.alias_name(&key).ok_or_else(|| Error::damaged("alias", &key))?;
                    let record =
                        self.vault.decode(&self.vault.rows.alias(account, &name), &value, AliasRecord::decode)?;
                    aliases.push(self.alias_entry(account, &name, record));
                }
                next
            }
        };
        Ok(ListAliasesResponse { aliases, truncated: next_marker.is_some(), next_marker })
    }

    fn alias_entry(&self, account: AccountId, name: &AliasName, record: AliasRecord) -> AliasListEntry {
        AliasListEntry {
            alias_name: name.to_string(),
            alias_arn: name.arn(&self.region, account),
            target_key_id: record.target.to_string(),
            creation_date: record.created,
            last_updated_date: record.updated,
        }
    }
}

/// The one place where AWS has other words for an alias in the place of a key.
fn refuse_alias(target: &str) -> Result<(), Error> {
    if target.starts_with("alias/") || target.contains(":alias/") {
        return Err(Error::Validation("Aliases must refer to keys. Not aliases".to_owned()));
    }
    Ok(())
}

/// An alias name that an account may give.
fn usable(name: &str) -> Result<AliasName, Error> {
    let Some(rest) = name.strip_prefix("alias/") else {
        let text = "Alias must start with the prefix \"alias/\". Please see \
                    https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
        return Err(Error::Validation(text.to_owned()));
    };
    if rest == "aws" || rest.starts_with("aws/") {
        return Err(Error::NotAuthorized("The prefix alias/aws/ is reserved for AWS managed keys.".to_owned()));
    }
    // The service model's pattern lets a colon through; no alias can have one.
    AliasName::parse(name)
        .ok_or_else(|| Error::InvalidAliasName(format!("{name} contains invalid characters for an alias")))
}
