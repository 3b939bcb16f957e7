//! A token, as its callers see it.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::link::Link;
use crate::module::{Module, Selector};
use crate::workers::Workers;
use crate::{Error, calls};

/// A key's `CKA_ID`, 16 bytes.
pub type KeyId = [u8; 16];

/// Bytes that [`Token::prf`] gives, and bytes of the keys that it uses.
pub const PRF_LEN: usize = 32;
/// The most bytes that [`Token::random`] gives at once: KMS's own limit, and in every token's reach.
pub const RANDOM_MAX: u32 = 1024;

/// How much a token may take of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a call may take, waiting for a thread and reopening the token included.
    pub time: Duration,
    /// Calls at once, each in a session and on a thread of its own; as many may hang before further calls are refused.
    pub concurrency: usize,
}

impl Default for Limits {
    /// 5 s: a network HSM's failover takes one or two. 16 calls: what network HSMs recommend per client, and enough for theirs.
    fn default() -> Limits {
        Limits { time: Duration::from_secs(5), concurrency: 16 }
    }
}

/// What a token says of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyInfo {
    /// `CKA_LABEL`.
    pub label: String,
    /// `CKA_SENSITIVE`: its bytes are never shown.
    pub sensitive: bool,
    /// `CKA_EXTRACTABLE`: it can be wrapped and taken out.
    pub extractable: bool,
    /// `CKA_NEVER_EXTRACTABLE`: nor could it ever.
    pub never_extractable: bool,
    /// `CKA_LOCAL`: it was made in the token.
    pub local: bool,
}

/// A token with its user logged in. Clones, and other opens of the same token, share the login and the sessions.
#[derive(Clone)]
pub struct Token {
    open: Arc<Open>,
}

/// Ends the login with its last owner.
pub(crate) struct Open {
    link: Arc<Link>,
}

impl Token {
    /// Opens a token and logs its user in, with the limits of [`Limits::default`].
    ///
    /// # Errors
    /// As [`Token::open_with`].
    pub async fn open(module: &Module, selector: Selector, pin: Zeroizing<String>) -> Result<Token, Error> {
        Token::open_with(module, selector, pin, Limits::default()).await
    }

    /// Opens a token and logs its user in. If the token is open already with another PIN, the token judges this one. Limits
    /// are those of a token's first owner.
    ///
    /// # Errors
    /// [`Error::TokenNotFound`], [`Error::TokenAmbiguous`], [`Error::WrongPin`], [`Error::PinLocked`], [`Error::NoUser`], and
    /// those of every call: [`Error::TimedOut`], [`Error::Overloaded`], [`Error::Unreachable`].
    pub async fn open_with(
        module: &Module,
        selector: Selector,
        pin: Zeroizing<String>,
        limits: Limits,
    ) -> Result<Token, Error> {
        let workers = Workers::new(limits.concurrency, limits.time);
        let link = Arc::new(Link::new(module.clone(), selector, pin.clone(), workers));
        let ours = Token { open: Arc::new(Open { link }) };
        let identity = ours.call(Link::identify).await?;
        let known = {
            let mut links = module.links();
            links.retain(|_, open| open.strong_count() > 0);
            let known = links.get(&identity).and_then(Weak::upgrade);
            if known.is_none() {
                links.insert(identity, Arc::downgrade(&ours.open));
            }
            known
        };
        let token = known.map_or(ours, |open| Token { open });
        token.call(move |link| link.change_pin(&pin)).await?;
        Ok(token)
    }

    /// Asks whether a token is there, without a login.
    ///
    /// # Errors
    /// [`Error::TokenNotFound`], [`Error::TokenAmbiguous`], and those of every call.
    pub async fn probe(module: &Module, selector: Selector, limits: Limits) -> Result<(), Error> {
        let workers = Workers::new(1, limits.time);
        let link = Link::new(module.clone(), selector, Zeroizing::default(), workers);
        let unopened = Token { open: Arc::new(Open { link: Arc::new(link) }) };
        unopened.call(Link::identify).await.map(drop)
    }

    /// Makes a key in the token for [`prf`](Token::prf): 32 random bytes that are never shown and never taken out.
    ///
    /// # Errors
    /// [`Error::KeyExists`], [`Error::Unsuitable`], and those of every call. After [`Error::TimedOut`] the key may be there;
    /// [`destroy`](Token::destroy) takes it away.
    pub async fn create_prf_key(&self, key: KeyId, label: &str) -> Result<(), Error> {
        let label = label.to_owned();
        let mut tried = false;
        self.call(move |link| link.visit(|visit| calls::create(visit, key, &label, &mut tried))).await
    }

    /// What the token says of a key; `None` if it has none of this id.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn find(&self, key: KeyId) -> Result<Option<KeyInfo>, Error> {
        self.call(move |link| link.visit(|visit| calls::find(visit, key))).await
    }

    /// Destroys a key. Answers whether there was one; none is no error, so that the call can be repeated until it succeeds.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn destroy(&self, key: KeyId) -> Result<bool, Error> {
        let mut any = false;
        self.call(move |link| {
            link.visit(|visit| {
                any |= calls::destroy(visit, key)?;
                Ok(any)
            })
        })
        .await
    }

    /// HMAC-SHA256 of `data` under a key, computed in the token.
    ///
    /// # Errors
    /// [`Error::KeyMissing`], [`Error::KeyExists`] if there is more than one, and those of every call.
    pub async fn prf(&self, key: KeyId, data: &[u8]) -> Result<Zeroizing<[u8; PRF_LEN]>, Error> {
        let data = data.to_vec();
        self.call(move |link| link.visit(|visit| calls::prf(visit, key, &data))).await
    }

    /// `len` bytes of the token's random generator, at most [`RANDOM_MAX`].
    ///
    /// # Errors
    /// [`Error::Unsuitable`] if it has none or more are asked for, and those of every call.
    pub async fn random(&self, len: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
        if len > RANDOM_MAX {
            return Err(Error::Unsuitable(format!("{len} random bytes at once")));
        }
        self.call(move |link| link.visit(|visit| calls::random(visit, len))).await
    }

    /// Asks whether the token is there and the login stands, for a health check.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn check(&self) -> Result<(), Error> {
        self.call(|link| link.visit(|visit| visit.stands())).await
    }

    /// Threads that hang in the module although their callers were answered, for a metric.
    pub fn late_calls(&self) -> usize {
        self.open.link.workers.late()
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Link) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let link = Arc::clone(&self.open.link);
        self.open.link.workers.run(move || work(&link)).await
    }
}

impl Open {
    pub(crate) fn is(&self, link: &Link) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.link), link)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.link.is_open()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let link = Arc::clone(&self.link);
        // Closing blocks as any call may. Without a thread the sessions end with the process.
        let _ = std::thread::Builder::new().name("hsm-close".to_owned()).spawn(move || link.close());
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}
