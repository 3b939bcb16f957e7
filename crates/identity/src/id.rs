//! Names that are made here: unique ids, access keys.

use data_encoding::{BASE32_NOPAD, BASE64};
use zeroize::Zeroizing;

use crate::rows::{ID_LEN, Kind};

/// What begins the id of a long-term access key. Not AWS's `AKIA`, so that nobody's scanner takes it for a key to an AWS account.
pub const ACCESS_KEY_PREFIX: &str = "SRAK";

/// What begins the id of a session's access key, AWS's `ASIA`.
pub const SESSION_KEY_PREFIX: &str = "SRAS";

/// A new unique id of AWS's form: what tells the kind, and 17 characters of base32, 85 random bits.
pub(crate) fn unique(kind: Kind) -> String {
    random_id(kind.id_prefix(), ID_LEN)
}

/// A new id of a long-term access key: 80 random bits in 20 characters.
#[must_use]
pub fn access_key_id() -> String {
    random_id(ACCESS_KEY_PREFIX, 20)
}

/// A new secret access key: 240 random bits in 40 characters of base64, as AWS's.
#[must_use]
pub fn secret_access_key() -> Zeroizing<String> {
    let random = Zeroizing::new(seal::random_bytes::<30>());
    Zeroizing::new(BASE64.encode(&*random))
}

fn random_id(prefix: &str, len: usize) -> String {
    let mut id = format!("{prefix}{}", BASE32_NOPAD.encode(&seal::random_bytes::<15>()));
    id.truncate(len);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_awss_form() {
        let id = unique(Kind::User);
        assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
        assert_eq!((access_key_id().len(), secret_access_key().len()), (20, 40));
        assert_ne!(access_key_id(), access_key_id());
    }
}
