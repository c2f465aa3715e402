//! Gateways, their leases and tokens: I10 to I14, I19.

use protocol::Code;

use super::SLACK_MS;
use crate::chaos::journal::{At, RoomJournal, Told, WaveJournal, What};
use crate::chaos::plan::{Link, Scenario};

/// I10: the fence that writes the room only grows.
pub(super) fn fences_grow(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let back = room.fences.windows(2).filter(|pair| pair[1] < pair[0]);
    back.map(|pair| format!("fence {} after {}", pair[1], pair[0])).collect()
}

/// When each gateway took the room up, and under which fence.
fn reigns<'a>(wave: &'a WaveJournal, room: &'a RoomJournal) -> impl Iterator<Item = (usize, At, u64)> + 'a {
    wave.gateways.iter().enumerate().flat_map(move |(gateway, told)| {
        told.iter().filter_map(move |(at, told)| {
            let Told::Conducts { room: of, fence } = told else { return None };
            (*of == room.code).then_some((gateway, *at, *fence))
        })
    })
}

/// Who conducts the room at that time, as far as was told.
pub(in crate::chaos) fn conductor(wave: &WaveJournal, room: &RoomJournal, at: At) -> Option<usize> {
    let newest = reigns(wave, room).filter(|(_, since, _)| *since <= at).max_by_key(|(.., fence)| *fence);
    newest.map(|(gateway, ..)| gateway)
}

/// I10: no two conduct under one fence, and whoever has been followed by another one asks nothing of Spotify any more.
pub(super) fn conducted_by_one(wave: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    let all: Vec<_> = reigns(wave, room).collect();
    for (n, (gateway, at, fence)) in all.iter().enumerate() {
        for (other, later, newer) in &all[..n] {
            if newer == fence {
                wrong.push(format!("gateways {gateway} and {other} conduct under fence {fence}"));
            }
            let (first, second) =
                if at <= later { ((at, fence), (later, newer)) } else { ((later, newer), (at, fence)) };
            if second.0 - first.0 > SLACK_MS && second.1 < first.1 {
                wrong.push(format!("fence {} at {} after {} at {}", second.1, second.0, first.1, first.0));
            }
        }
    }
    for (gateway, told) in wave.gateways.iter().enumerate() {
        for (at, told) in told {
            let Told::Next { user } = told else { continue };
            if *user != room.user {
                continue;
            }
            let held = all.iter().filter(|(of, since, _)| *of == gateway && *since <= *at + SLACK_MS);
            let Some(held) = held.map(|(.., fence)| *fence).max() else { continue };
            let followed = all
                .iter()
                .find(|(of, since, fence)| *of != gateway && *fence > held && *since + SLACK_MS < *at);
            // What a stalled link held back comes late, and was sent in time.
            if let Some((next, since, fence)) = followed
                && !matches!(wave.fault.scenario, Scenario::Link(Link::Spotify, _))
            {
                wrong.push(format!(
                    "gateway {gateway} asks Spotify at {at} under fence {held}; gateway {next} has {fence} since {since}"
                ));
            }
        }
    }
    wrong
}

/// I11: each set of tokens is refreshed once. Where an answer may have been lost on its way, or what was stored with it,
/// once more.
pub(super) fn one_refresh_each(wave: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let (Some(first), Some(last)) = (room.generations.first(), room.generations.last()) else {
        return Vec::new();
    };
    let stored = last.saturating_sub(*first);
    let may_be_lost = match wave.fault.scenario {
        Scenario::Stop | Scenario::Deaf | Scenario::Link(Link::Clients | Link::Replica, _) => 0,
        Scenario::Kill
        | Scenario::Failover
        | Scenario::Restart
        | Scenario::Link(Link::Spotify | Link::Store, _) => 1,
    };
    let wrong = room.refreshes > stored + may_be_lost;
    wrong.then(|| format!("{} refreshes for {stored} generations", room.refreshes)).into_iter().collect()
}

