//! The Redis engine: many processes, one store. Redis or Valkey, alone, behind Sentinels, or as a cluster.

mod accounts;
mod call;
mod dial;
mod fault;
mod feeds;
mod keys;
mod leases;
mod limits;
mod link;
mod message;
mod nodes;
mod open;
mod rooms;
mod script;
mod sessions;
mod slot;
mod times;
mod url;
mod value;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::Entropy;
use tokio::task::AbortHandle;

use call::Caller;
use feeds::Feeds;
use keys::Keys;
use nodes::Nodes;
use url::Url;

pub use open::OpenError;

use crate::Store;

/// A store in Redis. Clones are the same store, with the same connections, which end with the last of them.
#[derive(Clone)]
pub struct Redis(Arc<Engine>);

struct Engine {
    caller: Arc<Caller>,
    feeds: Arc<Feeds>,
    keys: Keys,
    listed: rooms::Listed,
    /// What is safe to show of the address.
    at: String,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Engine {
    fn stop(&self) {
        self.feeds.close();
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.0.at).finish()
    }
}

impl Redis {
    /// Opens the store at `url` (its grammar stands in the crate's README), once the server is reached, is one that
    /// suffices, and keeps our keys or none under the prefix. Takes at most some seconds. The URL's password is in no
    /// error. `entropy` tells this process's writes from others' and spreads attempts to connect.
    ///
    /// With TLS the process must have installed rustls's crypto provider; certificates are judged by the system's roots.
    pub async fn open(url: &str, entropy: Arc<dyn Entropy>) -> Result<Self, OpenError> {
        let url = Url::parse(url).map_err(OpenError::Url)?;
        let at = url.shown();
        let keys = Keys(url.prefix.clone());
        let feeds = Feeds::new();
        let nodes = Nodes::start(&url, &entropy, &feeds);
        let caller = Arc::new(Caller::new(Arc::clone(&nodes), url.replicas, &*entropy));
        open::check(&caller, &keys, &at).await?;
        let mut tasks = vec![tokio::spawn(Arc::clone(&feeds).keep(Arc::clone(&nodes))).abort_handle()];
        if nodes.is_cluster() {
            tasks.push(tokio::spawn(nodes.keep()).abort_handle());
        }
        let listed = rooms::Listed::default();
        Ok(Self(Arc::new(Engine { caller, feeds, keys, listed, at, tasks: Mutex::new(tasks) })))
    }

    /// The servers that it was opened with, without credentials.
    pub fn at(&self) -> &str {
        &self.0.at
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

    /// Ends the feeds. Writes that were begun are carried out; connections end with the last clone and port.
    pub fn close(&self) {
        self.0.stop();
    }
}
