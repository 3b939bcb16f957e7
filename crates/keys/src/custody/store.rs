//! What the store remembers of a custom key store. docs/formats/key-records.md draws the bytes.

use zeroize::Zeroizing;

use super::xks::ProxySettings;
use crate::codec::{Decoder, Encoder};
use crate::principal::AccountId;
use crate::rows::Claim;
use crate::wire::Timestamp;

const VERSION: u8 = 1;

/// A custom key store.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoreRecord {
    /// `CustomKeyStoreName`.
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) connection: Connection,
    /// Counts the connects. A process's connection belongs to one of them: after the next one it is made anew, with what the
    /// record says then.
    pub(crate) generation: u32,
    pub(crate) backing: Backing,
}

/// `ConnectionState`. Connecting and disconnecting last no longer than their requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Connection {
    Disconnected,
    Connected,
    /// `ConnectionErrorCode` of the last attempt.
    Failed(&'static str),
}

impl Connection {
    /// The name in the service model.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disconnected => "DISCONNECTED",
            Self::Connected => "CONNECTED",
            Self::Failed(_) => "FAILED",
        }
    }
}

/// Every `ConnectionErrorCode` of the service model, in its order. The stored number of each is its place: append, never reorder.
pub(crate) const CONNECTION_ERRORS: [&str; 18] = [
    "INVALID_CREDENTIALS",
    "CLUSTER_NOT_FOUND",
    "NETWORK_ERRORS",
    "INTERNAL_ERROR",
    "INSUFFICIENT_CLOUDHSM_HSMS",
    "USER_LOCKED_OUT",
    "USER_NOT_FOUND",
    "USER_LOGGED_IN",
    "SUBNET_NOT_FOUND",
    "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET",
    "XKS_PROXY_ACCESS_DENIED",
    "XKS_PROXY_NOT_REACHABLE",
    "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND",
    "XKS_PROXY_INVALID_RESPONSE",
    "XKS_PROXY_INVALID_CONFIGURATION",
    "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION",
    "XKS_PROXY_TIMED_OUT",
    "XKS_PROXY_INVALID_TLS_CONFIGURATION",
];

/// Where the material of a store's keys is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Backing {
    /// In an HSM: `AWS_CLOUDHSM`.
    Hsm(HsmBacking),
    /// Behind a proxy, with a layer of ours inside: `EXTERNAL_KEY_STORE`.
    Proxy(ProxySettings),
}

/// An HSM as a key store.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HsmBacking {
    /// `CloudHsmClusterId`: which of the operator's HSMs.
    pub(crate) cluster: String,
    /// `TrustAnchorCertificate`, as it was given.
    pub(crate) trust_anchor: String,
    /// `KeyStorePassword`: the PIN of the token's user.
    pub(crate) password: Zeroizing<String>,
    /// What the store has claimed, so that no other store takes the same HSM or one that shares its backups.
    pub(crate) claim: String,
}

impl Backing {
    /// `CustomKeyStoreType`.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Hsm(_) => "AWS_CLOUDHSM",
            Self::Proxy(_) => "EXTERNAL_KEY_STORE",
        }
    }
}

impl Backing {
    /// What the store has claimed besides its name.
    pub(crate) fn claims(&self, account: AccountId) -> Vec<Claim> {
        match self {
            Self::Hsm(hsm) => vec![Claim::Hsm(hsm.claim.clone())],
            Self::Proxy(proxy) => vec![Claim::ProxyUri(account, proxy.place())],
        }
    }
}

impl StoreRecord {
    /// The bytes hold a password: they are sealed before they go anywhere, and wiped.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Encoder::new(VERSION);
        out.text(&self.name);
        out.time(self.created);
        match self.connection {
            Connection::Disconnected => out.byte(0),
            Connection::Connected => out.byte(1),
            Connection::Failed(code) => {
                out.byte(2);
                out.count(CONNECTION_ERRORS.iter().position(|known| *known == code).unwrap_or_default());
            }
        }
        out.number(self.generation);
        match &self.backing {
            Backing::Hsm(hsm) => {
                out.byte(1);
                out.text(&hsm.cluster);
                out.text(&hsm.trust_anchor);
                out.text(&hsm.password);
                out.text(&hsm.claim);
            }
            Backing::Proxy(proxy) => {
                out.byte(2);
                proxy.encode(&mut out);
            }
        }
        Zeroizing::new(out.finish())
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::new(VERSION, bytes)?;
        let record = Self {
            name: fields.text()?,
            created: fields.time()?,
            connection: match fields.byte()? {
                0 => Connection::Disconnected,
                1 => Connection::Connected,
                2 => Connection::Failed(CONNECTION_ERRORS.get(usize::try_from(fields.number()?).ok()?)?),
                _ => return None,
            },
            generation: fields.number()?,
            backing: match fields.byte()? {
                1 => Backing::Hsm(HsmBacking {
                    cluster: fields.text()?,
                    trust_anchor: fields.text()?,
                    password: Zeroizing::new(fields.text()?),
                    claim: fields.text()?,
                }),
                2 => Backing::Proxy(ProxySettings::decode(&mut fields)?),
                _ => return None,
            },
        };
        fields.finish()?;
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn record(connection: Connection) -> StoreRecord {
        StoreRecord {
            name: "a name".to_owned(),
            created: Timestamp::from_millis(3),
            connection,
            generation: 7,
            backing: Backing::Hsm(HsmBacking {
                cluster: "cluster-1a23b4cdefg".to_owned(),
                trust_anchor: "PEM".to_owned(),
                password: String::from("1234567").into(),
                claim: "c".to_owned(),
            }),
        }
    }

    #[test]
    fn records_come_back_as_they_were() {
        let failures = CONNECTION_ERRORS.map(Connection::Failed);
        for connection in [Connection::Disconnected, Connection::Connected].into_iter().chain(failures) {
            let record = record(connection);
            assert!(StoreRecord::decode(&record.encode()).unwrap() == record);
        }
    }

    #[test]
    fn bytes_that_are_no_record_are_refused() {
        let bytes = record(Connection::Failed("USER_NOT_FOUND")).encode();
        for len in 0..bytes.len() {
            assert!(StoreRecord::decode(&bytes[..len]).is_none(), "{len} bytes");
        }
        assert!(StoreRecord::decode(&[&bytes[..], &[0]].concat()).is_none());
    }
}
