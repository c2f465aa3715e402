//! Playlists.

use std::sync::Arc;

use kernel::Timestamp;
use serde_json::{Value, json};

use super::errors::ApiError;
use super::fields::Fields;
use super::paging::Page;
use super::render::snapshot_id;
use super::{Asked, Done};
use crate::world::account::User;
use crate::world::ids::{Kind, Named, looks_like_id};
use crate::world::library::{Line, Playlist};

/// How many items one call adds, replaces or removes.
const ITEMS_MAX: usize = 100;

/// The list in the path, and whose it is.
fn named(asked: &mut Asked<'_>) -> Result<(Playlist, User), ApiError> {
    if !looks_like_id(asked.id) {
        return Err(ApiError::bad("Invalid base62 id"));
    }
    let not_found = || ApiError::new(404, "Resource not found");
    let named = Named::from_id(asked.catalogue.seed, asked.id)
        .filter(|named| named.kind == Kind::Playlist)
        .ok_or_else(not_found)?;
    let owner = User::from_key(named.owner).ok_or_else(not_found)?;
    let now = asked.now;
    Ok((asked.world.playlist(named, now).ok_or_else(not_found)?, owner))
}

/// The list in the path for who may read its items: its owner.
fn own(asked: &mut Asked<'_>) -> Result<Playlist, ApiError> {
    let (list, owner) = named(asked)?;
    if owner == asked.user() { Ok(list) } else { Err(ApiError::new(403, "Forbidden")) }
}

fn may_write(asked: &Asked<'_>, public: bool) -> Result<(), ApiError> {
    let scope = if public { "playlist-modify-public" } else { "playlist-modify-private" };
    if asked.grant.has(scope) { Ok(()) } else { Err(ApiError::scope()) }
}

/// The own list in the path, to be changed by `change`; answers with the new snapshot id.
fn write(
    asked: &mut Asked<'_>,
    status: u16,
    change: impl FnOnce(&mut Playlist, Timestamp) -> Result<(), ApiError>,
) -> Result<Done, ApiError> {
    let mut list = own(asked)?;
    may_write(asked, list.public)?;
    change(&mut list, asked.now)?;
    list.revision += 1;
    let (catalogue, snapshot) = (Arc::clone(&asked.catalogue), snapshot_id(asked.catalogue.seed, &list));
    if let Some(kept) = asked.account().library(&catalogue).playlist_mut(list.named) {
        *kept = list;
    }
    Ok(Done::Json(status, json!({ "snapshot_id": snapshot })))
}

pub(super) fn list(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let page = Page::of(asked.call, 20, 50)?;
    let view = asked.view();
    let (catalogue, now) = (Arc::clone(&asked.catalogue), asked.now);
    let followed = asked.account().library(&catalogue).followed.clone();
    let shown: Vec<Value> = followed
        .iter()
        .map(|named| {
            let owner = User::from_key(named.owner);
            match (asked.world.playlist(*named, now), owner) {
                (Some(list), Some(owner)) => view.playlist_short(&list, owner),
                _ => Value::Null,
            }
        })
        .collect();
    Ok(Done::Json(200, page.of_list(asked, shown.len(), |at| shown[at].clone())))
}

/// The whole list; its items only for its owner.
fn full(asked: &mut Asked<'_>, list: &Playlist, owner: User) -> Value {
    let view = asked.view();
    let mut body = view.playlist_short(list, owner);
    body["followers"] = json!({ "href": null, "total": 0 });
    if owner == asked.user() {
        let path = format!("/v1/playlists/{}/items", list.named.id(asked.catalogue.seed));
        let items = Page { limit: 100, offset: 0 }
            .at(asked, &path, list.lines.len(), |at| view.line(&list.lines[at], owner));
        view.put_items(&mut body, items);
    } else if let Some(body) = body.as_object_mut() {
        body.remove("items");
        body.remove("tracks");
    }
    body
}

pub(super) fn get(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let (list, owner) = named(asked)?;
    let fields = Fields::of(asked.call)?;
    Ok(Done::Json(200, fields.pick(full(asked, &list, owner))))
}

pub(super) fn items(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let list = own(asked)?;
    let (page, fields) = (Page::of(asked.call, 20, 50)?, Fields::of(asked.call)?);
    let (view, owner) = (asked.view(), asked.user());
    let items = page.of_list(asked, list.lines.len(), |at| view.line(&list.lines[at], owner));
    Ok(Done::Json(200, fields.pick(items)))
}

fn body(asked: &Asked<'_>) -> Result<Value, ApiError> {
    asked.call.json().filter(Value::is_object).ok_or_else(|| ApiError::bad("Error parsing JSON."))
}

fn text(body: &Value, key: &str) -> Result<Option<String>, ApiError> {
    match &body[key] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(ApiError::bad(&format!("Invalid {key}"))),
    }
}

fn flag(body: &Value, key: &str) -> Result<Option<bool>, ApiError> {
    match &body[key] {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(*flag)),
        _ => Err(ApiError::bad(&format!("Invalid {key}"))),
    }
}

fn name(body: &Value) -> Result<Option<String>, ApiError> {
    match text(body, "name")? {
        Some(name) if name.is_empty() => Err(no_name()),
        name => Ok(name),
    }
}

