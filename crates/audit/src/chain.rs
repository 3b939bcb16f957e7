//! The hash chain.
//!
//! ```text
//! H_0 = SHA-256("strongroom audit log v1" ‖ number of the log, 4 bytes)
//! H_n = SHA-256(H_{n-1} ‖ n, 8 bytes ‖ SHA-256(E_n))
//! ```
//!
//! The hash of the event itself is computed where the event is made, in parallel; the chain, which cannot be, is left with 72 bytes.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256, digest};
use data_encoding::HEXLOWER;

use crate::rows::LOG;

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub(crate) [u8; Hash::LEN]);

impl Hash {
    /// Its bytes.
    pub const LEN: usize = 32;

    pub(crate) fn of(bytes: &[u8]) -> Hash {
        Hash::from_slice(digest(&SHA256, bytes).as_ref())
    }

    /// H_0.
    pub(crate) fn start() -> Hash {
        Hash::of(&[&b"strongroom audit log v1"[..], &LOG.to_be_bytes()].concat())
    }

    /// H_n, if this is H_{n-1} and `event` the hash of E_n.
    pub(crate) fn next(&self, number: u64, event: &Hash) -> Hash {
        let mut context = Context::new(&SHA256);
        context.update(&self.0);
        context.update(&number.to_be_bytes());
        context.update(&event.0);
        Hash::from_slice(context.finish().as_ref())
    }

    fn from_slice(bytes: &[u8]) -> Hash {
        Hash(bytes.try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A place in the chain: the number of an event, and the hash that the chain has there. An auditor notes it and holds a later
/// verification against it: `NUMBER:HASH`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// The number of the event; 0 before the first.
    pub number: u64,
    /// H of that number.
    pub hash: Hash,
}

impl Link {
    pub(crate) fn start() -> Link {
        Link { number: 0, hash: Hash::start() }
    }

    /// The link of the next event.
    pub(crate) fn then(&self, event: &Hash) -> Link {
        let number = self.number + 1;
        Link { number, hash: self.hash.next(number, event) }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

/// Not a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not of the form NUMBER:HASH, with a hash of 64 hexadecimal digits")]
pub struct InvalidLink;

impl FromStr for Link {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Link, InvalidLink> {
        let (number, hash) = text.split_once(':').ok_or(InvalidLink)?;
        let hash = HEXLOWER.decode(hash.to_ascii_lowercase().as_bytes()).map_err(|_| InvalidLink)?;
        Ok(Link {
            number: number.parse().map_err(|_| InvalidLink)?,
            hash: Hash(hash.try_into().map_err(|_| InvalidLink)?),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_link_reads_as_it_is_written() {
        let link = Link::start().then(&Hash::of(b"one"));
        assert_eq!(link.to_string().parse::<Link>().unwrap(), link);
        assert_eq!(link.to_string().to_uppercase().parse::<Link>().unwrap(), link);
        for bad in ["", "1", "1:", "x:00", &format!("1:{}", "0".repeat(62)), &format!("{link}0")] {
            assert!(bad.parse::<Link>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_chain_is_the_one_of_the_documents() {
        // printf 'strongroom audit log v1\0\0\0\0' | sha256sum
        let start = Link::start();
        let one = start.then(&Hash::of(b"event"));
        let by_hand = [&start.hash.0[..], &1_u64.to_be_bytes(), &Hash::of(b"event").0].concat();
        assert_eq!((one.number, one.hash), (1, Hash::of(&by_hand)));
        assert_ne!(one.then(&Hash::of(b"event")).hash, one.hash);
    }
}
