//! Which key a caller means, and the calls that look it up. Whether the caller may use it, `decide` says: every way to a key for a
//! caller leads through [`Keys::find`] and its two sisters, and they through `decide`.
//!
//! Whether another account's key exists is not for a caller to learn: what it may not use and what is not there have one answer.

use std::sync::Arc;

use crate::Keys;
use crate::decide::{No, Use, denied};
use crate::error::Error;
use crate::grant::GrantId;
use crate::identifier::{AliasName, KeyArn, KeyId, Reference, Target};
use crate::managed::managed_description;
use crate::principal::{AccountId, Principal, Region};
use crate::record::{KeyRecord, Owner};
use crate::request::{self, KeyUse};
use crate::vault::{Draft, Key};

macro_rules! actions {
    ($($action:ident),+ $(,)?) => {
        /// An action on a key, as policies and messages name it (`kms:Encrypt`).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Action { $($action),+ }

        impl Action {
            const ALL: &[Self] = &[$(Self::$action),+];

            /// The action of this name, `kms:Encrypt` or, as policies have it, in any other case.
            pub(crate) fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.name().eq_ignore_ascii_case(name))
            }

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$action => concat!("kms:", stringify!($action))),+ }
            }

            /// The name without its service, as grants know it.
            pub(crate) fn short_name(self) -> &'static str {
                match self { $(Self::$action => stringify!($action)),+ }
            }

            /// The operation that the action allows, as messages name it: `ReEncrypt` for its two halves.
            pub(crate) fn operation(self) -> &'static str {
                match self {
                    Self::ReEncryptFrom | Self::ReEncryptTo => "ReEncrypt",
                    $(#[allow(unreachable_patterns, reason = "the two halves are named above")]
                    Self::$action => stringify!($action)),+
                }
            }
        }
    };
}

actions! {
    CancelKeyDeletion,
    ConnectCustomKeyStore,
    CreateAlias,
    CreateCustomKeyStore,
    CreateGrant,
    CreateKey,
    Decapsulate,
    Decrypt,
    DeleteAlias,
    DeleteCustomKeyStore,
    DeleteImportedKeyMaterial,
    DeriveSharedSecret,
    DescribeCustomKeyStores,
    DescribeKey,
    DisableKey,
    DisableKeyRotation,
    DisconnectCustomKeyStore,
    EnableKey,
    EnableKeyRotation,
    Encapsulate,
    Encrypt,
    GenerateDataKey,
    GenerateDataKeyPair,
    GenerateDataKeyPairWithoutPlaintext,
    GenerateDataKeyWithoutPlaintext,
    GenerateMac,
    GenerateRandom,
    GetKeyLastUsage,
    GetKeyPolicy,
    GetKeyRotationStatus,
    GetParametersForImport,
    GetPublicKey,
    ImportKeyMaterial,
    ListAliases,
    ListGrants,
    ListKeyPolicies,
    ListKeyRotations,
    ListKeys,
    ListResourceTags,
    ListRetirableGrants,
    PutKeyPolicy,
    ReEncryptFrom,
    ReEncryptTo,
    ReplicateKey,
    RetireGrant,
    RevokeGrant,
    RotateKeyOnDemand,
    ScheduleKeyDeletion,
    Sign,
    TagResource,
    UntagResource,
    UpdateAlias,
    UpdateCustomKeyStore,
    UpdateKeyDescription,
    UpdatePrimaryRegion,
    Verify,
    VerifyMac,
}

/// The resource of what is about no key in particular.
pub(crate) const ALL: &str = "*";

/// Whether the caller came to KMS itself, or through S3 (`kms:ViaService`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Via {
    Kms,
    S3,
}

impl Via {
    /// The service that asks in the caller's name, as `kms:ViaService` and `aws:CalledVia` know it.
    pub(crate) fn service(self, region: &Region) -> Option<String> {
        (self == Self::S3).then(|| format!("s3.{region}.amazonaws.com"))
    }
}

