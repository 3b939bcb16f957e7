//! Who signs, where services listen, and how long to wait for them.

use super::credentials::Credentials;
use super::endpoint::Endpoint;
use super::error::AwsError;
use super::profile::Profiles;
use super::region::Region;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// Time in which a connection has to stand, TLS and all.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Time in which something has to come or go. S3 takes minutes to complete an upload of many parts, but says something all the while.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);

/// How often a request is tried, at most: with [`RETRY_BASE`], over some 3 seconds.
pub const ATTEMPTS: u32 = 5;

/// Longest wait before the second try; it doubles with each, up to [`RETRY_CAP`]. The wait is drawn between nothing and this.
pub const RETRY_BASE: Duration = Duration::from_millis(200);

/// Longest wait between two tries.
pub const RETRY_CAP: Duration = Duration::from_secs(10);

/// Ways to credentials that AWS's clients know and this does not: each asks another program or service. All but the last go before an
/// access key in the same profile.
const UNSUPPORTED: [&str; 6] =
    ["role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "login_session", "credential_process"];

/// What is built instead.
const SUPPORTED: &str = "supported are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN for a session), or \
                         aws_access_key_id and aws_secret_access_key in a profile; `aws configure export-credentials \
                         --format env` prints the former for any other way";

/// The settings of clients, from the environment and AWS's own files, from code, or from both.
///
/// ```
/// use client::aws::{Config, Credentials};
///
/// let config = Config::new()
///     .region("eu-central-1".parse()?)
///     .credentials(Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
///     .endpoint("http://127.0.0.1:9000")?;
/// assert_eq!(config.region_name(), Some("eu-central-1"));
/// # Ok::<(), client::aws::AwsError>(())
/// ```
///
/// | setting | environment | profile |
/// |---|---|---|
/// | profile | `AWS_PROFILE` | |
/// | credentials | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the same in lower case |
/// | Region | `AWS_REGION`, `AWS_DEFAULT_REGION` | `region` |
/// | endpoint of S3 or KMS | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL` | `endpoint_url`, there or in its `services` |
/// | certificate authorities | `AWS_CA_BUNDLE` | `ca_bundle` |
/// | checksums | `AWS_REQUEST_CHECKSUM_CALCULATION` | `request_checksum_calculation` |
/// | bucket in the path or in the host | | `addressing_style` within `s3` |
///
/// The environment goes before a profile. Without an endpoint, AWS's own is taken; with one, the bucket stands in the path unless
/// [`path_style`](Config::path_style) says otherwise.
#[derive(Debug, Clone)]
pub struct Config {
    pub(super) region: Option<Region>,
    credentials: Found,
    endpoint: Option<Endpoint>,
    pub(super) endpoint_s3: Option<Endpoint>,
    pub(super) endpoint_kms: Option<Endpoint>,
    pub(super) kms_without_tls: bool,
    pub(super) path_style: Option<bool>,
    pub(super) ca_bundle: Option<PathBuf>,
    pub(super) checksums: bool,
    pub(super) connect_limit: Duration,
    pub(super) stall_limit: Duration,
    pub(super) attempts: u32,
}

/// What looking for credentials came to. That there are none matters only to who signs.
#[derive(Debug, Clone)]
enum Found {
    Credentials(Credentials),
    Nothing(String),
}

impl Config {
    /// With nothing set but the limits.
    #[must_use]
    pub fn new() -> Self {
        Self {
            region: None,
            credentials: Found::Nothing(format!("no credentials: {SUPPORTED}")),
            endpoint: None,
            endpoint_s3: None,
            endpoint_kms: None,
            kms_without_tls: false,
            path_style: None,
            ca_bundle: None,
            checksums: true,
            connect_limit: CONNECT_LIMIT,
            stall_limit: STALL_LIMIT,
            attempts: ATTEMPTS,
        }
    }

    /// From the environment, and what that leaves open from the profile `AWS_PROFILE`, or `default`, of `~/.aws/config` and
    /// `~/.aws/credentials`.
    ///
    /// # Errors
    /// [`AwsError::Config`]: a profile that is named and not there, a file that cannot be read, a setting that makes no sense. That
    /// there are no credentials is told when a client is made.
    pub fn from_env() -> Result<Self, AwsError> {
        Self::load(&variable, None)
    }

    /// From this profile: its credentials go before those of the environment, and nothing else does.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn from_profile(name: &str) -> Result<Self, AwsError> {
        Self::load(&variable, Some(name))
    }

    pub(super) fn load(env: &dyn Fn(&str) -> Option<String>, named: Option<&str>) -> Result<Self, AwsError> {
        let profiles = Profiles::read(env)?;
        let chosen = named.map(str::to_owned).or_else(|| env("AWS_PROFILE")).or_else(|| env("AWS_DEFAULT_PROFILE"));
        let profile = chosen.as_deref().unwrap_or("default");
        if chosen.is_some() && !profiles.has(profile) {
            return Err(AwsError::Config(format!("there is no profile {profile:?} in AWS's config and credentials")));
        }
        let set = |variables: &[&str], name: &str| {
            let of_profile = || profiles.get(profile, name).map(str::to_owned);
            variables.iter().find_map(|variable| env(variable)).or_else(of_profile)
        };
        let region = set(&["AWS_REGION", "AWS_DEFAULT_REGION"], "region");
        let ca_bundle = set(&["AWS_CA_BUNDLE"], "ca_bundle");
        let path_style = match profiles.get(profile, "s3.addressing_style") {
            Some("path") => Some(true),
            Some("virtual") => Some(false),
            _ => None,
        };
        let checksums = set(&["AWS_REQUEST_CHECKSUM_CALCULATION"], "request_checksum_calculation");
        let ignored = set(&["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"], "ignore_configured_endpoint_urls");
        let ignored = ignored.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let everywhere = env("AWS_ENDPOINT_URL");
        // AWS's order: the variable of a service, that of all, the profile's of a service, the profile's of all.
        let of_service = |service: &str| {
            env(&format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase())).or_else(|| {
                let of_profile = || profiles.service(profile, service, "endpoint_url").map(str::to_owned);
                if everywhere.is_none() { of_profile() } else { None }
            })
        };
        let endpoint = |url: Option<String>| url.filter(|_| !ignored).map(|url| url.parse()).transpose();
        let of_all = everywhere.clone().or_else(|| profiles.get(profile, "endpoint_url").map(str::to_owned));
        Ok(Self {
            region: region.map(|region| region.parse()).transpose()?,
            credentials: credentials(env, &profiles, profile, named.is_some())?,
            endpoint: endpoint(of_all)?,
            endpoint_s3: endpoint(of_service("s3"))?,
            endpoint_kms: endpoint(of_service("kms"))?,
            path_style,
            ca_bundle: ca_bundle.map(PathBuf::from),
            checksums: !checksums.is_some_and(|value| value.eq_ignore_ascii_case("when_required")),
            ..Self::new()
        })
    }

    /// The Region, of which requests are signed and whose endpoints are taken.
    #[must_use]
    pub fn region(self, region: Region) -> Self {
        Self { region: Some(region), ..self }
    }

    /// Who signs.
    #[must_use]
    pub fn credentials(self, credentials: Credentials) -> Self {
        Self { credentials: Found::Credentials(credentials), ..self }
    }

    /// Where both services listen, as far as nothing says where one of them does: as `AWS_ENDPOINT_URL`, and instead of it. **Who listens
    /// there is believed to be the KMS, too**, and chooses data keys: of an S3 that is not, set [`Config::endpoint_s3`].
    ///
    /// # Errors
    /// [`AwsError::Config`]: not the URL of a host.
    pub fn endpoint(self, url: &str) -> Result<Self, AwsError> {
        Ok(Self { endpoint: Some(url.parse()?), ..self })
    }

    /// Where S3 listens.
    ///
    /// # Errors
    /// [`AwsError::Config`]: not the URL of a host.
    pub fn endpoint_s3(self, url: &str) -> Result<Self, AwsError> {
        Ok(Self { endpoint_s3: Some(url.parse()?), ..self })
    }

    /// Where KMS listens.
    ///
    /// # Errors
    /// [`AwsError::Config`]: not the URL of a host.
    pub fn endpoint_kms(self, url: &str) -> Result<Self, AwsError> {
        Ok(Self { endpoint_kms: Some(url.parse()?), ..self })
    }

    /// Whether KMS may be asked over plain HTTP beyond this machine: unless set, [`KmsClient`](super::KmsClient) refuses, since answers have
    /// data keys in clear.
    #[must_use]
    pub fn kms_without_tls(self, allowed: bool) -> Self {
        Self { kms_without_tls: allowed, ..self }
    }

    /// Whether the bucket stands in the path (`https://host/bucket/key`) or in the host (`https://bucket.host/key`).
    #[must_use]
    pub fn path_style(self, path: bool) -> Self {
        Self { path_style: Some(path), ..self }
    }

    /// A file of certificate authorities in PEM that are believed instead of the system's.
    #[must_use]
    pub fn ca_bundle(self, file: impl Into<PathBuf>) -> Self {
        Self { ca_bundle: Some(file.into()), ..self }
    }

    /// Whether objects are stored and fetched with a checksum (CRC-64/NVME), as AWS's clients do: they are, unless a service does not
    /// know them. `when_required` in the environment means that they are not.
    #[must_use]
    pub fn checksums(self, checksums: bool) -> Self {
        Self { checksums, ..self }
    }

    /// Time in which a connection has to stand: [`CONNECT_LIMIT`] unless set.
    #[must_use]
    pub fn connect_limit(self, limit: Duration) -> Self {
        Self { connect_limit: limit, ..self }
    }

    /// Time in which something has to come or go: [`STALL_LIMIT`] unless set.
    #[must_use]
    pub fn stall_limit(self, limit: Duration) -> Self {
        Self { stall_limit: limit, ..self }
    }

    /// How often a request is tried, at most: [`ATTEMPTS`] unless set, and once at least.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// The Region, if there is one.
    #[must_use]
    pub fn region_name(&self) -> Option<&str> {
        self.region.as_ref().map(Region::as_str)
    }

    pub(super) fn s3(&self) -> Option<&Endpoint> {
        self.endpoint_s3.as_ref().or(self.endpoint.as_ref())
    }

    pub(super) fn kms(&self) -> Option<&Endpoint> {
        self.endpoint_kms.as_ref().or(self.endpoint.as_ref())
    }

    pub(super) fn signer(&self) -> Result<&Credentials, AwsError> {
        match &self.credentials {
            Found::Credentials(credentials) => Ok(credentials),
            Found::Nothing(why) => Err(AwsError::Config(why.clone())),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// A variable that is there and says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn credentials(
    env: &dyn Fn(&str) -> Option<String>,
    profiles: &Profiles,
    profile: &str,
    named: bool,
) -> Result<Found, AwsError> {
    let secret = |value: Option<String>| value.map(Zeroizing::new);
    if !named && let Some(id) = env("AWS_ACCESS_KEY_ID") {
        let key = secret(env("AWS_SECRET_ACCESS_KEY"));
        return found("the environment", Some(&id), key.as_deref(), secret(env("AWS_SESSION_TOKEN")).as_deref());
    }
    let get = |name| profiles.get(profile, name);
    let (id, key) = (get("aws_access_key_id"), get("aws_secret_access_key"));
    let way = UNSUPPORTED.into_iter().find(|way| get(way).is_some());
    let key_counts = way.is_none_or(|way| way == "credential_process");
    if key_counts && (id.is_some() || key.is_some()) {
        let token = get("aws_session_token").map(|token| Zeroizing::new(token.to_owned()));
        let key = key.map(|key| Zeroizing::new(key.to_owned()));
        return found(&format!("profile {profile:?}"), id, key.as_deref(), token.as_deref());
    }
    Ok(Found::Nothing(match way {
        Some(way) => format!("profile {profile:?} has its credentials by `{way}`, which is not supported: {SUPPORTED}"),
        None => format!("no credentials, neither in the environment nor in profile {profile:?}: {SUPPORTED}"),
    }))
}

fn found(place: &str, id: Option<&str>, secret: Option<&String>, token: Option<&String>) -> Result<Found, AwsError> {
    let (Some(id), Some(secret)) = (id, secret) else {
        return Err(AwsError::Config(format!("{place} has half of an access key: {SUPPORTED}")));
    };
    let credentials = Credentials::new(id, secret);
    Ok(Found::Credentials(match token {
        Some(token) => credentials.session_token(token),
        None => credentials,
    }))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
