//! The next version of a room, and what goes with it.

use kernel::{MemberId, Timestamp};

use crate::{Refusal, Sections};

/// The next version of a room, to be stored whole or not at all.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The version that it was decided on.
    pub expected: u64,
    /// The version that it makes.
    pub version: u64,
    /// The records that change; `None` deletes.
    pub records: Vec<(String, Option<Vec<u8>>)>,
    /// The sections that changed in a way that should be seen at once.
    pub sections: Sections,
    /// The sections that changed by members coming and going: they may be shown a little later, together.
    pub soft: Sections,
    /// What to tell everyone besides.
    pub notices: Vec<Notice>,
    /// Whose connections must end.
    pub departures: Vec<(MemberId, Departure)>,
    /// Whether the room has been closed.
    pub closed: bool,
    /// Whether something has changed that a conductor goes by: what plays, what is to be done, whether anyone is here.
    pub stirs: bool,
    /// From when all of it may be deleted.
    pub expires_at: Option<Timestamp>,
}

/// By whom a track was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkippedBy {
    /// By vote.
    Vote,
    /// By the host or a moderator.
    Host,
}

/// Something worth showing that is not state.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Notice {
    /// A track was skipped.
    Skipped { by: SkippedBy, epoch: u64, member: Option<MemberId>, track: Option<String> },
    /// The store has lost its last moments: votes may be missing, so everyone votes anew.
    VotesVoided { epoch: u64 },
    /// Someone reacts.
    Reaction { member: MemberId, emoji: String },
    /// Someone has joined.
    Joined { member: MemberId, name: String },
    /// A command that had been stored could not be carried out.
    ActionFailed { refusal: Refusal, action: String, member: Option<MemberId> },
}

/// Why a member's connections must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Departure {
    /// It left.
    Left,
    /// It was removed or banned.
    Removed,
    /// It is forgotten, and its session with it.
    Forgotten,
}
