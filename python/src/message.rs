//! Messages in memory, and the settings of all messages.

use crate::error::{Way, begin, end, raised};
use crate::materials::Materials;
use client::message::{
    Body, CommitmentPolicy, Decryptor, Destination, Encryptor, Header, MessageWriter, Release, Suite, plaintext_length,
};
use client::{EncryptionContext, Error};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use std::collections::BTreeMap;
use std::io::{self, Write};
use zeroize::Zeroize;

/// How a message is written: a dictionary, in which enums are numbers.
pub(crate) struct Sealed {
    materials: Materials,
    encryption_context: BTreeMap<String, String>,
    required: Vec<String>,
    commitment_policy: u8,
    algorithm: Option<u16>,
    frame_length: u32,
    source_length: Option<u64>,
    max_encrypted_data_keys: Option<usize>,
}

impl<'py> FromPyObject<'_, 'py> for Sealed {
    type Error = PyErr;

    fn extract(how: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self {
            materials: member(&how, "materials")?,
            encryption_context: member(&how, "encryption_context")?,
            required: member(&how, "required_encryption_context_keys")?,
            commitment_policy: member(&how, "commitment_policy")?,
            algorithm: member(&how, "algorithm")?,
            frame_length: member(&how, "frame_length")?,
            source_length: member(&how, "source_length")?,
            max_encrypted_data_keys: member(&how, "max_encrypted_data_keys")?,
        })
    }
}

impl Sealed {
    /// A message of so many bytes of plaintext.
    fn started(mut self, length: usize) -> client::Result<MessageWriter<Vec<u8>>> {
        let length = u64::try_from(length).map_err(|_| Error::Setting("longer than memory"))?;
        if let Some(announced) = self.source_length.replace(length).filter(|announced| length > *announced) {
            return Err(Error::PlaintextLength(announced));
        }
        self.encryptor()?.start(Vec::new())
    }

    pub(crate) fn encryptor(self) -> client::Result<Encryptor<Materials>> {
        let context: EncryptionContext = self.encryption_context.into_iter().collect();
        let mut encryptor = Encryptor::new(self.materials)
            .context(context)
            .require_context(self.required)
            .commitment(policy(self.commitment_policy)?)
            .frame_length(self.frame_length);
        if self.frame_length == 0 {
            encryptor = encryptor.whole();
        }
        if let Some(suite) = self.algorithm {
            encryptor = encryptor.suite(Suite::from_id(suite)?);
        }
        if let Some(length) = self.source_length {
            encryptor = encryptor.plaintext_length(length);
        }
        if let Some(keys) = self.max_encrypted_data_keys {
            encryptor = encryptor.max_encrypted_data_keys(keys);
        }
        Ok(encryptor)
    }
}

/// How a message is read: a dictionary, too.
pub(crate) struct Opened {
    materials: Materials,
    encryption_context: BTreeMap<String, String>,
    required: Vec<String>,
    commitment_policy: u8,
    max_encrypted_data_keys: Option<usize>,
    max_body_length: Option<u32>,
    hold_limit: Option<usize>,
    release: u8,
}

impl<'py> FromPyObject<'_, 'py> for Opened {
    type Error = PyErr;

    fn extract(how: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self {
            materials: member(&how, "materials")?,
            encryption_context: member(&how, "encryption_context")?,
            required: member(&how, "required_encryption_context_keys")?,
            commitment_policy: member(&how, "commitment_policy")?,
            max_encrypted_data_keys: member(&how, "max_encrypted_data_keys")?,
            max_body_length: member(&how, "max_body_length")?,
            hold_limit: member(&how, "hold_limit")?,
            release: member(&how, "release")?,
        })
    }
}

impl Opened {
    pub(crate) fn decryptor(self) -> client::Result<Decryptor<Materials>> {
        let context: EncryptionContext = self.encryption_context.into_iter().collect();
        let mut decryptor = Decryptor::new(self.materials)
            .context(context)
            .require_context(self.required)
            .commitment(policy(self.commitment_policy)?)
            .release(match self.release {
                0 => Release::Verified,
                1 => Release::Frames,
                _ => Release::UnsignedOnly,
            });
        if let Some(keys) = self.max_encrypted_data_keys {
            decryptor = decryptor.max_encrypted_data_keys(keys);
        }
        if let Some(bytes) = self.max_body_length {
            decryptor = decryptor.frame_limit(bytes);
        }
        if let Some(bytes) = self.hold_limit {
            decryptor = decryptor.hold_limit(bytes);
        }
        Ok(decryptor)
    }
}

