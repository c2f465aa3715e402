//! A person in the room.

use std::collections::BTreeSet;

use kernel::{NodeId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{ACTIVE_MS, ONLINE_GRACE_MS};

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whose room it is.
    Host,
    /// Keeps order with the host.
    Moderator,
    /// Everyone else.
    Guest,
}

/// Whether someone is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In.
    Admitted,
    /// Waits for the host or a moderator.
    Waiting,
    /// Out for good.
    Banned,
}

/// A person in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The name shown to others.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it is in.
    pub standing: Standing,
    /// When it came in (or began to wait).
    pub joined_at: Timestamp,
    /// When it last did something.
    pub active_at: Timestamp,
    /// The processes that hold a connection of it.
    pub nodes: BTreeSet<NodeId>,
    /// From when the grace runs, while no process holds a connection; `None`: it left.
    pub away_at: Option<Timestamp>,
}

impl Member {
    /// Until when it is online; `None` while a connection lives (no end in sight).
    pub(crate) fn online_until(&self) -> Option<Timestamp> {
        if !self.nodes.is_empty() {
            return None;
        }
        Some(self.away_at.map_or(Timestamp(i64::MIN), |at| at.plus_ms(ONLINE_GRACE_MS)))
    }

    /// Whether it is in and online.
    pub fn is_online(&self, now: Timestamp) -> bool {
        self.standing == Standing::Admitted && self.online_until().is_none_or(|until| now < until)
    }

    pub(crate) fn active_until(&self) -> Timestamp {
        self.active_at.plus_ms(ACTIVE_MS)
    }

    /// From when its vote counts: the host's at once.
    pub(crate) fn vested_at(&self, vote_after_s: u32) -> Timestamp {
        match self.role {
            Role::Host => self.joined_at,
            Role::Moderator | Role::Guest => self.joined_at.plus_ms(u64::from(vote_after_s) * 1000),
        }
    }
}
