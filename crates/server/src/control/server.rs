//! The answering side.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use keys::Keys;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Answer, MAX_BYTES, NAME, Reach, Request};
use crate::error::Error;
use crate::event_log;
use crate::open::Store;
use crate::operator::Domains;
use crate::root_key::{self, Given, Source};
use crate::secrets;

/// The control socket of an open store.
pub(crate) struct Control {
    listener: UnixListener,
    served: Served,
    data_dir: PathBuf,
}

/// What of the store it answers about.
#[derive(Clone)]
pub(crate) struct Served {
    keys: Arc<Keys>,
    audit: Arc<audit::Audit>,
    meta: Arc<dyn meta::Store>,
    domains: Domains,
}

impl Served {
    pub(crate) fn of(store: &Store) -> Served {
        Served {
            keys: Arc::clone(&store.keys),
            audit: Arc::clone(store.audit()),
            meta: Arc::clone(&store.meta),
            domains: Domains::of(store),
        }
    }
}

impl Control {
    /// Listens. Whoever holds the store's lock may take the name: who had it before is gone. The name goes when it is dropped, which
    /// has to be while the lock is held.
    pub(crate) fn listen(data_dir: &Path, served: Served) -> Result<(Control, SocketName), Error> {
        let path = data_dir.join(NAME);
        let failed = |error: io::Error| Error::Path(path.clone(), error);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let reach = Reach::of(data_dir).map_err(failed)?;
        let listener = UnixListener::bind(&reach.path).map_err(failed)?;
        // The process's umask has kept others out since the socket was made.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok((Control { listener, served, data_dir: data_dir.to_owned() }, SocketName(path)))
    }

    /// Answers until it is dropped.
    pub(crate) async fn serve(self) {
        let Control { listener, served, data_dir } = self;
        let data_dir: Arc<Path> = data_dir.into();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (served, data_dir) = (served.clone(), Arc::clone(&data_dir));
                    tokio::spawn(async move {
                        if let Err(error) = converse(stream, served, &data_dir).await {
                            tracing::debug!(%error, "a connection to the control socket ended early");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

/// The socket's name in the data directory.
pub(crate) struct SocketName(PathBuf);

impl Drop for SocketName {
    fn drop(&mut self) {
        // One that stays behind is in nobody's way.
        let _ = fs::remove_file(&self.0);
    }
}

async fn converse(mut stream: UnixStream, served: Served, data_dir: &Path) -> io::Result<()> {
    let answer = match is_owner(&stream)? {
        false => Answer::Refused("this socket is for the server's own user".to_owned()),
        true => {
            let line = timeout(READ_LIMIT, read_line(&mut stream)).await??;
            match serde_json::from_slice::<Request>(&line) {
                Ok(request) => {
                    let answered = while_alive(&mut stream, answer(request, served, data_dir)).await?;
                    answered.unwrap_or_else(|error| match error {
                        Error::Refused(reason) => Answer::Refused(reason),
                        error => Answer::Refused(error.to_string()),
                    })
                }
                // Without the text: there may be a secret in it.
                Err(_) => {
                    Answer::Refused("this is no request that the server knows; is it of the same version?".to_owned())
                }
            }
        }
    };
    // An answer may hold a secret.
    let mut line = Zeroizing::new(Vec::with_capacity(ANSWER_ROOM));
    serde_json::to_writer(&mut *line, &answer)?;
    line.push(b'\n');
    timeout(READ_LIMIT, stream.write_all(&line)).await?
}

/// Whoever waits for a long work is told now and then, by a space before the answer, that it goes on.
async fn while_alive<T>(stream: &mut UnixStream, work: impl Future<Output = T>) -> io::Result<T> {
    let mut work = pin!(work);
    loop {
        match timeout(SIGN_OF_LIFE, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) => timeout(READ_LIMIT, stream.write_all(b" ")).await??,
        }
    }
}

/// The file's mode says so already, where the system heeds it.
fn is_owner(stream: &UnixStream) -> io::Result<bool> {
    let user = stream.peer_cred()?.uid();
    Ok(user == rustix::process::geteuid().as_raw() || user == 0)
}

async fn read_line(stream: &mut UnixStream) -> io::Result<Zeroizing<Vec<u8>>> {
    // In one buffer from the start: one that grows would leave copies of secrets behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    while line.last() != Some(&b'\n') {
        if line.len() == MAX_BYTES {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut rest = (&mut *stream).take(u64::try_from(MAX_BYTES - line.len()).unwrap_or(0));
        if rest.read_buf(&mut *line).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(line)
}

async fn answer(request: Request, served: Served, data_dir: &Path) -> Result<Answer, Error> {
    let Served { keys, audit, meta, domains } = served;
    Ok(match request {
        Request::Account(command) => Answer::Account(domains.account(command).await?),
        Request::WhoCan { access, from } => {
            let all = domains.who_can(&access).await?;
            let letting: Vec<_> = all.iter().skip(from).take(WHO_CAN_PAGE).cloned().collect();
            let more = from + letting.len() < all.len();
            Answer::WhoCan { letting, more }
        }
        Request::VerifyAudit { expect } => {
            let expect = expect.map(|link| link.parse()).transpose().map_err(Error::Link)?;
            Answer::VerifiedAudit(audit.verify(expect).await?.into())
        }
        Request::ExportAudit { from, start, end } => {
            let (records, next) = event_log::page(&*meta, &keys, from, start, end).await?;
            Answer::Audit { records, next }
        }
        Request::Status => Answer::Status(keys.protection().await?.into()),
        Request::RotateRootKey { to, given } => {
            let domain_keys = rotate_root_key(&keys, data_dir, &to, given).await?;
            Answer::RotatedRootKey { domain_keys }
        }
        Request::RotateDomainKey => {
            let number = keys.replace_domain_key().await?;
            // The answer does not wait for it: whoever asked may ask for the status.
            tokio::spawn(async move {
                if let Err(error) = keys.rewrap().await {
                    tracing::warn!(%error, "the re-wrapping of key material failed; it is tried again later");
                }
            });
            Answer::RotatedDomainKey { number }
        }
    })
}

/// Wraps all domain keys under another root key.
pub(crate) async fn rotate_root_key(keys: &Keys, data_dir: &Path, to: &str, given: Given) -> Result<usize, Error> {
    let source: Source = to.parse().map_err(Error::RootKeySource)?;
    for path in source.secrets() {
        secrets::refuse_inside(path, data_dir)?;
    }
    let next = root_key::open(&source, given).await?;
    Ok(keys.rotate_root_key(next).await?)
}

/// Lines of an answer, of at most some 2,000 bytes each with a grant's constraints.
const WHO_CAN_PAGE: usize = 400;
/// Answers with secrets are shorter, so that no copy is left behind.
const ANSWER_ROOM: usize = 4 * 1024;
/// Nobody needs more.
const AT_ONCE: usize = 4;
/// A line comes at once or not at all.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// Long before whoever asks loses patience.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
