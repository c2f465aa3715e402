//! The client: a handle to the one task that owns the socket.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Entropy, Secret, SystemClock, SystemEntropy};
use protocol::{Code, CommandBody, Notice, RoomView, You};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::task::Task;
use crate::{EndReason, Estimate, Stage, Violation};

/// Events that a slow reader may fall behind before it loses the oldest.
const EVENTS: usize = 256;
const ASKS: usize = 64;

/// What a client needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the service is: `http://host:port` or `https://host`.
    pub server: String,
    /// The room's code.
    pub code: String,
    /// The session's value, sent as `Authorization: Bearer`.
    pub bearer: Secret<String>,
    /// Tells our time.
    pub clock: Arc<dyn Clock>,
    /// For the wait before a reconnect, and for command ids.
    pub entropy: Arc<dyn Entropy>,
}

impl Config {
    /// With the machine's clock and randomness.
    pub fn new(server: impl Into<String>, code: impl Into<String>, bearer: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            code: code.into(),
            bearer: Secret::new(bearer.into()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

/// Why a command has no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The server refused it.
    #[error("{}: {message}", code.as_str())]
    Refused {
        /// Why.
        code: Code,
        /// Why, in words.
        message: String,
        /// After how long it may be tried again, in milliseconds.
        retry_ms: Option<u64>,
    },
    /// The client ended before the answer came: it may or may not have been carried out.
    #[error("the connection ended before the answer: {0}")]
    Ended(EndReason),
    /// The command is over the 4 KiB that the server takes; it was not sent.
    #[error("the command is too long")]
    TooLong,
    /// A ping whose connection was lost.
    #[error("the connection was lost")]
    Lost,
}

impl Refusal {
    /// The server's code, where the server said it.
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Ended(_) | Self::TooLong | Self::Lost => None,
        }
    }
}

/// Why a wait was in vain.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WaitError {
    /// The time is over; with the room as it was then.
    #[error("the room did not become so in time: {0:?}")]
    Deadline(Option<Arc<RoomView>>),
    /// The client has ended.
    #[error("the connection ended: {0}")]
    Ended(EndReason),
}

/// What happened, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The connection is somewhere else.
    Stage(Stage),
    /// The room is of that version.
    Room(u64),
    /// Something worth showing.
    Notice(Notice),
    /// The server did what it must not.
    Violation(Violation),
    /// The server said goodbye with that close code.
    Bye(u16),
}

/// What the client sees now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where the connection is.
    pub stage: Stage,
    /// The room, as last told; `None` before the first snapshot.
    pub room: Option<Arc<RoomView>>,
    /// Who this client is; `None` before the first greeting.
    pub you: Option<You>,
    /// The server's clock against ours; `None` before the first ping.
    pub clock: Option<Estimate>,
    /// The last notices, oldest first.
    pub notices: Vec<Notice>,
    /// How many connections have been made.
    pub connections: u64,
}

pub(crate) type Waiter = oneshot::Sender<Result<u64, Refusal>>;
pub(crate) type PingWaiter = oneshot::Sender<Result<Estimate, Refusal>>;

/// What the handle asks of the task.
pub(crate) enum Ask {
    Command(Option<String>, CommandBody, Waiter),
    Ping(PingWaiter),
    Cut,
    Retry,
    Stop,
}

/// A client of a room. Dropping it ends the connection.
#[derive(Debug)]
pub struct RoomClient {
    asks: mpsc::Sender<Ask>,
    seen: watch::Receiver<Seen>,
    events: broadcast::Sender<Event>,
}

impl RoomClient {
    /// Begins, without waiting for the connection.
    pub fn start(config: Config) -> Self {
        let (asks, asked) = mpsc::channel(ASKS);
        let (events, _) = broadcast::channel(EVENTS);
        let (seen, watcher) = watch::channel(Seen {
            stage: Stage::Connecting,
            room: None,
            you: None,
            clock: None,
            notices: Vec::new(),
            connections: 0,
        });
        tokio::spawn(Task::new(config, asked, seen, events.clone()).run());
        Self { asks, seen: watcher, events }
    }

