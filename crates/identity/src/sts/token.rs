//! Session tokens: all that there is to a session, sealed, in the hands of whoever uses it. Nothing is stored.
//!
//! ```text
//! token = base64url(RecordSealer(kind "session token", aad = access key id, session))
//! ```
//!
//! Byte by byte: docs/formats/session-token.md. A token opens with its own access key id alone, and only whole.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use keys::RecordSealer;
use policy::AccountId;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::bytes::{Reader, Writer};
use super::packed::Packed;
use crate::time::Timestamp;

/// The longest token, in characters: what `SessionTokenUtilization` counts against, and `minimumSessionTokenSizeType` ends at.
pub const MAX_TOKEN: usize = 4_096;

const KIND: &[u8] = b"session token";
const VERSION: u8 = 1;
/// Random bytes of a secret access key; in base64 they are 40 characters.
const SECRET: usize = 30;

/// Whose session it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SessionKind {
    /// AssumeRole and AssumeRoleWithWebIdentity.
    Role = 1,
    /// GetSessionToken of a user.
    User = 2,
    /// GetSessionToken of a root user.
    Root = 3,
    /// GetFederationToken of a user.
    Federated = 4,
    /// GetFederationToken of a root user.
    FederatedByRoot = 5,
}

/// What a token says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Whose it is.
    pub(crate) kind: SessionKind,
    /// The account.
    pub(crate) account: AccountId,
    /// The role's or user's unique id, of which it lives; empty of a root user.
    pub(crate) owner: String,
    /// `RoleSessionName`, or the name of GetFederationToken; else empty.
    pub(crate) name: String,
    /// When it was made.
    pub(crate) issued: Timestamp,
    /// When it ends.
    pub(crate) expires: Timestamp,
    /// When a code of an MFA device was verified for it.
    pub(crate) mfa: Option<Timestamp>,
    /// The source identity.
    pub(crate) source_identity: Option<String>,
    /// The ARN of the identity provider that vouched for it.
    pub(crate) provider: Option<String>,
    /// Condition keys of the web identity, with their values.
    pub(crate) claims: Vec<(String, Vec<String>)>,
    /// Session policies and tags.
    pub(crate) packed: Packed,
    /// What its secret access key is made of.
    pub(crate) secret: SessionSecret,
}

/// The random bytes of a secret access key.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(crate) struct SessionSecret([u8; SECRET]);

impl SessionSecret {
    /// A new one.
    pub(crate) fn generate() -> Self {
        Self(seal::random_bytes())
    }

    /// The secret access key, 40 characters.
    pub(crate) fn access_key(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(&self.0))
    }
}

/// A token that was not made here, not for this access key, or was altered. Never says which.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the session token does not open")]
pub(crate) struct InvalidToken;

/// The session does not fit into a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the session does not fit into a token of {MAX_TOKEN} characters")]
pub(crate) struct TooLarge;

impl Session {
    /// The token of this session for the credentials whose access key id this is, of at least `minimum` characters.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(crate) fn seal(&self, sealer: &RecordSealer, access_key_id: &str, minimum: usize) -> Result<String, TooLarge> {
        let mut plain = self.encode().ok_or(TooLarge)?;
        let seal = |plain: &[u8]| BASE64URL_NOPAD.encode(&sealer.seal(KIND, access_key_id.as_bytes(), plain));
        let mut token = seal(&plain);
        if token.len() < minimum {
            // Four characters are three bytes.
            let padded = plain.len() + (minimum * 3).div_ceil(4) - token.len() * 3 / 4;
            plain.resize(padded, 0);
            token = seal(&plain);
        }
        if token.len() > MAX_TOKEN { Err(TooLarge) } else { Ok(token) }
    }

    /// What a token says, that came with this access key id. Whether it has expired is for the caller to ask.
    ///
    /// # Errors
    /// [`InvalidToken`].
    pub(crate) fn open(sealer: &RecordSealer, access_key_id: &str, token: &str) -> Result<Self, InvalidToken> {
        if token.len() > MAX_TOKEN {
            return Err(InvalidToken);
        }
        let sealed = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| InvalidToken)?;
        let plain = sealer.open(KIND, access_key_id.as_bytes(), &sealed).map_err(|_| InvalidToken)?;
        Self::decode(&plain).ok_or(InvalidToken)
    }

    pub(super) fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        // Written without growing, so that no copy of the secret is left behind.
        let mut out = Writer(Vec::with_capacity(2 * MAX_TOKEN));
        out.byte(VERSION);
        out.byte(self.kind as u8);
        out.raw(self.account.as_bytes());
        out.time(self.issued.as_secs());
        out.time(self.expires.as_secs());
        out.time(self.mfa.map_or(0, Timestamp::as_secs));
        out.raw(&self.secret.0);
        out.text(&self.owner)?;
        out.text(&self.name)?;
        out.text(self.source_identity.as_deref().unwrap_or_default())?;
        out.text(self.provider.as_deref().unwrap_or_default())?;
        out.list(&self.claims, |out, (key, values)| {
            out.text(key)?;
            out.list(values, |out, value| out.text(value))
        })?;
        out.bytes(&self.packed.pack()?)?;
        Some(Zeroizing::new(out.0))
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        if from.byte()? != VERSION {
            return None;
        }
        let optional = |text: String| Some(text).filter(|text| !text.is_empty());
        let kind = SessionKind::of(from.byte()?)?;
        let account = AccountId::from_bytes(from.array()?)?;
        let [issued, expires, mfa] = [from.time()?, from.time()?, from.time()?];
        let session = Self {
            kind,
            account,
            issued: Timestamp::from_secs(issued),
            expires: Timestamp::from_secs(expires),
            mfa: (mfa != 0).then_some(Timestamp::from_secs(mfa)),
            secret: SessionSecret(from.array()?),
            owner: from.text()?,
            name: from.text()?,
            source_identity: optional(from.text()?),
            provider: optional(from.text()?),
            claims: from.list(|from| Some((from.text()?, from.list(Reader::text)?)))?,
            packed: Packed::unpack(from.bytes()?)?,
        };
        // Padding.
        from.0.iter().all(|byte| *byte == 0).then_some(session)
    }
}

impl SessionKind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Role, Self::User, Self::Root, Self::Federated, Self::FederatedByRoot]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("kind", &self.kind).field("owner", &self.owner).finish_non_exhaustive()
    }
}