/// I12: a generation only grows. (They are looked at before the replica is cut off, so a failover has lost none of these.)
pub(super) fn generations_grow(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let back = room.generations.windows(2).filter(|pair| pair[1] < pair[0]);
    back.map(|pair| format!("generation {} after {}", pair[1], pair[0])).collect()
}

/// How soon every gateway knows that Spotify asks to wait, in milliseconds: each looks before it asks, and what was
/// under way then is under way.
const KNOWN_MS: At = 600;

/// I13: nobody asks Spotify before the time is over that it asked one of them to wait. Who cannot reach the store cannot
/// know; what a bad link brings late was sent in time.
pub(super) fn waits_are_kept(wave: &WaveJournal) -> Vec<String> {
    let apart = matches!(
        wave.fault.scenario,
        Scenario::Restart | Scenario::Failover | Scenario::Link(Link::Store | Link::Spotify, _)
    );
    if apart {
        return Vec::new();
    }
    let all = || wave.gateways.iter().flatten();
    let mut wrong = Vec::new();
    for (limited, told) in all() {
        let Told::Limited { ms } = told else { continue };
        let (from, until) = (limited + KNOWN_MS, limited + *ms as At - SLACK_MS);
        for (gateway, told) in wave.gateways.iter().enumerate() {
            let asked =
                told.iter().filter(|(_, told)| matches!(told, Told::Asked { .. } | Told::Next { .. }));
            for (at, _) in asked.filter(|(at, _)| from < *at && *at < until) {
                wrong
                    .push(format!("gateway {gateway} asks at {at}, {limited} + {ms} ms is to be waited for"));
            }
        }
    }
    wrong
}

/// I14, as far as logs go: no token stands in them.
pub(super) fn nothing_leaks(wave: &WaveJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    for (gateway, told) in wave.gateways.iter().enumerate() {
        for (at, told) in told {
            if let Told::Leaked { user } = told {
                wrong.push(format!("gateway {gateway} at {at}: a token of {user} stands in the log"));
            }
        }
    }
    wrong
}

/// I19: what is refused is refused with a code that fits.
pub(super) fn answers_are_known(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    for (client, journal) in room.clients.iter().enumerate() {
        for entry in &journal.entries {
            if let What::Answered(id, Err(code)) = &entry.what
                // The song may be over before the vote comes, or the skip be under way.
                && !matches!(code, Code::StaleEpoch | Code::NothingPlaying)
            {
                wrong.push(format!("client {client}: {id}: {code:?}"));
            }
            if let What::Refused(gateway, status) = &entry.what
                // Away for a moment, or asked too often by all clients that come back at once.
                && !matches!(status, 429 | 503)
            {
                wrong.push(format!("client {client}: {status} before the upgrade at gateway {gateway}"));
            }
        }
    }
    wrong
}

/// I19: no panic, and no failure but "away for a moment".
pub(super) fn gateways_are_well(wave: &WaveJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    for (gateway, told) in wave.gateways.iter().enumerate() {
        for (at, told) in told {
            match told {
                Told::Panicked(what) => wrong.push(format!("gateway {gateway} at {at}: {what}")),
                Told::Failed { path, status } if *status != 503 => {
                    wrong.push(format!("gateway {gateway} at {at}: {status} for {path}"));
                }
                Told::Failed { .. }
                | Told::Conducts { .. }
                | Told::Next { .. }
                | Told::Asked { .. }
                | Told::Limited { .. }
                | Told::Leaked { .. } => {}
            }
        }
    }
    wrong
}

/// Whether what the fault struck had to do with the room: it has clients at every gateway, and every gateway stores for
/// it; but one alone asks Spotify.
pub(super) fn concerned(wave: &WaveJournal, room: &RoomJournal) -> bool {
    if !matches!(wave.fault.scenario, Scenario::Link(Link::Spotify, _)) {
        return true;
    }
    let conductor = conductor(wave, room, wave.fault.until);
    conductor.is_none_or(|gateway| wave.fault.gateways.contains(&gateway))
}
