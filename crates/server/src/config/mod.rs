//! What an operator sets. All settings with their defaults: docs/configuration.md.

pub mod network;
pub mod setting;
mod source;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use keys::{AccountId, Region};
use objects::BlockedTypes;

use crate::credentials::{Credentials, Weakness};
use crate::hsm::Hsm;
use crate::root_key::Source;
use network::{HTTP, HTTPS, NamedListener, PerListener};
use policy::Network;
use setting::Setting;
use source::Values;
pub use source::{Origin, Sources};

/// The settings, parsed.
pub struct Config {
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The folder of the store.
    pub data_dir: PathBuf,
    /// Where to listen for HTTP, if at all.
    pub http: Option<SocketAddr>,
    /// Where to listen for HTTPS, if at all.
    pub https: Option<SocketAddr>,
    /// More listeners, each with a name.
    pub listeners: Vec<NamedListener>,
    /// Who may connect; everybody where there is nothing.
    pub allow: PerListener<Network>,
    /// The authorities that clients must have a certificate from; none is asked for where there is nothing.
    pub client_ca: PerListener<PathBuf>,
    /// Who is believed in saying for whom it speaks.
    pub trusted_proxies: Vec<Network>,
    /// Whether failed signatures make their source wait.
    pub delay_failures: bool,
    /// Requests a second that a principal may make.
    pub request_rate: Option<u32>,
    /// How many times AWS's quotas hold; none hold without.
    pub request_quotas: Option<f64>,
    /// The operator's certificate. Without one, the development CA makes one.
    pub certificate: Option<CertificateFiles>,
    /// The root keys, if not the file in the secrets folder: the one that wraps, then those that only open.
    pub root_key: Vec<Source>,
    /// The secrets folder, if not the one in the user's folder.
    pub secrets_dir: Option<PathBuf>,
    /// Where the secrets folders of all stores are, if the environment tells.
    pub user_dir: Option<PathBuf>,
    /// The root user's credentials, if not those made on the first start.
    pub root_credentials: Option<Credentials>,
    /// The Region, if not the store's.
    pub region: Option<Region>,
    /// The Regions in which KMS answers; the store's own among them or not.
    pub regions: Vec<Region>,
    /// The root user's account, if not the store's.
    pub account_id: Option<AccountId>,
    /// The file of more accounts.
    pub accounts: Option<PathBuf>,
    /// The HSMs that may become custom key stores.
    pub hsms: Vec<Hsm>,
    /// Certificate authorities for the proxies of external key stores.
    pub xks_ca_certificates: Option<PathBuf>,
    /// Hosts of such proxies, and where they are.
    pub xks_routes: Vec<(String, String)>,
    /// A file of certificate authorities whom issuers of web identities may have their certificates from, too.
    pub oidc_ca_certificates: Option<PathBuf>,
    /// Hosts of issuers, and the endpoints where they are.
    pub oidc_routes: Vec<(String, String)>,
    /// Domains under which a label in front names a bucket.
    pub domains: Vec<String>,
    /// What new buckets block.
    pub blocked: BlockedTypes,
    /// Whether new buckets block public access.
    pub block_public_access: bool,
    /// Whether answers wait for their records.
    pub audit: audit::Mode,
    /// How long records are kept.
    pub audit_retention: Duration,
    /// How often trails deliver.
    pub trails: audit::trail::Pace,
    /// Objects up to this many bytes lie in their record.
    pub inline_limit: usize,
    /// Connections served at once.
    pub max_connections: usize,
    /// The filter of logs.
    pub log_level: String,
    /// The form of logs.
    pub log_format: LogFormat,
}

