//! The SQLite engine: one file, one process, no server.

mod accounts;
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
        let writer = Writer::start(opened.writer, opened.lock, hub.clone()).map_err(thread)?;
        Ok(Self(Arc::new(Engine { writer, readers, hub })))
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
