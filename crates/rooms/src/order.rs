//! What the room wants of Spotify: written down, carried out in order, each at most once.

use kernel::{MemberId, Timestamp};
use serde::{Deserialize, Serialize};

/// An order's number within its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u64);

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Act {
    /// Skip, because the ballot carried.
    SkipByVote {
        /// The ballot of the order's epoch.
        ballot: u64,
    },
    /// Skip at once.
    Skip,
    /// Back to the track before.
    Previous,
    /// Play on.
    Play,
    /// Pause.
    Pause,
    /// Go to a position.
    Seek {
        /// In milliseconds.
        position_ms: u64,
    },
    /// Set the volume.
    SetVolume {
        /// 0 to 100.
        percent: u8,
    },
    /// Play on another device.
    Transfer {
        /// Which.
        device_id: String,
    },
    /// Play this.
    PlayNow {
        /// A track, album, artist or playlist.
        uri: String,
    },
}

impl Act {
    /// The command that asks for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SkipByVote { .. } => "vote_skip",
            Self::Skip => "skip",
            Self::Previous => "previous",
            Self::Play => "play",
            Self::Pause => "pause",
            Self::Seek { .. } => "seek",
            Self::SetVolume { .. } => "set_volume",
            Self::Transfer { .. } => "transfer",
            Self::PlayNow { .. } => "play_now",
        }
    }

    /// Whether it moves on from the item that plays, so that doing it twice would hit another item.
    pub const fn leaves_item(&self) -> bool {
        matches!(self, Self::SkipByVote { .. } | Self::Skip | Self::Previous)
    }
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum OrderState {
    /// To be carried out, not before the instant.
    Waiting {
        /// When it may be.
        not_before: Timestamp,
    },
    /// Spotify is being asked, since then. It is never asked again.
    Sent {
        /// Since when.
        at: Timestamp,
    },
    /// Asked, but the answer was not heard.
    Unknown {
        /// Since when.
        at: Timestamp,
    },
}

/// What the room wants of Spotify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number; they only grow.
    pub id: OrderId,
    /// What is to be done.
    #[serde(flatten)]
    pub act: Act,
    /// Who asked, where one member did.
    pub by: Option<MemberId>,
    /// The epoch that was playing when it was asked.
    pub epoch: u64,
    /// When it was asked.
    pub placed_at: Timestamp,
    /// How far it is.
    pub progress: OrderState,
}
