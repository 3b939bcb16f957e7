#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn with_file(text: &str) -> (TempDir, Sources) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, text).unwrap();
    (folder, Sources { config: Some(path), ..Sources::default() })
}

fn error(sources: &Sources) -> String {
    Config::load(sources).err().expect("an error").to_string()
}

#[test]
fn nothing_has_to_be_set() {
    let sources = Sources { environment: environment(&[("HOME", "/home/me"), ("PATH", "/bin")]), ..Sources::default() };
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.data_dir, Path::new("./strongroom-data"));
    assert_eq!(config.http.unwrap().to_string(), "127.0.0.1:9000");
    assert_eq!(config.https.unwrap().to_string(), "127.0.0.1:9443");
    assert_eq!(config.user_dir.unwrap(), Path::new("/home/me/.config/strongroom"));
    assert_eq!(config.domains, ["localhost", "s3.localhost"]);
    assert!(config.blocked.customer && config.block_public_access, "as on AWS");
    let setting = setting::SETTINGS.iter().find(|setting| setting.name == "inline_limit").unwrap();
    assert_eq!(config.inline_limit.to_string(), setting.default, "what the help says");
    assert!(config.region.is_none() && config.account_id.is_none() && config.root_credentials.is_none());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let (_folder, mut sources) = with_file(
        "http = \"127.0.0.1:1\"\nhttps = \"127.0.0.1:1\"\ninline_limit = 1\ndomains = [\"a.test\", \"b.test\"]",
    );
    sources.environment = environment(&[("STRONGROOM_HTTPS", "127.0.0.1:2"), ("STRONGROOM_INLINE_LIMIT", "2")]);
    sources.flags = vec![("inline_limit", "3".to_owned())];
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.http.unwrap().port(), 1);
    assert_eq!(config.https.unwrap().port(), 2);
    assert_eq!(config.inline_limit, 3);
    assert_eq!(config.domains, ["a.test", "b.test"]);
}

#[test]
fn the_regions_of_kms_are_a_list() {
    let (_folder, mut sources) = with_file("regions = [\"us-east-1\", \"eu-west-1\"]");
    let names = |sources: &Sources| {
        let config = Config::load(sources).unwrap();
        config.regions.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&sources), ["us-east-1", "eu-west-1"]);
    sources.environment = environment(&[("STRONGROOM_REGIONS", "eu-west-2, eu-west-3")]);
    assert_eq!(names(&sources), ["eu-west-2", "eu-west-3"]);
    assert!(names(&Sources::default()).is_empty());
    for (bad, reason) in [("", "no Region"), (",", "no Region"), ("EU-WEST-1", "\"EU-WEST-1\" is not a Region")] {
        sources.flags = vec![("regions", bad.to_owned())];
        let error = error(&sources);
        assert!(error.starts_with("--regions: ") && error.contains(reason), "{error}");
    }
}

