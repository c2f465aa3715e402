//! One live connection.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use protocol::{CloseCode, ServerFrame};
use socket2::SockRef;
use tokio::net::TcpStream;

use super::audience::{Batch, Publication};
use super::codec;
use super::outgoing::{Outgoing, Phase};
use super::server::Permit;
use super::sockets::Sockets;
use super::stats::add;

/// Numbers the connections of one process, from 1.
pub type ConnectionId = u64;

/// What is done with what a client says. Called in the connection's own task, so it must not block; one message is
/// handled at a time, in order.
pub trait Handler: Send + Sync {
    /// A text message of at most [`codec::MAX_MESSAGE`] bytes.
    fn on_text(&self, connection: &Arc<Connection>, text: &str);

    /// A message that is binary or no UTF-8. Without an opinion of its own it closes with 1008.
    fn on_not_text(&self, connection: &Arc<Connection>) {
        connection.close(CloseCode::Policy, "Only text is understood here.", None);
    }

    /// The connection neither says nor hears anything from now on. Called once, for every connection that was started,
    /// as soon as that is so: the socket may stay for a moment until the peer has answered the close.
    fn on_closed(&self, connection: &Arc<Connection>, ended: Ended);
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client, with the code of its close frame where it had one.
    ByClient(Option<u16>),
    /// This process.
    ByServer(CloseCode),
    /// The network: no close was exchanged.
    Lost,
}

/// One live connection: the raw socket after the upgrade. Any thread may write to it; writes happen at once as long as
/// the socket takes them, in the order of the calls.
pub struct Connection {
    id: ConnectionId,
    peer: SocketAddr,
    pub(super) stream: TcpStream,
    pub(super) sockets: Arc<Sockets>,
    pub(super) handler: Arc<dyn Handler>,
    out: Mutex<Outgoing>,
    /// Something was received since the last ping.
    pub(super) heard: AtomicBool,
    /// The place in the audience's list.
    pub(super) seat: AtomicUsize,
    _permit: Option<Permit>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("id", &self.id).field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(
        id: ConnectionId,
        peer: SocketAddr,
        stream: TcpStream,
        sockets: Arc<Sockets>,
        handler: Arc<dyn Handler>,
        permit: Option<Permit>,
    ) -> Self {
        Self {
            id,
            peer,
            stream,
            sockets,
            handler,
            out: Mutex::new(Outgoing::new()),
            heard: AtomicBool::new(true),
            seat: AtomicUsize::new(usize::MAX),
            _permit: permit,
        }
    }

    /// Its number.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The address on the other side of the socket.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The room's version that was last written or queued; 0: none.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Whether it can still be spoken to.
    pub fn is_open(&self) -> bool {
        self.lock().phase == Phase::Open
    }

    /// Sends a frame as [`codec`] encodes it. A connection that is closing forgets it.
    pub fn send(&self, frame: Bytes) {
        let mut out = self.lock();
        if out.phase == Phase::Open {
            self.push(&mut out, frame);
        }
    }

    /// Answers what the client has asked, and tells it in the same write what came of it, where that is the next version
    /// for it: whoever tells everyone finds nothing left to tell here.
    pub fn answer(&self, answer: Bytes, news: Option<&Publication>) {
        let mut out = self.lock();
        if out.phase != Phase::Open {
            return;
        }
        let Some((news, frames)) =
            news.filter(|_| !self.is_behind(&out)).and_then(|news| Some((news, news.next_for(out.version)?)))
        else {
            return self.push(&mut out, answer);
        };
        let frames: Vec<Bytes> = std::iter::once(&answer).chain(frames).cloned().collect();
        out.version = news.version();
        add(&self.sockets.stats.deliveries, 1);
        self.push(&mut out, join(&frames));
    }

    /// Ends the connection: what is pending, then `bye`, then the close frame. The first close counts. `retry_ms` says
    /// when to come back.
    pub fn close(&self, code: CloseCode, message: &str, retry_ms: Option<u64>) {
        let mut out = self.lock();
        self.close_locked(&mut out, code, message, retry_ms);
    }

    fn close_locked(&self, out: &mut Outgoing, code: CloseCode, message: &str, retry_ms: Option<u64>) {
        if out.phase != Phase::Open {
            return;
        }
        out.begin_close(Ended::ByServer(code), self.sockets.now());
        let bye = ServerFrame::Bye { code: code.number(), message: message.to_owned(), retry_ms };
        let close = codec::close(code.number(), message);
        match serde_json::to_vec(&bye) {
            Ok(bye) => self.push(out, join(&[codec::text_frame(&bye), close])),
            Err(_) => self.push(out, close),
        }
        out.wake();
    }

    /// The peer has closed: answers in kind, unless that was the answer to our own close.
    pub(super) fn closed_by_peer(&self, code: Option<u16>) {
        let mut out = self.lock();
        if out.phase == Phase::Open {
            out.begin_close(Ended::ByClient(code), self.sockets.now());
            let answer = code.map_or_else(codec::close_without_code, |code| codec::close(code, ""));
            self.push(&mut out, answer);
        }
    }

    /// Asks whether the peer lives, unless the socket is full anyway.
    pub(super) fn ping(&self, frame: &Bytes) {
        let mut out = self.lock();
        if out.phase == Phase::Open && out.is_drained() {
            self.heard.store(false, Relaxed);
            self.push(&mut out, frame.clone());
        }
    }

