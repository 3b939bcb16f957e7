//! Encrypt, Decrypt, ReEncrypt.

use std::collections::BTreeMap;
use std::sync::Arc;

use material::{EncryptionAlgorithm, KeyUsage};
use seal::EncryptionContext;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::refusals::{refuse_recipient, stop_dry_run};
use crate::Keys;
use crate::access::{Action, Asker, Via};
use crate::cipher::{encryption_context, parse_ciphertext};
use crate::decide::{Fact, Use};
use crate::error::Error;
use crate::identifier::{KeyId, Reference, Target};
use crate::principal::Principal;
use crate::vault::Key;
use crate::wire::{Blob, Plaintext};
use model::required;

model::requests!(kms: EncryptRequest, DecryptRequest, ReEncryptRequest);

/// The request of Encrypt.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncryptRequest {
    /// `KeyId`.
    pub key_id: String,
    /// `Plaintext`, 1 to 4,096 B.
    pub plaintext: Plaintext,
    /// `EncryptionContext`.
    pub encryption_context: Option<BTreeMap<String, String>>,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `EncryptionAlgorithm`.
    pub encryption_algorithm: Option<String>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
}

/// The answer of Encrypt.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct EncryptResponse {
    /// `CiphertextBlob`.
    pub ciphertext_blob: Blob,
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `EncryptionAlgorithm`.
    pub encryption_algorithm: &'static str,
}

/// The request of Decrypt.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecryptRequest {
    /// `CiphertextBlob`, 1 to 6,144 B.
    pub ciphertext_blob: Option<Blob>,
    /// `EncryptionContext`.
    pub encryption_context: Option<BTreeMap<String, String>>,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `KeyId`.
    pub key_id: Option<String>,
    /// `EncryptionAlgorithm`.
    pub encryption_algorithm: Option<String>,
    /// `Recipient`.
    pub recipient: Option<IgnoredAny>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
    /// `DryRunModifiers`.
    pub dry_run_modifiers: Option<Vec<String>>,
}

/// The answer of Decrypt.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecryptResponse {
    /// `KeyId`: the key's ARN.
    pub key_id: String,
    /// `Plaintext`.
    pub plaintext: Plaintext,
    /// `EncryptionAlgorithm`.
    pub encryption_algorithm: &'static str,
    /// `KeyMaterialId`, of symmetric encryption keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}

/// The request of ReEncrypt.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReEncryptRequest {
    /// `CiphertextBlob`, 1 to 6,144 B.
    pub ciphertext_blob: Option<Blob>,
    /// `SourceEncryptionContext`.
    pub source_encryption_context: Option<BTreeMap<String, String>>,
    /// `SourceKeyId`.
    pub source_key_id: Option<String>,
    /// `DestinationKeyId`.
    pub destination_key_id: String,
    /// `DestinationEncryptionContext`.
    pub destination_encryption_context: Option<BTreeMap<String, String>>,
    /// `SourceEncryptionAlgorithm`.
    pub source_encryption_algorithm: Option<String>,
    /// `DestinationEncryptionAlgorithm`.
    pub destination_encryption_algorithm: Option<String>,
    /// `GrantTokens`.
    pub grant_tokens: Option<Vec<String>>,
    /// `DryRun`.
    pub dry_run: Option<bool>,
    /// `DryRunModifiers`.
    pub dry_run_modifiers: Option<Vec<String>>,
}

/// The answer of ReEncrypt.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ReEncryptResponse {
    /// `CiphertextBlob`.
    pub ciphertext_blob: Blob,
    /// `SourceKeyId`: the source key's ARN.
    pub source_key_id: String,
    /// `KeyId`: the destination key's ARN.
    pub key_id: String,
    /// `SourceEncryptionAlgorithm`.
    pub source_encryption_algorithm: &'static str,
    /// `DestinationEncryptionAlgorithm`.
    pub destination_encryption_algorithm: &'static str,
    /// `SourceKeyMaterialId`, of symmetric encryption keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_key_material_id: Option<String>,
    /// `DestinationKeyMaterialId`, of symmetric encryption keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_key_material_id: Option<String>,
}

