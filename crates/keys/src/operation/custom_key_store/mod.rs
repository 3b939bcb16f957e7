//! CreateCustomKeyStore, ConnectCustomKeyStore, DescribeCustomKeyStores, UpdateCustomKeyStore, DisconnectCustomKeyStore,
//! DeleteCustomKeyStore: what the types of key stores have in common. What only HSMs have is in [`custody::hsm`](crate::custody).

mod shapes;

use meta::{Table, Transaction};

use super::page::{Page, list};
use crate::Keys;
use crate::access::{ALL, Action};
use crate::custody::store::{Connection, StoreRecord};
use crate::custody::{Backing, KeyStore, no_such_store};
use crate::error::Error;
use crate::limits::{DEFAULT_PAGE, MAX_ATTEMPTS, MAX_CUSTOM_KEY_STORES};
use crate::principal::{AccountId, Principal};
use crate::rows::Claim;
use crate::vault::{Opened, busy};

pub use shapes::{
    ConnectCustomKeyStoreRequest, CreateCustomKeyStoreRequest, CreateCustomKeyStoreResponse, CustomKeyStoresListEntry,
    DeleteCustomKeyStoreRequest, DescribeCustomKeyStoresRequest, DescribeCustomKeyStoresResponse,
    DisconnectCustomKeyStoreRequest, Empty, Password, ProxyCredential, ProxyMembers, UpdateCustomKeyStoreRequest,
    XksProxyConfiguration,
};

/// What a new or changed store takes for itself, and what it lets go.
#[derive(Default)]
pub(crate) struct Claims {
    pub(crate) taken: Vec<Claimed>,
    pub(crate) released: Vec<Claim>,
}

/// A claim, and the answer if it is another store's already.
pub(crate) struct Claimed {
    pub(crate) claim: Claim,
    pub(crate) refusal: fn() -> Error,
}

impl Keys {
    /// CreateCustomKeyStore.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, CreateCustomKeyStore.
    pub async fn create_custom_key_store(
        &self,
        principal: &Principal,
        request: CreateCustomKeyStoreRequest,
    ) -> Result<CreateCustomKeyStoreResponse, Error> {
        self.allow_account_wide(principal, Action::CreateCustomKeyStore, ALL, &[])?;
        let account = principal.account;
        let name = request.custom_key_store_name.clone();
        let claim = Claim::StoreName(account, name.clone());
        // Before anything else is looked at, though it is the commit that decides.
        if self.is_claimed(&claim).await? {
            return Err(name_in_use());
        }
        let (backing, mut taken) = match request.custom_key_store_type.as_deref() {
            None | Some("AWS_CLOUDHSM") => self.new_hsm_store(account, request).await?,
            Some(_) => self.new_proxy_store(principal, request).await?,
        };
        taken.push(Claimed { claim, refusal: name_in_use });
        let record =
            StoreRecord { name, created: self.now(), connection: Connection::Disconnected, generation: 0, backing };
        let id = new_store_id();
        self.commit_new_store(account, &id, &record, &taken).await?;
        tracing::info!(store = id, name = record.name, "a custom key store was made");
        Ok(CreateCustomKeyStoreResponse { custom_key_store_id: id })
    }

    async fn commit_new_store(
        &self,
        account: AccountId,
        id: &str,
        record: &StoreRecord,
        taken: &[Claimed],
    ) -> Result<(), Error> {
        let _alone = self.vault.lock(account).await;
        let rows = &self.vault.rows;
        for _ in 0..MAX_ATTEMPTS {
            let others = self.vault.scan(Table::Key, &rows.key_stores_of(account), MAX_CUSTOM_KEY_STORES).await?;
            if others.len() >= MAX_CUSTOM_KEY_STORES {
                let text = format!("The account has {MAX_CUSTOM_KEY_STORES} custom key stores, the most it may have.");
                return Err(Error::LimitExceeded(text));
            }
            let place = rows.key_store(account, id);
            let transaction = Transaction::new().expect_absent(place.table, &place.key);
            let transaction = self.vault.put(transaction, &place, &record.encode());
            if self.vault.commit(self.take(transaction, id, taken).await?).await? {
                return Ok(());
            }
        }
        Err(busy())
    }

