//! What a room's task is asked to do.

use std::sync::Arc;

use kernel::{AccountId, MemberId};
use rooms::{Command, CommandId, JoinOutcome, Observation, OrderId, OrderOutcome, Refusal, Sight, Trouble};
use store::Fence;
use tokio::sync::oneshot;

use super::HubError;
use crate::net::Connection;

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The room refused it.
    Refused(Refusal),
    /// It could not be stored.
    Hub(HubError),
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        Self::Hub(error)
    }
}

/// What the conductor reports or asks.
#[derive(Clone, Debug)]
pub enum ConductorEvent {
    /// What was seen.
    Observed(Observation),
    /// Spotify is not well.
    Trouble(Trouble),
    /// May this be sent?
    Send(OrderId),
    /// How it went.
    Answered(OrderId, OrderOutcome),
    /// Nothing else has come to play after a skip.
    StopAwaiting,
}

/// What came of it, once stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conducted {
    /// Taken down.
    Noted,
    /// It was seen, and was worth this.
    Seen(Sight),
    /// It may be sent (`true`), or no longer stands.
    MaySend(bool),
}

/// Why a conductor's report was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotConducted {
    /// Another conductor has written with a newer fence: stop.
    Fenced,
    /// The store cannot be reached.
    Hub(HubError),
}

/// Who hears how a command went.
pub(super) enum Reply {
    Live(Arc<Connection>, String),
    Http(oneshot::Sender<Result<u64, Failure>>),
}

/// One thing to do. It can be done again on a newer version, so nothing in it is used up by doing.
pub(super) enum Job {
    Command { member: MemberId, id: Option<CommandId>, command: Command, reply: Reply },
    Join { member: MemberId, name: String, reply: oneshot::Sender<Result<JoinOutcome, HubError>> },
    Arrived(MemberId),
    Departed(MemberId),
    Forget { member: MemberId, reply: oneshot::Sender<Result<(), HubError>> },
    HostConnected { account: AccountId, reply: oneshot::Sender<Result<(), HubError>> },
    HostSilenced { reply: oneshot::Sender<Result<(), HubError>> },
    Conduct { event: ConductorEvent, fence: Fence, reply: oneshot::Sender<Result<Conducted, NotConducted>> },
}

/// What a job came to when it was applied; said to whoever asked once it is stored.
pub(super) enum Outcome {
    Command(Result<u64, Refusal>),
    Join(JoinOutcome),
    Conducted(Conducted),
    Done,
}
