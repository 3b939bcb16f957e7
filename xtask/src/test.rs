//! `cargo xtask test`: from the install of its own needs to the last test.
//!
//! Everything compiles once, in the release profile: the tests run at the speed of the product, against the binary that
//! a user would start.

use crate::architecture;
use crate::java;
use crate::python;
use crate::run::{command, exists, root, run};
use std::path::PathBuf;

/// What the tests need from the system beside Rust and a C compiler: program, Debian package.
const SYSTEM: &[(&str, &str)] = &[
    ("python3", "python3"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("curl", "curl"),
    ("openssl", "openssl"),
    // An HSM in software; it needs no daemon.
    ("softhsm2-util", "softhsm2"),
    ("javac", "default-jdk-headless"),
    ("mvn", "maven"),
];

/// The Go program that `tests/clients/test_kms_sops.py` starts.
const SOPS: &str = "github.com/getsops/sops/v3/cmd/sops@v3.13.3";

/// Runs everything, cheapest first.
pub(crate) fn everything() -> Result<(), String> {
    run(&mut command("cargo", &["fmt", "--all", "--check"]))?;
    architecture::check()?;
    run(&mut command(
        "cargo",
        &["clippy", "--quiet", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"],
    ))?;
    packages()?;
    run(&mut command("cargo", &["test", "--release", "--workspace"]))?;
    full_disk()?;
    // The whole workspace: building the binary alone would select fewer features of shared crates and compile them anew.
    run(&mut command("cargo", &["build", "--release", "--workspace"]))?;
    let python = clients()?;
    python::package(&python)?;
    run(command(&python, &["-m", "pytest", "tests", "--durations=15"]).env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// The metadata store on a file system that fills up. Mounting one needs root; without, the tests of the whole server say so.
fn full_disk() -> Result<(), String> {
    let disk = text(root().join("target/small-disk"));
    std::fs::create_dir_all(&disk).map_err(|error| format!("{disk}: {error}"))?;
    if run(&mut command("mount", &["-t", "tmpfs", "-o", "size=32m", "tmpfs", &disk])).is_err() {
        eprintln!("not root: the test of a full disk is left out");
        return Ok(());
    }
    let test = ["test", "--release", "--workspace", "--test", "full_disk_sqlite", "--", "--ignored"];
    let outcome = run(command("cargo", &test).env("META_SMALL_FILESYSTEM", &disk));
    run(&mut command("umount", &[&disk]))?;
    outcome
}

/// Installs what the system lacks.
fn packages() -> Result<(), String> {
    let missing: Vec<&str> = SYSTEM.iter().filter(|(program, _)| !has(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() && has_venv() {
        return Ok(());
    }
    run(&mut command("apt-get", &["update", "--quiet"]))?;
    let mut install = vec!["install", "--yes", "--quiet", "--no-install-recommends", "python3-venv"];
    install.extend(missing);
    run(&mut command("apt-get", &install))
}

/// Installs the real clients that judge the server; gives the path of the Python that has them.
fn clients() -> Result<String, String> {
    let python = environment("target/clients", "tests/requirements.txt")?;
    environment("target/clients-esdk-cli", "tests/requirements-cli.txt")?;
    run(command("npm", &["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(root().join("tests/clients/javascript")))?;
    java::build()?;
    sops()?;
    Ok(python)
}

/// A virtual environment with what the file of requirements names; gives the path of its Python.
fn environment(folder: &str, requirements: &str) -> Result<String, String> {
    let python = root().join(folder).join("bin/python");
    if !python.exists() {
        run(&mut command("python3", &["-m", "venv", folder]))?;
    }
    let python = text(python);
    run(&mut command(
        &python,
        &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
    ))?;
    Ok(python)
}

/// Builds sops, a client of KMS that comes as a Go module: about 70 s on two cores that have seen nothing of it, then a few for linking it anew.
fn sops() -> Result<(), String> {
    if !has("go") {
        eprintln!("no Go: the test of sops is left out");
        return Ok(());
    }
    run(command("go", &["install", SOPS]).env("GOBIN", root().join("target/clients/go")))
}

fn has(program: &str) -> bool {
    let flag_taken = exists(program);
    flag_taken || command(program, &["version"]).output().is_ok_and(|output| output.status.success())
}

fn has_venv() -> bool {
    command("python3", &["-c", "import venv, ensurepip"]).output().is_ok_and(|output| output.status.success())
}

fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}
