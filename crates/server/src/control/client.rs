//! The asking side.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Answer, MAX_BYTES, Reach, Request};
use crate::error::Error;

/// Asks the running server of this store; `None` if none runs.
pub(crate) fn ask(data_dir: &Path, request: &Request) -> Result<Option<Answer>, Error> {
    let failed = |error| Error::System("the control socket", error);
    let stream = match Reach::of(data_dir).and_then(|reach| UnixStream::connect(&reach.path)) {
        Ok(stream) => stream,
        // Nobody ever bound it, or the one who did is gone.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    exchange(stream, request).map(Some).map_err(failed)
}

fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // Room for all of it at once: a buffer that grows would leave copies of secrets behind.
    let mut line = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *line, request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    if BufReader::new(stream.take(limit)).read_line(&mut answer)? == 0 {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server ended before it answered"));
    }
    Ok(serde_json::from_str(&answer)?)
}

/// An HSM or another KMS may take its time, once for each domain key.
const PATIENCE: Duration = Duration::from_secs(300);
