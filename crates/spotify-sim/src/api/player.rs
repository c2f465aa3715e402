//! Reads of the player.

use serde_json::{Value, json};

use super::errors::ApiError;
use super::render::View;
use super::{Asked, Done};
use crate::world::acts::disallows;
use crate::world::ids::mix;
use crate::world::player::{Item, Repeat, State};
use crate::world::tokens::iso;

/// The state as this call sees it: trailing, where the app's `staleness_ms` says so.
fn seen(asked: &mut Asked<'_>) -> State {
    let (staleness, now) = (asked.app().staleness_ms, asked.now);
    asked.account().player.seen(staleness, now)
}

pub(super) fn player(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let state = seen(asked);
    let Some(device) = state.active_device() else { return Ok(Done::Empty(204)) };
    let mut body = playback(asked, &state);
    body["device"] = View::device(device, true);
    body["repeat_state"] = match state.repeat {
        Repeat::Off => "off",
        Repeat::Track => "track",
        Repeat::Context => "context",
    }
    .into();
    body["shuffle_state"] = state.shuffle.into();
    body["smart_shuffle"] = false.into();
    Ok(Done::Json(200, body))
}

pub(super) fn currently_playing(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let state = seen(asked);
    if state.active_device().is_none() || state.playing.is_none() {
        return Ok(Done::Empty(204));
    }
    Ok(Done::Json(200, playback(asked, &state)))
}

/// What both reads share.
fn playback(asked: &mut Asked<'_>, state: &State) -> Value {
    let view = asked.view();
    let episodes =
        asked.call.query("additional_types").is_some_and(|types| types.split(',').any(|t| t == "episode"));
    let mut body = json!({
        "timestamp": state.changed_at.as_millis(),
        "context": null, "progress_ms": 0, "is_playing": false, "item": null,
        "currently_playing_type": "unknown",
        "actions": { "disallows": shown_disallows(state) },
    });
    let Some(playing) = &state.playing else { return body };
    let (kind, hidden) = match playing.item {
        Item::Track(_) | Item::Local => ("track", false),
        Item::Episode(_) => ("episode", !episodes),
        Item::Ad => ("ad", true),
        Item::Unknown => ("unknown", true),
    };
    body["currently_playing_type"] = kind.into();
    body["is_playing"] = playing.is_playing.into();
    body["progress_ms"] = progress(asked, state);
    if !hidden {
        body["item"] = view.item(playing.item);
        body["context"] = view.context(playing.list.context_uri.as_deref());
    }
    body
}

/// The position; where reads trail, also a little off, and now and then unknown.
fn progress(asked: &mut Asked<'_>, state: &State) -> Value {
    let (staleness, now) = (asked.app().staleness_ms, asked.now);
    let Some(playing) = &state.playing else { return Value::Null };
    let position = playing.position(now);
    if staleness == 0 {
        return position.into();
    }
    let drawn = mix(asked.catalogue.seed, now.as_millis().unsigned_abs());
    if drawn.is_multiple_of(40) {
        return Value::Null;
    }
    position.saturating_sub(drawn % (staleness / 4).clamp(1, 300)).into()
}

fn shown_disallows(state: &State) -> Value {
    let no = disallows(state);
    let all = [
        ("pausing", no.pausing),
        ("resuming", no.resuming),
        ("seeking", no.seeking),
        ("skipping_next", no.skipping_next),
        ("skipping_prev", no.skipping_prev),
        ("toggling_repeat_context", no.toggling_repeat_context),
        ("toggling_repeat_track", no.toggling_repeat_track),
    ];
    all.into_iter().filter(|(_, set)| *set).map(|(key, _)| (key.to_owned(), Value::Bool(true))).collect()
}

pub(super) fn devices(asked: &mut Asked<'_>) -> Done {
    let state = seen(asked);
    let devices: Vec<Value> = state
        .devices
        .iter()
        .filter(|device| !device.is_asleep)
        .map(|device| View::device(device, state.active.as_ref() == Some(&device.id)))
        .collect();
    Done::Json(200, json!({ "devices": devices }))
}

pub(super) fn queue(asked: &mut Asked<'_>) -> Done {
    let state = seen(asked);
    let view = asked.view();
    let current = state.playing.as_ref().filter(|_| state.active_device().is_some());
    let queue: Vec<Value> = match current {
        Some(_) => state.upcoming(&asked.catalogue).into_iter().map(|item| view.item(item)).collect(),
        None => Vec::new(),
    };
    let current = current.map_or(Value::Null, |playing| view.item(playing.item));
    Done::Json(200, json!({ "currently_playing": current, "queue": queue }))
}

pub(super) fn recently_played(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let instant = |key: &str| match asked.call.query(key) {
        None => Ok(None),
        Some(text) => text.parse::<i64>().map(Some).map_err(|_| ApiError::bad(&format!("Invalid {key}"))),
    };
    let (after, before) = (instant("after")?, instant("before")?);
    if after.is_some() && before.is_some() {
        return Err(ApiError::bad("Only one of after and before may be given"));
    }
    let page = super::paging::Page::of(asked.call, 20, 50)?;
    let view = asked.view();
    let heard: Vec<_> = asked
        .account()
        .player
        .heard
        .iter()
        .filter(|heard| after.is_none_or(|at| heard.at.as_millis() > at))
        .filter(|heard| before.is_none_or(|at| heard.at.as_millis() < at))
        .cloned()
        .collect();
    let shown = &heard[..heard.len().min(page.limit)];
    let cursor = |index: Option<usize>| {
        index.and_then(|at| shown.get(at)).map(|heard| heard.at.as_millis().to_string())
    };
    let (newest, oldest) = (cursor(Some(0)), cursor(shown.len().checked_sub(1)));
    let href = format!("{}{}?limit={}", asked.call.base, asked.call.path, page.limit);
    let next = oldest.as_ref().filter(|_| heard.len() > shown.len()).map(|at| format!("{href}&before={at}"));
    let items: Vec<Value> = shown
        .iter()
        .map(|heard| {
            json!({ "track": view.track(heard.track), "played_at": iso(heard.at, true),
                "context": view.context(heard.context_uri.as_deref()) })
        })
        .collect();
    let cursors = newest.map(|newest| json!({ "after": newest, "before": oldest }));
    Ok(Done::Json(
        200,
        json!({ "href": href, "limit": page.limit, "next": next, "cursors": cursors, "items": items,
            "total": heard.len() }),
    ))
}
