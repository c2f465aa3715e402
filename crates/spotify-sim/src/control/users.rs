//! `/_sim/users/{id}` and what lies under it.

use std::sync::Arc;

use kernel::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ControlError, body, given, present, user};
use crate::exchange::Call;
use crate::world::World;
use crate::world::account::User;
use crate::world::acts::{Act, Refused, Start, act};
use crate::world::ids::{Kind, Named};
use crate::world::player::{By, Device, Item, List};

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Product {
    Premium,
    Free,
}

fn yes() -> bool {
    true
}

fn full() -> Option<u8> {
    Some(100)
}

fn speaker() -> String {
    "Speaker".to_owned()
}

#[expect(clippy::struct_excessive_bools, reason = "Spotify's own shape of a device")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceGiven {
    id: String,
    name: String,
    #[serde(default = "speaker")]
    r#type: String,
    #[serde(default)]
    is_active: bool,
    #[serde(default)]
    is_restricted: bool,
    #[serde(default = "yes")]
    supports_volume: bool,
    #[serde(default = "full")]
    volume_percent: Option<u8>,
    /// Part of what the Web API shows, so it may be copied from there; nothing here is private.
    #[serde(default, rename = "is_private_session")]
    _is_private_session: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindWord {
    Ad,
    Episode,
    Unknown,
    Local,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlayingGiven {
    #[serde(default, deserialize_with = "given")]
    context_uri: Option<String>,
    #[serde(default, deserialize_with = "given")]
    uris: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    kind: Option<KindWord>,
    #[serde(default, deserialize_with = "given")]
    offset: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    position_ms: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    is_playing: Option<bool>,
}

#[expect(clippy::option_option, reason = "absent, null and a value are three things here")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default, deserialize_with = "given")]
    product: Option<Product>,
    #[serde(default, deserialize_with = "given")]
    devices: Option<Vec<DeviceGiven>>,
    #[serde(default, deserialize_with = "present")]
    playing: Option<Option<PlayingGiven>>,
    #[serde(default, deserialize_with = "given")]
    revoked: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    idle_after_ms: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    autoplay: Option<bool>,
}

/// Devices as the world has them, and the active one.
fn devices(given: Vec<DeviceGiven>) -> Result<(Vec<Device>, Option<String>), ControlError> {
    let mut active = None;
    let mut devices: Vec<Device> = Vec::new();
    for one in given {
        if one.id.is_empty() || devices.iter().any(|known| known.id == one.id) {
            return Err(ControlError::bad("devices: each needs an id of its own"));
        }
        if one.volume_percent.is_some_and(|percent| percent > 100) {
            return Err(ControlError::bad("devices: volume_percent is 0 to 100"));
        }
        if one.is_active && active.replace(one.id.clone()).is_some() {
            return Err(ControlError::bad("devices: at most one is active"));
        }
        devices.push(Device {
            id: one.id,
            name: one.name,
            kind: one.r#type,
            is_restricted: one.is_restricted,
            supports_volume: one.supports_volume,
            volume_percent: one.volume_percent,
            is_asleep: false,
        });
    }
    Ok((devices, active))
}

/// The list that was asked for, at its first item.
fn list(world: &mut World, user: User, given: &PlayingGiven, now: Timestamp) -> Result<List, ControlError> {
    let (context_uri, items) = match (&given.context_uri, &given.uris, given.kind) {
        (Some(uri), None, None) => {
            let items = world.context_items(user, uri, now);
            (Some(uri.clone()), items.ok_or_else(|| ControlError::bad(format!("playing: nothing is {uri}")))?)
        }
        (None, Some(uris), None) => {
            let items: Result<Vec<Item>, ControlError> = uris
                .iter()
                .map(|uri| {
                    world.item(uri).ok_or_else(|| ControlError::bad(format!("playing: nothing is {uri}")))
                })
                .collect();
            (None, items?)
        }
        (None, None, Some(kind)) => {
            let item = match kind {
                KindWord::Ad => Item::Ad,
                KindWord::Episode => Item::Episode(0),
                KindWord::Unknown => Item::Unknown,
                KindWord::Local => Item::Local,
            };
            return around(world, user, item, now);
        }
        _ => return Err(ControlError::bad("playing: one of context_uri, uris and kind")),
    };
    let at = given.offset.unwrap_or(0);
    if at >= items.len() {
        return Err(ControlError::bad("playing: the offset is outside the list"));
    }
    Ok(List::new(context_uri, items, at))
}

