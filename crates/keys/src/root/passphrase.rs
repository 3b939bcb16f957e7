//! The root key from a passphrase.
//!
//! ```text
//! RK      = Argon2id(passphrase, salt; memory, passes, lanes)     RFC 9106, version 0x13, 32 bytes
//! wrapped = magic ‖ version ‖ memory ‖ passes ‖ lanes ‖ salt ‖ envelope(RK, DK; aad = all before it ‖ caller's aad)
//! ```
//!
//! Parameters and salt stand with each wrapped key. The key is derived once for each that occurs, which is once: all domain keys of a
//! store are wrapped under one salt. docs/formats/root-key-passphrase.md.

use std::sync::{Arc, PoisonError, RwLock};

use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use seal::envelope::{Envelope, Label};
use seal::{SecretKey, random_bytes};
use zeroize::{Zeroize, Zeroizing};

use super::{RootKey, RootKeyError, RootKeyIdentity, RootKeyKind};

/// Memory of a derivation, KiB: RFC 9106, 4, the second recommended option (64 MiB), for machines that cannot spare 2 GiB. Three
/// times what OWASP's Password Storage Cheat Sheet asks for at least. It is needed once, when a store is opened: about 0.2 s.
const MEMORY: u32 = 64 * 1024;
/// Passes over the memory: as the same option has it.
const PASSES: u32 = 3;
/// Lanes: as the same option has it.
const LANES: u32 = 4;
/// Bytes of the salt: RFC 9106, 3.1, recommends 16.
const SALT: usize = 16;

/// More than this is no parameter of ours: a changed row must not make a start take gigabytes or hours.
const MEMORY_MAX: u32 = 4 * 1024 * 1024;
const PASSES_MAX: u32 = 64;
const LANES_MAX: u32 = 64;

const MAGIC: &[u8; 4] = b"SRPW";
const VERSION: u8 = 1;

/// A root key that is derived from a passphrase.
pub struct Passphrase {
    text: Zeroizing<Vec<u8>>,
    /// What was derived so far; the last one wraps. One, or two after a change of the parameters.
    derived: RwLock<Vec<Arc<Derived>>>,
}

struct Derived {
    parameters: Parameters,
    master: Envelope,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Parameters {
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; SALT],
}

impl Passphrase {
    /// Fewest characters of a passphrase. Argon2id makes each guess dear; it cannot make few guesses many.
    pub const MIN: usize = 12;

    /// Takes a passphrase as it is, every byte of it.
    ///
    /// # Errors
    /// [`RootKeyError::ShortPassphrase`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, RootKeyError> {
        if text.chars().count() < Self::MIN {
            return Err(RootKeyError::ShortPassphrase);
        }
        Ok(Self { text: Zeroizing::new(text.as_bytes().to_vec()), derived: RwLock::new(Vec::new()) })
    }

    fn known(&self, fits: impl Fn(&Parameters) -> bool) -> Option<Arc<Derived>> {
        let derived = self.derived.read().unwrap_or_else(PoisonError::into_inner);
        derived.iter().rev().find(|one| fits(&one.parameters)).cloned()
    }

    async fn derive(&self, parameters: Parameters) -> Result<Arc<Derived>, RootKeyError> {
        let text = self.text.clone();
        let task = tokio::task::spawn_blocking(move || parameters.derive(&text));
        let master = task.await.map_err(|_| RootKeyError::Provider("the derivation was cut short".to_owned()))??;
        let derived = Arc::new(Derived { parameters, master });
        self.derived.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&derived));
        Ok(derived)
    }
}

impl Parameters {
    /// Magic, version, three numbers, the salt.
    const LEN: usize = 5 + 12 + SALT;

    fn fresh() -> Self {
        Self { memory: MEMORY, passes: PASSES, lanes: LANES, salt: random_bytes() }
    }

    fn is_current(&self) -> bool {
        (self.memory, self.passes, self.lanes) == (MEMORY, PASSES, LANES)
    }

    fn encode(&self) -> Vec<u8> {
        let numbers = [self.memory, self.passes, self.lanes].map(u32::to_be_bytes).concat();
        [&MAGIC[..], &[VERSION], &numbers, &self.salt].concat()
    }

    fn parse(wrapped: &[u8]) -> Option<(Self, &[u8])> {
        let rest = wrapped.strip_prefix(MAGIC)?.strip_prefix(&[VERSION])?;
        let mut rest = rest;
        let mut number = || {
            let (bytes, after) = rest.split_first_chunk()?;
            rest = after;
            Some(u32::from_be_bytes(*bytes))
        };
        let (memory, passes, lanes) = (number()?, number()?, number()?);
        let (salt, sealed) = rest.split_first_chunk()?;
        let bounded = memory <= MEMORY_MAX && passes <= PASSES_MAX && lanes <= LANES_MAX;
        bounded.then_some((Self { memory, passes, lanes, salt: *salt }, sealed))
    }

