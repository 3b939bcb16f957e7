//! The project's benchmark: a fresh server under a load generator of its own, and beside it what the machine can do at best.
//!
//! Figures are ratios and CPU times of the *server's* process, read from the kernel, since the load generator shares the
//! machine with it. Any other S3 endpoint can be driven in the same way (`--endpoint`), its process named by `--pid`.

mod access;
mod bare;
mod connection;
mod kms;
mod load;
mod machine;
mod memory;
mod process;
mod report;
mod scenario;
mod target;

use clap::Parser;
use scenario::{Mode, Operation, Scenario};
use std::time::Duration;
use target::Target;

/// Everything that can go wrong ends the run: a benchmark that goes on after an error measures something else.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    #[error("{0}")]
    Failed(String),
}

/// Measures a server: requests and MiB a second, latency, server CPU, peak memory.
#[derive(Parser, Debug)]
#[command(name = "strongroom-bench")]
pub(crate) struct Options {
    /// Another S3 endpoint to drive, as http://HOST:PORT; without it a fresh Strongroom is started.
    #[arg(long)]
    endpoint: Option<String>,
    /// The process of that endpoint, for its CPU time and memory.
    #[arg(long, requires = "endpoint")]
    pid: Option<u32>,
    /// Credentials for that endpoint, as ACCESS_KEY_ID:SECRET.
    #[arg(long, requires = "endpoint")]
    credentials: Option<String>,
    /// The binary to start (default: target/release/strongroom, built first by the caller).
    #[arg(long, default_value = "target/release/strongroom")]
    binary: std::path::PathBuf,
    /// Where the fresh server keeps its data (a folder below it; default: the system's temporary folder).
    #[arg(long)]
    folder: Option<std::path::PathBuf>,
    /// Seconds for each line of the table.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Object sizes in bytes, comma separated.
    #[arg(long, value_delimiter = ',', default_values_t = [4 << 10, 64 << 10, 1 << 20, 64 << 20])]
    sizes: Vec<usize>,
    /// Encryption modes, comma separated.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Mode::ALL)]
    modes: Vec<Mode>,
    /// Operations, comma separated.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Operation::ALL)]
    operations: Vec<Operation>,
    /// Connections, comma separated.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    connections: Vec<usize>,
    /// The bytes are sent as they are, without aws-chunked and its trailing CRC-32.
    #[arg(long)]
    plain_payload: bool,
    /// 64 transfers of 1 GiB at once, in each direction, and the server's peak memory; nothing else.
    #[arg(long)]
    memory: bool,
    /// KMS: each kind of key beside its primitive, requests while RSA keys are made, and 100,000 keys; nothing else.
    #[arg(long)]
    kms: bool,
    /// What policies and the audit log cost: requests of the root user and of a user with ten policies, in both of the log's modes, with
    /// and without records of data events; nothing else.
    #[arg(long, conflicts_with = "endpoint")]
    access: bool,
}

fn main() -> Result<(), Error> {
    let options = Options::parse();
    if options.access {
        return access::run(&options);
    }
    let target = Target::from_options(&options, &[])?;
    if options.memory {
        return memory::run(&target);
    }
    if options.kms {
        return kms::run(&target, Duration::from_secs_f64(options.seconds));
    }
    let machine = machine::measure(&target.folder())?;
    report::machine(&machine);
    report::header();
    for scenario in Scenario::all(&options) {
        let prepared = scenario.prepare(&target)?;
        for &connections in &options.connections {
            let figures = load::run(&target, &prepared, connections, Duration::from_secs_f64(options.seconds))?;
            report::line(&scenario, connections, &figures, &machine);
        }
        prepared.clean_up(&target)?;
    }
    Ok(())
}
