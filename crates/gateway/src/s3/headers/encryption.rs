//! Server-side encryption: what a request's headers ask, what an answer's headers say.
//!
//! Texts and codes: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html> and the pages below it.

use super::text;
use crate::s3::error::{Code, S3Error};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue};
use objects::{Applied, CustomerKey, EncryptionRequest, Mode};
use seal::context::EncryptionContext;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const SSE: &str = "x-amz-server-side-encryption";
const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// The three headers of one SSE-C key.
struct CustomerHeaders {
    algorithm: &'static str,
    key: &'static str,
    md5: &'static str,
}

const CUSTOMER: CustomerHeaders = CustomerHeaders {
    algorithm: "x-amz-server-side-encryption-customer-algorithm",
    key: "x-amz-server-side-encryption-customer-key",
    md5: "x-amz-server-side-encryption-customer-key-md5",
};

const COPY_SOURCE: CustomerHeaders = CustomerHeaders {
    algorithm: "x-amz-copy-source-server-side-encryption-customer-algorithm",
    key: "x-amz-copy-source-server-side-encryption-customer-key",
    md5: "x-amz-copy-source-server-side-encryption-customer-key-md5",
};

/// What a write asks for. `secure`: the connection is TLS.
pub(crate) fn requested(headers: &HeaderMap, secure: bool) -> Result<EncryptionRequest, S3Error> {
    let customer = customer_key(headers, secure)?;
    let mode = text(headers, SSE)?;
    let key = text(headers, KEY_ID)?;
    let context = text(headers, CONTEXT)?;
    let bucket_key = boolean(headers, BUCKET_KEY)?;
    let kms_only = key.is_some() || context.is_some() || bucket_key == Some(true);
    if let Some(customer) = customer {
        return match mode {
            None if !kms_only => Ok(EncryptionRequest::Customer(customer)),
            _ => Err(S3Error::argument(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
                SSE,
                mode.unwrap_or_default(),
            )),
        };
    }
    let key = || key.map(str::to_owned);
    match mode {
        Some("aws:kms") => Ok(EncryptionRequest::SseKms {
            key: key_id(key())?,
            context: context.map(parse_context).transpose()?,
            bucket_key,
        }),
        Some("aws:kms:dsse") if bucket_key == Some(true) => {
            Err(S3Error::argument("S3 Bucket Keys are not supported for DSSE-KMS.", BUCKET_KEY, "true"))
        }
        Some("aws:kms:dsse") => {
            Ok(EncryptionRequest::DsseKms { key: key_id(key())?, context: context.map(parse_context).transpose()? })
        }
        None | Some("AES256") if kms_only => Err(S3Error::argument(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
            SSE,
            mode.unwrap_or("null"),
        )),
        None => Ok(EncryptionRequest::Default),
        Some("AES256") => Ok(EncryptionRequest::SseS3),
        Some(other) => Err(S3Error::argument("The encryption method specified is not supported", SSE, other)),
    }
}

/// The SSE-C key of a request, if it has one.
pub(crate) fn customer_key(headers: &HeaderMap, secure: bool) -> Result<Option<CustomerKey>, S3Error> {
    read_customer_key(headers, &CUSTOMER, secure)
}

/// The SSE-C key of a copy's source, if the request has one.
pub(crate) fn copy_source_customer_key(headers: &HeaderMap, secure: bool) -> Result<Option<CustomerKey>, S3Error> {
    read_customer_key(headers, &COPY_SOURCE, secure)
}

fn read_customer_key(
    headers: &HeaderMap,
    names: &CustomerHeaders,
    secure: bool,
) -> Result<Option<CustomerKey>, S3Error> {
    let algorithm = text(headers, names.algorithm)?;
    let key = text(headers, names.key)?;
    let md5 = text(headers, names.md5)?;
    if algorithm.is_none() && key.is_none() && md5.is_none() {
        return Ok(None);
    }
    if !secure {
        return Err(S3Error::request(
            "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.",
        ));
    }
    let lacks = |what: &'static str, name: &str| S3Error::argument(what, name, "null");
    let algorithm = algorithm.ok_or_else(|| {
        lacks(
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.",
            names.algorithm,
        )
    })?;
    if algorithm != "AES256" {
        return Err(S3Error::new(Code::InvalidEncryptionAlgorithmError)
            .detail("ArgumentName", names.algorithm)
            .detail("ArgumentValue", algorithm));
    }
    let key = key.ok_or_else(|| {
        lacks(
            "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.",
            names.key,
        )
    })?;
    let md5 = md5.ok_or_else(|| {
        lacks(
            "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.",
            names.md5,
        )
    })?;
    // The value of a key never goes into an answer.
    let key = BASE64.decode(key.as_bytes()).map(Zeroizing::new).map_err(|_| {
        S3Error::saying(Code::InvalidArgument, "The secret key was invalid for the specified algorithm.")
            .detail("ArgumentName", names.key)
    })?;
    let md5 = BASE64.decode(md5.as_bytes()).unwrap_or_default();
    Ok(Some(CustomerKey::new(&key, &md5)?))
}

