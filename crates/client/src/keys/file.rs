//! Key files: an AES key as text, with a name that comes of the key.

use super::AesKey;
use crate::error::{Error, Result};
use crate::message::RawAes;
use aws_lc_rs::hmac;
use data_encoding::{BASE64, HEXLOWER};
use zeroize::Zeroizing;

/// The first line, with the version of the format.
const MAGIC: &str = "strongroom-client-key 1";

/// Longest file that is read, in bytes: comments have room.
pub const KEY_FILE_LIMIT: usize = 1 << 16;

/// What the id is an HMAC of.
const ID: &[u8] = b"strongroom client key id";

/// Length of an id in bytes.
const ID_LENGTH: usize = 16;

/// An AES key of 256 bits with an id, as it lies in a file (docs/formats/client-key-file.md).
///
/// The id comes of the key, so that a damaged file is told from a foreign one. It is no secret: it stands in messages in clear.
///
/// ```
/// use client::keys::KeyFile;
/// use client::message::{Decryptor, Encryptor};
///
/// let file = KeyFile::generate()?;
/// let message = Encryptor::new(file.keyring()?).encrypt(b"attack at dawn")?;
///
/// let again = KeyFile::parse(&file.to_text())?;
/// assert_eq!(again.id(), file.id());
/// assert_eq!(&Decryptor::new(again.keyring()?).decrypt(&message)?.plaintext[..], b"attack at dawn");
/// # Ok::<(), client::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyFile {
    id: String,
    key: AesKey,
}

impl KeyFile {
    /// The name space of such keys in messages; their name is the id.
    pub const NAMESPACE: &str = "strongroom";

    /// A new key from the system's random generator.
    ///
    /// # Errors
    /// [`Error::Library`] when the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        let key = AesKey::generate()?;
        Ok(Self { id: id(&key), key })
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`Error::Key`]: it is no key file, one of a version to come, or damaged.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > KEY_FILE_LIMIT {
            return Err(Error::Key("a file too long for a key file"));
        }
        let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
        match lines.next() {
            Some(MAGIC) => {}
            Some(other) if other.starts_with("strongroom-client-key ") => {
                return Err(Error::Key("a key file of a version that is not known here"));
            }
            _ => return Err(Error::Key("not a key file of strongroom")),
        }
        let [Some(named), Some(key), None] = [lines.next(), lines.next(), lines.next()] else {
            return Err(Error::Key("a key file has an id and a key, and nothing else"));
        };
        let (Some(named), Some(key)) = (named.strip_prefix("id "), key.strip_prefix("key ")) else {
            return Err(Error::Key("a key file has an id and then a key"));
        };
        let bytes = BASE64.decode(key.as_bytes()).map(Zeroizing::new);
        let bytes = bytes.ok().filter(|bytes| bytes.len() == 32).ok_or(Error::Key("the key file's key is damaged"))?;
        let key = AesKey::new(&bytes)?;
        let id = id(&key);
        if id == named { Ok(Self { id, key }) } else { Err(Error::Key("the key file's key is not that of its id")) }
    }

    /// The file's text. Wiped when dropped.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(BASE64.encode(self.key.as_bytes()));
        let parts = [
            "# Secret: whoever has this file opens everything that was sealed with it; without it, nobody does.\n",
            MAGIC,
            "\nid ",
            &self.id,
            "\nkey ",
            &key,
            "\n",
        ];
        let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| text.push_str(part));
        text
    }

    /// The key's id: 32 hexadecimal digits. In messages it is the name of the key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> &AesKey {
        &self.key
    }

    /// A keyring for messages.
    ///
    /// # Errors
    /// None that can come: those of [`RawAes::new`].
    pub fn keyring(&self) -> Result<RawAes> {
        RawAes::new(Self::NAMESPACE, &self.id, self.key.clone())
    }
}

fn id(key: &AesKey) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), ID);
    HEXLOWER.encode(&tag.as_ref()[..ID_LENGTH])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// As version 1 was written when there was no other one.
    const FIRST: &str = "# Secret: whoever has this file opens everything that was sealed with it; without it, nobody does.\n\
                         strongroom-client-key 1\n\
                         id 4aed7d2135a7bb7ca16375acb1927251\n\
                         key AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

    #[test]
    fn version_1_opens_and_is_written_as_it_was() {
        let file = KeyFile::parse(FIRST).unwrap();
        assert_eq!(file.key().as_bytes(), (0..32).collect::<Vec<u8>>());
        assert_eq!(*file.to_text(), FIRST);
    }

    #[test]
    fn comments_blank_lines_and_foreign_line_ends_are_no_matter() {
        let text = format!("# the office's\r\n\r\n{}", FIRST.replace('\n', "\r\n"));
        assert_eq!(KeyFile::parse(&text).unwrap().id(), KeyFile::parse(FIRST).unwrap().id());
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let cases = [
            (String::new(), "not a key file"),
            ("-----BEGIN PRIVATE KEY-----\n".to_owned(), "not a key file"),
            (FIRST.replace("key 1", "key 2"), "version"),
            (FIRST.replace("AAEC", "AAED"), "not that of its id"),
            (FIRST.replace("AAEC", ""), "damaged"),
            (FIRST.replace("Hh8=", "Hh9="), "damaged"),
            (FIRST.replace("id ", "name "), "id and then a key"),
            (format!("{FIRST}more\n"), "nothing else"),
            ("#".repeat(KEY_FILE_LIMIT + 1), "too long"),
        ];
        for (text, words) in cases {
            let error = KeyFile::parse(&text).err().unwrap().to_string();
            assert!(error.contains(words), "{error}, where {words}");
        }
    }
}
