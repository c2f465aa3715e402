//! All live connections of this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use kernel::Entropy;
use protocol::CloseCode;
use socket2::SockRef;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::connection::{Connection, ConnectionId, Handler};
use super::limits::LiveLimits;
use super::stats::{NetStats, add};
use super::task::Task;
use super::upgrade::Upgraded;

/// Into how many parts the connections are divided: each tick of the sweeper asks one of them. So many that the pings of
/// one part, and the answers that come back together, hold up nobody's news for long.
pub(super) const SLOTS: usize = 120;
/// So many connections that came one after the other share a slot: what belongs to them lies together in memory, here and
/// in the kernel, and has not been touched since the last heartbeat.
const NEIGHBOURS: usize = 32;
/// How much the kernel holds back unsent for one socket. What waits here instead can still be replaced by newer news.
const UNSENT: u32 = 64 * 1024;
/// After so many closes the other tasks get a turn.
const CLOSES_PER_TURN: usize = 64;

type Slot = Mutex<BTreeMap<ConnectionId, Arc<Connection>>>;

/// All live connections of this process, their limits and their counters. A [`super::Sweeper`] must run beside them.
#[derive(Debug)]
pub struct Sockets {
    pub(super) limits: LiveLimits,
    pub(super) stats: NetStats,
    tracker: TaskTracker,
    /// Milliseconds since the start, as of the sweeper's last tick: fine enough for limits of seconds.
    now: AtomicU64,
    next: AtomicU64,
    slots: [Slot; SLOTS],
    watched: Mutex<Vec<Arc<Connection>>>,
    gone: Notify,
    /// Set when everyone was told to go: who comes later is told the same.
    stopped: OnceLock<(CloseCode, String)>,
}

/// A connection that can be written to and does not listen yet.
#[derive(Debug)]
pub struct Opened {
    connection: Arc<Connection>,
    read: bytes::Bytes,
}

impl Sockets {
    /// No connections yet. Their tasks are tracked by `tracker`.
    pub fn new(limits: LiveLimits, tracker: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            limits,
            stats: NetStats::default(),
            tracker,
            now: AtomicU64::new(0),
            next: AtomicU64::new(1),
            slots: std::array::from_fn(|_| Slot::default()),
            watched: Mutex::default(),
            gone: Notify::new(),
            stopped: OnceLock::new(),
        })
    }

    /// The counters.
    pub fn stats(&self) -> &NetStats {
        &self.stats
    }

    /// The limits.
    pub fn limits(&self) -> &LiveLimits {
        &self.limits
    }

    /// Makes a connection of an upgraded socket. It counts, and hears, from [`Opened::start`] on.
    pub fn open(self: &Arc<Self>, upgraded: Upgraded, handler: Arc<dyn Handler>) -> Opened {
        let Upgraded { stream, read, peer, permit } = upgraded;
        // Without it the connection works as well, with staler news on a slow line.
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        let id = self.next.fetch_add(1, Relaxed);
        let connection = Arc::new(Connection::new(id, peer, stream, Arc::clone(self), handler, permit));
        Opened { connection, read }
    }

    /// How many live connections there are.
    pub fn len(&self) -> usize {
        self.stats.open.load(Relaxed) as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says `bye` to everyone, each with a `retry_ms` of its own from within `spread`, so that they do not all come back
    /// at once. [`Sockets::gone`] waits for the end.
    pub async fn close_all(&self, code: CloseCode, message: &str, spread: Duration, entropy: &dyn Entropy) {
        // A second call has nothing to add for those who come later.
        let _ = self.stopped.set((code, message.to_owned()));
        let window = u32::try_from(spread.as_millis()).unwrap_or(u32::MAX).max(1);
        let mut turn = 0;
        for slot in 0..SLOTS {
            for connection in self.in_slot(slot) {
                connection.close(code, message, Some(entropy.below(window).into()));
                turn += 1;
                if turn % CLOSES_PER_TURN == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Waits until there are no connections. Whoever has a deadline puts it around this.
    pub async fn gone(&self) {
        loop {
            let notified = self.gone.notified();
            if self.is_empty() {
                return;
            }
            notified.await;
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Relaxed)
    }

    pub(super) fn set_now(&self, ms: u64) {
        self.now.store(ms, Relaxed);
    }

    pub(super) fn in_slot(&self, slot: usize) -> Vec<Arc<Connection>> {
        lock(&self.slots[slot % SLOTS]).values().cloned().collect()
    }

    pub(super) fn watch(&self, connection: Arc<Connection>) {
        lock(&self.watched).push(connection);
    }

    /// Looks after the watched connections, and forgets those that need it no more.
    pub(super) fn look_after_watched(&self) {
        let mut watched = std::mem::take(&mut *lock(&self.watched));
        watched.retain(|connection| connection.look_after());
        lock(&self.watched).append(&mut watched);
    }

    fn remember(&self, connection: &Arc<Connection>) {
        lock(self.slot_of(connection.id())).insert(connection.id(), Arc::clone(connection));
        add(&self.stats.opened, 1);
        add(&self.stats.open, 1);
    }

    pub(super) fn forget(&self, connection: &Connection) {
        if lock(self.slot_of(connection.id())).remove(&connection.id()).is_some()
            && self.stats.open.fetch_sub(1, Relaxed) == 1
        {
            self.gone.notify_waiters();
        }
    }

    fn slot_of(&self, id: ConnectionId) -> &Slot {
        &self.slots[id as usize / NEIGHBOURS % SLOTS]
    }
}

impl Opened {
    /// The connection: what is sent to it now goes out before anything of it is heard.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Begins to listen, with what came right behind the handshake. From now on [`Handler::on_closed`] will be called.
    pub fn start(self) {
        let Self { connection, read } = self;
        let sockets = Arc::clone(&connection.sockets);
        sockets.remember(&connection);
        if let Some((code, message)) = sockets.stopped.get() {
            connection.close(*code, message, Some(0));
        }
        let mut task = Task::new(connection);
        if !read.is_empty() {
            task.take(&mut Vec::from(read));
        }
        sockets.tracker.spawn(task);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
