//! The player's commands, from a request to an act.

use serde_json::Value;

use super::errors::ApiError;
use super::routes::Endpoint;
use super::{Asked, Done};
use crate::world::acts::{Act, Refused, Start, act};
use crate::world::player::{By, Item, List, Repeat};

/// Bodies of more tracks than this were answered with 500.
const URIS_MAX: usize = 228;

pub(super) fn run(asked: &mut Asked<'_>, endpoint: Endpoint) -> Result<Done, ApiError> {
    let mut device = asked.call.query("device_id").map(str::to_owned);
    let wanted = match endpoint {
        Endpoint::Transfer => {
            let (id, play) = transfer(asked)?;
            device = Some(id);
            Act::Transfer { play }
        }
        Endpoint::Play => play(asked)?,
        Endpoint::Pause => Act::Pause,
        Endpoint::Next => Act::Next,
        Endpoint::Previous => Act::Previous,
        Endpoint::Seek => Act::Seek(number(asked, "position_ms", u64::MAX)?),
        Endpoint::Volume => Act::Volume(number(asked, "volume_percent", 100)? as u8),
        Endpoint::Shuffle => Act::Shuffle(match asked.call.query("state") {
            Some("true") => true,
            Some("false") => false,
            _ => return Err(ApiError::bad("Invalid state")),
        }),
        Endpoint::Repeat => Act::Repeat(match asked.call.query("state") {
            Some("off") => Repeat::Off,
            Some("track") => Repeat::Track,
            Some("context") => Repeat::Context,
            _ => return Err(ApiError::bad("Invalid state")),
        }),
        _ => Act::Queue(queued(asked)?),
    };
    let (catalogue, now) = (std::sync::Arc::clone(&asked.catalogue), asked.now);
    act(&mut asked.account().player, &catalogue, By::Api, device.as_deref(), wanted, now).map_err(
        |refused| match refused {
            Refused::NoActiveDevice => ApiError::no_active_device(),
            Refused::UnknownDevice => ApiError::new(404, "Device not found"),
            Refused::Restricted => ApiError::restricted(),
            Refused::Volume => ApiError::volume_disallowed(),
        },
    )?;
    Ok(Done::Command)
}

fn number(asked: &Asked<'_>, key: &str, max: u64) -> Result<u64, ApiError> {
    let text = asked.call.query(key).ok_or_else(|| ApiError::bad(&format!("Missing parameter {key}")))?;
    let number = text.parse().ok().filter(|number| *number <= max);
    number.ok_or_else(|| ApiError::bad(&format!("Invalid {key}")))
}

fn body(asked: &Asked<'_>) -> Result<Value, ApiError> {
    asked.call.json().filter(Value::is_object).ok_or_else(|| ApiError::bad("Malformed json"))
}

fn transfer(asked: &Asked<'_>) -> Result<(String, bool), ApiError> {
    let body = body(asked)?;
    let id = match body["device_ids"].as_array().map(Vec::as_slice) {
        Some([Value::String(id)]) => id.clone(),
        Some([_, _, ..]) => return Err(ApiError::bad("More than one device id")),
        _ => return Err(ApiError::bad("Missing device_ids")),
    };
    match &body["play"] {
        Value::Null => Ok((id, false)),
        Value::Bool(play) => Ok((id, *play)),
        _ => Err(ApiError::bad("Invalid play")),
    }
}

fn queued(asked: &Asked<'_>) -> Result<Item, ApiError> {
    let uri = asked.call.query("uri").ok_or_else(|| ApiError::bad("Missing parameter uri"))?;
    asked
        .world
        .item(uri)
        .filter(|item| *item != Item::Local)
        .ok_or_else(|| ApiError::bad("Invalid track uri"))
}

/// The body of `play`: go on, or what to start.
fn play(asked: &mut Asked<'_>) -> Result<Act, ApiError> {
    let body = body(asked)?;
    let position_ms = match &body["position_ms"] {
        Value::Null => None,
        given => Some(given.as_u64().ok_or_else(|| ApiError::bad("Invalid position_ms"))?),
    };
    let (context_uri, items) = match (&body["context_uri"], &body["uris"]) {
        (Value::Null, Value::Null) => return Ok(Act::Resume(position_ms)),
        (Value::String(uri), Value::Null) => {
            let (user, now) = (asked.user(), asked.now);
            let items = asked.world.context_items(user, uri, now);
            (Some(uri.clone()), items.ok_or_else(|| ApiError::bad("Invalid context uri"))?)
        }
        (Value::Null, Value::Array(uris)) if uris.len() > URIS_MAX => {
            return Err(ApiError::new(500, "Server error"));
        }
        (Value::Null, Value::Array(uris)) => {
            let found: Option<Vec<Item>> = uris.iter().map(|uri| asked.world.item(uri.as_str()?)).collect();
            (None, found.filter(|items| !items.is_empty()).ok_or_else(|| ApiError::bad("Invalid track uri"))?)
        }
        _ => return Err(ApiError::bad("Can't have both context_uri and uris")),
    };
    let first = offset(asked, &body["offset"], &items)?;
    let list = List::new(context_uri, items, first);
    Ok(Act::Play(Start { list, position_ms: position_ms.unwrap_or(0) }))
}

fn offset(asked: &Asked<'_>, given: &Value, items: &[Item]) -> Result<usize, ApiError> {
    let found = match (&given["position"], &given["uri"]) {
        (Value::Null, Value::Null) => Some(0),
        (Value::Number(position), _) => {
            position.as_u64().map(|at| at as usize).filter(|at| *at < items.len())
        }
        (_, Value::String(uri)) => {
            let wanted = asked.world.item(uri);
            items.iter().position(|item| Some(*item) == wanted)
        }
        _ => None,
    };
    match found {
        Some(at) if at < items.len() || at == 0 => Ok(at),
        _ => Err(ApiError::bad("Invalid offset")),
    }
}
