//! CreateKey, DescribeKey, ListKeys, EnableKey, DisableKey, UpdateKeyDescription.

use material::Secret;
use meta::{Table, Transaction};
use serde::{Deserialize, Serialize};

use super::Done;
use super::create::Kind;
use super::metadata::KeyMetadata;
use super::page::{Page, list};
use super::tag::{Tag, checked_tags};
use crate::Keys;
use crate::access::{ALL, Action, Via, note_made};
use crate::codec::decode_empty;
use crate::decide::Use;
use crate::error::Error;
use crate::identifier::KeyArn;
use crate::limits::{DEFAULT_PAGE, MAX_ATTEMPTS};
use crate::principal::{AccountId, Principal};
use crate::principals::KeyPolicy;
use crate::record::{KeyDetails, KeyState, Origin};
use crate::vault::{Draft, busy, gone};

model::requests!(
    kms:
    CreateKeyRequest,
    DescribeKeyRequest,
    ListKeysRequest,
    EnableKeyRequest,
    DisableKeyRequest,
    UpdateKeyDescriptionRequest
);

/// The request of CreateKey.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateKeyRequest {
    /// `Policy`.
    pub policy: Option<String>,
    /// `Description`.
    pub description: Option<String>,
    /// `KeyUsage`.
    pub key_usage: Option<String>,
    /// `CustomerMasterKeySpec`, the older name of `KeySpec`.
    pub customer_master_key_spec: Option<String>,
    /// `KeySpec`.
    pub key_spec: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `CustomKeyStoreId`.
    pub custom_key_store_id: Option<String>,
    /// `BypassPolicyLockoutSafetyCheck`.
    pub bypass_policy_lockout_safety_check: Option<bool>,
    /// `Tags`.
    pub tags: Option<Vec<Tag>>,
    /// `MultiRegion`.
    pub multi_region: Option<bool>,
    /// `XksKeyId`.
    pub xks_key_id: Option<String>,
}

/// The answer of CreateKey.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct CreateKeyResponse {
    /// `KeyMetadata`.
    pub key_metadata: KeyMetadata,
}

/// The request of DescribeKey.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeKeyRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
}

/// The answer of DescribeKey.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeKeyResponse {
    /// `KeyMetadata`.
    pub key_metadata: KeyMetadata,
}

/// The request of ListKeys.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeysRequest {
    /// `Limit`.
    pub limit: Option<i64>,
    /// `Marker`.
    pub marker: Option<String>,
    /// `ResourceOwners`.
    pub resource_owners: Option<Vec<String>>,
}

/// The answer of ListKeys.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeysResponse {
    /// `Keys`.
    pub keys: Vec<KeyListEntry>,
    /// `NextMarker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// `Truncated`.
    pub truncated: bool,
}

/// `KeyListEntry` of the service model.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct KeyListEntry {
    /// `KeyId`.
    pub key_id: String,
    /// `KeyArn`.
    pub key_arn: String,
}

/// The request of EnableKey.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnableKeyRequest {
    /// `KeyId`.
    pub key_id: String,
}

/// The request of DisableKey.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisableKeyRequest {
    /// `KeyId`.
    pub key_id: String,
}

/// The request of UpdateKeyDescription.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateKeyDescriptionRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `Description`.
    pub description: String,
}

impl Keys {
    /// CreateKey.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, CreateKey.
    pub async fn create_key(
        &self,
        principal: &Principal,
        request: CreateKeyRequest,
    ) -> Result<CreateKeyResponse, Error> {
        let kind = Kind::of(&request)?;
        let tags = checked_tags(request.tags.unwrap_or_default())?;
        let bypass = request.bypass_policy_lockout_safety_check == Some(true);
        self.allow_tagged(principal, Action::CreateKey, &kind.facts(bypass), &tags)?;
        if !tags.is_empty() {
            self.allow_tagged(principal, Action::TagResource, &[], &tags)?;
        }
        let details = KeyDetails { description: request.description.unwrap_or_default(), tags };
        let mut draft = self.customer_draft(principal.account, kind, details);
        let policy = match &request.policy {
            Some(text) => Some(self.key_policy(text).await?),
            None => None,
        };
        draft.record.own_policy = policy.is_some();
        if let Some(policy) = &policy {
            self.check_first_policy(principal, &draft, policy, request.bypass_policy_lockout_safety_check)?;
        }
        let secret = match draft.record.origin {
            // Behind a proxy it is the inner one of two layers.
            Origin::AwsKms | Origin::ExternalKeyStore => Some(self.shared.generator.generate(draft.record.spec).await?),
            Origin::External | Origin::CloudHsm => None,
        };
        self.place(principal, &draft).await?;
        let committed = self.commit_new(principal.account, &draft, secret.as_ref(), policy.as_ref()).await;
        if committed.is_err() {
            self.unplace(&draft).await;
        }
        committed?;
        note_made(&draft, Action::CreateKey);
        Ok(CreateKeyResponse { key_metadata: self.shown(&draft).await? })
    }

