//! Bodies of the HTTP API.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Code, DeviceView, Role, SettingsPatch, TrackView};

/// An error (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the code says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// Stable; decide by this.
    pub code: Code,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// How many there are in all; null where that is not known.
    #[schema(required)]
    pub total: Option<u64>,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The person, as others see it.
    pub member_id: String,
    /// The name shown to others.
    pub name: String,
    /// The Spotify account behind this session; null where there is none.
    #[schema(required)]
    pub spotify: Option<Account>,
    /// The rooms of this person, newest first.
    pub rooms: Vec<KnownRoom>,
    /// Set where the Spotify behind the service is simulated.
    #[schema(required)]
    pub demo: Option<DemoInfo>,
}

/// The simulated Spotify of the demo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DemoInfo {
    /// The page that plays the part of Spotify's own app.
    pub player_url: String,
}

/// The Spotify account behind a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Spotify's user id.
    pub id: String,
    /// Spotify's name of it.
    #[schema(required)]
    pub display_name: Option<String>,
    /// Its picture.
    #[schema(required)]
    pub image_url: Option<String>,
    /// The Spotify app that it authorized.
    pub client_id: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// When it was authorized.
    pub connected_at: i64,
    /// When the authorization ends (six months after it was given).
    pub authorization_ends_at: i64,
    /// Whether it has Premium; null until that is known.
    #[schema(required)]
    pub premium: Option<bool>,
    /// Whether it must be authorized again.
    #[serde(default)]
    pub needs_login: bool,
}

/// A room that this browser knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownRoom {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What this person may do there.
    pub role: Role,
}

/// `PATCH /api/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchMe {
    /// 1 to 32 characters after trimming.
    pub name: String,
}

/// `POST /api/rooms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRoom {
    /// The room's name.
    pub name: String,
    /// What differs from the defaults.
    #[serde(default)]
    pub settings: Option<SettingsPatch>,
}

/// `PATCH /api/rooms/{code}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRoom {
    /// A new name.
    pub name: Option<String>,
    /// The settings that change.
    pub settings: Option<SettingsPatch>,
}

/// `POST /api/rooms/{code}/join`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRoom {
    /// The name to show; absent: the session's.
    pub name: Option<String>,
}

/// The public card of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomCard {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Whose room it is.
    pub host_name: String,
    /// How many are there.
    pub members_online: u32,
    /// What plays; null where nothing does.
    #[schema(required)]
    pub now_playing: Option<TrackView>,
}

/// The answer to a join that waits to be approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinWaiting {
    /// The public card.
    #[serde(flatten)]
    pub card: RoomCard,
    /// Always true.
    pub waiting: bool,
}

/// The answer to a command over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandResult {
    /// A version of the room that includes its effect.
    pub version: u64,
}

/// The host's devices.
pub type DeviceList = List<DeviceView>;

/// A saved track of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedTrack {
    /// When it was saved.
    #[schema(required)]
    pub added_at: Option<i64>,
    /// What it is.
    pub track: TrackView,
}

/// A playlist of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Playlist {
    /// `spotify:playlist:…`.
    pub uri: String,
    /// Its name.
    pub name: String,
    /// Whose it is.
    #[schema(required)]
    pub owner: Option<String>,
    /// Its picture.
    #[schema(required)]
    pub image_url: Option<String>,
    /// How many tracks it has; null where Spotify does not say.
    #[schema(required)]
    pub tracks: Option<u64>,
    /// Whether its tracks can be read and so played by the room.
    pub playable: bool,
}
