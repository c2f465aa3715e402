//! The bus of engines that live in one process: what was committed, told to whoever follows.
//!
//! An engine publishes in the order of its commits and only after them. Nobody waits for a slow follower: each channel
//! keeps a bounded number of changes, and whoever falls behind hears `Lagged` instead of what was lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use kernel::RoomCode;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::{Result, RoomChange, RoomFeed, SessionEvent, SessionFeed, StoreError};

/// Changes kept for a slow follower of one room. A follower loads the room once it lags, so few are enough.
const ROOM_CHANGES: usize = 64;
/// Events kept for a slow follower of sessions.
const SESSION_EVENTS: usize = 1024;

/// Where commits are told. One per engine, shared by its stores.
pub(crate) struct Hub(Mutex<Channels>);

struct Channels {
    closed: bool,
    rooms: BTreeMap<RoomCode, Sender<RoomChange>>,
    sessions: Option<Sender<SessionEvent>>,
}

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        let sessions = Some(channel(SESSION_EVENTS).0);
        Arc::new(Self(Mutex::new(Channels { closed: false, rooms: BTreeMap::new(), sessions })))
    }

    fn lock(&self) -> MutexGuard<'_, Channels> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn room_publish(&self, code: &RoomCode, change: RoomChange) {
        if let Some(sender) = self.lock().rooms.get(code) {
            // No receiver: the last follower is just leaving.
            let _ = sender.send(change);
        }
    }

    pub(crate) fn session_publish(&self, event: SessionEvent) {
        if let Some(sender) = &self.lock().sessions {
            let _ = sender.send(event);
        }
    }

    pub(crate) fn room_follow(self: &Arc<Self>, code: &RoomCode) -> Result<Box<dyn RoomFeed>> {
        let mut channels = self.lock();
        if channels.closed {
            return Err(closed());
        }
        let sender = channels.rooms.entry(code.clone()).or_insert_with(|| channel(ROOM_CHANGES).0);
        let receiver = Some(sender.subscribe());
        Ok(Box::new(RoomFollower { receiver, hub: Arc::downgrade(self), code: code.clone() }))
    }

    pub(crate) fn sessions_follow(&self) -> Result<Box<dyn SessionFeed>> {
        let channels = self.lock();
        let sender = channels.sessions.as_ref().ok_or_else(closed)?;
        Ok(Box::new(SessionFollower(sender.subscribe())))
    }

    /// Tells everyone that something was missed.
    pub(crate) fn lag(&self) {
        let channels = self.lock();
        for sender in channels.rooms.values() {
            let _ = sender.send(RoomChange::Lagged);
        }
        if let Some(sender) = &channels.sessions {
            let _ = sender.send(SessionEvent::Lagged);
        }
    }

    /// Ends every feed, once it has given what it holds.
    pub(crate) fn close(&self) {
        let mut channels = self.lock();
        channels.closed = true;
        channels.rooms.clear();
        channels.sessions = None;
    }

    fn room_forget_unfollowed(&self, code: &RoomCode) {
        let mut channels = self.lock();
        if channels.rooms.get(code).is_some_and(|sender| sender.receiver_count() == 0) {
            channels.rooms.remove(code);
        }
    }

    /// How many rooms have a channel: those that somebody follows.
    #[cfg(test)]
    fn followed(&self) -> usize {
        self.lock().rooms.len()
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

struct RoomFollower {
    /// Always there until the drop.
    receiver: Option<Receiver<RoomChange>>,
    hub: Weak<Hub>,
    code: RoomCode,
}

#[async_trait]
impl RoomFeed for RoomFollower {
    async fn next(&mut self) -> Option<RoomChange> {
        match self.receiver.as_mut()?.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(_)) => Some(RoomChange::Lagged),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Drop for RoomFollower {
    fn drop(&mut self) {
        self.receiver = None;
        if let Some(hub) = self.hub.upgrade() {
            hub.room_forget_unfollowed(&self.code);
        }
    }
}

struct SessionFollower(Receiver<SessionEvent>);

#[async_trait]
impl SessionFeed for SessionFollower {
    async fn next(&mut self) -> Option<SessionEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(_)) => Some(SessionEvent::Lagged),
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_nobody_follows_any_more_is_forgotten() {
        let hub = Hub::new();
        let code: RoomCode = "ABCDEF".parse().expect("a code");
        let first = hub.room_follow(&code).expect("open");
        let second = hub.room_follow(&code).expect("open");
        assert_eq!(hub.followed(), 1);
        drop(first);
        assert_eq!(hub.followed(), 1);
        drop(second);
        assert_eq!(hub.followed(), 0);
    }
}
