//! Verification of what is stored, for the scrub: on nobody's behalf, and nothing that it opens leaves the process.

use std::sync::Arc;

use meta::{Range, Row, Table};
use seal::{EncryptionContext, SecretKey};

use crate::Keys;
use crate::access::{Action, Asker};
use crate::cipher::{invalid_ciphertext, parse_ciphertext};
use crate::decide::stored_policy;
use crate::error::{Damage, Error, Internal};
use crate::grant::Grant;
use crate::identifier::KeyId;
use crate::record::{AliasRecord, Custody, KeyRecord};
use crate::rows;
use crate::vault::Vault;

/// Rows of one scan: a few hundred bytes each.
const BATCH: usize = 256;

impl Keys {
    /// Opens every row of keys, materials and aliases, and reports those that do not open or that miss each other. Answers how
    /// many there are. The domain keys have opened already, or there would be no `Keys`.
    ///
    /// # Errors
    /// A failing store. Damage is none.
    pub async fn verify(&self, found: &mut (dyn FnMut(Damage) + Send)) -> Result<u64, Error> {
        let mut count = 0;
        for table in [Table::Key, Table::Material, Table::Alias] {
            let mut range = Range::all();
            loop {
                let rows = self.vault.scan(table, &range, BATCH).await?;
                for row in &rows {
                    count += 1;
                    match self.verify_row(table, row).await {
                        Err(Error::Internal(Internal::Damaged(damage))) => found(damage),
                        result => result?,
                    }
                }
                match rows.last() {
                    Some(last) if rows.len() == BATCH => range = range.after(&last.key),
                    _ => break,
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(count)
    }

    /// Opens what [`Keys::data_key`] gave, whatever the state of the key, to verify what is stored under it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key was deleted; [`Error::InvalidCiphertext`] and [`Error::IncorrectKey`] as
    /// [`Keys::decrypt_data_key`].
    pub async fn data_key_for_verification(
        &self,
        key_arn: &str,
        blob: &[u8],
        context: &EncryptionContext,
    ) -> Result<SecretKey, Error> {
        let (id, number) = parse_ciphertext(blob)?;
        let key = self.vault.key(id).await?;
        let key = key.ok_or_else(|| Error::NotFound(format!("Key '{key_arn}' does not exist")))?;
        if key.arn != key_arn {
            return Err(Error::IncorrectKey(String::new()));
        }
        let (plaintext, _) =
            self.open_in_any_state(&key, number, Asker::server(Action::Decrypt), context, blob).await?;
        SecretKey::from_slice(&plaintext).map_err(|_| invalid_ciphertext())
    }

    async fn verify_row(&self, table: Table, row: &Row) -> Result<(), Error> {
        let vaults = &self.shared.vaults;
        if table == Table::Material {
            let of = |vault: &Arc<Vault>| vault.rows.parse_material(&row.key).map(|found| (Arc::clone(vault), found));
            return match vaults.iter().find_map(of) {
                Some((vault, (id, number))) => verify_material(&vault, id, number, &row.key).await,
                // Of a Region that is not served: its key's row opens below, or is reported there.
                None if rows::is_material_elsewhere(&row.key) => Ok(()),
                None => Err(Error::damaged("material", &row.key)),
            };
        }
        let place = rows::read_place(table, &row.key).ok_or_else(|| Error::damaged(table.name(), &row.key))?;
        match place.kind {
            "alias" => self.vault.decode(&place, &row.value, AliasRecord::decode).map(drop),
            "key policy" => self.vault.decode(&place, &row.value, stored_policy).map(drop),
            "grant" => self.vault.decode(&place, &row.value, Grant::decode).map(drop),
            "key" => {
                let of = |vault: &Arc<Vault>| vault.rows.recorded_key(&row.key).map(|id| (Arc::clone(vault), id));
                match vaults.iter().find_map(of) {
                    Some((vault, id)) => verify_key(&vault, id).await,
                    None => self.vault.decode(&place, &row.value, KeyRecord::decode).map(drop),
                }
            }
            _ => self.vault.decode(&place, &row.value, |_| Some(())),
        }
    }
}

/// That every material that the key's record names is there and opens, and its policy if it has one of its own.
async fn verify_key(vault: &Vault, id: KeyId) -> Result<(), Error> {
    // Deleted since the scan: nothing is damaged.
    let Some(draft) = vault.draft(id).await? else { return Ok(()) };
    let record = &draft.value.record;
    vault.key_policy(id, record).await?;
    let kept = matches!(record.custody, Custody::Here | Custody::Proxy { .. });
    for material in record.materials.iter().filter(|material| kept && material.is_present()) {
        vault.stored_material(id, material).await?;
    }
    Ok(())
}

/// That a material's key stands and names it; opening it is its key's part.
async fn verify_material(vault: &Vault, id: KeyId, number: u32, row: &[u8]) -> Result<(), Error> {
    let damaged = || Error::damaged("material", row);
    let draft = vault.draft(id).await?.ok_or_else(damaged)?;
    draft.value.record.material(number).map(drop).ok_or_else(damaged)
}
