//! The player, its devices and its queue.

use serde_json::Value;

use super::catalogue::{Episode, Track};
use super::json::{Look, read_all};

/// What sort of thing plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Playing {
    /// A track.
    Track,
    /// A podcast.
    Episode,
    /// An advert.
    Ad,
    /// Spotify does not say, or says something new.
    Unknown,
}

/// The thing that plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A track, perhaps a local file.
    Track(Track),
    /// An episode of a podcast.
    Episode(Episode),
    /// Not told: adverts, a device that was just woken, or nothing that is understood.
    None,
}

impl Item {
    /// The thing's URI.
    pub fn uri(&self) -> Option<&str> {
        match self {
            Self::Track(track) => Some(&track.uri),
            Self::Episode(episode) => Some(&episode.uri),
            Self::None => None,
        }
    }

    /// The thing's length, where it is known.
    pub fn duration_ms(&self) -> Option<u64> {
        let length = match self {
            Self::Track(track) => track.duration_ms,
            Self::Episode(episode) => episode.duration_ms,
            Self::None => 0,
        };
        (length > 0).then_some(length)
    }

    fn read(value: Option<&Value>) -> Self {
        let Some(value) = value else { return Self::None };
        if is_episode(value) {
            return Episode::read(value).map_or(Self::None, Self::Episode);
        }
        Track::read(value).map_or(Self::None, Self::Track)
    }
}

fn is_episode(value: &Value) -> bool {
    value.text("type").is_some_and(|kind| kind == "episode")
        || value.text("uri").is_some_and(|uri| uri.starts_with("spotify:episode:"))
}

/// How the player repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Not at all.
    Off,
    /// One track.
    Track,
    /// The album or playlist.
    Context,
}

/// What the player does not allow at the moment. Spotify sends only what is disallowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent facts, each read by its name")]
pub struct Disallows {
    /// Pausing.
    pub pausing: bool,
    /// Resuming.
    pub resuming: bool,
    /// Seeking.
    pub seeking: bool,
    /// The next track.
    pub skipping_next: bool,
    /// The previous track.
    pub skipping_prev: bool,
    /// Moving to another device.
    pub transferring_playback: bool,
    /// Playing something else.
    pub interrupting_playback: bool,
}

impl Disallows {
    fn read(value: Option<&Value>) -> Self {
        let says = |key| value.and_then(|disallows| disallows.truth(key)).unwrap_or(false);
        Self {
            pausing: says("pausing"),
            resuming: says("resuming"),
            seeking: says("seeking"),
            skipping_next: says("skipping_next"),
            skipping_prev: says("skipping_prev"),
            transferring_playback: says("transferring_playback"),
            interrupting_playback: says("interrupting_playback"),
        }
    }
}

/// A playback device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id; without one it cannot be named in a command.
    pub id: Option<String>,
    /// Its name; may be empty.
    pub name: String,
    /// `Computer`, `Smartphone`, `Speaker` and whatever else Spotify says, in its capitals.
    pub kind: String,
    /// Whether it is the one that plays.
    pub is_active: bool,
    /// Whether it refuses every command from outside.
    pub is_restricted: bool,
    /// Whether what it plays is hidden from others.
    pub is_private_session: bool,
    /// Whether its volume can be set from outside, where Spotify says.
    pub supports_volume: Option<bool>,
    /// 0 to 100.
    pub volume_percent: Option<u8>,
}

impl Device {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        value.is_object().then(|| Self {
            id: value.text("id"),
            name: value.text("name").unwrap_or_default(),
            kind: value.text("type").unwrap_or_else(|| "Unknown".to_owned()),
            is_active: value.truth("is_active").unwrap_or(false),
            is_restricted: value.truth("is_restricted").unwrap_or(false),
            is_private_session: value.truth("is_private_session").unwrap_or(false),
            supports_volume: value.truth("supports_volume"),
            volume_percent: value.count("volume_percent").map(|volume| volume.min(100) as u8),
        })
    }

    pub(crate) fn read_list(value: &Value) -> Option<Vec<Self>> {
        value.look("devices")?.as_array().map(|list| read_all(list, Self::read).0)
    }
}

/// What the player does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerState {
    /// Where it plays.
    pub device: Option<Device>,
    /// Whether it plays; may lag behind a command by seconds.
    pub is_playing: bool,
    /// How far it is; may be absent, or run past the end.
    pub progress_ms: Option<u64>,
    /// What plays.
    pub item: Item,
    /// The album, playlist or the like that it plays from.
    pub context_uri: Option<String>,
    /// What sort of thing plays.
    pub kind: Playing,
    /// What is not allowed at the moment.
    pub disallows: Disallows,
    /// How it repeats.
    pub repeat: Option<Repeat>,
    /// Whether it shuffles.
    pub shuffle: Option<bool>,
    /// Spotify's `timestamp`, in milliseconds since the epoch: when the state last changed, perhaps. No clock.
    pub changed_at: Option<u64>,
}

impl PlayerState {
    /// A player is any object that says whether it plays, what, or where.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let known = ["is_playing", "item", "device", "currently_playing_type"];
        if !known.iter().any(|key| value.get(key).is_some()) {
            return None;
        }
        let item = Item::read(value.look("item"));
        Some(Self {
            device: value.look("device").and_then(Device::read),
            is_playing: value.truth("is_playing").unwrap_or(false),
            progress_ms: value.count("progress_ms"),
            context_uri: value.look("context").and_then(|context| context.text("uri")),
            kind: kind_of(value.text("currently_playing_type").as_deref(), &item),
            item,
            disallows: Disallows::read(value.look("actions").and_then(|actions| actions.look("disallows"))),
            repeat: match value.text("repeat_state").as_deref() {
                Some("off") => Some(Repeat::Off),
                Some("track") => Some(Repeat::Track),
                Some("context") => Some(Repeat::Context),
                _ => None,
            },
            shuffle: value.truth("shuffle_state"),
            changed_at: value.count("timestamp"),
        })
    }
}

/// The word decides; where it is missing, the item does.
fn kind_of(word: Option<&str>, item: &Item) -> Playing {
    match (word, item) {
        (Some("track"), _) | (None, Item::Track(_)) => Playing::Track,
        (Some("episode"), _) | (None, Item::Episode(_)) => Playing::Episode,
        (Some("ad"), _) => Playing::Ad,
        _ => Playing::Unknown,
    }
}

/// What Spotify would play next. Cyclic, and a mixture of what was queued and what the context brings: not a queue
/// that can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// What plays.
    pub current: Item,
    /// What may follow, in order.
    pub upcoming: Vec<Item>,
    /// How many elements were not understood.
    pub skipped: usize,
}

impl Queue {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let list = value.look("queue")?.as_array()?;
        let read = |value: &Value| Some(Item::read(Some(value))).filter(|item| *item != Item::None);
        let (upcoming, skipped) = read_all(list, read);
        Some(Self { current: Item::read(value.look("currently_playing")), upcoming, skipped })
    }
}