/// On whose behalf a key's material is used: what an external key manager is told, and may decide by.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// None: the server itself.
    pub(crate) principal: Option<&'a Principal>,
    pub(crate) action: Action,
    pub(crate) via: Via,
}

impl<'a> Asker<'a> {
    /// A principal, at KMS itself or through S3.
    pub(crate) fn of(principal: &'a Principal, action: Action, via: Via) -> Self {
        Self { principal: Some(principal), action, via }
    }

    /// The server itself, for an object.
    pub(crate) fn server(action: Action) -> Self {
        Self { principal: None, action, via: Via::S3 }
    }
}

impl Action {
    /// Whether principals of other accounts can ever do it ("Cross-account use" of each operation in the KMS API reference).
    pub(crate) fn crosses_accounts(self) -> bool {
        matches!(
            self,
            Self::CreateGrant
                | Self::Decapsulate
                | Self::Decrypt
                | Self::DeriveSharedSecret
                | Self::DescribeKey
                | Self::Encapsulate
                | Self::Encrypt
                | Self::GenerateDataKey
                | Self::GenerateDataKeyPair
                | Self::GenerateDataKeyPairWithoutPlaintext
                | Self::GenerateDataKeyWithoutPlaintext
                | Self::GenerateMac
                | Self::GetKeyRotationStatus
                | Self::GetPublicKey
                | Self::ListGrants
                | Self::ReEncryptFrom
                | Self::ReEncryptTo
                | Self::RevokeGrant
                | Self::Sign
                | Self::Verify
                | Self::VerifyMac
        )
    }
}

