//! The task of a connection: reads what the client says, and writes what a full socket held back.

use std::cell::Cell;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use protocol::CloseCode;
use socket2::SockRef;
use tokio::io::Interest;

use super::codec::{self, Decoder, Event, Violation};
use super::connection::Connection;
use super::outgoing::Phase;
use super::stats::add;

/// How much is read at once. The buffer belongs to the thread: an idle connection holds none.
const READ: usize = 16 * 1024;
/// How much of what a client still says after a close is read before the socket is dropped.
const DISCARD: usize = 256 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Runs as long as the connection lives. There are many: it stays small.
pub(super) struct Task {
    connection: Arc<Connection>,
    decoder: Decoder,
    meter: Meter,
    discarded: usize,
    peer_closed: bool,
    told: bool,
}

/// Counts what one client sends, window by window.
#[derive(Debug, Default)]
struct Meter {
    since: u64,
    bytes: usize,
    frames: u32,
}

impl Task {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self {
            connection,
            decoder: Decoder::default(),
            meter: Meter::default(),
            discarded: 0,
            peer_closed: false,
            told: false,
        }
    }

    /// Takes in what was read.
    pub(super) fn take(&mut self, bytes: &mut [u8]) {
        let Self { connection, decoder, meter, peer_closed, .. } = self;
        let sockets = &connection.sockets;
        connection.heard.store(true, Relaxed);
        add(&sockets.stats.received_bytes, bytes.len());
        meter.begin(sockets.now(), sockets.limits.window.as_millis(), bytes.len());
        decoder.feed(bytes, |event| {
            meter.frames += 1;
            if let Event::Close(code) = event {
                connection.closed_by_peer(code);
                *peer_closed = true;
            } else if connection.is_open() {
                hear(connection, event);
            }
            true
        });
        if meter.frames > sockets.limits.frames || meter.bytes > sockets.limits.bytes {
            add(&sockets.stats.violations, 1);
            connection.close(CloseCode::TooMany, "You send too much.", None);
        }
    }

    fn tell(&mut self) {
        if !self.told
            && let Some(ended) = self.connection.ended()
        {
            self.told = true;
            self.connection.handler.on_closed(&self.connection, ended);
        }
    }
}

fn hear(connection: &Arc<Connection>, event: Event<'_>) {
    let stats = &connection.sockets.stats;
    match event {
        Event::Text(text) => {
            add(&stats.received_messages, 1);
            connection.handler.on_text(connection, text);
        }
        Event::NotText => {
            add(&stats.received_messages, 1);
            connection.handler.on_not_text(connection);
        }
        Event::Ping(payload) => connection.send(codec::pong(payload)),
        Event::Violation(violation) => {
            add(&stats.violations, 1);
            match violation {
                Violation::TooBig => {
                    connection.close(CloseCode::TooBig, "A message has at most 4 KiB.", None);
                }
                Violation::Malformed => {
                    connection.close(CloseCode::Policy, "That was no frame of this protocol.", None);
                }
            }
        }
        Event::Pong | Event::Close(_) => {}
    }
}

impl Meter {
    fn begin(&mut self, now: u64, window: u128, bytes: usize) {
        if u128::from(now.saturating_sub(self.since)) >= window {
            *self = Self { since: now, bytes: 0, frames: 0 };
        }
        self.bytes += bytes;
    }
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let task = self.get_mut();
        loop {
            let phase = task.connection.poll_flush(cx);
            if phase != Phase::Open {
                task.tell();
                let answered = task.peer_closed && task.connection.is_drained();
                if phase == Phase::Over || answered || task.discarded > DISCARD {
                    return Poll::Ready(());
                }
            }
            match task.connection.stream.poll_read_ready(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => task.connection.lose(),
                Poll::Ready(Ok(())) => {
                    let mut buffer = BUFFER.take();
                    buffer.resize(READ, 0);
                    match read(&task.connection, &mut buffer) {
                        Ok(0) => task.connection.lose(),
                        Ok(read) => {
                            task.take(&mut buffer[..read]);
                            if phase != Phase::Open {
                                task.discarded += read;
                            }
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(_) => task.connection.lose(),
                    }
                    BUFFER.set(buffer);
                }
            }
        }
    }
}

/// Reads once. A read that does not fill the buffer has emptied the socket: the readiness is given back without a second
/// call that would only say so (edge-triggered epoll tells of what comes later; tokio's own readers do the same).
fn read(connection: &Connection, buffer: &mut [u8]) -> io::Result<usize> {
    let stream = &connection.stream;
    let mut short = 0;
    let result = stream.try_io(Interest::READABLE, || {
        let read = (&*SockRef::from(stream)).read(buffer)?;
        if 0 < read && read < buffer.len() {
            short = read;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(read)
    });
    if short > 0 { Ok(short) } else { result }
}

impl Drop for Task {
    /// The end of the connection, also where the task is dropped or panics.
    fn drop(&mut self) {
        let ended = self.connection.finish();
        self.connection.sockets.forget(&self.connection);
        if !self.told {
            self.told = true;
            self.connection.handler.on_closed(&self.connection, ended);
        }
    }
}