    /// Takes a fifth of a second and [`MEMORY`].
    fn derive(self, passphrase: &[u8]) -> Result<Envelope, RootKeyError> {
        let parameters = Params::new(self.memory, self.passes, self.lanes, Some(SecretKey::LEN));
        let parameters = parameters.map_err(|_| RootKeyError::WrongKey)?;
        let mut key = [0; SecretKey::LEN];
        let filled = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into(passphrase, &self.salt, &mut key)
            .map_err(|error| RootKeyError::Provider(format!("Argon2id: {error}")));
        let master = filled.map(|()| Envelope::new(&SecretKey::from_bytes(key)));
        key.zeroize();
        master
    }
}

#[async_trait]
impl RootKey for Passphrase {
    fn identity(&self) -> RootKeyIdentity {
        // A fingerprint that does not depend on the salt would let a guess be tried on all stores at once.
        RootKeyIdentity { kind: RootKeyKind::Passphrase, name: None }
    }

    async fn wrap(&self, aad: &[u8], domain_key: &SecretKey) -> Result<Vec<u8>, RootKeyError> {
        let derived = match self.known(Parameters::is_current) {
            Some(derived) => derived,
            None => self.derive(Parameters::fresh()).await?,
        };
        let header = derived.parameters.encode();
        let aad = [&header[..], aad].concat();
        let sealed = derived.master.seal(Label::DomainKey, &[], &aad, domain_key.expose());
        Ok([header, sealed].concat())
    }

    async fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretKey, RootKeyError> {
        let (parameters, sealed) = Parameters::parse(wrapped).ok_or(RootKeyError::WrongKey)?;
        let derived = match self.known(|known| *known == parameters) {
            Some(derived) => derived,
            None => self.derive(parameters).await?,
        };
        let aad = [&wrapped[..Parameters::LEN], aad].concat();
        let opened = derived.master.open(Label::DomainKey, &aad, sealed).map_err(|_| RootKeyError::WrongKey)?;
        SecretKey::from_slice(&opened).map_err(|_| RootKeyError::WrongKey)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned().into()).unwrap()
    }

    #[tokio::test]
    async fn the_same_passphrase_opens_in_another_process() {
        let (one, domain_key) = (passphrase("correct horse battery staple"), SecretKey::generate());
        let wrapped = one.wrap(b"aad", &domain_key).await.unwrap();
        let again = passphrase("correct horse battery staple");
        assert!(again.unwrap(b"aad", &wrapped).await.unwrap() == domain_key);
        for aad in [&b""[..], b"other"] {
            assert!(matches!(again.unwrap(aad, &wrapped).await, Err(RootKeyError::WrongKey)));
        }
        let other = passphrase("correct horse battery stapler");
        assert!(matches!(other.unwrap(b"aad", &wrapped).await, Err(RootKeyError::WrongKey)));
    }

    #[tokio::test]
    async fn it_is_derived_once() {
        let one = passphrase("correct horse battery staple");
        let wrapped = one.wrap(b"1", &SecretKey::generate()).await.unwrap();
        let more = one.wrap(b"2", &SecretKey::generate()).await.unwrap();
        assert_eq!(wrapped[..Parameters::LEN], more[..Parameters::LEN], "one salt");
        let again = passphrase("correct horse battery staple");
        again.unwrap(b"1", &wrapped).await.unwrap();
        again.unwrap(b"2", &more).await.unwrap();
        let third = again.wrap(b"3", &SecretKey::generate()).await.unwrap();
        assert_eq!(third[..Parameters::LEN], wrapped[..Parameters::LEN], "what opened wraps too");
        assert_eq!(again.derived.read().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn any_changed_byte_is_refused_and_no_parameter_takes_the_machine() {
        let one = passphrase("correct horse battery staple");
        let wrapped = one.wrap(b"aad", &SecretKey::generate()).await.unwrap();
        // The numbers of memory, passes and lanes at their highest byte: out of bounds at once. The salt: another key.
        for index in [0, 4, 5, 9, 13, 17, Parameters::LEN, wrapped.len() - 1] {
            let mut changed = wrapped.clone();
            changed[index] ^= 0x80;
            assert!(matches!(one.unwrap(b"aad", &changed).await, Err(RootKeyError::WrongKey)), "byte {index}");
        }
        for len in [0, 4, 5, 16, Parameters::LEN, wrapped.len() - 1] {
            assert!(matches!(one.unwrap(b"aad", &wrapped[..len]).await, Err(RootKeyError::WrongKey)));
        }
    }

    #[test]
    fn argon2id_gives_the_answer_of_rfc_9106() {
        // RFC 9106, 5.3, has a secret and associated data too, which the crate's own tests cover; this is the reference
        // implementation's vector without them: version 0x13, t = 2, m = 64 MiB, p = 1, "password", "somesalt".
        let parameters = Params::new(65_536, 2, 1, Some(32)).unwrap();
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into(b"password", b"somesalt", &mut key)
            .unwrap();
        let expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        assert_eq!(data_encoding::HEXLOWER.encode(&key), expected);
    }

    #[test]
    fn a_short_one_is_refused() {
        assert!(matches!(Passphrase::new("elf letters".to_owned().into()), Err(RootKeyError::ShortPassphrase)));
    }
}
