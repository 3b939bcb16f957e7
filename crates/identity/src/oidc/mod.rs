//! OpenID Connect: identity providers, and the tokens that they issue for whoever assumes a role with a web identity.
//!
//! The road of a token: [`jwt::Unverified::parse`], the issuer's keys ([`Issuers`], which asks the issuer and remembers), the
//! signature ([`jwt::Unverified::verify`]), then audience, times and subject ([`web_identity::accept`]). Only the last makes a
//! [`WebIdentity`].
//!
//! Sources: OpenID Connect Core 1.0 (section 3.1.3.7) and Discovery 1.0; IAM User Guide, "Create an OpenID Connect (OIDC) identity
//! provider in IAM"; STS API Reference, AssumeRoleWithWebIdentity.

mod issuers;
mod jwt;
mod key_set;
mod operations;
mod provider;
#[cfg(test)]
mod tests;
mod web_identity;

pub use issuers::{Issuers, OidcNetwork};
pub use operations::*;
pub use web_identity::WebIdentity;

/// Why a web identity token is not taken. `Display` is AWS's message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Rejected {
    /// Not a token of the form that OpenID Connect has.
    #[error("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")]
    NotAToken,
    /// Signed in a way that is not taken.
    #[error("The signing algorithm of the token is not supported: use RS256, RS384, RS512, ES256, ES384 or ES512")]
    Algorithm,
    /// The issuer has no key of this id and type.
    #[error(
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
    )]
    Key,
    /// The signature is not that of the key.
    #[error("The signature of the token is invalid")]
    Signature,
    /// A claim is not there, or not of its type.
    #[error("Missing a required claim: {0}")]
    Missing(&'static str),
    /// Nobody in the account trusts the issuer.
    #[error("No OpenIDConnect provider found in your account for {0}")]
    Issuer(String),
    /// Made for somebody whom the provider in the account does not list.
    #[error("Incorrect token audience")]
    Audience,
    /// A claim's value cannot be taken.
    #[error("The value of the claim {0} is invalid")]
    Claim(&'static str),
    /// Its time is over; seconds since 1970.
    #[error("Token expired: current date/time {now} must be before the expiration date/time {expired}")]
    Expired {
        /// The server's clock.
        now: i64,
        /// `exp`
        expired: i64,
    },
    /// Its time has not come; seconds since 1970.
    #[error("Token is not valid yet: current date/time {now} must not be before {from}")]
    NotYet {
        /// The server's clock.
        now: i64,
        /// `nbf` or `iat`
        from: i64,
    },
    /// The issuer could not be asked. What went wrong is for the log.
    #[error("Error communicating with the identity provider")]
    Unreachable,
}

/// Everything that a stranger's token passes through before an issuer is asked, and a key set of a stranger.
#[cfg(fuzzing)]
pub fn fuzz_token(text: &str, key_set: &[u8]) {
    let keys = key_set::KeySet::parse(key_set).unwrap_or_default();
    if let Ok(token) = jwt::Unverified::parse(text) {
        assert!(!token.issuer().is_empty(), "a token has an issuer");
        let issuer = token.issuer().to_owned();
        let known = token.key_is_in(&keys);
        if let Ok(claims) = token.verify(&keys) {
            assert!(known, "no key, no claims");
            drop(web_identity::accept(&claims, issuer.trim_start_matches("https://"), &[], 0));
        }
    }
}