/// GET and HEAD: the object says how it is encrypted, not the request.
pub(crate) fn refuse_on_read(headers: &HeaderMap) -> Result<(), S3Error> {
    refuse(headers)
}

/// UploadPart and UploadPartCopy: the upload says it. SSE-C alone comes with every part.
pub(crate) fn refuse_on_part(headers: &HeaderMap) -> Result<(), S3Error> {
    refuse(headers)
}

fn refuse(headers: &HeaderMap) -> Result<(), S3Error> {
    for name in [SSE, KEY_ID, CONTEXT, BUCKET_KEY] {
        if let Some(value) = text(headers, name)? {
            return Err(S3Error::argument(format!("{name} header is not supported for this operation."), name, value));
        }
    }
    Ok(())
}

/// Sets what an answer says of encryption.
pub(crate) fn set_applied(headers: &mut HeaderMap, applied: &Applied) {
    set_part_applied(headers, applied);
    if let Some(context) = applied.context.as_ref().filter(|context| !context.is_empty()) {
        let json = serde_json::to_vec(context.pairs()).expect("a map of strings is JSON");
        set(headers, CONTEXT, &BASE64.encode(&json));
    }
}

/// The same without the encryption context, which only the answers of a write to a whole object tell.
pub(crate) fn set_part_applied(headers: &mut HeaderMap, applied: &Applied) {
    match applied.mode {
        Mode::SseS3 => set(headers, SSE, "AES256"),
        Mode::SseKms => set(headers, SSE, "aws:kms"),
        Mode::DsseKms => set(headers, SSE, "aws:kms:dsse"),
        Mode::Customer => {
            set(headers, CUSTOMER.algorithm, "AES256");
            if let Some(md5) = &applied.customer_key_md5 {
                set(headers, CUSTOMER.md5, md5);
            }
        }
    }
    if let Some(arn) = &applied.key_arn {
        set(headers, KEY_ID, arn);
    }
    if applied.bucket_key {
        set(headers, BUCKET_KEY, "true");
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).expect("ARNs, base64 and the names of modes are visible ASCII");
    headers.insert(HeaderName::from_static(name), value);
}

/// An empty key id is no key id.
fn key_id(key: Option<String>) -> Result<Option<String>, S3Error> {
    match key {
        Some(key) if key.is_empty() => Err(S3Error::argument("The KMS key id must not be empty.", KEY_ID, "")),
        other => Ok(other),
    }
}

fn boolean(headers: &HeaderMap, name: &str) -> Result<Option<bool>, S3Error> {
    match text(headers, name)? {
        None => Ok(None),
        Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(value) => Err(S3Error::argument(format!("Value for {name} header is invalid."), name, value)),
    }
}

