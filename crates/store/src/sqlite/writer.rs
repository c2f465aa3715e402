//! The one thread that writes. Whatever waits when it looks is committed together: one `BEGIN IMMEDIATE`, every job, one
//! `COMMIT`, and only then the followers and the callers hear of it.

use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use kernel::RoomCode;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::fault::Sql;
use crate::feed::Hub;
use crate::{Result, RoomChange, SessionEvent, StoreError};

/// How long to wait for another program that has the database locked (a backup by hand).
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Jobs that may wait. Whoever comes when the queue is full waits for a place.
const QUEUE: usize = 1024;
/// Orders to stop that may wait beside them.
const STOPS: usize = 64;
/// Jobs of one commit, so that the first of them does not wait for a thousand others.
const GROUP: usize = 256;
/// This long without a job makes the moment for a checkpoint that is due.
const QUIET: Duration = Duration::from_millis(100);
/// Commits after which a checkpoint is due in the next quiet moment.
const CHECKPOINT_AFTER: u32 = 1024;
/// Commits after something was erased before the log is emptied even if there is no quiet moment.
const ERASE_WITHIN: u32 = 4096;

/// What a job wants done once it is committed.
#[derive(Default)]
pub(super) struct Effects {
    rooms: Vec<(RoomCode, RoomChange)>,
    sessions: Vec<SessionEvent>,
    /// Something was deleted of which no byte may stay.
    erased: bool,
}

impl Effects {
    pub(super) fn room(&mut self, code: RoomCode, change: RoomChange) {
        self.rooms.push((code, change));
    }

    pub(super) fn session(&mut self, event: SessionEvent) {
        self.sessions.push(event);
    }

    pub(super) fn erased(&mut self) {
        self.erased = true;
    }
}

/// A job that has run inside the open transaction.
struct Ran {
    effects: Effects,
    failed: bool,
    settle: Box<dyn FnOnce(Result<()>) + Send>,
}

struct Job {
    run: Box<dyn FnOnce(&Connection) -> Ran + Send>,
    _place: OwnedSemaphorePermit,
}

enum Message {
    Job(Job),
    Stop(oneshot::Sender<()>),
}

/// The handle. The thread ends when the last one is gone, or with [`Writer::stop`].
pub(super) struct Writer {
    places: Arc<Semaphore>,
    sender: SyncSender<Message>,
}

