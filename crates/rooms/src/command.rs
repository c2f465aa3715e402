//! What members ask of a room.

use kernel::{MemberId, Timestamp};
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::settings::is_spotify_id;
use crate::{Deed, Reason, Refusal, Role, SettingsPatch};

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

impl Command {
    /// What it is, as far as permission goes.
    pub(crate) const fn deed(&self) -> Deed {
        match self {
            Self::VoteSkip { .. }
            | Self::UnvoteSkip { .. }
            | Self::React { .. }
            | Self::Rename { .. }
            | Self::Leave => Deed::TakePart,
            Self::Play | Self::Pause => Deed::Pause,
            Self::Seek { .. } => Deed::Seek,
            Self::SetVolume { .. } => Deed::SetVolume,
            Self::Skip { .. } | Self::Previous => Deed::Skip,
            Self::Transfer { .. } | Self::PlayNow { .. } | Self::ResumeRoom => Deed::Steer,
            Self::Admit { .. } | Self::Remove { .. } | Self::Ban { .. } | Self::Unban { .. } => {
                Deed::KeepOrder
            }
            Self::SetRole { .. } | Self::Change { .. } | Self::Close => Deed::Own,
        }
    }

    /// Whether what it carries is what it may carry: a percentage, a device's id, a URI, an emoji.
    #[expect(clippy::wildcard_enum_match_arm, reason = "most carry nothing that could be wrong")]
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let device = |id: &str| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        let wrong = match self {
            Self::SetVolume { percent } if *percent > 100 => "percent takes 0 to 100.",
            Self::Transfer { device_id } if !device(device_id) => "device_id takes the id of a device.",
            Self::PlayNow { uri } if !is_playable_uri(uri) => {
                "uri takes a Spotify URI of a track, album, artist or playlist."
            }
            Self::React { emoji } if !is_emoji(emoji) => "emoji takes one emoji.",
            _ => return Ok(()),
        };
        Err(Refusal::new(Reason::BadCommand, wrong))
    }
}

/// How a command was answered, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// When.
    pub at: Timestamp,
    /// A version that includes its effect, or why it was refused.
    pub result: Result<u64, Refusal>,
}

fn is_playable_uri(uri: &str) -> bool {
    ["track", "album", "artist", "playlist"].iter().any(|kind| {
        let id = uri.strip_prefix("spotify:").and_then(|rest| rest.strip_prefix(kind)?.strip_prefix(':'));
        id.is_some_and(is_spotify_id)
    })
}

/// Whether the text may be one emoji: one grapheme of a few code points, none of them a letter, a space or a control.
/// Digits, `#` and `*` pass as parts of keycaps alone.
fn is_emoji(text: &str) -> bool {
    let keycap = text.ends_with('\u{20e3}');
    let part = |c: char| match c {
        '0'..='9' | '#' | '*' => keycap,
        '\u{200d}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => false,
        _ => !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control(),
    };
    let visible = text.chars().any(|c| keycap || !matches!(c, '\u{200d}' | '\u{fe0f}'));
    let short = (1..=12).contains(&text.chars().take(13).count());
    short && visible && text.chars().all(part) && text.graphemes(true).take(2).count() == 1
}