/// A certificate of the operator's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM: the certificate, then its chain.
    pub certificate: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that could not be read.
    #[error("the configuration file {path}: {1}", path = .0.display())]
    File(PathBuf, #[source] std::io::Error),
    /// A file that is not TOML.
    #[error("the configuration file {path} is not TOML: {1}", path = .0.display())]
    Toml(PathBuf, #[source] Box<toml::de::Error>),
    /// A name in a file that is no setting.
    #[error("{path}: there is no setting {0:?}; docs/configuration.md has them all", path = .1.display())]
    UnknownName(String, PathBuf),
    /// A variable of ours that is no setting.
    #[error("the environment sets {0}, but there is no such setting; docs/configuration.md has them all")]
    UnknownVariable(String),
    /// A secret in a file.
    #[error("{path}: this setting is taken from the environment alone, as {0}", path = .1.display())]
    VariableOnly(String, PathBuf),
    /// A variable that is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotText(String),
    /// A table, a date or the like.
    #[error("{path}: {0} must be a text, a whole number or a list of texts", path = .1.display())]
    NotSimple(String, PathBuf),
    /// A value that does not fit its setting.
    #[error("{setting}: {reason}")]
    Invalid {
        /// The setting, as its giver calls it.
        setting: String,
        /// What is wrong; never holds a secret.
        reason: String,
    },
    /// One of two settings that need each other.
    #[error("{0} needs {1} as well")]
    Incomplete(&'static str, &'static str),
    /// Nothing to listen on.
    #[error("both http and https are off, and there are no other listeners: there is nothing to serve")]
    NoListener,
    /// The root secret is not one.
    #[error("STRONGROOM_ROOT_ACCESS_KEY_ID and STRONGROOM_ROOT_SECRET_ACCESS_KEY: {0}")]
    Weak(#[from] Weakness),
}

impl Config {
    /// Reads all sources. The same value from a later one (file, environment, flags) wins.
    ///
    /// # Errors
    /// [`ConfigError`]: whatever is unknown, unreadable or unfit.
    pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
        let (values, file) = sources.values()?;
        let listeners = value(&values, "listeners", network::listeners)?.unwrap_or_default();
        let named = |tls: bool| listeners.iter().filter(move |one| one.tls || !tls).map(|one| one.name.as_str());
        let all: Vec<&str> = [HTTP, HTTPS].into_iter().chain(named(false)).collect();
        let tls: Vec<&str> = std::iter::once(HTTPS).chain(named(true)).collect();
        let allow = value(&values, "allow", |text| network::allow(text, &all))?.unwrap_or_default();
        let client_ca = value(&values, "tls_client_ca", |text| network::client_ca(text, &tls))?.unwrap_or_default();
        let config = Config {
            file,
            listeners,
            allow,
            client_ca,
            trusted_proxies: value(&values, "trusted_proxies", network::networks)?.unwrap_or_default(),
            delay_failures: value(&values, "delay_failures", on_or_off)?.unwrap_or(true),
            request_rate: value(&values, "request_rate", request_rate)?.flatten(),
            request_quotas: value(&values, "request_quotas", request_quotas)?.flatten(),
            data_dir: value(&values, "data_dir", path)?.unwrap_or_else(|| DEFAULT_DATA_DIR.into()),
            http: value(&values, "http", listen)?.unwrap_or(Some(DEFAULT_HTTP)),
            https: value(&values, "https", listen)?.unwrap_or(Some(DEFAULT_HTTPS)),
            certificate: certificate(&values)?,
            root_key: value(&values, "root_key", Source::list)?.unwrap_or_default(),
            secrets_dir: value(&values, "secrets_dir", path)?,
            user_dir: sources.user_dir(),
            root_credentials: credentials(&values)?,
            region: value(&values, "region", |text| Region::parse(text).map_err(|error| error.to_string()))?,
            regions: value(&values, "regions", regions)?.unwrap_or_default(),
            account_id: value(&values, "account_id", account)?,
            accounts: value(&values, "accounts", path)?,
            hsms: value(&values, "hsms", |text| Hsm::list(list(text)))?.unwrap_or_default(),
            xks_ca_certificates: value(&values, "xks_ca_certificates", path)?,
            xks_routes: value(&values, "xks_routes", xks_routes)?.unwrap_or_default(),
            oidc_ca_certificates: value(&values, "oidc_ca_certificates", path)?,
            oidc_routes: value(&values, "oidc_routes", oidc_routes)?.unwrap_or_default(),
            domains: value(&values, "domains", domains)?.unwrap_or_else(|| DEFAULT_DOMAINS.map(str::to_owned).to_vec()),
            blocked: value(&values, "blocked_encryption_types", blocked)?.unwrap_or(BlockedTypes { customer: true }),
            audit: value(&values, "audit", audit_mode)?.unwrap_or(audit::Mode::Strict),
            audit_retention: value(&values, "audit_retention_days", |text| {
                number(text, AUDIT_DAYS_MIN, AUDIT_DAYS_MAX)
            })?
            .map_or(AUDIT_RETENTION, days),
            trails: audit::trail::Pace {
                log_files: value(&values, "trail_delivery_seconds", |text| number(text, 1, TRAIL_SECONDS_MAX))?
                    .map_or(TRAIL_DELIVERY, seconds),
                digests: value(&values, "trail_digest_seconds", |text| number(text, 1, TRAIL_SECONDS_MAX))?
                    .map_or(TRAIL_DIGEST, seconds),
            },
            block_public_access: value(&values, "block_public_access", on_or_off)?.unwrap_or(true),
            inline_limit: value(&values, "inline_limit", |text| number(text, 0, INLINE_LIMIT_MAX))?
                .unwrap_or(DEFAULT_INLINE_LIMIT),
            max_connections: value(&values, "max_connections", |text| number(text, 1, MAX_CONNECTIONS_MAX))?
                .unwrap_or(DEFAULT_MAX_CONNECTIONS),
            log_level: value(&values, "log_level", log_level)?.unwrap_or_else(|| "info".to_owned()),
            log_format: value(&values, "log_format", log_format)?.unwrap_or(LogFormat::Text),
        };
        if config.http.is_none() && config.https.is_none() && config.listeners.is_empty() {
            return Err(ConfigError::NoListener);
        }
        Ok(config)
    }
}

fn value<T>(
    values: &Values,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    let Some(value) = values.get(name) else { return Ok(None) };
    let setting = Setting::named(name).expect("every name that is asked for stands in the table");
    parse(&value.text)
        .map(Some)
        .map_err(|reason| ConfigError::Invalid { setting: value.origin.describe(setting), reason })
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("an empty path".to_owned()) } else { Ok(PathBuf::from(text)) }
}

