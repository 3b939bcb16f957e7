//! The delivery of trails.

use std::sync::Arc;
use std::time::Duration;

use audit::trail::{Deliverer, Pace};
use gateway::App;
use gateway::cloudtrail::Delivery;
use tokio::time::{MissedTickBehavior, interval};

use crate::open::Store;

/// Delivers log files and digests for as long as the server runs.
pub(crate) fn deliver(store: &Store, app: Arc<App>, pace: Pace) -> impl Future<Output = ()> + Send + 'static {
    let regions = store.keys.regions().cloned().collect();
    let (audit, trails) = (Arc::clone(store.audit()), Arc::clone(&store.trails));
    let deliverer = Deliverer::new(audit, trails, regions, Delivery::new(app), pace);
    async move {
        // What is due is decided there; this is how exactly.
        let mut every = interval((pace.log_files.min(pace.digests) / STEPS).clamp(OFTEN, SELDOM));
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if let Err(error) = deliverer.tick().await {
                tracing::warn!(%error, "the delivery of trails failed; it is tried again");
            }
        }
    }
}

/// How often in a delivery's time it is looked whether one is due.
const STEPS: u32 = 10;
const OFTEN: Duration = Duration::from_millis(250);
const SELDOM: Duration = Duration::from_secs(15);
