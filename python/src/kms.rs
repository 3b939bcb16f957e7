//! Key management services: asked by a client in Python (boto3's, or whatever has its three methods), or by `client` itself.

use crate::error::{failed_to_wrap, is_interrupted, named, remember};
use client::DataKey;
use client::aws::{Config, KmsClient};
use client::kms::{DecryptedKey, EncryptedKey, GeneratedKey, KeyArn, KeyRequest, Kms, KmsError};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Clients that are kept of what a supplier makes: AWS has some forty Regions, and a message may name any text.
const MOST_CLIENTS: usize = 64;

/// Where the client of a Region comes from.
enum PythonKms {
    /// One for all.
    One(Py<PyAny>),
    /// What a callable makes of a Region's name (`None` where the key's name has none), kept.
    Supplied { supplier: Py<PyAny>, made: Mutex<HashMap<Option<String>, Py<PyAny>>> },
}

/// Asked by a client in Python, by those that a callable makes, or without either by what the environment and AWS's files say.
///
/// # Errors
/// `TypeError` if both are given; what is wrong with the settings.
pub(crate) fn service(
    py: Python<'_>,
    client: Option<Py<PyAny>>,
    supplier: Option<Py<PyAny>>,
) -> PyResult<Arc<dyn Kms>> {
    match (client, supplier) {
        (Some(client), None) => Ok(Arc::new(PythonKms::One(client))),
        (None, Some(supplier)) => Ok(Arc::new(PythonKms::Supplied { supplier, made: Mutex::default() })),
        (None, None) => match Config::from_env().and_then(|config| KmsClient::new(&config)) {
            Ok(client) => Ok(Arc::new(Native(client))),
            Err(error) => Err(named(py, "AWSEncryptionSDKClientError", &error.to_string())?),
        },
        _ => Err(PyTypeError::new_err("kms_client or client_supplier, not both")),
    }
}

/// The client of KMS that is built in.
struct Native(KmsClient);

impl Kms for Native {
    fn generate_data_key(&self, key: &KeyRequest<'_>, bytes: usize) -> Result<GeneratedKey, KmsError> {
        self.0.generate_data_key(key, bytes)
    }

    fn encrypt(&self, key: &KeyRequest<'_>, plaintext: &DataKey) -> Result<EncryptedKey, KmsError> {
        self.0.encrypt(key, plaintext).inspect_err(|_| failed_to_wrap())
    }

    fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError> {
        self.0.decrypt(key, ciphertext)
    }
}

impl PythonKms {
    fn client<'py>(&self, py: Python<'py>, key_id: &str) -> PyResult<Bound<'py, PyAny>> {
        let (supplier, made) = match self {
            Self::One(client) => return Ok(client.bind(py).clone()),
            Self::Supplied { supplier, made } => (supplier, made),
        };
        let region = key_id.parse::<KeyArn>().ok().map(|arn| arn.region().to_owned());
        // Held for no call into Python, which might come back here.
        let lock = || made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = lock().get(&region) {
            return Ok(client.bind(py).clone());
        }
        let client = supplier.bind(py).call1((region.as_deref(),))?;
        let mut made = lock();
        if made.len() < MOST_CLIENTS {
            made.insert(region, client.clone().unbind());
        }
        Ok(client)
    }

    /// Calls one of the three methods, with what all of them are told.
    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        key: &KeyRequest<'_>,
        more: impl FnOnce(&Bound<'py, PyDict>) -> PyResult<()>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = PyDict::new(py);
        arguments.set_item("KeyId", key.key_id)?;
        let context = PyDict::new(py);
        for (name, value) in key.context.iter() {
            context.set_item(name, value)?;
        }
        arguments.set_item("EncryptionContext", context)?;
        if !key.grant_tokens.is_empty() {
            arguments.set_item("GrantTokens", key.grant_tokens)?;
        }
        more(&arguments)?;
        self.client(py, key.key_id)?.call_method(method, (), Some(&arguments))
    }
}

impl Kms for PythonKms {
    fn generate_data_key(&self, key: &KeyRequest<'_>, bytes: usize) -> Result<GeneratedKey, KmsError> {
        asked(|py| {
            let answer =
                self.call(py, "generate_data_key", key, |arguments| arguments.set_item("NumberOfBytes", bytes))?;
            Ok(GeneratedKey {
                plaintext: secret(&answer, "Plaintext")?,
                ciphertext: member(&answer, "CiphertextBlob")?.cast::<PyBytes>()?.as_bytes().to_vec(),
                key_arn: member(&answer, "KeyId")?.extract()?,
            })
        })
    }

    fn encrypt(&self, key: &KeyRequest<'_>, plaintext: &DataKey) -> Result<EncryptedKey, KmsError> {
        let answer = asked(|py| {
            let plaintext = PyBytes::new(py, plaintext.as_bytes());
            let answer = self.call(py, "encrypt", key, |arguments| arguments.set_item("Plaintext", plaintext))?;
            Ok(EncryptedKey {
                ciphertext: member(&answer, "CiphertextBlob")?.cast::<PyBytes>()?.as_bytes().to_vec(),
                key_arn: member(&answer, "KeyId")?.extract()?,
            })
        });
        answer.inspect_err(|_| failed_to_wrap())
    }

    fn decrypt(&self, key: &KeyRequest<'_>, ciphertext: &[u8]) -> Result<DecryptedKey, KmsError> {
        asked(|py| {
            let ciphertext = PyBytes::new(py, ciphertext);
            let answer = self.call(py, "decrypt", key, |arguments| arguments.set_item("CiphertextBlob", ciphertext))?;
            Ok(DecryptedKey { plaintext: secret(&answer, "Plaintext")?, key_arn: member(&answer, "KeyId")?.extract()? })
        })
    }
}

/// Works with Python attached; what it raises is kept as the cause of what will be raised.
fn asked<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T, KmsError> {
    Python::attach(|py| {
        if is_interrupted(py) {
            return Err(KmsError::new("Interrupted", "not asked"));
        }
        work(py).map_err(|error| {
            let refused = KmsError::new(code(py, &error), error.value(py).to_string());
            remember(error);
            refused
        })
    })
}

/// The service's word in a `botocore.exceptions.ClientError`; of any other exception, its name.
fn code(py: Python<'_>, error: &PyErr) -> String {
    let of_service = || error.value(py).getattr("response")?.get_item("Error")?.get_item("Code")?.extract::<String>();
    of_service()
        .unwrap_or_else(|_| error.get_type(py).name().map_or_else(|_| "Exception".to_owned(), |n| n.to_string()))
}

fn member<'py>(answer: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    answer.get_item(name).map_err(|_| PyValueError::new_err(format!("the answer has no {name}")))
}

fn secret(answer: &Bound<'_, PyAny>, name: &str) -> PyResult<DataKey> {
    let value = member(answer, name)?;
    // Not by `extract`, whose error would show the value.
    let bytes = value.cast::<PyBytes>().map_err(|_| PyTypeError::new_err(format!("{name} is not bytes")))?;
    Ok(DataKey::from_bytes(Zeroizing::new(bytes.as_bytes().to_vec())))
}
