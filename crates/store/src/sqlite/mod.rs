//! The SQLite engine: one file, one process, no server.

mod accounts;
mod copier;
mod fault;
mod leases;
mod limits;
mod migrate;
mod open;
mod reader;
mod rooms;
mod sessions;
mod writer;

use std::path::Path;
use std::sync::Arc;

use reader::Readers;
use writer::Writer;

pub use open::OpenError;

use crate::Store;
use crate::feed::Hub;

/// A room of thousands may take one reader milliseconds; the other goes on.
const READERS: usize = 2;

/// A store in a data directory. Clones are the same store. When the last clone and the last port are gone it closes by
/// itself, in the background; [`Sqlite::shutdown`] waits for it.
#[derive(Clone)]
pub struct Sqlite(Arc<Engine>);

struct Engine {
    writer: Writer,
    readers: Readers,
    hub: Arc<Hub>,
}

impl Sqlite {
    /// Opens the store in `dir`, which is made (mode 0700) where it is missing, and keeps every other process out of it.
    /// Blocks while it checks and migrates: call it before the runtime is busy.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let opened = open::open(dir, READERS)?;
        let hub = Hub::new();
        let thread = |source| OpenError::Io { path: dir.to_owned(), source };
        let readers = Readers::start(opened.readers).map_err(thread)?;
        let writer = Writer::start(opened.writer, opened.copies, opened.lock, hub.clone()).map_err(thread)?;
        Ok(Self(Arc::new(Engine { writer, readers, hub })))
    }

    /// Whether there is one in the directory already.
    pub fn is_in(dir: &Path) -> bool {
        open::database(dir).exists()
    }

    /// Its ports.
    pub fn store(&self) -> Store {
        let engine = Arc::new(self.clone());
        Store {
            rooms: engine.clone(),
            sessions: engine.clone(),
            accounts: engine.clone(),
            leases: engine.clone(),
            limits: engine,
        }
    }

    /// Does what waits, ends the feeds, empties the log into the database, closes it and lets the directory go. Calls from
    /// now on fail as [`crate::StoreError::Unavailable`].
    pub async fn shutdown(&self) {
        // First the readers: the last connection to close tidies up, and only the writer's can.
        self.0.readers.stop().await;
        self.0.writer.stop().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rusqlite::Connection;

    use super::*;
    use crate::{Commit, CommitError, RoomChange, StoreError};

    fn commit(code: &str, expected: u64, bytes: usize) -> Commit {
        Commit {
            code: code.parse().expect("a code"),
            expected,
            records: vec![("a".to_owned(), Some(vec![1; bytes]))],
            fence: None,
            news: Vec::new(),
            origin: "one".parse().expect("an id"),
            expires_at: None,
            durable: false,
            lineage: None,
        }
    }

    /// Holds the writer up inside a job until the sender is dropped.
    async fn hold(sqlite: &Sqlite) -> (mpsc::SyncSender<()>, tokio::task::JoinHandle<()>) {
        let (release, held) = mpsc::sync_channel::<()>(1);
        let (running, runs) = tokio::sync::oneshot::channel();
        let sqlite = sqlite.clone();
        let job = move |_: &Connection, _: &mut writer::Effects| {
            let _ = running.send(());
            let _ = held.recv();
            Ok(())
        };
        let task = tokio::spawn(async move { sqlite.0.writer.write(job).await.expect("nothing fails here") });
        // Its group is complete: whatever is queued from now on makes the next one.
        runs.await.expect("the job runs");
        (release, task)
    }

    /// Waits until that many jobs are queued or at work.
    async fn queued(sqlite: &Sqlite, jobs: usize) {
        while sqlite.0.writer.waiting() < jobs {
            tokio::task::yield_now().await;
        }
    }

    async fn limit_pages(sqlite: &Sqlite, pages: Option<i64>) {
        let run = move |connection: &Connection, _: &mut writer::Effects| {
            let now: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let set = format!("PRAGMA max_page_count = {}", pages.map_or(1 << 30, |more| now + more));
            Ok(connection.query_row(&set, [], |_| Ok(()))?)
        };
        sqlite.0.writer.write(run).await.expect("the limit is set");
    }

    #[tokio::test]
    async fn on_a_full_disk_nothing_is_acknowledged_and_reading_goes_on() {
        let dir = tempfile::tempdir().expect("a directory");
        let sqlite = Sqlite::open(dir.path()).expect("opens");
        let rooms = sqlite.store().rooms;
        let code = "ABCDEF".parse().expect("a code");
        rooms.room_commit(commit("ABCDEF", 0, 10)).await.expect("is made");
        let mut feed = rooms.room_follow(&code).await.expect("follows");
        limit_pages(&sqlite, Some(4)).await;

        // In one group: one that fits, one that does not.
        let (release, held) = hold(&sqlite).await;
        let spawn = |commit| {
            let rooms = rooms.clone();
            tokio::spawn(async move { rooms.room_commit(commit).await })
        };
        let small = spawn(commit("ABCDEF", 1, 20));
        queued(&sqlite, 2).await;
        let large = spawn(commit("ABCDEG", 0, 1_000_000));
        queued(&sqlite, 3).await;
        drop(release);
        held.await.expect("ends well");
        for answer in [small.await, large.await] {
            let answer = answer.expect("ends well");
            assert!(matches!(answer, Err(CommitError::Store(StoreError::Unavailable(_)))), "{answer:?}");
        }
        assert_eq!(rooms.room_version(&code).await.expect("is readable"), Some(1));

        limit_pages(&sqlite, None).await;
        assert_eq!(rooms.room_commit(commit("ABCDEF", 1, 20)).await.expect("there is space again"), 2);
        let heard = feed.next().await;
        assert!(
            matches!(heard, Some(RoomChange::Committed { version: 2, .. })),
            "only what was kept: {heard:?}"
        );
    }

    #[tokio::test]
    async fn a_conflict_in_a_group_is_its_own() {
        let dir = tempfile::tempdir().expect("a directory");
        let sqlite = Sqlite::open(dir.path()).expect("opens");
        let rooms = sqlite.store().rooms;
        let (release, held) = hold(&sqlite).await;
        let mut answers = Vec::new();
        for (jobs, code) in [(2, "ABCDEF"), (3, "ABCDEF"), (4, "ABCDEG")] {
            let rooms = rooms.clone();
            answers.push(tokio::spawn(async move { rooms.room_commit(commit(code, 0, 10)).await.ok() }));
            queued(&sqlite, jobs).await;
        }
        drop(release);
        held.await.expect("ends well");
        let mut made = Vec::new();
        for answer in answers {
            made.push(answer.await.expect("ends well"));
        }
        assert_eq!(made, [Some(1), None, Some(1)]);
    }

    #[tokio::test]
    async fn a_long_read_holds_up_neither_commits_nor_reads() {
        let dir = tempfile::tempdir().expect("a directory");
        let sqlite = Sqlite::open(dir.path()).expect("opens");
        let rooms = sqlite.store().rooms;
        let code = "ABCDEF".parse().expect("a code");
        let (release, held) = mpsc::sync_channel::<()>(1);
        let long = {
            let sqlite = sqlite.clone();
            let run = move |_: &Connection| {
                let _ = held.recv();
                Ok(())
            };
            tokio::spawn(async move { sqlite.0.readers.read(run).await })
        };
        tokio::task::yield_now().await;
        rooms.room_commit(commit("ABCDEF", 0, 10)).await.expect("is made");
        assert_eq!(rooms.room_version(&code).await.expect("answers"), Some(1));
        drop(release);
        long.await.expect("ends well").expect("answers");
    }
}
