//! Where data keys come from: a keyring, or a cache over one.

use crate::error::{Way, raised};
use crate::keyring::Keyring;
use client::message::{
    self as esdk, Cache, CacheLimits, DecryptionMaterials, DecryptionRequest, EncryptionMaterials, EncryptionRequest,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// What `keyring` or `materials_manager` was given as.
pub(crate) enum Materials {
    Keyring(Arc<dyn esdk::Keyring>),
    Cache(Arc<Cache<Arc<dyn esdk::Keyring>>>),
}

impl<'py> FromPyObject<'_, 'py> for Materials {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(keyring) = object.cast::<Keyring>() {
            return Ok(Self::Keyring(keyring.get().shared()));
        }
        let cache = object.cast::<CachingCryptoMaterialsManager>();
        let cache = cache
            .map_err(|_| PyTypeError::new_err("neither a keyring nor a caching materials manager of strongroom"))?;
        Ok(Self::Cache(Arc::clone(&cache.get().0)))
    }
}

impl esdk::Materials for Materials {
    fn encryption(&self, request: &EncryptionRequest<'_>) -> client::Result<EncryptionMaterials> {
        match self {
            Self::Keyring(keyring) => keyring.encryption(request),
            Self::Cache(cache) => cache.encryption(request),
        }
    }

    fn decryption(&self, request: &DecryptionRequest<'_>) -> client::Result<DecryptionMaterials> {
        match self {
            Self::Keyring(keyring) => keyring.decryption(request),
            Self::Cache(cache) => cache.decryption(request),
        }
    }
}

/// Keeps data keys for a while, so that one call to a KMS serves many messages; the price is that they share a data key.
///
/// A data key serves for `max_age` seconds, for `max_messages_encrypted` messages and `max_bytes_encrypted` bytes; `capacity` of them are kept.
/// Messages whose length is not known beforehand (a stream without `source_length`) and suites that derive no key are never cached.
///
///     >>> import os, strongroom
///     >>> keyring = strongroom.RawAESKeyring("example", "key 1", os.urandom(32))
///     >>> cache = strongroom.CachingCryptoMaterialsManager(keyring, max_age=300.0, max_messages_encrypted=100)
///     >>> client = strongroom.EncryptionSDKClient()
///     >>> messages = [client.encrypt(source=text, materials_manager=cache)[0] for text in (b"one", b"two", b"three")]
///     >>> cache.hits
///     2
#[pyclass(frozen, module = "strongroom")]
pub(crate) struct CachingCryptoMaterialsManager(Arc<Cache<Arc<dyn esdk::Keyring>>>);

#[pymethods]
impl CachingCryptoMaterialsManager {
    #[new]
    #[pyo3(signature = (keyring, *, max_age, max_messages_encrypted=1 << 32, max_bytes_encrypted=(1 << 63) - 1, capacity=100))]
    fn new(
        py: Python<'_>,
        keyring: &Bound<'_, Keyring>,
        max_age: f64,
        max_messages_encrypted: u64,
        max_bytes_encrypted: u64,
        capacity: usize,
    ) -> PyResult<Self> {
        let age = Duration::try_from_secs_f64(max_age).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let limits =
            CacheLimits { age, messages: max_messages_encrypted, bytes: max_bytes_encrypted, entries: capacity };
        let cache = Cache::new(keyring.get().shared(), limits).map_err(|error| raised(py, Way::Encrypt, error))?;
        Ok(Self(Arc::new(cache)))
    }

    /// How often a data key was found.
    #[getter]
    fn hits(&self) -> u64 {
        self.0.hits()
    }

    /// Forgets, and wipes, all data keys.
    fn clear(&self) {
        self.0.clear();
    }

    fn __reduce_ex__(&self, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyTypeError::new_err("a cache of data keys is not pickled"))
    }
}
