//! The way into one token: its login, its sessions and the handles of its keys, made anew when they were lost.
//!
//! Everything here blocks, and runs on the threads of [`workers`](crate::workers).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::module::{Module, Selector, TokenIdentity};
use crate::workers::Workers;
use crate::{Error, KeyId};

/// How long a token that was not found is left alone: looking for it costs a network HSM's module a round of its servers.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);
/// How often a call is made: once; once more over a link that was reopened; once more over a module that was restarted.
const TRIALS: usize = 3;

/// A token of a process, with the one login that all of its sessions share.
pub(crate) struct Link {
    module: Module,
    selector: Selector,
    pub(crate) workers: Workers,
    state: Mutex<State>,
    /// Held while a key is made or destroyed: SoftHSM fails some of those that run at once.
    writing: Mutex<()>,
}

struct State {
    pin: Zeroizing<String>,
    door: Door,
}

enum Door {
    Open(Opened),
    /// Not opened yet, or lost. After a failure, until when its error stands.
    Shut(Option<(Instant, Error)>),
    /// The PIN was refused. It is not tried again, for each trial brings the token nearer to being locked.
    Refused(Error),
}

struct Opened {
    /// Which start of the module this belongs to.
    generation: u64,
    /// Which opening of this link.
    epoch: Instant,
    slot: Slot,
    /// Stays open and unused: with a token's last session its login ends.
    anchor: Session,
    /// Sessions that no call is using.
    idle: Vec<Session>,
    handles: HashMap<KeyId, ObjectHandle>,
}

/// Why a trial of a call failed.
enum Failed {
    /// The token could not be found or did not let us in.
    Opening(Error),
    /// What had been opened was lost.
    Calling(Error),
    /// The answer stands.
    Stands(Error),
}

/// A session for one call, and what the call may know.
pub(crate) struct Visit<'a> {
    pub(crate) session: &'a Session,
    pub(crate) module: &'a Module,
    pub(crate) slot: Slot,
    link: &'a Link,
    epoch: Instant,
}

impl Link {
    pub(crate) fn new(module: Module, selector: Selector, pin: Zeroizing<String>, workers: Workers) -> Link {
        let state = Mutex::new(State { pin, door: Door::Shut(None) });
        Link { module, selector, workers, state, writing: Mutex::default() }
    }

