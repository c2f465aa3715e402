//! What arrived when. Latency counts from the instant at which a command was due, not from that at which it went out:
//! a server that holds us up pays for everything that had to wait ("coordinated omission").

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::plan::{EMOJI, Shot, What};

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// Commands sent.
    pub(crate) commands: usize,
    /// Commands that reached the last receiver.
    pub(crate) delivered: usize,
    /// Commands refused, by code.
    pub(crate) refused: BTreeMap<String, usize>,
    /// Text frames received.
    pub(crate) frames: u64,
    /// Their payloads.
    pub(crate) bytes: u64,
    /// Time in which deliveries were under way, volleys taken one by one.
    pub(crate) busy: Duration,
    /// From due to the last receiver, in microseconds.
    pub(crate) latency: Option<Histogram<u64>>,
    /// The same to the last receiver of the other half of the room, where rooms are pairs.
    pub(crate) across: Option<Histogram<u64>>,
    /// Connections that ended.
    pub(crate) lost_connections: usize,
}

/// A running count.
#[derive(Debug)]
pub(crate) struct Tally {
    what: What,
    shots: Vec<Shot>,
    start: Instant,
    listeners: Vec<usize>,
    fired: usize,
    settled: usize,
    /// For each command: how many have it, and when the last got it.
    arrivals: Vec<(usize, Option<Instant>)>,
    refusals: BTreeMap<String, usize>,
    refused: Vec<bool>,
    /// Which command an emoji stands for now, by room.
    active: HashMap<(usize, usize), usize>,
    acked: Vec<Option<u64>>,
    /// The version of each room that everyone in it had when the run began.
    begun: Vec<u64>,
    /// How many have at least that version of a room, and when the last got it.
    reached: Vec<BTreeMap<u64, (usize, Instant)>>,
    /// Text frames received.
    pub(crate) frames: u64,
    /// Their payloads.
    pub(crate) bytes: u64,
    /// What was said last before a connection ended.
    pub(crate) last_word: String,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new(What::React, Vec::new(), Instant::now(), &[])
    }
}

impl Tally {
    /// A count for `shots`, due from `start` on, in rooms with so many listeners each, who all have that version.
    pub(crate) fn new(what: What, shots: Vec<Shot>, start: Instant, rooms: &[(usize, u64)]) -> Self {
        Self {
            what,
            start,
            fired: 0,
            settled: 0,
            arrivals: vec![(0, None); shots.len()],
            refusals: BTreeMap::new(),
            refused: vec![false; shots.len()],
            active: HashMap::new(),
            acked: vec![None; shots.len()],
            begun: rooms.iter().map(|(_, version)| *version).collect(),
            reached: vec![BTreeMap::new(); rooms.len()],
            listeners: rooms.iter().map(|(listeners, _)| *listeners).collect(),
            shots,
            frames: 0,
            bytes: 0,
            last_word: String::new(),
        }
    }

    fn slot(&self, n: usize) -> usize {
        // Rooms take turns, so a room's own turns must take turns with the emoji.
        n / self.listeners.len().max(1) % EMOJI.len()
    }

