//! The store that the options name, opened.

use std::sync::Arc;

use kernel::SystemEntropy;
use store::Store;
use store::redis::Redis;
use store::sqlite::Sqlite;

use crate::cli::ServeOptions;
use crate::serve::Refused;

/// The embedded store, or the one that several processes share.
pub(crate) enum Opened {
    Embedded(Sqlite),
    Shared(Redis),
}

impl Opened {
    /// Opens what the options name. What is in the way is said with the option that would change it.
    pub(crate) async fn open(options: &ServeOptions) -> anyhow::Result<Self> {
        let Some(url) = &options.redis_url else {
            let dir = &options.data_dir;
            let refused = |error| Refused::wrong_option(format!("--data-dir {}: {error}", dir.display()));
            return Ok(Self::Embedded(Sqlite::open(dir).map_err(refused)?));
        };
        if options.secret_key.is_none() {
            let line =
                "--secret-key is required with --redis-url: 32 bytes in base64, the same in every process";
            return Err(Refused::wrong_option(line.to_owned()).into());
        }
        let opened = Redis::open(url.expose(), Arc::new(SystemEntropy)).await;
        Ok(Self::Shared(opened.map_err(|error| Refused::wrong_option(format!("--redis-url: {error}")))?))
    }

    /// Its ports.
    pub(crate) fn store(&self) -> Store {
        match self {
            Self::Embedded(store) => store.store(),
            Self::Shared(store) => store.store(),
        }
    }

    /// Where it is, without credentials.
    pub(crate) fn place(&self, options: &ServeOptions) -> String {
        match self {
            Self::Embedded(_) => options.data_dir.display().to_string(),
            Self::Shared(store) => format!("Redis at {}", store.at()),
        }
    }

    /// Finishes what was begun.
    pub(crate) async fn shutdown(self) {
        match self {
            Self::Embedded(store) => store.shutdown().await,
            Self::Shared(store) => store.close(),
        }
    }
}
