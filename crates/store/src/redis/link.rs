//! One connection that is always being kept: made anew when it ends, and looked at while nobody uses it.

use std::sync::Arc;
use std::time::Duration;

use kernel::Entropy;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value, cmd};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};

use super::dial::{Dial, send};
use super::fault::Fault;
use super::url::Address;
use super::value::text_of;
use crate::Lineage;

/// How often a connection is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Between two attempts to connect: doubled from the first to the second, and a random part of it taken off.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// Which server it is.
#[derive(Clone, Debug)]
pub(super) enum Target {
    At(Address),
    /// The primary, wherever it is by now.
    Primary {
        sentinels: Vec<Address>,
        master: String,
    },
}

/// Where a link tells what it hears.
pub(super) trait Hearing: Send + Sync + 'static {
    /// A new connection can be used: nothing is subscribed on it yet.
    fn opened(&self);
    /// The server has pushed something. Called in the order of the wire; must not wait.
    fn pushed(&self, kind: &PushKind, data: &[Value]);
    /// The connection has ended, and with it every subscription.
    fn closed(&self);
}

/// What a link needs.
pub(super) struct Parts {
    pub(super) dial: Dial,
    pub(super) target: Target,
    pub(super) entropy: Arc<dyn Entropy>,
    /// How long an answer may take before the connection counts as dead.
    pub(super) patience: Duration,
    pub(super) hearing: Option<Arc<dyn Hearing>>,
}

/// A connection, and the memory that it leads to.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) connection: MultiplexedConnection,
    pub(super) lineage: Lineage,
}

#[derive(Clone)]
enum State {
    Up(Live),
    /// Since the connection ended, or the first attempt failed.
    Down {
        since: Option<Instant>,
        why: Fault,
    },
}

