//! What an operator may ask about a key: which rules decide who may do something with it, and whom its grants let.

use std::sync::Arc;

use policy::{AccountId, ContextMap, Document, Principal, Reach, Rule, identity_side, own_limits};

use crate::Keys;
use crate::access::{Action, Via};
use crate::decide::{Case, Use};
use crate::error::Error;
use crate::grant::{Constraints, Grant, GrantOperation, Pairs, Party};
use crate::identifier::{Reference, Target};
use crate::record::Owner;
use crate::vault::Key;

/// An action on a key, with all that decides it but the callers' own policies.
pub struct KeyAccess {
    key: Arc<Key>,
    action: Action,
    /// Whose it is.
    pub owner: AccountId,
    /// The key policy; `None`: the default one, which leaves all to the policies of the owner's account.
    pub policy: Option<Arc<Document>>,
    /// What that means for the callers of its account.
    pub rule: Rule,
    /// Condition keys that follow from the key.
    pub keys: ContextMap,
}

/// A grant that lets somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LettingGrant {
    /// `GrantId`
    pub id: String,
    /// `GranteePrincipal`
    pub grantee: String,
    /// Its constraints, as AWS writes them, in JSON; empty if it has none.
    pub constraints: String,
}

impl KeyAccess {
    /// The key's ARN.
    pub fn arn(&self) -> &str {
        &self.key.arn
    }

    /// The action, as policies name it.
    pub fn action(&self) -> &'static str {
        self.action.name()
    }

    /// Whether principals of other accounts can ever do it.
    pub fn crosses_accounts(&self) -> bool {
        self.action.crosses_accounts() && matches!(self.key.record.owner, Owner::Customer(_))
    }
}

impl Keys {
    /// An action (`kms:Decrypt`) on the key that an id, ARN, alias name or alias ARN means to `account`.
    ///
    /// # Errors
    /// [`Error::Validation`] for what is no action on a key, [`Error::NotFound`], a failing store.
    pub async fn access(&self, account: AccountId, key_id: &str, action: &str) -> Result<KeyAccess, Error> {
        let action =
            Action::named(action).ok_or_else(|| Error::Validation(format!("{action} is no action of KMS.")))?;
        let Reference { account, target } = Reference::parse(key_id, &Principal::root(account, ""), &self.region)?;
        let id = match target {
            Target::Key(id) => id,
            Target::Alias(name) => {
                let found = self.vault.alias(account, name.clone()).await?;
                found.ok_or_else(|| self.no_such_alias(account, &name))?
            }
        };
        let found = self.key(id).await?.filter(|key| key.record.owner.account() == Some(account));
        let key = found.ok_or_else(|| self.no_such_key(account, id))?;
        let labels = self.vault.labels(id).await?;
        let record = &key.record;
        let mut keys = ContextMap::new()
            .with("kms:KeySpec", record.spec.name())
            .with("kms:CustomerMasterKeySpec", record.spec.name())
            .with("kms:KeyUsage", record.usage.name())
            .with("kms:CustomerMasterKeyUsage", record.usage.name())
            .with("kms:KeyOrigin", record.origin.name())
            .with("kms:MultiRegion", record.multi_region.is_some().to_string())
            .with("aws:RequestedRegion", self.region.as_str());
        if let Some(set) = &record.multi_region {
            let kind = if set.primary == self.region { "PRIMARY" } else { "REPLICA" };
            keys = keys.with("kms:MultiRegionKeyType", kind);
        }
        if !labels.aliases.is_empty() {
            keys = keys.with_many("kms:ResourceAliases", labels.aliases.iter().cloned());
        }
        for (tag, value) in labels.tags.iter().rev() {
            keys = keys.with(&format!("aws:ResourceTag/{tag}"), value.as_str());
        }
        let policy = key.policy.clone();
        let rule = match (record.owner, &policy) {
            (Owner::Customer(_), None) => Rule::Either,
            _ => Rule::ResourceMustAllow,
        };
        Ok(KeyAccess { action, owner: account, policy, rule, keys, key })
    }

