//! `GET /_/metrics`: counters in the Prometheus text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>), for callers on this machine alone.
//!
//! They tell how the store and the re-wrapping of its keys are doing and nothing of what is in it. Who scrapes from elsewhere runs an agent here, as with any
//! exporter that has no authentication of its own.

use http::{Method, StatusCode};

use crate::app::App;
use crate::response::Response;

/// The path, which cannot be an object's: no bucket can be named `_`.
const PATH: &str = "/_/metrics";

/// The answer, if this asks for metrics.
pub(crate) fn answer(app: &App, method: &Method, path: &str, is_local: bool) -> Option<Response> {
    if path != PATH || method != Method::GET {
        return None;
    }
    let mut response = if is_local {
        Response::full(
            StatusCode::OK,
            "text/plain; version=0.0.4",
            render(&app.readiness.statistics(), app.keys.rewrapping()),
        )
    } else {
        Response::full(StatusCode::FORBIDDEN, "text/plain", "metrics are for callers on this machine\n")
    };
    response.operation = "Metrics";
    Some(response)
}

fn render(statistics: &meta::Statistics, rewrapping: keys::Progress) -> String {
    let meta::Statistics { transactions, conflicts, groups, syncs, checkpoints } = statistics;
    let counters = [
        ("transactions", transactions, "Transactions of the metadata store that were committed."),
        ("conflicts", conflicts, "Transactions that were refused because an expectation did not hold."),
        ("groups", groups, "Commits, each of one or more transactions."),
        ("syncs", syncs, "Syncs of the metadata store to the disk."),
        ("checkpoints", checkpoints, "Times that the write-ahead log was carried over."),
    ]
    .map(|(name, value, help)| metric(&format!("strongroom_meta_{name}_total"), "counter", *value, help));
    let keys::Progress { pending, rewrapped } = rewrapping;
    let help = "Key materials that wait to come under the newest domain key, as the pass that runs has counted them.";
    let pending = metric("strongroom_keys_rewrap_pending", "gauge", pending, help);
    let help = "Key materials that came under the newest domain key since the server was started.";
    let rewrapped = metric("strongroom_keys_rewrapped_total", "counter", rewrapped, help);
    [counters.concat(), pending, rewrapped].concat()
}

fn metric(name: &str, kind: &str, value: u64, help: &str) -> String {
    format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_in_prometheus_words() {
        let statistics = meta::Statistics { syncs: 17, ..meta::Statistics::default() };
        let text = render(&statistics, keys::Progress { pending: 3, rewrapped: 4 });
        assert!(text.ends_with("# TYPE strongroom_keys_rewrapped_total counter\nstrongroom_keys_rewrapped_total 4\n"));
        assert!(
            text.contains("# TYPE strongroom_meta_syncs_total counter\nstrongroom_meta_syncs_total 17\n"),
            "{text}"
        );
    }
}
