//! What the server publishes, told to whoever follows.
//!
//! Each channel has one subscription in the process, however many follow it. Following subscribes again: the server
//! confirms in order with what it publishes, so a follower begins exactly at its own confirmation. When the connection
//! ends or the server ends the subscription, it is made anew, and then everyone on the channel hears `Lagged`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{PushKind, Value, cmd};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::fault::Fault;
use super::link::Hearing;
use super::message::Message;
use super::nodes::Nodes;
use crate::{Result, RoomChange, RoomFeed, SessionEvent, SessionFeed, StoreError};

/// Messages kept for a slow follower. It reads the room once it lags, so few are enough.
const KEPT: usize = 64;
/// The same of the one channel of sessions.
const KEPT_SESSIONS: usize = 1024;
/// How often what is not confirmed is asked for again.
const AGAIN: Duration = Duration::from_millis(250);

/// The subscriptions of the process.
pub(super) struct Feeds {
    channels: Mutex<Channels>,
    look: Notify,
}

#[derive(Default)]
struct Channels {
    closed: bool,
    by_name: HashMap<String, Channel>,
    /// Those to look at, unless all are.
    some: HashSet<String>,
    all: bool,
}

struct Channel {
    sender: Sender<Message>,
    /// Followers, each with the confirmation that it waits for.
    waiting: Vec<(u64, oneshot::Sender<Receiver<Message>>)>,
    /// Where the subscription was last asked for.
    node: Option<String>,
    /// The server has confirmed it, on the connection that there is.
    confirmed: bool,
    /// It was confirmed before: what came in between is lost.
    gap: bool,
    /// How often it was asked for, and how many of these are answered.
    asked: u64,
    answered: u64,
}

impl Channel {
    fn new(kept: usize) -> Self {
        let (sender, waiting) = (channel(kept).0, Vec::new());
        Self { sender, waiting, node: None, confirmed: false, gap: false, asked: 0, answered: 0 }
    }

    /// Whether somebody waits for a confirmation that was not asked for yet.
    fn wanted(&self) -> bool {
        self.waiting.iter().any(|(needs, _)| *needs > self.asked)
    }

    /// No more answers come.
    fn unanswered(&mut self) {
        self.answered = self.asked;
        for (needs, _) in &mut self.waiting {
            *needs = self.asked + 1;
        }
    }

    fn ended(&mut self) {
        self.gap |= self.confirmed;
        self.confirmed = false;
        self.unanswered();
    }
}

impl Feeds {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { channels: Mutex::default(), look: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether every channel is subscribed where it should be.
    pub(super) fn look(&self) {
        self.lock().all = true;
        self.look.notify_one();
    }

    fn look_at(&self, name: &str) {
        self.lock().some.insert(name.to_owned());
        self.look.notify_one();
    }

    async fn follow(self: &Arc<Self>, nodes: &Nodes, name: &str, kept: usize) -> Result<Follower> {
        if self.lock().closed {
            return Err(closed());
        }
        let deadline = Instant::now() + nodes.times().call;
        // Refused at once where the server is known to be away.
        nodes.of(name)?.listens().live(deadline).await?;
        let (confirm, confirmed) = oneshot::channel();
        {
            let mut channels = self.lock();
            if channels.closed {
                return Err(closed());
            }
            let channel = channels.by_name.entry(name.to_owned()).or_insert_with(|| Channel::new(kept));
            channel.waiting.push((channel.asked + 1, confirm));
        }
        self.look_at(name);
        if let Ok(Ok(receiver)) = timeout_at(deadline, confirmed).await {
            return Ok(Follower {
                receiver: Some(receiver),
                feeds: Arc::downgrade(self),
                name: name.to_owned(),
            });
        }
        self.look_at(name);
        Err(StoreError::Unavailable("Redis: the subscription was not confirmed in time".to_owned()))
    }

    pub(super) async fn rooms(self: &Arc<Self>, nodes: &Nodes, channel: &str) -> Result<Box<dyn RoomFeed>> {
        Ok(Box::new(self.follow(nodes, channel, KEPT).await?))
    }

    pub(super) async fn sessions(
        self: &Arc<Self>,
        nodes: &Nodes,
        channel: &str,
    ) -> Result<Box<dyn SessionFeed>> {
        Ok(Box::new(self.follow(nodes, channel, KEPT_SESSIONS).await?))
    }

    /// Ends every feed, once it has given what it holds.
    pub(super) fn close(&self) {
        let mut channels = self.lock();
        channels.closed = true;
        channels.by_name.clear();
    }

    /// Subscribes what is to be and ends what nobody follows, for as long as it runs.
    pub(super) async fn keep(self: Arc<Self>, nodes: Arc<Nodes>) {
        let mut again = None;
        loop {
            match again {
                Some(at) => drop(timeout_at(at, self.look.notified()).await),
                None => self.look.notified().await,
            }
            let names: Vec<String> = {
                let mut channels = self.lock();
                let some = std::mem::take(&mut channels.some);
                if std::mem::take(&mut channels.all) {
                    channels.by_name.keys().cloned().collect()
                } else {
                    some.into_iter().collect()
                }
            };
            let missing: Vec<String> = names.into_iter().filter(|name| !self.tend(&nodes, name)).collect();
            again = (!missing.is_empty()).then(|| Instant::now() + AGAIN);
            self.lock().some.extend(missing);
        }
    }

