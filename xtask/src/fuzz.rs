//! Runs every fuzz target for a while; a finding stops the run and names the input.

use crate::run::{command, exists, root, run};

/// Ten minutes a target.
pub(crate) const DEFAULT_SECONDS: u64 = 600;

/// Runs all targets of `fuzz/`, one after the other, `seconds` each.
pub(crate) fn every_target(seconds: u64) -> Result<(), String> {
    if !exists("cargo-fuzz") {
        run(&mut command("cargo", &["install", "--locked", "cargo-fuzz"]))?;
    }
    let limit = format!("-max_total_time={seconds}");
    for target in targets()? {
        let arguments =
            ["+nightly", "fuzz", "run", "--features", "server", &target, "--", &limit, "-rss_limit_mb=2048"];
        // SQLite and aws-lc are C without instrumentation of their own; some targets link both more than once.
        run(command("cargo", &arguments).env("ASAN_OPTIONS", "detect_odr_violation=0"))?;
    }
    Ok(())
}

fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}