    /// The emoji of command `n`.
    pub(crate) fn emoji(&self, n: usize) -> &'static str {
        EMOJI[self.slot(n)]
    }

    /// Command `n` goes out.
    pub(crate) fn fired(&mut self, n: usize) {
        self.fired += 1;
        self.active.insert((self.shots[n].room, self.slot(n)), n);
    }

    /// A member of `room` sees a reaction.
    pub(crate) fn reaction(&mut self, room: usize, emoji: &[u8]) {
        let slot = EMOJI.iter().position(|known| known.as_bytes() == emoji);
        let Some(&n) = slot.and_then(|slot| self.active.get(&(room, slot))) else { return };
        if self.what == What::React {
            let (count, last) = &mut self.arrivals[n];
            *count += 1;
            *last = Some(Instant::now());
            if *count == self.listeners[room] {
                self.settled += 1;
            }
        }
    }

    /// A member of `room` that had version `before` has `after`.
    pub(crate) fn versions(&mut self, room: usize, before: u64, after: u64) {
        if self.what == What::React || room >= self.reached.len() {
            return;
        }
        let now = Instant::now();
        for version in before + 1..=after {
            let (count, last) = self.reached[room].entry(version).or_insert((0, now));
            *count += 1;
            *last = now;
        }
    }

    /// Command `n` is stored in `version`. Where everyone has that version for long it changed nothing (a vote taken
    /// back whose track has ended, say), and there is nothing to deliver.
    pub(crate) fn acknowledged(&mut self, n: usize, version: u64) {
        let Some(shot) = self.shots.get(n) else { return };
        if self.what == What::Vote && version <= self.begun[shot.room] {
            return self.refused(Some(n), "changed nothing");
        }
        self.acked[n] = Some(version);
    }

    /// Command `n` is refused.
    pub(crate) fn refused(&mut self, n: Option<usize>, code: &str) {
        *self.refusals.entry(code.to_owned()).or_default() += 1;
        if let Some(refused) = n.and_then(|n| self.refused.get_mut(n)) {
            *refused = true;
            self.settled += 1;
        }
    }

    /// When command `n` reached the last receiver.
    fn done(&self, n: usize) -> Option<Instant> {
        self.done_in(n, self.shots[n].room)
    }

    /// The same of another room, which the command is heard in too.
    fn done_in(&self, n: usize, room: usize) -> Option<Instant> {
        let (count, last) = match self.what {
            What::React => self.arrivals[n],
            What::Vote => {
                let (count, last) = *self.reached[room].get(&self.acked[n]?)?;
                (count, Some(last))
            }
        };
        last.filter(|_| count >= self.listeners[room])
    }

    /// Whether every command is delivered or refused.
    pub(crate) fn complete(&self) -> bool {
        match self.what {
            What::React => self.settled >= self.shots.len(),
            What::Vote => (0..self.shots.len()).rev().all(|n| self.refused[n] || self.done(n).is_some()),
        }
    }

    /// What it has come to.
    pub(crate) fn summary(&self) -> Summary {
        // Up to ten minutes, to three digits.
        let histogram = || Histogram::new_with_bounds(1, 600_000_000, 3).ok();
        let (mut latency, mut across) = (histogram(), histogram());
        let mut volleys: BTreeMap<Duration, Duration> = BTreeMap::new();
        let mut delivered = 0;
        for n in 0..self.shots.len() {
            let Some(done) = self.done(n) else { continue };
            delivered += 1;
            let at = self.shots[n].at;
            let waited = done.saturating_duration_since(self.start + at);
            let longest = volleys.entry(at).or_default();
            *longest = waited.max(*longest);
            if let Some(latency) = &mut latency {
                latency.saturating_record(micros(waited));
            }
            // Rooms are numbered so that the halves of a pair differ in the last bit.
            let other = self.shots[n].room ^ 1;
            if self.what == What::Vote
                && let (Some(across), true) = (&mut across, other < self.reached.len())
                && let Some(done) = self.done_in(n, other)
            {
                across.saturating_record(micros(done.saturating_duration_since(self.start + at)));
            }
        }
        Summary {
            commands: self.fired,
            delivered,
            refused: self.refusals.clone(),
            frames: self.frames,
            bytes: self.bytes,
            busy: volleys.values().sum(),
            latency,
            across,
            lost_connections: 0,
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shots(count: usize) -> Vec<Shot> {
        (0..count)
            .map(|n| Shot { at: Duration::from_millis(n as u64), room: 0, member: 0, vote: true })
            .collect()
    }

    #[test]
    fn a_reaction_is_delivered_when_the_last_has_it() {
        let mut tally = Tally::new(What::React, shots(2), Instant::now(), &[(2, 0)]);
        for n in 0..2 {
            tally.fired(n);
        }
        let (first, second) = (EMOJI[0].as_bytes(), EMOJI[1].as_bytes());
        tally.reaction(0, first);
        tally.reaction(0, second);
        tally.reaction(0, first);
        assert_eq!((tally.complete(), tally.summary().delivered), (false, 1));
        tally.reaction(0, second);
        assert_eq!((tally.complete(), tally.summary().delivered), (true, 2));
    }

    #[test]
    fn a_vote_is_delivered_when_the_last_has_its_version_or_a_later_one() {
        let mut tally = Tally::new(What::Vote, shots(2), Instant::now(), &[(2, 4)]);
        tally.versions(0, 4, 6);
        tally.acknowledged(0, 5);
        tally.acknowledged(1, 6);
        tally.versions(0, 4, 5);
        assert_eq!((tally.complete(), tally.summary().delivered), (false, 1));
        tally.versions(0, 5, 6);
        assert_eq!((tally.complete(), tally.summary().delivered), (true, 2));
    }

    #[test]
    fn a_refused_command_is_settled_and_not_delivered() {
        let mut tally = Tally::new(What::Vote, shots(1), Instant::now(), &[(1, 0)]);
        tally.refused(Some(0), "stale_epoch");
        assert!(tally.complete());
        let summary = tally.summary();
        assert_eq!((summary.delivered, summary.refused.get("stale_epoch")), (0, Some(&1)));
    }

    #[test]
    fn a_command_that_changed_nothing_has_nothing_to_deliver() {
        let mut tally = Tally::new(What::Vote, shots(1), Instant::now(), &[(2, 7)]);
        tally.acknowledged(0, 7);
        assert_eq!((tally.complete(), tally.summary().delivered), (true, 0));
    }
}
