//! Which live connections belong to which session: they end with it.

use std::sync::{Arc, Weak};

use dashmap::DashMap;
use protocol::CloseCode;
use store::Hash;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::net::Connection;
use crate::sessions::{Ended, Sessions};

/// The live connections by session.
#[derive(Debug, Default)]
pub struct LiveSessions(DashMap<Hash, Vec<Weak<Connection>>>);

impl LiveSessions {
    pub(super) fn add(&self, session: Hash, connection: &Arc<Connection>) {
        self.0.entry(session).or_default().push(Arc::downgrade(connection));
    }

    pub(super) fn remove(&self, session: &Hash, connection: &Arc<Connection>) {
        let gone = Arc::as_ptr(connection);
        if let Some(mut own) = self.0.get_mut(session) {
            own.retain(|held| held.as_ptr() != gone);
        }
        self.0.remove_if(session, |_, own| own.is_empty());
    }

    fn end(&self, session: &Hash) {
        let own = self.0.get(session).map(|own| own.clone()).unwrap_or_default();
        for connection in own.iter().filter_map(Weak::upgrade) {
            connection.close(CloseCode::NoSession, "This session has ended.", None);
        }
    }

    /// Closes the connections of sessions that end, until it is stopped.
    pub async fn follow(&self, sessions: &Sessions, stop: CancellationToken) {
        let mut ends = sessions.ends();
        loop {
            let ended = tokio::select! {
                ended = ends.recv() => ended,
                () = stop.cancelled() => return,
            };
            match ended {
                Ok(Ended::One(hash)) => self.end(&hash),
                Ok(Ended::Perhaps) | Err(RecvError::Lagged(_)) => self.check_all(sessions).await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn check_all(&self, sessions: &Sessions) {
        let hashes: Vec<Hash> = self.0.iter().map(|entry| *entry.key()).collect();
        for hash in hashes {
            if matches!(sessions.get(&hash).await, Ok(None)) {
                self.end(&hash);
            }
        }
    }
}
