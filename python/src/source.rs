//! A file in Python that is read from.

use pyo3::exceptions::{PyBlockingIOError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes};
use std::io::{self, BufReader, Read};

/// Bytes asked of a file at once: taking the interpreter's lock costs up to 5 ms where another thread computes.
const READ: usize = 1 << 18;

/// A file whose method `read1`, or `read` where it has none, gives bytes.
pub(crate) struct Source(Py<PyAny>);

impl Source {
    pub(crate) fn new(file: &Bound<'_, PyAny>) -> PyResult<BufReader<Self>> {
        let method = file.getattr("read1").or_else(|_| file.getattr("read"))?;
        Ok(BufReader::with_capacity(READ, Self(method.unbind())))
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Python::attach(|py| Ok(read(self.0.bind(py), into)?))
    }
}

fn read(method: &Bound<'_, PyAny>, into: &mut [u8]) -> PyResult<usize> {
    let piece = method.call1((into.len(),))?;
    let fits = |length: usize| {
        if length > into.len() {
            Err(PyValueError::new_err("the source gave more than was asked for"))
        } else {
            Ok(length)
        }
    };
    if let Ok(bytes) = piece.cast::<PyBytes>() {
        let length = fits(bytes.as_bytes().len())?;
        into[..length].copy_from_slice(bytes.as_bytes());
        return Ok(length);
    }
    if let Ok(bytes) = piece.cast::<PyByteArray>() {
        let length = fits(bytes.len())?;
        into[..length].copy_from_slice(&bytes.to_vec());
        return Ok(length);
    }
    if piece.is_none() {
        return Err(PyBlockingIOError::new_err("the source has nothing to give now"));
    }
    Err(PyTypeError::new_err("the source gives no bytes: open it in binary mode"))
}
