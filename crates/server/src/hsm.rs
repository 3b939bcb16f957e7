//! HSMs that may become custom key stores, as the operator names them: docs/configuration.md.

use std::fs;
use std::path::PathBuf;

use keys::{AccountId, HsmCluster, TokenSelector};

use crate::error::Error;
use crate::files::FileError;
use crate::uri::{attributes, take_selector, text_of};

/// An HSM that may become a custom key store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hsm {
    /// The `CloudHsmClusterId` that it answers to.
    pub cluster: String,
    /// `x-account`: whose it is; none: the root user's.
    pub account: Option<AccountId>,
    /// `module-path`.
    pub module: PathBuf,
    /// `token`, `serial` or `slot-id`.
    pub token: TokenSelector,
    /// `x-trust-anchor`: the file of its certificate, PEM.
    pub trust_anchor: Option<PathBuf>,
}

impl Hsm {
    /// `CLUSTER=pkcs11:token=LABEL?module-path=PATH&x-trust-anchor=PATH&x-account=ID`: a URI of RFC 7512 with two attributes of ours. The PIN is
    /// not in it: whoever makes the custom key store gives it.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn parse(text: &str) -> Result<Hsm, String> {
        let form = || format!("{text:?} is not of the form CLUSTER=pkcs11:token=LABEL?module-path=PATH");
        let (cluster, uri) = text.split_once('=').ok_or_else(form)?;
        let uri = uri.strip_prefix("pkcs11:").ok_or_else(form)?;
        if !is_cluster_id(cluster) {
            return Err(format!("{cluster:?} is not \"cluster-\" and 11 to 16 letters or digits from 2 to 7"));
        }
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let (mut token, mut module, mut trust_anchor, mut account) = (None, None, None, None);
        for attribute in attributes(path, ';') {
            let (name, value) = attribute?;
            take_selector(&mut token, name, value)?;
        }
        for attribute in attributes(query, '&') {
            let (name, value) = attribute?;
            let value = text_of(name, value)?;
            match name {
                "module-path" => module = Some(PathBuf::from(value)),
                "x-trust-anchor" => trust_anchor = Some(PathBuf::from(value)),
                "x-account" => account = Some(value.parse().map_err(|_| format!("{value:?} is not an account id"))?),
                "pin-value" | "pin-source" => {
                    return Err("the PIN is given by whoever makes the custom key store: KeyStorePassword".to_owned());
                }
                _ => return Err(format!("the attribute {name} is not supported")),
            }
        }
        Ok(Hsm {
            cluster: cluster.to_owned(),
            account,
            module: module.ok_or("it needs module-path=PATH")?,
            token: token.ok_or("it needs token=LABEL, serial=NUMBER or slot-id=NUMBER")?,
            trust_anchor,
        })
    }

    /// Several, each cluster once.
    ///
    /// # Errors
    /// As [`Hsm::parse`].
    pub(crate) fn list<'a>(items: impl Iterator<Item = &'a str>) -> Result<Vec<Hsm>, String> {
        let mut hsms: Vec<Hsm> = Vec::new();
        for item in items {
            let hsm = Hsm::parse(item)?;
            if hsms.iter().any(|known| known.cluster == hsm.cluster) {
                return Err(format!("{} is there twice", hsm.cluster));
            }
            hsms.push(hsm);
        }
        Ok(hsms)
    }

    /// Reads its certificate. It is `root`'s unless the setting names another account.
    pub(crate) fn open(&self, root: AccountId) -> Result<HsmCluster, Error> {
        let trust_anchor = match &self.trust_anchor {
            None => None,
            Some(path) => {
                let pem = fs::read_to_string(path).map_err(|error| Error::Path(path.clone(), error))?;
                let malformed = || FileError::Malformed(path.clone(), "there is no certificate in it".to_owned());
                Some(keys::certificate(&pem).ok_or_else(malformed)?)
            }
        };
        let (id, module, token) = (self.cluster.clone(), self.module.clone(), self.token.clone());
        let account = self.account.unwrap_or(root);
        Ok(HsmCluster { id, account, module, token, trust_anchor })
    }
}

