//! The one thread that writes. Whatever waits when it looks is committed together: one `BEGIN IMMEDIATE`, every job, one
//! `COMMIT`, and only then the followers and the callers hear of it.

use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use kernel::RoomCode;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::copier::{Copier, passive};
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
/// This long without a job makes the moment to empty a log that is due.
const QUIET: Duration = Duration::from_millis(100);
/// Commits after which the log is copied into the database, beside the writing, and then begun anew.
const COPY_AFTER: u32 = 1024;
/// So many commits in the log are enough: a disk that cannot copy them in time holds up the writing.
const LOG_AT_MOST: u32 = 16 * COPY_AFTER;
/// What so many commits have left in the log is copied within a millisecond or two: the writer does it itself.
const FEW: u32 = 64;
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
    pub(super) fn start(
        connection: Connection,
        copies: Connection,
        lock: File,
        hub: Arc<Hub>,
    ) -> std::io::Result<Self> {
        // Room for every place and a word to stop: sending never blocks.
        let (sender, receiver) = sync_channel(QUEUE + STOPS);
        let copier = Copier::start(copies)?;
        let worker = Worker { connection, copier, hub, receiver, logged: 0, uncopied: 0, since_erased: None };
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
    copier: Copier,
    /// Commits since the log was begun anew.
    logged: u32,
    /// Commits since the last copy was begun.
    uncopied: u32,
    /// Commits since something was erased that the log may still hold.
    since_erased: Option<u32>,
}

impl Worker {
    fn run(mut self, lock: File) {
        let closing = Closing(self.hub.clone());
        let stopped = self.work();
        drop(closing);
        self.copier.stop();
        // As in `empty_log`, and for the last time.
        let emptied = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = emptied {
            tracing::error!(%error, "store.checkpoint_failed");
        }
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

    /// The next message; tidies up beside it, and while there is none.
    fn wait(&mut self) -> Option<Message> {
        if self.since_erased.is_some_and(|commits| commits >= ERASE_WITHIN) {
            self.empty_log();
        }
        if self.copier.has_ended() {
            self.begin_log_anew();
        } else if self.logged >= COPY_AFTER && !self.copier.is_under_way() {
            self.copy();
        }
        while self.logged >= COPY_AFTER || self.since_erased.is_some() || self.copier.is_under_way() {
            match self.receiver.recv_timeout(QUIET) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.tidy_up(),
            }
        }
        self.receiver.recv().ok()
    }

    /// In a quiet moment: empties the log, once there is little left to copy.
    fn tidy_up(&mut self) {
        self.copier.has_ended();
        if self.copier.is_under_way() {
            return;
        }
        if self.uncopied > FEW { self.copy() } else { self.empty_log() }
    }

    fn copy(&mut self) {
        self.uncopied = 0;
        self.copier.begin();
    }

    /// Copies what has come since the last copy was begun. Where no reader is in the way, the next commit is the first of
    /// the log again.
    fn begin_log_anew(&mut self) {
        if self.uncopied > FEW && self.logged < LOG_AT_MOST {
            // Again: less is left each time.
            return self.copy();
        }
        if let Err(error) = passive(&self.connection) {
            tracing::error!(%error, "store.checkpoint_failed");
        }
        (self.logged, self.uncopied) = (0, 0);
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
        self.logged += 1;
        self.uncopied += 1;
        self.since_erased = self.since_erased.map(|commits| commits + 1);
        for one in ran {
            if one.effects.erased {
                self.since_erased.get_or_insert(0);
            }
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
    fn empty_log(&mut self) {
        let tried = self.connection.busy_timeout(Duration::ZERO).and_then(|()| {
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        });
        let restored = self.connection.busy_timeout(BUSY);
        match tried.and_then(|busy| restored.map(|()| busy)) {
            Ok(0) => (self.logged, self.uncopied, self.since_erased) = (0, 0, None),
            Ok(_) => {}
            Err(error) => {
                // Due again after the next commits, not at once: the cause will hardly be gone.
                (self.logged, self.uncopied, self.since_erased) = (0, 0, None);
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
