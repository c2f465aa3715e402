//! A room as clients hold it, section by section.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The whole room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoomView {
    /// The short code.
    pub code: String,
    /// The room's name.
    pub name: String,
    /// Grows with every change, over restarts and across processes.
    pub version: u64,
    /// When the room was opened, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// Whose room it is.
    pub host: HostView,
    /// What guests may do, and how votes count.
    pub settings: SettingsView,
    /// What plays.
    pub playback: PlaybackView,
    /// The vote on what plays; null while nothing plays.
    #[schema(required)]
    pub skip: Option<SkipView>,
    /// What comes next.
    pub queue: Vec<QueueEntryView>,
    /// Who is here.
    pub members: MembersView,
}

/// Whose room it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostView {
    /// The host's member id.
    pub member_id: String,
    /// The host's name.
    pub name: String,
}

/// What guests may do, and how votes count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that the host sees")]
pub struct SettingsView {
    /// How many votes skip.
    pub skip_rule: SkipRule,
    /// Guests may play and pause.
    pub guests_can_pause: bool,
    /// Guests may seek.
    pub guests_can_seek: bool,
    /// Guests may set the volume.
    pub guests_can_set_volume: bool,
    /// Guests may add tracks.
    pub guests_can_queue: bool,
    /// How the queue is ordered.
    pub queue_order: QueueOrder,
    /// The playlist that plays when the queue is empty.
    #[schema(required)]
    pub fallback_playlist: Option<String>,
    /// How many tracks a member may have waiting; null: any number.
    #[schema(required)]
    pub max_queued_per_member: Option<u32>,
    /// How many tracks a member may add in an hour; null: any number.
    #[schema(required)]
    pub adds_per_hour: Option<u32>,
    /// The longest track, in minutes; null: any.
    #[schema(required)]
    pub max_track_min: Option<u32>,
    /// For how long a track that was played is not taken again, in minutes; null: it is taken at once.
    #[schema(required)]
    pub no_repeat_min: Option<u32>,
    /// Explicit tracks are taken.
    pub allow_explicit: bool,
    /// Who comes in.
    pub admission: Admission,
    /// How long a newcomer waits before its vote counts, in seconds.
    pub vote_after_s: u32,
}

/// How many votes skip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SkipRule {
    /// A fixed number.
    Count {
        /// 1 to 1000.
        value: u32,
    },
    /// A share of the electors, rounded up.
    Share {
        /// 0.01 to 1.0.
        value: f64,
        /// 1 to 1000.
        at_least: u32,
    },
}

/// How the queue is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueOrder {
    /// Members take turns, by the time that each has already had.
    Fair,
    /// Most votes first, then oldest.
    Votes,
    /// Oldest first.
    Arrival,
}

/// Who comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// Everyone with the code; what exceeds 20 newcomers a minute waits.
    Guarded,
    /// Everyone with the code.
    Open,
    /// The host or a moderator admits each newcomer.
    Approve,
    /// Nobody new.
    Locked,
}

/// What plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlaybackView {
    /// How things are.
    pub state: PlaybackState,
    /// Grows by one whenever the playing item changes.
    pub epoch: u64,
    /// Whether it sounds.
    pub is_playing: bool,
    /// The position at `as_of`; at the time `t` it is `progress_ms + (t - as_of)` while `is_playing`.
    pub progress_ms: u64,
    /// When `progress_ms` was true, in the server's time.
    pub as_of: i64,
    /// The track; null where nothing, or nothing that can be named, plays.
    #[schema(required)]
    pub track: Option<TrackView>,
    /// The device; null where there is none.
    #[schema(required)]
    pub device: Option<DeviceView>,
    /// The member who added it; null where the host's own choice plays.
    #[schema(required)]
    pub added_by: Option<String>,
    /// What Spotify forbids now, of `pausing`, `resuming`, `seeking`, `skipping_next`, `skipping_prev`.
    #[serde(default)]
    pub disallows: Vec<String>,
    /// Where Spotify asks to wait: until when; null otherwise.
    #[serde(default)]
    #[schema(required)]
    pub retry_at: Option<i64>,
}

/// How things are with the playback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaybackState {
    /// All is well.
    Ok,
    /// A device is there, nothing plays.
    Idle,
    /// No device is there.
    NoDevice,
    /// The host's authorization is gone.
    NeedsHost,
    /// The host's account has no Premium.
    PremiumRequired,
    /// Spotify asks to wait.
    SpotifyBusy,
    /// Spotify does not answer.
    SpotifyUnavailable,
    /// An advert, or an item that Spotify does not name.
    Private,
    /// The host took over from the room.
    HandsOff,
}