    /// Makes `call` in a session that is logged in. It may be made up to three times: it must be good to repeat.
    pub(crate) fn visit<T>(&self, mut call: impl FnMut(&Visit<'_>) -> Result<T, Failure>) -> Result<T, Error> {
        for trial in 1.. {
            let (failed, generation) = {
                let (started, usable) = self.module.enter();
                let outcome =
                    usable.map_err(Failed::Opening).and_then(|()| self.attempt(started.generation, &mut call));
                match outcome {
                    Ok(value) => return Ok(value),
                    Err(Failed::Stands(error)) => return Err(error),
                    Err(failed) => (failed, started.generation),
                }
            };
            let error = match failed {
                // It may only have met a session that has ended: the second trial has a new one.
                _ if trial == 1 => continue,
                // Where not even a login is to be had, a module may have lost sight of its token.
                Failed::Opening(_) if trial < TRIALS && self.module.restart(generation, self) => continue,
                Failed::Opening(error) | Failed::Calling(error) | Failed::Stands(error) => error,
            };
            self.lock().door.rest(&error);
            return Err(error);
        }
        unreachable!("the third trial returns")
    }

    /// Finds the token without a login, and what it calls itself.
    pub(crate) fn identify(&self) -> Result<TokenIdentity, Error> {
        let look = || {
            let (started, usable) = self.module.enter();
            let found = usable.map_err(Failure::Lost).and_then(|()| self.module.find(&self.selector));
            (found, started.generation)
        };
        let found = match look() {
            (Err(Failure::Lost(_)), generation) if self.module.restart(generation, self) => look().0,
            (found, _) => found,
        };
        found.map(|(_, identity)| identity).map_err(Failure::into_error)
    }

    fn attempt<T>(
        &self,
        generation: u64,
        call: &mut impl FnMut(&Visit<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failed> {
        let (session, slot, epoch) = self.take(generation).map_err(|failure| match failure {
            Failure::Final(error) => Failed::Stands(error),
            Failure::Lost(error) | Failure::Unclear(error) => Failed::Opening(error),
        })?;
        let visit = Visit { session: &session, module: &self.module, slot, link: self, epoch };
        match call(&visit) {
            Ok(value) => {
                self.give_back(session, epoch);
                Ok(value)
            }
            Err(Failure::Final(error)) => {
                // An operation may be half-way in it.
                let _ = session.close();
                Err(Failed::Stands(error))
            }
            Err(Failure::Unclear(error)) if visit.stands().is_ok() => {
                let _ = session.close();
                Err(Failed::Calling(error))
            }
            Err(Failure::Lost(error) | Failure::Unclear(error)) => {
                let _ = session.close();
                self.shut(epoch);
                Err(Failed::Calling(error))
            }
        }
    }

    /// A session that is logged in, from those that idle or a new one.
    fn take(&self, generation: u64) -> Result<(Session, Slot, Instant), Failure> {
        let mut state = self.lock();
        if matches!(&state.door, Door::Open(opened) if opened.generation != generation) {
            state.door.shut(generation);
        }
        match &state.door {
            Door::Open(_) => {}
            Door::Refused(error) => return Err(Failure::Final(error.clone())),
            Door::Shut(Some((until, error))) if Instant::now() < *until => return Err(Failure::Final(error.clone())),
            Door::Shut(_) => {
                let opened = self.open(generation, &state.pin);
                if let Err(Failure::Final(error @ (Error::WrongPin | Error::PinLocked | Error::NoUser))) = &opened {
                    state.door = Door::Refused(error.clone());
                }
                state.door = Door::Open(opened?);
            }
        }
        let Door::Open(opened) = &mut state.door else { unreachable!("it was opened above") };
        let (slot, epoch) = (opened.slot, opened.epoch);
        if let Some(session) = opened.idle.pop() {
            return Ok((session, slot, epoch));
        }
        match self.module.library().open_rw_session_no_drop(slot) {
            Ok(session) => Ok((session, slot, epoch)),
            Err(error) => {
                let failure = Failure::from(error);
                if !matches!(failure, Failure::Final(_)) {
                    state.door.shut(generation);
                }
                Err(failure)
            }
        }
    }

    /// Finds the token and logs in.
    fn open(&self, generation: u64, pin: &Zeroizing<String>) -> Result<Opened, Failure> {
        let (slot, _) = self.module.find(&self.selector)?;
        let anchor = self.module.library().open_rw_session_no_drop(slot).map_err(Failure::from)?;
        if let Err(failure) = login(&anchor, pin) {
            drop(anchor.close());
            return Err(failure);
        }
        let epoch = Instant::now();
        Ok(Opened { generation, epoch, slot, anchor, idle: Vec::new(), handles: HashMap::new() })
    }

    /// Takes the PIN of somebody who opens the token: if it is another one than before, the token judges it.
    ///
    /// # Errors
    /// Those of a login. A PIN that was good before stays.
    pub(crate) fn change_pin(&self, pin: &Zeroizing<String>) -> Result<(), Error> {
        let before = {
            let (started, _) = self.module.enter();
            let mut state = self.lock();
            let refused = matches!(state.door, Door::Refused(_));
            if !refused && bool::from(state.pin.as_bytes().ct_eq(pin.as_bytes())) {
                None
            } else {
                state.door.shut(started.generation);
                let before = std::mem::replace(&mut state.pin, pin.clone());
                (!refused).then_some(before)
            }
        };
        let outcome = self.visit(|_| Ok(()));
        if let (Err(_), Some(before)) = (&outcome, before) {
            let (started, _) = self.module.enter();
            let mut state = self.lock();
            state.pin = before;
            state.door.shut(started.generation);
        }
        outcome
    }

    /// Whether a login stands and the token is there, as far as can be said without waiting for another call.
    pub(crate) fn is_open(&self) -> bool {
        let (started, _) = self.module.enter();
        let slot = self.state.try_lock().ok().and_then(|state| match &state.door {
            Door::Open(opened) if opened.generation == started.generation => Some(opened.slot),
            _ => None,
        });
        slot.is_some_and(|slot| self.module.library().get_token_info(slot).is_ok())
    }

    fn give_back(&self, session: Session, epoch: Instant) {
        match &mut self.lock().door {
            Door::Open(opened) if opened.epoch == epoch => opened.idle.push(session),
            _ => drop(session.close()),
        }
    }

    /// Shuts the door that was opened at `epoch`, unless somebody has opened another since.
    fn shut(&self, epoch: Instant) {
        let mut state = self.lock();
        if let Door::Open(Opened { generation, epoch: current, .. }) = state.door
            && current == epoch
        {
            state.door.shut(generation);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in between leaves at worst a door that is shut.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the sessions, and with the last one the login. Blocks as every call into a module may.
    pub(crate) fn close(&self) {
        let (started, _) = self.module.enter();
        let mut state = self.lock();
        state.door.shut(started.generation);
    }
}

impl Door {
    /// Closes what was opened in this start of the module. Of an earlier one there are mere numbers left, and closing them
    /// might close somebody else's session.
    fn shut(&mut self, generation: u64) {
        if let Door::Open(opened) = std::mem::replace(self, Door::Shut(None))
            && opened.generation == generation
        {
            for session in opened.idle {
                let _ = session.close();
            }
            // Ends the login too, so that the next one asks for the PIN.
            let _ = opened.anchor.logout();
            let _ = opened.anchor.close();
        }
    }

    /// Leaves a token that could not be reached alone for a while.
    fn rest(&mut self, error: &Error) {
        if let Door::Shut(rest) = self {
            *rest = Some((Instant::now() + REOPEN_PAUSE, error.clone()));
        }
    }
}

impl Visit<'_> {
    /// Fails unless the token is there and its user logged in.
    pub(crate) fn stands(&self) -> Result<(), Failure> {
        let gone = |error: Pkcs11Error| Failure::Lost(Error::Unreachable(error.to_string()));
        self.module.library().get_token_info(self.slot).map_err(gone)?;
        match self.session.get_session_info().map_err(gone)?.session_state() {
            SessionState::RwUser | SessionState::RoUser => Ok(()),
            _ => Err(Failure::Lost(Error::Unreachable("the login has ended".to_owned()))),
        }
    }

    /// Waits until nobody else makes or destroys a key.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.link.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle of a key that was found over this link before.
    pub(crate) fn handle(&self, key: KeyId) -> Option<ObjectHandle> {
        match &self.link.lock().door {
            Door::Open(opened) if opened.epoch == self.epoch => opened.handles.get(&key).copied(),
            _ => None,
        }
    }

    /// Remembers a key's handle, or forgets it.
    pub(crate) fn remember(&self, key: KeyId, handle: Option<ObjectHandle>) {
        if let Door::Open(opened) = &mut self.link.lock().door
            && opened.epoch == self.epoch
        {
            match handle {
                Some(handle) => opened.handles.insert(key, handle),
                None => opened.handles.remove(&key),
            };
        }
    }
}

/// Logs the process in to the token of `session`, with the PIN that the token really checked.
fn login(session: &Session, pin: &Zeroizing<String>) -> Result<(), Failure> {
    let pin = AuthPin::new(pin.as_str().into());
    match session.login(UserType::User, Some(&pin)) {
        // Left over from a link that has ended: it says nothing of this PIN.
        Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
            session.logout()?;
            session.login(UserType::User, Some(&pin)).map_err(Failure::from)
        }
        other => other.map_err(Failure::from),
    }
}
