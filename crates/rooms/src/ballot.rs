//! The vote on what plays.

use kernel::{MemberId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::OrderId;

/// How far a ballot is: `open -> claimed -> sent -> confirmed | refused | unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum BallotState {
    /// Votes are counted.
    Open,
    /// The votes reached the number needed; the order stands.
    Claimed {
        /// What the conductor is to carry out.
        order: OrderId,
    },
    /// Spotify is being asked.
    Sent {
        /// What is being carried out.
        order: OrderId,
    },
    /// Spotify has skipped.
    Confirmed,
    /// Spotify said no; the next ballot opens soon.
    Refused {
        /// When it said so.
        at: Timestamp,
    },
    /// Whether Spotify has skipped is being found out.
    Unknown {
        /// What was asked.
        order: OrderId,
    },
}

/// The vote on one epoch. A vote that is opened again is a new ballot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    /// The epoch that is voted on.
    pub epoch: u64,
    /// Which ballot of that epoch, from 1.
    pub number: u64,
    /// Who is for skipping, in the order of the votes, each once. Some may not count yet.
    pub votes: Vec<MemberId>,
    /// How far it is.
    #[serde(flatten)]
    pub state: BallotState,
}

impl Ballot {
    pub(crate) const fn new(epoch: u64, number: u64) -> Self {
        Self { epoch, number, votes: Vec::new(), state: BallotState::Open }
    }

    /// The order that stands for this ballot.
    pub const fn order(&self) -> Option<OrderId> {
        match self.state {
            BallotState::Claimed { order } | BallotState::Sent { order } | BallotState::Unknown { order } => {
                Some(order)
            }
            BallotState::Open | BallotState::Confirmed | BallotState::Refused { .. } => None,
        }
    }
}