fn listen(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("{text:?} is neither an IP address with a port nor \"off\""))
}

fn certificate(values: &Values) -> Result<Option<CertificateFiles>, ConfigError> {
    match (value(values, "tls_certificate", path)?, value(values, "tls_key", path)?) {
        (Some(certificate), Some(key)) => Ok(Some(CertificateFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(ConfigError::Incomplete("tls_certificate", "tls_key")),
        (None, Some(_)) => Err(ConfigError::Incomplete("tls_key", "tls_certificate")),
    }
}

fn credentials(values: &Values) -> Result<Option<Credentials>, ConfigError> {
    match (values.get("root_access_key_id"), values.get("root_secret_access_key")) {
        (Some(id), Some(secret)) => Ok(Some(Credentials::of_root(&id.text, &secret.text)?)),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(ConfigError::Incomplete("STRONGROOM_ROOT_ACCESS_KEY_ID", "STRONGROOM_ROOT_SECRET_ACCESS_KEY"))
        }
        (None, Some(_)) => {
            Err(ConfigError::Incomplete("STRONGROOM_ROOT_SECRET_ACCESS_KEY", "STRONGROOM_ROOT_ACCESS_KEY_ID"))
        }
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn regions(text: &str) -> Result<Vec<Region>, String> {
    let named: Vec<Region> = list(text)
        .map(|name| name.parse().map_err(|_| format!("{name:?} is not a Region")))
        .collect::<Result<_, _>>()?;
    match named.len() {
        0 => Err("no Region is named".to_owned()),
        count if count > REGIONS_MAX => Err(format!("{count} Regions, of at most {REGIONS_MAX}")),
        _ => Ok(named),
    }
}

/// What an endpoint is, `keys` knows.
fn xks_routes(text: &str) -> Result<Vec<(String, String)>, String> {
    let routes = routes(text)?;
    keys::XksNetwork::new(None, routes.iter().cloned()).map(|_| routes)
}

/// What an endpoint is, `identity` knows.
fn oidc_routes(text: &str) -> Result<Vec<(String, String)>, String> {
    let routes = routes(text)?;
    identity::oidc::OidcNetwork::new(None, routes.iter().cloned()).map(|_| routes)
}

/// `HOST=ENDPOINT`
fn routes(text: &str) -> Result<Vec<(String, String)>, String> {
    let parse = |route: &str| match route.split_once('=') {
        Some((host, endpoint)) => Ok((host.to_owned(), endpoint.to_owned())),
        None => Err(format!("{route:?} is not of the form HOST=https://ADDRESS:PORT")),
    };
    list(text).map(parse).collect()
}

/// Names of letters, digits and hyphens (RFC 1123, 2.1), so that the certificate can carry them.
fn domains(text: &str) -> Result<Vec<String>, String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    list(text)
        .map(|domain| match domain.len() <= 253 && domain.split('.').all(label) {
            true => Ok(domain.to_ascii_lowercase()),
            false => Err(format!("{domain:?} is not a domain")),
        })
        .collect()
}

/// AWS knows these two values of `BlockedEncryptionTypes`, and `NONE` only alone.
fn account(text: &str) -> Result<AccountId, String> {
    match AccountId::parse(text) {
        Ok(AccountId::NOBODY) => Err("no account has this id".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

fn audit_mode(text: &str) -> Result<audit::Mode, String> {
    match text {
        "strict" => Ok(audit::Mode::Strict),
        "relaxed" => Ok(audit::Mode::Relaxed),
        _ => Err("it is \"strict\" or \"relaxed\"".to_owned()),
    }
}

fn days(number: usize) -> Duration {
    Duration::from_secs(number as u64 * 24 * 60 * 60)
}

/// LookupEvents has 90 days of history.
const AUDIT_DAYS_MIN: usize = 90;
/// Ten years: what the longest common duties to keep records ask for.
const AUDIT_DAYS_MAX: usize = 3_660;
/// A year, which auditors ask for, and a month to ask in.
const AUDIT_RETENTION: Duration = Duration::from_secs(400 * 24 * 60 * 60);

fn seconds(count: usize) -> Duration {
    Duration::from_secs(count as u64)
}

/// AWS: "about every five minutes", and every hour.
const TRAIL_DELIVERY: Duration = Duration::from_secs(300);
const TRAIL_DIGEST: Duration = Duration::from_secs(3600);
const TRAIL_SECONDS_MAX: usize = 86_400;

fn blocked(text: &str) -> Result<BlockedTypes, String> {
    match list(text).collect::<Vec<_>>()[..] {
        ["SSE-C"] => Ok(BlockedTypes { customer: true }),
        ["NONE"] => Ok(BlockedTypes { customer: false }),
        _ => Err(format!("{text:?} is neither \"SSE-C\" nor \"NONE\"")),
    }
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("{text:?} is neither \"on\" nor \"off\"")),
    }
}

fn request_rate(text: &str) -> Result<Option<u32>, String> {
    match text {
        "off" => Ok(None),
        _ => number(text, 1, REQUEST_RATE_MAX).map(|rate| u32::try_from(rate).ok()),
    }
}

fn request_quotas(text: &str) -> Result<Option<f64>, String> {
    let fits = |factor: &f64| (QUOTA_FACTOR_MIN..=QUOTA_FACTOR_MAX).contains(factor);
    match text {
        "off" => Ok(None),
        "on" => Ok(Some(1.0)),
        _ => text.parse().ok().filter(fits).map(Some).ok_or_else(|| {
            format!("{text:?} is neither \"on\", \"off\" nor a number from {QUOTA_FACTOR_MIN} to {QUOTA_FACTOR_MAX}")
        }),
    }
}

fn number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let fits = |number: &usize| (least..=most).contains(number);
    text.parse().ok().filter(fits).ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}"))
}

/// `level` or `module=level`. `Targets` alone would take a misspelt level for the name of a module.
fn log_level(text: &str) -> Result<String, String> {
    for item in list(text) {
        let (module, level) = item.split_once('=').unwrap_or(("-", item));
        let known = level == "off" || level.parse::<tracing::Level>().is_ok();
        if module.is_empty() || !known || level.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("{item:?} is not of the form LEVEL or MODULE=LEVEL"));
        }
    }
    match text.parse::<tracing_subscriber::filter::Targets>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{text:?}: {error}")),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is neither \"text\" nor \"json\"")),
    }
}

