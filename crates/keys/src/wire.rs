//! The JSON 1.1 forms of values: blobs in base64, times in seconds, and requests out of bytes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use model::{Request, raw};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::Error;

/// Parses a request's body, once it is known to keep the service model's constraints.
///
/// # Errors
/// [`Error::Serialization`] on anything that is not JSON of the request's shape, [`Error::Validation`] for the constraints that it
/// breaks. No text repeats a secret.
pub fn parse<R: Request + DeserializeOwned>(body: &[u8]) -> Result<R, Error> {
    let body = model::check(R::shape(), body)?;
    // What the model lets pass and a request cannot hold, a time before 1970 say: AWS gives no text.
    serde_json::from_str(body).map_err(|_| Error::Serialization(String::new()))
}

/// A blob that is no secret: ciphertext. Base64 with padding (RFC 4648 section 4) on the wire.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Blob(pub Vec<u8>);

/// Plaintext or a data key: wiped when dropped, never printed. Base64 on the wire.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for Plaintext {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

/// The bytes of a base64 string that lies in a request. The text may be a secret: it is not copied, but for escapes, and then to
/// where it is wiped; and errors say nothing of it.
fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<Vec<u8>>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?.get();
    let bytes = raw::text(raw).and_then(|text| BASE64.decode(text.as_str().as_bytes()).ok());
    bytes.map(Zeroizing::new).ok_or_else(|| D::Error::custom("not base64"))
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode(deserializer).map(|mut bytes| Self(std::mem::take(&mut *bytes)))
    }
}

impl<'de> Deserialize<'de> for Plaintext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode(deserializer).map(Self)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl Serialize for Plaintext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64.encode(&self.0)))
    }
}

/// A moment, to the millisecond: seconds since 1970 as a JSON number on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This moment and `duration` more.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// How long ago `earlier` was; zero if it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(millis(time.duration_since(UNIX_EPOCH).unwrap_or_default()))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds fit a double's 53 bits for 285,000 years")]
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if !(0.0..1e12).contains(&seconds) {
            return Err(D::Error::custom("not a time"));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded above")]
        Ok(Self((seconds * 1000.0).round() as u64))
    }
}
