//! Connections that end with their process, and that close after five idle
//! seconds, as Node's connections do.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep, sleep, sleep_until},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Node's `keepAliveTimeout`.
const IDLE: Duration = Duration::from_secs(5);

/// Accepts the connections of one life of a job server.
#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) listener: TcpListener,
    pub(super) closed: CancellationToken,
}

impl Listener for Acceptor {
    type Io = CutConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CutConnection, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    return (CutConnection::new(stream, self.closed.clone()), peer);
                }
                // No free file descriptor, or the client has already disconnected: try again.
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends with its process or after the idle time.
pub(super) struct CutConnection {
    stream: TcpStream,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    idle: Pin<Box<Sleep>>,
    /// Whether a response has been written and no request has arrived since. A
    /// request that is being answered, for example a long poll, is not idle.
    waiting: bool,
}

impl CutConnection {
    fn new(stream: TcpStream, closed: CancellationToken) -> Self {
        Self {
            stream,
            closed: Box::pin(closed.cancelled_owned()),
            idle: Box::pin(sleep_until(Instant::now())),
            waiting: false,
        }
    }

    /// Returns how to end the connection: an error if the process ended, `Ok` if idle.
    fn cut(&mut self, cx: &mut Context<'_>) -> Option<io::Result<()>> {
        if self.closed.as_mut().poll(cx).is_ready() {
            return Some(Err(io::ErrorKind::ConnectionReset.into()));
        }
        (self.waiting && self.idle.as_mut().poll(cx).is_ready()).then_some(Ok(()))
    }
}

impl AsyncRead for CutConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() && buf.filled().len() > before {
            self.waiting = false;
            return read;
        }
        match self.cut(cx) {
            Some(end) => Poll::Ready(end),
            None => read,
        }
    }
}

impl AsyncWrite for CutConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.closed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.waiting = true;
        self.idle.as_mut().reset(Instant::now() + IDLE);
        // hyper does not read again after a write, so the timer itself must
        // wake the connection's task.
        let _ = self.idle.as_mut().poll(cx);
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
