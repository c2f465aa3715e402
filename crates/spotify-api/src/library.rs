//! The host's own: profile, saved tracks, playlists.

use kernel::Secret;

use crate::classify::Call;
use crate::client::{Ask, Client};
use crate::error::{Error, ErrorKind};
use crate::group::Group;
use crate::id::{SpotifyUri, UriKind};
use crate::model::{Page, Playlist, Profile, SavedTrack, page_of};

/// The most that these lists give at once.
const LIMIT_MAX: u32 = 50;

impl Client {
    /// The account behind the token. It does not tell whether the account has Premium.
    pub async fn me(&self, token: &Secret<String>) -> Result<Profile, Error> {
        let ask = Ask::get(Call::read("me", Group::Me), &["me"], &[]);
        self.read(token, ask, Profile::read).await.map(|seen| seen.value)
    }

    /// A page of the saved tracks, newest first; `limit` is 1 to 50.
    pub async fn me_tracks(
        &self,
        token: &Secret<String>,
        limit: u32,
        offset: u64,
    ) -> Result<Page<SavedTrack>, Error> {
        let query = page(limit, LIMIT_MAX, offset);
        let ask = Ask::get(Call::read("me.tracks", Group::Me), &["me", "tracks"], &query);
        self.read(token, ask, |value| page_of(value, offset, SavedTrack::read)).await.map(|seen| seen.value)
    }

    /// A page of the playlists that the host owns or follows; `limit` is 1 to 50.
    pub async fn me_playlists(
        &self,
        token: &Secret<String>,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Playlist>, Error> {
        let query = page(limit, LIMIT_MAX, offset);
        let ask = Ask::get(Call::read("me.playlists", Group::Playlist), &["me", "playlists"], &query);
        self.read(token, ask, |value| page_of(value, offset, Playlist::read)).await.map(|seen| seen.value)
    }

    /// A page of a playlist's tracks, which Spotify gives only to its owner and collaborators; episodes are skipped.
    /// `limit` is 1 to 50.
    pub async fn playlist_items(
        &self,
        token: &Secret<String>,
        playlist: &SpotifyUri,
        limit: u32,
        offset: u64,
    ) -> Result<Page<SavedTrack>, Error> {
        let call = Call::read("playlist.items", Group::Playlist);
        let id = id_of(playlist, UriKind::Playlist, call)?;
        let query = page(limit, LIMIT_MAX, offset);
        let path = ["playlists", id, "items"];
        let ask = Ask::get(call, &path, &query);
        let read = SavedTrack::read_playlist_item;
        self.read(token, ask, |value| page_of(value, offset, read)).await.map(|seen| seen.value)
    }
}

pub(crate) fn page(limit: u32, most: u32, offset: u64) -> [(&'static str, String); 2] {
    [("limit", limit.clamp(1, most).to_string()), ("offset", offset.to_string())]
}

/// The id of a thing that has to be of that kind; refused here where it is not.
pub(crate) fn id_of(uri: &SpotifyUri, kind: UriKind, call: Call) -> Result<&str, Error> {
    if uri.kind() == kind { Ok(uri.id()) } else { Err(Error::new(ErrorKind::BadRequest, call.name)) }
}
