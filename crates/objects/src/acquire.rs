//! Where the keys of an object come from, for each mode.
//!
//! ```text
//! SSE-S3              KEK = data key of the service key, of the bucket, cached           sealed(OEK) under it
//! SSE-KMS             KEK = data key of the KMS key, of this object: one KMS call        sealed(OEK) under it
//!   with Bucket Key   KEK = data key of the KMS key, of the bucket, cached               sealed(OEK) under it
//! DSSE-KMS            inner OEK as SSE-KMS, outer OEK as SSE-S3
//! SSE-C               KEK = HKDF(customer key, salt, object identity)                    sealed(OEK) under it
//! ```
//!
//! Every sealed object key is bound to bucket, name, version, data, mode and layer.

use crate::bucket::Bucket;
use crate::data_key::{Named, stored};
use crate::encryption::{ARN_CONTEXT, Applied, CustomerKey, Settled};
use crate::error::Error;
use crate::name::ObjectName;
use crate::objects::Objects;
use crate::record::{KeySource, Layer, ObjectRecord, Part, SealedKey, mode_code};
use blob::BlobId;
use bytes::Bytes;
use keys::Principal;
use seal::context::EncryptionContext;
use seal::customer::CustomerCheck;
use seal::stream::{Opener, Sealer};
use seal::{ObjectBinding, ObjectKey, SecretKey};
use std::sync::Arc;

/// What an object key is bound to beside its mode and layer.
#[derive(Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) bucket: &'a Bucket,
    pub(crate) name: &'a ObjectName,
    pub(crate) version: &'a [u8; 16],
    pub(crate) data_id: &'a [u8; 16],
}

/// The open object keys: one, or two for DSSE.
pub(crate) struct ObjectKeys {
    inner: ObjectKey,
    outer: Option<ObjectKey>,
}

/// The keys that wrap object keys.
struct Keks {
    inner: Arc<SecretKey>,
    outer: Option<Arc<SecretKey>>,
    source: KeySource,
}

impl ObjectKeys {
    fn generate(layers: usize) -> ObjectKeys {
        ObjectKeys { inner: ObjectKey::generate(), outer: (layers == 2).then(ObjectKey::generate) }
    }

    /// Fresh part keys, and what must be stored to derive them again.
    pub(crate) fn sealer(&self, part: u16, blob: BlobId) -> (Sealer, Layer, Option<Layer>) {
        let (key, salt, commitment) = self.inner.new_part(part, blob.as_bytes());
        let inner = Layer { salt, commitment };
        let Some(outer) = &self.outer else { return (Sealer::one(key), inner, None) };
        let (outer_key, salt, commitment) = outer.new_part(part, blob.as_bytes());
        (Sealer::two(key, outer_key), inner, Some(Layer { salt, commitment }))
    }

    /// The keys of a stored part, commitments checked.
    pub(crate) fn opener(&self, part: &Part) -> Result<Opener, Error> {
        let open = |key: &ObjectKey, layer: &Layer| {
            key.open_part(part.number, part.blob.as_bytes(), &layer.salt, &layer.commitment).map_err(|_| {
                tracing::error!(blob = %part.blob, part = part.number, "a part's key does not match its commitment");
                Error::DamagedObject
            })
        };
        let inner = open(&self.inner, &part.inner)?;
        match (&self.outer, &part.outer) {
            (None, None) => Ok(Opener::one(inner)),
            (Some(key), Some(layer)) => Ok(Opener::two(inner, open(key, layer)?)),
            _ => {
                tracing::error!(blob = %part.blob, part = part.number, "a part has another number of layers than its object");
                Err(Error::DamagedObject)
            }
        }
    }
}

impl SealedKey {
    /// How answers describe it, with the MD5 of the SSE-C key that came with the request.
    pub(crate) fn applied(&self, customer_key_md5: Option<String>, by_default: bool) -> Applied {
        let (key_arn, context, bucket_key) = match &self.source {
            KeySource::Service { .. } | KeySource::Customer { .. } => (None, None, false),
            KeySource::Kms { key_arn, context, bucket_key, .. } => {
                (Some(key_arn.clone()), context.clone(), *bucket_key)
            }
            KeySource::Dsse { key_arn, context, .. } => (Some(key_arn.clone()), context.clone(), false),
        };
        Applied { mode: self.mode(), key_arn, context, bucket_key, customer_key_md5, by_default }
    }

