//! For whom a proxy speaks: `X-Forwarded-For`, from proxies that the operator trusts and from nobody else.
//!
//! Each proxy appends the address that it was called from. So read from the right, the first address that is no trusted proxy's is the
//! client's; what stands left of it the client may have written itself. `X-Forwarded-Proto` is not read: a request is as secure as the
//! connection that it came by, for SSE-C and for `aws:SecureTransport`.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use policy::Network;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. `peer` is the other end of the connection.
pub(crate) fn client(headers: &HeaderMap, peer: IpAddr, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    let fields: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    for field in fields.into_iter().rev() {
        // What a trusted proxy did not write as an address ends the way: the proxy itself is all that is known.
        let Ok(text) = field.to_str() else { return client };
        for hop in text.rsplit(',') {
            match address(hop.trim()) {
                Some(address) if is_trusted(address) => client = address,
                Some(address) => return address,
                None => return client,
            }
        }
    }
    client
}

/// An address, perhaps with the port that some proxies add.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use http::HeaderValue;

    fn seen(peer: &str, fields: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "::1"].map(|network| Network::parse(network).unwrap());
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(field).unwrap());
        }
        client(&headers, peer.parse().unwrap(), &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9", "a stranger speaks for itself");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxys_counts() {
        assert_eq!(seen("10.0.0.1", &["127.0.0.1, 198.51.100.1"]), "198.51.100.1", "the client wrote the first");
        assert_eq!(seen("10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["6.6.6.6", "198.51.100.1 , 10.0.0.2"]), "198.51.100.1", "fields are one list");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3", "all are proxies: the farthest");
    }

    #[test]
    fn what_is_no_address_ends_the_way() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1, , 10.0.0.2"]), "10.0.0.2");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(seen("::1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(seen("::1", &["2001:db8::1"]), "2001:db8::1");
    }
}
