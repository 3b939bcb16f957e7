//! Encrypt and its inverse, under a key's material:
//!
//! ```text
//! fields = key id (16 B) ‖ material number (4 B)
//! blob   = envelope(M_{k,j}, label Kms, fields, aad = canonical(encryption context), plaintext)
//! ```
//!
//! Of a key in an HSM, the HSM computes the one HMAC that the blob's key is; under a key in an external key store lie two layers:
//! [`custody`](crate::custody).

use std::collections::BTreeMap;

use seal::EncryptionContext;
use seal::envelope::{Envelope, Label, parse_header};
use zeroize::Zeroizing;

use crate::Keys;
use crate::access::Asker;
use crate::error::Error;
use crate::identifier::KeyId;
use crate::record::{Custody, Material};
use crate::request;
use crate::vault::{Key, Master};

/// Bytes of the cleartext fields.
const FIELDS: usize = KeyId::LEN + 4;

impl Keys {
    /// Seals under the key's current material. The caller has seen that the key is enabled.
    pub(crate) async fn seal_under(
        &self,
        key: &Key,
        asker: Asker<'_>,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let material = key.record.sealing(&key.arn)?;
        let mut fields = [0; FIELDS];
        fields[..KeyId::LEN].copy_from_slice(key.id.as_bytes());
        fields[KeyId::LEN..].copy_from_slice(&material.number.to_be_bytes());
        match &key.record.custody {
            Custody::Here => {
                let master = self.vault.material(key.id, key.record.spec, material).await?;
                let blob = master.envelope()?.seal(Label::Kms, &fields, &context.canonical(), plaintext);
                request::note_material(&key.arn, || material.id_text());
                Ok(blob)
            }
            Custody::Hsm { .. } => self.seal_in_hsm(key, &fields, context, plaintext).await,
            Custody::Proxy { .. } => {
                let external = self.external(key).await?;
                let master = self.vault.material(key.id, key.record.spec, material).await?;
                external.seal(asker, master.envelope()?, &fields, context, plaintext).await
            }
        }
    }

    /// Opens a blob of this key, under whichever of its materials sealed it.
    ///
    /// # Errors
    /// [`Error::InvalidCiphertext`], [`Error::IncorrectKey`] if the blob is another key's, and what the key's state forbids.
    pub(crate) async fn open_under(
        &self,
        key: &Key,
        asker: Asker<'_>,
        context: &EncryptionContext,
        blob: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Material), Error> {
        let (id, number) = parse_ciphertext(blob)?;
        if id != key.id {
            let text = "The key ID in the request does not identify a CMK that can perform this operation.";
            return Err(Error::IncorrectKey(text.to_owned()));
        }
        self.require_usable(key).await?;
        self.open_in_any_state(key, number, asker, context, blob).await
    }

    /// Opens a blob under one of this key's materials, also where the key's state forbids its use: for the scrub alone.
    pub(crate) async fn open_in_any_state(
        &self,
        key: &Key,
        number: u32,
        asker: Asker<'_>,
        context: &EncryptionContext,
        blob: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Material), Error> {
        let material = self.material_of(key, number).await?;
        if !material.is_present() {
            return Err(Error::KmsInvalidState(format!("{} is pending import.", key.arn)));
        }
        let opened = match &key.record.custody {
            Custody::Here => {
                let master = self.vault.material(key.id, key.record.spec, &material).await?;
                let opened = master.envelope()?.open(Label::Kms, &context.canonical(), blob);
                let opened = opened.map_err(|_| invalid_ciphertext())?;
                request::note_material(&key.arn, || material.id_text());
                opened
            }
            Custody::Hsm { .. } => self.open_in_hsm(key, context, blob).await?,
            Custody::Proxy { .. } => {
                let external = self.external(key).await?;
                let master = self.vault.material(key.id, key.record.spec, &material).await?;
                external.open(asker, master.envelope()?, FIELDS, context, blob).await?
            }
        };
        Ok((opened, material))
    }

    /// The material that a blob names. Another gateway may have made it since this one read the key.
    async fn material_of(&self, key: &Key, number: u32) -> Result<Material, Error> {
        if let Some(material) = key.record.material(number) {
            return Ok(material.clone());
        }
        if key.record.materials.last().is_none_or(|last| number > last.number)
            && let Some(key) = self.vault.reread(key.id).await?
            && let Some(material) = key.record.material(number)
        {
            return Ok(material.clone());
        }
        Err(invalid_ciphertext())
    }
}

impl Master {
    /// # Errors
    /// [`Error::InvalidKeyUsage`] if the key is no symmetric encryption key: the caller has not looked at its spec.
    fn envelope(&self) -> Result<&Envelope, Error> {
        match self {
            Self::Envelope(envelope) => Ok(envelope),
            Self::Key(key) => {
                Err(Error::InvalidKeyUsage(format!("Keys of spec {} do not seal envelopes.", key.spec().name())))
            }
        }
    }
}

/// The key and material that a blob names, to be believed only once it has opened.
pub(crate) fn parse_ciphertext(blob: &[u8]) -> Result<(KeyId, u32), Error> {
    let header = parse_header(blob).map_err(|_| invalid_ciphertext())?;
    let fields: &[u8; FIELDS] = header.fields.try_into().map_err(|_| invalid_ciphertext())?;
    let (id, number) = fields.split_first_chunk().ok_or_else(invalid_ciphertext)?;
    let number: [u8; 4] = number.try_into().map_err(|_| invalid_ciphertext())?;
    if !matches!(header.label, Label::Kms | Label::KmsInner) {
        return Err(invalid_ciphertext());
    }
    Ok((KeyId::from_bytes(*id), u32::from_be_bytes(number)))
}

/// Never says why.
pub(crate) fn invalid_ciphertext() -> Error {
    Error::InvalidCiphertext(String::new())
}

/// A request's encryption context.
pub(crate) fn encryption_context(pairs: Option<BTreeMap<String, String>>) -> Result<EncryptionContext, Error> {
    let context = EncryptionContext::try_from(pairs.unwrap_or_default());
    context.map_err(|too_large| Error::Validation(format!("EncryptionContext is not valid: {too_large}.")))
}