    /// DescribeCustomKeyStores, in the order of their ids.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DescribeCustomKeyStores.
    pub async fn describe_custom_key_stores(
        &self,
        principal: &Principal,
        request: DescribeCustomKeyStoresRequest,
    ) -> Result<DescribeCustomKeyStoresResponse, Error> {
        self.allow_account_wide(principal, Action::DescribeCustomKeyStores, ALL, &[])?;
        let account = principal.account;
        let single = |store: KeyStore| DescribeCustomKeyStoresResponse {
            custom_key_stores: vec![entry(store)],
            next_marker: None,
            truncated: false,
        };
        match (&request.custom_key_store_id, &request.custom_key_store_name) {
            (Some(_), Some(_)) => {
                let text = "You cannot specify CustomKeyStoreId and CustomKeyStoreName in the same request.";
                Err(Error::Validation(text.to_owned()))
            }
            (Some(id), None) => Ok(single(self.key_store(account, id).await?.value)),
            (None, Some(name)) => {
                let place = self.vault.rows.claim(&Claim::StoreName(account, name.clone()));
                let id = self.vault.read(&place, decode_id).await?.ok_or_else(|| no_such_store(name))?.value;
                Ok(single(self.key_store(account, &id).await?.value))
            }
            (None, None) => {
                let page = Page::new(request.limit, request.marker.as_deref(), DEFAULT_PAGE)?;
                let range = self.vault.rows.key_stores_of(account);
                let (rows, next_marker) = list(&self.vault, Table::Key, range, page).await?;
                let stores = rows.iter().map(|row| self.listed_store(account, row));
                let custom_key_stores = stores.map(|store| store.map(entry)).collect::<Result<_, Error>>()?;
                let truncated = next_marker.is_some();
                Ok(DescribeCustomKeyStoresResponse { custom_key_stores, next_marker, truncated })
            }
        }
    }

    fn listed_store(&self, account: AccountId, row: &meta::Row) -> Result<KeyStore, Error> {
        let damaged = || Error::damaged("custom key store", &row.key);
        let id = self.vault.rows.parse_key_store(&row.key).map(|(_, id)| id).ok_or_else(damaged)?;
        let record = self.vault.decode(&self.vault.rows.key_store(account, &id), &row.value, StoreRecord::decode)?;
        Ok(KeyStore { id, record })
    }

    /// ConnectCustomKeyStore. It answers when it knows whether the store is connected; like AWS's it succeeds either way, and
    /// DescribeCustomKeyStores tells.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ConnectCustomKeyStore.
    pub async fn connect_custom_key_store(
        &self,
        principal: &Principal,
        request: ConnectCustomKeyStoreRequest,
    ) -> Result<Empty, Error> {
        self.allow_account_wide(principal, Action::ConnectCustomKeyStore, ALL, &[])?;
        let (account, id) = (principal.account, request.custom_key_store_id);
        let store = self.key_store(account, &id).await?.value;
        if let Connection::Failed(_) = store.record.connection {
            return Err(store.wrong_state());
        }
        // The generation that this connect makes, so that its login is not one of an earlier password.
        let generation = store.record.generation + 1;
        let connection = match &store.record.backing {
            Backing::Hsm(hsm) => self.connect_hsm(&id, generation, hsm).await?,
            Backing::Proxy(proxy) => self.connect_proxy(proxy).await,
        };
        let connected = self
            .change_key_store(account, &id, |record| {
                if record.generation + 1 != generation || matches!(record.connection, Connection::Failed(_)) {
                    return Err(Error::Conflict("The custom key store was changed meanwhile. Try again.".to_owned()));
                }
                (record.generation, record.connection) = (generation, connection);
                Ok(())
            })
            .await;
        if connected.is_err() || connection != Connection::Connected {
            self.shared.connections.forget(&id);
        }
        connected?;
        match connection {
            Connection::Failed(code) => tracing::error!(store = id, code, "a custom key store could not be connected"),
            _ => tracing::info!(store = id, "a custom key store was connected"),
        }
        Ok(Empty {})
    }

