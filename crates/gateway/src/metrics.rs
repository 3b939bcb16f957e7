//! `GET /_/metrics`: counters in the Prometheus text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>), for callers on this machine alone.
//!
//! They tell how the store is doing and nothing of what is in it. Who scrapes from elsewhere runs an agent here, as with any
//! exporter that has no authentication of its own.

use std::net::IpAddr;

use http::{Method, StatusCode};

use crate::app::App;
use crate::response::Response;

/// The path, which cannot be an object's: no bucket can be named `_`.
const PATH: &str = "/_/metrics";

/// The answer, if this asks for metrics.
pub(crate) fn answer(app: &App, method: &Method, path: &str, peer: IpAddr) -> Option<Response> {
    if path != PATH || method != Method::GET {
        return None;
    }
    let mut response = if peer.to_canonical().is_loopback() {
        Response::full(StatusCode::OK, "text/plain; version=0.0.4", render(&app.readiness.statistics()))
    } else {
        Response::full(StatusCode::FORBIDDEN, "text/plain", "metrics are for callers on this machine\n")
    };
    response.operation = "Metrics";
    Some(response)
}

fn render(statistics: &meta::Statistics) -> String {
    let meta::Statistics { transactions, conflicts, groups, syncs, checkpoints } = statistics;
    [
        ("transactions", transactions, "Transactions of the metadata store that were committed."),
        ("conflicts", conflicts, "Transactions that were refused because an expectation did not hold."),
        ("groups", groups, "Commits, each of one or more transactions."),
        ("syncs", syncs, "Syncs of the metadata store to the disk."),
        ("checkpoints", checkpoints, "Times that the write-ahead log was carried over."),
    ]
    .map(|(name, value, help)| {
        let name = format!("strongroom_meta_{name}_total");
        format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n")
    })
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_in_prometheus_words() {
        let statistics = meta::Statistics { syncs: 17, ..meta::Statistics::default() };
        let text = render(&statistics);
        assert!(
            text.contains("# TYPE strongroom_meta_syncs_total counter\nstrongroom_meta_syncs_total 17\n"),
            "{text}"
        );
    }
}
