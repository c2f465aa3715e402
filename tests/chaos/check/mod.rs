//! The invariants of `reliability-security.md`, section 3, over the journals of a wave: pure, each able to fail.

mod ballot;
mod order;
mod service;
#[cfg(test)]
mod tests;

use super::journal::{At, RoomJournal, WaveJournal};

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// Which: `I1` to `I20`, or `P1` where what was told is not what was done.
    pub(super) invariant: &'static str,
    /// In which room.
    pub(super) room: String,
    /// What was seen.
    pub(super) what: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}: {}", self.invariant, self.room, self.what)
    }
}

/// Breaches of one invariant in one room.
fn breaches(invariant: &'static str, room: &RoomJournal, what: Vec<String>) -> Vec<Breach> {
    let room = format!("{} ({})", room.user, room.code);
    what.into_iter().map(|what| Breach { invariant, room: room.clone(), what }).collect()
}

type RoomCheck = fn(&WaveJournal, &RoomJournal) -> Vec<String>;

/// What is looked at room by room.
const ROOM_CHECKS: [(&str, RoomCheck); 19] = [
    ("I1", ballot::quorum),
    ("I2", ballot::once),
    ("I3", ballot::right_track),
    ("P1", ballot::told_as_done),
    ("P1", ballot::settled),
    ("I4", ballot::one_vote_each),
    ("I5", ballot::acknowledged_votes),
    ("I6", order::versions_grow),
    ("I7", order::same_everywhere),
    ("I8", order::folds_to_what_is_served),
    ("I9", order::acknowledged_in_order),
    ("I10", service::fences_grow),
    ("I10", service::conducted_by_one),
    ("I11", service::one_refresh_each),
    ("I12", service::generations_grow),
    ("I15", order::own_room),
    ("I18", order::present),
    ("I19", service::answers_are_known),
    ("I20", order::converged),
];

type WaveCheck = fn(&WaveJournal) -> Vec<String>;

/// What is looked at for all rooms together.
const WAVE_CHECKS: [(&str, WaveCheck); 3] =
    [("I13", service::waits_are_kept), ("I14", service::nothing_leaks), ("I19", service::gateways_are_well)];

/// Everything that did not hold in a wave.
pub(super) fn wave(wave: &WaveJournal) -> Vec<Breach> {
    let mut found = Vec::new();
    for room in &wave.rooms {
        for (invariant, check) in ROOM_CHECKS {
            found.extend(breaches(invariant, room, check(wave, room)));
        }
    }
    for (invariant, check) in WAVE_CHECKS {
        found.extend(check(wave).into_iter().map(|what| Breach { invariant, room: "all".to_owned(), what }));
    }
    found
}

/// Whether the fault was felt in the room: it struck while the ballot was open or being settled.
pub(super) fn felt(wave: &WaveJournal, room: &RoomJournal) -> bool {
    wave.fault.proof.is_some()
        && wave.fault.from <= room.settled_at
        && wave.fault.until >= room.voted_at
        && service::concerned(wave, room)
}

pub(super) use ballot::carries;
pub(super) use order::{PROMISED_MS, convergence_ms};
pub(super) use service::conductor;

/// How far two journals of different writers may be apart for the same instant, in milliseconds.
const SLACK_MS: At = 250;