impl Writer {
    /// Starts the thread. It keeps `lock` until the connection is closed.
    pub(super) fn start(connection: Connection, lock: File, hub: Arc<Hub>) -> std::io::Result<Self> {
        // Room for every place and a word to stop: sending never blocks.
        let (sender, receiver) = sync_channel(QUEUE + STOPS);
        let worker = Worker { connection, hub, receiver, commits: 0, erased: false };
        std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || worker.run(lock))?;
        Ok(Self { places: Arc::new(Semaphore::new(QUEUE)), sender })
    }

    /// Runs `run` in the next commit. Once it is queued it happens, even if the caller goes away. `run` must fail
    /// before it writes wherever the failure is its own.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection, &mut Effects) -> Sql<T> + Send + 'static,
    ) -> Result<T> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| closed())?;
        let (answer, answered) = oneshot::channel();
        let run = Box::new(move |connection: &Connection| {
            let mut effects = Effects::default();
            let result = run(connection, &mut effects).map_err(StoreError::from);
            let failed = result.is_err();
            // A caller that went away needs no answer.
            let settle = Box::new(move |group: Result<()>| {
                drop(answer.send(result.and_then(|value| group.map(|()| value))));
            });
            Ran { effects, failed, settle }
        });
        self.sender.send(Message::Job(Job { run, _place: place })).map_err(|_| closed())?;
        answered.await.map_err(|_| StoreError::Unavailable("the write was not carried out".to_owned()))?
    }

    /// Jobs that wait or are at work.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        QUEUE - self.places.available_permits()
    }

    /// Takes no more jobs, does those that wait, empties the log into the database and closes it.
    pub(super) async fn stop(&self) {
        self.places.close();
        let (answer, answered) = oneshot::channel();
        if self.sender.send(Message::Stop(answer)).is_ok() {
            // An error means that the thread is gone already.
            let _ = answered.await;
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

struct Worker {
    connection: Connection,
    hub: Arc<Hub>,
    receiver: Receiver<Message>,
    /// Since the last checkpoint.
    commits: u32,
    erased: bool,
}

impl Worker {
    fn run(mut self, lock: File) {
        let closing = Closing(self.hub.clone());
        let stopped = self.work();
        drop(closing);
        self.checkpoint();
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "store.close_failed");
        }
        drop(lock);
        if let Some(answer) = stopped {
            let _ = answer.send(());
        }
    }

    /// Works until it is told to stop or nobody is left.
    fn work(&mut self) -> Option<oneshot::Sender<()>> {
        let mut group = Vec::with_capacity(GROUP);
        loop {
            let mut next = self.wait()?;
            let stop = loop {
                match next {
                    Message::Job(job) => group.push(job),
                    Message::Stop(answer) => break Some(answer),
                }
                match self.receiver.try_recv() {
                    Ok(message) if group.len() < GROUP => next = message,
                    Ok(message) => {
                        self.commit(&mut group);
                        next = message;
                    }
                    Err(_) => break None,
                }
            };
            if !group.is_empty() {
                self.commit(&mut group);
            }
            if stop.is_some() {
                return stop;
            }
        }
    }

    /// The next message; tidies up while there is none.
    fn wait(&mut self) -> Option<Message> {
        if self.erased && self.commits >= ERASE_WITHIN {
            self.checkpoint();
        }
        while self.erased || self.commits >= CHECKPOINT_AFTER {
            match self.receiver.recv_timeout(QUIET) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Timeout) => self.checkpoint(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        self.receiver.recv().ok()
    }

    /// Commits the group whole, or none of it. A job that fails before it has written anything fails alone.
    fn commit(&mut self, group: &mut Vec<Job>) {
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            tracing::error!(%error, "store.begin_failed");
            // Whoever waits for a job that is dropped hears that it was not carried out.
            return group.clear();
        }
        let mut ran = Vec::with_capacity(group.len());
        let mut committed = Ok(());
        for job in group.drain(..) {
            let before = self.connection.total_changes();
            let one = (job.run)(&self.connection);
            let half_done =
                one.failed && (self.connection.total_changes() != before || self.connection.is_autocommit());
            ran.push(one);
            if half_done {
                committed = Err("a write of the same commit failed".to_owned());
                break;
            }
        }
        if committed.is_ok() {
            committed = self.execute("COMMIT").map_err(|error| error.to_string());
        }
        match committed {
            Ok(()) => self.tell(ran),
            Err(what) => self.give_up(ran, &what),
        }
    }

    fn tell(&mut self, ran: Vec<Ran>) {
        self.commits += 1;
        for one in ran {
            self.erased |= one.effects.erased;
            for (code, change) in one.effects.rooms {
                self.hub.room_publish(&code, change);
            }
            for event in one.effects.sessions {
                self.hub.session_publish(event);
            }
            (one.settle)(Ok(()));
        }
    }

    fn give_up(&mut self, ran: Vec<Ran>, what: &str) {
        tracing::error!(error = what, writes = ran.len(), "store.commit_failed");
        // A full disk has rolled the transaction back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "store.rollback_failed");
        }
        for one in ran {
            (one.settle)(Err(StoreError::Unavailable(what.to_owned())));
        }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Moves the log into the database and empties it. A reader in its way is not waited for: the next moment will do.
    fn checkpoint(&mut self) {
        let tried = self.connection.busy_timeout(Duration::ZERO).and_then(|()| {
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        });
        let restored = self.connection.busy_timeout(BUSY);
        match tried.and_then(|busy| restored.map(|()| busy)) {
            Ok(0) => (self.commits, self.erased) = (0, false),
            Ok(_) => {}
            Err(error) => {
                // Due again after the next commits, not at once: the cause will hardly be gone.
                (self.commits, self.erased) = (0, false);
                tracing::error!(%error, "store.checkpoint_failed");
            }
        }
    }
}

/// Ends the feeds when the thread ends, in order or by a panic.
struct Closing(Arc<Hub>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}
