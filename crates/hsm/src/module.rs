//! PKCS#11 modules: libraries, each loaded and initialised once in a process, and the tokens that they show.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::slot::Slot;
use tokio::sync::watch;

use crate::Error;
use crate::error::Failure;
use crate::link::Link;
use crate::token::Open;

/// How long loading a module and its `C_Initialize` may take: some go through their network's whole configuration.
const LOAD_LIMIT: Duration = Duration::from_secs(20);
/// The shortest time between two restarts of a module: each ends the sessions of every token that it shows.
const RESTART_PAUSE: Duration = Duration::from_secs(2);
/// The same while another token of the module is in use.
const RESTART_PAUSE_SHARED: Duration = Duration::from_secs(30);
/// How long a restart waits for the calls that other tokens have in flight, before it lets them be.
const RESTART_PATIENCE: Duration = Duration::from_millis(250);

/// A module, initialised. Clones are the same module.
#[derive(Clone)]
pub struct Module {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    library: Pkcs11,
    /// Read during each call, written during a restart: `C_Finalize` while calls run is undefined.
    gate: RwLock<Started>,
    /// The open tokens. One token has one link, for its login state is the process's, not a session's.
    links: Mutex<HashMap<TokenIdentity, Weak<Open>>>,
}

/// The time from one `C_Initialize` to the next `C_Finalize`.
pub(crate) struct Started {
    /// Counts the starts. Slots, sessions and handles of an earlier start mean nothing, or something else.
    pub(crate) generation: u64,
    at: Instant,
    /// Why the module could not be started again, if it could not.
    failed: Option<Error>,
}

/// Which of a module's tokens is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// The token with this label.
    Label(String),
    /// The token with this serial number.
    Serial(String),
    /// The token in the slot with this number. Some modules number their slots anew with each start.
    Slot(u64),
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Label(label) => write!(formatter, "the label {label:?}"),
            Selector::Serial(serial) => write!(formatter, "the serial number {serial:?}"),
            Selector::Slot(slot) => write!(formatter, "the slot number {slot}"),
        }
    }
}

/// What a token calls itself: its label and serial number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TokenIdentity {
    label: String,
    serial: String,
}

type Loading = watch::Receiver<Option<Result<Module, Error>>>;

/// Every module of the process that is loaded or being loaded, by its resolved path.
static MODULES: LazyLock<Mutex<HashMap<PathBuf, Loading>>> = LazyLock::new(Mutex::default);

impl Module {
    /// Loads the library at `path` and initialises it, or gives the one that is loaded already.
    ///
    /// A module stays loaded until the process ends: unloading one whose threads may still run is not safe.
    ///
    /// # Errors
    /// [`Error::Module`]; [`Error::TimedOut`] if it takes longer than 20 s, while it may still come up and is then there for
    /// the next caller.
    pub async fn load(path: &Path) -> Result<Module, Error> {
        let unusable = |reason: String| Error::Module { path: path.to_owned(), reason };
        // Two names of one library are one module: a second C_Initialize of it would fail.
        let path = std::fs::canonicalize(path).map_err(|error| unusable(error.to_string()))?;
        let mut loading = {
            let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
            // One that failed is tried again: what was wrong may have been put right.
            let usable = |known: &&Loading| !matches!(&*known.borrow(), Some(Err(_)));
            if let Some(known) = modules.get(&path).filter(usable) {
                known.clone()
            } else {
                let (sender, receiver) = watch::channel(None);
                let library = path.clone();
                std::thread::Builder::new()
                    .name("hsm-load".to_owned())
                    .spawn(move || sender.send_replace(Some(start(&library))))
                    .map_err(|error| unusable(error.to_string()))?;
                modules.insert(path.clone(), receiver.clone());
                receiver
            }
        };
        let loaded = tokio::time::timeout(LOAD_LIMIT, loading.wait_for(Option::is_some)).await;
        match loaded {
            Ok(Ok(loaded)) => loaded.clone().expect("the wait was for a value"),
            Ok(Err(_)) => Err(unusable("loading it panicked".to_owned())),
            Err(_) => Err(Error::TimedOut),
        }
    }