/// An ad or the like, with the album that the account was listening to around it: the music goes on after.
fn around(world: &mut World, user: User, item: Item, now: Timestamp) -> Result<List, ControlError> {
    let before = world.account(user, now).player.playing.as_ref().map(|playing| playing.list.clone());
    let (context_uri, mut items, at) = match (item, before) {
        (Item::Ad | Item::Unknown | Item::Local, Some(list)) => {
            let at = list.order[list.at];
            let items = list.items.iter().copied().filter(|i| matches!(i, Item::Track(_))).collect();
            (list.context_uri, items, at)
        }
        (Item::Episode(_), _) => {
            let uri = world.catalogue.uri(Kind::Show, 0);
            let items = world.context_items(user, &uri, now).unwrap_or_default();
            return Ok(List::new(Some(uri), items, 0));
        }
        _ => (None, Vec::new(), 0),
    };
    let at = at.min(items.len());
    items.insert(at, item);
    Ok(List::new(context_uri, items, at))
}

pub(super) fn change(
    world: &mut World,
    name: &str,
    call: &Call,
    now: Timestamp,
) -> Result<Value, ControlError> {
    let user = user(name)?;
    let change: Change = body(call)?;
    let new_devices = change.devices.map(devices).transpose()?;
    let new_list = match &change.playing {
        Some(Some(given)) => Some((list(world, user, given, now)?, given)),
        _ => None,
    };
    // From here on nothing can be refused.
    let account = world.account(user, now);
    match change.product {
        Some(Product::Premium) => account.premium = true,
        Some(Product::Free) => account.premium = false,
        None => {}
    }
    match change.revoked {
        Some(true) => account.revoked_at = Some(now),
        Some(false) => account.revoked_at = None,
        None => {}
    }
    let player = &mut account.player;
    player.idle_after_ms = change.idle_after_ms.unwrap_or(player.idle_after_ms);
    player.autoplay = change.autoplay.unwrap_or(player.autoplay);
    if new_devices.is_some() || change.playing.is_some() {
        player.changing(now);
    }
    let named_devices = new_devices.is_some();
    if let Some((devices, active)) = new_devices {
        player.set_devices(devices, active, now);
    }
    match (new_list, &change.playing) {
        (Some((list, given)), _) => {
            if player.active.is_none() && !named_devices {
                player.active = player.devices.first().map(|device| device.id.clone());
            }
            let (position_ms, is_playing) =
                (given.position_ms.unwrap_or(0), given.is_playing.unwrap_or(true));
            player.start(list, position_ms, is_playing, now);
        }
        (None, Some(None)) => player.fall_silent(),
        (None, _) => {}
    }
    truth(world, user, now)
}

/// The state as it is, without any lag.
pub(super) fn player(world: &mut World, name: &str, now: Timestamp) -> Result<Value, ControlError> {
    let user = user(name)?;
    truth(world, user, now)
}

