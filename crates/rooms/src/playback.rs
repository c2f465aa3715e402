//! What plays, as far as the room knows.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// A track (or an episode, told as one).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// `spotify:track:…`.
    pub uri: String,
    /// The title.
    pub name: String,
    /// Who plays it.
    pub artists: Vec<Artist>,
    /// Where it stands.
    pub album: Option<Album>,
    /// The artwork.
    pub image_url: Option<String>,
    /// How long it is, in milliseconds.
    pub duration_ms: u64,
    /// Whether it is marked explicit.
    pub explicit: bool,
    /// Its page at Spotify.
    pub url: Option<String>,
}

/// An artist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artist {
    /// The name.
    pub name: String,
    /// `spotify:artist:…`.
    pub uri: Option<String>,
}

/// An album, or a podcast's show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Album {
    /// The name.
    pub name: String,
    /// `spotify:album:…`.
    pub uri: Option<String>,
}

/// A Spotify Connect device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its id, where Spotify tells it.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is, in Spotify's word.
    pub kind: String,
    /// 0 to 100.
    pub volume_percent: Option<u8>,
    /// Whether its volume can be set from afar.
    pub supports_volume: bool,
}

/// What Spotify forbids now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "Spotify's own set of flags")]
pub struct Disallows {
    /// To pause.
    pub pausing: bool,
    /// To play.
    pub resuming: bool,
    /// To seek.
    pub seeking: bool,
    /// To skip.
    pub skipping_next: bool,
    /// To go back.
    pub skipping_prev: bool,
}

/// How things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The account has no Premium.
    PremiumRequired,
    /// Spotify asks to wait.
    SpotifyBusy,
    /// Spotify does not answer.
    SpotifyUnavailable,
    /// An advert, or an unknown item.
    Private,
}

/// What plays, as far as the room knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playback {
    /// How things are.
    pub state: PlaybackState,
    /// Grows by one whenever the playing item changes.
    pub epoch: u64,
    /// Whether it sounds.
    pub is_playing: bool,
    /// The position at `as_of`, in milliseconds.
    pub progress_ms: u64,
    /// When that was the position.
    pub as_of: Timestamp,
    /// The item; `None` where nothing, or nothing that can be named, plays.
    pub track: Option<Track>,
    /// The device.
    pub device: Option<Device>,
    /// What Spotify forbids now.
    pub disallows: Disallows,
    /// Until when Spotify asks to wait.
    pub retry_at: Option<Timestamp>,
    /// Whether Spotify has said that the account has no Premium.
    pub lacks_premium: bool,
    /// When Spotify has last said so.
    #[serde(default)]
    pub premium_refused_at: Timestamp,
    /// When this epoch began.
    pub epoch_at: Timestamp,
    /// The position that the item before had when this epoch began: an answer that still shows it is an echo.
    pub before: Option<Before>,
    /// Until when Spotify's answers may still show the state before the room's last command.
    pub echo_until: Timestamp,
    /// Whether the room's own skip (or step back) of this epoch was carried out, so that its end is due.
    pub leaving: bool,
}

/// The item before, as it stood when it was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Its URI.
    pub uri: String,
    /// Its position at the change, in milliseconds.
    pub progress_ms: u64,
}

impl Playback {
    /// Nothing known yet.
    pub(crate) fn unknown(now: Timestamp) -> Self {
        Self {
            state: PlaybackState::Idle,
            epoch: 0,
            is_playing: false,
            progress_ms: 0,
            as_of: now,
            track: None,
            device: None,
            disallows: Disallows::default(),
            retry_at: None,
            lacks_premium: false,
            premium_refused_at: Timestamp::default(),
            epoch_at: now,
            before: None,
            echo_until: Timestamp::default(),
            leaving: false,
        }
    }

    /// The position at `now` in milliseconds, as if the item had no end.
    pub fn position_unbounded(&self, now: Timestamp) -> u64 {
        self.progress_ms + if self.is_playing { now.since(self.as_of) } else { 0 }
    }

    /// The position at `now`, in milliseconds.
    pub fn position(&self, now: Timestamp) -> u64 {
        let end = self.track.as_ref().map_or(0, |track| track.duration_ms);
        self.position_unbounded(now).min(end)
    }

    /// When the item ends by itself; `None` while nothing is heard.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let track = self.track.as_ref().filter(|_| self.is_playing)?;
        Some(self.as_of.plus_ms(track.duration_ms.saturating_sub(self.progress_ms)))
    }

    /// Whether there is an item that can be voted away.
    pub fn votable(&self) -> bool {
        self.track.is_some() && !matches!(self.state, PlaybackState::NeedsHost | PlaybackState::NoDevice)
    }
}
