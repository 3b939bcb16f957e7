//! Keys of your own.

use super::Keyring;
use crate::error::{Way, raised};
use client::keys::{AesKey, RsaPadding, RsaPrivateKey, RsaPublicKey};
use client::message as esdk;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

/// An AES key of your own, of 16, 24 or 32 bytes, with the names that stand in messages in clear.
///
///     >>> import os, strongroom
///     >>> keyring = strongroom.RawAESKeyring("my company", "key of 2026", os.urandom(32))
///     >>> keyring
///     RawAESKeyring('my company', 'key of 2026')
#[pyclass(extends = Keyring, frozen, module = "strongroom")]
pub(crate) struct RawAESKeyring;

#[pymethods]
impl RawAESKeyring {
    #[new]
    #[pyo3(signature = (key_namespace, key_name, wrapping_key))]
    fn new(
        py: Python<'_>,
        key_namespace: &str,
        key_name: &str,
        wrapping_key: &Bound<'_, PyBytes>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let keyring = AesKey::new(wrapping_key.as_bytes())
            .and_then(|key| esdk::RawAes::new(key_namespace, key_name, key))
            .map_err(|error| raised(py, Way::Encrypt, error))?;
        Ok(super::keyring(py, "RawAESKeyring", &[key_namespace, key_name], keyring)?.add_subclass(Self))
    }
}

/// An RSA key pair of your own: `public_key` wraps, `private_key` opens; either may be left out. Keys are PEM or DER, in `str` or
/// `bytes`: SubjectPublicKeyInfo or PKCS#1 of a public one, PKCS#8 or PKCS#1, not encrypted, of a private one.
///
///     >>> import strongroom
///     >>> writer = strongroom.RawRSAKeyring("my company", "archive", public_key=PUBLIC_PEM)
///     >>> reader = strongroom.RawRSAKeyring("my company", "archive", private_key=PRIVATE_PEM)
///     >>> message, _ = strongroom.EncryptionSDKClient().encrypt(source=b"attack at dawn", keyring=writer)
///     >>> strongroom.EncryptionSDKClient().decrypt(source=message, keyring=reader)[0]
///     b'attack at dawn'
#[pyclass(extends = Keyring, frozen, module = "strongroom")]
pub(crate) struct RawRSAKeyring;

#[pymethods]
impl RawRSAKeyring {
    #[new]
    #[pyo3(signature = (key_namespace, key_name, padding_scheme=None, *, public_key=None, private_key=None))]
    fn new(
        py: Python<'_>,
        key_namespace: &str,
        key_name: &str,
        padding_scheme: Option<&Bound<'_, PyAny>>,
        public_key: Option<&Bound<'_, PyAny>>,
        private_key: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        if public_key.is_none() && private_key.is_none() {
            return Err(PyTypeError::new_err("public_key, private_key or both are needed"));
        }
        let fail = |error| raised(py, Way::Encrypt, error);
        let padding = padding_scheme.map_or(Ok(RsaPadding::OaepSha256), padding)?;
        let mut keyring = esdk::RawRsa::new(key_namespace, key_name, padding).map_err(fail)?;
        if let Some(key) = public_key {
            keyring = keyring.public_key(parsed(key, RsaPublicKey::from_pem, RsaPublicKey::from_der)?.map_err(fail)?);
        }
        if let Some(key) = private_key {
            keyring =
                keyring.private_key(parsed(key, RsaPrivateKey::from_pem, RsaPrivateKey::from_der)?.map_err(fail)?);
        }
        Ok(super::keyring(py, "RawRSAKeyring", &[key_namespace, key_name], keyring)?.add_subclass(Self))
    }
}

fn padding(scheme: &Bound<'_, PyAny>) -> PyResult<RsaPadding> {
    let name = scheme.getattr("name").map_err(|_| PyTypeError::new_err("padding_scheme is a PaddingScheme"))?;
    Ok(match name.extract::<String>()?.as_str() {
        "PKCS1" => RsaPadding::Pkcs1,
        "OAEP_SHA1_MGF1" => RsaPadding::OaepSha1,
        "OAEP_SHA256_MGF1" => RsaPadding::OaepSha256,
        "OAEP_SHA384_MGF1" => RsaPadding::OaepSha384,
        "OAEP_SHA512_MGF1" => RsaPadding::OaepSha512,
        other => return Err(PyValueError::new_err(format!("unknown padding scheme {other}"))),
    })
}

/// A key in PEM or DER. Errors of Python say nothing of what was given.
fn parsed<K>(
    key: &Bound<'_, PyAny>,
    pem: impl Fn(&str) -> client::Result<K>,
    der: impl Fn(&[u8]) -> client::Result<K>,
) -> PyResult<client::Result<K>> {
    if let Ok(text) = key.extract::<String>() {
        return Ok(pem(&Zeroizing::new(text)));
    }
    let bytes = key.cast::<PyBytes>().map_err(|_| PyTypeError::new_err("a key is str or bytes"))?.as_bytes();
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN") => pem(text),
        _ => der(bytes),
    })
}
