//! `POST /_sim/faults`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ControlError, given, list, user};
use crate::exchange::Call;
use crate::world::World;
use crate::world::faults::{Fault, FaultKind};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    #[serde(default, deserialize_with = "given")]
    method: Option<String>,
    #[serde(default, deserialize_with = "given")]
    path: Option<String>,
    #[serde(default, deserialize_with = "given")]
    user: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Status,
    Delay,
    Hang,
    Reset,
    Garbage,
    Duplicate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordered {
    #[serde(default, rename = "match")]
    matches: Match,
    kind: Kind,
    #[serde(default, deserialize_with = "given")]
    status: Option<u16>,
    body: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default, deserialize_with = "given")]
    delay_ms: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    times: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    before_effect: Option<bool>,
}

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

fn understood(ordered: Ordered) -> Result<Fault, ControlError> {
    let Ordered { matches, kind, status, body, headers, delay_ms, times, before_effect } = ordered;
    let known_method = |method: &String| METHODS.iter().any(|known| known.eq_ignore_ascii_case(method));
    if matches.method.as_ref().is_some_and(|method| !known_method(method)) {
        return Err(ControlError::bad("match.method: GET, POST, PUT or DELETE"));
    }
    if matches.path.as_ref().is_some_and(|path| !path.starts_with('/')) {
        return Err(ControlError::bad("match.path: begins with /"));
    }
    if status.is_some_and(|status| !(200..=599).contains(&status)) {
        return Err(ControlError::bad("status: 200 to 599"));
    }
    let kind = match (kind, status, delay_ms) {
        (Kind::Status, None, _) => return Err(ControlError::bad("status: needed for this kind")),
        (Kind::Delay, _, None) => return Err(ControlError::bad("delay_ms: needed for this kind")),
        (Kind::Status | Kind::Delay, Some(status), _) => FaultKind::Status(status),
        (Kind::Delay, None, _) => FaultKind::Delay,
        (Kind::Hang, ..) => FaultKind::Hang,
        (Kind::Reset, ..) => FaultKind::Reset,
        (Kind::Garbage, ..) => FaultKind::Garbage,
        (Kind::Duplicate, ..) => FaultKind::Duplicate,
    };
    let headers = headers
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => return Err(ControlError::bad(format!("headers.{name}: a text"))),
            };
            let fits = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                && http::HeaderValue::from_str(&value).is_ok();
            if fits {
                Ok((name, value))
            } else {
                Err(ControlError::bad(format!("headers.{name}: no header")))
            }
        })
        .collect::<Result<_, ControlError>>()?;
    let body = body.map(|body| match body {
        Value::String(text) => {
            let is_json = serde_json::from_str::<Value>(&text).is_ok();
            (text, is_json)
        }
        other => (other.to_string(), true),
    });
    Ok(Fault {
        method: matches.method,
        path: matches.path,
        user: matches.user.as_deref().map(user).transpose()?,
        kind,
        body,
        headers,
        status,
        delay_ms: delay_ms.unwrap_or(0),
        times,
        before_effect: before_effect.unwrap_or(true),
    })
}

pub(super) fn replace(world: &mut World, call: &Call) -> Result<Value, ControlError> {
    let ordered: Vec<Ordered> = list(call)?;
    world.faults = ordered.into_iter().map(understood).collect::<Result<_, _>>()?;
    Ok(json!({ "faults": world.faults.len() }))
}