    /// Commits a new customer key, if its account may have one more.
    async fn commit_new(
        &self,
        account: AccountId,
        draft: &Draft,
        secret: Option<&Secret>,
        policy: Option<&KeyPolicy>,
    ) -> Result<(), Error> {
        let room = self.vault.reserve(account).await?;
        for _ in 0..MAX_ATTEMPTS {
            let transaction = self.vault.put(Transaction::new(), &self.vault.rows.owned(account, draft.id), &[]);
            let mut transaction = self.put_place(transaction, draft).await?;
            if let Some(policy) = policy {
                transaction = self.vault.put_policy(transaction, draft, policy);
            }
            if self.vault.commit(self.put_new_key(transaction, draft, secret)).await? {
                room.keep();
                return Ok(());
            }
        }
        Err(busy())
    }

    /// DescribeKey.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DescribeKey.
    pub async fn describe_key(
        &self,
        principal: &Principal,
        request: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, Error> {
        let wish = Use::of(Action::DescribeKey).tokens(request.grant_tokens.as_ref());
        let key = self.find(principal, &request.key_id, wish, Via::Kms).await?;
        let found = self.vault.draft(key.id).await?.ok_or_else(|| gone(key.id))?;
        Ok(DescribeKeyResponse { key_metadata: self.shown(&found.value).await? })
    }

    /// ListKeys, in the order of key ids.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ListKeys.
    pub async fn list_keys(&self, principal: &Principal, request: ListKeysRequest) -> Result<ListKeysResponse, Error> {
        self.allow_account_wide(principal, Action::ListKeys, ALL, &[])?;
        let owners = request.resource_owners.unwrap_or_else(|| vec![SELF.to_owned()]);
        // Nothing shares keys between accounts here, so of the others' there are none.
        if !owners.iter().any(|owner| owner == SELF) {
            return Ok(ListKeysResponse { keys: vec![], next_marker: None, truncated: false });
        }
        let page = Page::new(request.limit, request.marker.as_deref(), DEFAULT_PAGE)?;
        let account = principal.account;
        let (rows, next_marker) = list(&self.vault, Table::Key, self.vault.rows.owned_by(account), page).await?;
        let entry = |row: &meta::Row| {
            let key = self.vault.rows.owned_key(&row.key).ok_or_else(|| Error::damaged("owned key", &row.key))?;
            self.vault.decode(&self.vault.rows.owned(account, key), &row.value, decode_empty)?;
            let arn = KeyArn { region: self.region.clone(), account, key };
            Ok(KeyListEntry { key_id: key.to_string(), key_arn: arn.to_string() })
        };
        let keys = rows.iter().map(entry).collect::<Result<_, Error>>()?;
        Ok(ListKeysResponse { keys, truncated: next_marker.is_some(), next_marker })
    }

    /// EnableKey.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, EnableKey.
    pub async fn enable_key(&self, principal: &Principal, request: EnableKeyRequest) -> Result<Done, Error> {
        self.set_state(principal, &request.key_id, Action::EnableKey, KeyState::Enabled).await
    }

    /// DisableKey.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DisableKey.
    pub async fn disable_key(&self, principal: &Principal, request: DisableKeyRequest) -> Result<Done, Error> {
        self.set_state(principal, &request.key_id, Action::DisableKey, KeyState::Disabled).await
    }

    async fn set_state(
        &self,
        principal: &Principal,
        key_id: &str,
        action: Action,
        state: KeyState,
    ) -> Result<Done, Error> {
        let key = self.find_by_id(principal, key_id, action).await?;
        self.vault
            .change(key.id, |draft, transaction| {
                draft.record.require_imported(&draft.arn)?;
                draft.record.state = state;
                Ok((Done, transaction))
            })
            .await
    }

    /// UpdateKeyDescription.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, UpdateKeyDescription.
    pub async fn update_key_description(
        &self,
        principal: &Principal,
        request: UpdateKeyDescriptionRequest,
    ) -> Result<Done, Error> {
        let key = self.find_by_id(principal, &request.key_id, Action::UpdateKeyDescription).await?;
        self.vault
            .change(key.id, |draft, transaction| {
                draft.record.require_not_pending(&draft.arn)?;
                draft.details.description = request.description.clone();
                Ok((Done, transaction))
            })
            .await
    }
}

const SELF: &str = "SELF";
