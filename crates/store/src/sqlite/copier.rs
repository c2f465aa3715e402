//! The thread that moves the log into the database while the writer goes on writing: SQLite lets both at once, and the
//! fsyncs of it hold nobody up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

/// The writer's handle. The thread ends with it.
pub(super) struct Copier {
    /// One order at a time.
    orders: SyncSender<()>,
    done: Arc<AtomicBool>,
    under_way: bool,
    thread: JoinHandle<()>,
}

impl Copier {
    /// Starts the thread, with a connection of its own that can write.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (orders, ordered) = sync_channel(1);
        let done = Arc::new(AtomicBool::new(false));
        let tells = Arc::clone(&done);
        let thread = std::thread::Builder::new().name("store-copier".to_owned()).spawn(move || {
            while ordered.recv().is_ok() {
                if let Err(error) = passive(&connection) {
                    tracing::error!(%error, "store.checkpoint_failed");
                }
                tells.store(true, Ordering::Release);
            }
        })?;
        Ok(Self { orders, done, under_way: false, thread })
    }

    /// Begins to copy what the log holds by now. Must not be called while that is under way.
    pub(super) fn begin(&mut self) {
        // The thread ends by a panic alone: then the writer's own checkpoints must do.
        self.under_way = self.orders.try_send(()).is_ok();
        if !self.under_way {
            self.done.store(true, Ordering::Release);
        }
    }

    /// Whether it copies.
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// Whether what was begun has ended since this was asked last.
    pub(super) fn has_ended(&mut self) -> bool {
        let ended = self.done.swap(false, Ordering::Acquire);
        self.under_way &= !ended;
        ended
    }

    /// Ends the thread and closes its connection.
    pub(super) fn stop(self) {
        drop(self.orders);
        // A panic there was logged there.
        let _ = self.thread.join();
    }
}

/// Copies what no reader is in the way of, and waits for nobody.
pub(super) fn passive(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