    /// Something that an account owns in this Region, in words: a KMS key, those apart that AWS services have made for it; a custom key
    /// store.
    ///
    /// # Errors
    /// A failing store.
    pub async fn owned_by(&self, account: AccountId) -> Result<Option<String>, Error> {
        let root = Principal::root(account, "");
        let mut marker: Option<String> = None;
        loop {
            let request = serde_json::json!({"Limit": 1_000, "Marker": marker});
            let request = serde_json::to_vec(&request).unwrap_or_default();
            let page = self.list_keys(&root, crate::parse(&request)?).await?;
            for entry in &page.keys {
                let found = self.access(account, &entry.key_arn, Action::DescribeKey.name()).await;
                // Gone meanwhile, or not to be read: the latter is no reason to call it gone.
                if found.is_ok_and(|access| !matches!(access.key.record.owner, Owner::Customer(_))) {
                    continue;
                }
                return Ok(Some(format!("the KMS key {}", entry.key_arn)));
            }
            match page.next_marker {
                Some(next) => marker = Some(next),
                None => break,
            }
        }
        let stores = self.describe_custom_key_stores(&root, crate::parse(b"{}")?).await?;
        Ok(stores.custom_key_stores.first().map(|store| format!("the custom key store {}", store.custom_key_store_id)))
    }

    /// The grants that let a principal, where no policy denies it: with those whose constraints an encryption context would have to keep.
    ///
    /// # Errors
    /// A failing store.
    pub async fn letting_grants(&self, access: &KeyAccess, principal: &Principal) -> Result<Vec<LettingGrant>, Error> {
        let KeyAccess { key, action, owner, .. } = access;
        let own = *owner == principal.account;
        let Some(operation) = GrantOperation::named(action.short_name()) else { return Ok(Vec::new()) };
        if !own && !access.crosses_accounts() {
            return Ok(Vec::new());
        }
        let wish = Use::of(*action);
        let case = Case { principal, key, via: Via::Kms, alias: None, wish: &wish };
        let labels = self.labels_if_asked_for(&case).await?;
        if self.judge(&case, &labels, own).is_err_and(|refused| refused.explicit()) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for name in &Party::names_of(principal) {
            let reaches = self.ask(&case, &labels, |question| match name.reach(principal) {
                Reach::Direct => true,
                Reach::Entity => own_limits(question).is_ok(),
                Reach::Account => identity_side(question).is_ok(),
            });
            if reaches {
                let grants = self.vault.grants_to(key.id, name).await?;
                found.extend(grants.into_iter().filter(|grant| grant.terms.operations.contains(&operation)));
            }
        }
        self.letting(&found).await
    }

    /// The grants of a key that let principals of accounts that are not among `known`.
    ///
    /// # Errors
    /// A failing store.
    pub async fn grants_elsewhere(&self, access: &KeyAccess, known: &[AccountId]) -> Result<Vec<LettingGrant>, Error> {
        let operation = GrantOperation::named(access.action.short_name()).filter(|_| access.crosses_accounts());
        let Some(operation) = operation else { return Ok(Vec::new()) };
        // A unique id was one of this server's principals, whether it is gone or not.
        let is_known = |party: &Party| {
            let account = party.account().and_then(|digits| AccountId::parse(digits).ok());
            account.is_none_or(|account| known.contains(&account))
        };
        let grants = self.vault.grants_of(access.key.id).await?;
        let wanted = |grant: &Grant| grant.terms.operations.contains(&operation) && !is_known(&grant.terms.grantee);
        let found: Vec<_> = grants.into_iter().filter(wanted).collect();
        self.letting(&found).await
    }

    async fn letting(&self, grants: &[Grant]) -> Result<Vec<LettingGrant>, Error> {
        let mut letting = Vec::with_capacity(grants.len());
        for Grant { id, terms, .. } in grants {
            let (Party::Principal(grantee) | Party::Service(grantee)) = &terms.grantee;
            let grantee = self.shown_name(grantee.clone()).await?;
            letting.push(LettingGrant { id: id.to_string(), grantee, constraints: shown(&terms.constraints) });
        }
        Ok(letting)
    }
}

fn shown(constraints: &Constraints) -> String {
    let Constraints { equals, subset, source_arn } = constraints;
    let pairs = |name: &str, pairs: &Pairs| format!("{name} {}", serde_json::json!(pairs));
    let mut parts = Vec::new();
    parts.extend(equals.as_ref().map(|equals| pairs("EncryptionContextEquals", equals)));
    parts.extend(subset.as_ref().map(|subset| pairs("EncryptionContextSubset", subset)));
    parts.extend(source_arn.as_ref().map(|arn| format!("SourceArn {arn}")));
    parts.join(", ")
}
