//! Who a credential is: from memory if it is warm, else from the store.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use policy::{AccountId, Attached, Document, Kind, Permissions, Principal};
use zeroize::Zeroizing;

use crate::Identity;
use crate::entity::{Entity, Holder};
use crate::error::Error;
use crate::id::SESSION_KEY_PREFIX;
use crate::limits::{CACHE_LIFETIME, MAX_CACHED};
use crate::record::{AccessKey, Account, Group, User};
use crate::rows;

/// An access key that signs, and who it speaks for.
pub struct Credential {
    /// The secret access key, as the signature's key derivation takes it.
    pub secret: Zeroizing<Vec<u8>>,
    /// Who signs with it.
    pub principal: Arc<Principal>,
}

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// No such access key, an inactive one, one of an account that is gone, or a session's without its token. AWS: `InvalidAccessKeyId`, `InvalidClientTokenId`.
    #[error("the access key does not exist")]
    NoSuchKey,
    /// The session token is not ours, or not this access key's. AWS: `InvalidToken`, `InvalidClientTokenId`.
    #[error("the session token is not valid")]
    InvalidToken,
    /// The session has ended. AWS: `ExpiredToken`.
    #[error("the session token has expired")]
    Expired,
    /// The store or a record failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Credentials in memory. A hit takes a lock for reading, and no other.
#[derive(Default)]
pub(crate) struct Credentials {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<String, Entry>,
    /// Keys from the operator's files, which no IAM operation sees: whose they are is looked up each time.
    fixed: HashMap<String, Fixed>,
    /// Counts changes: what was read before one may not be put in after it.
    changes: u64,
}

#[derive(Clone)]
struct Entry {
    account: AccountId,
    read: Instant,
    /// What the client must show beside the key: a session's token.
    token: Option<Arc<str>>,
    credential: Arc<Credential>,
}

/// An access key from a file of the operator's.
#[derive(Clone)]
pub(crate) struct Fixed {
    pub(crate) account: AccountId,
    /// The user's unique id; `None`: the root user.
    pub(crate) user: Option<String>,
    pub(crate) secret: Arc<Zeroizing<Vec<u8>>>,
}

/// Shows that nothing was changed between a miss and the credential that fills it.
#[derive(Clone, Copy)]
pub(crate) struct Miss(u64);

impl Credentials {
    /// The credential, if it is young enough and was filled with the same token; else a [`Miss`] to be taken before anything is read.
    pub(crate) fn find(&self, access_key_id: &str, token: Option<&str>) -> Result<Arc<Credential>, Miss> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        match inner.entries.get(access_key_id) {
            Some(entry) if entry.token.as_deref() == token && entry.read.elapsed() < CACHE_LIFETIME => {
                Ok(Arc::clone(&entry.credential))
            }
            _ => Err(Miss(inner.changes)),
        }
    }

    /// Puts a credential in, unless anything was changed since the miss.
    pub(crate) fn fill(&self, miss: Miss, access_key_id: &str, token: Option<&str>, credential: &Arc<Credential>) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.changes != miss.0 {
            return;
        }
        if inner.entries.len() >= MAX_CACHED {
            make_room(&mut inner.entries);
        }
        let account = credential.principal.account;
        let (token, credential) = (token.map(Arc::from), Arc::clone(credential));
        inner.entries.insert(access_key_id.to_owned(), Entry { account, read: Instant::now(), token, credential });
    }

    /// Forgets all credentials of an account: something of it was changed.
    pub(crate) fn forget(&self, account: AccountId) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.entries.retain(|_, entry| entry.account != account);
        inner.changes += 1;
    }

    /// Takes a key from a file of the operator's.
    pub(crate) fn fix(&self, access_key_id: &str, fixed: Fixed) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.fixed.insert(access_key_id.to_owned(), fixed);
        inner.changes += 1;
    }

    /// Whether a root user has a key from a file.
    pub(crate) fn has_fixed_root(&self, account: AccountId) -> bool {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.fixed.values().any(|fixed| fixed.account == account && fixed.user.is_none())
    }

    pub(crate) fn fixed(&self, access_key_id: &str) -> Option<Fixed> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).fixed.get(access_key_id).cloned()
    }
}

/// Drops what is too old; if that is little, drops half, so that a full cache costs a pass over it only now and then.
fn make_room(entries: &mut HashMap<String, Entry>) {
    entries.retain(|_, entry| entry.read.elapsed() < CACHE_LIFETIME);
    if entries.len() > MAX_CACHED / 2 {
        let mut keep = false;
        entries.retain(|_, _| {
            keep = !keep;
            keep
        });
    }
}

