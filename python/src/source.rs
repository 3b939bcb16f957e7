//! A file in Python that is read from.

use pyo3::exceptions::{PyBlockingIOError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use std::io::{self, BufRead, Read};

/// Bytes asked of a file at once: taking the interpreter's lock costs up to 5 ms where another thread computes.
const READ: usize = 1 << 18;

/// A file whose method `read1`, or `read` where it has none, gives bytes. They are used where they lie.
pub(crate) struct Source {
    method: Py<PyAny>,
    piece: Option<PyBackedBytes>,
    taken: usize,
}

impl Source {
    pub(crate) fn new(file: &Bound<'_, PyAny>) -> PyResult<Self> {
        let method = file.getattr("read1").or_else(|_| file.getattr("read"))?;
        Ok(Self { method: method.unbind(), piece: None, taken: 0 })
    }

    fn rest(&self) -> &[u8] {
        self.piece.as_ref().map_or(&[], |piece| &piece[self.taken..])
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest().is_empty() {
            (self.piece, self.taken) = (None, 0);
            self.piece = Some(Python::attach(|py| read(self.method.bind(py)))?);
        }
        Ok(self.rest())
    }

    fn consume(&mut self, bytes: usize) {
        self.taken += bytes.min(self.rest().len());
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = self.fill_buf()?;
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        self.consume(read);
        Ok(read)
    }
}

fn read(method: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    let piece = method.call1((READ,))?;
    if piece.is_none() {
        return Err(PyBlockingIOError::new_err("the source has nothing to give now"));
    }
    piece.extract().map_err(|_| PyTypeError::new_err("the source gives no bytes: open it in binary mode"))
}
