//! The controls under `/_sim/`, which no real Spotify has. What is not understood gets 400 and changes nothing.

mod apps;
mod faults;
mod users;

use http::Method;
use kernel::{Clock, MovableClock};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::exchange::{Call, Reply};
use crate::world::World;
use crate::world::account::User;

/// Why a control did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ControlError {
    status: u16,
    message: String,
}

impl ControlError {
    fn bad(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    fn reply(&self) -> Reply {
        Reply::json(self.status, &json!({ "error": { "status": self.status, "message": self.message } }))
    }
}

/// Answers a control.
pub(crate) fn answer(world: &mut World, clock: &MovableClock, call: &Call) -> Reply {
    let rest = call.path.strip_prefix("/_sim/").unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').collect();
    let now = clock.now();
    let result = asked_rightly(call, &parts).and_then(|()| match (&call.method, parts.as_slice()) {
        (&Method::GET, ["calls"]) => calls(world, call),
        (&Method::GET, ["tokens"]) => Ok(tokens(world)),
        (&Method::GET, ["faults"]) => Ok(json!({ "faults": world.faults.len() })),
        (&Method::POST, ["faults"]) => faults::replace(world, call),
        (&Method::POST, ["clock"]) => advance(clock, call),
        (&Method::GET, ["clock"]) => Ok(json!({ "now": now.as_millis() })),
        (&Method::POST, ["apps", id]) => apps::change(world, id, call),
        (&Method::POST, ["users", id]) => users::change(world, id, call, now),
        (&Method::GET, ["users", id, "player"]) => users::player(world, id, now),
        (&Method::POST, ["users", id, "app"]) => users::app(world, id, call, now),
        (&Method::GET, ["users", id, "view"]) => users::view(world, id, &call.base, now),
        _ => Err(ControlError::bad(format!("No control {} {}", call.method, call.path))),
    });
    match result {
        Ok(body) => Reply::json(200, &body),
        Err(error) => error.reply(),
    }
    .with("cache-control", "no-store")
}

/// Refuses what no control takes in its query.
fn asked_rightly(call: &Call, parts: &[&str]) -> Result<(), ControlError> {
    let known = |key: &str| parts == ["calls"] && key == "user";
    match call.query.iter().find(|(key, _)| !known(key)) {
        Some((key, _)) => Err(ControlError::bad(format!("Unknown parameter {key:?}"))),
        None => Ok(()),
    }
}

/// Reads a body whose every key is known.
fn body<T: DeserializeOwned>(call: &Call) -> Result<T, ControlError> {
    // By itself a list would be taken for the fields in their order.
    let _: Object = read(&call.body)?;
    read(&call.body)
}

/// Reads a body that is a list of such.
fn list<T: DeserializeOwned>(call: &Call) -> Result<Vec<T>, ControlError> {
    let _: Vec<Object> = read(&call.body)?;
    read(&call.body)
}

type Object = serde_json::Map<String, Value>;

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    serde_json::from_slice(body).map_err(|error| ControlError::bad(error.to_string()))
}

/// Tells `null` from an absent key.
#[expect(clippy::option_option, reason = "absent, null and a value are three things here")]
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Reads a key that may be absent but not null.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

fn user(name: &str) -> Result<User, ControlError> {
    User::parse(name).ok_or_else(|| ControlError::bad(format!("No account is called {name:?}")))
}

fn calls(world: &World, call: &Call) -> Result<Value, ControlError> {
    let wanted = call.query("user").map(user).transpose()?;
    let shown = world.calls.iter().filter(|(key, _)| wanted.is_none() || key.user == wanted);
    let by: Vec<Value> = shown
        .clone()
        .map(|(key, count)| {
            json!({ "method": key.method, "path": key.path, "status": key.status,
                "user": key.user.map(|user| user.to_string()), "count": count })
        })
        .collect();
    let total: u64 = shown.map(|(_, count)| count).sum();
    Ok(json!({ "total": total, "by": by }))
}

fn tokens(world: &World) -> Value {
    let items: Vec<Value> = world
        .issued
        .iter()
        .map(|issued| {
            json!({ "user": issued.token.grant.user.to_string(), "client_id": issued.token.grant.client_id,
                "kind": issued.token.kind.word(), "value": issued.value })
        })
        .collect();
    json!({ "items": items })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

/// A hundred years; more would leave the calendar.
const ADVANCE_MAX: u64 = 100 * 366 * 86_400_000;

fn advance(clock: &MovableClock, call: &Call) -> Result<Value, ControlError> {
    let Advance { advance_ms } = body(call)?;
    if advance_ms > ADVANCE_MAX {
        return Err(ControlError::bad("advance_ms: more than a hundred years"));
    }
    clock.advance(advance_ms);
    Ok(json!({ "now": clock.now().as_millis() }))
}
