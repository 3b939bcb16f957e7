//! Address ranges (RFC 4632, RFC 4291): of IpAddress and NotIpAddress, and of whoever else asks for an address.

use std::net::IpAddr;

/// A range of addresses: `203.0.113.0/24`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads a range or an address; bits beyond the prefix are of no account. `None`: it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().ok()?;
        let width = width(address);
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(_) => return None,
        };
        (prefix <= width).then_some(Self { address, prefix })
    }

    /// How many bits are fixed.
    pub(crate) fn prefix(self) -> u32 {
        self.prefix
    }

    pub(crate) fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether no bit is set beyond the prefix: `10.0.0.0/8` is so, `10.0.0.5/8` is not, and may mean something else.
    #[must_use]
    pub fn is_exact(self) -> bool {
        let loose = width(self.address) - self.prefix;
        let beyond = 1_u128.checked_shl(loose).map_or(u128::MAX, |bit| bit - 1);
        bits(self.address) & beyond == 0
    }

    /// Whether the address lies in the range. An IPv4 address that arrives mapped into IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let shift = width(self.address) - self.prefix;
        let network = |address: IpAddr| bits(address).checked_shr(shift).unwrap_or(0);
        width(address) == width(self.address) && network(address) == network(self.address)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn an_address_lies_in_its_networks() {
        for (network, address, inside) in [
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.77/24", "203.0.113.1", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "8.8.8.8", false),
            ("2001:db8::/33", "2001:db8:8000::", false),
            ("2001:db8::/32", "2001:db8:8000::", true),
            ("8.8.8.0/24", "::ffff:8.8.8.8", true),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{network:?} {address}");
        }
        for (network, exact) in
            [("10.0.0.0/8", true), ("10.0.0.5/8", false), ("::/0", true), ("::1/0", false), ("::1", true)]
        {
            assert_eq!(Network::parse(network).unwrap().is_exact(), exact, "{network}");
        }
        for bad in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/+1", "::/129", "*", "1.2.3.4/1/2", "01.2.3.4"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
