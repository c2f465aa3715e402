//! The one table of the Web API's endpoints: what each needs, which quota it draws on, whether February 2026 took it
//! from apps in development mode.

use http::Method;

use crate::world::apps::Group;

/// What an endpoint does. `Removed` is one that only old apps had; the simulator never carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Me,
    Player,
    CurrentlyPlaying,
    Devices,
    Transfer,
    Play,
    Pause,
    Next,
    Previous,
    Seek,
    Volume,
    Shuffle,
    Repeat,
    Queue,
    Enqueue,
    RecentlyPlayed,
    SavedTracks,
    Save,
    Unsave,
    Contains,
    Playlists,
    CreatePlaylist,
    Playlist,
    ChangePlaylist,
    PlaylistItems,
    AddItems,
    ReplaceItems,
    RemoveItems,
    Track,
    Album,
    AlbumTracks,
    Artist,
    ArtistAlbums,
    Show,
    ShowEpisodes,
    Episode,
    Search,
    Removed,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) group: Group,
    /// All of these must have been granted.
    pub(crate) scopes: &'static [&'static str],
    /// Needs Premium and acts on a device.
    pub(crate) command: bool,
}

const READ: &str = "user-read-playback-state";
const NOW: &str = "user-read-currently-playing";
const MODIFY: &str = "user-modify-playback-state";
const LIBRARY: &str = "user-library-read";
const LIBRARY_MODIFY: &str = "user-library-modify";
const PRIVATE: &str = "playlist-read-private";
const POSITION: &str = "user-read-playback-position";

const fn route(
    method: Method,
    template: &'static str,
    endpoint: Endpoint,
    group: Group,
    scopes: &'static [&'static str],
) -> Route {
    Route { method, template, endpoint, group, scopes, command: false }
}

const fn command(method: Method, template: &'static str, endpoint: Endpoint) -> Route {
    Route { method, template, endpoint, group: Group::Player, scopes: &[MODIFY], command: true }
}

const fn removed(method: Method, template: &'static str, group: Group) -> Route {
    route(method, template, Endpoint::Removed, group, &[])
}

const GET: Method = Method::GET;
const PUT: Method = Method::PUT;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