/// `CloudHsmClusterIdType` of the KMS service model.
fn is_cluster_id(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7');
    text.strip_prefix("cluster-").is_some_and(|id| (11..=16).contains(&id.len()) && id.bytes().all(known))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn an_hsm_is_a_cluster_and_a_token() {
        let text = "cluster-1a23b4cdefg=pkcs11:token=my%20token?module-path=/usr/lib/p11.so&x-trust-anchor=/etc/ca.crt";
        // AWS's own example has a 1 in it, which its pattern does not allow.
        assert!(Hsm::parse(text).is_err());
        let hsm = Hsm::parse(&text.replace("1a23b4cdefg", "2a23b4cdefg")).unwrap();
        assert_eq!(hsm.cluster, "cluster-2a23b4cdefg");
        assert_eq!(hsm.token, TokenSelector::Label("my token".to_owned()));
        assert_eq!(hsm.module, PathBuf::from("/usr/lib/p11.so"));
        assert_eq!(hsm.trust_anchor, Some("/etc/ca.crt".into()));
        let bare = Hsm::parse("cluster-aaaaaaaaaaaaaaaa=pkcs11:slot-id=7?module-path=/m").unwrap();
        assert_eq!((bare.token, bare.trust_anchor, bare.account), (TokenSelector::Slot(7), None, None));
        let owned = "cluster-aaaaaaaaaaaaaaaa=pkcs11:slot-id=7?module-path=/m&x-account=444455556666";
        assert_eq!(Hsm::parse(owned).unwrap().account, "444455556666".parse().ok());
        assert!(Hsm::parse(&owned[..owned.len() - 1]).is_err());
    }

    #[test]
    fn what_is_no_hsm_is_refused() {
        for bad in [
            "pkcs11:token=a?module-path=/m",
            "cluster-aaaaaaaaaa=pkcs11:token=a?module-path=/m",
            "cluster-aaaaaaaaaaa=/m",
            "cluster-aaaaaaaaaaa=pkcs11:token=a",
            "cluster-aaaaaaaaaaa=pkcs11:?module-path=/m",
            "cluster-aaaaaaaaaaa=pkcs11:token=a;serial=b?module-path=/m",
            "cluster-aaaaaaaaaaa=pkcs11:token=a?module-path=/m&pin-value=1234",
            "cluster-aaaaaaaaaaa=pkcs11:token=a?module-path=/m&pin-source=/pin",
            "cluster-aaaaaaaaaaa=pkcs11:token=a?module-path=/m&trust=/ca",
        ] {
            assert!(Hsm::parse(bad).is_err(), "{bad}");
        }
        let twice = "cluster-aaaaaaaaaaa=pkcs11:token=a?module-path=/m";
        assert!(Hsm::list([twice, twice].into_iter()).is_err());
    }

    #[test]
    fn a_trust_anchor_is_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.crt");
        let text = format!("cluster-aaaaaaaaaaa=pkcs11:token=a?module-path=/m&x-trust-anchor={}", path.display());
        let hsm = Hsm::parse(&text).unwrap();
        let root = "111122223333".parse().unwrap();
        assert!(matches!(hsm.open(root), Err(Error::Path(missing, _)) if missing == path));
        fs::write(&path, "nothing").unwrap();
        assert!(hsm.open(root).err().unwrap().to_string().contains("no certificate"));
        fs::write(&path, "-----BEGIN CERTIFICATE-----\nMAMBAf8=\n-----END CERTIFICATE-----\n").unwrap();
        assert_eq!(hsm.open(root).unwrap().trust_anchor, Some(vec![0x30, 3, 1, 1, 0xff]));
    }
}
