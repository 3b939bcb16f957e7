//! Logs: one line an event, to standard error. What is a secret has no `Debug` and no `Display`, so it cannot come here.

use std::io::IsTerminal;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Config, LogFormat};

/// Starts to log as the settings say. Once for a process; later calls change nothing.
pub fn start(config: &Config) {
    // The settings have parsed it already.
    let filter: Targets = config.log_level.parse().unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match config.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    // Fails if there is a subscriber already, as in a test.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}
