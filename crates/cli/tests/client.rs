//! The commands of client-side encryption as a person types them: without a server, without any setting.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        assert_eq!(folder.run("keygen -o key").status.code(), Some(0));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_strongroom"))
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .env_clear()
            .output()
            .unwrap()
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_file_is_sealed_and_opened() {
    let folder = Folder::new();
    fs::write(folder.path("plain"), "attack at dawn").unwrap();
    assert_eq!(folder.run("encrypt plain -o sealed --key-file key -c purpose=test").status.code(), Some(0));
    assert_eq!(folder.run("decrypt sealed --key-file key").stdout, b"attack at dawn");
    assert_eq!(folder.run("decrypt sealed -o again --key-file key -c purpose=test").status.code(), Some(0));
    assert_eq!(fs::read(folder.path("again")).unwrap(), b"attack at dawn");
    let told = String::from_utf8(folder.run("inspect sealed").stdout).unwrap();
    assert!(told.contains("purpose=test") && told.contains("14 bytes in 1 frame"), "{told}");
}

#[test]
fn what_is_wrong_has_its_code_and_leaves_nothing() {
    let folder = Folder::new();
    fs::write(folder.path("plain"), "attack at dawn").unwrap();
    assert_eq!(folder.run("encrypt plain -o sealed --key-file key -c purpose=test").status.code(), Some(0));
    let sealed = fs::read(folder.path("sealed")).unwrap();
    fs::write(folder.path("cut"), &sealed[..sealed.len() - 1]).unwrap();
    assert_eq!(folder.run("keygen -o other").status.code(), Some(0));
    let before = folder.names();
    for (line, code) in [
        ("decrypt missing -o out --key-file key", 1),
        ("decrypt sealed -o plain --key-file key", 1),
        ("decrypt sealed -o out", 2),
        ("decrypt sealed -o out --key-file key --no-such-option", 2),
        ("decrypt cut -o out --key-file key", 3),
        ("decrypt plain -o out --key-file key", 3),
        ("decrypt sealed -o out --key-file other", 4),
        ("decrypt sealed -o out --key-file key -c purpose=other", 5),
    ] {
        let done = folder.run(line);
        assert_eq!(done.status.code(), Some(code), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    }
    assert_eq!(folder.names(), before);
    assert_eq!(fs::read(folder.path("plain")).unwrap(), b"attack at dawn");
}
