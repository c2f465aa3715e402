//! Tracks, playlists, people.

use serde_json::Value;

use super::json::{Look, picture, read_all};

/// Something with a name, and a URI where it is in the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Its name; may be empty.
    pub name: String,
    /// Its URI; local files have none.
    pub uri: Option<String>,
}

impl Named {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        value
            .is_object()
            .then(|| Self { name: value.text("name").unwrap_or_default(), uri: value.text("uri") })
    }
}

/// An artist.
pub type Artist = Named;

/// A track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Its URI, the only key that every track has.
    pub uri: String,
    /// Its id; local files have none.
    pub id: Option<String>,
    /// Its title; may be empty.
    pub name: String,
    /// Who made it.
    pub artists: Vec<Artist>,
    /// The album; empty where the answer has none (the tracks of an album).
    pub album: Named,
    /// A picture, about 300 px wide or more.
    pub image_url: Option<String>,
    /// Its length; 0 where the answer has none.
    pub duration_ms: u64,
    /// Marked as explicit.
    pub explicit: bool,
    /// Its page at Spotify.
    pub url: Option<String>,
    /// Whether this account can play it, where the answer says.
    pub is_playable: Option<bool>,
}

impl Track {
    /// A track, which is anything with a URI that is not marked as something else.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let uri = value.text("uri")?;
        if value.text("type").is_some_and(|kind| kind != "track") || uri.starts_with("spotify:episode:") {
            return None;
        }
        let album = value.look("album");
        Some(Self {
            uri,
            id: value.text("id"),
            name: value.text("name").unwrap_or_default(),
            artists: read_all(value.list("artists"), Named::read).0,
            album: album.and_then(Named::read).unwrap_or_default(),
            image_url: album.and_then(|album| picture(album.list("images"))),
            duration_ms: value.count("duration_ms").unwrap_or(0),
            explicit: value.truth("explicit").unwrap_or(false),
            url: page_url(value),
            is_playable: value.truth("is_playable"),
        })
    }
}

/// An episode of a podcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Its URI.
    pub uri: String,
    /// Its title.
    pub name: String,
    /// The podcast.
    pub show: Named,
    /// A picture, about 300 px wide or more.
    pub image_url: Option<String>,
    /// Its length; 0 where the answer has none.
    pub duration_ms: u64,
    /// Marked as explicit.
    pub explicit: bool,
    /// Its page at Spotify.
    pub url: Option<String>,
}

impl Episode {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let show = value.look("show");
        let show_picture = || show.and_then(|show| picture(show.list("images")));
        Some(Self {
            uri: value.text("uri")?,
            name: value.text("name").unwrap_or_default(),
            show: show.and_then(Named::read).unwrap_or_default(),
            image_url: picture(value.list("images")).or_else(show_picture),
            duration_ms: value.count("duration_ms").unwrap_or(0),
            explicit: value.truth("explicit").unwrap_or(false),
            url: page_url(value),
        })
    }
}

/// A saved track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedTrack {
    /// When it was saved, as Spotify writes it (ISO 8601, UTC).
    pub added_at: Option<String>,
    /// The track.
    pub track: Track,
}

impl SavedTrack {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let track = value.look("track").or_else(|| value.look("item"))?;
        Some(Self { added_at: value.text("added_at"), track: Track::read(track)? })
    }

    /// An item of a playlist: `item` is the new key, `track` its old duplicate, and either may be null.
    pub(crate) fn read_playlist_item(value: &Value) -> Option<Self> {
        let track = value.look("item").or_else(|| value.look("track"))?;
        Some(Self { added_at: value.text("added_at"), track: Track::read(track)? })
    }
}

/// A playlist, without its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playlist {
    /// Its URI.
    pub uri: String,
    /// Its id.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// The owner's user id.
    pub owner_id: Option<String>,
    /// The owner's name, where it has one.
    pub owner_name: Option<String>,
    /// A picture; the address expires within a day.
    pub image_url: Option<String>,
    /// How many items it has, where the answer says.
    pub tracks: Option<u64>,
    /// Others add to it too.
    pub collaborative: bool,
    /// Shown on the profile, where the answer says. No access control.
    pub public: Option<bool>,
}

impl Playlist {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let uri = value.text("uri")?;
        let id = value.text("id").or_else(|| uri.rsplit(':').next().map(str::to_owned))?;
        let owner = value.look("owner");
        let total = |key| value.look(key).and_then(|items| items.count("total"));
        Some(Self {
            id,
            name: value.text("name").unwrap_or_default(),
            owner_id: owner.and_then(|owner| owner.text("id")),
            owner_name: owner.and_then(|owner| owner.text("display_name")),
            image_url: picture(value.list("images")),
            tracks: total("items").or_else(|| total("tracks")),
            collaborative: value.truth("collaborative").unwrap_or(false),
            public: value.truth("public"),
            uri,
        })
    }
}

/// An album, without its tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Album {
    /// Its URI.
    pub uri: String,
    /// Its name; may be empty after a takedown.
    pub name: String,
    /// Who made it.
    pub artists: Vec<Artist>,
    /// A picture, about 300 px wide or more.
    pub image_url: Option<String>,
    /// `2026`, `2026-03` or `2026-03-01`.
    pub release_date: Option<String>,
    /// How many tracks it has.
    pub total_tracks: Option<u64>,
}

impl Album {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            uri: value.text("uri")?,
            name: value.text("name").unwrap_or_default(),
            artists: read_all(value.list("artists"), Named::read).0,
            image_url: picture(value.list("images")),
            release_date: value.text("release_date"),
            total_tracks: value.count("total_tracks"),
        })
    }
}

/// The account behind a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The immutable `account_id`; absent in older answers.
    pub account_id: Option<String>,
    /// The user id.
    pub id: String,
    /// The name, where the user has one.
    pub display_name: Option<String>,
    /// A picture.
    pub image_url: Option<String>,
    /// `premium`, `free` or `open`, where Spotify still tells (not in development mode).
    pub product: Option<String>,
}

impl Profile {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let account_id = value.text("account_id");
        Some(Self {
            id: value.text("id").or_else(|| account_id.clone())?,
            account_id,
            display_name: value.text("display_name"),
            image_url: picture(value.list("images")),
            product: value.text("product"),
        })
    }

    /// What tells accounts apart: `account_id`, or `id` where that is absent.
    pub fn link_id(&self) -> &str {
        self.account_id.as_deref().unwrap_or(&self.id)
    }
}

fn page_url(value: &Value) -> Option<String> {
    value.look("external_urls")?.text("spotify").filter(|url| url.starts_with("http"))
}
