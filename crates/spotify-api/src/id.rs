//! Spotify's identifiers, parsed where they enter.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a text names nothing of Spotify's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Spotify id, URI or address")]
pub struct UriError;

const ID_CHARS: usize = 22;
const MAX_BYTES: usize = 512;

/// What a URI names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UriKind {
    /// A track.
    Track,
    /// An album.
    Album,
    /// An artist.
    Artist,
    /// A playlist.
    Playlist,
    /// An episode of a podcast.
    Episode,
    /// A podcast.
    Show,
    /// A user; the id may be any text.
    User,
    /// A user's saved tracks, played as a context.
    Collection,
    /// A file on the host's own disk, without an id.
    Local,
}

impl UriKind {
    const WITH_ID: [(&'static str, Self); 6] = [
        ("track", Self::Track),
        ("album", Self::Album),
        ("artist", Self::Artist),
        ("playlist", Self::Playlist),
        ("episode", Self::Episode),
        ("show", Self::Show),
    ];

    fn with_id(word: &str) -> Option<Self> {
        Self::WITH_ID.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
    }

    fn word(self) -> &'static str {
        Self::WITH_ID.iter().find(|(_, kind)| *kind == self).map_or("user", |(name, _)| name)
    }
}

/// A thing of Spotify's by its URI: `spotify:track:…` and so on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpotifyUri {
    kind: UriKind,
    id: Arc<str>,
    text: Arc<str>,
}

impl SpotifyUri {
    /// Takes a URI, an address of `open.spotify.com` (with or without a language and what follows a `?`), or a bare
    /// id of 22 characters, which is a track's.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let text = text.trim();
        if text.len() > MAX_BYTES || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(UriError);
        }
        if let Some(rest) = text.strip_prefix("spotify:") {
            return from_uri(text, rest);
        }
        let address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        if let Some(path) = address.strip_prefix("open.spotify.com/") {
            return from_path(path);
        }
        Self::new(UriKind::Track, text)
    }

    /// The thing of that kind and id (22 characters, base 62).
    pub fn new(kind: UriKind, id: &str) -> Result<Self, UriError> {
        let fits = id.len() == ID_CHARS && id.bytes().all(|b| b.is_ascii_alphanumeric());
        let named = !matches!(kind, UriKind::User | UriKind::Collection | UriKind::Local);
        if !fits || !named {
            return Err(UriError);
        }
        Ok(Self { kind, id: id.into(), text: format!("spotify:{}:{id}", kind.word()).into() })
    }

    /// What it names.
    pub const fn kind(&self) -> UriKind {
        self.kind
    }

    /// The id: 22 characters, or the user's. Empty for a local file.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole URI.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether Spotify's queue takes it: tracks and episodes.
    pub const fn playable(&self) -> bool {
        matches!(self.kind, UriKind::Track | UriKind::Episode)
    }
}

fn from_uri(text: &str, rest: &str) -> Result<SpotifyUri, UriError> {
    let parts: Vec<&str> = rest.split(':').collect();
    match parts.as_slice() {
        ["local", more @ ..] if !more.is_empty() => {
            Ok(SpotifyUri { kind: UriKind::Local, id: "".into(), text: text.into() })
        }
        ["user", user, "playlist", id] if is_user(user) => SpotifyUri::new(UriKind::Playlist, id),
        ["user", user, "collection"] if is_user(user) => {
            Ok(SpotifyUri { kind: UriKind::Collection, id: (*user).into(), text: text.into() })
        }
        ["user", user] if is_user(user) => {
            Ok(SpotifyUri { kind: UriKind::User, id: (*user).into(), text: text.into() })
        }
        [word, id] => UriKind::with_id(word).map_or(Err(UriError), |kind| SpotifyUri::new(kind, id)),
        _ => Err(UriError),
    }
}

fn from_path(path: &str) -> Result<SpotifyUri, UriError> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let mut word = parts.next().ok_or(UriError)?;
    if word.starts_with("intl-") || word == "embed" {
        word = parts.next().ok_or(UriError)?;
    }
    let id = parts.next().ok_or(UriError)?;
    match (UriKind::with_id(word), parts.next()) {
        (Some(kind), None) => SpotifyUri::new(kind, id),
        _ => Err(UriError),
    }
}

fn is_user(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
}

impl fmt::Display for SpotifyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for SpotifyUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for SpotifyUri {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        Self::parse(&text)
    }
}

impl From<SpotifyUri> for String {
    fn from(uri: SpotifyUri) -> Self {
        uri.text.as_ref().to_owned()
    }
}

/// A playback device. Spotify keeps the id "to some extent": fetch it anew rather than keep it for days.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(Arc<str>);

impl DeviceId {
    /// Takes 1 to 256 printable ASCII characters: the shape of the id is not documented.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let fits = (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.into())).ok_or(UriError)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DeviceId {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        Self::parse(&text)
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.0.as_ref().to_owned()
    }
}
