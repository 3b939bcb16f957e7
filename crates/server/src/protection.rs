//! What all keys of a store lie under, for the operator: through the running server, or in its absence on the store itself.

use std::time::Duration;

use crate::config::Config;
use crate::control::{Answer, Request, Status, ask, rotate_root_key};
use crate::error::Error;
use crate::open::{self, Missing, Store};
use crate::root_key::{self, Given, Source};
use crate::{process, secrets};

/// What the store's keys lie under now.
///
/// # Errors
/// [`Error::NoStore`]; what keeps the store from opening.
pub fn status(config: &Config) -> Result<Status, Error> {
    match asked(config, &Request::Status)? {
        Some(Answer::Status(status)) => Ok(status),
        Some(_) => Err(unexpected()),
        None => offline(config, async |store| Ok(store.keys.protection().await?.into())),
    }
}

/// Wraps all domain keys under the root key `to`, in one commit. Returns how many there are.
///
/// # Errors
/// What is wrong with the new root key: then nothing is changed.
pub fn change_root_key(config: &Config, to: &Source) -> Result<usize, Error> {
    let request = Request::RotateRootKey { to: to.to_string(), given: Given::here(to, true)? };
    match asked(config, &request)? {
        Some(Answer::RotatedRootKey { domain_keys }) => Ok(domain_keys),
        Some(_) => Err(unexpected()),
        None => offline(config, async |store| {
            let Request::RotateRootKey { to, given } = request else { return Err(unexpected()) };
            rotate_root_key(&store.keys, &store.data_dir, &to, given).await
        }),
    }
}

/// Makes a new domain key and brings all key material under it. `progress` hears of the status now and then. Returns the number of the
/// new one.
///
/// # Errors
/// What the root key says; a failing store.
pub fn change_domain_key(config: &Config, mut progress: impl FnMut(&Status)) -> Result<u32, Error> {
    let number = match asked(config, &Request::RotateDomainKey)? {
        Some(Answer::RotatedDomainKey { number }) => number,
        Some(_) => return Err(unexpected()),
        None => offline(config, async |store| {
            let number = store.keys.replace_domain_key().await?;
            store.keys.rewrap().await?;
            Ok(number)
        })?,
    };
    loop {
        let status = status(config)?;
        progress(&status);
        if status.pending == 0 {
            return Ok(number);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Makes a root key where `source` says. The store has nothing to do with it yet. Returns what it is, in words.
///
/// # Errors
/// [`Error::SecretsInside`]; one that is there already; a kind that is not made here.
pub fn create_root_key(config: &Config, source: &Source) -> Result<String, Error> {
    process::harden();
    if let Ok(data_dir) = open::locate(config) {
        for path in source.secrets() {
            secrets::refuse_inside(path, &data_dir)?;
        }
    }
    Ok(runtime()?.block_on(root_key::create(source))?.identity().to_string())
}

/// What the running server answers; `None` if none runs.
pub(crate) fn asked(config: &Config, request: &Request) -> Result<Option<Answer>, Error> {
    process::harden();
    match ask(&open::locate(config)?, request)? {
        Some(Answer::Refused(reason)) => Err(Error::Refused(reason)),
        answer => Ok(answer),
    }
}

/// Does it here, on the store of a stopped server.
pub(crate) fn offline<T>(config: &Config, work: impl AsyncFnOnce(&Store) -> Result<T, Error>) -> Result<T, Error> {
    runtime()?.block_on(async {
        let store = Store::open(config, Missing::Refuse).await?;
        let result = work(&store).await;
        store.close().await;
        result
    })
}

pub(crate) fn unexpected() -> Error {
    Error::Refused("it answered something else than it was asked".to_owned())
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::System("the runtime", error))
}

/// A thousand materials are re-wrapped meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
