//! HSMs as custom key stores: the operator's list of them, and this process's logins.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use hsm::{Limits, Module, Selector, Token};
use seal::envelope::{Label, Opening, Sealing};
use seal::{EncryptionContext, kdf};
use zeroize::Zeroizing;

use super::store::{Connection, HsmBacking};
use super::{Backing, KeyStore, no_answer};
use crate::Keys;
use crate::cipher::invalid_ciphertext;
use crate::error::{Error, Internal};
use crate::identifier::KeyId;
use crate::principal::AccountId;
use crate::vault::Key;

/// How long an HSM that could not be opened is left alone.
const REST: Duration = Duration::from_millis(500);

/// An HSM that may become a custom key store.
#[derive(Clone, Debug)]
pub struct HsmCluster {
    /// The `CloudHsmClusterId` that it answers to.
    pub id: String,
    /// Whose it is: to every other account there is no such cluster.
    pub account: AccountId,
    /// The library of its PKCS#11 module.
    pub module: PathBuf,
    /// Which of the module's tokens it is.
    pub token: Selector,
    /// DER of the certificate that `TrustAnchorCertificate` must hold. HSMs with one certificate are copies of each other.
    pub trust_anchor: Option<Vec<u8>>,
}

impl HsmCluster {
    /// What a store of this HSM claims: HSMs that are copies of each other can only be one store's.
    pub(crate) fn family(&self) -> String {
        let Some(certificate) = &self.trust_anchor else { return format!("cluster {}", self.id) };
        let mut digest = [0; 16];
        kdf::hkdf(certificate, &[], &[b"strongroom: trust anchor of an HSM"], &mut digest);
        format!("certificate {}", data_encoding::HEXLOWER.encode(&digest))
    }

    /// Whether keys made in `other` are in this one too: it has the same certificate, or is the same token.
    pub(crate) fn is_related(&self, other: &Self) -> bool {
        match (&self.trust_anchor, &other.trust_anchor) {
            (Some(own), Some(others)) => own == others,
            _ => self.module == other.module && self.token == other.token,
        }
    }

    /// Whether the token is there, without a login.
    pub(crate) async fn probe(&self) -> Result<(), hsm::Error> {
        let module = Module::load(&self.module).await?;
        Token::probe(&module, self.token.clone(), Limits::default()).await
    }

    async fn open(&self, password: Zeroizing<String>) -> Result<Token, hsm::Error> {
        let module = Module::load(&self.module).await?;
        Token::open(&module, self.token.clone(), password).await
    }
}

