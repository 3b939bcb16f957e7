//! The table, as Markdown, line by line while the run goes on.
#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

use crate::load::Figures;
use crate::machine::Machine;
use crate::scenario::Scenario;
use clap::ValueEnum;

const MIB: f64 = (1 << 20) as f64;

/// The yardsticks.
pub(crate) fn machine(machine: &Machine) {
    println!("This machine, one core, in seconds a GiB:\n");
    println!(
        "| AES-256-GCM, 64 KiB segments | MD5 | SHA-256 | CRC-64/NVME | memory copy | bare GET | bare PUT | 4 KiB write and sync, a second |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let Machine { cipher, md5, sha256, crc64, copy, syncs_per_second, bare } = machine;
    println!(
        "| {cipher:.3} | {md5:.2} | {sha256:.2} | {crc64:.3} | {copy:.3} | {:.3} | {:.3} | {syncs_per_second:.0} |\n",
        bare.get, bare.put
    );
}

/// The table's head.
pub(crate) fn header() {
    println!(
        "| operation | mode | size | connections | requests/s | MiB/s | p50 ms | p99 ms | CPU s/GiB | of the cipher | CPU µs/request | syncs/1,000 | peak MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
}

/// One line.
pub(crate) fn line(scenario: &Scenario, connections: usize, figures: &Figures, machine: &Machine) {
    let requests = figures.requests as f64;
    let bytes = requests * scenario.size as f64;
    let per_gib = figures.cpu_seconds.filter(|_| scenario.size > 0).map(|cpu| cpu / (bytes / MIB / 1024.0));
    let cells = [
        name(&scenario.operation),
        if scenario.size > 0 { name(&scenario.mode) } else { String::new() },
        size(scenario.size),
        connections.to_string(),
        format!("{:.0}", requests / figures.seconds),
        if scenario.size > 0 { format!("{:.0}", bytes / MIB / figures.seconds) } else { String::new() },
        format!("{:.2}", figures.p50.as_secs_f64() * 1e3),
        format!("{:.2}", figures.p99.as_secs_f64() * 1e3),
        maybe(per_gib, 2),
        maybe(per_gib.map(|cpu| cpu / machine.cipher), 1),
        maybe(figures.cpu_seconds.map(|cpu| cpu / requests * 1e6), 0),
        maybe(figures.syncs.map(|syncs| syncs as f64 / requests * 1e3), 0),
        maybe(figures.peak_mib, 0),
    ];
    println!("| {} |", cells.join(" | "));
}

fn maybe(figure: Option<f64>, digits: usize) -> String {
    figure.map(|figure| format!("{figure:.digits$}")).unwrap_or_default()
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn size(bytes: usize) -> String {
    match bytes {
        0 => String::new(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ => format!("{} KiB", bytes >> 10),
    }
}