    /// SSE-C: that the right key came; other modes: that none came. Neither a KMS call nor a derivation more than needed.
    pub(crate) fn check_customer(&self, customer: Option<&CustomerKey>) -> Result<(), Error> {
        match (&self.source, customer) {
            (KeySource::Customer { check }, Some(key)) => {
                customer_check(check)?.verify(key.secret()).map_err(|_| WRONG_CUSTOMER_KEY)
            }
            (KeySource::Customer { .. }, None) => Err(MISSING_CUSTOMER_KEY),
            (_, Some(_)) => Err(NEEDLESS_CUSTOMER_KEY),
            (_, None) => Ok(()),
        }
    }
}

impl Objects {
    /// Makes the keys of new data.
    pub(crate) async fn new_object_keys(
        &self,
        principal: &Principal,
        identity: Identity<'_>,
        settled: Settled,
    ) -> Result<(ObjectKeys, SealedKey), Error> {
        let layers = if matches!(settled, Settled::DsseKms { .. }) { 2 } else { 1 };
        let keks = self.new_keks(principal, identity, settled).await?;
        let keys = ObjectKeys::generate(layers);
        let sealed = seal_keys(&keys, keks, identity);
        Ok((keys, sealed))
    }

    /// Seals the keys of existing data anew, for another identity or mode. Only between SSE-S3 and SSE-KMS.
    pub(crate) async fn reseal_object_keys(
        &self,
        principal: &Principal,
        keys: &ObjectKeys,
        identity: Identity<'_>,
        settled: Settled,
    ) -> Result<SealedKey, Error> {
        let keks = self.new_keks(principal, identity, settled).await?;
        Ok(seal_keys(keys, keks, identity))
    }

    /// Opens the keys of stored data. At most one KMS call.
    pub(crate) async fn open_object_keys(
        &self,
        principal: &Principal,
        identity: Identity<'_>,
        sealed: &SealedKey,
        customer: Option<&CustomerKey>,
    ) -> Result<ObjectKeys, Error> {
        if customer.is_some() != matches!(sealed.source, KeySource::Customer { .. }) {
            sealed.check_customer(customer)?;
        }
        let keks = self.keks(principal, identity, sealed, customer).await?;
        unseal_keys(&keks, identity, sealed)
    }

    /// Whether the caller may use the KMS key that data lies under, where something of it is shown that is stored beside it. One KMS call
    /// at most, none in the other modes.
    pub(crate) async fn require_kms(
        &self,
        principal: &Principal,
        identity: Identity<'_>,
        sealed: &SealedKey,
    ) -> Result<(), Error> {
        match sealed.source {
            KeySource::Kms { .. } | KeySource::Dsse { .. } => {
                self.keks(principal, identity, sealed, None).await.map(drop)
            }
            KeySource::Service { .. } | KeySource::Customer { .. } => Ok(()),
        }
    }

    /// Opens the keys of stored data on nobody's behalf, whatever the state of the KMS key: for the scrub, which shows nothing of
    /// what it opens. `None` for SSE-C. [`Error::Kms`]: the KMS key is gone.
    pub(crate) async fn keys_for_verification(
        &self,
        identity: Identity<'_>,
        sealed: &SealedKey,
    ) -> Result<Option<ObjectKeys>, Error> {
        let Identity { bucket, name, .. } = identity;
        let kms = async |key_arn: &str, blob: &Bytes, context: Option<&EncryptionContext>, arn: String| {
            let pairs = with_arn(context, arn)?;
            self.keys.data_key_for_verification(key_arn, blob, &pairs).await.map(Arc::new).map_err(stored)
        };
        let (inner, outer) = match &sealed.source {
            KeySource::Service { blob } => (self.data_keys.open_service(&self.keys, bucket, blob).await?, None),
            KeySource::Kms { key_arn, blob, context, bucket_key } => {
                let arn = if *bucket_key { bucket.name.arn() } else { name.arn(&bucket.name) };
                (kms(key_arn, blob, context.as_ref(), arn).await?, None)
            }
            KeySource::Dsse { key_arn, blob, context, service_blob } => {
                let inner = kms(key_arn, blob, context.as_ref(), name.arn(&bucket.name)).await?;
                (inner, Some(self.data_keys.open_service(&self.keys, bucket, service_blob).await?))
            }
            KeySource::Customer { check } => {
                customer_check(check)?;
                return Ok(None);
            }
        };
        unseal_keys(&Keks { inner, outer, source: sealed.source.clone() }, identity, sealed).map(Some)
    }

