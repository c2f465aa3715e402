//! What a room's task is asked to do.

use std::sync::Arc;

use kernel::{AccountId, MemberId};
use rooms::{
    Command, CommandId, Departure, JoinOutcome, Notice, Observation, OrderId, OrderOutcome, Proposal,
    Refusal, Sight, Trouble,
};
use serde::{Deserialize, Serialize};
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

/// What the room's tasks at other processes hear with a commit, besides its version.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct News {
    /// What everyone is told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notices: Vec<Notice>,
    /// Whose connections end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) departures: Vec<(MemberId, Departure)>,
    /// What has changed matters little, and may be told later.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) soft: bool,
}

impl News {
    /// Of a version that this process makes.
    pub(super) fn of(proposal: &Proposal) -> Self {
        Self {
            notices: proposal.notices.clone(),
            departures: proposal.departures.clone(),
            soft: proposal.sections.is_empty(),
        }
    }

    /// For the store, which does not look into it. Nothing is no bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        if *self == Self::default() { Vec::new() } else { serde_json::to_vec(self).unwrap_or_default() }
    }

    /// News that cannot be read, of a process of another version, are none: the room itself is read all the same.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
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
