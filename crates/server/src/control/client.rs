//! The asking side.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
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
    // Requests carry secrets: not to somebody who may write to the folder and has put a socket of his own there.
    let peer = socket_peercred(&stream).map_err(|error| failed(error.into()))?.uid.as_raw();
    let owner = data_dir.metadata().map_err(failed)?.uid();
    if !is_server(peer, owner, geteuid().as_raw()) {
        let text = format!("whoever answers at it (user {peer}) is not the owner of the data directory");
        return Err(failed(io::Error::new(ErrorKind::PermissionDenied, text)));
    }
    exchange(stream, request).map(Some).map_err(failed)
}

/// Whether the server of a data directory can run as this user.
fn is_server(peer: u32, owner: u32, own: u32) -> bool {
    [owner, own, 0].contains(&peer)
}

fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // Room for all of it at once: a buffer that grows would leave copies of secrets behind.
    let mut line = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *line, request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    // It may hold a secret.
    let mut answer = Zeroizing::new(String::with_capacity(16 * 1024));
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    if BufReader::new(stream.take(limit)).read_line(&mut answer)? == 0 {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server ended before it answered"));
    }
    Ok(serde_json::from_str(&answer)?)
}

/// An HSM or another KMS may take its time, once for each domain key.
const PATIENCE: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_is_told_secrets() {
        assert!(is_server(1000, 1000, 0), "the owner's server, asked by root");
        assert!(is_server(0, 1000, 1000), "root's server");
        assert!(is_server(1000, 0, 1000), "one's own");
        assert!(!is_server(1001, 1000, 1000) && !is_server(1001, 1000, 0), "another user's socket");
    }
}
