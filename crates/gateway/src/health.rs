//! Health checks: `GET /_/health/live` and `GET /_/health/ready`. With the metrics the only
//! answers without authentication.
//!
//! The paths cannot be an object's: no bucket can be named `_`, and on a bucket's own host they are not looked at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use tokio::sync::Mutex;

use crate::app::App;
use crate::response::Response;

/// The path below which health checks lie.
const PREFIX: &str = "/_/health/";

/// For how long an answer stands: whoever asks faster costs the stores nothing.
const FRESH: Duration = Duration::from_secs(1);

/// Whether the stores take writes, asked at most once a second.
pub(crate) struct Readiness {
    store: Arc<dyn meta::Store>,
    blobs: Arc<dyn blob::Blobs>,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    pub(crate) fn new(store: Arc<dyn meta::Store>, blobs: Arc<dyn blob::Blobs>) -> Readiness {
        Readiness { store, blobs, last: Mutex::new(None) }
    }

    pub(crate) fn statistics(&self) -> meta::Statistics {
        self.store.statistics()
    }

    async fn ready(&self) -> bool {
        let mut last = self.last.lock().await;
        if let Some((asked, ready)) = *last
            && asked.elapsed() < FRESH
        {
            return ready;
        }
        // A transaction of nothing goes the way of every other: it fails on a poisoned, full or closed store.
        let result = self.store.commit(meta::Transaction::new()).await;
        if let Err(error) = &result {
            tracing::warn!(%error, "not ready: the metadata store does not take writes");
        }
        let ready = result.is_ok() && !self.blobs.poisoned();
        *last = Some((Instant::now(), ready));
        ready
    }
}

/// The answer, if this is a health check.
pub(crate) async fn check(app: &App, method: &Method, path: &str) -> Option<Response> {
    let name = path.strip_prefix(PREFIX)?;
    if method != Method::GET && method != Method::HEAD {
        return Some(text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n"));
    }
    let mut response = match name {
        "live" => text(StatusCode::OK, "live\n"),
        "ready" if app.readiness.ready().await => text(StatusCode::OK, "ready\n"),
        "ready" => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        _ => text(StatusCode::NOT_FOUND, "no such check\n"),
    };
    response.operation = "Health";
    Some(response)
}

fn text(status: StatusCode, body: &'static str) -> Response {
    Response::full(status, "text/plain", body)
}