    /// Closes where nothing was heard since the last ping.
    pub(super) fn close_if_silent(&self) {
        if !self.heard.load(Relaxed) {
            let mut out = self.lock();
            if out.phase == Phase::Open {
                add(&self.sockets.stats.silent_closes, 1);
                self.close_locked(&mut out, CloseCode::Silent, "Nothing was heard from you.", Some(0));
            }
        }
    }

    /// Looks after a connection that has output pending or is closing. False: it needs no more looking after.
    pub(super) fn look_after(&self) -> bool {
        let (now, limits) = (self.sockets.now(), &self.sockets.limits);
        let past = |since: u64, limit: Duration| u128::from(now.saturating_sub(since)) >= limit.as_millis();
        let mut out = self.lock();
        match out.phase {
            Phase::Open if out.is_drained() => {
                out.watched = false;
                return false;
            }
            Phase::Open if past(out.progress, limits.stall) => self.close_slow(&mut out),
            Phase::Closing { since } if past(since, limits.closing) => out.give_up(),
            Phase::Over => return false,
            Phase::Open | Phase::Closing { .. } => {}
        }
        true
    }

    fn close_slow(&self, out: &mut Outgoing) {
        if out.phase == Phase::Open {
            add(&self.sockets.stats.slow_closes, 1);
            self.close_locked(out, CloseCode::Silent, "You do not take what is sent.", Some(0));
        }
    }

    /// Hands over what the room has to say, as far as this client has not heard it. Gives whether it was news.
    pub(super) fn deliver(&self, batch: &Batch) -> bool {
        let mut out = self.lock();
        if out.phase != Phase::Open {
            return false;
        }
        if self.is_behind(&out) {
            if let Some(newest) = batch.newest_after(out.version) {
                out.behind = Some(newest);
            }
            add(&self.sockets.stats.skipped, 1);
            return false;
        }
        let Some((frames, version)) = batch.for_version(out.version) else { return false };
        out.version = version;
        self.push(&mut out, frames);
        true
    }

    /// Whether the client takes so little that it is told the newest version once it has caught up, and no news until then.
    fn is_behind(&self, out: &Outgoing) -> bool {
        out.behind.is_some() || out.excess() > self.sockets.limits.behind
    }

    /// Writes the first frames and notes which version they brought.
    pub(super) fn greet(&self, frames: &[Bytes], version: u64) {
        let mut out = self.lock();
        out.version = version;
        if out.phase == Phase::Open {
            self.push(&mut out, join(frames));
        }
    }

    /// Writes at once where nothing waits, queues otherwise.
    fn push(&self, out: &mut Outgoing, frame: Bytes) {
        let now = self.sockets.now();
        let mut written = 0;
        if out.is_drained() {
            match self.write(&frame) {
                Ok(taken) if taken == frame.len() => return,
                Ok(taken) => written = taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return out.give_up(),
            }
        }
        out.queue(frame, written, now);
        out.wake();
        if out.excess() > self.sockets.limits.backlog {
            self.close_slow(out);
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.stream.try_write(bytes)?;
        add(&self.sockets.stats.sent_bytes, taken);
        Ok(taken)
    }

    /// Writes what is pending as far as the socket takes it, and arranges for the task to be woken: by the socket, or by
    /// whoever queues more.
    pub(super) fn poll_flush(self: &Arc<Self>, cx: &mut Context<'_>) -> Phase {
        let mut out = self.lock();
        if !out.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            out.waker = Some(cx.waker().clone());
        }
        while out.phase != Phase::Over && !out.is_drained() {
            match self.stream.poll_write_ready(cx) {
                Poll::Pending => break,
                Poll::Ready(Err(_)) => out.give_up(),
                Poll::Ready(Ok(())) => {
                    let now = self.sockets.now();
                    match out.write_with(now, |slices| self.stream.try_write_vectored(slices)) {
                        Ok(taken) => add(&self.sockets.stats.sent_bytes, taken),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(_) => out.give_up(),
                    }
                }
            }
            if out.is_drained()
                && let Some(newest) = out.behind.take()
                && let Some(frame) = newest.for_version(out.version)
            {
                out.version = newest.version();
                self.push(&mut out, frame);
            }
        }
        let quiet = out.phase == Phase::Open && out.is_drained();
        if !quiet && !out.watched && out.phase != Phase::Over {
            out.watched = true;
            self.sockets.watch(Arc::clone(self));
        }
        out.phase
    }

    /// Whether everything has been written.
    pub(super) fn is_drained(&self) -> bool {
        self.lock().is_drained()
    }

    /// Who ended it; nobody yet.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.lock().ended
    }

    /// The peer or the network is gone.
    pub(super) fn lose(&self) {
        self.lock().give_up();
    }

    /// Closes the socket, whoever still holds the connection. A peer that has not taken everything gets a reset, so that
    /// the kernel does not keep the rest.
    pub(super) fn finish(&self) -> Ended {
        let mut out = self.lock();
        out.ended.get_or_insert(Ended::Lost);
        out.phase = Phase::Over;
        out.behind = None;
        let socket = SockRef::from(&self.stream);
        if !out.is_drained() {
            out.clear();
            // Refused only where the socket is no socket any more.
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
        // Refused where the peer was faster.
        let _ = socket.shutdown(std::net::Shutdown::Both);
        out.ended.unwrap_or(Ended::Lost)
    }

    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Several frames as one piece of bytes.
pub(super) fn join(frames: &[Bytes]) -> Bytes {
    match frames {
        [one] => one.clone(),
        several => Bytes::from(several.concat()),
    }
}
