//! The Web API, from a request to an answer.

mod catalogue;
mod commands;
mod errors;
mod fields;
mod gates;
mod library;
mod paging;
mod player;
mod playlists;
mod render;
mod routes;
mod search;

use std::sync::Arc;

use kernel::Timestamp;
use serde_json::{Value, json};

use crate::exchange::{Call, Reply};
use crate::world::World;
use crate::world::account::{Account, User};
use crate::world::apps::{App, Group};
use crate::world::catalogue::Catalogue;
use crate::world::tokens::{Grant, TokenKind};
use errors::ApiError;
use render::View;
use routes::{Endpoint, Found, Route};

/// What a successful call is answered with.
enum Done {
    Json(u16, Value),
    /// A player command.
    Command,
    /// A read with nothing to show, or a library write.
    Empty(u16),
}

/// A call that has passed the gates.
struct Asked<'a> {
    world: &'a mut World,
    call: &'a Call,
    grant: &'a Grant,
    /// What stands in the place of `{id}`.
    id: &'a str,
    catalogue: Arc<Catalogue>,
    now: Timestamp,
}

impl Asked<'_> {
    fn user(&self) -> User {
        self.grant.user
    }

    fn account(&mut self) -> &mut Account {
        self.world.account(self.grant.user, self.now)
    }

    fn app(&mut self) -> &mut App {
        self.world.app(&self.grant.client_id)
    }

    fn view(&mut self) -> View {
        let app = self.app();
        let (extended, playlist_keys) = (app.extended(), app.playlist_keys);
        View { catalogue: Arc::clone(&self.catalogue), base: self.call.base.clone(), extended, playlist_keys }
    }
}

/// The template of a path, for the count of calls and for faults; the path itself where there is none.
pub(crate) fn template(call: &Call) -> String {
    match routes::find(&call.method, &call.path) {
        Found::Route(route, _) => route.template.to_owned(),
        Found::OtherMethod(template) => template.to_owned(),
        Found::Nothing => call.path.clone(),
    }
}

/// Whose call it is, as its token says, good or not.
pub(crate) fn user_of(world: &World, call: &Call) -> Option<User> {
    Some(world.mint.read(TokenKind::Access, call.bearer()?)?.grant.user)
}

/// Answers a call.
pub(crate) fn answer(world: &mut World, call: &Call, now: Timestamp) -> Reply {
    let writes = call.method != http::Method::GET && call.method != http::Method::DELETE;
    if writes && !call.headers.contains_key("content-length") {
        // What stands before Spotify's API refuses this, in HTML; a body in chunks has no length either.
        return Reply::typed(
            411,
            "text/html; charset=UTF-8",
            "<!DOCTYPE html>\n<title>411 Length Required</title>\n",
        );
    }
    let (route, id) = match routes::find(&call.method, &call.path) {
        Found::Route(route, id) => (route, id),
        Found::OtherMethod(_) => return ApiError::new(405, "Method not allowed").reply(false),
        Found::Nothing => return ApiError::new(404, "Service not found").reply(false),
    };
    let pretty = route.group == Group::Player;
    let grant = match gates::pass(world, call, route, now) {
        Ok(grant) => grant,
        Err(error) => return error.reply(pretty).with("access-control-allow-origin", "*"),
    };
    let catalogue = Arc::clone(&world.catalogue);
    let mut asked = Asked { world, call, grant: &grant, id, catalogue, now };
    let reply = match act(&mut asked, route.endpoint) {
        Ok(Done::Json(status, body)) if pretty => Reply::pretty(status, &body),
        Ok(Done::Json(status, body)) => Reply::json(status, &body),
        Ok(Done::Empty(status)) => Reply::empty(status),
        Ok(Done::Command) if asked.app().command_status == 200 => {
            Reply::typed(200, "text/plain; charset=utf-8", asked.world.mint.word(now))
        }
        Ok(Done::Command) => Reply::empty(204),
        Err(error) => error.reply(pretty),
    };
    let cache = if pretty { "private, max-age=0" } else { "private, max-age=0, must-revalidate" };
    reply.with("access-control-allow-origin", "*").with("cache-control", cache)
}

