//! The catalogue, one thing at a time: apps in development mode have no batch calls.

use kernel::Secret;
use serde_json::Value;

use crate::classify::Call;
use crate::client::{Ask, Client};
use crate::error::Error;
use crate::group::Group;
use crate::id::{SpotifyUri, UriKind};
use crate::library::{id_of, page};
use crate::model::{Album, Named, Page, Playlist, Track, page_of};

/// The most that search and an artist's albums give at once in development mode; more is 400 there.
const SMALL_LIMIT_MAX: u32 = 10;
const LIMIT_MAX: u32 = 50;

/// What to search for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SearchKind {
    /// Tracks.
    Track,
    /// Artists.
    Artist,
    /// Albums.
    Album,
    /// Playlists; entries are often null.
    Playlist,
}

impl Client {
    /// A track.
    pub async fn track(&self, token: &Secret<String>, track: &SpotifyUri) -> Result<Track, Error> {
        let call = Call::read("track", Group::Catalogue);
        let path = ["tracks", id_of(track, UriKind::Track, call)?];
        self.read(token, Ask::get(call, &path, &[]), Track::read).await.map(|seen| seen.value)
    }

    /// Tracks by words; `limit` is 1 to 10, `offset` at most 1000.
    pub async fn search(
        &self,
        token: &Secret<String>,
        words: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Track>, Error> {
        self.search_for(token, SearchKind::Track, words, limit, offset, Track::read).await
    }

    /// Artists by words; `limit` is 1 to 10, `offset` at most 1000.
    pub async fn search_artists(
        &self,
        token: &Secret<String>,
        words: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Named>, Error> {
        let read = |value: &Value| Named::read(value).filter(|artist| artist.uri.is_some());
        self.search_for(token, SearchKind::Artist, words, limit, offset, read).await
    }

    /// Albums by words; `limit` is 1 to 10, `offset` at most 1000.
    pub async fn search_albums(
        &self,
        token: &Secret<String>,
        words: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Album>, Error> {
        self.search_for(token, SearchKind::Album, words, limit, offset, Album::read).await
    }

    /// Playlists by words; `limit` is 1 to 10, `offset` at most 1000.
    pub async fn search_playlists(
        &self,
        token: &Secret<String>,
        words: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Playlist>, Error> {
        self.search_for(token, SearchKind::Playlist, words, limit, offset, Playlist::read).await
    }

    /// A page of an artist's albums and singles; `limit` is 1 to 10.
    pub async fn artist_albums(
        &self,
        token: &Secret<String>,
        artist: &SpotifyUri,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Album>, Error> {
        let call = Call::read("artist.albums", Group::ArtistAlbums);
        let path = ["artists", id_of(artist, UriKind::Artist, call)?, "albums"];
        let [limit, from] = page(limit, SMALL_LIMIT_MAX, offset);
        let query = [("include_groups", "album,single".to_owned()), limit, from];
        let ask = Ask::get(call, &path, &query);
        self.read(token, ask, |value| page_of(value, offset, Album::read)).await.map(|seen| seen.value)
    }

    /// A page of an album's tracks, which come without their album; `limit` is 1 to 50.
    pub async fn album_tracks(
        &self,
        token: &Secret<String>,
        album: &SpotifyUri,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Track>, Error> {
        let call = Call::read("album.tracks", Group::Catalogue);
        let path = ["albums", id_of(album, UriKind::Album, call)?, "tracks"];
        let query = page(limit, LIMIT_MAX, offset);
        let ask = Ask::get(call, &path, &query);
        self.read(token, ask, |value| page_of(value, offset, Track::read)).await.map(|seen| seen.value)
    }

    async fn search_for<T>(
        &self,
        token: &Secret<String>,
        kind: SearchKind,
        words: &str,
        limit: u32,
        offset: u64,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Page<T>, Error> {
        let (one, many) = match kind {
            SearchKind::Track => ("track", "tracks"),
            SearchKind::Artist => ("artist", "artists"),
            SearchKind::Album => ("album", "albums"),
            SearchKind::Playlist => ("playlist", "playlists"),
        };
        let [limit, from] = page(limit, SMALL_LIMIT_MAX, offset.min(1000));
        let query = [("q", words.to_owned()), ("type", one.to_owned()), limit, from];
        let ask = Ask::get(Call::read("search", Group::Search), &["search"], &query);
        let understand = |value: &Value| page_of(value.get(many)?, offset, read);
        self.read(token, ask, understand).await.map(|seen| seen.value)
    }
}
