//! The socket as hyper sees it, with a note of what the client does: hyper has one time limit for the head of a request
//! and for the pause before it, and we need two.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::net::limits::HttpLimits;

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// A head is being read, since then.
    Head(Instant),
    /// A request is being answered: its own limits hold.
    Answering,
    /// The answer is on its way or was taken, and nothing has happened since then.
    Idle(Instant),
}

/// What a connection is at.
#[derive(Debug)]
pub(super) struct Activity(Mutex<Doing>);

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Doing::Head(now)))
    }

    /// A request has come.
    pub(super) fn begin(&self) {
        *self.lock() = Doing::Answering;
    }

    /// It is answered.
    pub(super) fn end(&self, now: Instant) {
        *self.lock() = Doing::Idle(now);
    }

    /// When the patience with the client ends, as things are.
    pub(super) fn deadline(&self, limits: &HttpLimits) -> Option<Instant> {
        match *self.lock() {
            Doing::Head(since) => Some(since + limits.head),
            Doing::Answering => None,
            Doing::Idle(since) => Some(since + limits.idle),
        }
    }

    fn was_read(&self) {
        let mut doing = self.lock();
        if matches!(*doing, Doing::Idle(_)) {
            *doing = Doing::Head(Instant::now());
        }
    }

    fn was_written(&self) {
        let mut doing = self.lock();
        if matches!(*doing, Doing::Idle(_)) {
            *doing = Doing::Idle(Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Doing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The socket as hyper sees it.
#[derive(Debug)]
pub(in crate::net) struct Guarded {
    io: TokioIo<TcpStream>,
    activity: Arc<Activity>,
}

impl Guarded {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { io: TokioIo::new(stream), activity }
    }

    pub(in crate::net) fn into_stream(self) -> TcpStream {
        self.io.into_inner()
    }
}

impl Read for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.io).poll_read(cx, buf));
        self.activity.was_read();
        Poll::Ready(read)
    }
}

impl Write for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf));
        self.activity.was_written();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs));
        self.activity.was_written();
        Poll::Ready(written)
    }
}