/// A track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrackView {
    /// `spotify:track:…`.
    pub uri: String,
    /// The title.
    pub name: String,
    /// Who plays it.
    pub artists: Vec<ArtistView>,
    /// Where it stands.
    #[schema(required)]
    pub album: Option<AlbumView>,
    /// The artwork.
    #[schema(required)]
    pub image_url: Option<String>,
    /// How long it is.
    pub duration_ms: u64,
    /// Whether it is marked explicit.
    pub explicit: bool,
    /// Its page at Spotify.
    #[schema(required)]
    pub url: Option<String>,
}

/// An artist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArtistView {
    /// The name.
    pub name: String,
    /// `spotify:artist:…`; null for local files.
    #[schema(required)]
    pub uri: Option<String>,
}

/// An album, or a podcast's show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlbumView {
    /// The name.
    pub name: String,
    /// `spotify:album:…`; null for local files.
    #[schema(required)]
    pub uri: Option<String>,
}

/// A Spotify Connect device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    /// Its id; null where Spotify keeps it to itself.
    #[schema(required)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// `Speaker`, `Smartphone`, `Computer`, and whatever else Spotify says.
    pub kind: String,
    /// Whether it is the one that plays.
    #[serde(default)]
    pub is_active: bool,
    /// 0 to 100; null where unknown.
    #[schema(required)]
    pub volume_percent: Option<u8>,
    /// Whether its volume can be set from afar.
    #[serde(default)]
    pub supports_volume: bool,
}

/// The vote on what plays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkipView {
    /// The epoch that is voted on.
    pub epoch: u64,
    /// The ballot within the epoch; a vote that is opened again is a new one.
    pub ballot: u64,
    /// Who is for skipping.
    pub votes: Vec<String>,
    /// How many votes skip now.
    pub needed: u32,
    /// How many members count now.
    pub electors: u32,
    /// How far it is.
    pub state: SkipState,
}

/// How far a ballot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipState {
    /// Votes are counted.
    Open,
    /// The votes reached `needed`; the server is about to act.
    Claimed,
    /// Spotify is being asked.
    Sent,
    /// Spotify has skipped.
    Confirmed,
    /// Spotify said no.
    Refused,
    /// Whether Spotify has skipped is being found out.
    Unknown,
}

/// A queued track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueEntryView {
    /// The entry.
    pub id: String,
    /// What it is.
    pub track: TrackView,
    /// Who added it.
    #[schema(required)]
    pub added_by: Option<String>,
    /// Who voted for it.
    pub votes: Vec<String>,
    /// `waiting`, or `next` once it is handed to Spotify.
    pub state: String,
    /// About when it plays.
    #[schema(required)]
    pub starts_at: Option<i64>,
    /// Why it stands where it stands.
    pub why: String,
}

/// Who is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MembersView {
    /// How many members are online.
    pub online: u32,
    /// How many members there are.
    pub total: u32,
    /// The host, the moderators and up to 200 members, those online first.
    pub list: Vec<MemberView>,
    /// Who waits to be let in.
    pub waiting: Vec<WaitingView>,
    /// Who is banned, so that it can be taken back.
    #[serde(default)]
    pub banned: Vec<WaitingView>,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// The member.
    pub member_id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it is here.
    pub online: bool,
}

/// Someone who waits or is banned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingView {
    /// The member.
    pub member_id: String,
    /// Its name.
    pub name: String,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whose room it is.
    Host,
    /// Keeps order with the host.
    Moderator,
    /// Everyone else.
    Guest,
}

/// The settings that change; those absent stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsPatch {
    /// How many votes skip.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub skip_rule: Option<SkipRule>,
    /// Guests may play and pause.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub guests_can_pause: Option<bool>,
    /// Guests may seek.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub guests_can_seek: Option<bool>,
    /// Guests may set the volume.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub guests_can_set_volume: Option<bool>,
    /// Guests may add tracks.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub guests_can_queue: Option<bool>,
    /// How the queue is ordered.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub queue_order: Option<QueueOrder>,
    /// The playlist that plays when the queue is empty.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub fallback_playlist: Option<Option<String>>,
    /// How many tracks a member may have waiting.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub max_queued_per_member: Option<Option<u32>>,
    /// How many tracks a member may add in an hour.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub adds_per_hour: Option<Option<u32>>,
    /// The longest track, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub max_track_min: Option<Option<u32>>,
    /// For how long a track that was played is not taken again, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub no_repeat_min: Option<Option<u32>>,
    /// Explicit tracks are taken.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub allow_explicit: Option<bool>,
    /// Who comes in.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub admission: Option<Admission>,
    /// How long a newcomer waits before its vote counts, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schema(nullable = false)]
    pub vote_after_s: Option<u32>,
}
