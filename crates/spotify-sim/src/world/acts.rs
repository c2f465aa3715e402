//! What can be done to a player, by a call or in Spotify's own app.

use kernel::Timestamp;

use super::catalogue::Catalogue;
use super::player::{By, Item, List, Player, Repeat, State};

/// Something done to a player.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Play(Start),
    /// Go on with what is loaded; from this position, where one is given.
    Resume(Option<u64>),
    Pause,
    Next,
    Previous,
    Seek(u64),
    Volume(u8),
    Shuffle(bool),
    Repeat(Repeat),
    Queue(Item),
    Transfer {
        play: bool,
    },
}

/// What to play from where.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) list: List,
    pub(crate) position_ms: u64,
}

/// Why a player does not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NoActiveDevice,
    UnknownDevice,
    Restricted,
    Volume,
}

impl Act {
    fn word(&self) -> &'static str {
        match self {
            Self::Play(_) | Self::Resume(_) => "play",
            Self::Pause => "pause",
            Self::Next => "next",
            Self::Previous => "previous",
            Self::Seek(_) => "seek",
            Self::Volume(_) => "volume",
            Self::Shuffle(_) => "shuffle",
            Self::Repeat(_) => "repeat",
            Self::Queue(_) => "queue",
            Self::Transfer { .. } => "transfer",
        }
    }

    /// Acts that sound on the device they are meant for, and so move the music there.
    fn moves(&self) -> bool {
        !matches!(self, Self::Volume(_))
    }
}

/// Does `act` on the device with this id, or on the active one. The app is let through where the API is refused.
pub(crate) fn act(
    player: &mut Player,
    catalogue: &Catalogue,
    by: By,
    device: Option<&str>,
    act: Act,
    now: Timestamp,
) -> Result<(), Refused> {
    let device = target(player, by, device)?;
    if by == By::Api {
        permitted(player, catalogue, &device, &act)?;
    }
    player.changing(now);
    let uri_before = player.playing.as_ref().map(|playing| playing.item.uri(catalogue));
    let word = act.word();
    if act.moves() {
        player.activate(&device);
    }
    let queued = if let Act::Queue(item) = &act { Some(item.uri(catalogue)) } else { None };
    let starts = matches!(act, Act::Play(_) | Act::Resume(_));
    carry_out(player, catalogue, &device, act, now);
    let uri = if starts {
        player.playing.as_ref().map(|playing| playing.item.uri(catalogue))
    } else {
        queued.or(uri_before)
    };
    player.note(now, by, word, uri);
    Ok(())
}

fn target(player: &Player, by: By, device: Option<&str>) -> Result<String, Refused> {
    match device {
        Some(id) => player.device(id).map(|device| device.id.clone()).ok_or(Refused::UnknownDevice),
        None if by == By::App => player
            .active_device()
            .or(player.devices.first())
            .map(|device| device.id.clone())
            .ok_or(Refused::NoActiveDevice),
        None => player.active_device().map(|device| device.id.clone()).ok_or(Refused::NoActiveDevice),
    }
}

fn permitted(player: &Player, catalogue: &Catalogue, device: &str, act: &Act) -> Result<(), Refused> {
    let target = player.device(device).ok_or(Refused::UnknownDevice)?;
    let no = disallows(&player.state());
    let elsewhere = player.active.as_deref() != Some(device);
    let refused = target.is_restricted
        || match act {
            // With a position it is a seek as well, and so not idle where the item plays already.
            Act::Resume(Some(_)) if player.playing.is_some() => no.seeking,
            Act::Resume(_) => no.resuming && !elsewhere,
            Act::Pause => no.pausing,
            Act::Next => no.skipping_next,
            Act::Previous => no.skipping_prev,
            Act::Seek(_) => no.seeking,
            Act::Shuffle(on) => *on == player.shuffle,
            Act::Repeat(to) => *to == player.repeat || no.repeating(*to),
            Act::Volume(_) if !target.supports_volume => return Err(Refused::Volume),
            Act::Play(start) => silent(start, catalogue),
            Act::Volume(_) | Act::Queue(_) | Act::Transfer { .. } => false,
        };
    if refused { Err(Refused::Restricted) } else { Ok(()) }
}

/// Whether nothing, or what may not be played, was asked for.
fn silent(start: &Start, catalogue: &Catalogue) -> bool {
    start.list.items.is_empty()
        || matches!(start.list.item(), Item::Track(track) if !catalogue.tracks[track].playable)
}

fn carry_out(player: &mut Player, catalogue: &Catalogue, device: &str, act: Act, now: Timestamp) {
    match act {
        Act::Play(start) => player.start(start.list, start.position_ms, true, now),
        Act::Resume(position_ms) => {
            resume(player, catalogue, now);
            if let Some(position_ms) = position_ms {
                player.seek(catalogue, position_ms, now);
            }
        }
        Act::Transfer { play: true } => resume(player, catalogue, now),
        Act::Pause => player.set_playing(false, now),
        Act::Next => player.skip(catalogue, now),
        Act::Previous => player.back(catalogue, now),
        Act::Seek(to) => player.seek(catalogue, to, now),
        Act::Volume(percent) => {
            if let Some(device) = player.devices.iter_mut().find(|known| known.id == device) {
                device.volume_percent = Some(percent);
            }
        }
        Act::Shuffle(on) => player.set_shuffle(on),
        Act::Repeat(to) => player.repeat = to,
        Act::Queue(item) => player.queue.push_back(item),
        Act::Transfer { play: false } => {}
    }
}

fn resume(player: &mut Player, catalogue: &Catalogue, now: Timestamp) {
    if player.playing.is_some() {
        player.set_playing(true, now);
    } else {
        player.start_again(catalogue, now);
    }
}

/// What the player does not allow now; only what is true is shown.
#[expect(clippy::struct_excessive_bools, reason = "Spotify's own shape: one flag for each act")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Disallows {
    pub(crate) pausing: bool,
    pub(crate) resuming: bool,
    pub(crate) seeking: bool,
    pub(crate) skipping_next: bool,
    pub(crate) skipping_prev: bool,
    pub(crate) toggling_repeat_context: bool,
    pub(crate) toggling_repeat_track: bool,
}

impl Disallows {
    /// Whether repeating like this may not be turned on. Turning it off is never disallowed: nobody is left with it.
    fn repeating(self, to: Repeat) -> bool {
        match to {
            Repeat::Off => false,
            Repeat::Track => self.toggling_repeat_track,
            Repeat::Context => self.toggling_repeat_context,
        }
    }
}

/// Derives them from a state.
pub(crate) fn disallows(state: &State) -> Disallows {
    let Some(playing) = &state.playing else {
        return Disallows {
            pausing: true,
            seeking: true,
            skipping_next: state.queue.is_empty(),
            skipping_prev: true,
            toggling_repeat_track: true,
            ..Disallows::default()
        };
    };
    let ad = playing.item == Item::Ad;
    let first = !playing.from_queue && playing.list.at == 0 && state.repeat != Repeat::Context;
    Disallows {
        pausing: !playing.is_playing,
        resuming: playing.is_playing,
        seeking: ad,
        skipping_next: ad,
        skipping_prev: ad || first,
        toggling_repeat_context: playing.list.items.len() < 2,
        toggling_repeat_track: ad,
    }
}