    /// The keys of an object that was read.
    pub(crate) async fn keys_of(
        &self,
        principal: &Principal,
        bucket: &Bucket,
        name: &ObjectName,
        record: &ObjectRecord,
        customer: Option<&CustomerKey>,
    ) -> Result<ObjectKeys, Error> {
        let identity = Identity { bucket, name, version: &record.version, data_id: &record.data_id };
        self.open_object_keys(principal, identity, &record.key, customer).await
    }

    async fn new_keks(&self, principal: &Principal, identity: Identity<'_>, settled: Settled) -> Result<Keks, Error> {
        let Identity { bucket, name, .. } = identity;
        match settled {
            Settled::SseS3 => {
                let key = self.data_keys.service(&self.keys, bucket).await?;
                Ok(Keks { inner: key.0, outer: None, source: KeySource::Service { blob: key.1 } })
            }
            Settled::SseKms { key, context, bucket_key } => {
                require_signature(principal)?;
                let key = key.as_deref().unwrap_or(keys::AWS_S3);
                let data_key = if bucket_key {
                    let pairs = with_arn(context.as_ref(), bucket.name.arn())?;
                    self.data_keys.bucket(&self.keys, principal, bucket, key, &pairs).await?
                } else {
                    let pairs = with_arn(context.as_ref(), name.arn(&bucket.name))?;
                    self.keys.data_key(principal, key, &pairs).await?.into()
                };
                let source = KeySource::Kms { key_arn: data_key.key_arn, blob: data_key.blob, context, bucket_key };
                Ok(Keks { inner: data_key.plaintext, outer: None, source })
            }
            Settled::DsseKms { key, context } => {
                require_signature(principal)?;
                let key = key.as_deref().unwrap_or(keys::AWS_S3);
                let pairs = with_arn(context.as_ref(), name.arn(&bucket.name))?;
                let data_key: Named = self.keys.data_key(principal, key, &pairs).await?.into();
                let (outer, service_blob) = self.data_keys.service(&self.keys, bucket).await?;
                let source = KeySource::Dsse { key_arn: data_key.key_arn, blob: data_key.blob, context, service_blob };
                Ok(Keks { inner: data_key.plaintext, outer: Some(outer), source })
            }
            Settled::Customer(customer) => {
                let check = CustomerCheck::new(customer.secret());
                let source = KeySource::Customer { check: Bytes::copy_from_slice(&check.to_bytes()) };
                let binding = binding(identity, &source, ObjectBinding::ONLY);
                let inner = check.kek(customer.secret(), &binding).map_err(|_| WRONG_CUSTOMER_KEY)?;
                Ok(Keks { inner: Arc::new(inner), outer: None, source })
            }
        }
    }

    async fn keks(
        &self,
        principal: &Principal,
        identity: Identity<'_>,
        sealed: &SealedKey,
        customer: Option<&CustomerKey>,
    ) -> Result<Keks, Error> {
        let Identity { bucket, name, .. } = identity;
        let source = sealed.source.clone();
        if matches!(source, KeySource::Kms { .. } | KeySource::Dsse { .. }) {
            require_signature(principal)?;
        }
        let (inner, outer) = match &sealed.source {
            KeySource::Service { blob } => (self.data_keys.open_service(&self.keys, bucket, blob).await?, None),
            KeySource::Kms { key_arn, blob, context, bucket_key: true } => {
                let pairs = with_arn(context.as_ref(), bucket.name.arn())?;
                let key = self.data_keys.open_bucket(&self.keys, principal, bucket, key_arn, blob, &pairs).await?;
                (key, None)
            }
            KeySource::Kms { key_arn, blob, context, bucket_key: false } => {
                let pairs = with_arn(context.as_ref(), name.arn(&bucket.name))?;
                let key = self.keys.decrypt_data_key(principal, key_arn, blob, &pairs).await.map_err(stored)?;
                (Arc::new(key), None)
            }
            KeySource::Dsse { key_arn, blob, context, service_blob } => {
                let pairs = with_arn(context.as_ref(), name.arn(&bucket.name))?;
                let inner = self.keys.decrypt_data_key(principal, key_arn, blob, &pairs).await.map_err(stored)?;
                let outer = self.data_keys.open_service(&self.keys, bucket, service_blob).await?;
                (Arc::new(inner), Some(outer))
            }
            KeySource::Customer { check } => {
                let customer = customer.ok_or(MISSING_CUSTOMER_KEY)?;
                let binding = binding(identity, &sealed.source, ObjectBinding::ONLY);
                let kek = customer_check(check)?.kek(customer.secret(), &binding).map_err(|_| WRONG_CUSTOMER_KEY)?;
                (Arc::new(kek), None)
            }
        };
        Ok(Keks { inner, outer, source })
    }
}

