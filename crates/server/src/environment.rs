//! What an AWS client needs to know to use the server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use zeroize::Zeroizing;

use crate::config::{Config, ConfigError};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::open;
use crate::secrets::Secrets;
use crate::store_identity::StoreIdentity;

/// A variable to set, or to unset where there is no value.
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: Option<Zeroizing<String>>,
}

/// Which of the two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// HTTPS if it is on, else HTTP.
    Best,
    /// HTTP.
    Http,
}

/// All variables, in the order in which to set them. The server may be running or not.
///
/// # Errors
/// [`Error::NoStore`] before the first start; what is wrong with the settings or the credentials' file.
pub fn variables(config: &Config, endpoint: Endpoint) -> Result<Vec<Variable>, Error> {
    let data_dir = open::locate(config)?;
    // Only a client's Region hangs on it; the server verifies its own.
    let identity = StoreIdentity::load(&data_dir)?.ok_or_else(|| Error::NoStore(data_dir.clone()))?.unverified();
    let secrets = Secrets::of(config, &data_dir)?;
    let credentials = match &config.root_credentials {
        Some(given) => given.duplicate(),
        None => match Credentials::load(&secrets.root_credentials()?) {
            Err(error) if error.is_not_found() => return Err(Error::NoCredentials(secrets.root_credentials()?)),
            other => other?,
        },
    };
    let (url, secure) = match (endpoint, config.https, config.http) {
        (Endpoint::Best, Some(https), _) => (format!("https://{}", reachable(https)), true),
        (_, _, Some(http)) => (format!("http://{}", reachable(http)), false),
        // Only listeners with names: the first that fits.
        _ => match config
            .listeners
            .iter()
            .find(|one| one.tls == (endpoint == Endpoint::Best))
            .or(config.listeners.first().filter(|_| endpoint == Endpoint::Best))
        {
            Some(one) if one.tls => (format!("https://{}", reachable(one.address)), true),
            Some(one) => (format!("http://{}", reachable(one.address)), false),
            None => return Err(ConfigError::NoListener.into()),
        },
    };
    let set = |name, value: &str| Variable { name, value: Some(Zeroizing::new(value.to_owned())) };
    let mut variables = vec![
        set("AWS_ACCESS_KEY_ID", credentials.access_key_id()),
        set("AWS_SECRET_ACCESS_KEY", credentials.secret_text()),
        set("AWS_REGION", identity.region.as_str()),
        set("AWS_DEFAULT_REGION", identity.region.as_str()),
        set("AWS_ENDPOINT_URL", &url),
    ];
    if secure && config.certificate.is_none() {
        let path = std::path::absolute(secrets.ca_certificate()?)
            .map_err(|error| Error::System("the working directory", error))?;
        variables.push(set("AWS_CA_BUNDLE", &path.to_string_lossy()));
    }
    variables.extend(OVERRIDING.map(|name| Variable { name, value: None }));
    Ok(variables)
}

/// The address as a client of this machine reaches it.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Variables that would send a client elsewhere or as someone else
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>).
const OVERRIDING: [&str; 7] = [
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_KMS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];
