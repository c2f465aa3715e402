//! Versions, and what they hold: I6 to I9, I15, I18, I20.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::RoomView;

use crate::chaos::journal::{At, RoomJournal, WaveJournal, What};

/// So long may it take on a machine that does nothing else, in milliseconds (I20); what it took is reported.
pub(in crate::chaos) const PROMISED_MS: u64 = 5_000;
/// So long may it take here, in milliseconds: a slow machine, a debug build, and other work beside it.
const TOLERATED_MS: u64 = 20_000;
/// A room that is put back after a loss gets a version so much greater than any that was lost.
const PUT_BACK: u64 = 10_000;

/// I6: versions only grow, at every client.
pub(super) fn versions_grow(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    for (client, journal) in room.clients.iter().enumerate() {
        let mut held = room.before.version;
        for entry in &journal.entries {
            if let Some(seen) = entry.what.room() {
                let version = seen.room.version;
                if version < held {
                    wrong.push(format!("client {client}: {version} after {held}"));
                }
                held = version;
            }
            if let What::Broke(what) = &entry.what {
                wrong.push(format!("client {client}: {what}"));
            }
        }
        for served in &room.served {
            let held = room.seen().filter(|(of, at, _)| *of == client && *at < served.at);
            let held = held.map(|(.., seen)| seen.room.version).max().unwrap_or(room.before.version);
            if served.room.version < held {
                let (gateway, version) = (served.gateway, served.room.version);
                wrong.push(format!("client {client} holds {held}, and gateway {gateway} serves {version}"));
            }
        }
    }
    wrong
}

/// Whether the version is of those that a failover has lost: another history may have used its number again (the store's
/// epoch has changed), until the room was put back.
fn lost(room: &RoomJournal, version: u64) -> bool {
    room.survived.is_some_and(|survived| version > survived && version < survived + PUT_BACK)
}

/// I7: one version is one value, and one snapshot the same bytes.
pub(super) fn same_everywhere(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut values: BTreeMap<u64, &Arc<RoomView>> = BTreeMap::new();
    for seen in room.rooms().filter(|seen| !lost(room, seen.version)) {
        let first = values.entry(seen.version).or_insert(seen);
        if *first != seen {
            wrong.push(format!("version {} is two: {}", seen.version, differences(first, seen)));
        }
    }
    let mut snapshots: BTreeMap<u64, u64> = BTreeMap::new();
    for (client, _, seen) in room.seen().filter(|(.., seen)| !lost(room, seen.room.version)) {
        let Some(digest) = seen.snapshot else { continue };
        if *snapshots.entry(seen.room.version).or_insert(digest) != digest {
            wrong.push(format!("client {client}: other bytes of snapshot {}", seen.room.version));
        }
    }
    let bytes: Vec<_> = room.served.iter().map(|served| (served.room.version, served.bytes)).collect();
    if bytes.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1) {
        wrong.push(format!("gateways serve other bytes of one version: {bytes:?}"));
    }
    wrong
}

/// The sections that two values of a version differ in.
fn differences(one: &RoomView, other: &RoomView) -> String {
    let (one, other) = (serde_json::to_value(one), serde_json::to_value(other));
    let (Ok(serde_json::Value::Object(one)), Ok(serde_json::Value::Object(other))) = (one, other) else {
        return "unreadable".to_owned();
    };
    let differing = one.iter().filter(|(key, value)| other.get(*key) != Some(value));
    differing.map(|(key, value)| format!("{key}: {value} / {}", other[key])).collect::<Vec<_>>().join("; ")
}

/// I8: what clients have folded is what is served whole.
pub(super) fn folds_to_what_is_served(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    for (client, journal) in room.clients.iter().enumerate() {
        let last = journal.entries.iter().rev().find_map(|entry| Some(&entry.what.room()?.room));
        let held = last.unwrap_or(&room.before);
        for served in room.served.iter().filter(|served| served.room.version == held.version) {
            if served.room != *held {
                let what = differences(held, &served.room);
                wrong.push(format!("client {client} against gateway {}: {what}", served.gateway));
            }
        }
    }
    wrong
}

/// I9: a command that was given after another one was acknowledged comes after it. What was acknowledged without a
/// change may name the version before.
pub(super) fn acknowledged_in_order(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    let commands = room.commands();
    for one in &commands {
        let Some((at, version)) = one.ack() else { continue };
        for later in commands.iter().filter(|later| later.sent > at) {
            if let Some((_, newer)) = later.ack().filter(|(_, newer)| *newer < version) {
                wrong.push(format!("{:?} with {newer} after {:?} with {version}", later.body, one.body));
            }
        }
    }
    wrong
}

/// I15: nobody hears of another room, and everybody is a member of what they hear.
pub(super) fn own_room(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    for (client, at, seen) in room.seen() {
        let member = &room.clients[client].member;
        if seen.room.code != room.code {
            wrong.push(format!("client {client} at {at} hears of {}", seen.room.code));
        }
        if !seen.room.members.list.iter().any(|listed| listed.member_id == *member) {
            wrong.push(format!("client {client} at {at} is no member of version {}", seen.room.version));
        }
    }
    wrong
}

/// I18: at rest whoever is connected is present.
pub(super) fn present(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let clients = room.clients.len();
    let absent = room.served.iter().filter(|served| served.room.members.online as usize != clients);
    absent
        .map(|served| {
            format!("{} of {clients} online at gateway {}", served.room.members.online, served.gateway)
        })
        .collect()
}

/// How long after the fault it took until every client held every version that anyone had seen or been promised, or a
/// newer one, in milliseconds. `None`: somebody never did.
pub(in crate::chaos) fn convergence_ms(wave: &WaveJournal, room: &RoomJournal) -> Option<u64> {
    // When each version was first known to anyone.
    let mut known: BTreeMap<u64, At> = BTreeMap::new();
    let seen = room.seen().map(|(_, at, seen)| (seen.room.version, at));
    let promised =
        room.commands().into_iter().filter_map(|command| command.ack().map(|(at, version)| (version, at)));
    for (version, at) in seen.chain(promised) {
        let first = known.entry(version).or_insert(at);
        *first = at.min(*first);
    }
    let mut longest = 0;
    for client in 0..room.clients.len() {
        let held: Vec<(At, u64)> = room
            .seen()
            .filter(|(of, ..)| *of == client)
            .map(|(_, at, seen)| (at, seen.room.version))
            .collect();
        for (version, at) in &known {
            if *version <= room.before.version || lost(room, *version) {
                continue;
            }
            let (caught_up, _) = held.iter().find(|(_, held)| held >= version)?;
            longest = longest.max(caught_up - at.max(&wave.fault.until));
        }
    }
    u64::try_from(longest).ok()
}

/// I20: after the fault everyone holds the same.
pub(super) fn converged(wave: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let wrong = match convergence_ms(wave, room) {
        Some(ms) if ms <= TOLERATED_MS => None,
        Some(ms) => Some(format!("after {ms} ms")),
        None => Some("never".to_owned()),
    };
    let versions: Vec<u64> = room.served.iter().map(|served| served.room.version).collect();
    let apart = versions.windows(2).any(|pair| pair[0] != pair[1]);
    wrong.into_iter().chain(apart.then(|| format!("gateways serve {versions:?}"))).collect()
}
