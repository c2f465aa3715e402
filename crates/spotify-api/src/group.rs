//! The groups of endpoints that Spotify limits separately, as far as anybody knows.

use std::fmt;

/// A group of endpoints. A quota that is used up closes one group and leaves the others open; Spotify does not publish
/// its groups, these are drawn from public reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Everything under `/me/player`.
    Player,
    /// Playlists, their items and the list of one's own.
    Playlist,
    /// Search.
    Search,
    /// The albums of an artist.
    ArtistAlbums,
    /// Tracks, albums, artists, one at a time.
    Catalogue,
    /// The profile and the saved tracks.
    Me,
}

impl Group {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Player, Self::Playlist, Self::Search, Self::ArtistAlbums, Self::Catalogue, Self::Me];

    /// The group's name in configuration, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Player => "player",
            Self::Playlist => "playlist",
            Self::Search => "search",
            Self::ArtistAlbums => "artist_albums",
            Self::Catalogue => "catalogue",
            Self::Me => "me",
        }
    }

    /// The group of that name; a dash may stand for the underscore.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|group| group.name() == name)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
