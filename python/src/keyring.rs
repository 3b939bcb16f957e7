//! Keyrings, as Python sees them. None shows its key, and none can be pickled.

mod kms;
mod raw;

pub(crate) use kms::{KmsDiscoveryKeyring, KmsKeyring};
pub(crate) use raw::{RawAESKeyring, RawRSAKeyring};

use client::message as esdk;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Arc;

/// Wraps and opens data keys. See the subclasses.
#[pyclass(subclass, frozen, module = "strongroom")]
pub(crate) struct Keyring {
    inner: Arc<dyn esdk::Keyring>,
    /// What `repr` shows: names, never keys.
    shown: String,
}

impl Keyring {
    fn new(inner: impl esdk::Keyring + 'static, shown: String) -> Self {
        Self { inner: Arc::new(inner), shown }
    }

    pub(crate) fn shared(&self) -> Arc<dyn esdk::Keyring> {
        Arc::clone(&self.inner)
    }
}

#[pymethods]
impl Keyring {
    fn __repr__(&self) -> &str {
        &self.shown
    }

    fn __reduce_ex__(&self, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyTypeError::new_err("a keyring is not pickled: it may hold a key"))
    }
}

/// A keyring whose subclass `repr` shows with these names.
fn keyring(
    py: Python<'_>,
    class: &str,
    names: &[&str],
    keyring: impl esdk::Keyring + 'static,
) -> PyResult<PyClassInitializer<Keyring>> {
    let names: PyResult<Vec<String>> =
        names.iter().map(|name| Ok(PyString::new(py, name).repr()?.to_string())).collect();
    Ok(PyClassInitializer::from(Keyring::new(keyring, format!("{class}({})", names?.join(", ")))))
}

/// Several keyrings: all of them wrap the data key, and any of them opens it. The `generator` makes the data key.
///
///     >>> import os, strongroom
///     >>> office, vault = (strongroom.RawAESKeyring("x", name, os.urandom(32)) for name in ("office", "vault"))
///     >>> both = strongroom.MultiKeyring(generator=office, child_keyrings=[vault])
///     >>> message, _ = strongroom.EncryptionSDKClient().encrypt(source=b"attack at dawn", keyring=both)
///     >>> strongroom.EncryptionSDKClient().decrypt(source=message, keyring=vault)[0]
///     b'attack at dawn'
#[pyclass(extends = Keyring, frozen, module = "strongroom")]
pub(crate) struct MultiKeyring;

#[pymethods]
impl MultiKeyring {
    #[new]
    #[pyo3(signature = (generator=None, child_keyrings=Vec::new()))]
    fn new(
        generator: Option<&Bound<'_, Keyring>>,
        child_keyrings: Vec<Bound<'_, Keyring>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        if generator.is_none() && child_keyrings.is_empty() {
            return Err(PyTypeError::new_err("a multi-keyring needs a generator or child keyrings"));
        }
        let mut shown: Vec<&str> = generator.iter().map(|keyring| keyring.get().shown.as_str()).collect();
        let mut keyring = generator.map_or_else(esdk::Multi::without_generator, |g| esdk::Multi::new(g.get().shared()));
        for child in &child_keyrings {
            shown.push(&child.get().shown);
            keyring = keyring.with(child.get().shared());
        }
        let shown = format!("MultiKeyring({})", shown.join(", "));
        Ok(PyClassInitializer::from(Keyring::new(keyring, shown)).add_subclass(Self))
    }
}