impl Identity {
    /// Who signs with an access key. A warm one costs less than a microsecond.
    ///
    /// # Errors
    /// [`Unknown`].
    pub async fn resolve(&self, access_key_id: &str, session_token: Option<&str>) -> Result<Arc<Credential>, Unknown> {
        let miss = match self.credentials.find(access_key_id, session_token) {
            Ok(credential) => return self.unexpired(credential),
            Err(miss) => miss,
        };
        // Boxed: what is warm, as nearly all is, needs not carry them.
        let credential = Arc::new(if access_key_id.starts_with(SESSION_KEY_PREFIX) {
            Box::pin(self.session_credential(access_key_id, session_token.ok_or(Unknown::NoSuchKey)?)).await?
        } else if session_token.is_some() {
            return Err(Unknown::InvalidToken);
        } else {
            Box::pin(self.long_term_credential(access_key_id)).await?
        });
        self.credentials.fill(miss, access_key_id, session_token, &credential);
        self.unexpired(credential)
    }

    fn unexpired(&self, credential: Arc<Credential>) -> Result<Arc<Credential>, Unknown> {
        match &credential.principal.session {
            Some(session) if session.expires <= (self.clock)() => Err(Unknown::Expired),
            _ => Ok(credential),
        }
    }

    async fn long_term_credential(&self, access_key_id: &str) -> Result<Credential, Unknown> {
        let (account, user, secret) = match self.credentials.fixed(access_key_id) {
            Some(fixed) => (fixed.account, fixed.user, Zeroizing::new(fixed.secret.to_vec())),
            None => {
                let found = self.rows.read::<AccessKey>(&rows::access_key(access_key_id)).await?;
                let key = found.filter(|key| key.active).ok_or(Unknown::NoSuchKey)?;
                (key.account.0, key.user.clone(), Zeroizing::new(key.secret.as_bytes().to_vec()))
            }
        };
        self.open_account(account).await?;
        let mut principal = match user {
            None => Principal::root(account, ""),
            Some(id) => self.user_principal(account, &id).await?.ok_or(Unknown::NoSuchKey)?,
        };
        access_key_id.clone_into(&mut principal.access_key_id);
        Ok(Credential { secret, principal: Arc::new(principal) })
    }

    /// Refuses the credentials of an account that is not there, or is being deleted.
    pub(crate) async fn open_account(&self, account: AccountId) -> Result<(), Unknown> {
        let found = self.rows.read::<Account>(&rows::account(account)).await?;
        match found {
            Some(found) if found.closing => Err(Unknown::NoSuchKey),
            None if account != self.home => Err(Unknown::NoSuchKey),
            _ => Ok(()),
        }
    }

    /// A user with all that it may do, by its unique id; `None` if it is gone.
    ///
    /// # Errors
    /// A failing store; a damaged row, a stored policy that does not parse among them.
    pub(crate) async fn user_principal(&self, account: AccountId, id: &str) -> Result<Option<Principal>, Error> {
        let Some(user) = self.rows.read::<User>(&User::place(account, id)).await? else { return Ok(None) };
        let mut identity = Vec::new();
        self.gather(account, &user, &mut identity).await?;
        for group in &user.groups {
            // A group that went meanwhile had no members when it did.
            if let Some(group) = self.rows.read::<Group>(&Group::place(account, group)).await? {
                self.gather(account, &group, &mut identity).await?;
            }
        }
        let boundary = match &user.boundary {
            Some(arn) => Some(self.managed(account, arn).await?),
            None => None,
        };
        let mut principal = Principal::user(account, user.arn(account), &user.head.name, &user.head.id);
        principal.permissions = Permissions { identity, boundary, ..Permissions::default() };
        principal.tags = user.tags;
        Ok(Some(principal))
    }

    /// The policies of a user, group or role: inline ones, then managed ones.
    pub(crate) async fn gather<H: Holder>(
        &self,
        account: AccountId,
        holder: &H,
        into: &mut Vec<Attached>,
    ) -> Result<(), Error> {
        let head = holder.head();
        for (name, text) in &holder.policies().inline {
            let source = format!("{}/{}/{name}", H::KIND.arn_type(), head.name);
            let document = Document::parse(text, Kind::Identity)
                .map_err(|_| Error::damaged("inline policy", &H::place(account, &head.id).key))?;
            into.push(Attached { source: source.into(), document: Arc::new(document) });
        }
        for arn in &holder.policies().attached {
            into.push(self.managed(account, arn).await?);
        }
        Ok(())
    }
}