const DEFAULT_DATA_DIR: &str = "./strongroom-data";
const DEFAULT_HTTP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9000);
const DEFAULT_HTTPS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9443);
/// Every `localhost` name is this machine (RFC 6761, 6.3), so virtual-host style works without any DNS. No TLS client
/// takes a wildcard right below a top-level name, hence the second.
const DEFAULT_DOMAINS: [&str; 2] = ["localhost", "s3.localhost"];
/// Measured over 32 connections: at 32 KiB a durable PUT into the record costs 146 µs of CPU time and as a blob 430, at 64 KiB 232 and 590;
/// but there it is no longer faster, and its slowest hundredth waits twice as long (docs/configuration.md).
const DEFAULT_INLINE_LIMIT: usize = 32 * 1024;
/// A record is held in memory whole; beyond a mebibyte a blob costs less in every way.
const INLINE_LIMIT_MAX: usize = 1024 * 1024;
/// At two buffers of a mebibyte each this is what a machine of 8 GiB bears at the very worst.
const DEFAULT_MAX_CONNECTIONS: usize = 4096;
/// As many as AWS has, and again as many. A request finds its Region by looking through them.
const REGIONS_MAX: usize = 64;
const MAX_CONNECTIONS_MAX: usize = 1_000_000;
/// More than any principal can make here.
const REQUEST_RATE_MAX: usize = 1_000_000;
/// From one CreateKey in 20 s to 5,000 a second.
const QUOTA_FACTOR_MIN: f64 = 0.01;
const QUOTA_FACTOR_MAX: f64 = 1_000.0;

#[cfg(test)]
mod tests;
