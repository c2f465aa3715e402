//! Saved things.

use std::sync::Arc;

use serde_json::{Value, json};

use super::errors::ApiError;
use super::paging::Page;
use super::{Asked, Done};
use crate::world::account::User;
use crate::world::ids::{Kind, Named};
use crate::world::tokens::iso;

const URIS_MAX: usize = 40;

pub(super) fn saved_tracks(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let page = Page::of(asked.call, 20, 50)?;
    let view = asked.view();
    let catalogue = Arc::clone(&asked.catalogue);
    let saved = asked.account().library(&catalogue).tracks.clone();
    let body = page.of_list(
        asked,
        saved.len(),
        |at| json!({ "added_at": iso(saved[at].1, false), "track": view.track(saved[at].0) }),
    );
    Ok(Done::Json(200, body))
}

/// The `uris` of the query; the migration guide shows them in the body, so that is understood too.
fn uris(asked: &Asked<'_>) -> Result<Vec<String>, ApiError> {
    let uris: Vec<String> = match asked.call.query("uris") {
        Some(listed) => listed.split(',').map(str::to_owned).collect(),
        None => asked
            .call
            .json()
            .and_then(|body| {
                let all = body["uris"].as_array()?;
                all.iter().map(|uri| uri.as_str().map(str::to_owned)).collect()
            })
            .ok_or_else(|| ApiError::bad("Missing required field: uris"))?,
    };
    if uris.is_empty() || uris.len() > URIS_MAX {
        return Err(ApiError::bad("Too many or too few uris"));
    }
    Ok(uris)
}

fn named(asked: &Asked<'_>, uri: &str) -> Result<Option<Named>, ApiError> {
    let user = uri.strip_prefix("spotify:user:").and_then(User::parse);
    match Named::from_uri(asked.catalogue.seed, uri) {
        None if user.is_some() => Ok(None),
        None => Err(ApiError::bad("Invalid or unsupported uri")),
        named => Ok(named),
    }
}

/// The scopes that saved lists, and followed artists and users, need besides the library's own.
fn may_touch(asked: &Asked<'_>, named: &[Option<Named>], list: &str, follow: &str) -> Result<(), ApiError> {
    let has_list = named.iter().flatten().any(|named| named.kind == Kind::Playlist);
    let has_follow = named.iter().any(|named| named.is_none_or(|named| named.kind == Kind::Artist));
    let granted = (!has_list || asked.grant.has(list)) && (!has_follow || asked.grant.has(follow));
    if granted { Ok(()) } else { Err(ApiError::scope()) }
}

pub(super) fn save(asked: &mut Asked<'_>, keep: bool) -> Result<Done, ApiError> {
    let uris = uris(asked)?;
    let named: Vec<Option<Named>> = uris.iter().map(|uri| named(asked, uri)).collect::<Result<_, _>>()?;
    may_touch(asked, &named, "playlist-modify-public", "user-follow-modify")?;
    let (catalogue, now) = (Arc::clone(&asked.catalogue), asked.now);
    let library = asked.account().library(&catalogue);
    for (uri, named) in uris.into_iter().zip(named) {
        match named {
            Some(Named { kind: Kind::Track, number, .. }) => {
                let track = usize::from(number);
                let known = library.tracks.iter().any(|(saved, _)| *saved == track);
                if keep && !known {
                    library.tracks.insert(0, (track, now));
                } else if !keep {
                    library.tracks.retain(|(saved, _)| *saved != track);
                }
            }
            Some(list) if list.kind == Kind::Playlist => {
                library.followed.retain(|followed| *followed != list || keep);
                if keep && !library.followed.contains(&list) {
                    library.followed.insert(0, list);
                }
            }
            _ => {
                library.others.retain(|known| *known != uri);
                if keep {
                    library.others.push(uri);
                }
            }
        }
    }
    Ok(Done::Empty(200))
}

pub(super) fn contains(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let uris = uris(asked)?;
    let named: Vec<Option<Named>> = uris.iter().map(|uri| named(asked, uri)).collect::<Result<_, _>>()?;
    may_touch(asked, &named, "playlist-read-private", "user-follow-read")?;
    let catalogue = Arc::clone(&asked.catalogue);
    let library = asked.account().library(&catalogue);
    let held: Value = uris
        .iter()
        .zip(named)
        .map(|(uri, named)| match named {
            Some(Named { kind: Kind::Track, number, .. }) => {
                library.tracks.iter().any(|(saved, _)| *saved == usize::from(number))
            }
            Some(list) if list.kind == Kind::Playlist => library.followed.contains(&list),
            _ => library.others.contains(uri),
        })
        .map(Value::Bool)
        .collect();
    Ok(Done::Json(200, held))
}
