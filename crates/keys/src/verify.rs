//! Verification of what is stored, for the scrub: on nobody's behalf, and nothing that it opens leaves the process.

use meta::{Range, Row, Table};
use seal::{EncryptionContext, SecretKey};

use crate::Keys;
use crate::cipher::{invalid_ciphertext, parse_ciphertext};
use crate::error::{Damage, Error, Internal};
use crate::record::AliasRecord;
use crate::rows;

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
        let (plaintext, _) = self.open_in_any_state(&key, number, context, blob).await?;
        SecretKey::from_slice(&plaintext).map_err(|_| invalid_ciphertext())
    }

    async fn verify_row(&self, table: Table, row: &Row) -> Result<(), Error> {
        if table == Table::Material {
            return self.verify_material(&row.key).await;
        }
        let unknown = || Error::damaged(table.name(), &row.key);
        let place = rows::read_place(table, &row.key).ok_or_else(unknown)?;
        if let Some(id) = rows::recorded_key(&row.key).filter(|_| place.kind == "key") {
            // Deleted since the scan: nothing is damaged.
            let Some(draft) = self.vault.draft(id).await? else { return Ok(()) };
            for material in &draft.value.record.materials {
                self.vault.stored_material(id, material).await?;
            }
            return Ok(());
        }
        match place.kind {
            "alias" => self.vault.decode(&place, &row.value, AliasRecord::decode).map(drop),
            "key" => Err(unknown()),
            _ => self.vault.decode(&place, &row.value, |_| Some(())),
        }
    }

    /// That a material's key stands and names it; opening it is its key's part.
    async fn verify_material(&self, row: &[u8]) -> Result<(), Error> {
        let damaged = || Error::damaged("material", row);
        let (id, number) = rows::parse_material(row).ok_or_else(damaged)?;
        let draft = self.vault.draft(id).await?.ok_or_else(damaged)?;
        draft.value.record.material(number).map(drop).ok_or_else(damaged)
    }
}