/// Fixed words stand before placeholders that would swallow them.
pub(crate) static ROUTES: &[Route] = &[
    route(GET, "/v1/me", Endpoint::Me, Group::Me, &[]),
    route(GET, "/v1/me/player", Endpoint::Player, Group::Player, &[READ]),
    route(GET, "/v1/me/player/currently-playing", Endpoint::CurrentlyPlaying, Group::Player, &[NOW]),
    route(GET, "/v1/me/player/devices", Endpoint::Devices, Group::Player, &[READ]),
    command(PUT, "/v1/me/player", Endpoint::Transfer),
    command(PUT, "/v1/me/player/play", Endpoint::Play),
    command(PUT, "/v1/me/player/pause", Endpoint::Pause),
    command(POST, "/v1/me/player/next", Endpoint::Next),
    command(POST, "/v1/me/player/previous", Endpoint::Previous),
    command(PUT, "/v1/me/player/seek", Endpoint::Seek),
    command(PUT, "/v1/me/player/volume", Endpoint::Volume),
    command(PUT, "/v1/me/player/shuffle", Endpoint::Shuffle),
    command(PUT, "/v1/me/player/repeat", Endpoint::Repeat),
    route(GET, "/v1/me/player/queue", Endpoint::Queue, Group::Player, &[NOW, READ]),
    command(POST, "/v1/me/player/queue", Endpoint::Enqueue),
    route(
        GET,
        "/v1/me/player/recently-played",
        Endpoint::RecentlyPlayed,
        Group::Player,
        &["user-read-recently-played"],
    ),
    route(GET, "/v1/me/tracks", Endpoint::SavedTracks, Group::Me, &[LIBRARY]),
    route(PUT, "/v1/me/library", Endpoint::Save, Group::Me, &[LIBRARY_MODIFY]),
    route(DELETE, "/v1/me/library", Endpoint::Unsave, Group::Me, &[LIBRARY_MODIFY]),
    route(GET, "/v1/me/library/contains", Endpoint::Contains, Group::Me, &[LIBRARY]),
    route(GET, "/v1/me/playlists", Endpoint::Playlists, Group::Playlist, &[PRIVATE]),
    // The modify scope depends on the list, public or private: the endpoint itself asks for it.
    route(POST, "/v1/me/playlists", Endpoint::CreatePlaylist, Group::Playlist, &[]),
    route(GET, "/v1/playlists/{id}", Endpoint::Playlist, Group::Playlist, &[]),
    route(PUT, "/v1/playlists/{id}", Endpoint::ChangePlaylist, Group::Playlist, &[]),
    route(GET, "/v1/playlists/{id}/items", Endpoint::PlaylistItems, Group::Playlist, &[PRIVATE]),
    route(POST, "/v1/playlists/{id}/items", Endpoint::AddItems, Group::Playlist, &[]),
    route(PUT, "/v1/playlists/{id}/items", Endpoint::ReplaceItems, Group::Playlist, &[]),
    route(DELETE, "/v1/playlists/{id}/items", Endpoint::RemoveItems, Group::Playlist, &[]),
    route(GET, "/v1/tracks/{id}", Endpoint::Track, Group::Catalogue, &[]),
    route(GET, "/v1/albums/{id}", Endpoint::Album, Group::Catalogue, &[]),
    route(GET, "/v1/albums/{id}/tracks", Endpoint::AlbumTracks, Group::Catalogue, &[]),
    route(GET, "/v1/artists/{id}", Endpoint::Artist, Group::Catalogue, &[]),
    route(GET, "/v1/artists/{id}/albums", Endpoint::ArtistAlbums, Group::ArtistAlbums, &[]),
    route(GET, "/v1/shows/{id}", Endpoint::Show, Group::Catalogue, &[POSITION]),
    route(GET, "/v1/shows/{id}/episodes", Endpoint::ShowEpisodes, Group::Catalogue, &[POSITION]),
    route(GET, "/v1/episodes/{id}", Endpoint::Episode, Group::Catalogue, &[POSITION]),
    route(GET, "/v1/search", Endpoint::Search, Group::Search, &[]),
    removed(GET, "/v1/tracks", Group::Catalogue),
    removed(GET, "/v1/albums", Group::Catalogue),
    removed(GET, "/v1/artists", Group::Catalogue),
    removed(GET, "/v1/episodes", Group::Catalogue),
    removed(GET, "/v1/shows", Group::Catalogue),
    removed(GET, "/v1/artists/{id}/top-tracks", Group::Catalogue),
    removed(GET, "/v1/artists/{id}/related-artists", Group::Catalogue),
    removed(GET, "/v1/browse/new-releases", Group::Catalogue),
    removed(GET, "/v1/browse/featured-playlists", Group::Catalogue),
    removed(GET, "/v1/browse/categories", Group::Catalogue),
    removed(GET, "/v1/markets", Group::Catalogue),
    removed(GET, "/v1/recommendations", Group::Catalogue),
    removed(GET, "/v1/audio-features", Group::Catalogue),
    removed(GET, "/v1/audio-features/{id}", Group::Catalogue),
    removed(GET, "/v1/audio-analysis/{id}", Group::Catalogue),
    removed(GET, "/v1/users/{id}", Group::Me),
    removed(GET, "/v1/users/{id}/playlists", Group::Playlist),
    removed(POST, "/v1/users/{id}/playlists", Group::Playlist),
    removed(PUT, "/v1/me/tracks", Group::Me),
    removed(DELETE, "/v1/me/tracks", Group::Me),
    removed(GET, "/v1/me/tracks/contains", Group::Me),
    removed(PUT, "/v1/me/following", Group::Me),
    removed(DELETE, "/v1/me/following", Group::Me),
    removed(GET, "/v1/playlists/{id}/tracks", Group::Playlist),
    removed(POST, "/v1/playlists/{id}/tracks", Group::Playlist),
    removed(PUT, "/v1/playlists/{id}/tracks", Group::Playlist),
    removed(DELETE, "/v1/playlists/{id}/tracks", Group::Playlist),
    removed(PUT, "/v1/playlists/{id}/followers", Group::Playlist),
    removed(DELETE, "/v1/playlists/{id}/followers", Group::Playlist),
];

/// What a path means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// An endpoint, and what stands in the place of `{id}`.
    Route(&'static Route, &'a str),
    /// The path exists, but not with this method.
    OtherMethod(&'static str),
    Nothing,
}

/// Finds the endpoint of a request. One slash at the end makes no difference: published clients send it.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut other = Found::Nothing;
    for route in ROUTES {
        if let Some(id) = matches(route.template, path) {
            if route.method == *method {
                return Found::Route(route, id);
            }
            other = Found::OtherMethod(route.template);
        }
    }
    other
}

fn matches<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let mut id = "";
    let mut parts = path.split('/');
    for expected in template.split('/') {
        let part = parts.next()?;
        if expected == "{id}" && !part.is_empty() {
            id = part;
        } else if expected != part {
            return None;
        }
    }
    parts.next().is_none().then_some(id)
}
