//! `POST /_sim/apps/{client_id}`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ControlError, body, given, present, user};
use crate::exchange::Call;
use crate::world::World;
use crate::world::account::User;
use crate::world::apps::{DEVELOPMENT_USERS, Group, Mode, PlaylistKeys, Rotation, is_client_id};

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ModeWord {
    Development,
    Extended,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RotationWord {
    None,
    Same,
    SingleUse,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlaylistKeysWord {
    Both,
    Items,
    Tracks,
}

#[expect(clippy::option_option, reason = "absent, null and a value are three things here")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default, deserialize_with = "given")]
    mode: Option<ModeWord>,
    #[serde(default, deserialize_with = "present")]
    calls_per_30s: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    daily_quota: Option<BTreeMap<String, Option<u64>>>,
    #[serde(default, deserialize_with = "present")]
    allowlist: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    owner_premium: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    rotation: Option<RotationWord>,
    #[serde(default, deserialize_with = "given")]
    playlist_keys: Option<PlaylistKeysWord>,
    #[serde(default, deserialize_with = "given")]
    command_status: Option<u16>,
    #[serde(default, deserialize_with = "given")]
    staleness_ms: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    access_token_ms: Option<u64>,
}

pub(super) fn change(world: &mut World, client_id: &str, call: &Call) -> Result<Value, ControlError> {
    if !is_client_id(client_id) {
        return Err(ControlError::bad("A client id is 32 hex digits"));
    }
    let change: Change = body(call)?;
    if change.command_status.is_some_and(|status| status != 204 && status != 200) {
        return Err(ControlError::bad("command_status: 204 or 200"));
    }
    let quotas: Vec<(Group, Option<u64>)> = change
        .daily_quota
        .unwrap_or_default()
        .into_iter()
        .map(|(word, limit)| {
            let group = Group::parse(&word);
            Ok((group.ok_or_else(|| ControlError::bad(format!("daily_quota: no group {word:?}")))?, limit))
        })
        .collect::<Result<_, ControlError>>()?;
    let allowlist: Option<Option<Vec<User>>> = change
        .allowlist
        .map(|list| list.map(|names| names.iter().map(|name| user(name)).collect()).transpose())
        .transpose()?;

    let app = world.app(client_id);
    let mode = match change.mode {
        Some(ModeWord::Development) => Mode::Development,
        Some(ModeWord::Extended) => Mode::Extended,
        None => app.mode,
    };
    // Users that an app had before it was cut down stay.
    let users = allowlist.as_ref().and_then(Option::as_ref).map_or(0, Vec::len);
    if mode == Mode::Development && users > DEVELOPMENT_USERS {
        let most = format!("allowlist: at most {DEVELOPMENT_USERS} in development mode");
        return Err(ControlError::bad(most));
    }
    app.mode = mode;
    app.playlist_keys = match change.playlist_keys {
        Some(PlaylistKeysWord::Both) => PlaylistKeys::Both,
        Some(PlaylistKeysWord::Items) => PlaylistKeys::Items,
        Some(PlaylistKeysWord::Tracks) => PlaylistKeys::Tracks,
        None => app.playlist_keys,
    };
    app.rotation = match change.rotation {
        Some(RotationWord::None) => Rotation::None,
        Some(RotationWord::Same) => Rotation::Same,
        Some(RotationWord::SingleUse) => Rotation::SingleUse,
        None => app.rotation,
    };
    app.calls_per_30s = change.calls_per_30s.unwrap_or(app.calls_per_30s);
    app.owner_premium = change.owner_premium.unwrap_or(app.owner_premium);
    app.staleness_ms = change.staleness_ms.unwrap_or(app.staleness_ms);
    app.access_token_ms = change.access_token_ms.unwrap_or(app.access_token_ms);
    app.command_status = change.command_status.unwrap_or(app.command_status);
    if let Some(allowlist) = allowlist {
        app.allowlist = allowlist;
    }
    for (group, limit) in quotas {
        match limit {
            Some(limit) => app.daily_quota.insert(group, limit),
            None => app.daily_quota.remove(&group),
        };
    }
    Ok(json!({ "client_id": client_id }))
}
