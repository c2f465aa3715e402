//! Which live connections belong to which session: they end with it, and are measured together.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use dashmap::DashMap;
use kernel::{RoomCode, Timestamp};
use protocol::CloseCode;
use store::Hash;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::rate::Rate;
use crate::net::Connection;
use crate::sessions::{Ended, Sessions};

/// The live connections by session.
#[derive(Debug, Default)]
pub struct LiveSessions(DashMap<Hash, Own>);

#[derive(Debug, Default)]
struct Own {
    connections: Vec<Weak<Connection>>,
    /// By room; few are in two at once.
    rates: Vec<(RoomCode, Arc<Mutex<Rate>>)>,
}

impl LiveSessions {
    /// How fast the session commands in that room, over all its connections there.
    pub(super) fn rate(&self, session: Hash, room: &RoomCode, now: Timestamp) -> Arc<Mutex<Rate>> {
        let mut own = self.0.entry(session).or_default();
        // Rooms that it has left are forgotten, once nothing said there counts any more.
        own.rates.retain(|(_, rate)| {
            Arc::strong_count(rate) > 1
                || !rate.lock().unwrap_or_else(PoisonError::into_inner).has_rested(now)
        });
        if let Some((_, rate)) = own.rates.iter().find(|(code, _)| code == room) {
            return Arc::clone(rate);
        }
        let rate = Arc::default();
        own.rates.push((room.clone(), Arc::clone(&rate)));
        rate
    }

    pub(super) fn add(&self, session: Hash, connection: &Arc<Connection>) {
        self.0.entry(session).or_default().connections.push(Arc::downgrade(connection));
    }

    pub(super) fn remove(&self, session: &Hash, connection: &Arc<Connection>) {
        let gone = Arc::as_ptr(connection);
        if let Some(mut own) = self.0.get_mut(session) {
            own.connections.retain(|held| held.as_ptr() != gone);
        }
        self.0.remove_if(session, |_, own| own.connections.is_empty());
    }

    fn end(&self, session: &Hash) {
        let own = self.0.get(session).map(|own| own.connections.clone()).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_measured_once_per_room_and_not_by_rooms_that_it_has_left() {
        let live = LiveSessions::default();
        let session: Hash = [7; 32];
        let code = |code: &str| code.parse::<RoomCode>().expect("a code");
        let rate = |room: &str, now| live.rate(session, &code(room), Timestamp(now));
        let kept = || live.0.get(&session).map(|own| own.rates.len());
        let first = rate("ABCDEF", 0);
        assert!(Arc::ptr_eq(&first, &rate("ABCDEF", 0)));
        let count = |rate: &Mutex<Rate>, now| rate.lock().expect("nobody panics").count(Timestamp(now));
        count(&first, 0);
        drop(first);
        let _second = rate("ABCDEG", 9_999);
        assert_eq!(kept(), Some(2), "what was said there still counts");
        rate("ABCDEG", 10_000);
        assert_eq!(kept(), Some(1));
    }
}
