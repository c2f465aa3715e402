//! The threads that read, each with a connection of its own: a long read holds up neither commits nor every other read.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::fault::Sql;
use crate::{Result, StoreError};

/// Reads that may wait. Whoever comes when the queue is full waits for a place.
const QUEUE: usize = 1024;
/// Orders to stop that may wait beside them.
const STOPS: usize = 64;

enum Message {
    Read(Box<dyn FnOnce(&Connection) + Send>, OwnedSemaphorePermit),
    Stop(oneshot::Sender<()>),
}

/// The handle. The threads end when the last one is gone, or with [`Readers::stop`].
pub(super) struct Readers {
    places: Arc<Semaphore>,
    sender: SyncSender<Message>,
    threads: usize,
}

impl Readers {
    /// Starts a thread for each connection.
    pub(super) fn start(connections: Vec<Connection>) -> std::io::Result<Self> {
        // Room for every place and a word to stop: sending never blocks.
        let (sender, receiver) = sync_channel(QUEUE + STOPS);
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = connections.len();
        for connection in connections {
            let receiver = receiver.clone();
            let builder = std::thread::Builder::new().name("store-reader".to_owned());
            builder.spawn(move || work(connection, &receiver))?;
        }
        Ok(Self { places: Arc::new(Semaphore::new(QUEUE)), sender, threads })
    }

    /// Runs `run` inside one read transaction: all that it reads is of one moment.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> Sql<T> + Send + 'static,
    ) -> Result<T> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| closed())?;
        let (answer, answered) = oneshot::channel();
        let run = Box::new(move |connection: &Connection| {
            let result = transaction(connection, run).map_err(StoreError::from);
            // A caller that went away needs no answer.
            let _ = answer.send(result);
        });
        self.sender.send(Message::Read(run, place)).map_err(|_| closed())?;
        answered.await.map_err(|_| StoreError::Unavailable("the read was not carried out".to_owned()))?
    }

    /// Does the reads that wait and closes the connections.
    pub(super) async fn stop(&self) {
        self.places.close();
        for _ in 0..self.threads {
            let (answer, answered) = oneshot::channel();
            if self.sender.send(Message::Stop(answer)).is_ok() {
                let _ = answered.await;
            }
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

fn transaction<T>(connection: &Connection, run: impl FnOnce(&Connection) -> Sql<T>) -> Sql<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let value = run(connection);
    // However it went. Some errors have ended the transaction themselves.
    let ended = connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
    let value = value?;
    ended?;
    Ok(value)
}

fn work(connection: Connection, receiver: &Mutex<Receiver<Message>>) {
    loop {
        // One thread waits in `recv`, the others for the lock; which of them gets a read does not matter.
        let message = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match message {
            Ok(Message::Read(run, place)) => {
                run(&connection);
                drop(place);
            }
            Ok(Message::Stop(answer)) => {
                drop(connection);
                let _ = answer.send(());
                return;
            }
            Err(_) => return,
        }
    }
}
