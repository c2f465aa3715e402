//! Tracks, albums, artists, the podcast.

use serde_json::{Value, json};

use super::errors::ApiError;
use super::paging::Page;
use super::{Asked, Done};
use crate::world::ids::{Kind, looks_like_id};

/// The index of the thing in the path: 400 for what is no identifier, 404 for what names nothing.
fn index(asked: &Asked<'_>, kind: Kind) -> Result<usize, ApiError> {
    if !looks_like_id(asked.id) {
        return Err(ApiError::bad("Invalid base62 id"));
    }
    asked.catalogue.find(kind, asked.id).ok_or_else(|| ApiError::new(404, "Resource not found"))
}

pub(super) fn track(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let index = index(asked, Kind::Track)?;
    Ok(Done::Json(200, asked.view().track_asked_as(index, asked.catalogue.former(asked.id))))
}

pub(super) fn album(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let index = index(asked, Kind::Album)?;
    let view = asked.view();
    let mut body = view.album_short(index);
    let album = &asked.catalogue.albums[index];
    let artist = asked.catalogue.artists[album.artist].name;
    let path = format!("/v1/albums/{}/tracks", asked.id);
    body["tracks"] = Page { limit: 50, offset: 0 }
        .at(asked, &path, album.tracks.len(), |at| view.track_short(album.tracks.start + at));
    body["copyrights"] = json!([{ "text": format!("{} {}", album.label, artist), "type": "C" }]);
    body["external_ids"] = json!({ "upc": album.upc });
    body["genres"] = json!([]);
    if view.extended {
        body["label"] = album.label.into();
        body["popularity"] = album.popularity.into();
    }
    Ok(Done::Json(200, body))
}

pub(super) fn album_tracks(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let index = index(asked, Kind::Album)?;
    let page = Page::of(asked.call, 20, 50)?;
    let view = asked.view();
    let tracks = asked.catalogue.albums[index].tracks.clone();
    Ok(Done::Json(200, page.of_list(asked, tracks.len(), |at| view.track_short(tracks.start + at))))
}

pub(super) fn artist(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let index = index(asked, Kind::Artist)?;
    Ok(Done::Json(200, asked.view().artist(index)))
}

pub(super) fn artist_albums(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let index = index(asked, Kind::Artist)?;
    let view = asked.view();
    let page = if view.extended { Page::of(asked.call, 20, 50)? } else { Page::of(asked.call, 5, 10)? };
    let groups = asked.call.query("include_groups").unwrap_or("album,single,appears_on,compilation");
    if groups.split(',').any(|group| !["album", "single", "appears_on", "compilation"].contains(&group)) {
        return Err(ApiError::bad("Invalid include_groups"));
    }
    let albums: Vec<usize> = asked.catalogue.artists[index]
        .albums
        .iter()
        .copied()
        .filter(|album| groups.split(',').any(|group| group == asked.catalogue.albums[*album].album_type))
        .collect();
    let body = page.of_list(asked, albums.len(), |at| {
        let mut body = view.album_short(albums[at]);
        if view.extended {
            body["album_group"] = body["album_type"].clone();
        }
        body
    });
    Ok(Done::Json(200, body))
}

pub(super) fn show(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    index(asked, Kind::Show)?;
    let view = asked.view();
    let mut body = view.show_short();
    let path = format!("/v1/shows/{}/episodes", asked.id);
    let episodes = asked.catalogue.episodes.len();
    body["episodes"] = Page { limit: 50, offset: 0 }.at(asked, &path, episodes, |at| view.episode_short(at));
    Ok(Done::Json(200, body))
}

pub(super) fn show_episodes(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    index(asked, Kind::Show)?;
    let page = Page::of(asked.call, 20, 50)?;
    let view = asked.view();
    let episodes = asked.catalogue.episodes.len();
    Ok(Done::Json(200, page.of_list(asked, episodes, |at| view.episode_short(at))))
}

pub(super) fn episode(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let index = index(asked, Kind::Episode)?;
    let body: Value = asked.view().episode(index);
    Ok(Done::Json(200, body))
}
