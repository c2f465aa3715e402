//! What can play, and on what.

use crate::world::catalogue::Catalogue;
use crate::world::ids::Kind;

/// Something that can play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Track(usize),
    Episode(usize),
    /// A file on the host's own machine.
    Local,
    Ad,
    /// What Spotify itself does not name.
    Unknown,
}

/// The URI of the one local file.
pub(crate) const LOCAL_URI: &str = "spotify:local:The+Garage+Tapes:Demos:Basement+Take+2:184";

impl Item {
    pub(crate) fn duration_ms(self, catalogue: &Catalogue) -> u64 {
        match self {
            Self::Track(index) => catalogue.tracks[index].duration_ms,
            Self::Episode(index) => catalogue.episodes[index].duration_ms,
            Self::Local => 184_000,
            Self::Ad => 30_000,
            Self::Unknown => 240_000,
        }
    }

    /// The URI; for an ad or an unknown item a word that no real URI is.
    pub(crate) fn uri(self, catalogue: &Catalogue) -> String {
        match self {
            Self::Track(index) => catalogue.uri(Kind::Track, index),
            Self::Episode(index) => catalogue.uri(Kind::Episode, index),
            Self::Local => LOCAL_URI.to_owned(),
            Self::Ad => "spotify:ad".to_owned(),
            Self::Unknown => "spotify:unknown".to_owned(),
        }
    }

    pub(super) fn playable(self, catalogue: &Catalogue) -> bool {
        !matches!(self, Self::Track(index) if !catalogue.tracks[index].playable)
    }
}

/// A Spotify Connect device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) is_restricted: bool,
    pub(crate) supports_volume: bool,
    pub(crate) volume_percent: Option<u8>,
    /// It was idle for so long that it left the list of devices; a command with its id wakes it.
    pub(crate) is_asleep: bool,
}