    /// Whether the channel needs nothing more than an answer.
    fn tend(self: &Arc<Self>, nodes: &Nodes, name: &str) -> bool {
        let node = nodes.of(name);
        let mut channels = self.lock();
        let Some(channel) = channels.by_name.get_mut(name) else { return true };
        channel.waiting.retain(|(_, waiting)| !waiting.is_closed());
        let unfollowed = channel.waiting.is_empty() && channel.sender.receiver_count() == 0;
        let Ok(node) = node else { return unfollowed };
        if unfollowed {
            channels.by_name.remove(name);
            drop(channels);
            if let Some(connection) = node.listens().now() {
                order(Arc::clone(self), connection, "SUNSUBSCRIBE", name.to_owned());
            }
            return true;
        }
        if channel.node.as_ref().is_some_and(|before| *before != node.name) {
            channel.ended();
        }
        channel.node = Some(node.name.clone());
        let due = channel.wanted() || (!channel.confirmed && channel.asked == channel.answered);
        if due && let Some(connection) = node.listens().now() {
            channel.asked += 1;
            order(Arc::clone(self), connection, "SSUBSCRIBE", name.to_owned());
        }
        channel.confirmed && !channel.wanted()
    }
}

/// Sends a (un)subscription. Its success is heard as a push, not as the answer.
fn order(feeds: Arc<Feeds>, connection: MultiplexedConnection, command: &'static str, name: String) {
    tokio::spawn(async move {
        let mut order = cmd(command);
        order.arg(&name);
        if let Err(fault) = super::dial::send(&connection, &order).await {
            if !matches!(fault, Fault::Lost(_)) {
                tracing::warn!(why = fault.what(), command, "store.redis_subscription_refused");
            }
            feeds.refused(&name);
        }
    });
}

impl Feeds {
    /// The node does not serve the channel, or is gone: the next look may find another.
    fn refused(&self, name: &str) {
        if let Some(channel) = self.lock().by_name.get_mut(name) {
            channel.unanswered();
        }
    }

    fn confirmed(&self, node: &str, name: &str) {
        let mut channels = self.lock();
        let Some(channel) = channels.by_name.get_mut(name) else { return };
        if channel.node.as_deref() != Some(node) {
            return;
        }
        channel.confirmed = true;
        if std::mem::take(&mut channel.gap) {
            // No receiver: the last follower is just leaving.
            let _ = channel.sender.send(Message::Lagged);
        }
        channel.answered = channel.asked.min(channel.answered + 1);
        let (confirmed, waiting) =
            channel.waiting.drain(..).partition(|(needs, _)| *needs <= channel.answered);
        channel.waiting = waiting;
        let confirmed: Vec<_> = confirmed;
        for (_, waiting) in confirmed {
            let _ = waiting.send(channel.sender.subscribe());
        }
    }

    fn ended(&self, node: &str, name: Option<&str>) {
        let mut channels = self.lock();
        for (channel, state) in &mut channels.by_name {
            if state.node.as_deref() == Some(node) && name.is_none_or(|name| name == channel) {
                state.ended();
            }
        }
        drop(channels);
        self.look();
    }

    fn published(&self, node: &str, name: &str, payload: &[u8]) {
        let channels = self.lock();
        if let Some(channel) = channels.by_name.get(name)
            && channel.node.as_deref() == Some(node)
        {
            // What cannot be read was lost.
            let _ = channel.sender.send(Message::read(payload).unwrap_or(Message::Lagged));
        }
    }
}

/// What is heard from one node.
pub(super) struct Ear {
    feeds: Arc<Feeds>,
    node: String,
}

impl Ear {
    pub(super) fn new(feeds: &Arc<Feeds>, node: String) -> Arc<Self> {
        Arc::new(Self { feeds: Arc::clone(feeds), node })
    }
}

impl Hearing for Ear {
    fn opened(&self) {
        self.feeds.look();
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the server may push what later versions invent")]
    fn pushed(&self, kind: &PushKind, data: &[Value]) {
        let text = |at: usize| match data.get(at) {
            Some(Value::BulkString(bytes)) => Some(bytes.as_slice()),
            _ => None,
        };
        let Some(name) = text(0).and_then(|name| std::str::from_utf8(name).ok()) else { return };
        match kind {
            PushKind::SMessage => self.feeds.published(&self.node, name, text(1).unwrap_or_default()),
            PushKind::SSubscribe => self.feeds.confirmed(&self.node, name),
            // Ours, and nobody follows; or the server's, because the slot has moved.
            PushKind::SUnsubscribe => self.feeds.ended(&self.node, Some(name)),
            // Nothing else is subscribed here.
            _ => {}
        }
    }

    fn closed(&self) {
        self.feeds.ended(&self.node, None);
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

struct Follower {
    /// Always there until the drop.
    receiver: Option<Receiver<Message>>,
    feeds: Weak<Feeds>,
    name: String,
}

impl Follower {
    async fn heard(&mut self) -> Option<Message> {
        match self.receiver.as_mut()?.recv().await {
            Ok(message) => Some(message),
            Err(RecvError::Lagged(_)) => Some(Message::Lagged),
            Err(RecvError::Closed) => None,
        }
    }
}

#[async_trait]
impl RoomFeed for Follower {
    async fn next(&mut self) -> Option<RoomChange> {
        Some(self.heard().await?.of_room())
    }
}

#[async_trait]
impl SessionFeed for Follower {
    async fn next(&mut self) -> Option<SessionEvent> {
        Some(self.heard().await?.of_session())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.receiver = None;
        let Some(feeds) = self.feeds.upgrade() else { return };
        let unfollowed =
            feeds.lock().by_name.get(&self.name).is_some_and(|channel| channel.sender.receiver_count() == 0);
        if unfollowed {
            feeds.look_at(&self.name);
        }
    }
}
