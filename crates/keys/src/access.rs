//! Which key a caller means, and whether the caller may do this with it.
//!
//! Until key policies exist, an account's principals may do everything with its customer keys. AWS managed keys have AWS's own
//! key policy for them: reading metadata directly, cryptography through the service that the key belongs to, and nothing else.
//! No other account's key can be reached.

use std::sync::Arc;

use crate::Keys;
use crate::error::Error;
use crate::identifier::{AliasName, KeyArn, KeyId, Reference, Target};
use crate::managed::managed_description;
use crate::principal::{AccountId, Principal};
use crate::record::Owner;
use crate::vault::Key;

macro_rules! actions {
    ($($action:ident $reads:literal),+ $(,)?) => {
        /// An action on a key, as policies and messages name it (`kms:Encrypt`).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Action { $($action),+ }

        impl Action {
            fn name(self) -> &'static str {
                match self { $(Self::$action => concat!("kms:", stringify!($action))),+ }
            }

            /// The operation that the action allows, as messages name it: `ReEncrypt` for its two halves.
            pub(crate) fn operation(self) -> &'static str {
                match self {
                    Self::ReEncryptFrom | Self::ReEncryptTo => "ReEncrypt",
                    $(#[allow(unreachable_patterns, reason = "the two halves are named above")]
                    Self::$action => stringify!($action)),+
                }
            }

            /// Whether the action reads metadata alone: what the policy of AWS managed keys grants to their account.
            fn reads_metadata(self) -> bool {
                match self { $(Self::$action => $reads),+ }
            }
        }
    };
}

actions! {
    CancelKeyDeletion false,
    CreateAlias false,
    Decapsulate false,
    Decrypt false,
    DeleteImportedKeyMaterial false,
    DeriveSharedSecret false,
    DescribeKey true,
    DisableKey false,
    DisableKeyRotation false,
    EnableKey false,
    EnableKeyRotation false,
    Encapsulate false,
    Encrypt false,
    GenerateDataKey false,
    GenerateDataKeyPair false,
    GenerateDataKeyPairWithoutPlaintext false,
    GenerateDataKeyWithoutPlaintext false,
    GenerateMac false,
    GetKeyRotationStatus true,
    GetParametersForImport false,
    GetPublicKey false,
    ImportKeyMaterial false,
    ListAliases true,
    ListKeyRotations true,
    ListResourceTags true,
    ReEncryptFrom false,
    ReEncryptTo false,
    RotateKeyOnDemand false,
    ScheduleKeyDeletion false,
    Sign false,
    TagResource false,
    UntagResource false,
    UpdateAlias false,
    UpdateKeyDescription false,
    Verify false,
    VerifyMac false,
}

/// Whether the caller came to KMS itself, or through S3 (`kms:ViaService`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Via {
    Kms,
    S3,
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

impl Keys {
    /// The key that an id, ARN, alias name or alias ARN names, if the caller may do `action` with it.
    pub(crate) async fn find(
        &self,
        principal: &Principal,
        key_id: &str,
        action: Action,
        via: Via,
    ) -> Result<Arc<Key>, Error> {
        let Reference { account, target } = Reference::parse(key_id, principal, &self.region)?;
        // Before any look into the store: whether another account's key exists is not for this caller to learn.
        if account != principal.account {
            return Err(denied(principal, action, key_id));
        }
        let id = match target {
            Target::Key(id) => id,
            Target::Alias(name) => self.alias_target(account, name, action, via).await?,
        };
        self.owned_key(principal, account, id, action, via).await
    }

    /// The key that an id or ARN names, for the operations that take no alias.
    pub(crate) async fn find_by_id(
        &self,
        principal: &Principal,
        key_id: &str,
        action: Action,
    ) -> Result<Arc<Key>, Error> {
        let (account, id) = Reference::parse_key(key_id, principal, &self.region)?;
        if account != principal.account {
            return Err(denied(principal, action, key_id));
        }
        self.owned_key(principal, account, id, action, Via::Kms).await
    }

    /// The key that a ciphertext names. Whatever is wrong with it, the answer is the same.
    pub(crate) async fn find_for_ciphertext(&self, principal: &Principal, id: KeyId) -> Result<Arc<Key>, Error> {
        let found = self.key(id).await?;
        let allowed =
            found.filter(|key| matches!(key.record.owner, Owner::Customer(owner) if owner == principal.account));
        allowed.ok_or_else(|| {
            let text = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, \
                        or you are not allowed to access.";
            Error::AccessDenied(text.to_owned())
        })
    }

    async fn owned_key(
        &self,
        principal: &Principal,
        account: AccountId,
        id: KeyId,
        action: Action,
        via: Via,
    ) -> Result<Arc<Key>, Error> {
        let found = self.key(id).await?;
        let owned = found.filter(|key| key.record.owner.account() == Some(account));
        let key = owned.ok_or_else(|| self.no_such_key(account, id))?;
        match key.record.owner {
            Owner::AwsManaged(_) if via == Via::Kms && !action.reads_metadata() => {
                Err(denied(principal, action, &key.arn))
            }
            _ => Ok(key),
        }
    }

    /// DescribeKey of a predefined alias makes its AWS managed key, and so does S3's use of it (KMS API reference, DescribeKey).
    async fn alias_target(
        &self,
        account: AccountId,
        name: AliasName,
        action: Action,
        via: Via,
    ) -> Result<KeyId, Error> {
        let makes = via == Via::S3 || action == Action::DescribeKey;
        if makes && managed_description(name.as_str()).is_some() {
            return self.managed_key(account, &name).await;
        }
        let found = self.vault.alias(account, name.clone()).await?;
        found.ok_or_else(|| self.no_such_alias(account, &name))
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

/// AWS's words for a caller whom no policy allows this.
fn denied(principal: &Principal, action: Action, resource: &str) -> Error {
    let (arn, action) = (&principal.arn, action.name());
    Error::AccessDenied(format!(
        "User: {arn} is not authorized to perform: {action} on resource: {resource} \
         because no resource-based policy allows the {action} action"
    ))
}
