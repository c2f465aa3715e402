//! What members ask of a room.

use kernel::{MemberId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Refusal, Role, SettingsPatch};

/// A member's own name for one command: 1 to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(String);

impl CommandId {
    /// The id of that text; `None` where it has not 1 to 64 characters.
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().take(65).count();
        (1..=64).contains(&length).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a member asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// For skipping the item of that epoch.
    VoteSkip {
        /// The epoch.
        epoch: u64,
    },
    /// Against it again.
    UnvoteSkip {
        /// The epoch.
        epoch: u64,
    },
    /// Play on.
    Play,
    /// Pause.
    Pause,
    /// Skip the item of that epoch at once.
    Skip {
        /// The epoch.
        epoch: u64,
    },
    /// Back to the track before.
    Previous,
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
    /// Parlor steers again.
    ResumeRoom,
    /// Make a member a moderator, or a guest again.
    SetRole {
        /// Whom.
        member: MemberId,
        /// What.
        role: Role,
    },
    /// Let someone in.
    Admit {
        /// Whom.
        member: MemberId,
    },
    /// Send someone out.
    Remove {
        /// Whom.
        member: MemberId,
    },
    /// Send someone out for good.
    Ban {
        /// Whom.
        member: MemberId,
    },
    /// Take that back.
    Unban {
        /// Whom.
        member: MemberId,
    },
    /// React.
    React {
        /// One emoji.
        emoji: String,
    },
    /// Change one's own name here.
    Rename {
        /// The name, checked.
        name: String,
    },
    /// Leave.
    Leave,
    /// Change the room's name or settings.
    Change {
        /// The room's name, checked.
        name: Option<String>,
        /// The settings that change.
        settings: Option<Box<SettingsPatch>>,
    },
    /// Close the room.
    Close,
}

/// How a command was answered, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// When.
    pub at: Timestamp,
    /// A version that includes its effect, or why it was refused.
    pub result: Result<u64, Refusal>,
}
