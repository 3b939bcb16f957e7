//! The sealed object keys of an object or upload, and where the keys that open them come from.

use super::codec::{Decoder, Encoder, Malformed, flag, text, unknown};
use crate::encryption::Mode;
use bytes::Bytes;
use seal::context::EncryptionContext;
use std::collections::BTreeMap;

/// One or two sealed object keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedKey {
    /// What opens them.
    pub(crate) source: KeySource,
    /// The only key, or the one next to the plaintext.
    pub(crate) inner: Bytes,
    /// DSSE: the one next to the disk, sealed under the service's data key.
    pub(crate) outer: Option<Bytes>,
}

/// Where the key comes from that wraps an object key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// A data key of the service key, as it wrapped it.
    Service { blob: Bytes },
    /// A data key of a KMS key: the object's own, or the bucket's.
    Kms { key_arn: String, blob: Bytes, context: Option<EncryptionContext>, bucket_key: bool },
    /// Two independent data keys.
    Dsse { key_arn: String, blob: Bytes, context: Option<EncryptionContext>, service_blob: Bytes },
    /// The customer's key. Kept of it: a salted check value.
    Customer { check: Bytes },
}

impl KeySource {
    pub(crate) fn mode(&self) -> Mode {
        match self {
            KeySource::Service { .. } => Mode::SseS3,
            KeySource::Kms { .. } => Mode::SseKms,
            KeySource::Dsse { .. } => Mode::DsseKms,
            KeySource::Customer { .. } => Mode::Customer,
        }
    }
}

impl SealedKey {
    pub(crate) fn mode(&self) -> Mode {
        self.source.mode()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::nested();
        encoder.field(MODE, &[mode_code(self.mode())]).field(INNER, &self.inner);
        if let Some(outer) = &self.outer {
            encoder.field(OUTER, outer);
        }
        match &self.source {
            KeySource::Service { blob } => {
                encoder.field(SERVICE_BLOB, blob);
            }
            KeySource::Kms { key_arn, blob, context, bucket_key } => {
                encoder.field(KEY_ARN, key_arn.as_bytes()).field(KMS_BLOB, blob);
                encode_context(&mut encoder, context.as_ref());
                encoder.field(BUCKET_KEY, &[u8::from(*bucket_key)]);
            }
            KeySource::Dsse { key_arn, blob, context, service_blob } => {
                encoder.field(KEY_ARN, key_arn.as_bytes()).field(KMS_BLOB, blob);
                encode_context(&mut encoder, context.as_ref());
                encoder.field(SERVICE_BLOB, service_blob);
            }
            KeySource::Customer { check } => {
                encoder.field(CHECK, check);
            }
        }
        encoder.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<SealedKey, Malformed> {
        let mut decoder = Decoder::nested(bytes);
        let (mut mode, mut inner, mut outer, mut check) = (None, None, None, None);
        let (mut key_arn, mut kms_blob, mut service_blob, mut bucket_key) = (None, None, None, false);
        let mut pairs = BTreeMap::new();
        let mut name = None;
        while let Some((tag, value)) = decoder.next()? {
            match tag {
                MODE => mode = Some(value),
                INNER => inner = Some(Bytes::copy_from_slice(value)),
                OUTER => outer = Some(Bytes::copy_from_slice(value)),
                KEY_ARN => key_arn = Some(text(value)?),
                KMS_BLOB => kms_blob = Some(Bytes::copy_from_slice(value)),
                SERVICE_BLOB => service_blob = Some(Bytes::copy_from_slice(value)),
                CONTEXT_NAME => name = Some(text(value)?),
                CONTEXT_VALUE => {
                    let name = name.take().ok_or(Malformed("a context value without a name"))?;
                    pairs.insert(name, text(value)?);
                }
                BUCKET_KEY => bucket_key = flag(value)?,
                CHECK => check = Some(Bytes::copy_from_slice(value)),
                other => unknown(other)?,
            }
        }
        let missing = Malformed("a sealed key without one of its fields");
        let context = match pairs.is_empty() {
            true => None,
            false => Some(EncryptionContext::try_from(pairs).map_err(|_| Malformed("too large a context"))?),
        };
        let source = match mode {
            Some([SSE_S3]) => KeySource::Service { blob: service_blob.ok_or(missing)? },
            Some([SSE_KMS]) => {
                KeySource::Kms { key_arn: key_arn.ok_or(missing)?, blob: kms_blob.ok_or(missing)?, context, bucket_key }
            }
            Some([DSSE_KMS]) => KeySource::Dsse {
                key_arn: key_arn.ok_or(missing)?,
                blob: kms_blob.ok_or(missing)?,
                context,
                service_blob: service_blob.ok_or(missing)?,
            },
            Some([CUSTOMER]) => KeySource::Customer { check: check.ok_or(missing)? },
            _ => return Err(Malformed("unknown encryption mode")),
        };
        if outer.is_some() != matches!(source, KeySource::Dsse { .. }) {
            return Err(Malformed("another number of layers than the mode has"));
        }
        Ok(SealedKey { source, inner: inner.ok_or(missing)?, outer })
    }
}

/// As in records and in the binding of sealed object keys.
pub(crate) fn mode_code(mode: Mode) -> u8 {
    match mode {
        Mode::SseS3 => SSE_S3,
        Mode::SseKms => SSE_KMS,
        Mode::DsseKms => DSSE_KMS,
        Mode::Customer => CUSTOMER,
    }
}

/// A name, then its value, for each pair.
fn encode_context(encoder: &mut Encoder, context: Option<&EncryptionContext>) {
    for (name, value) in context.into_iter().flat_map(|context| context.pairs()) {
        encoder.field(CONTEXT_NAME, name.as_bytes()).field(CONTEXT_VALUE, value.as_bytes());
    }
}

const MODE: u8 = 1;
const INNER: u8 = 2;
const OUTER: u8 = 3;
const KEY_ARN: u8 = 4;
const KMS_BLOB: u8 = 5;
const SERVICE_BLOB: u8 = 6;
const CONTEXT_NAME: u8 = 7;
const CONTEXT_VALUE: u8 = 8;
const BUCKET_KEY: u8 = 9;
const CHECK: u8 = 10;

const SSE_S3: u8 = 1;
const SSE_KMS: u8 = 2;
const DSSE_KMS: u8 = 3;
const CUSTOMER: u8 = 4;