/// The certificate of a PEM text (RFC 7468), as DER: the first one, if there are more.
pub fn certificate(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (text, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    // A DER SEQUENCE, as every certificate is.
    BASE64.decode(&text).ok().filter(|der| der.first() == Some(&0x30))
}

/// The HSMs of this process.
pub(crate) struct Hsms {
    clusters: Vec<HsmCluster>,
    seats: Mutex<HashMap<String, Arc<Seat>>>,
}

/// This process's login for one store.
#[derive(Default)]
struct Seat {
    state: Mutex<Option<Occupied>>,
    /// Held while the token is opened: a PIN must not be tried by many requests at once.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Occupied {
    /// Of [`StoreRecord`](super::StoreRecord).
    generation: u32,
    outcome: Result<Token, Refusal>,
}

#[derive(Clone)]
struct Refusal {
    error: hsm::Error,
    /// Until when it stands; without an end for what must not be tried again.
    until: Option<Instant>,
}

impl Hsms {
    pub(crate) fn new(clusters: Vec<HsmCluster>) -> Self {
        Self { clusters, seats: Mutex::default() }
    }

    /// The operator's HSM of this id.
    pub(crate) fn cluster(&self, id: &str) -> Option<&HsmCluster> {
        self.clusters.iter().find(|cluster| cluster.id == id)
    }

    /// The token of a connected store, opened if this process has not yet.
    pub(crate) async fn token(&self, id: &str, generation: u32, backing: &HsmBacking) -> Result<Token, hsm::Error> {
        let seat = Arc::clone(self.seats().entry(id.to_owned()).or_default());
        if let Some(outcome) = seat.outcome(generation) {
            return outcome;
        }
        let (cluster, password) = (self.cluster(&backing.cluster).cloned(), backing.password.clone());
        let unknown = hsm::Error::TokenNotFound(format!("the cluster id {}", backing.cluster));
        // A task of its own: whoever asked may go away, but what the HSM says of a PIN must not be forgotten.
        let opening = tokio::spawn(async move {
            let _alone = seat.opening.lock().await;
            if let Some(outcome) = seat.outcome(generation) {
                return outcome;
            }
            let opened = match cluster {
                Some(cluster) => cluster.open(password).await,
                None => Err(unknown),
            };
            let outcome = opened.clone().map_err(|error| {
                let until = (!is_final(&error)).then(|| Instant::now() + REST);
                Refusal { error, until }
            });
            *seat.lock() = Some(Occupied { generation, outcome });
            opened
        });
        opening.await.unwrap_or_else(|_| Err(hsm::Error::Other("the login was broken off".to_owned())))
    }

    /// Ends this process's login for a store.
    pub(crate) fn forget(&self, id: &str) {
        self.seats().remove(id);
    }

    /// Ends the logins for all stores but these.
    pub(crate) fn keep(&self, ids: &[String]) {
        self.seats().retain(|id, _| ids.contains(id));
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<String, Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn outcome(&self, generation: u32) -> Option<Result<Token, hsm::Error>> {
        let state = self.lock();
        let occupied = state.as_ref().filter(|occupied| occupied.generation == generation)?;
        match &occupied.outcome {
            Ok(token) => Some(Ok(token.clone())),
            Err(Refusal { until: Some(until), .. }) if *until <= Instant::now() => None,
            Err(refusal) => Some(Err(refusal.error.clone())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Occupied>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether trying again would be of no use, and bring the token nearer to being locked.
fn is_final(error: &hsm::Error) -> bool {
    matches!(error, hsm::Error::WrongPin | hsm::Error::PinLocked | hsm::Error::NoUser)
}

/// `ConnectionErrorCode` for a failed connection.
pub(crate) fn connection_error(error: &hsm::Error) -> &'static str {
    match error {
        hsm::Error::WrongPin => "INVALID_CREDENTIALS",
        hsm::Error::PinLocked => "USER_LOCKED_OUT",
        hsm::Error::NoUser => "USER_NOT_FOUND",
        hsm::Error::OtherUser => "USER_LOGGED_IN",
        // The cluster is known, and no HSM of it is there.
        hsm::Error::TokenNotFound(_) => "INSUFFICIENT_CLOUDHSM_HSMS",
        hsm::Error::Unreachable(_) | hsm::Error::TimedOut | hsm::Error::Overloaded => "NETWORK_ERRORS",
        _ => "INTERNAL_ERROR",
    }
}

impl Keys {
    /// The token of a connected store. If the HSM refuses the login for good, the store is marked as failed.
    ///
    /// # Errors
    /// What the HSM says.
    pub(crate) async fn token(&self, account: AccountId, store: &KeyStore) -> Result<Token, hsm::Error> {
        let Backing::Hsm(backing) = &store.record.backing else {
            return Err(hsm::Error::Unsuitable("it is no HSM".to_owned()));
        };
        let opened = self.shared.connections.hsms.token(&store.id, store.record.generation, backing).await;
        if let Err(error) = &opened {
            self.note_failure(account, store, error).await;
        }
        opened
    }

    /// Marks a store as failed when its HSM has refused the login for good: no process shall try that PIN again.
    pub(crate) async fn note_failure(&self, account: AccountId, store: &KeyStore, error: &hsm::Error) {
        if !is_final(error) {
            return;
        }
        let code = connection_error(error);
        tracing::error!(store = store.id, %error, "the HSM of a custom key store has refused the login; it is not tried again");
        let noted = self
            .change_key_store(account, &store.id, |record| {
                if record.generation == store.record.generation && record.connection == Connection::Connected {
                    record.connection = Connection::Failed(code);
                }
                Ok(())
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(store = store.id, %error, "that a custom key store has failed could not be stored");
        }
    }

    /// Encrypts under a key in an HSM, which computes the HMAC that the blob's key is.
    pub(crate) async fn seal_in_hsm(
        &self,
        key: &Key,
        fields: &[u8],
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let sealing = Sealing::begin(Label::Kms, fields);
        let output = self.prf(key, &sealing.prf_input()).await?;
        Ok(sealing.finish(&output, &context.canonical(), plaintext))
    }

    /// Decrypts what [`Keys::seal_in_hsm`] gave.
    pub(crate) async fn open_in_hsm(
        &self,
        key: &Key,
        context: &EncryptionContext,
        blob: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let opening = Opening::begin(Label::Kms, blob).map_err(|_| invalid_ciphertext())?;
        let output = self.prf(key, &opening.prf_input()).await?;
        opening.finish(&output, &context.canonical()).map_err(|_| invalid_ciphertext())
    }

    async fn prf(&self, key: &Key, input: &[u8]) -> Result<Zeroizing<[u8; hsm::PRF_LEN]>, Error> {
        let store = self.connected_store(key).await?;
        let Some(account) = key.record.owner.account() else { return Err(no_answer()) };
        let asked = match self.token(account, &store).await {
            Ok(token) => token.prf(*key.id.as_bytes(), input).await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(output) => Ok(output),
            Err(error) => {
                self.note_failure(account, &store, &error).await;
                tracing::warn!(key = %key.arn, store = store.id, %error, "a key in an HSM could not be used");
                Err(match error {
                    hsm::Error::KeyMissing => Error::KmsInvalidState(format!(
                        "The key material of {} is not in the CloudHSM cluster of its custom key store.",
                        key.arn
                    )),
                    // AWS's answer when no PKCS#11 session is free, which a client tries again.
                    hsm::Error::Overloaded => Internal::Hsm(error).into(),
                    _ => no_answer(),
                })
            }
        }
    }

    /// Makes the material of a new key in the HSM of a connected store.
    ///
    /// # Errors
    /// [`Error::CloudHsmClusterInvalidConfiguration`] if the HSM cannot make one; [`Error::DependencyTimeout`] if it does not
    /// answer.
    pub(crate) async fn make_in_hsm(
        &self,
        account: AccountId,
        store: &KeyStore,
        key: KeyId,
        label: &str,
    ) -> Result<(), Error> {
        let made = match self.token(account, store).await {
            Ok(token) => token.create_prf_key(*key.as_bytes(), label).await,
            Err(error) => Err(error),
        };
        made.map_err(|error| {
            tracing::warn!(key = label, store = store.id, %error, "a key could not be made in an HSM");
            unanswered(error)
        })
    }

    /// Destroys the material of a key that is no more.
    ///
    /// # Errors
    /// [`Error::KmsInvalidState`] if the store is not connected or the HSM does not do it.
    pub(crate) async fn destroy_in_hsm(&self, account: AccountId, store: &KeyStore, key: KeyId) -> Result<(), Error> {
        if !store.is_connected() {
            tracing::debug!(store = store.id, %key, "the material of a key stays in its HSM until its store is connected");
            return Err(no_answer());
        }
        let destroyed = match self.token(account, store).await {
            Ok(token) => token.destroy(*key.as_bytes()).await,
            Err(error) => Err(error),
        };
        match destroyed {
            Ok(found) => {
                tracing::info!(store = store.id, %key, found, "destroyed the material of a key in its HSM");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(store = store.id, %key, %error, "the material of a key could not be destroyed; tried again later");
                Err(no_answer())
            }
        }
    }

    /// GenerateRandom with a custom key store.
    ///
    /// # Errors
    /// Those of GenerateRandom.
    pub(crate) async fn random_of_store(
        &self,
        account: AccountId,
        id: &str,
        len: i64,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let store = self.key_store(account, id).await?.value;
        if !matches!(store.record.backing, Backing::Hsm(_)) {
            let text = format!("Custom key store {id} is an external key store, which gives no random bytes.");
            return Err(Error::UnsupportedOperation(text));
        }
        if !store.is_connected() {
            return Err(store.wrong_state());
        }
        let given = match self.token(account, &store).await {
            Ok(token) => token.random(u32::try_from(len).unwrap_or_default()).await,
            Err(error) => Err(error),
        };
        match given {
            Ok(bytes) => Ok(bytes),
            Err(error) => {
                self.note_failure(account, &store, &error).await;
                tracing::warn!(store = id, %error, "an HSM gave no random bytes");
                Err(match unanswered(error) {
                    // GenerateRandom has no exception for an HSM that cannot be used as it is.
                    Error::CloudHsmClusterInvalidConfiguration(text) => Error::DependencyTimeout(text),
                    error => error,
                })
            }
        }
    }
}

/// What the operations answer that use an HSM and no key in it.
fn unanswered(error: hsm::Error) -> Error {
    match error {
        hsm::Error::Unreachable(_) | hsm::Error::TimedOut => {
            Error::DependencyTimeout("The HSM did not answer in time.".to_owned())
        }
        hsm::Error::Overloaded => Internal::Hsm(error).into(),
        _ => Error::CloudHsmClusterInvalidConfiguration(
            "The CloudHSM cluster of the custom key store cannot be used as it is.".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn cluster(id: &str, label: &str, trust_anchor: Option<&[u8]>) -> HsmCluster {
        HsmCluster {
            id: id.to_owned(),
            account: AccountId::parse("111122223333").unwrap(),
            module: "/module.so".into(),
            token: Selector::Label(label.to_owned()),
            trust_anchor: trust_anchor.map(<[u8]>::to_vec),
        }
    }

    #[test]
    fn a_certificate_is_the_same_however_its_text_is_broken() {
        let der = certificate("-----BEGIN CERTIFICATE-----\nMAMB\nAf8=\n-----END CERTIFICATE-----\n").unwrap();
        assert_eq!(der, [0x30, 3, 1, 1, 0xff]);
        assert_eq!(certificate("x\r\n-----BEGIN CERTIFICATE-----MAMBAf8=\r\n-----END CERTIFICATE-----"), Some(der));
        for bad in [
            "",
            "MAMBAf8=",
            "-----BEGIN CERTIFICATE-----\nMAMBAf8",
            "-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----",
        ] {
            assert_eq!(certificate(bad), None, "{bad}");
        }
    }

    #[test]
    fn copies_of_one_hsm_are_known_by_their_certificate() {
        let (one, copy) = (cluster("a", "1", Some(b"x")), cluster("b", "2", Some(b"x")));
        let (other, bare) = (cluster("c", "1", Some(b"y")), cluster("d", "1", None));
        assert!(one.is_related(&copy) && one.family() == copy.family());
        assert!(!one.is_related(&other) && one.family() != other.family());
        assert!(bare.is_related(&one), "it is the same token");
        assert!(!bare.is_related(&copy));
        assert_ne!(bare.family(), cluster("e", "2", None).family());
    }
}
