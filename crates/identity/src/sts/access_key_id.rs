//! Access key ids of sessions. Whose they are can be read from them, as from AWS's.

use data_encoding::BASE32;
use policy::AccountId;

use crate::id::SESSION_KEY_PREFIX;

/// Bytes of an account's number: 999,999,999,999 is below 2^40.
const ACCOUNT: usize = 5;

/// A new access key id for a session: the prefix, then base32 of the account's number (40 bits) and 40 random bits.
pub(crate) fn generate(account: AccountId) -> String {
    let number: u64 = account.as_str().parse().expect("twelve digits are a number");
    let mut bytes = [0; 2 * ACCOUNT];
    bytes[..ACCOUNT].copy_from_slice(&number.to_be_bytes()[8 - ACCOUNT..]);
    bytes[ACCOUNT..].copy_from_slice(&seal::random_bytes::<ACCOUNT>());
    format!("{SESSION_KEY_PREFIX}{}", BASE32.encode(&bytes))
}

/// The account of a session's access key id. `None`: it is none.
pub(crate) fn account(access_key_id: &str) -> Option<AccountId> {
    let bytes = BASE32.decode(access_key_id.strip_prefix(SESSION_KEY_PREFIX)?.as_bytes()).ok()?;
    let number: [u8; 2 * ACCOUNT] = bytes.try_into().ok()?;
    let number = number[..ACCOUNT].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    AccountId::parse(&format!("{number:012}")).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn an_access_key_id_tells_its_account() {
        for text in ["000000000001", "123456789012", "999999999999"] {
            let owner = AccountId::parse(text).unwrap();
            let id = generate(owner);
            assert_eq!((id.len(), account(&id)), (20, Some(owner)));
            assert_ne!(generate(owner), id);
        }
    }

    #[test]
    fn others_tell_none() {
        for id in
            ["", "SRAS", "SRASAAAAAAAAAAAAAAA", "SRASAAAAAAAAAAAAAAA1", "SRAKAAAAAAAAAAAAAAAA", "SRAS7777777777777777"]
        {
            assert_eq!(account(id), None, "{id}");
        }
    }
}