#[test]
fn a_file_in_the_users_folder_is_found_and_one_in_the_data_directory_is_not() {
    let (home, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(data.path().join("strongroom.toml"), "region = \"eu-west-1\"").unwrap();
    let variables = [("HOME", home.path().to_str().unwrap()), ("STRONGROOM_DATA_DIR", data.path().to_str().unwrap())];
    let sources = Sources { environment: environment(&variables), ..Sources::default() };
    let config = Config::load(&sources).unwrap();
    assert!(config.region.is_none() && config.file.is_none(), "who can write to the data directory sets nothing");

    let path = home.path().join(".config/strongroom/strongroom.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "region = \"eu-west-2\"").unwrap();
    let config = Config::load(&sources).unwrap();
    assert_eq!((config.region.unwrap().as_str(), config.file), ("eu-west-2", Some(path)));
}

#[test]
fn the_file_may_be_named_by_a_variable() {
    let (folder, _) = with_file("region = \"eu-west-1\"");
    let path = folder.path().join("settings.toml");
    let variables = environment(&[("STRONGROOM_CONFIG", path.to_str().unwrap())]);
    let sources = Sources { environment: variables, ..Sources::default() };
    assert_eq!(Config::load(&sources).unwrap().region.unwrap().as_str(), "eu-west-1");
    let sources = Sources { config: Some(folder.path().join("missing")), ..sources };
    assert!(error(&sources).contains("missing"), "a named file has to be there");
}

#[test]
fn routes_to_proxies_are_a_list() {
    let (_folder, sources) =
        with_file("xks_routes = [\"a.test=https://10.0.0.5:8443\", \"b.test=http://127.0.0.1:9\"]");
    let routes = Config::load(&sources).unwrap().xks_routes;
    let pairs: Vec<_> = routes.iter().map(|(host, to)| (host.as_str(), to.as_str())).collect();
    assert_eq!(pairs, [("a.test", "https://10.0.0.5:8443"), ("b.test", "http://127.0.0.1:9")]);
}

#[test]
fn an_unknown_setting_is_an_error() {
    assert!(error(&with_file("htpp = \"off\"").1).contains("\"htpp\""));
    assert!(error(&with_file("[tls]\nkey = \"a\"").1).contains("\"tls\""));
    let sources = Sources { environment: environment(&[("STRONGROOM_HTPP", "off")]), ..Sources::default() };
    assert!(error(&sources).contains("STRONGROOM_HTPP"));
}

#[test]
fn errors_name_the_setting_as_it_was_given() {
    let (_folder, sources) = with_file("max_connections = 0");
    assert!(error(&sources).starts_with("max_connections in "));
    let sources = Sources { environment: environment(&[("STRONGROOM_HTTP", "localhost")]), ..Sources::default() };
    assert!(error(&sources).starts_with("STRONGROOM_HTTP: "));
    let sources = Sources { flags: vec![("root_key", "/root.key".to_owned())], ..Sources::default() };
    assert!(
        error(&sources).starts_with("--root-key: \"/root.key\" is none of file:PATH, passphrase:PATH"),
        "{}",
        error(&sources)
    );
}

#[test]
fn unfit_values_are_refused() {
    for (name, value) in [
        ("region", "EU"),
        ("account_id", "12"),
        ("xks_routes", "xks.example.com"),
        ("xks_routes", "xks.example.com=10.0.0.5:8443"),
        ("xks_routes", "xks.example.com=http://10.0.0.5"),
        ("oidc_routes", "idp.example.com"),
        ("oidc_routes", "idp.example.com=http://10.0.0.5"),
        ("domains", "bad_name"),
        ("domains", "*.example.com"),
        ("blocked_encryption_types", "SSE-C,NONE"),
        ("blocked_encryption_types", ""),
        ("blocked_encryption_types", "AES256"),
        ("block_public_access", "true"),
        ("inline_limit", "-1"),
        ("inline_limit", "99999999"),
        ("log_format", "xml"),
        ("log_level", "loud"),
        ("log_level", "info,=debug"),
        ("log_level", "gateway=3"),
        ("data_dir", ""),
        ("tls_key", "alone"),
    ] {
        let sources = Sources { flags: vec![(name, value.to_owned())], ..Sources::default() };
        assert!(Config::load(&sources).is_err(), "{name} = {value:?}");
    }
}

#[test]
fn something_has_to_listen() {
    let off = |name| (name, "off".to_owned());
    let sources = Sources { flags: vec![off("http"), off("https")], ..Sources::default() };
    assert!(matches!(Config::load(&sources), Err(ConfigError::NoListener)));
}

#[test]
fn root_credentials_come_whole_and_never_from_a_file() {
    let secret = "a-secret-of-forty-characters-0123456789x";
    let both = [("STRONGROOM_ROOT_ACCESS_KEY_ID", "SRAKTEST"), ("STRONGROOM_ROOT_SECRET_ACCESS_KEY", secret)];
    let sources = Sources { environment: environment(&both), ..Sources::default() };
    assert_eq!(Config::load(&sources).unwrap().root_credentials.unwrap().access_key_id(), "SRAKTEST");
    for alone in both {
        let sources = Sources { environment: environment(&[alone]), ..Sources::default() };
        assert!(matches!(Config::load(&sources), Err(ConfigError::Incomplete(..))));
    }
    let message = error(&with_file(&format!("root_secret_access_key = \"{secret}\"")).1);
    assert!(message.contains("STRONGROOM_ROOT_SECRET_ACCESS_KEY") && !message.contains(secret));
}

#[test]
fn a_well_known_root_secret_is_refused_and_not_repeated() {
    let weak = [("STRONGROOM_ROOT_ACCESS_KEY_ID", "minioadmin"), ("STRONGROOM_ROOT_SECRET_ACCESS_KEY", "minioadmin")];
    let sources = Sources { environment: environment(&weak), ..Sources::default() };
    assert!(!error(&sources).contains("minioadmin"));
}
