//! The last use of each access key and role: noted in memory, where that costs a fraction of a microsecond, and written by
//! [`Identity::flush`], so that no request waits for a commit. Of a process that is killed, the uses since its last flush are not
//! remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use policy::{Principal, PrincipalKind};

use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::limits::LAST_USE_BATCH;
use crate::record::{AccessKey, LastUse};
use crate::role::Role;
use crate::rows::{self, Kind};
use crate::store::Work;
use crate::time::Timestamp;

/// What was not written yet. No more entries than keys that resolved since.
#[derive(Default)]
pub(crate) struct LastUses(Mutex<HashMap<String, LastUse>>);

impl LastUses {
    fn with<T>(&self, look: impl FnOnce(&mut HashMap<String, LastUse>) -> T) -> T {
        // Every change under the lock is one map operation: a panic leaves the map whole.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Identity {
    /// Notes that an access key has signed a request, once that was verified. `service` and `region` are its scope's.
    pub fn used(&self, access_key_id: &str, service: &str, region: &str) {
        let at = self.now();
        self.uses.with(|uses| match uses.get_mut(access_key_id) {
            // As it mostly is: the same key for the same thing.
            Some(last) if last.service == service && last.region == region => last.at = at,
            _ => {
                let last = LastUse { at, service: service.to_owned(), region: region.to_owned() };
                uses.insert(access_key_id.to_owned(), last);
            }
        });
    }

    /// Notes that a principal has signed a request: the use of a role's session is the role's, of whoever else that of its access key.
    pub fn used_by(&self, principal: &Principal, service: &str, region: &str) {
        match &principal.kind {
            PrincipalKind::AssumedRole { role_id, .. } => self.used(role_id, service, region),
            _ => self.used(&principal.access_key_id, service, region),
        }
    }

    /// Whether the access key or role of an id is there. A commit will expect that still.
    async fn is_there(&self, work: &mut Work<'_>, id: &str) -> Result<bool, Error> {
        if !id.starts_with(Kind::Role.id_prefix()) {
            return Ok(work.read::<AccessKey>(&rows::access_key(id)).await?.is_some());
        }
        for account in self.account_ids().await? {
            if work.read::<Role>(&Role::place(account, id)).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last use of a key, whether it is written or not.
    pub(crate) async fn last_use(&self, access_key_id: &str) -> Result<Option<LastUse>, Error> {
        let stored = self.rows.read::<LastUse>(&rows::last_use(access_key_id)).await?;
        let noted = self.uses.with(|uses| uses.get(access_key_id).cloned());
        // Another process over the same store may have written a later one.
        Ok(noted.into_iter().chain(stored).max_by_key(|last| last.at))
    }

    /// Writes the last uses of access keys. To be called every minute or so, and at the end.
    ///
    /// # Errors
    /// A failing store; what was not written is kept for the next call.
    pub async fn flush(&self) -> Result<(), Error> {
        let pending: Vec<(String, LastUse)> =
            self.uses.with(|uses| uses.iter().map(|(id, last)| (id.clone(), last.clone())).collect());
        for batch in pending.chunks(LAST_USE_BATCH) {
            self.write_uses(batch).await?;
        }
        Ok(())
    }

    async fn write_uses(&self, batch: &[(String, LastUse)]) -> Result<(), Error> {
        let mut work = Work::quiet(self);
        for (id, last) in batch {
            let later = |stored: Option<Timestamp>| stored.is_some_and(|at| at >= last.at);
            let stored = work.read::<LastUse>(&rows::last_use(id)).await?;
            // Nothing about a key or role shall outlive it, and keys of the operator's files and sessions have no rows.
            if !later(stored.map(|stored| stored.at)) && self.is_there(&mut work, id).await? {
                work.write(&rows::last_use(id), last);
            }
        }
        // If a key of the batch was changed just now, the next call writes them all.
        if work.commit().await? {
            self.uses.with(|uses| {
                for (id, written) in batch {
                    if uses.get(id) == Some(written) {
                        uses.remove(id);
                    }
                }
            });
        }
        Ok(())
    }
}
