//! Builds the Java program of `tests/clients/java`: about 15 s where Maven has fetched nothing yet, nothing where it stands.

use crate::run::{command, root, run};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

const PROJECT: &str = "tests/clients/java";
/// Written after a build that succeeded; what is older than it needs no other.
const STAMP: &str = "target/clients-java/built";

pub(crate) fn build() -> Result<(), String> {
    let stamp = root().join(STAMP);
    let built = fs::metadata(&stamp).and_then(|stamp| stamp.modified());
    if built.is_ok_and(|built| newest(&root().join(PROJECT)).is_some_and(|newest| newest < built)) {
        return Ok(());
    }
    run(&mut command("mvn", &["--quiet", "--batch-mode", "--file", PROJECT, "compile"]))?;
    fs::write(&stamp, "").map_err(|error| format!("{STAMP}: {error}"))
}

/// When a file under this folder was last written.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let times = entries.filter_map(|entry| {
        let path = entry.path();
        if path.is_dir() { newest(&path) } else { fs::metadata(path).and_then(|file| file.modified()).ok() }
    });
    times.max()
}