    /// Connects, and waits for the room. It tries for as long as another attempt may help: bound it from outside.
    ///
    /// Errors: why the server will not have this client.
    pub async fn connect(config: Config) -> Result<Self, EndReason> {
        let client = Self::start(config);
        let mut seen = client.seen.clone();
        let ready = seen.wait_for(|seen| seen.room.is_some() || matches!(seen.stage, Stage::Ended(_))).await;
        let stage = ready.map_or(Stage::Ended(EndReason::Stopped), |seen| match &seen.room {
            Some(_) => Stage::Live,
            None => seen.stage,
        });
        match stage {
            Stage::Ended(reason) => Err(reason),
            Stage::Connecting | Stage::Live | Stage::Waiting { .. } => Ok(client),
        }
    }

    /// What the client sees now.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// The room as last told.
    pub fn room(&self) -> Option<Arc<RoomView>> {
        self.seen.borrow().room.clone()
    }

    /// What the client sees, to be watched.
    pub fn watch(&self) -> watch::Receiver<Seen> {
        self.seen.clone()
    }

    /// What happens from now on. Whoever falls 256 events behind loses the oldest and is told how many.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Gives a command; the version that includes its effect. Over a reconnect it is sent again, under the same id,
    /// until it is answered, so it may take as long as the server is away.
    pub async fn command(&self, body: CommandBody) -> Result<u64, Refusal> {
        self.ask(None, body).await
    }

    /// Gives a command under an id of the caller's (1 to 64 characters), as someone does who repeats a command of an
    /// earlier process.
    pub async fn command_as(&self, id: impl Into<String>, body: CommandBody) -> Result<u64, Refusal> {
        self.ask(Some(id.into()), body).await
    }

    async fn ask(&self, id: Option<String>, body: CommandBody) -> Result<u64, Refusal> {
        if body == (CommandBody::Ping {}) {
            self.ping().await?;
            return Ok(self.room().map_or(0, |room| room.version));
        }
        let (waiter, answer) = oneshot::channel();
        self.asks.send(Ask::Command(id, body, waiter)).await.map_err(|_| self.ended())?;
        answer.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// Asks for the server's time; the best estimate so far, of all pings.
    pub async fn ping(&self) -> Result<Estimate, Refusal> {
        let (waiter, answer) = oneshot::channel();
        self.asks.send(Ask::Ping(waiter)).await.map_err(|_| self.ended())?;
        answer.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// Waits until the room is as `wanted` says, up to `deadline` from now.
    pub async fn wait_for(
        &self,
        mut wanted: impl FnMut(&RoomView) -> bool + Send,
        deadline: Duration,
    ) -> Result<Arc<RoomView>, WaitError> {
        let mut seen = self.seen.clone();
        let mut found = None;
        let wait = seen.wait_for(|seen| {
            found = seen.room.as_ref().filter(|room| wanted(room)).cloned();
            found.is_some() || matches!(seen.stage, Stage::Ended(_))
        });
        let done = timeout(deadline, wait).await.is_ok();
        match found {
            Some(room) => Ok(room),
            None if done => match self.seen.borrow().stage {
                Stage::Ended(reason) => Err(WaitError::Ended(reason)),
                Stage::Connecting | Stage::Live | Stage::Waiting { .. } => {
                    Err(WaitError::Ended(EndReason::Stopped))
                }
            },
            None => Err(WaitError::Deadline(self.room())),
        }
    }

    /// Waits until there will be no further attempt.
    pub async fn ended_because(&self) -> EndReason {
        let mut seen = self.seen.clone();
        let ended = seen.wait_for(|seen| matches!(seen.stage, Stage::Ended(_))).await;
        match ended.map(|seen| seen.stage) {
            Ok(Stage::Ended(reason)) => reason,
            _ => EndReason::Stopped,
        }
    }

    /// Drops the socket without a word, as a lost network does; the client comes back by itself.
    pub async fn cut(&self) {
        self.tell(Ask::Cut).await;
    }

    /// Tries again at once where the client waits.
    pub async fn retry_now(&self) {
        self.tell(Ask::Retry).await;
    }

    /// Closes the connection and waits until that is done. The member stays in the room.
    pub async fn stop(self) {
        self.tell(Ask::Stop).await;
        self.ended_because().await;
    }

    async fn tell(&self, ask: Ask) {
        // A task that has ended has nothing left to do.
        drop(self.asks.send(ask).await);
    }

    fn ended(&self) -> Refusal {
        match self.seen.borrow().stage {
            Stage::Ended(reason) => Refusal::Ended(reason),
            Stage::Connecting | Stage::Live | Stage::Waiting { .. } => Refusal::Ended(EndReason::Stopped),
        }
    }
}
