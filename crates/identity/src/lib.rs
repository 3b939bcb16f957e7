//! IAM and STS: accounts, users, groups, roles, policies, access keys, MFA devices and sessions, and who a credential is.
//!
//! Knows no HTTP. Each operation of the APIs is a typed request that implements [`Operation`]: it says what the decision about it is
//! asked of, and runs once that decision is made. [`Identity::resolve`] gives the [`Credential`] of an access key, with all that its
//! principal may do; a change is seen by the very next request.
//!
//! Everything is in one table of the metadata store, sealed and bound to its row: docs/formats/identity-records.md.

mod accounts;
mod entity;
mod error;
pub mod id;
mod last_use;
pub mod limits;
mod link;
mod managed;
mod mfa;
pub mod oidc;
pub mod operation;
mod principals;
mod provision;
mod qr;
mod record;
mod resolve;
mod role;
mod rows;
pub mod secret;
pub mod simulation;
mod store;
pub mod sts;
mod text;
mod time;
mod trust;

use std::sync::{Arc, OnceLock, Weak};

use policy::AccountId;
use tokio::sync::{Mutex, MutexGuard};

use store::Rows;

pub use accounts::AccountInfo;
pub use error::{Damage, Error, Internal};
pub use operation::{Allowed, Done, Operation, Permitted, Prepared, Subject, Trust};
pub use principals::UnknownPrincipal;
pub use provision::StaticKey;
pub use resolve::{Credential, Unknown};
pub use time::Timestamp;

/// The accounts of a store, and everyone in them.
pub struct Identity {
    pub(crate) rows: Rows,
    clock: keys::Clock,
    /// The account of the server's operator. It exists without a row.
    pub(crate) home: AccountId,
    pub(crate) credentials: Arc<resolve::Credentials>,
    /// Issuers of web identities; set once.
    pub(crate) issuers: OnceLock<oidc::Issuers>,
    pub(crate) uses: last_use::LastUses,
    locks: [Mutex<()>; LOCKS],
}

/// Locks that changes of accounts wait on, so that those of one process do not collide.
const LOCKS: usize = 16;

impl Identity {
    /// Those of `store`, whose rows `keys` seals, and whom `keys` asks from now on whom policies and grants name. Reads and writes
    /// nothing yet.
    #[must_use]
    pub fn open(store: Arc<dyn meta::Store>, keys: Arc<keys::Keys>, clock: keys::Clock, home: AccountId) -> Arc<Self> {
        let locks = std::array::from_fn(|_| Mutex::new(()));
        let identity = Arc::new(Self {
            rows: Rows { store, keys },
            clock,
            home,
            credentials: Arc::default(),
            issuers: OnceLock::new(),
            uses: last_use::LastUses::default(),
            locks,
        });
        let weak = Arc::downgrade(&identity);
        identity.rows.keys.set_principals(weak as Weak<dyn keys::Principals>);
        identity
    }

    /// The home account.
    #[must_use]
    pub fn home(&self) -> AccountId {
        self.home
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from((self.clock)())
    }

    /// Waits until no other change of this account runs in this process.
    pub(crate) async fn lock(&self, account: AccountId) -> MutexGuard<'_, ()> {
        let digits = account.as_bytes().iter().fold(0_usize, |sum, digit| sum.wrapping_mul(31) + usize::from(*digit));
        self.locks[digits % LOCKS].lock().await
    }
}

#[cfg(test)]
mod tests;
