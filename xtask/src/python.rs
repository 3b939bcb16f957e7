//! The Python package in `python/`, a workspace of its own.

use crate::run::{command, root, run};
use std::path::Path;

/// Builds the Python package and installs it among the clients: a few seconds when nothing of it has changed. What it shares with the
/// workspace is compiled already.
pub(crate) fn package(python: &str) -> Result<(), String> {
    let target = root().join("target");
    let wheels = target.join("wheels").to_string_lossy().into_owned();
    let here = |arguments: &[&str]| {
        let mut command = command("cargo", arguments);
        command.current_dir(root().join("python")).env("CARGO_TARGET_DIR", &target);
        command
    };
    same_versions()?;
    run(&mut here(&["fmt", "--check"]))?;
    let build = ["-m", "maturin", "build", "--quiet", "--release", "--interpreter", python, "--out", &wheels];
    run(command(python, &build).current_dir(root().join("python")).env("CARGO_TARGET_DIR", &target))?;
    run(here(&["clippy", "--quiet", "--release", "--", "-D", "warnings"]).envs(as_maturin(python, &target)?))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--force-reinstall"];
    run(command(python, &install).args(["--find-links", &wheels, "strongroom"]))
}

/// A crate that both workspaces have is of the same version in both: what is compiled and reviewed for one serves the other.
fn same_versions() -> Result<(), String> {
    let (ours, theirs) = (versions("Cargo.lock")?, versions("python/Cargo.lock")?);
    let other = |(name, version): &&(String, String)| {
        let mut known = ours.iter().filter(|(ours, _)| ours == name).peekable();
        known.peek().is_some() && known.all(|(_, ours)| ours != version)
    };
    match theirs.iter().find(other) {
        Some((name, version)) => Err(format!("python/Cargo.lock has {name} {version}, and Cargo.lock another version")),
        None => Ok(()),
    }
}

/// Names and versions of a lock file.
fn versions(lock: &str) -> Result<Vec<(String, String)>, String> {
    let text = std::fs::read_to_string(root().join(lock)).map_err(|error| format!("{lock}: {error}"))?;
    let lines: Vec<&str> = text.lines().collect();
    let value = |line: &str, key: &str| Some(line.strip_prefix(key)?.strip_suffix('"')?.to_owned());
    Ok(lines
        .windows(2)
        .filter_map(|pair| Some((value(pair[0], "name = \"")?, value(pair[1], "version = \"")?)))
        .collect())
}

/// What maturin sets for the build script of pyo3: with anything else clippy would have it all compiled again, and maturin the next time.
fn as_maturin(python: &str, target: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let which = command(python, &["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).output();
    let version =
        String::from_utf8_lossy(&which.map_err(|error| format!("{python}: {error}"))?.stdout).trim().to_owned();
    let folder = target.join("maturin");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let configuration = entries
        .flatten()
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .find(|path| path.ends_with(&format!("-{version}-abi3.txt")));
    Ok(vec![
        ("PYO3_CONFIG_FILE", configuration.ok_or_else(|| format!("no settings of pyo3 in {}", folder.display()))?),
        ("PYO3_BUILD_EXTENSION_MODULE", "1".to_owned()),
        ("PYO3_ENVIRONMENT_SIGNATURE", format!("cpython-{version}-64bit")),
        ("PYO3_PYTHON", python.to_owned()),
        ("PYTHON_SYS_EXECUTABLE", python.to_owned()),
    ])
}
