//! What runs beside the requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use blob::Blobs;
use keys::Keys;
use objects::Objects;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, interval_at};

use crate::open::Store;
use crate::tls::Development;

/// Starts all of them. They end when the set is dropped, wherever they are: each of their steps is one commit or one deletion.
pub(crate) fn start(store: &Store, development: Option<Development>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(sweep(Arc::clone(&store.objects)));
    tasks.spawn(tick(Arc::clone(&store.keys)));
    tasks.spawn(remember(Arc::clone(&store.iam)));
    tasks.spawn(tidy(Arc::clone(&store.blobs)));
    tasks.spawn(retire(Arc::clone(store.audit())));
    if let Some(development) = development {
        tasks.spawn(renew(development));
    }
    tasks
}

/// Deletes blobs that no record names. At the start no upload of this process is older than the process, so all that is, is an
/// orphan; later on, an upload may be long under way.
async fn sweep(objects: Arc<Objects>) {
    let started = Instant::now();
    let mut every = interval(SWEEP_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut grace = None;
    loop {
        every.tick().await;
        let result = objects.sweep(grace.unwrap_or_else(|| started.elapsed() + START_MARGIN)).await;
        grace = Some(SWEEP_GRACE);
        match result {
            Ok(report) if report.deleted > 0 => {
                tracing::info!(deleted = report.deleted, bytes = report.bytes, "swept orphaned blobs");
            }
            Ok(report) => tracing::debug!(examined = report.examined, "no orphaned blobs"),
            Err(error) => tracing::warn!(%error, "the sweep of orphaned blobs failed; it is tried again later"),
        }
    }
}

/// Deletes keys whose waiting period has passed.
async fn tick(keys: Arc<Keys>) {
    let mut every = interval(TICK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = keys.tick().await {
            tracing::warn!(%error, "the deletion of expired keys failed; it is tried again later");
        }
    }
}

/// Records what KMS does by itself, when it does it; and now and then all the same, for what a failing store left.
pub(crate) async fn tell(app: Arc<gateway::App>) {
    let mut every = interval(TICK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = app.keys.service_event() => {}
        }
        if let Err(error) = gateway::record::record_service_events(&app).await {
            tracing::error!(error, "what KMS did by itself could not be recorded; it is tried again");
        }
    }
}

/// Writes when access keys and roles were last used.
async fn remember(iam: Arc<identity::Identity>) {
    let mut every = interval(TICK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = iam.flush().await {
            tracing::warn!(%error, "the last uses of access keys could not be written; it is tried again later");
        }
    }
}

/// Removes from the audit log what is older than it is kept.
async fn retire(audit: Arc<audit::Audit>) {
    let mut every = interval(RETIRE_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = audit.prune().await {
            tracing::warn!(%error, "old events could not be removed from the audit log; it is tried again later");
        }
    }
}

/// Wipes and frees idle buffers.
async fn tidy(blobs: Arc<dyn Blobs>) {
    let mut every = interval(TIDY_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        blobs.buffers().tidy();
    }
}

async fn renew(development: Development) {
    let mut every = interval_at(tokio::time::Instant::now() + Development::EVERY, Development::EVERY);
    loop {
        every.tick().await;
        match development.renew() {
            Ok(()) => tracing::info!("renewed the development certificate"),
            Err(error) => tracing::error!(%error, "the development certificate could not be renewed"),
        }
    }
}

/// A crash leaves orphans, and a start sweeps; in between only failed deletions do.
const SWEEP_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// Longer than anybody writes one blob: a part of 5 GiB at 60 KiB/s.
const SWEEP_GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// Against file systems that keep times in steps of up to two seconds.
const START_MARGIN: Duration = Duration::from_secs(3);
/// Waiting periods are in days.
const TICK_EVERY: Duration = Duration::from_secs(60);
/// Retention is in days.
const RETIRE_EVERY: Duration = Duration::from_secs(60 * 60);
/// For how long plaintext may stay in an idle buffer.
const TIDY_EVERY: Duration = Duration::from_secs(5);
