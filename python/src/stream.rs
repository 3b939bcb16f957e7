//! Messages as streams. `strongroom/streams.py` makes files of them.

use crate::error::{Way, begin, end, raised};
use crate::message::{Opened, Sealed, fields};
use crate::source::Source;
use client::Error;
use client::message::{MessageReader, MessageWriter};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::io::{BufRead, Read, Write};
use std::sync::{Mutex, MutexGuard, TryLockError};

/// A message in the making: plaintext goes in, sealed bytes come out.
#[pyclass(frozen, module = "strongroom._native")]
pub(crate) struct Sealing(Mutex<Option<MessageWriter<Vec<u8>>>>);

#[pymethods]
impl Sealing {
    #[new]
    fn new(py: Python<'_>, how: Sealed) -> PyResult<Self> {
        begin();
        let writer = py.detach(|| how.encryptor()?.start(Vec::new()));
        let writer = writer.map_err(|error| raised(py, Way::Encrypt, error))?;
        end(py)?;
        Ok(Self(Mutex::new(Some(writer))))
    }

    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let writer = only(&self.0)?;
        let header = writer.as_ref().ok_or_else(|| raised(py, Way::Encrypt, Error::Failed))?.header();
        fields(py, header, header.context())
    }

    /// The bytes that a piece of plaintext completes; of long frames none, sometimes.
    fn update<'py>(&self, py: Python<'py>, piece: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyBytes>> {
        let mut place = only(&self.0)?;
        let failed = |error| raised(py, Way::Encrypt, error);
        let writer = place.as_mut().ok_or_else(|| failed(Error::Failed))?;
        let plaintext = piece.as_bytes();
        let written = py.detach(|| {
            writer.write_all(plaintext)?;
            Ok(writer.flush()?)
        });
        written.map_err(failed)?;
        let sealed = PyBytes::new(py, writer.get_mut());
        // Its room stays.
        writer.get_mut().clear();
        Ok(sealed)
    }

    /// The rest of the message.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let writer = only(&self.0)?.take();
        let sealed = py.detach(|| Ok(writer.ok_or(Error::Failed)?.finish()?.0));
        Ok(PyBytes::new(py, &sealed.map_err(|error| raised(py, Way::Encrypt, error))?))
    }
}

/// A message that is read from a file.
#[pyclass(frozen, module = "strongroom._native")]
pub(crate) struct Opening(Mutex<MessageReader<Source>>);

#[pymethods]
impl Opening {
    #[new]
    fn new(py: Python<'_>, source: &Bound<'_, PyAny>, how: Opened) -> PyResult<Self> {
        begin();
        let source = Source::new(source)?;
        let reader = py.detach(|| how.decryptor()?.start_buffered(source));
        let reader = reader.map_err(|error| raised(py, Way::Decrypt, error))?;
        end(py)?;
        Ok(Self(Mutex::new(reader)))
    }

    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let reader = only(&self.0)?;
        fields(py, reader.header(), reader.context())
    }

    /// So many bytes of plaintext, a mebibyte at most; fewer at the end alone. With `one`, what is ready first.
    #[pyo3(signature = (size, one=false))]
    fn read<'py>(&self, py: Python<'py>, size: usize, one: bool) -> PyResult<Bound<'py, PyBytes>> {
        begin();
        let mut reader = only(&self.0)?;
        let reader = &mut *reader;
        let failed = |error: Error| raised(py, Way::Decrypt, error);
        let ready = py.detach(|| reader.fill_buf()).map_err(|error| failed(error.into()))?;
        if one || ready.len() >= size || ready.is_empty() {
            let taken = ready.len().min(size);
            let plaintext = PyBytes::new(py, &ready[..taken]);
            reader.consume(taken);
            return Ok(plaintext);
        }
        // Several frames, where they will stay; but at the end of the message there are fewer bytes than were asked for.
        let mut filled = 0;
        let size = size.min(MOST);
        let plaintext = PyBytes::new_with(py, size, |place| {
            filled = py.detach(|| fill(reader, place)).map_err(failed)?;
            Ok(())
        })?;
        if filled == size { Ok(plaintext) } else { Ok(PyBytes::new(py, &plaintext.as_bytes()[..filled])) }
    }
}

/// Bytes that are read at once, at most; `strongroom/streams.py` reads on.
const MOST: usize = 1 << 20;

/// Fills the place, as far as there is something.
fn fill(reader: &mut MessageReader<Source>, place: &mut [u8]) -> client::Result<usize> {
    let mut filled = 0;
    while filled < place.len() {
        match reader.read(&mut place[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// A stream serves one thread at a time, and no file that reads from the stream that reads it.
fn only<T>(place: &Mutex<T>) -> PyResult<MutexGuard<'_, T>> {
    match place.try_lock() {
        Ok(guard) => Ok(guard),
        Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => Err(PyRuntimeError::new_err("the stream is in use")),
    }
}
