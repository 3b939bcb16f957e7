//! The keys that sign digests: RSA of 2,048 bits, for each Region its own, replaced every 30 days.
//!
//! A private key is sealed like every record; once its time is over its row keeps the public part alone. docs/formats/trails.md.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use data_encoding::{BASE64, HEXLOWER};
use keys::{RecordSealer, Timestamp};
use meta::{Order, Range, Store, Table, Transaction};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Error, rows};

/// A key that signs digests, or did.
pub struct SigningKey {
    stored: Stored,
    pair: Option<KeyPair>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    /// From when on it signs, and until when: milliseconds since 1970.
    from: u64,
    until: u64,
    /// PKCS#1 RSAPublicKey in DER, in base64.
    public: String,
    fingerprint: String,
    /// PKCS#8 in DER, in base64, while it may sign.
    private: Option<Zeroizing<String>>,
}

impl SigningKey {
    /// Makes a key. Takes a tenth of a second of computing.
    fn generate(now: Timestamp) -> Result<Self, Error> {
        let failed = |_| Error::Internal("a key for digests could not be made".to_owned());
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let private = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?;
        let public = pair.public_key().as_ref();
        let stored = Stored {
            from: now.as_millis(),
            until: now.after(SIGNS_FOR).as_millis(),
            public: BASE64.encode(public),
            // AWS's fingerprints have 16 bytes, and are not said to be anything.
            fingerprint: HEXLOWER.encode(&aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public).as_ref()[..16]),
            private: Some(Zeroizing::new(BASE64.encode(private.as_ref()))),
        };
        Ok(Self { stored, pair: Some(pair) })
    }

    fn load(stored: Stored) -> Result<Self, Error> {
        let damaged = || Error::damaged("signing key");
        let pair = match &stored.private {
            Some(private) => {
                let der = Zeroizing::new(BASE64.decode(private.as_bytes()).map_err(|_| damaged())?);
                Some(KeyPair::from_pkcs8(&der).map_err(|_| damaged())?)
            }
            None => None,
        };
        Ok(Self { stored, pair })
    }

    /// How it is called in digests: 32 hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.stored.fingerprint
    }

    /// The public key in PKCS#1 DER, in base64.
    pub fn public(&self) -> &str {
        &self.stored.public
    }

    /// From when on it signs.
    pub fn from(&self) -> Timestamp {
        Timestamp::from_millis(self.stored.from)
    }

    /// Until when: what it has signed by then may be delivered later.
    pub fn until(&self) -> Timestamp {
        Timestamp::from_millis(self.stored.until)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, in lower-case hexadecimal.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<String, String> {
        let pair = self.pair.as_ref().ok_or("the key's time to sign is over")?;
        let mut signature = vec![0; pair.public_modulus_len()];
        let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map_err(|_| "a digest could not be signed".to_owned())?;
        Ok(HEXLOWER.encode(&signature))
    }
}

/// The signing keys of a store.
pub(crate) struct SigningKeys {
    store: Arc<dyn Store>,
    keys: Arc<keys::Keys>,
}

impl SigningKeys {
    pub(crate) fn new(store: Arc<dyn Store>, keys: Arc<keys::Keys>) -> Self {
        Self { store, keys }
    }

    fn sealer(&self) -> &RecordSealer {
        self.keys.records()
    }

    /// All keys of a Region, oldest first.
    pub(crate) async fn all(&self, region: &str) -> Result<Vec<SigningKey>, Error> {
        let range = Range::prefix(rows::signing_keys(region).as_bytes());
        let rows = self.store.scan(Table::Setting, &range, Order::Ascending, MOST_KEYS).await?;
        rows.iter()
            .map(|row| SigningKey::load(rows::open(self.sealer(), rows::SIGNING_KEY, &row.key, &row.value)?))
            .collect()
    }

    /// The key that signs now in a Region; made if there is none. Keys whose time is long over lose their private part.
    pub(crate) async fn current(&self, region: &str, now: Timestamp) -> Result<SigningKey, Error> {
        let mut all = self.all(region).await?;
        for key in &mut all {
            let over = key.until().after(KEPT_AFTER) < now;
            if over && key.stored.private.take().is_some() {
                self.write(region, &key.stored, false).await?;
            }
        }
        let usable = all.into_iter().rev().find(|key| key.pair.is_some() && key.from() <= now && now < key.until());
        if let Some(key) = usable {
            return Ok(key);
        }
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(now)).await;
        let made = made.map_err(|_| Error::Internal("making a key for digests was cut off".to_owned()))??;
        self.write(region, &made.stored, true).await?;
        Ok(made)
    }

    async fn write(&self, region: &str, stored: &Stored, new: bool) -> Result<(), Error> {
        let key = rows::signing_key(region, stored.from);
        let value = rows::seal(self.sealer(), rows::SIGNING_KEY, key.as_bytes(), stored);
        let transaction = Transaction::new().put(Table::Setting, &key, value);
        let transaction = if new { transaction.expect_absent(Table::Setting, &key) } else { transaction };
        Ok(self.store.commit(transaction).await?)
    }
}

/// For how long a key signs.
const SIGNS_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// For how long after that a digest whose delivery is repeated may still need it.
const KEPT_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Far more than a Region has in a century.
const MOST_KEYS: usize = 4_096;