/// A member of the dictionary. What is wrong with it is told with its name.
fn member<'py, T>(how: &Borrowed<'_, 'py, PyAny>, name: &str) -> PyResult<T>
where
    T: FromPyObjectOwned<'py>,
{
    let py = how.py();
    how.get_item(name)?.extract().map_err(|error: T::Error| {
        let error: PyErr = error.into();
        PyErr::from_type(error.get_type(py), format!("{name}: {}", error.value(py)))
    })
}

fn policy(number: u8) -> client::Result<CommitmentPolicy> {
    Ok(match number {
        0 => CommitmentPolicy::ForbidEncryptAllowDecrypt,
        1 => CommitmentPolicy::RequireEncryptAllowDecrypt,
        2 => CommitmentPolicy::RequireEncryptRequireDecrypt,
        _ => return Err(Error::Setting("an unknown commitment policy")),
    })
}

/// A message, and what its header says. It is written where it stays: its length is known once its header is.
#[pyfunction]
pub(crate) fn encrypt<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyBytes>,
    how: Sealed,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyTuple>)> {
    begin();
    let plaintext = source.as_bytes();
    let failed = |error| raised(py, Way::Encrypt, error);
    let mut begun = Some(py.detach(|| how.started(plaintext.len())).map_err(failed)?);
    end(py)?;
    let length = begun.as_ref().and_then(|begun| begun.sealed_length(plaintext.len()));
    let length = length.ok_or_else(|| failed(Error::Setting("longer than memory")))?;
    let mut header = None;
    let message = PyBytes::new_with(py, length, |place| {
        let finished = py.detach(|| {
            let message = begun.take().ok_or(Error::Failed)?.onto(|written| {
                let (front, rest) = place.split_at_mut(written.len());
                front.copy_from_slice(&written);
                rest
            });
            let (rest, header) = message.finish_with(plaintext)?;
            if rest.is_empty() { Ok(header) } else { Err(Error::Failed) }
        });
        header = Some(finished.map_err(failed)?);
        Ok(())
    })?;
    let header = header.ok_or_else(|| failed(Error::Failed))?;
    Ok((message, fields(py, &header, header.context())?))
}

/// The plaintext of a message, and what its header says. It is written where it stays: the message tells how long it is.
#[pyfunction]
pub(crate) fn decrypt<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyBytes>,
    how: Opened,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyTuple>)> {
    begin();
    let message = source.as_bytes();
    let failed = |error| raised(py, Way::Decrypt, error);
    // A header that is refused is told before a body that does not fit.
    let reader = py.detach(|| how.decryptor()?.start_buffered(message)).map_err(failed)?;
    end(py)?;
    let context = reader.context().clone();
    let length = py.detach(|| plaintext_length(message)).map_err(failed)?;
    let (mut reader, mut header) = (Some(reader), None);
    let plaintext = PyBytes::new_with(py, length, |place| {
        let opened = py.detach(|| {
            let mut place = Place { bytes: place, filled: 0 };
            let header = reader.take().ok_or(Error::Failed)?.decrypt_into(&mut place)?;
            if place.filled == length { Ok(header) } else { Err(Error::Failed) }
        });
        header = Some(opened.map_err(failed)?);
        Ok(())
    })?;
    let header = header.ok_or_else(|| failed(Error::Failed))?;
    Ok((plaintext, fields(py, &header, &context)?))
}

/// A bytes object in the making. Nobody sees it before everything in it is verified.
struct Place<'a> {
    bytes: &'a mut [u8],
    filled: usize,
}

impl Write for Place<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = (&mut self.bytes[self.filled..]).write(piece)?;
        self.filled += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Destination for Place<'_> {
    fn keep(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn discard(&mut self) {
        self.bytes[..self.filled].zeroize();
    }
}

/// What a header says, without a key: unverified.
#[pyfunction]
pub(crate) fn inspect<'py>(py: Python<'py>, source: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyTuple>> {
    begin();
    let header = Header::inspect(source.as_bytes()).map_err(|error| raised(py, Way::Decrypt, error))?;
    fields(py, &header, header.context())
}

/// Suite, message id, context, wrapped keys, frame length (0 for a body without frames), as `strongroom.MessageHeader` takes them.
pub(crate) fn fields<'py>(
    py: Python<'py>,
    header: &Header,
    context: &EncryptionContext,
) -> PyResult<Bound<'py, PyTuple>> {
    let pairs = PyDict::new(py);
    for (name, value) in context.iter() {
        pairs.set_item(name, value)?;
    }
    let keys =
        header.keys().iter().map(|key| (&key.provider, PyBytes::new(py, &key.info), PyBytes::new(py, &key.ciphertext)));
    let keys = PyTuple::new(py, keys.collect::<Vec<_>>())?;
    let frame_length = match header.body() {
        Body::Framed(length) => length,
        Body::Whole => 0,
    };
    (header.suite().id(), PyBytes::new(py, header.message_id()), pairs, keys, frame_length).into_pyobject(py)
}
