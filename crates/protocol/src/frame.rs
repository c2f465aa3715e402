//! The live connection: JSON objects in text frames.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Code, HostView, MembersView, PlaybackView, QueueEntryView, Role, RoomView, SettingsView, SkipView,
};

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame.
    Hello {
        /// The protocol's version.
        protocol: u32,
        /// Who the client is here.
        you: You,
        /// The server's time.
        server_time: i64,
        /// How often the server pings.
        heartbeat_ms: u64,
    },
    /// The whole room: the second frame, and again whenever the client has missed something.
    Snapshot {
        /// The room's version.
        version: u64,
        /// The room.
        room: Box<RoomView>,
    },
    /// The sections that changed.
    Update(Box<Update>),
    /// The command is stored.
    Ack {
        /// The command.
        id: String,
        /// A version that includes its effect.
        version: u64,
    },
    /// The command was not carried out, and changed nothing.
    Refused {
        /// The command; null where the frame had no readable id.
        #[schema(required)]
        id: Option<String>,
        /// Why.
        code: Code,
        /// Why, in words.
        message: String,
        /// After how long it may be tried again; null where that is not known.
        #[serde(default)]
        #[schema(required)]
        retry_ms: Option<u64>,
    },
    /// Something worth showing that is not state.
    Notice(Notice),
    /// The answer to `ping`.
    Pong {
        /// The ping.
        id: String,
        /// The server's time.
        server_time: i64,
    },
    /// The last frame before the server closes.
    Bye {
        /// The close code.
        code: u16,
        /// Why, in words.
        message: String,
        /// After how long to come back; null: do not, or whenever you like.
        #[schema(required)]
        retry_ms: Option<u64>,
    },
}

/// Who the client is in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct You {
    /// The member.
    pub member_id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// The sections that changed; each replaces the client's whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Update {
    /// The room's version.
    pub version: u64,
    /// The room's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose room it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostView>,
    /// What guests may do, and how votes count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<SettingsView>,
    /// What plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback: Option<PlaybackView>,
    /// The vote; null while nothing plays.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(value_type = Option<SkipView>)]
    pub skip: Option<Option<SkipView>>,
    /// What comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Vec<QueueEntryView>>,
    /// Who is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<MembersView>,
}

/// Something worth showing that is not state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// A track was skipped.
    Skipped {
        /// By whom.
        by: SkippedBy,
        /// The epoch that ended.
        epoch: u64,
        /// The member, where one member did it.
        #[schema(required)]
        member_id: Option<String>,
        /// The title that was skipped.
        #[schema(required)]
        track: Option<String>,
    },
    /// The store has lost its last moments: votes may be missing, so everyone votes anew.
    VotesVoided {
        /// The epoch that was voted on.
        epoch: u64,
    },
    /// Someone reacts.
    Reaction {
        /// Who.
        member_id: String,
        /// With what.
        emoji: String,
    },
    /// Someone has joined.
    Joined {
        /// Who.
        member_id: String,
        /// Its name.
        name: String,
    },
    /// A command that had been stored could not be carried out.
    ActionFailed {
        /// Why.
        code: Code,
        /// Why, in words.
        message: String,
        /// The command's word, `vote_skip` for a vote.
        action: String,
        /// Who asked for it, where one member did.
        #[schema(required)]
        member_id: Option<String>,
    },
}

/// By whom a track was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkippedBy {
    /// By vote.
    Vote,
    /// By the host or a moderator.
    Host,
}

/// What a client sends: a command with the id that its answer carries. Unknown keys are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientFrame {
    /// 1 to 64 characters.
    pub id: String,
    /// What is asked.
    #[serde(flatten)]
    pub request: Request,
}

/// What is asked over the live connection.
pub type Request = CommandBody;

/// A command. Over HTTP it is sent without an id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CommandBody {
    /// For skipping what plays.
    VoteSkip {
        /// The epoch that is voted on.
        epoch: u64,
    },
    /// Against it again.
    UnvoteSkip {
        /// The epoch that is voted on.
        epoch: u64,
    },
    /// Play.
    Play {},
    /// Pause.
    Pause {},
    /// Skip at once.
    Skip {
        /// The epoch that is meant.
        epoch: u64,
    },
    /// Back to the previous track.
    Previous {},
    /// Go to a position.
    Seek {
        /// The position.
        position_ms: u64,
    },
    /// Set the volume.
    SetVolume {
        /// 0 to 100.
        percent: u8,
    },
    /// Play on another device.
    Transfer {
        /// The device.
        device_id: String,
    },
    /// Play a track, album, artist or playlist.
    PlayNow {
        /// Its URI.
        uri: String,
    },
    /// Parlor steers again.
    ResumeRoom {},
    /// Make a member a moderator, or a guest again.
    SetRole {
        /// The member.
        member_id: String,
        /// `moderator` or `guest`.
        role: Role,
    },
    /// Let someone in.
    AdmitMember {
        /// The member.
        member_id: String,
    },
    /// Send someone out.
    RemoveMember {
        /// The member.
        member_id: String,
    },
    /// Send someone out for good.
    BanMember {
        /// The member.
        member_id: String,
    },
    /// Take that back.
    UnbanMember {
        /// The member.
        member_id: String,
    },
    /// React.
    React {
        /// One emoji.
        emoji: String,
    },
    /// Asks for `pong`.
    Ping {},
}
