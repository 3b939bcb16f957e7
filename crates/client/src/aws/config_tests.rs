#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

const CONFIG: &str = "[default]\nregion = eu-central-1\nendpoint_url = http://both\n\
    [profile static]\nregion = us-east-1\naws_access_key_id = AKIACONFIG\naws_secret_access_key = s\naws_session_token = t\n\
    services = mine\nendpoint_url = http://general\nca_bundle = /ca\ns3 =\n  addressing_style = virtual\n\
    [services mine]\ns3 =\n  endpoint_url = https://s3.mine\n\
    [profile process]\ncredential_process = /bin/x\n[profile sso]\nsso_session = a\n\
    [profile role]\nrole_arn = arn\nsource_profile = static\naws_access_key_id = AKIA\naws_secret_access_key = s\n\
    [profile half]\naws_access_key_id = AKIA\n[profile bad]\nregion = a.b\n";

/// With both files and these variables.
fn load(variables: &[(&str, &str)], profile: Option<&str>) -> Result<Config, AwsError> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let place = std::env::temp_dir().join(format!("strongroom-client-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&place).unwrap();
    let path = |name: &str| place.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("config"), CONFIG).unwrap();
    std::fs::write(path("credentials"), "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n")
        .unwrap();
    let config = Config::load(
        &|name| match name {
            "AWS_CONFIG_FILE" => Some(path("config")),
            "AWS_SHARED_CREDENTIALS_FILE" => Some(path("credentials")),
            name => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        },
        profile,
    );
    std::fs::remove_dir_all(place).unwrap();
    config
}

/// Who signs, where S3 and KMS are.
fn summary(config: &Config) -> String {
    let mut text = config.signer().map_or("nobody".to_owned(), |credentials| credentials.access_key_id().to_owned());
    for endpoint in [config.s3(), config.kms()] {
        write!(text, " {}", endpoint.map_or("aws", |endpoint| &endpoint.authority)).unwrap();
    }
    write!(text, " {}", config.region_name().unwrap_or("nowhere")).unwrap();
    text
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s")];

#[test]
fn the_environment_goes_before_a_profile() {
    let both = |more: &[(&'static str, &'static str)]| load(&[&KEYS[..], more].concat(), None).unwrap();
    assert_eq!(summary(&load(&[], None).unwrap()), "AKIAFILE both both eu-central-1");
    assert_eq!(summary(&both(&[])), "AKIAENV both both eu-central-1");
    assert_eq!(summary(&both(&[("AWS_DEFAULT_REGION", "b"), ("AWS_REGION", "a")])), "AKIAENV both both a");
    assert_eq!(summary(&both(&[("AWS_ENDPOINT_URL_KMS", "http://k")])), "AKIAENV both k eu-central-1");
    assert_eq!(summary(&both(&[("AWS_ENDPOINT_URL", "http://e:9000")])), "AKIAENV e:9000 e:9000 eu-central-1");
    assert_eq!(summary(&both(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")])), "AKIAENV aws aws eu-central-1");
    let named = both(&[("AWS_PROFILE", "static"), ("AWS_CA_BUNDLE", "/other")]);
    assert_eq!(summary(&named), "AKIAENV s3.mine general us-east-1", "the variable names a profile for the rest");
    assert_eq!(named.ca_bundle, Some("/other".into()));
}

#[test]
fn one_endpoint_for_all_does_not_displace_that_of_a_service() {
    let at = |variables: &[(&str, &str)], profile| {
        summary(&load(&[&KEYS[..], variables].concat(), profile).unwrap().endpoint("http://all").unwrap())
    };
    assert_eq!(at(&[("AWS_ENDPOINT_URL_KMS", "http://k")], None), "AKIAENV all k eu-central-1");
    assert_eq!(at(&[("AWS_ENDPOINT_URL", "http://e")], None), "AKIAENV all all eu-central-1");
    assert_eq!(at(&[], Some("static")), "AKIACONFIG s3.mine all us-east-1");
    let one = Config::new().endpoint_kms("https://k").unwrap().endpoint("https://all").unwrap();
    assert_eq!(summary(&one), "nobody all k nowhere");
}

#[test]
fn a_profile_that_is_named_in_a_call_signs_itself() {
    let config = load(&KEYS, Some("static")).unwrap();
    assert_eq!(summary(&config), "AKIACONFIG s3.mine general us-east-1");
    assert_eq!((config.path_style, config.ca_bundle.clone()), (Some(false), Some("/ca".into())));
    assert_eq!(config.signer().unwrap().session_token.as_deref().map(String::as_str), Some("t"));
}

#[test]
fn what_is_not_supported_is_named() {
    for (profile, way) in [("process", "credential_process"), ("sso", "sso_session"), ("role", "role_arn")] {
        let error = load(&[], Some(profile)).unwrap().signer().unwrap_err().to_string();
        assert!(error.contains(way) && error.contains("AWS_ACCESS_KEY_ID"), "{error}");
    }
    assert!(load(&[], Some("half")).unwrap_err().to_string().contains("half of an access key"));
    assert!(load(&KEYS[..1], None).unwrap_err().to_string().contains("half of an access key"));
    assert!(load(&[], Some("bad")).unwrap_err().to_string().contains("Region"));
    assert!(load(&[("AWS_PROFILE", "nobody")], None).unwrap_err().to_string().contains("nobody"));
    assert!(load(&[("AWS_ENDPOINT_URL", "localhost:9000")], None).unwrap_err().to_string().contains("http"));
}

#[test]
fn secrets_are_not_printed() {
    let config = Config::new().credentials(Credentials::new("AKIA", "very secret").session_token("quite secret"));
    let text = format!("{config:?}");
    assert!(text.contains("AKIA") && !text.contains("secret"), "{text}");
}
