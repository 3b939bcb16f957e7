//! From the settings to a serving process, and to its end.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use gateway::{App, Domains, Gateway, Limits, Parts, Safeguards};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;
use crate::control::{Control, Served};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::listener::Connections;
use crate::open::{Missing, Store};
use crate::tls::Tls;
use crate::welcome::Welcome;
use crate::{accounts, doors, files, oidc, process, tasks, trails};

/// Serves until SIGTERM or SIGINT. `welcome` is called once it is ready, if this start has made the store.
///
/// # Errors
/// Whatever keeps it from starting. Once it serves, it ends well.
pub fn run(config: &Config, welcome: impl FnOnce(&Welcome)) -> Result<(), Error> {
    let started = Instant::now();
    process::harden();
    process::raise_file_limit();
    process::lock_memory();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(|error| Error::System("the runtime", error))?;
    let result = runtime.block_on(serve(config, started, welcome));
    // What still waits for the disk is not waited for: nothing of it was acknowledged.
    runtime.shutdown_background();
    result
}

async fn serve(config: &Config, started: Instant, welcome: impl FnOnce(&Welcome)) -> Result<(), Error> {
    // Before anything is made, so that a signal at any moment ends the process in order.
    let mut signals = Signals::new()?;
    let store = Store::open(config, Missing::Make).await?;
    let (root, made_credentials) = root_credentials(config, &store)?;
    let wanted = doors::wanted(config);
    let tls = match wanted.iter().any(|door| door.tls) {
        true => Some(Tls::new(config, &store.secrets)?),
        false => None,
    };
    let more = config.accounts.as_deref().map(accounts::load).transpose()?.unwrap_or_default();
    accounts::provision(&store.iam, &root, more).await?;
    store.iam.reach_issuers(oidc::network(config)?);
    let app = Arc::new(app(config, &store));
    let connections = Connections::new(Gateway::new(Arc::clone(&app)), config.max_connections);
    // All addresses first: a server with half of its listeners would look like one that works.
    let doors = doors::open(config, wanted, tls.as_ref())?;
    let (control, socket) = Control::listen(&store.data_dir, Served::of(&store))?;
    for (listener, door) in doors {
        tokio::spawn(Arc::clone(&connections).accept(listener, door));
    }
    let development = tls.and_then(|tls| tls.development);
    let mut running = tasks::start(&store, development);
    running.spawn(control.serve());
    running.spawn(tasks::tell(Arc::clone(&app)));
    running.spawn(trails::deliver(&store, app, config.trails));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        data_dir = %store.data_dir.display(),
        account = %store.identity.account,
        region = %store.identity.region,
        milliseconds = started.elapsed().as_millis(),
        "ready"
    );
    if let Some(root_key) = store.made.clone() {
        let root_credentials = if made_credentials { Some(store.secrets.root_credentials()?) } else { None };
        let (data_dir, account) = (store.data_dir.clone(), store.identity.account);
        welcome(&Welcome { data_dir, root_key, root_credentials, account });
    }

    let signal = loop {
        tokio::select! {
            signal = signals.next() => break signal,
            // They never end by themselves; the server is of use without one, but somebody has to know.
            Some(_) = running.join_next() => tracing::error!("a background task has panicked; it runs again after a restart"),
        }
    };
    tracing::info!(signal, "stopping: no more connections are accepted, requests under way are answered");
    tokio::select! {
        left = connections.stop(STOP_LIMIT) => {
            if left > 0 {
                tracing::warn!(connections = left, "not all requests ended in time");
            }
        }
        signal = signals.next() => tracing::warn!(signal, "told again: requests under way are cut off"),
    }
    drop(running);
    drop(socket);
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

fn app(config: &Config, store: &Store) -> App {
    let settings = gateway::Settings {
        region: store.identity.region.clone(),
        domains: Domains::new(&config.domains),
        clock: Arc::new(SystemTime::now),
        limits: Limits::default(),
        safeguards: Safeguards {
            trusted_proxies: config.trusted_proxies.clone(),
            delay_failures: config.delay_failures,
            request_rate: config.request_rate,
            quotas: config.request_quotas,
        },
    };
    let parts = Parts {
        objects: Arc::clone(&store.objects),
        keys: Arc::clone(&store.keys),
        identity: Arc::clone(&store.iam),
        audit: Arc::clone(store.audit()),
        trails: Arc::clone(&store.trails),
        store: Arc::clone(&store.meta),
        blobs: Arc::clone(&store.blobs),
    };
    App::new(parts, settings)
}

/// The given ones, or those of the secrets folder, which are made if they are not there.
fn root_credentials(config: &Config, store: &Store) -> Result<(Credentials, bool), Error> {
    if let Some(given) = &config.root_credentials {
        return Ok((given.duplicate(), false));
    }
    let path = store.secrets.root_credentials()?;
    match Credentials::load(&path) {
        Err(error) if error.is_not_found() => {
            files::make_folder(store.secrets.folder()?)?;
            let made = Credentials::generate();
            made.store(&path)?;
            tracing::info!(path = %path.display(), access_key_id = made.access_key_id(), "made root credentials");
            Ok((made, true))
        }
        other => Ok((other?, false)),
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Signals, Error> {
        let listen = |kind| signal(kind).map_err(|error| Error::System("signals", error));
        Ok(Signals { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// For what is under way when the server is told to stop. Supervisors kill after 30 to 90 seconds.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// More than the blob store's reads and writes together; each is a thread only while it waits for the disk.
const BLOCKING_THREADS: usize = 256;
