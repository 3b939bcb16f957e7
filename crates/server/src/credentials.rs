//! Access keys: what may be one, and the root user's, made on the first start. docs/formats/root-credentials.md.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use sigv4::Secret;
use zeroize::Zeroizing;

use crate::files::{self, FileError};

/// An access key id and its secret.
pub struct Credentials {
    access_key_id: String,
    secret: Secret,
}

/// Why something cannot be an access key. Never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// The id has characters or a length that would not survive a signature's scope.
    #[error("an access key id has 3 to 128 letters, digits, hyphens and underscores")]
    Id,
    /// The secret has characters that clients mangle.
    #[error("a secret access key has 8 to 128 printable ASCII characters and no spaces")]
    Characters,
    /// The root secret is short.
    #[error("the root user's secret access key needs at least {ROOT_SECRET_MIN} characters")]
    Short,
    /// The root secret stands in some documentation.
    #[error("this secret access key is well known; choose a random one, as from `openssl rand -base64 30`")]
    WellKnown,
    /// The root secret has next to nothing to guess.
    #[error("this secret access key has too few different characters, or repeats the id; choose a random one")]
    Guessable,
}

impl Credentials {
    /// An access key of an account that the operator gives.
    ///
    /// # Errors
    /// [`Weakness::Id`] and [`Weakness::Characters`].
    pub fn new(access_key_id: &str, secret: &str) -> Result<Credentials, Weakness> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(3..=128).contains(&access_key_id.len()) || !access_key_id.bytes().all(plain) {
            return Err(Weakness::Id);
        }
        if !(8..=128).contains(&secret.len()) || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Weakness::Characters);
        }
        Ok(Credentials { access_key_id: access_key_id.to_owned(), secret: Secret::new(secret.as_bytes()) })
    }

    /// The root user's, which anyone in the world may try: nothing short, well-known or guessable.
    ///
    /// # Errors
    /// Any [`Weakness`].
    pub fn of_root(access_key_id: &str, secret: &str) -> Result<Credentials, Weakness> {
        let lower = Zeroizing::new(secret.to_ascii_lowercase());
        if WELL_KNOWN.iter().any(|known| known.eq_ignore_ascii_case(secret)) || lower.contains("example") {
            return Err(Weakness::WellKnown);
        }
        if secret.len() < ROOT_SECRET_MIN {
            return Err(Weakness::Short);
        }
        let mut seen = [false; 256];
        secret.bytes().for_each(|byte| seen[usize::from(byte)] = true);
        let different = seen.iter().filter(|seen| **seen).count();
        if different < ROOT_SECRET_DIFFERENT || lower.contains(&access_key_id.to_ascii_lowercase()) {
            return Err(Weakness::Guessable);
        }
        Credentials::new(access_key_id, secret)
    }

    /// New random ones: 80 bits of id, 240 bits of secret in 40 characters, as AWS's. The id's beginning is not AWS's `AKIA`, so that
    /// nobody's scanner takes it for a key to an AWS account.
    #[must_use]
    pub fn generate() -> Credentials {
        let (id, secret) = (identity::id::access_key_id(), identity::id::secret_access_key());
        Credentials::of_root(&id, &secret).expect("thirty random bytes make a good secret")
    }

    /// Another copy of the same.
    #[must_use]
    pub(crate) fn duplicate(&self) -> Credentials {
        Credentials { access_key_id: self.access_key_id.clone(), secret: self.secret.duplicate() }
    }

    /// Reads the root credentials' file.
    pub(crate) fn load(path: &Path) -> Result<Credentials, FileError> {
        let text = files::read_private(path)?;
        let file: CredentialsFile = files::parse_toml(&text, path)?;
        if file.format != FORMAT || file.version != VERSION {
            let reason = format!("it is not a file of {FORMAT}, version {VERSION}");
            return Err(FileError::Malformed(path.to_owned(), reason));
        }
        Credentials::of_root(&file.access_key_id, &file.secret_access_key)
            .map_err(|weakness| FileError::Malformed(path.to_owned(), weakness.to_string()))
    }

    /// Writes them to a new file.
    pub(crate) fn store(&self, path: &Path) -> Result<(), FileError> {
        let mut text = Zeroizing::new(String::with_capacity(512));
        text.push_str("# The root user's access key. `strongroom env` gives it to AWS clients.\n");
        text.push_str(&format!("format = \"{FORMAT}\"\nversion = {VERSION}\n"));
        text.push_str(&format!("access_key_id = \"{}\"\nsecret_access_key = \"", self.access_key_id));
        text.push_str(self.secret_text());
        text.push_str("\"\n");
        files::write_new(path, text.as_bytes())
    }

    /// The id.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The secret as text.
    pub(crate) fn secret_text(&self) -> &str {
        std::str::from_utf8(self.secret.expose()).expect("a secret access key is ASCII")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsFile {
    format: String,
    version: u32,
    access_key_id: String,
    #[serde(deserialize_with = "files::secret")]
    secret_access_key: Zeroizing<String>,
}

const FORMAT: &str = "strongroom root credentials";
const VERSION: u32 = 1;

/// 20 random characters of base64 are 120 bits.
const ROOT_SECRET_MIN: usize = 20;
/// 20 random characters of base64 have fewer than 8 different ones once in 10^9.
const ROOT_SECRET_DIFFERENT: usize = 8;

/// Secrets of 20 characters and more that stand in documentation and samples, beside all with "example" in them. Shorter ones, like
/// `minioadmin`, stand here for the better error.
const WELL_KNOWN: [&str; 12] = [
    "minioadmin",
    "minio123",
    "password",
    "changeme",
    "rustfsadmin",
    "secretkey",
    // ceph/s3-tests, s3tests.conf.SAMPLE.
    "h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q==",
    "nopqrstuvwxyzabcdefghijklmnabcdefghijklm",
    "opqrstuvwxyzabcdefghijklmnopqrstuvwxyzab",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmn",
    // play.min.io, which everyone may use.
    "zuf+tfteSlswRu7BJ86wekitnifILbZam1KYY3TG",
    "tests3cret-tests3cret-tests3cret",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn what_is_made_is_different_each_time_and_reads_back() {
        let (one, other) = (Credentials::generate(), Credentials::generate());
        assert_eq!((one.access_key_id().len(), one.secret_text().len()), (20, 40));
        assert!(one.access_key_id() != other.access_key_id() && !one.secret().same(other.secret()));
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("credentials");
        one.store(&path).unwrap();
        let read = Credentials::load(&path).unwrap();
        assert_eq!(read.access_key_id(), one.access_key_id());
        assert!(read.secret().same(one.secret()));
    }

    #[test]
    fn weak_root_secrets_are_refused() {
        for (secret, weakness) in [
            ("minioadmin", Weakness::WellKnown),
            ("MinioAdmin", Weakness::WellKnown),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Weakness::WellKnown),
            ("nopqrstuvwxyzabcdefghijklmnabcdefghijklm", Weakness::WellKnown),
            ("", Weakness::Short),
            ("q9Zr4-tKx0_vB7mLw2p", Weakness::Short),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Weakness::Guessable),
            ("root-user-0123456789-0123456789", Weakness::Guessable),
            ("q9Zr4 tKx0 vB7m Lw2p q9Zr4", Weakness::Characters),
        ] {
            assert_eq!(Credentials::of_root("root-user", secret).unwrap_err(), weakness, "{secret}");
        }
        assert!(Credentials::of_root("root-user", "q9Zr4-tKx0_vB7mLw2pq").is_ok());
    }

    #[test]
    fn an_id_fits_into_a_credential_scope() {
        for id in ["", "ab", "a/b/c", "a b c", "schlüssel"] {
            assert_eq!(Credentials::new(id, "secret-secret").unwrap_err(), Weakness::Id, "{id}");
        }
    }

    #[test]
    fn debug_has_no_secret() {
        let credentials = Credentials::generate();
        assert!(!format!("{credentials:?}").contains(credentials.secret_text()));
    }

    /// A file of version 1, for ever.
    #[test]
    fn version_1_opens() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("credentials");
        let text = "format = \"strongroom root credentials\"\nversion = 1\naccess_key_id = \"SRAKAAAAAAAAAAAAAAAA\"\n\
                    secret_access_key = \"q9Zr4-tKx0_vB7mLw2pq\"\n";
        files::write_new(&path, text.as_bytes()).unwrap();
        assert_eq!(Credentials::load(&path).unwrap().access_key_id(), "SRAKAAAAAAAAAAAAAAAA");
        let later = folder.path().join("later");
        files::write_new(&later, text.replace("version = 1", "version = 2").as_bytes()).unwrap();
        assert!(Credentials::load(&later).is_err());
    }
}
