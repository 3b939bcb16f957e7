//! Where the server listens, and whom it lets in there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use policy::Network;

use super::{list, path};

/// What the unnamed listener of the setting `http` is called in other settings.
pub const HTTP: &str = "http";
/// That of the setting `https`.
pub const HTTPS: &str = "https";

/// A listener with a name, which policies can ask for (`aws:SourceVpce`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedListener {
    /// Letters, digits and hyphens.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// Values of a setting that may be for one listener or for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerListener<T> {
    all: Vec<T>,
    own: BTreeMap<String, Vec<T>>,
}

impl<T> Default for PerListener<T> {
    fn default() -> Self {
        PerListener { all: Vec::new(), own: BTreeMap::new() }
    }
}

impl<T> PerListener<T> {
    /// Those of a listener: its own if it has any, else those for all.
    pub fn of(&self, listener: &str) -> &[T] {
        self.own.get(listener).unwrap_or(&self.all)
    }

    fn add(&mut self, listener: Option<&str>, value: T) {
        match listener {
            Some(name) => self.own.entry(name.to_owned()).or_default().push(value),
            None => self.all.push(value),
        }
    }
}

/// `NAME=https://ADDRESS:PORT`, or `http://`.
pub(super) fn listeners(text: &str) -> Result<Vec<NamedListener>, String> {
    let mut found: Vec<NamedListener> = Vec::new();
    for item in list(text) {
        let listener = listener(item)?;
        if found.iter().any(|other| other.name == listener.name) {
            return Err(format!("two listeners are called {:?}", listener.name));
        }
        found.push(listener);
    }
    Ok(found)
}

fn listener(item: &str) -> Result<NamedListener, String> {
    let form = || format!("{item:?} is not of the form NAME=https://ADDRESS:PORT");
    let (name, url) = item.split_once('=').ok_or_else(form)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(plain) {
        return Err(format!("{name:?} is no name of a listener: up to {NAME_MAX} letters, digits and hyphens"));
    }
    if [HTTP, HTTPS].contains(&name) {
        return Err(format!("the name {name:?} is that of the setting {name}"));
    }
    let (tls, address) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(address), _) => (true, address),
        (_, Some(address)) => (false, address),
        _ => return Err(form()),
    };
    let address = address.parse().map_err(|_| format!("{address:?} is not an IP address with a port"))?;
    Ok(NamedListener { name: name.to_owned(), address, tls })
}

/// `CIDR` or `LISTENER=CIDR`.
pub(super) fn allow(text: &str, known: &[&str]) -> Result<PerListener<Network>, String> {
    let mut found = PerListener::default();
    for item in list(text) {
        let (name, range) = item.split_once('=').map_or((None, item), |(name, range)| (Some(name), range));
        if let Some(name) = name.filter(|name| !known.contains(name)) {
            return Err(format!("there is no listener {name:?}"));
        }
        found.add(name, network(range)?);
    }
    match found == PerListener::default() {
        // Whoever empties the list may mean "nobody" as well as "everybody".
        true => Err("no address range is named".to_owned()),
        false => Ok(found),
    }
}

/// `PATH` or `LISTENER=PATH`, of listeners that speak TLS.
pub(super) fn client_ca(text: &str, known: &[&str]) -> Result<PerListener<PathBuf>, String> {
    let mut found = PerListener::default();
    for item in list(text) {
        match item.split_once('=') {
            Some((name, file)) if known.contains(&name) => found.add(Some(name), path(file)?),
            // A path may have such a sign, but what looks like a listener's name is more likely a mistake.
            Some((name, _)) if !name.contains('/') => return Err(format!("there is no TLS listener {name:?}")),
            _ => found.add(None, path(item)?),
        }
    }
    match found == PerListener::default() {
        true => Err("an empty path".to_owned()),
        false => Ok(found),
    }
}

pub(super) fn networks(text: &str) -> Result<Vec<Network>, String> {
    list(text).map(network).collect()
}

fn network(text: &str) -> Result<Network, String> {
    match Network::parse(text) {
        Some(network) if network.is_exact() => Ok(network),
        Some(_) => Err(format!("{text:?} has bits beyond its prefix; is another range meant, or one address?")),
        None => Err(format!("{text:?} is neither an address range like 10.0.0.0/8 nor an IP address")),
    }
}

/// Of a DNS label, so that the name can become one.
const NAME_MAX: usize = 63;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_listener_has_a_name_and_an_address() {
        let found = listeners("private=https://10.0.0.5:9443, vpce-1a2b=http://[::1]:9000").unwrap();
        assert_eq!((found[0].name.as_str(), found[0].tls), ("private", true));
        assert_eq!((found[1].address.to_string().as_str(), found[1].tls), ("[::1]:9000", false));
        for bad in [
            "10.0.0.5:9443",
            "private=10.0.0.5:9443",
            "private=https://host:1",
            "private=https://10.0.0.5",
            "http=https://10.0.0.5:1",
            "=https://10.0.0.5:1",
            "a b=https://10.0.0.5:1",
            "a=http://127.0.0.1:1,a=http://127.0.0.1:2",
        ] {
            assert!(listeners(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_listener_with_ranges_of_its_own_is_for_these_alone() {
        let known = ["http", "https", "private"];
        let found = allow("10.0.0.0/8, private=192.168.0.0/16, private=2001:db8::/32", &known).unwrap();
        let lets = |listener: &str, address: &str| {
            found.of(listener).iter().any(|network| network.contains(address.parse().unwrap()))
        };
        assert!(lets("https", "10.1.2.3") && !lets("https", "192.168.0.1"));
        assert!(lets("private", "192.168.0.1") && lets("private", "2001:db8::1") && !lets("private", "10.1.2.3"));
        for bad in ["", "10.0.0.1/8", "10.0.0.0/33", "elsewhere=10.0.0.0/8", "private=", "localhost", "10.0.0.0/08x"] {
            assert!(allow(bad, &known).is_err(), "{bad}");
        }
    }

    #[test]
    fn certificates_are_asked_for_by_listener_or_everywhere() {
        let known = ["https", "private"];
        let found = client_ca("/all.pem, private=/own.pem", &known).unwrap();
        assert_eq!(found.of("https"), [PathBuf::from("/all.pem")]);
        assert_eq!(found.of("private"), [PathBuf::from("/own.pem")]);
        assert_eq!(client_ca("/a=b.pem", &known).unwrap().of("https"), [PathBuf::from("/a=b.pem")]);
        assert!(client_ca("privat=/own.pem", &known).is_err() && client_ca("", &known).is_err());
    }
}
