//! Where a service listens.

use super::error::AwsError;
use super::region::Region;
use http::Uri;
use http::uri::Scheme;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Scheme, host, port and whatever path a proxy wants before that of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) https: bool,
    /// Host and port; the port is left out where it is the scheme's own, as in the `host` header.
    pub(super) authority: String,
    /// Without a slash at the end; empty as a rule.
    pub(super) prefix: String,
}

impl Endpoint {
    /// AWS's own, of a service in a Region.
    pub(super) fn of(service: &str, region: &Region) -> Self {
        Endpoint { https: true, authority: format!("{service}.{region}.{}", region.suffix()), prefix: String::new() }
    }

    pub(super) fn is_ip(&self) -> bool {
        self.host().starts_with('[') || self.host().parse::<Ipv4Addr>().is_ok()
    }

    /// Whether it is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host();
        match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
            None => {
                host.eq_ignore_ascii_case("localhost")
                    || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }

    /// An IPv6 address in brackets.
    fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => &self.authority,
        }
    }

    /// The same with a label before the host.
    pub(super) fn under(&self, label: &str) -> Self {
        Endpoint { authority: format!("{label}.{}", self.authority), ..self.clone() }
    }
}

impl FromStr for Endpoint {
    type Err = AwsError;

    fn from_str(text: &str) -> Result<Self, AwsError> {
        let wrong = |why: &str| AwsError::Config(format!("not an endpoint's URL: {text:?}: {why}"));
        let uri: Uri = text.parse().map_err(|_| wrong("not a URL"))?;
        let https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(wrong("it begins with neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("there is no host"))?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(wrong("neither a user nor a query may stand there"));
        }
        let own_port = if https { 443 } else { 80 };
        let authority = match authority.port_u16() {
            Some(port) if port != own_port => format!("{}:{port}", authority.host()),
            _ => authority.host().to_owned(),
        };
        Ok(Endpoint { https, authority, prefix: uri.path().trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn urls() {
        let of = |text: &str| text.parse::<Endpoint>().unwrap();
        let endpoint = |https, authority: &str, prefix: &str| Endpoint {
            https,
            authority: authority.to_owned(),
            prefix: prefix.to_owned(),
        };
        assert_eq!(of("http://127.0.0.1:9000"), endpoint(false, "127.0.0.1:9000", ""));
        assert_eq!(of("https://s3.example.com:443/"), endpoint(true, "s3.example.com", ""));
        assert_eq!(of("http://[::1]:80/a/b/"), endpoint(false, "[::1]", "/a/b"));
        assert!(of("http://[::1]:9000").is_ip() && of("http://127.0.0.1").is_ip() && !of("http://localhost:1").is_ip());
        for text in ["http://localhost:1", "http://127.1.2.3", "http://[::1]", "http://[::1]:9"] {
            assert!(of(text).is_loopback(), "{text}");
        }
        for text in
            ["http://localhost.example", "http://10.0.0.1:9", "http://[fd00::1]", "http://[::]:1", "http://0.0.0.0"]
        {
            assert!(!of(text).is_loopback(), "{text}");
        }
        for text in ["", "localhost:9000", "ftp://a", "https://user@host", "https://host?a", "http:///a", "https://a b"]
        {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