/// The handle. The connection ends with it.
pub(super) struct Link {
    state: watch::Receiver<State>,
    reset: Arc<Notify>,
    keeper: AbortHandle,
    /// How long a call waits for a connection that has ended.
    grace: Duration,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Link {
    /// Begins to connect.
    pub(super) fn start(parts: Parts) -> Self {
        let why = Fault::Lost("it is not reached yet".to_owned());
        let (sender, state) = watch::channel(State::Down { since: None, why });
        let grace = parts.dial.times.grace;
        let reset = Arc::new(Notify::new());
        let keeper = tokio::spawn(keep(parts, sender, Arc::clone(&reset))).abort_handle();
        Self { state, reset, keeper, grace }
    }

    /// The connection. Waits for one, but not long after it has ended.
    pub(super) async fn live(&self, deadline: Instant) -> Result<Live, Fault> {
        let mut state = self.state.clone();
        loop {
            let (until, last) = match &*state.borrow_and_update() {
                State::Up(live) => return Ok(live.clone()),
                State::Down { since, why } => {
                    (since.map_or(deadline, |since| deadline.min(since + self.grace)), why.clone())
                }
            };
            if !timeout_at(until, state.changed()).await.is_ok_and(|changed| changed.is_ok()) {
                return Err(last);
            }
        }
    }

    /// Waits for the first connection, however long it takes to `deadline`; ends early with what will not pass.
    pub(super) async fn reach(&self, deadline: Instant) -> Result<MultiplexedConnection, Fault> {
        let mut state = self.state.clone();
        loop {
            let last = match &*state.borrow_and_update() {
                State::Up(live) => return Ok(live.connection.clone()),
                State::Down { why, .. } if matches!(why, Fault::Refused(_)) => return Err(why.clone()),
                State::Down { why, .. } => why.clone(),
            };
            if !timeout_at(deadline, state.changed()).await.is_ok_and(|changed| changed.is_ok()) {
                return Err(last);
            }
        }
    }

    /// The connection, where there is one now.
    pub(super) fn now(&self) -> Option<MultiplexedConnection> {
        match &*self.state.borrow() {
            State::Up(live) => Some(live.connection.clone()),
            State::Down { .. } => None,
        }
    }

    /// Whether there is a connection now.
    pub(super) fn is_up(&self) -> bool {
        matches!(*self.state.borrow(), State::Up(_))
    }

    /// Ends the connection and makes another: this one leads to the wrong server.
    pub(super) fn reset(&self) {
        self.reset.notify_one();
    }
}

async fn keep(parts: Parts, state: watch::Sender<State>, reset: Arc<Notify>) {
    let mut pause = PAUSES.0;
    loop {
        let ended = Arc::new(Notify::new());
        let began = Instant::now();
        match open(&parts, &ended).await {
            Ok(live) => {
                let connection = live.connection.clone();
                state.send_replace(State::Up(live));
                if let Some(hearing) = &parts.hearing {
                    hearing.opened();
                }
                let why = watch_over(&parts, &connection, &ended, &reset).await;
                tracing::warn!(why, "store.redis_lost");
                state.send_replace(State::Down {
                    since: Some(Instant::now()),
                    why: Fault::Lost(why.to_owned()),
                });
                if let Some(hearing) = &parts.hearing {
                    hearing.closed();
                }
                if began.elapsed() > PAUSES.1 {
                    pause = PAUSES.0;
                    continue;
                }
            }
            Err(fault) => state.send_modify(|state| {
                if let State::Down { since, why } = state {
                    since.get_or_insert_with(Instant::now);
                    *why = fault;
                }
            }),
        }
        let whole = u32::try_from(pause.as_millis()).unwrap_or(u32::MAX);
        sleep(Duration::from_millis(u64::from(whole / 2 + parts.entropy.below(whole / 2 + 1)))).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn open(parts: &Parts, ended: &Arc<Notify>) -> Result<Live, Fault> {
    let address = match &parts.target {
        Target::At(address) => address.clone(),
        Target::Primary { sentinels, master } => parts.dial.primary(sentinels, master).await?,
    };
    let (hearing, over) = (parts.hearing.clone(), Arc::clone(ended));
    let pushes = move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            over.notify_one();
        } else if let Some(hearing) = &hearing {
            hearing.pushed(&push.kind, &push.data);
        }
        Ok::<(), redis::aio::SendError>(())
    };
    let connection = parts.dial.connect(&address, pushes).await?;
    if matches!(parts.target, Target::Primary { .. }) {
        primary(&connection, parts.patience).await?;
    }
    let lineage = lineage(&connection, parts.patience).await?;
    Ok(Live { connection, lineage })
}

/// A server forgets nothing as long as it runs, so its run names its memory; a connection leads to one run only.
async fn lineage(connection: &MultiplexedConnection, patience: Duration) -> Result<Lineage, Fault> {
    let silent = || Fault::Lost("no answer in time".to_owned());
    let mut question = cmd("INFO");
    question.arg("server");
    let info = text_of(timeout(patience, send(connection, &question)).await.map_err(|_| silent())??);
    let run = info.lines().find_map(|line| line.trim_end().strip_prefix("run_id:"));
    Ok(run.unwrap_or_default().into())
}

/// A Sentinel may still name the server that was the primary before.
async fn primary(connection: &MultiplexedConnection, patience: Duration) -> Result<(), Fault> {
    let silent = || Fault::Lost("no answer in time".to_owned());
    let answer = timeout(patience, send(connection, &cmd("ROLE"))).await.map_err(|_| silent())??;
    if let Value::Array(parts) = answer
        && parts.first() == Some(&Value::BulkString(b"master".to_vec()))
    {
        return Ok(());
    }
    Err(Fault::NotPrimary("it is not the primary".to_owned()))
}

/// Returns once the connection is of no use any more, and why.
async fn watch_over(
    parts: &Parts,
    connection: &MultiplexedConnection,
    ended: &Notify,
    reset: &Notify,
) -> &'static str {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look.tick().await;
    loop {
        tokio::select! {
            () = ended.notified() => return "the connection ended",
            () = reset.notified() => return "it led to the wrong server",
            _ = look.tick() => {}
        }
        let healthy = async {
            match parts.target {
                Target::At(_) => send(connection, &cmd("PING")).await.map(drop),
                Target::Primary { .. } => primary(connection, parts.patience).await,
            }
        };
        tokio::select! {
            () = ended.notified() => return "the connection ended",
            looked = timeout(parts.patience, healthy) => match looked {
                Err(_) => return "it does not answer",
                Ok(Err(Fault::NotPrimary(_))) => return "it is not the primary any more",
                Ok(Err(Fault::Lost(_))) => return "the connection failed",
                // It lives, whatever it says (LOADING, BUSY, no permission).
                Ok(_) => {}
            }
        }
    }
}