    /// The library.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    pub(crate) fn library(&self) -> &Pkcs11 {
        &self.inner.library
    }

    /// Keeps the module from being restarted while the guard lives: during each call.
    ///
    /// The result says whether the module could be started again; if not, the next [`restart`](Module::restart) tries once
    /// more.
    pub(crate) fn enter(&self) -> (RwLockReadGuard<'_, Started>, Result<(), Error>) {
        let started = self.inner.gate.read().unwrap_or_else(PoisonError::into_inner);
        let usable = started.failed.clone().map_or(Ok(()), Err);
        (started, usable)
    }

    /// Ends the module and starts it again: what some need to see a token that was away, SoftHSM and network HSMs among them.
    ///
    /// `generation` is the start in which `link` did not find its token: if there was another since, nothing is done. Nothing
    /// is done either, and the answer is no, if the last start was just now or calls are in flight.
    pub(crate) fn restart(&self, generation: u64, link: &Link) -> bool {
        let others: Vec<_> = self.links().values().filter_map(Weak::upgrade).collect();
        let others = others.iter().any(|other| !other.is(link) && other.is_open());
        let pause = if others { RESTART_PAUSE_SHARED } else { RESTART_PAUSE };
        let deadline = Instant::now() + RESTART_PATIENCE;
        let mut started = loop {
            match self.inner.gate.try_write() {
                Ok(started) => break started,
                Err(std::sync::TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(std::sync::TryLockError::WouldBlock) if Instant::now() >= deadline => return false,
                Err(std::sync::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        if started.generation != generation {
            return true;
        }
        if started.at.elapsed() < pause {
            return false;
        }
        tracing::warn!(module = %self.inner.path.display(), "the PKCS#11 module is started again, to find its tokens");
        let _ = self.inner.library.clone().finalize();
        let failed = initialize(&self.inner.library).err().map(|reason| self.unusable(reason));
        *started = Started { generation: generation + 1, at: Instant::now(), failed };
        true
    }

    /// Finds a token that is present, and what it calls itself. Inside [`enter`](Module::enter).
    pub(crate) fn find(&self, selector: &Selector) -> Result<(Slot, TokenIdentity), Failure> {
        let mut found = None;
        for slot in self.inner.library.get_slots_with_token().map_err(Failure::from)? {
            // A slot whose token does not even say its name is as good as empty.
            let Ok(info) = self.inner.library.get_token_info(slot) else { continue };
            let fits = match selector {
                Selector::Label(label) => info.label() == label,
                Selector::Serial(serial) => info.serial_number() == serial,
                Selector::Slot(number) => slot.id() == *number,
            };
            if !fits || !info.token_initialized() {
                continue;
            }
            if found.is_some() {
                return Err(Failure::Final(Error::TokenAmbiguous(selector.to_string())));
            }
            let identity = TokenIdentity { label: info.label().to_owned(), serial: info.serial_number().to_owned() };
            found = Some((slot, identity));
        }
        // A module may have to be started again to see it.
        found.ok_or_else(|| Failure::Lost(Error::TokenNotFound(selector.to_string())))
    }

    /// The open tokens of this module.
    pub(crate) fn links(&self) -> MutexGuard<'_, HashMap<TokenIdentity, Weak<Open>>> {
        self.inner.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unusable(&self, reason: String) -> Error {
        Error::Module { path: self.inner.path.clone(), reason }
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Module").field(&self.inner.path).finish()
    }
}

fn start(path: &Path) -> Result<Module, Error> {
    let unusable = |reason: String| Error::Module { path: path.to_owned(), reason };
    let library = Pkcs11::new(path).map_err(|error| unusable(error.to_string()))?;
    initialize(&library).map_err(unusable)?;
    let inner = Inner {
        path: path.to_owned(),
        library,
        gate: RwLock::new(Started { generation: 0, at: Instant::now(), failed: None }),
        links: Mutex::default(),
    };
    Ok(Module { inner: Arc::new(inner) })
}

fn initialize(library: &Pkcs11) -> Result<(), String> {
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
