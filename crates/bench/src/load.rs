//! N connections, each on a thread of its own, send one scenario's requests for a while.

use crate::Error;
use crate::connection::Connection;
use crate::process::Process;
use crate::scenario::Prepared;
use crate::target::{Counters, Target};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// What one line of the table says.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) requests: usize,
    pub(crate) seconds: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Server CPU, if the server's process is known.
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) peak_mib: Option<f64>,
    /// Syncs of the metadata store, if the server counts them.
    pub(crate) syncs: Option<u64>,
}

/// Requests on each connection before the clock starts: connections, caches and data keys are warm.
const WARM_UP: usize = 3;
/// Large transfers may be slower than the time of a line; each connection makes at least this many.
const AT_LEAST: usize = 2;

/// Runs the scenario at this many connections for about this long.
pub(crate) fn run(target: &Target, prepared: &Prepared, connections: usize, time: Duration) -> Result<Figures, Error> {
    let barrier = Barrier::new(connections + 1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|number| {
                scope.spawn({
                    let barrier = &barrier;
                    move || worker(target, prepared, number, time, barrier)
                })
            })
            .collect();
        barrier.wait();
        let before = Snapshot::take(target)?;
        let started = Instant::now();
        barrier.wait();
        let mut latencies = Vec::new();
        for worker in workers {
            latencies.extend(worker.join().map_err(|_| Error::Failed("a worker panicked".into()))??);
        }
        let seconds = started.elapsed().as_secs_f64();
        let after = Snapshot::take(target)?;
        latencies.sort_unstable();
        let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
        Ok(Figures {
            requests: latencies.len(),
            seconds,
            p50: at(50),
            p99: at(99),
            cpu_seconds: after.cpu.zip(before.cpu).map(|(after, before)| after - before),
            peak_mib: target.process().map(Process::peak_mib).transpose()?,
            syncs: after.counters.zip(before.counters).map(|(after, before)| after.syncs - before.syncs),
        })
    })
}

struct Snapshot {
    cpu: Option<f64>,
    counters: Option<Counters>,
}

impl Snapshot {
    fn take(target: &Target) -> Result<Snapshot, Error> {
        let counters = target.counters()?;
        if let Some(process) = target.process() {
            process.reset_peak();
        }
        Ok(Snapshot { cpu: target.process().map(Process::cpu_seconds).transpose()?, counters })
    }
}

fn worker(
    target: &Target,
    prepared: &Prepared,
    number: usize,
    time: Duration,
    barrier: &Barrier,
) -> Result<Vec<Duration>, Error> {
    let warm = warm_up(target, prepared, number);
    // Both meetings are kept even after a failure, or the others would wait for ever.
    barrier.wait();
    barrier.wait();
    let mut connection = warm?;
    let (started, mut latencies) = (Instant::now(), Vec::new());
    while started.elapsed() < time || latencies.len() < AT_LEAST {
        let sent = Instant::now();
        let answer = connection.expect_success(prepared.request(number, WARM_UP + latencies.len()))?;
        latencies.push(sent.elapsed());
        if !prepared.recognizes(&answer) {
            return Err(Error::Failed("the server answered with other bytes than were stored".into()));
        }
    }
    Ok(latencies)
}

fn warm_up(target: &Target, prepared: &Prepared, number: usize) -> Result<Connection, Error> {
    let mut connection = Connection::open(target, prepared.secure)?;
    let turns = if prepared.size >= 16 << 20 { 1 } else { WARM_UP };
    for turn in 0..turns {
        connection.expect_success(prepared.request(number, turn))?;
    }
    Ok(connection)
}