fn truth(world: &mut World, user: User, now: Timestamp) -> Result<Value, ControlError> {
    let catalogue = Arc::clone(&world.catalogue);
    let player = &world.account(user, now).player;
    let playing = player.playing.as_ref().map(|playing| {
        json!({
            "uri": playing.item.uri(&catalogue),
            "context_uri": playing.list.context_uri,
            "progress_ms": playing.position(now),
            "is_playing": playing.is_playing,
        })
    });
    let journal: Vec<Value> = player
        .journal
        .iter()
        .map(|entry| {
            let by = match entry.by {
                By::Api => "api",
                By::App => "app",
                By::End => "end",
            };
            json!({ "at": entry.at.as_millis(), "by": by, "act": entry.act, "uri": entry.uri })
        })
        .collect();
    let queue: Vec<String> = player.queue.iter().map(|item| item.uri(&catalogue)).collect();
    Ok(json!({ "playing": playing, "device_id": player.active, "queue": queue, "journal": journal }))
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ActWord {
    Play,
    Pause,
    Next,
    Previous,
    Seek,
    Volume,
    Transfer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppAct {
    act: ActWord,
    #[serde(default, deserialize_with = "given")]
    uri: Option<String>,
    #[serde(default, deserialize_with = "given")]
    context_uri: Option<String>,
    #[serde(default, deserialize_with = "given")]
    position_ms: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    percent: Option<u8>,
    #[serde(default, deserialize_with = "given")]
    device_id: Option<String>,
}

/// What `play` does in the app: go on, or start a song out of the album it is on, or a list, from a song of it.
fn played(world: &mut World, user: User, wanted: &AppAct, now: Timestamp) -> Result<Act, ControlError> {
    let nothing = |uri: &str| ControlError::bad(format!("Nothing is {uri}"));
    let song = match &wanted.uri {
        Some(uri) => Some(world.item(uri).ok_or_else(|| nothing(uri))?),
        None => None,
    };
    let context_uri = match (&wanted.context_uri, song) {
        (Some(uri), _) => uri.clone(),
        (None, Some(Item::Track(track))) => {
            Named::new(Kind::Album, world.catalogue.tracks[track].album).uri(world.catalogue.seed)
        }
        (None, Some(item)) => {
            return Ok(Act::Play(Start {
                list: List::new(None, vec![item], 0),
                position_ms: wanted.position_ms.unwrap_or(0),
            }));
        }
        (None, None) => return Ok(Act::Resume(wanted.position_ms)),
    };
    let items = world.context_items(user, &context_uri, now).ok_or_else(|| nothing(&context_uri))?;
    let at = song.map_or(Some(0), |song| items.iter().position(|item| *item == song));
    let at = at.filter(|at| *at < items.len()).ok_or_else(|| ControlError::bad("uri: not in that list"))?;
    let list = List::new(Some(context_uri), items, at);
    Ok(Act::Play(Start { list, position_ms: wanted.position_ms.unwrap_or(0) }))
}

pub(super) fn app(world: &mut World, name: &str, call: &Call, now: Timestamp) -> Result<Value, ControlError> {
    let user = user(name)?;
    let wanted: AppAct = body(call)?;
    let needed = |key: &str| ControlError::bad(format!("{key}: needed for this act"));
    let doing = match wanted.act {
        ActWord::Play => played(world, user, &wanted, now)?,
        ActWord::Pause => Act::Pause,
        ActWord::Next => Act::Next,
        ActWord::Previous => Act::Previous,
        ActWord::Seek => Act::Seek(wanted.position_ms.ok_or_else(|| needed("position_ms"))?),
        ActWord::Volume => {
            let percent = wanted.percent.ok_or_else(|| needed("percent"))?;
            if percent > 100 {
                return Err(ControlError::bad("percent: 0 to 100"));
            }
            Act::Volume(percent)
        }
        ActWord::Transfer if wanted.device_id.is_none() => return Err(needed("device_id")),
        ActWord::Transfer => Act::Transfer { play: false },
    };
    let catalogue = Arc::clone(&world.catalogue);
    let player = &mut world.account(user, now).player;
    let idle = match &doing {
        Act::Pause => !player.playing.as_ref().is_some_and(|playing| playing.is_playing),
        _ => false,
    };
    if !idle {
        act(player, &catalogue, By::App, wanted.device_id.as_deref(), doing, now).map_err(|refused| {
            match refused {
                Refused::UnknownDevice => ControlError::bad("device_id: no such device"),
                Refused::NoActiveDevice | Refused::Restricted | Refused::Volume => {
                    ControlError { status: 409, message: "The account has no device".to_owned() }
                }
            }
        })?;
    }
    truth(world, user, now)
}

/// What the page that plays Spotify's own app shows.
pub(super) fn view(world: &mut World, name: &str, base: &str, now: Timestamp) -> Result<Value, ControlError> {
    let user = user(name)?;
    let catalogue = Arc::clone(&world.catalogue);
    let player = &world.account(user, now).player;
    let item = player.playing.as_ref().map(|playing| {
        let (title, artist, album) = match playing.item {
            Item::Track(index) => {
                let track = &catalogue.tracks[index];
                (track.name.clone(), catalogue.artist_names(track), Some(track.album))
            }
            Item::Episode(index) => {
                (catalogue.episodes[index].name.to_owned(), crate::world::catalogue::SHOW.to_owned(), None)
            }
            Item::Local => ("Basement Take 2".to_owned(), "The Garage Tapes".to_owned(), None),
            Item::Ad => ("Advertisement".to_owned(), "The music goes on after".to_owned(), None),
            Item::Unknown => ("Something else".to_owned(), "Spotify does not say what".to_owned(), None),
        };
        let image = |album| format!("{base}/image/{}-640", catalogue.id(Kind::Album, album));
        json!({
            "title": title, "artist": artist,
            "album": album.map(|album| catalogue.albums[album].name.as_str()),
            "image_url": album.map(image),
            "duration_ms": playing.item.duration_ms(&catalogue),
            "progress_ms": playing.position(now),
            "is_playing": playing.is_playing,
        })
    });
    let devices: Vec<Value> = player
        .devices
        .iter()
        .map(|device| {
            json!({ "id": device.id, "name": device.name, "volume_percent": device.volume_percent,
                "is_active": player.active.as_ref() == Some(&device.id) })
        })
        .collect();
    let albums: Vec<Value> = catalogue
        .albums
        .iter()
        .enumerate()
        .map(|(index, album)| {
            json!({ "uri": catalogue.uri(Kind::Album, index), "name": album.name,
                "artist": catalogue.artists[album.artist].name })
        })
        .collect();
    Ok(json!({ "user": user.to_string(), "name": user.display_name(), "item": item, "devices": devices,
        "albums": albums }))
}