    /// UpdateCustomKeyStore.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, UpdateCustomKeyStore.
    pub async fn update_custom_key_store(
        &self,
        principal: &Principal,
        request: UpdateCustomKeyStoreRequest,
    ) -> Result<Empty, Error> {
        self.allow_account_wide(principal, Action::UpdateCustomKeyStore, ALL, &[])?;
        let (account, id) = (principal.account, request.custom_key_store_id.clone());
        let _alone = self.vault.lock(&id).await;
        for _ in 0..MAX_ATTEMPTS {
            let Opened { row, value: store } = self.key_store(account, &id).await?;
            let (mut record, mut claims) = match &store.record.backing {
                Backing::Hsm(hsm) => self.updated_hsm_store(principal.account, (&store, hsm), &request).await?,
                Backing::Proxy(proxy) => self.updated_proxy_store(principal, &store, proxy, &request).await?,
            };
            if let Some(name) = request.new_custom_key_store_name.as_ref().filter(|name| **name != record.name) {
                let claim = Claim::StoreName(account, name.clone());
                claims.taken.push(Claimed { claim, refusal: name_in_use });
                claims.released.push(Claim::StoreName(account, std::mem::replace(&mut record.name, name.clone())));
            }
            let place = self.vault.rows.key_store(account, &id);
            let transaction = Transaction::new().expect_equals(place.table, &place.key, row);
            let transaction = self.vault.put(transaction, &place, &record.encode());
            let transaction = self.take(transaction, &id, &claims.taken).await?;
            let transaction = claims.released.iter().fold(transaction, |transaction, claim| {
                let place = self.vault.rows.claim(claim);
                transaction.delete(place.table, &place.key)
            });
            if self.vault.commit(transaction).await? {
                if record.connection != Connection::Connected {
                    // A refusal of the old password, to a connect whose client went away, is none of the new one.
                    self.shared.connections.forget(&id);
                }
                tracing::info!(store = id, "a custom key store was changed");
                return Ok(Empty {});
            }
        }
        Err(busy())
    }

    /// DisconnectCustomKeyStore.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DisconnectCustomKeyStore.
    pub async fn disconnect_custom_key_store(
        &self,
        principal: &Principal,
        request: DisconnectCustomKeyStoreRequest,
    ) -> Result<Empty, Error> {
        self.allow_account_wide(principal, Action::DisconnectCustomKeyStore, ALL, &[])?;
        let id = request.custom_key_store_id;
        self.change_key_store(principal.account, &id, |record| {
            if record.connection == Connection::Disconnected {
                return Err(KeyStore { id: id.clone(), record: record.clone() }.wrong_state());
            }
            record.connection = Connection::Disconnected;
            Ok(())
        })
        .await?;
        self.shared.connections.forget(&id);
        tracing::info!(store = id, "a custom key store was disconnected");
        Ok(Empty {})
    }

    /// DeleteCustomKeyStore.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, DeleteCustomKeyStore.
    pub async fn delete_custom_key_store(
        &self,
        principal: &Principal,
        request: DeleteCustomKeyStoreRequest,
    ) -> Result<Empty, Error> {
        self.allow_account_wide(principal, Action::DeleteCustomKeyStore, ALL, &[])?;
        let (account, id) = (principal.account, request.custom_key_store_id);
        let rows = &self.vault.rows;
        let _alone = self.vault.lock(&id).await;
        for _ in 0..MAX_ATTEMPTS {
            let Opened { row, value: store } = self.key_store(account, &id).await?;
            let keys = rows.stored_keys_of(&id);
            if !self.vault.scan(Table::Key, &keys, 1).await?.is_empty() {
                return Err(Error::CustomKeyStoreHasCmks(format!("Custom key store {id} contains KMS keys.")));
            }
            if store.record.connection != Connection::Disconnected {
                return Err(store.wrong_state());
            }
            let place = rows.key_store(account, &id);
            let mut transaction = Transaction::new()
                .expect_equals(place.table, &place.key, row)
                .expect_vacant(Table::Key, keys)
                .delete(place.table, &place.key);
            let mut claims = vec![Claim::StoreName(account, store.record.name.clone())];
            claims.extend(store.record.backing.claims(account));
            for claim in &claims {
                let place = rows.claim(claim);
                transaction = transaction.delete(place.table, &place.key);
            }
            if self.vault.commit(transaction).await? {
                self.shared.connections.forget(&id);
                tracing::info!(store = id, "a custom key store was deleted");
                return Ok(Empty {});
            }
        }
        Err(busy())
    }