fn seal_keys(keys: &ObjectKeys, keks: Keks, identity: Identity<'_>) -> SealedKey {
    let seal = |key: &ObjectKey, kek: &SecretKey, layer: u8| -> Bytes {
        key.seal(kek, &binding(identity, &keks.source, layer)).into()
    };
    let (inner, outer) = match (&keys.outer, &keks.outer) {
        (Some(key), Some(kek)) => {
            (seal(&keys.inner, &keks.inner, ObjectBinding::INNER), Some(seal(key, kek, ObjectBinding::OUTER)))
        }
        _ => (seal(&keys.inner, &keks.inner, ObjectBinding::ONLY), None),
    };
    SealedKey { source: keks.source, inner, outer }
}

fn unseal_keys(keks: &Keks, identity: Identity<'_>, sealed: &SealedKey) -> Result<ObjectKeys, Error> {
    let open = |kek: &SecretKey, layer: u8, sealed_key: &[u8]| {
        ObjectKey::open(kek, &binding(identity, &keks.source, layer), sealed_key).map_err(|_| {
            tracing::error!(bucket = %identity.bucket.name, "an object key does not open: its record is damaged or of another object");
            Error::DamagedObject
        })
    };
    match (&keks.outer, &sealed.outer) {
        (Some(kek), Some(outer)) => Ok(ObjectKeys {
            inner: open(&keks.inner, ObjectBinding::INNER, &sealed.inner)?,
            outer: Some(open(kek, ObjectBinding::OUTER, outer)?),
        }),
        _ => Ok(ObjectKeys { inner: open(&keks.inner, ObjectBinding::ONLY, &sealed.inner)?, outer: None }),
    }
}

fn binding<'a>(identity: Identity<'a>, source: &KeySource, layer: u8) -> ObjectBinding<'a> {
    ObjectBinding {
        bucket_id: &identity.bucket.id,
        key: identity.name.as_bytes(),
        version: identity.version,
        data_id: identity.data_id,
        mode: mode_code(source.mode()),
        layer,
    }
}

/// Whoever does not say who it is uses no KMS key, whatever a key's policy says of everyone.
fn require_signature(principal: &Principal) -> Result<(), Error> {
    if principal.is_anonymous() { Err(Error::SignatureRequired) } else { Ok(()) }
}

/// The caller's pairs and S3's own.
fn with_arn(context: Option<&EncryptionContext>, arn: String) -> Result<EncryptionContext, Error> {
    let mut pairs = context.cloned().unwrap_or_default();
    pairs.insert(ARN_CONTEXT, arn).map_err(|_| Error::InvalidArgument("The encryption context is too large."))?;
    Ok(pairs)
}

fn customer_check(bytes: &[u8]) -> Result<CustomerCheck, Error> {
    CustomerCheck::from_bytes(bytes).map_err(|_| {
        tracing::error!("the check value of an SSE-C object cannot be read");
        Error::DamagedObject
    })
}

/// AWS's texts.
const MISSING_CUSTOMER_KEY: Error = Error::InvalidRequest(
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
);
const NEEDLESS_CUSTOMER_KEY: Error =
    Error::InvalidRequest("The encryption parameters are not applicable to this object.");
const WRONG_CUSTOMER_KEY: Error = Error::AccessDenied("Access Denied");
