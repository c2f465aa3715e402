//! What this process remembers of a room, for a store that may lose what it has acknowledged: a replica has taken over, or
//! a server was restarted. Then the newest memory wins, whoever has it.

use rooms::Room;
use store::{Lineage, StoredRoom};

/// The room as it was last known to be stored.
#[derive(Debug)]
pub(super) struct Remembered {
    /// Where it was stored.
    pub(super) lineage: Lineage,
    /// What was stored.
    pub(super) stored: StoredRoom,
    /// Whether the room was closed.
    pub(super) closed: bool,
}

/// The room as the store has it now, and the name of the store's memory.
pub(super) struct Found {
    pub(super) lineage: Lineage,
    pub(super) room: Option<(Room, StoredRoom)>,
}

impl Found {
    /// The version that is stored; 0 where there is no room.
    pub(super) fn version(&self) -> u64 {
        self.room.as_ref().map_or(0, |(_, stored)| stored.version)
    }
}

/// What to do with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is the newest there is.
    Follow,
    /// Another memory answers now. Whoever remembers more than that has a moment to put it back.
    Wait,
    /// Put back what this process remembers.
    PutBackOwn,
    /// Put back what is stored: nobody remembers more, but votes may be missing, and clients have seen later versions.
    PutBackStored,
    /// There is no such room any more.
    Gone,
}

impl Remembered {
    /// What is stored there as the first version, or was found there.
    pub(super) fn new(lineage: Lineage, stored: StoredRoom, closed: bool) -> Self {
        Self { lineage, stored, closed }
    }

    /// The next version was stored there, and wrote these records.
    pub(super) fn learn(&mut self, version: u64, records: &[(String, Option<Vec<u8>>)]) {
        self.stored.version = version;
        for (key, value) in records {
            match value {
                Some(value) => self.stored.records.insert(key.clone(), value.clone()),
                None => self.stored.records.remove(key),
            };
        }
    }
}

/// Judges what was found. `waited`: others had their moment.
pub(super) fn judge(remembered: Option<&Remembered>, found: &Found, waited: bool) -> Judgement {
    let kept_in = found.room.as_ref().map(|(room, _)| room.lineage());
    decide(remembered, kept_in, found.version(), &found.lineage, waited)
}

/// `kept_in` is the memory that the room was last written in, where there is a room.
fn decide(
    remembered: Option<&Remembered>,
    kept_in: Option<&str>,
    version: u64,
    lineage: &Lineage,
    waited: bool,
) -> Judgement {
    // Of the same memory nothing is lost: a room that is gone there was deleted.
    let lost = remembered.filter(|own| own.lineage != *lineage && own.stored.version > version);
    match (lost, kept_in) {
        (Some(own), None) if own.closed => Judgement::Gone,
        (Some(_), _) => Judgement::PutBackOwn,
        (None, None) => Judgement::Gone,
        (None, Some(kept_in)) if *kept_in == **lineage => Judgement::Follow,
        (None, Some(_)) if waited => Judgement::PutBackStored,
        (None, Some(_)) => Judgement::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_memory_wins() {
        let remembers = |lineage: &str, version, closed| {
            let stored = StoredRoom { version, ..StoredRoom::default() };
            Some(Remembered::new(lineage.into(), stored, closed))
        };
        let check = |remembered: Option<Remembered>, stored: Option<(&str, u64)>, waited, expected| {
            let (kept_in, version) = (stored.map(|(kept_in, _)| kept_in), stored.map_or(0, |(_, v)| v));
            let judged = decide(remembered.as_ref(), kept_in, version, &"b".into(), waited);
            assert_eq!(judged, expected, "{remembered:?} and {stored:?}, waited: {waited}");
        };
        for waited in [false, true] {
            // Nothing has happened to the store.
            check(remembers("b", 7, false), Some(("b", 9)), waited, Judgement::Follow);
            check(remembers("b", 7, false), None, waited, Judgement::Gone);
            check(None, Some(("b", 9)), waited, Judgement::Follow);
            check(None, None, waited, Judgement::Gone);
            // It has lost something.
            check(remembers("a", 9, false), Some(("a", 7)), waited, Judgement::PutBackOwn);
            check(remembers("a", 9, false), None, waited, Judgement::PutBackOwn);
            check(remembers("a", 9, true), None, waited, Judgement::Gone);
            // Somebody else has put it back.
            check(remembers("a", 9, false), Some(("b", 10_010)), waited, Judgement::Follow);
        }
        // Nobody here knows whether it has lost something.
        for known in [remembers("a", 7, false), remembers("a", 6, false), None] {
            check(known, Some(("a", 7)), false, Judgement::Wait);
        }
        check(remembers("a", 7, false), Some(("a", 7)), true, Judgement::PutBackStored);
        check(None, Some(("a", 7)), true, Judgement::PutBackStored);
    }
}
