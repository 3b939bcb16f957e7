//! The binary: its first start, its later ones, what they leave on the disk, and what they refuse.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A user with a home of their own.
struct User(TempDir);

impl User {
    fn new() -> User {
        User(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command
            .args(arguments)
            .env_clear()
            .envs([("PATH", std::env::var("PATH").unwrap()), ("HOME", self.path("home").to_str().unwrap().to_owned())])
            .envs([("STRONGROOM_HTTP", "127.0.0.1:0"), ("STRONGROOM_HTTPS", "127.0.0.1:0")])
            .current_dir(self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn start(&self) -> Server {
        let log = fs::File::create(self.path("log")).unwrap();
        let output = fs::File::create(self.path("output")).unwrap();
        let child = self.command(&["serve"]).stdout(Stdio::from(output)).stderr(Stdio::from(log)).spawn().unwrap();
        let mut server = Server { child, log: self.path("log") };
        server.wait_for("ready");
        server
    }

    fn secrets(&self) -> PathBuf {
        let all = self.path("home/.config/strongroom");
        let folders: Vec<_> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(folders.len(), 1);
        folders[0].clone()
    }
}

struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    fn wait_for(&mut self, text: &str) {
        let started = Instant::now();
        while !fs::read_to_string(&self.log).unwrap().contains(text) {
            assert!(started.elapsed() < Duration::from_secs(30), "not in the log: {text}");
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{status}: {}", fs::read_to_string(&self.log).unwrap());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn address(&self) -> SocketAddr {
        let log = fs::read_to_string(&self.log).unwrap();
        let line = log.lines().find(|line| line.contains("listening scheme=http ")).unwrap();
        line.rsplit_once("address=").unwrap().1.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        assert!(fs::read_to_string(&self.log).unwrap().contains("stopped"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

fn variable(output: &Output, name: &str) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("export {name}="))).unwrap();
    line.trim_matches('\'').to_owned()
}

#[test]
fn a_first_start_makes_everything_and_a_second_nothing() {
    let user = User::new();
    assert!(text(&user.run(&["env"])).contains("there is no store"));

    let server = user.start();
    assert!(server.get("/_/health/live").starts_with("HTTP/1.1 200"));
    assert!(server.get("/_/health/ready").starts_with("HTTP/1.1 200"));
    assert!(server.get("/").starts_with("HTTP/1.1 403"), "nothing else without a signature");
    assert!(text(&user.run(&["scrub"])).contains("in use by another process"));
    server.stop();
    let welcome = fs::read_to_string(user.path("output")).unwrap();
    assert!(welcome.contains("eval \"$(strongroom env)\"") && welcome.contains("back this up"));

    let secrets = user.secrets();
    let mut made = Vec::new();
    files(&secrets, &mut made);
    made.sort();
    let names: Vec<_> = made.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["development-ca.key", "development-ca.pem", "root-credentials.toml", "root.key"]);
    for path in &made {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert_eq!(fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o700);

    let before: Vec<Vec<u8>> = made.iter().map(|path| fs::read(path).unwrap()).collect();
    let env = user.run(&["env"]);
    user.start().stop();
    assert_eq!(fs::read_to_string(user.path("output")).unwrap(), "", "it welcomes once");
    assert_eq!(user.run(&["env"]).stdout, env.stdout);
    assert!(made.iter().zip(before).all(|(path, bytes)| fs::read(path).unwrap() == bytes));
}

#[test]
fn what_is_made_in_a_folder_that_others_may_enter_is_for_its_owner_alone() {
    let user = User::new();
    let data = user.path("strongroom-data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let server = user.start();
    let mut made = Vec::new();
    files(&data, &mut made);
    assert!(made.iter().any(|path| path.ends_with("metadata.db")));
    for path in &made {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
    server.stop();
}

#[test]
fn no_secret_is_in_the_data_directory_the_log_or_the_output() {
    let user = User::new();
    user.start().stop();
    let env = user.run(&["env"]);
    let secret = variable(&env, "AWS_SECRET_ACCESS_KEY");
    assert_eq!(secret.len(), 40);
    let root_key = fs::read(user.secrets().join("root.key")).unwrap();
    let mut searched = vec![user.path("log"), user.path("output")];
    files(&user.path("strongroom-data"), &mut searched);
    assert!(searched.len() > 3);
    for path in searched {
        let bytes = fs::read(&path).unwrap();
        for needle in [secret.as_bytes(), &root_key[8..]] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{}", path.display());
        }
    }
}

#[test]
fn the_log_names_a_request_as_its_answer_does() {
    let user = User::new();
    let mut server = user.start();
    let answer = server.get("/no-such-bucket");
    let id = answer.split("x-amz-request-id: ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    server.wait_for(&format!("request=\"{id}\""));
    server.stop();
}

#[test]
fn env_gives_what_a_client_needs() {
    let user = User::new();
    user.start().stop();
    let env = user.run(&["env", "--https", "0.0.0.0:9443"]);
    assert_eq!(variable(&env, "AWS_ENDPOINT_URL"), "https://127.0.0.1:9443");
    assert_eq!(variable(&env, "AWS_REGION"), "us-east-1");
    let bundle = variable(&env, "AWS_CA_BUNDLE");
    assert!(fs::read_to_string(bundle).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(String::from_utf8(env.stdout).unwrap().contains("unset AWS_PROFILE\n"));
    let plain = user.run(&["env", "--plain", "--http", "127.0.0.1:9000"]);
    assert_eq!(variable(&plain, "AWS_ENDPOINT_URL"), "http://127.0.0.1:9000");
    assert!(!String::from_utf8(plain.stdout).unwrap().contains("AWS_CA_BUNDLE"));
}

#[test]
fn a_lost_root_key_is_never_replaced() {
    let user = User::new();
    user.start().stop();
    let key = user.secrets().join("root.key");
    fs::rename(&key, user.path("backup")).unwrap();
    let refused = user.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("root.key is missing") && !key.exists(), "{}", text(&refused));
    let flag = format!("file:{}", user.path("backup").display());
    assert!(user.run(&["scrub", "--root-key", &flag]).status.success());
}

#[test]
fn lost_metadata_are_never_replaced_by_an_empty_store_that_sweeps_the_blobs() {
    let user = User::new();
    user.start().stop();
    let metadata = user.path("strongroom-data/metadata.db");
    fs::copy(&metadata, user.path("backup")).unwrap();
    let blob = user.path("strongroom-data/blobs/00/").join("0".repeat(32));
    fs::write(&blob, "ciphertext").unwrap();
    let old = fs::File::options().write(true).open(&blob).unwrap();
    old.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
    for emptied in [false, true] {
        match emptied {
            true => fs::write(&metadata, "").unwrap(),
            false => fs::remove_file(&metadata).unwrap(),
        }
        for command in ["serve", "scrub"] {
            let refused = user.run(&[command]);
            assert_eq!(refused.status.code(), Some(2));
            assert!(text(&refused).contains("metadata.db is missing or empty"), "{}", text(&refused));
        }
    }
    assert!(blob.exists());
    fs::copy(user.path("backup"), &metadata).unwrap();
    user.start().stop();
}

#[test]
fn another_root_key_is_refused() {
    let (user, other) = (User::new(), User::new());
    user.start().stop();
    other.start().stop();
    let flag = format!("file:{}", other.secrets().join("root.key").display());
    let refused = user.run(&["serve", "--root-key", &flag]);
    assert!(
        text(&refused).contains("no configured root key opens the domain keys of this store"),
        "{}",
        text(&refused)
    );
}

#[test]
fn an_exposed_root_key_is_refused() {
    let user = User::new();
    user.start().stop();
    fs::set_permissions(user.secrets().join("root.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(text(&user.run(&["serve"])).contains("make it 0600"));
}

#[test]
fn account_and_region_belong_to_the_store() {
    let user = User::new();
    user.start().stop();
    assert!(text(&user.run(&["serve", "--region", "eu-west-1"])).contains("belongs to Region us-east-1"));
    assert!(text(&user.run(&["serve", "--account-id", "000000000001"])).contains("belongs to account"));
}

#[test]
fn a_well_known_root_secret_is_refused_before_anything_is_made() {
    let user = User::new();
    let refused = user
        .command(&["serve"])
        .envs([("STRONGROOM_ROOT_ACCESS_KEY_ID", "minioadmin"), ("STRONGROOM_ROOT_SECRET_ACCESS_KEY", "minioadmin")])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("well known"));
    assert!(!user.path("strongroom-data").exists() && !user.path("home").exists());
}

#[test]
fn an_unknown_setting_is_refused() {
    let user = User::new();
    let refused = user.command(&["serve"]).env("STRONGROOM_HTPP", "off").output().unwrap();
    assert!(text(&refused).contains("STRONGROOM_HTPP"));
    assert_eq!(user.run(&["serve", "--htpp", "off"]).status.code(), Some(2));
}

#[test]
fn an_address_in_use_is_an_error() {
    let user = User::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = user.run(&["serve", "--http", &taken.local_addr().unwrap().to_string()]);
    assert!(text(&refused).contains("cannot listen on"), "{}", text(&refused));
}

#[test]
fn an_existing_store_is_ready_soon() {
    let user = User::new();
    user.start().stop();
    let server = user.start();
    let log = fs::read_to_string(user.path("log")).unwrap();
    let after = log.split_once("milliseconds=").unwrap().1;
    let milliseconds: u64 = after.split_whitespace().next().unwrap().parse().unwrap();
    // 200 by the benchmark, in a release build on a quiet machine.
    assert!(milliseconds < 2000, "{milliseconds} ms");
    server.stop();
}
