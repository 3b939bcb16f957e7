use std::net::IpAddr;

/// Where a service is: what it is called, and where it is reached.
///
/// The two differ if the operator has given a route: the name is still what is signed, sent as `Host` and looked for in the
/// certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    name: Place,
    route: Option<Place>,
}

/// A scheme, a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    secure: bool,
    /// A name or an IP address, IPv6 without brackets.
    host: String,
    port: u16,
}

/// A text that is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// Not of the form.
    #[error("{0:?} is not of the form https://HOST or https://HOST:PORT")]
    Form(String),
    /// Plain HTTP to elsewhere.
    #[error("{0:?}: without TLS, only an address of this machine (127.0.0.1, [::1]) may be called")]
    Plain(String),
}

impl Endpoint {
    /// Parses `https://HOST` or `https://HOST:PORT`; a slash at the end is taken, a path is not. `http://` is for loopback addresses
    /// alone.
    ///
    /// # Errors
    /// [`InvalidEndpoint`].
    pub fn parse(text: &str) -> Result<Endpoint, InvalidEndpoint> {
        Ok(Endpoint { name: Place::parse(text)?, route: None })
    }

    /// The same service, reached at `route`, which is written as an endpoint. The scheme of `route` decides whether TLS is spoken.
    ///
    /// # Errors
    /// [`InvalidEndpoint`].
    pub fn through(self, route: &str) -> Result<Endpoint, InvalidEndpoint> {
        Ok(Endpoint { route: Some(Place::parse(route)?), ..self })
    }

    /// The host that it is called.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.name.host
    }

    /// The value of the `Host` header: the port stands in it if it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let Place { secure, port, .. } = self.name;
        let host = bracketed(&self.name.host);
        if port == if secure { HTTPS } else { HTTP } { host } else { format!("{host}:{port}") }
    }

    /// Whether the operator has said where it is reached.
    pub(crate) fn is_routed(&self) -> bool {
        self.route.is_some()
    }

    /// Host and port to connect to.
    pub(crate) fn target(&self) -> (&str, u16) {
        let place = self.place();
        (&place.host, place.port)
    }

    /// Whether TLS is spoken.
    pub(crate) fn secure(&self) -> bool {
        self.place().secure
    }

    /// For errors and logs: the name, and where it was sought if that is elsewhere.
    pub(crate) fn shown(&self) -> String {
        let Place { host, port, .. } = self.place();
        let place = format!("{}:{port}", bracketed(host));
        if self.route.is_some() { format!("{} at {place}", self.authority()) } else { place }
    }

    fn place(&self) -> &Place {
        self.route.as_ref().unwrap_or(&self.name)
    }
}

const HTTPS: u16 = 443;
const HTTP: u16 = 80;
/// The longest name that the DNS has (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;

impl Place {
    fn parse(text: &str) -> Result<Place, InvalidEndpoint> {
        let form = || InvalidEndpoint::Form(text.to_owned());
        let (secure, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(form()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(form)?)),
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            None if secure => HTTPS,
            None => HTTP,
            // `parse` alone would take a sign.
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().map_err(|_| form())?,
            Some(_) => return Err(form()),
        };
        let address = host.parse::<IpAddr>().ok();
        let is_name = !host.is_empty()
            && host.len() <= MAX_HOST
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if port == 0 || (address.is_none() && (!is_name || rest.starts_with('['))) {
            return Err(form());
        }
        if !secure && !address.is_some_and(|address| address.is_loopback()) {
            return Err(InvalidEndpoint::Plain(text.to_owned()));
        }
        Ok(Place { secure, host: host.to_ascii_lowercase(), port })
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn endpoints_that_are() {
        for (text, authority, target, secure) in [
            ("https://kms.example.com", "kms.example.com", ("kms.example.com", 443), true),
            ("https://KMS.example.com/", "kms.example.com", ("kms.example.com", 443), true),
            ("https://kms.example.com:443", "kms.example.com", ("kms.example.com", 443), true),
            ("https://kms.example.com:8443", "kms.example.com:8443", ("kms.example.com", 8443), true),
            ("https://10.0.0.5:9", "10.0.0.5:9", ("10.0.0.5", 9), true),
            ("https://[2001:db8::1]:9", "[2001:db8::1]:9", ("2001:db8::1", 9), true),
            ("http://127.0.0.1:9000", "127.0.0.1:9000", ("127.0.0.1", 9000), false),
            ("http://[::1]", "[::1]", ("::1", 80), false),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(
                (endpoint.authority().as_str(), endpoint.target(), endpoint.secure()),
                (authority, target, secure)
            );
        }
    }

    #[test]
    fn endpoints_that_are_not() {
        for text in [
            "",
            "https://",
            "kms.example.com",
            "ftp://a",
            "https://a/b",
            "https://a?b",
            "https://a b",
            "https://a:0",
            "https://a:65536",
            "https://a:+1",
            "https://a:",
            "https://u@a",
            "https://[::1",
            "https://[a]",
            "https://[::1]9",
        ] {
            assert_eq!(Endpoint::parse(text), Err(InvalidEndpoint::Form(text.to_owned())));
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for text in ["http://kms.example.com", "http://10.0.0.5", "http://localhost:1", "http://[2001:db8::1]"] {
            assert_eq!(Endpoint::parse(text), Err(InvalidEndpoint::Plain(text.to_owned())));
        }
    }

    #[test]
    fn a_route_changes_where_and_not_who() {
        let endpoint = Endpoint::parse("https://xks.example.com").unwrap();
        let routed = endpoint.clone().through("http://127.0.0.1:9000").unwrap();
        assert_eq!((routed.authority(), routed.target()), ("xks.example.com".to_owned(), ("127.0.0.1", 9000)));
        assert!(!routed.secure());
        assert_eq!(routed.shown(), "xks.example.com at 127.0.0.1:9000");
        assert!(endpoint.through("http://10.0.0.5:9000").is_err());
    }
}