    /// Changes a store's record, and nothing that it has claimed.
    pub(crate) async fn change_key_store(
        &self,
        account: AccountId,
        id: &str,
        mut edit: impl FnMut(&mut StoreRecord) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let _alone = self.vault.lock(id).await;
        for _ in 0..MAX_ATTEMPTS {
            let Opened { row, value: mut store } = self.key_store(account, id).await?;
            edit(&mut store.record)?;
            let place = self.vault.rows.key_store(account, id);
            let transaction = Transaction::new().expect_equals(place.table, &place.key, row);
            if self.vault.commit(self.vault.put(transaction, &place, &store.record.encode())).await? {
                return Ok(());
            }
        }
        Err(busy())
    }

    /// Whether some store has this for itself.
    pub(crate) async fn is_claimed(&self, claim: &Claim) -> Result<bool, Error> {
        let place = self.vault.rows.claim(claim);
        Ok(self.vault.read(&place, decode_id).await?.is_some())
    }

    /// Adds claims to a transaction that fails if one of them is another store's by then.
    async fn take(&self, mut transaction: Transaction, id: &str, taken: &[Claimed]) -> Result<Transaction, Error> {
        for Claimed { claim, refusal } in taken {
            if self.is_claimed(claim).await? {
                return Err(refusal());
            }
            let place = self.vault.rows.claim(claim);
            transaction = transaction.expect_absent(place.table, &place.key);
            transaction = self.vault.put(transaction, &place, id.as_bytes());
        }
        Ok(transaction)
    }
}

fn entry(store: KeyStore) -> CustomKeyStoresListEntry {
    let KeyStore { id, record } = store;
    let common = CustomKeyStoresListEntry {
        custom_key_store_id: id,
        custom_key_store_name: record.name,
        connection_state: record.connection.name(),
        connection_error_code: match record.connection {
            Connection::Failed(code) => Some(code),
            Connection::Disconnected | Connection::Connected => None,
        },
        creation_date: Some(record.created),
        custom_key_store_type: record.backing.type_name(),
        ..CustomKeyStoresListEntry::default()
    };
    match record.backing {
        Backing::Hsm(hsm) => CustomKeyStoresListEntry {
            cloud_hsm_cluster_id: Some(hsm.cluster),
            trust_anchor_certificate: Some(hsm.trust_anchor),
            ..common
        },
        Backing::Proxy(proxy) => CustomKeyStoresListEntry {
            xks_proxy_configuration: Some(XksProxyConfiguration {
                connectivity: "PUBLIC_ENDPOINT",
                access_key_id: proxy.access_key_id,
                uri_endpoint: proxy.endpoint,
                uri_path: proxy.path,
            }),
            ..common
        },
    }
}

/// As AWS makes them: `cks-` and 17 hexadecimal digits.
fn new_store_id() -> String {
    let digits = data_encoding::HEXLOWER.encode(&seal::random_bytes::<9>());
    format!("cks-{}", &digits[..17])
}

/// The value of a claim: which store's it is.
fn decode_id(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn name_in_use() -> Error {
    Error::CustomKeyStoreNameInUse("A custom key store of this name exists in the account.".to_owned())
}
