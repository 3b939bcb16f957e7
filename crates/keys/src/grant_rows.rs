//! Grants between the store and memory. Each grant is one row that has it whole, and rows that lead to it: by its grantee, by who may
//! retire it, by its terms if it has a name. All are written and deleted together, with the count of the key's grants.

use std::sync::Arc;

use meta::{Range, Table, Transaction};

use crate::codec::decode_empty;
use crate::error::Error;
use crate::grant::{Demand, Grant, GrantId, Party};
use crate::identifier::KeyId;
use crate::limits::{MAX_CACHED_GRANTS, SCAN_BATCH};
use crate::rows::{Place, Rows};
use crate::vault::{Opened, Vault};

impl Vault {
    /// A grant, from the store.
    pub(crate) async fn grant(&self, key: KeyId, id: GrantId) -> Result<Option<Opened<Grant>>, Error> {
        self.read(&self.rows.grant(key, id), Grant::decode).await
    }

    /// Whether one of the key's grants to a principal allows this. From memory if they are warm and few.
    pub(crate) async fn granted(&self, key: KeyId, grantee: &Party, demand: Demand<'_>) -> Result<bool, Error> {
        let hash = grantee.hash();
        let slot = (key, hash);
        let miss = match self.grants.find(&slot) {
            Ok(grants) => return Ok(grants.iter().any(|grant| grant.allows(demand))),
            Err(miss) => miss,
        };
        let mut range = self.rows.granted_to(key, &hash);
        let mut first = true;
        loop {
            let rows = self.scan(Table::Key, &range, SCAN_BATCH).await?;
            let mut grants = Vec::with_capacity(rows.len());
            for row in &rows {
                let id = Rows::last_grant(&row.key).ok_or_else(|| Error::damaged("grantee", &row.key))?;
                let place = self.rows.grantee(key, &hash, id);
                self.decode(&place, &row.value, decode_empty)?;
                // Gone between the two reads: no grant any more.
                let found = self.grant(key, id).await?;
                grants.extend(found.map(|found| found.value).filter(|grant| grant.terms.grantee == *grantee));
            }
            let allowed = grants.iter().any(|grant| grant.allows(demand));
            let whole = rows.len() < SCAN_BATCH;
            if first && whole && grants.len() <= MAX_CACHED_GRANTS {
                self.grants.fill(miss, slot, Arc::from(grants));
            }
            if allowed || whole {
                return Ok(allowed);
            }
            first = false;
            range = match rows.last() {
                Some(last) => range.after(&last.key),
                None => return Ok(false),
            };
        }
    }

    /// All grants of a key to a principal, from the store.
    pub(crate) async fn grants_to(&self, key: KeyId, grantee: &Party) -> Result<Vec<Grant>, Error> {
        let mut grants = self.grants_along(key, self.rows.granted_to(key, &grantee.hash())).await?;
        grants.retain(|grant| grant.terms.grantee == *grantee);
        Ok(grants)
    }

    /// All grants of a key, from the store.
    pub(crate) async fn grants_of(&self, key: KeyId) -> Result<Vec<Grant>, Error> {
        self.grants_along(key, self.rows.grants(key)).await
    }

    async fn grants_along(&self, key: KeyId, mut range: Range) -> Result<Vec<Grant>, Error> {
        let mut grants = Vec::new();
        loop {
            let rows = self.scan(Table::Key, &range, SCAN_BATCH).await?;
            for row in &rows {
                let id = Rows::last_grant(&row.key).ok_or_else(|| Error::damaged("grant", &row.key))?;
                grants.extend(self.grant(key, id).await?.map(|found| found.value));
            }
            match rows.last() {
                Some(last) if rows.len() == SCAN_BATCH => range = range.after(&last.key),
                _ => return Ok(grants),
            }
        }
    }

    /// Writes a new grant and the rows that lead to it.
    pub(crate) fn put_grant(&self, transaction: Transaction, key: KeyId, grant: &Grant) -> Transaction {
        let place = self.rows.grant(key, grant.id);
        let transaction = transaction.expect_absent(place.table, &place.key);
        let transaction = self.put(transaction, &place, &grant.encode());
        let transaction = match self.terms_place(key, grant) {
            Some(place) => self.put(transaction, &place, grant.id.as_bytes()),
            None => transaction,
        };
        self.leads(key, grant).iter().fold(transaction, |transaction, place| self.put(transaction, place, &[]))
    }

    /// Deletes a grant and the rows that lead to it.
    pub(crate) fn delete_grant(&self, transaction: Transaction, key: KeyId, grant: &Grant) -> Transaction {
        let mut places = self.leads(key, grant);
        places.push(self.rows.grant(key, grant.id));
        places.extend(self.terms_place(key, grant));
        places.iter().fold(transaction, |transaction, place| transaction.delete(place.table, &place.key))
    }

    /// Drops what memory holds of a key's grants to a principal.
    pub(crate) fn forget_grants(&self, key: KeyId, grantee: &Party) {
        self.grants.remove(&(key, grantee.hash()));
    }

    fn leads(&self, key: KeyId, grant: &Grant) -> Vec<Place> {
        let mut places = vec![self.rows.grantee(key, &grant.terms.grantee.hash(), grant.id)];
        places.extend(grant.terms.retiring.as_ref().map(|party| self.rows.retiring(&party.hash(), key, grant.id)));
        places
    }

    fn terms_place(&self, key: KeyId, grant: &Grant) -> Option<Place> {
        grant.terms.name.as_ref().map(|_| self.rows.grant_terms(key, &grant.terms.hash()))
    }
}
