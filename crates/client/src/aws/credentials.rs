//! Who signs.

use sigv4::Secret;
use std::fmt;
use zeroize::Zeroizing;

/// An access key, and the token of the session that it belongs to, if it does. Wiped when dropped; of it, the id alone is ever printed.
///
/// ```
/// use client::aws::Credentials;
///
/// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
/// assert_eq!(format!("{credentials:?}"), r#"Credentials { access_key_id: "AKIAIOSFODNN7EXAMPLE", .. }"#);
/// ```
pub struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret: Secret,
    pub(super) session_token: Option<Zeroizing<String>>,
}

impl Credentials {
    /// A key of a user.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret: Secret::new(secret_access_key.as_bytes()),
            session_token: None,
        }
    }

    /// A key of a session, which counts together with its token alone.
    #[must_use]
    pub fn session_token(self, token: &str) -> Self {
        Self { session_token: Some(Zeroizing::new(token.to_owned())), ..self }
    }

    /// The id of the access key.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }
}

impl Clone for Credentials {
    fn clone(&self) -> Self {
        Self {
            access_key_id: self.access_key_id.clone(),
            secret: self.secret.duplicate(),
            session_token: self.session_token.clone(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