impl Keys {
    /// The key that an id, ARN, alias name or alias ARN names, if the caller may use it so.
    pub(crate) async fn find<'u>(
        &self,
        principal: &Principal,
        key_id: &str,
        wish: impl Into<Use<'u>>,
        via: Via,
    ) -> Result<Arc<Key>, Error> {
        let wish = wish.into();
        let Reference { account, target } = Reference::parse(key_id, principal, &self.region)?;
        let granted = self.granted_by_tokens(&wish).await?;
        let (id, alias) = match target {
            Target::Key(id) => (id, None),
            Target::Alias(name) => {
                let found = self.alias_target(principal, account, &name, wish.action, via).await;
                (found.map_err(|error| hide(error, principal, account, &wish, key_id))?, Some(name))
            }
        };
        let key = self.existing(principal, account, id, &wish, key_id).await?;
        if via == Via::Kms {
            note(&key, wish.action);
        }
        let decided = self.decide(principal, &key, via, alias.as_ref(), &wish, &granted).await;
        decided.map_err(|no| no.told(principal, &key, wish.action, key_id))?;
        self.admit_use(principal, &key.record, wish.action)?;
        Ok(key)
    }

    /// The key that an id or ARN names, for the operations that take no alias.
    pub(crate) async fn find_by_id<'u>(
        &self,
        principal: &Principal,
        key_id: &str,
        wish: impl Into<Use<'u>>,
    ) -> Result<Arc<Key>, Error> {
        let wish = wish.into();
        let (account, id) = Reference::parse_key(key_id, principal, &self.region)?;
        let granted = self.granted_by_tokens(&wish).await?;
        let key = self.existing(principal, account, id, &wish, key_id).await?;
        note(&key, wish.action);
        let decided = self.decide(principal, &key, Via::Kms, None, &wish, &granted).await;
        decided.map_err(|no| no.told(principal, &key, wish.action, key_id))?;
        Ok(key)
    }

    /// The key that a ciphertext names. Whatever is wrong with it, the answer is the same.
    pub(crate) async fn find_for_ciphertext<'u>(
        &self,
        principal: &Principal,
        id: KeyId,
        wish: impl Into<Use<'u>>,
    ) -> Result<Arc<Key>, Error> {
        let wish = wish.into();
        let granted = self.granted_by_tokens(&wish).await?;
        let found = self.key(id).await?.filter(|key| matches!(key.record.owner, Owner::Customer(_)));
        let key = found.ok_or_else(no_key_of_yours)?;
        note(&key, wish.action);
        match self.decide(principal, &key, Via::Kms, None, &wish, &granted).await {
            Ok(()) => self.admit_use(principal, &key.record, wish.action).map(|()| key),
            Err(No::Refused { .. }) => Err(no_key_of_yours()),
            Err(No::Failed(error)) => Err(error),
        }
    }

    async fn existing(
        &self,
        principal: &Principal,
        account: AccountId,
        id: KeyId,
        wish: &Use<'_>,
        key_id: &str,
    ) -> Result<Arc<Key>, Error> {
        let found = self.key(id).await?;
        let owned = found.filter(|key| key.record.owner.account() == Some(account));
        owned.ok_or_else(|| hide(self.no_such_key(account, id), principal, account, wish, key_id))
    }

    /// DescribeKey of a predefined alias makes its AWS managed key, and so does S3's use of it (KMS API reference, DescribeKey).
    async fn alias_target(
        &self,
        principal: &Principal,
        account: AccountId,
        name: &AliasName,
        action: Action,
        via: Via,
    ) -> Result<KeyId, Error> {
        let makes = account == principal.account && (via == Via::S3 || action == Action::DescribeKey);
        if makes && managed_description(name.as_str()).is_some() {
            return self.managed_key(account, name).await;
        }
        let found = self.vault.alias(account, name.clone()).await?;
        found.ok_or_else(|| self.no_such_alias(account, name))
    }

    pub(crate) fn no_such_key(&self, account: AccountId, key: KeyId) -> Error {
        let arn = KeyArn { region: self.region.clone(), account, key };
        Error::NotFound(format!("Key '{arn}' does not exist"))
    }

    pub(crate) fn no_such_alias(&self, account: AccountId, name: &AliasName) -> Error {
        Error::NotFound(format!("Alias {} is not found.", name.arn(&self.region, account)))
    }

    pub(crate) fn arn_of(&self, key: &Key) -> Result<KeyArn, Error> {
        let region = self.region.clone();
        let account = key.record.owner.account();
        let arn = account.map(|account| KeyArn { region, account, key: key.id });
        arn.ok_or_else(|| Error::NotFound(format!("Key '{}' does not exist", key.id)))
    }
}

/// Notes for the audit that the request that runs is about a key.
pub(crate) fn note(key: &Key, action: Action) {
    note_record(&key.arn, &key.record, action, None);
}

/// The same of a key that was just made.
pub(crate) fn note_made(made: &Draft, action: Action) {
    note_record(&made.arn, &made.record, action, None);
}

/// The same of one of the key's grants.
pub(crate) fn note_grant(key: &Key, action: Action, grant: GrantId) {
    note_record(&key.arn, &key.record, action, Some(grant));
}

fn note_record(arn: &str, record: &KeyRecord, action: Action, grant: Option<GrantId>) {
    let Some(event) = request::event() else { return };
    request::note(|| KeyUse {
        event,
        operation: action.operation(),
        key_arn: arn.to_owned(),
        owner: record.owner.account(),
        material_id: None,
        key_store_id: record.custody.store().map(str::to_owned),
        grant_id: grant.map(|grant| grant.to_string()),
        by_service: None,
    });
}

/// What another account does not have is refused as what it has: [`No::told`].
fn hide(error: Error, principal: &Principal, account: AccountId, wish: &Use<'_>, key_id: &str) -> Error {
    match error {
        Error::NotFound(_) if account != principal.account => denied(principal, wish.action, key_id),
        error => error,
    }
}

fn no_key_of_yours() -> Error {
    let text = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, \
                or you are not allowed to access.";
    Error::AccessDenied(text.to_owned())
}