/// Base64 of a JSON object of strings.
fn parse_context(header: &str) -> Result<EncryptionContext, S3Error> {
    let bad = || {
        S3Error::argument(
            "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map",
            CONTEXT,
            header,
        )
    };
    let json = BASE64.decode(header.as_bytes()).map_err(|_| bad())?;
    let pairs: BTreeMap<String, String> = serde_json::from_slice(&json).map_err(|_| bad())?;
    EncryptionContext::try_from(pairs).map_err(|error| S3Error::saying(Code::InvalidArgument, error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::super::map;
    use super::*;

    const KEY: &str = "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=";
    const MD5: &str = "DWygnHRtgiJ77HCm+1rvHw==";

    fn customer() -> Vec<(&'static str, &'static str)> {
        vec![(CUSTOMER.algorithm, "AES256"), (CUSTOMER.key, KEY), (CUSTOMER.md5, MD5)]
    }

    fn refused(pairs: &[(&str, &str)]) -> (String, String) {
        let error = requested(&map(pairs), true).unwrap_err();
        (error.code().to_owned(), error.message().to_owned())
    }

    #[test]
    fn each_mode_by_its_headers() {
        let of = |pairs: &[(&str, &str)]| requested(&map(pairs), true).unwrap();
        assert!(matches!(of(&[]), EncryptionRequest::Default));
        assert!(matches!(of(&[(SSE, "AES256")]), EncryptionRequest::SseS3));
        assert!(matches!(
            of(&[(SSE, "aws:kms")]),
            EncryptionRequest::SseKms { key: None, context: None, bucket_key: None }
        ));
        assert!(matches!(of(&[(SSE, "aws:kms:dsse"), (KEY_ID, "k")]), EncryptionRequest::DsseKms { key: Some(_), .. }));
        assert!(matches!(of(&customer()), EncryptionRequest::Customer(_)));
        let context = BASE64.encode(br#"{"a":"b"}"#);
        let full = of(&[(SSE, "aws:kms"), (KEY_ID, "alias/x"), (CONTEXT, &context), (BUCKET_KEY, "true")]);
        let EncryptionRequest::SseKms { key, context, bucket_key } = full else { panic!() };
        assert_eq!((key.as_deref(), context.unwrap().value("a"), bucket_key), (Some("alias/x"), Some("b"), Some(true)));
    }

    #[test]
    fn two_modes_at_once_are_refused() {
        for extra in [(SSE, "AES256"), (SSE, "aws:kms"), (KEY_ID, "k"), (BUCKET_KEY, "true")] {
            let mut pairs = customer();
            pairs.push(extra);
            assert_eq!(refused(&pairs).0, "InvalidArgument", "{extra:?}");
        }
        for pairs in
            [&[(SSE, "AES256"), (KEY_ID, "k")][..], &[(KEY_ID, "k")], &[(CONTEXT, "e30=")], &[(BUCKET_KEY, "true")]]
        {
            assert_eq!(refused(pairs).0, "InvalidArgument", "{pairs:?}");
        }
        assert_eq!(refused(&[(SSE, "aes:kms")]).0, "InvalidArgument");
        assert_eq!(refused(&[(SSE, "aws:kms:dsse"), (BUCKET_KEY, "true")]).0, "InvalidArgument");
    }

    #[test]
    fn a_context_is_base64_of_a_map_of_strings() {
        for bad in ["{}", "", &BASE64.encode(b"[]"), &BASE64.encode(br#"{"a":1}"#), &BASE64.encode(br#"{"a":{}}"#)] {
            assert_eq!(refused(&[(SSE, "aws:kms"), (CONTEXT, bad)]).0, "InvalidArgument", "{bad}");
        }
    }

    #[test]
    fn a_customer_key_needs_all_three_headers_and_tls() {
        for missing in 0..3 {
            let mut pairs = customer();
            pairs.remove(missing);
            assert_eq!(refused(&pairs).0, "InvalidArgument");
        }
        let mut other = customer();
        other[0].1 = "AES128";
        assert_eq!(refused(&other).0, "InvalidEncryptionAlgorithmError");
        let mut wrong = customer();
        wrong[2].1 = "1B2M2Y8AsgTpgAmY7PhCfg==";
        assert_eq!(refused(&wrong).1, "The calculated MD5 hash of the key did not match the hash that was provided.");
        let insecure = requested(&map(&customer()), false).unwrap_err();
        assert_eq!(insecure.code(), "InvalidRequest");
        assert!(insecure.message().ends_with("must be made over a secure connection."));
        assert!(copy_source_customer_key(&map(&[(COPY_SOURCE.md5, MD5)]), true).is_err());
    }

    #[test]
    fn no_error_shows_the_key() {
        let mut bad = customer();
        bad[1].1 = "c2hvcnQgc2VjcmV0";
        let error = requested(&map(&bad), true).unwrap_err();
        assert!(!format!("{error:?}{}", error.to_xml("/", "", "")).contains("c2hvcnQgc2VjcmV0"));
    }

    #[test]
    fn reads_and_parts_take_no_mode() {
        for name in [SSE, KEY_ID, CONTEXT, BUCKET_KEY] {
            assert_eq!(refuse_on_read(&map(&[(name, "x")])).unwrap_err().code(), "InvalidArgument");
        }
        assert!(refuse_on_part(&map(&customer())).is_ok());
    }

    #[test]
    fn answers_say_what_applies() {
        let mut context = EncryptionContext::new();
        context.insert("a", "b").unwrap();
        let applied = Applied {
            mode: Mode::SseKms,
            key_arn: Some("arn:aws:kms:x".into()),
            context: Some(context),
            bucket_key: true,
            customer_key_md5: None,
            by_default: false,
        };
        let mut headers = HeaderMap::new();
        set_applied(&mut headers, &applied);
        assert_eq!(headers[SSE], "aws:kms");
        assert_eq!(headers[KEY_ID], "arn:aws:kms:x");
        assert_eq!(headers[BUCKET_KEY], "true");
        assert_eq!(headers[CONTEXT], BASE64.encode(br#"{"a":"b"}"#));
    }
}