impl Keys {
    /// Encrypt.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, Encrypt.
    pub async fn encrypt(&self, principal: &Principal, request: EncryptRequest) -> Result<EncryptResponse, Error> {
        let context = encryption_context(request.encryption_context)?;

        let facts = facts(request.encryption_algorithm.as_ref());
        let wish = Use::of(Action::Encrypt).tokens(request.grant_tokens.as_ref()).context(&context).facts(&facts);
        let key = self.key_for(principal, &request.key_id, wish, KeyUsage::EncryptDecrypt).await?;
        let algorithm = algorithm_of(&key, request.encryption_algorithm.as_ref(), &context)?;
        stop_dry_run(request.dry_run)?;
        let asker = Asker::of(principal, Action::Encrypt, Via::Kms);
        let blob = self.seal_by(&key, asker, algorithm, &context, request.plaintext.expose()).await?;
        let (key_id, encryption_algorithm) = (key.arn.clone(), algorithm.name());
        self.used(&key, Action::Encrypt);
        Ok(EncryptResponse { ciphertext_blob: Blob(blob), key_id, encryption_algorithm })
    }

    /// Decrypt.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, Decrypt.
    pub async fn decrypt(&self, principal: &Principal, request: DecryptRequest) -> Result<DecryptResponse, Error> {
        let modifiers = DryRun { on: request.dry_run, modifiers: request.dry_run_modifiers.as_ref() };
        let blob = modifiers.ciphertext(request.ciphertext_blob.as_ref())?;
        refuse_recipient(request.recipient.as_ref())?;
        let context = encryption_context(request.encryption_context)?;

        let key_id = request.key_id.as_deref();
        let (algorithm, tokens) = (request.encryption_algorithm.as_ref(), request.grant_tokens.as_ref());
        let source = Source { key_id, blob, context, algorithm, tokens, other: None };
        if modifiers.ignores_ciphertext()? {
            self.check_source(principal, &source, Action::Decrypt).await?;
        }
        let opened = self.open_source(principal, source, Action::Decrypt).await?;
        stop_dry_run(request.dry_run)?;
        self.used(&opened.key, Action::Decrypt);
        Ok(DecryptResponse {
            key_id: opened.key.arn.clone(),
            plaintext: opened.plaintext,
            encryption_algorithm: opened.algorithm.name(),
            key_material_id: opened.material_id,
        })
    }

    /// ReEncrypt.
    ///
    /// # Errors
    /// The exceptions of the KMS API reference, ReEncrypt.
    pub async fn re_encrypt(
        &self,
        principal: &Principal,
        request: ReEncryptRequest,
    ) -> Result<ReEncryptResponse, Error> {
        let modifiers = DryRun { on: request.dry_run, modifiers: request.dry_run_modifiers.as_ref() };
        let blob = modifiers.ciphertext(request.ciphertext_blob.as_ref())?;
        let context = encryption_context(request.source_encryption_context)?;
        let destination_context = encryption_context(request.destination_encryption_context)?;

        let tokens = request.grant_tokens.as_ref();
        let named = request.destination_encryption_algorithm.as_ref();
        let facts = facts(named);
        let from = self.source_id(principal, request.source_key_id.as_deref(), blob).await?;
        let wish = Use::of(Action::ReEncryptTo).tokens(tokens).context(&destination_context).facts(&facts).other(from);
        let destination = self.key_for(principal, &request.destination_key_id, wish, KeyUsage::EncryptDecrypt).await?;
        let destination_algorithm = algorithm_of(&destination, named, &destination_context)?;
        let algorithm = request.source_encryption_algorithm.as_ref();
        let key_id = request.source_key_id.as_deref();
        let source = Source { key_id, blob, context, algorithm, tokens, other: Some(destination.id) };
        if modifiers.ignores_ciphertext()? {
            self.check_source(principal, &source, Action::ReEncryptFrom).await?;
        }
        let opened = self.open_source(principal, source, Action::ReEncryptFrom).await?;
        stop_dry_run(request.dry_run)?;
        let plaintext = opened.plaintext.expose();
        let asker = Asker::of(principal, Action::ReEncryptTo, Via::Kms);
        let blob = self.seal_by(&destination, asker, destination_algorithm, &destination_context, plaintext).await?;
        let material = destination.record.sealing(&destination.arn)?;
        self.used(&opened.key, Action::ReEncryptFrom);
        self.used(&destination, Action::ReEncryptTo);
        Ok(ReEncryptResponse {
            ciphertext_blob: Blob(blob),
            source_key_id: opened.key.arn.clone(),
            key_id: destination.arn.clone(),
            source_encryption_algorithm: opened.algorithm.name(),
            destination_encryption_algorithm: destination_algorithm.name(),
            source_key_material_id: opened.material_id,
            destination_key_material_id: destination.is_symmetric().then(|| material.id_text()),
        })
    }

