//! What can be played as a whole: albums, artists, playlists, saved tracks, the podcast.

use kernel::Timestamp;

use super::World;
use super::account::User;
use super::ids::{Kind, Named};
use super::library::{Line, Playlist};
use super::player::Item;

/// How many of an artist's tracks its page plays.
const OF_ARTIST: usize = 10;

impl World {
    /// The items behind a context URI, as `user` would hear them; `None` where it names nothing.
    pub(crate) fn context_items(&mut self, user: User, uri: &str, now: Timestamp) -> Option<Vec<Item>> {
        let catalogue = std::sync::Arc::clone(&self.catalogue);
        let account = self.account(user, now);
        if uri == account.collection_uri() || uri == "spotify:collection" {
            return Some(
                account.library(&catalogue).tracks.iter().map(|(track, _)| Item::Track(*track)).collect(),
            );
        }
        let named = Named::from_uri(catalogue.seed, uri)?;
        if named.kind == Kind::Playlist {
            return self.playlist(named, now).map(|list| list.items());
        }
        let index = catalogue.find(named.kind, &named.id(catalogue.seed))?;
        Some(match named.kind {
            Kind::Album => catalogue.albums[index].tracks.clone().map(Item::Track).collect(),
            Kind::Artist => {
                catalogue.tracks_of_artist(index).into_iter().take(OF_ARTIST).map(Item::Track).collect()
            }
            Kind::Show => (0..catalogue.episodes.len()).map(Item::Episode).collect(),
            Kind::Track | Kind::Episode | Kind::Playlist => return None,
        })
    }

    /// The one item behind a URI.
    pub(crate) fn item(&self, uri: &str) -> Option<Item> {
        if uri == super::player::LOCAL_URI {
            return Some(Item::Local);
        }
        let named = Named::from_uri(self.catalogue.seed, uri)?;
        let index = self.catalogue.find(named.kind, &named.id(self.catalogue.seed))?;
        match named.kind {
            Kind::Track => Some(Item::Track(index)),
            Kind::Episode => Some(Item::Episode(index)),
            Kind::Album | Kind::Artist | Kind::Playlist | Kind::Show => None,
        }
    }

    /// A new line of a playlist with the one item behind a URI.
    pub(crate) fn line(&self, uri: &str, now: Timestamp) -> Option<Line> {
        let item = self.item(uri)?;
        let former = uri.strip_prefix("spotify:track:").and_then(|id| self.catalogue.former(id));
        Some(Line { item: Some(item), former, added_at: now })
    }

    /// A playlist, whoever owns it.
    pub(crate) fn playlist(&mut self, named: Named, now: Timestamp) -> Option<Playlist> {
        let owner = User::from_key(named.owner)?;
        let catalogue = std::sync::Arc::clone(&self.catalogue);
        self.account(owner, now).library(&catalogue).playlist(named).cloned()
    }
}