/// What the Web API answers to a call that was ordered to fail.
pub(crate) fn failure(call: &Call, status: u16) -> Reply {
    if status == 502 {
        // What stands before Spotify's servers writes this one itself.
        return Reply::typed(
            status,
            "text/html; charset=UTF-8",
            "<!DOCTYPE html>\n<title>Error 502 (Server Error)</title>\n<p>The server encountered a temporary error.\n",
        );
    }
    let message = match status {
        429 => "API rate limit exceeded".to_owned(),
        _ => format!("Backend respond with {status}"),
    };
    let player = |route: &Route| route.group == Group::Player;
    let pretty = matches!(routes::find(&call.method, &call.path), Found::Route(route, _) if player(route));
    ApiError::new(status, message).reply(pretty)
}

fn act(asked: &mut Asked<'_>, endpoint: Endpoint) -> Result<Done, ApiError> {
    match endpoint {
        Endpoint::Me => Ok(me(asked)),
        Endpoint::Player => player::player(asked),
        Endpoint::CurrentlyPlaying => player::currently_playing(asked),
        Endpoint::Devices => Ok(player::devices(asked)),
        Endpoint::Queue => Ok(player::queue(asked)),
        Endpoint::RecentlyPlayed => player::recently_played(asked),
        Endpoint::Transfer
        | Endpoint::Play
        | Endpoint::Pause
        | Endpoint::Next
        | Endpoint::Previous
        | Endpoint::Seek
        | Endpoint::Volume
        | Endpoint::Shuffle
        | Endpoint::Repeat
        | Endpoint::Enqueue => commands::run(asked, endpoint),
        Endpoint::SavedTracks => library::saved_tracks(asked),
        Endpoint::Save => library::save(asked, true),
        Endpoint::Unsave => library::save(asked, false),
        Endpoint::Contains => library::contains(asked),
        Endpoint::Playlists => playlists::list(asked),
        Endpoint::CreatePlaylist => playlists::create(asked),
        Endpoint::Playlist => playlists::get(asked),
        Endpoint::ChangePlaylist => playlists::change(asked),
        Endpoint::PlaylistItems => playlists::items(asked),
        Endpoint::AddItems => playlists::add(asked),
        Endpoint::ReplaceItems => playlists::replace(asked),
        Endpoint::RemoveItems => playlists::remove(asked),
        Endpoint::Track => catalogue::track(asked),
        Endpoint::Album => catalogue::album(asked),
        Endpoint::AlbumTracks => catalogue::album_tracks(asked),
        Endpoint::Artist => catalogue::artist(asked),
        Endpoint::ArtistAlbums => catalogue::artist_albums(asked),
        Endpoint::Show => catalogue::show(asked),
        Endpoint::ShowEpisodes => catalogue::show_episodes(asked),
        Endpoint::Episode => catalogue::episode(asked),
        Endpoint::Search => search::search(asked),
        Endpoint::Removed => Err(ApiError::new(403, "Forbidden")),
    }
}

fn me(asked: &mut Asked<'_>) -> Done {
    let (view, seed) = (asked.view(), asked.catalogue.seed);
    let user = asked.user();
    let private = asked.grant.has("user-read-private");
    let email = asked.grant.has("user-read-email");
    let account = asked.account();
    let mut body = view.user(user);
    body["account_id"] = account.account_id(seed).into();
    body["images"] = json!([
        { "url": format!("{}/image/{}-300", view.base, view.portrait(user)), "height": 300, "width": 300 },
        { "url": format!("{}/image/{}-64", view.base, view.portrait(user)), "height": 64, "width": 64 },
    ]);
    if view.extended {
        body["followers"] = json!({ "href": null, "total": 12 });
        if private {
            body["country"] = "DE".into();
            body["product"] = if account.premium { "premium" } else { "free" }.into();
            body["explicit_content"] = json!({ "filter_enabled": false, "filter_locked": false });
        }
        if email {
            body["email"] = format!("{user}@example.com").into();
        }
    }
    Done::Json(200, body)
}