fn no_name() -> ApiError {
    ApiError::bad("Missing required field: name")
}

/// Others can write in a private list only.
fn fits(public: bool, collaborative: bool) -> Result<(), ApiError> {
    if public && collaborative {
        return Err(ApiError::bad("Collaborative playlists can only be private."));
    }
    Ok(())
}

pub(super) fn create(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let body = body(asked)?;
    let name = name(&body)?.ok_or_else(no_name)?;
    let public = flag(&body, "public")?.unwrap_or(true);
    let collaborative = flag(&body, "collaborative")?.unwrap_or(false);
    let description = text(&body, "description")?;
    may_write(asked, public)?;
    fits(public, collaborative)?;
    if collaborative {
        may_write(asked, true)?;
    }
    let (catalogue, user, now) = (Arc::clone(&asked.catalogue), asked.user(), asked.now);
    let library = asked.account().library(&catalogue);
    let named = library.create(user.key(), name, description, public, collaborative);
    let list = asked.world.playlist(named, now).ok_or_else(|| ApiError::new(500, "Server error"))?;
    Ok(Done::Json(201, full(asked, &list, user)))
}

pub(super) fn change(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let body = body(asked)?;
    let (name, description) = (name(&body)?, text(&body, "description")?);
    let (public, collaborative) = (flag(&body, "public")?, flag(&body, "collaborative")?);
    write(asked, 200, |list, _| {
        list.name = name.unwrap_or(std::mem::take(&mut list.name));
        list.description = description.or(list.description.take());
        list.public = public.unwrap_or(list.public);
        list.collaborative = collaborative.unwrap_or(list.collaborative);
        fits(list.public, list.collaborative)
    })?;
    Ok(Done::Empty(200))
}

fn uris_of(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|uri| uri.as_str().map(str::to_owned)).collect()
}

/// The items named by `uris`, in the query or else in the body.
fn lines(asked: &Asked<'_>, body: &Value) -> Result<Option<Vec<Line>>, ApiError> {
    let uris = match asked.call.query("uris") {
        Some(listed) => listed.split(',').map(str::to_owned).collect(),
        None if body["uris"].is_null() => return Ok(None),
        None => uris_of(&body["uris"]).ok_or_else(|| ApiError::bad("Invalid uris"))?,
    };
    if uris.len() > ITEMS_MAX {
        return Err(ApiError::bad("You can add a maximum of 100 tracks per request."));
    }
    let lines: Option<Vec<Line>> = uris.iter().map(|uri| asked.world.line(uri, asked.now)).collect();
    lines.map(Some).ok_or_else(|| ApiError::bad("Invalid track uri"))
}

fn place(body: &Value, key: &str, max: usize) -> Result<Option<usize>, ApiError> {
    match &body[key] {
        Value::Null => Ok(None),
        given => given
            .as_u64()
            .map(|at| at as usize)
            .filter(|at| *at <= max)
            .map(Some)
            .ok_or_else(|| ApiError::bad("Index out of bounds.")),
    }
}

pub(super) fn add(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let mut body = match asked.call.json() {
        // The list alone is an older form that published clients still send.
        Some(uris @ Value::Array(_)) => json!({ "uris": uris }),
        _ => body(asked)?,
    };
    let lines = lines(asked, &body)?.filter(|lines| !lines.is_empty());
    let lines = lines.ok_or_else(|| ApiError::bad("No uris provided."))?;
    if let Some(position) = asked.call.query("position") {
        body["position"] = position.parse::<u64>().map_or(json!("?"), Value::from);
    }
    write(asked, 201, |list, _| {
        let at = place(&body, "position", list.lines.len())?.unwrap_or(list.lines.len());
        list.lines.splice(at..at, lines);
        Ok(())
    })
}

pub(super) fn replace(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let body = body(asked)?;
    if let Some(lines) = lines(asked, &body)? {
        return write(asked, 200, |list, _| {
            list.lines = lines;
            Ok(())
        });
    }
    write(asked, 200, |list, _| {
        let total = list.lines.len();
        let bad = || ApiError::bad("Index out of bounds.");
        let from = place(&body, "range_start", total)?.ok_or_else(bad)?;
        let before = place(&body, "insert_before", total)?.ok_or_else(bad)?;
        let length = place(&body, "range_length", total)?.unwrap_or(1);
        if from + length > total {
            return Err(bad());
        }
        let moved: Vec<Line> = list.lines.drain(from..from + length).collect();
        let to = if before > from { before.saturating_sub(length).max(from) } else { before };
        list.lines.splice(to..to, moved);
        Ok(())
    })
}

pub(super) fn remove(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let body = body(asked)?;
    let listed = body["items"].as_array().ok_or_else(|| ApiError::bad("Missing required field: items"))?;
    if listed.len() > ITEMS_MAX {
        return Err(ApiError::bad("You can remove a maximum of 100 items per request."));
    }
    let gone: Option<Vec<_>> =
        listed.iter().map(|entry| entry["uri"].as_str().and_then(|uri| asked.world.item(uri))).collect();
    let gone = gone.ok_or_else(|| ApiError::bad("Invalid track uri"))?;
    write(asked, 200, |list, _| {
        list.lines.retain(|line| line.item.is_none_or(|item| !gone.contains(&item)));
        Ok(())
    })
}
