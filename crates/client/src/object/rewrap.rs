//! Wrapping the data key of an object anew, in its instruction file: the object itself is not touched.

use super::decrypt::ObjectDecryptor;
use super::encrypt::described;
use super::header::Envelope;
use super::instruction;
use super::keyring::{ObjectKeyring, UnwrapRequest, WrapRequest, WrappedKey};
use super::metadata::Metadata;
use crate::error::{Error, Result};

/// Whether the old key may open what the new one wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// It is not asked.
    #[default]
    Unchecked,
    /// It is asked, and must not be able to.
    Checked,
}

impl<K: ObjectKeyring> ObjectDecryptor<K> {
    /// The body of a new instruction file, with the same data key under another key: of version 3, or of version 2 for what was version 1
    /// or 2. This decryptor opens the old one, with all its settings; its context is the new one's, too. The content is as it was, also in
    /// what it commits to.
    ///
    /// ```
    /// use client::keys::AesKey;
    /// use client::object::{AesKeyring, ObjectDecryptor, ObjectEncryptor, Rotation};
    ///
    /// let keyring = |year: &str| AesKey::generate().map(|key| AesKeyring::new(key).material_description([("year", year)]));
    /// let (old, new) = (keyring("2025")?, keyring("2026")?);
    /// let object = ObjectEncryptor::new(&old).instruction_file(true).encrypt(b"attack at dawn")?;
    /// let (file, _) = object.instruction.expect("it was asked for");
    ///
    /// let file = ObjectDecryptor::new(&old).reencrypt_instruction_file(&new, &object.metadata, &file, Rotation::Checked)?;
    /// let opened = ObjectDecryptor::new(&new).decrypt(&object.metadata, Some(&file), &object.body)?;
    /// assert_eq!(*opened, *b"attack at dawn");
    /// # Ok::<(), client::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`ObjectDecryptor::start`]; [`Error::NoInstructionFile`] for an object whose materials lie in its metadata;
    /// [`Error::SameDescription`] for raw keys that nothing tells apart; [`Error::NotRotated`].
    pub fn reencrypt_instruction_file(
        &self,
        new: impl ObjectKeyring,
        metadata: &Metadata,
        instruction: &[u8],
        rotation: Rotation,
    ) -> Result<Vec<u8>> {
        let envelope = Envelope::read(metadata, Some(instruction))?.ok_or(Error::NotEncrypted)?;
        if !envelope.header.in_instruction_file {
            return Err(Error::NoInstructionFile);
        }
        let data_key = self.verified_data_key(&envelope)?;
        let content = envelope.header.content;
        let request = WrapRequest { content, context: &self.context, data_key: Some(&data_key) };
        let wrapped = new.wrap(&request)?;
        if wrapped.data_key != data_key {
            return Err(Error::NoDataKey);
        }
        if !wrapped.wrapping.is_kms() && wrapped.description == envelope.header.description {
            return Err(Error::SameDescription);
        }
        if rotation == Rotation::Checked {
            self.check_rotated(&envelope, &wrapped)?;
        }
        Ok(instruction::split(described(&wrapped, &envelope.start)?)?.0)
    }

    /// # Errors
    /// [`Error::NotRotated`]; what keeps a key management service from answering, since that is no answer.
    fn check_rotated(&self, envelope: &Envelope, wrapped: &WrappedKey) -> Result<()> {
        let attempt = self.keyring.unwrap(&UnwrapRequest {
            content: envelope.header.content,
            wrapping: wrapped.wrapping,
            ciphertext: &wrapped.ciphertext,
            description: &wrapped.description,
        });
        match attempt {
            Ok(_) => Err(Error::NotRotated),
            Err(error) => refusal(error),
        }
    }
}

/// Nothing where a key does not open a data key; the error where it was not asked.
fn refusal(error: Error) -> Result<()> {
    match error {
        Error::NoKeyOpens(errors) => errors.into_iter().try_for_each(refusal),
        Error::Kms(error) if !matches!(error.code.as_str(), "IncorrectKeyException" | "InvalidCiphertextException") => {
            Err(Error::Kms(error))
        }
        _ => Ok(()),
    }
}
