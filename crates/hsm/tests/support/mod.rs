//! SoftHSM tokens for tests, each test in a process of its own.
//!
//! A PKCS#11 module belongs to its process and reads its configuration from the environment, so a test that wants a token
//! folder to itself starts itself once more, with the folder in the environment.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses some of it, and may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use hsm::{Module, Selector, Token};

/// The user PIN of the tests' tokens.
pub(crate) const PIN: &str = "24680135";

/// Where the second run of a test finds its folder.
const SCENE: &str = "HSM_TEST_SCENE";

/// A folder with tokens.
pub(crate) struct Scene {
    folder: PathBuf,
}

/// Runs `test` in a process of its own; `name` is the test's.
pub(crate) fn alone<F: Future<Output = ()>>(name: &str, test: impl FnOnce(Scene) -> F) {
    if let Some(folder) = std::env::var_os(SCENE) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        runtime.block_on(test(Scene { folder: folder.into() }));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["tokens", "faults"] {
        std::fs::create_dir(path.join(name)).unwrap();
    }
    let settings = format!("directories.tokendir = {}\nlog.level = ERROR\n", path.join("tokens").display());
    std::fs::write(path.join("softhsm2.conf"), settings).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(SCENE, path)
        .env("SOFTHSM2_CONF", path.join("softhsm2.conf"))
        .env("PKCS11_REAL", softhsm())
        .env("PKCS11_FAULTS", path.join("faults"))
        .status()
        .unwrap();
    assert!(status.success(), "{name} failed in its own process: {status}");
}

/// SoftHSM's module.
pub(crate) fn softhsm() -> PathBuf {
    let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"];
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("SoftHSM is installed: `apt-get install softhsm2`, or run `cargo xtask test`, which does")
}

impl Scene {
    /// Initialises a token.
    pub(crate) fn token(&self, label: &str) {
        let status = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--so-pin", "13579135", "--pin", PIN])
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// The folder of all tokens.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// Takes all tokens away, or puts them back.
    pub(crate) fn set_present(&self, present: bool) {
        let (here, away) = (self.tokens(), self.folder.join("away"));
        if present {
            std::fs::remove_dir(&here).unwrap();
            std::fs::rename(away, here).unwrap();
        } else {
            std::fs::rename(&here, away).unwrap();
            std::fs::create_dir(here).unwrap();
        }
    }

    /// The module that fails on demand, compiled.
    pub(crate) fn faulty(&self) -> PathBuf {
        let library = self.folder.join("faulty.so");
        // From the folder of any crate: others use this file too.
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hsm/tests/faulty/module.c");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut compile = Command::new(compiler);
        compile.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).arg(source).arg("-ldl");
        assert!(compile.status().unwrap().success());
        library
    }

    /// Lets a function of the faulty module fail with a code in hexadecimal, or `hang`; or work again.
    pub(crate) fn fault(&self, function: &str, what: Option<&str>) {
        let path = self.folder.join("faults").join(function);
        match what {
            // Renamed into place: the module never reads half a file.
            Some(what) => {
                let draft = self.folder.join("draft");
                std::fs::write(&draft, what).unwrap();
                std::fs::rename(draft, path).unwrap();
            }
            None => std::fs::remove_file(path).unwrap(),
        }
    }

    /// How often a function of the faulty module was called.
    pub(crate) fn calls(&self, function: &str) -> usize {
        let calls = std::fs::read_to_string(self.folder.join("faults/calls")).unwrap_or_default();
        calls.lines().filter(|line| *line == function).count()
    }

    /// How many objects all tokens have.
    pub(crate) fn objects(&self) -> usize {
        let tokens = std::fs::read_dir(self.tokens()).unwrap();
        let files = tokens.flat_map(|token| std::fs::read_dir(token.unwrap().path()).unwrap());
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".object") && name != "token.object").count()
    }

    /// SoftHSM with its token `label` open.
    pub(crate) async fn open(&self, label: &str) -> Token {
        Token::open(&load(&softhsm()).await, labelled(label), pin(PIN)).await.unwrap()
    }
}

/// Loads a module that is there.
pub(crate) async fn load(path: &Path) -> Module {
    Module::load(path).await.unwrap()
}

/// A token by its label.
pub(crate) fn labelled(label: &str) -> Selector {
    Selector::Label(label.to_owned())
}

/// A PIN as the crate takes it.
pub(crate) fn pin(pin: &str) -> zeroize::Zeroizing<String> {
    pin.to_owned().into()
}