    /// Which key a ReEncrypt would open, as far as that can be told before anybody was asked: for `kms:ReEncryptOnSameKey`.
    async fn source_id(
        &self,
        principal: &Principal,
        key_id: Option<&str>,
        blob: &[u8],
    ) -> Result<Option<KeyId>, Error> {
        if let Ok((id, ..)) = parse_ciphertext(blob) {
            return Ok(Some(id));
        }
        let Some(key_id) = key_id else { return Ok(None) };
        let Ok(Reference { account, target }) = Reference::parse(key_id, principal, &self.region) else {
            return Ok(None);
        };
        match target {
            Target::Key(id) => Ok(Some(id)),
            Target::Alias(name) => self.vault.alias(account, name).await,
        }
    }

    /// Opens a ciphertext under the key that it names, which must be the one that the request names, if it names one. RSA
    /// ciphertexts name none.
    async fn open_source(&self, principal: &Principal, source: Source<'_>, action: Action) -> Result<Opened, Error> {
        let facts = facts(source.algorithm);
        let wish = source.wish(action, &facts);
        let key = match source.key_id {
            Some(key_id) => self.find(principal, key_id, wish, Via::Kms).await?,
            None => self.find_for_ciphertext(principal, parse_ciphertext(source.blob)?.0, wish).await?,
        };
        key.require_usage(KeyUsage::EncryptDecrypt, action.operation())?;
        let algorithm = algorithm_of(&key, source.algorithm, &source.context);
        if !matches!(algorithm, Ok(EncryptionAlgorithm::SymmetricDefault)) {
            // In AWS's order: a disabled key is told so before the algorithm is refused.
            self.require_usable(&key).await?;
        }
        let algorithm = algorithm?;
        if algorithm == EncryptionAlgorithm::SymmetricDefault {
            let asker = Asker::of(principal, action, Via::Kms);
            let (plaintext, material) = self.open_under(&key, asker, &source.context, source.blob).await?;
            let material_id = Some(material.id_text());
            return Ok(Opened { key, plaintext: Plaintext::from(plaintext), algorithm, material_id });
        }
        let plaintext = self.with_material(&key, |it| it.decrypt(algorithm, source.blob)).await?;
        Ok(Opened { key, plaintext: Plaintext::from(plaintext.into_bytes()), algorithm, material_id: None })
    }

    /// Encrypts by an algorithm that the key has.
    async fn seal_by(
        &self,
        key: &Key,
        asker: Asker<'_>,
        algorithm: EncryptionAlgorithm,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        if algorithm == EncryptionAlgorithm::SymmetricDefault {
            return self.seal_under(key, asker, context, plaintext).await;
        }
        self.with_material(key, |it| it.encrypt(algorithm, plaintext)).await
    }

