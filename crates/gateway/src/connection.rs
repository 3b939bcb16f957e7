//! One connection: HTTP/1.1 with keep-alive, one request after the other, within limits.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, mem};

use http::Extensions;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use crate::app::App;
use crate::record::TlsDetails;
use crate::unbroken::Unbroken;
use crate::{dispatch, kms};

/// Serves connections. One for the process.
pub struct Gateway {
    app: Arc<App>,
    http: http1::Builder,
}

/// What is known of a connection besides its bytes.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whether the bytes came through TLS.
    pub secure: bool,
    /// The client's address.
    pub peer: SocketAddr,
    /// The name of the listener that it came by, if the operator gave it one (`aws:SourceVpce`).
    pub listener: Option<Arc<str>>,
    /// What TLS came to, for the records of its requests.
    pub tls: Option<Arc<TlsDetails>>,
    /// Becomes `true` when the server wants to stop: the request in progress is answered, another is not read.
    pub shutdown: watch::Receiver<bool>,
}

impl Gateway {
    /// A gateway to `app`.
    pub fn new(app: Arc<App>) -> Gateway {
        let limits = &app.settings.limits;
        let mut http = http1::Builder::new();
        // Hyper's limit of 100 headers stays: S3 takes 2 KiB of user metadata, SDKs send about 20 headers besides, and
        // any other number would move them from the stack to the heap. One more is answered with 431.
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_header_size(limits.head_bytes)
            .max_buf_size(limits.buffer_bytes.max(SMALLEST_BUFFER))
            // For `spelling`.
            .preserve_header_case(true)
            // Pipelined requests wait in the buffer and are answered one by one. Holding the answers back until the last
            // (`pipeline_flush`) would also hold back hyper's own 400 to what cannot be parsed.
            .half_close(false);
        Gateway { app, http }
    }

    /// The state that requests share.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Answers requests until the client or the server ends the connection. `TCP_NODELAY` is the listener's to set.
    ///
    /// # Errors
    /// What ended the connection other than its clean end: a malformed or slow head, a lost client, a cut answer.
    pub async fn serve<I>(&self, io: I, connection: Connection) -> Result<(), hyper::Error>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Connection { secure, peer, listener, tls, mut shutdown } = connection;
        let origin = dispatch::Origin { secure, peer: peer.ip(), client: peer.ip(), listener, tls };
        let io = TokioIo::new(Impatient::new(io, self.app.settings.limits.answer_silence));
        let service = service_fn(|mut request| {
            let (app, origin) = (Arc::clone(&self.app), origin.clone());
            async move {
                let spelling = spelling(&mut request);
                // Whoever hangs up does not keep what was asked from ending, and from its record.
                let mut answer = Unbroken::new(dispatch::answer(app, request, origin)).await;
                *answer.extensions_mut() = spelling;
                Ok::<_, Infallible>(answer)
            }
        });
        let mut serving = pin!(self.http.serve_connection(io, service));
        tokio::select! {
            biased;
            result = serving.as_mut() => return result,
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
        serving.as_mut().graceful_shutdown();
        serving.await
    }
}

/// How a KMS request spells the names of its headers, which is how its answer spells the same names.
///
/// Names have no case (RFC 9110, section 5.1), and hyper writes them small. But libmongocrypt, with which every MongoDB driver
/// encrypts fields, reads the length of an answer from `Content-Length` alone; it asks with the same spelling. Capitals in
/// every answer are no way out: boto3 takes the names of S3's user metadata as they come.
fn spelling(request: &mut hyper::Request<Incoming>) -> Extensions {
    if request.headers().contains_key(kms::TARGET) { mem::take(request.extensions_mut()) } else { Extensions::new() }
}

/// Hyper refuses a smaller buffer.
const SMALLEST_BUFFER: usize = 8192;

/// A stream whose writes fail when the other side takes nothing for too long.
struct Impatient<I> {
    io: I,
    patience: Duration,
    /// Running while a write waits. Kept when it no longer does, since making one allocates.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<I> Impatient<I> {
    fn new(io: I, patience: Duration) -> Impatient<I> {
        Impatient { io, patience, timer: None, waiting: false }
    }

    fn judge<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.waiting = false;
            return result;
        }
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + patience);
        }
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Impatient<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Impatient<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, data);
        self.judge(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, data);
        self.judge(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        self.judge(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_shutdown(cx);
        self.judge(cx, result)
    }
}