    /// `IGNORE_CIPHERTEXT`: everything that does not need the ciphertext. Always an error, [`Error::DryRunOperation`] at best.
    async fn check_source(&self, principal: &Principal, source: &Source<'_>, action: Action) -> Result<(), Error> {
        let Some(key_id) = source.key_id else {
            let text = "A key ID is required when DryRunModifiers has IGNORE_CIPHERTEXT.";
            return Err(Error::Validation(text.to_owned()));
        };
        let facts = facts(source.algorithm);
        let wish = source.wish(action, &facts);
        let key = self.key_for(principal, key_id, wish, KeyUsage::EncryptDecrypt).await?;
        algorithm_of(&key, source.algorithm, &source.context)?;
        stop_dry_run(Some(true))
    }
}

/// A ciphertext and what the request says of it.
struct Source<'a> {
    key_id: Option<&'a str>,
    blob: &'a [u8],
    context: EncryptionContext,
    algorithm: Option<&'a String>,
    tokens: Option<&'a Vec<String>>,
    /// The destination of a ReEncrypt.
    other: Option<KeyId>,
}

impl Source<'_> {
    fn wish<'u>(&'u self, action: Action, facts: &'u [Fact<'u>]) -> Use<'u> {
        Use::of(action).tokens(self.tokens).context(&self.context).facts(facts).other(self.other)
    }
}

/// What key policies may ask about an algorithm, which need not be named where it is the symmetric one.
fn facts(named: Option<&String>) -> [Fact<'_>; 1] {
    let name = named.map_or(EncryptionAlgorithm::SymmetricDefault.name(), String::as_str);
    [("kms:encryptionalgorithm", name.into())]
}

/// What a ciphertext held.
struct Opened {
    key: Arc<Key>,
    plaintext: Plaintext,
    algorithm: EncryptionAlgorithm,
    /// Of symmetric encryption keys alone.
    material_id: Option<String>,
}

/// `DryRun` and `DryRunModifiers`.
struct DryRun<'a> {
    on: Option<bool>,
    modifiers: Option<&'a Vec<String>>,
}

impl DryRun<'_> {
    /// The ciphertext, which only a dry run that ignores it may leave out.
    fn ciphertext<'a>(&self, blob: Option<&'a Blob>) -> Result<&'a [u8], Error> {
        match blob {
            Some(Blob(bytes)) => Ok(bytes),
            None if self.ignores_ciphertext()? => Ok(&[]),
            None => Err(required("ciphertextBlob").into()),
        }
    }

    /// `IGNORE_CIPHERTEXT` is the one modifier that there is.
    fn ignores_ciphertext(&self) -> Result<bool, Error> {
        let modified = self.modifiers.is_some_and(|modifiers| !modifiers.is_empty());
        if modified && self.on != Some(true) {
            return Err(Error::Validation("DryRunModifiers needs DryRun to be true.".to_owned()));
        }
        Ok(modified)
    }
}

/// The algorithm that a request names, if the key has it. RSA binds no encryption context, so none may be given.
fn algorithm_of(key: &Key, named: Option<&String>, context: &EncryptionContext) -> Result<EncryptionAlgorithm, Error> {
    let name = named.map_or(EncryptionAlgorithm::SymmetricDefault.name(), String::as_str);
    let (spec, usage) = (key.record.spec, key.record.usage);
    let known = EncryptionAlgorithm::named(name).filter(|it| spec.encryption_algorithms(usage).contains(it));
    let Some(algorithm) = known else {
        return Err(Error::InvalidKeyUsage(format!("Algorithm {name} is incompatible with key spec {spec}.")));
    };
    if algorithm != EncryptionAlgorithm::SymmetricDefault && !context.is_empty() {
        let text = "EncryptionContext is valid for symmetric encryption keys alone.";
        return Err(Error::Validation(text.to_owned()));
    }
    Ok(algorithm)
}
