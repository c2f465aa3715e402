//! Several processes over a store that loses acknowledged commits when it fails over, and a bus that drops messages:
//! simulated, seeded, in one thread. Whatever happens, a ballot asks Spotify at most once, with its votes, for its song;
//! a vote that was acknowledged counts or its ballot is voided; versions only grow.
//!
//! `BALLOTS=1000000 cargo test --release -p rooms --test failover` runs as many; `SEED` chooses others. `BREAK=volatile`
//! (what is sent is not waited for) and `BREAK=silent` (nothing is voided) must fail: they show that the checks can.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Entropy, MemberId, NodeId, SeededEntropy, Timestamp};
use rooms::{
    Admission, Command, Disallows, JoinOutcome, Notice, Observation, Opening, OrderId, OrderOutcome,
    OrderState, PlayerSeen, Proposal, Room, Seen, Settings, SkipRule, Track,
};

const SONG_MS: u64 = 200_000;
const PEOPLE: u32 = 5;
const PROCESSES: usize = 3;

type Records = BTreeMap<String, Vec<u8>>;

/// A primary, and the replica that takes over from it.
#[derive(Clone, Default)]
struct Memory {
    version: u64,
    records: Records,
    fence: u64,
}

#[derive(Default)]
struct Store {
    primary: Memory,
    replica: Memory,
    lineage: u64,
}

#[derive(PartialEq)]
enum Stored {
    Yes,
    Conflict,
    Fenced,
}

impl Store {
    fn commit(&mut self, proposal: &Proposal, lineage: u64, fence: Option<u64>) -> Stored {
        let primary = &mut self.primary;
        if fence.is_some_and(|fence| fence < primary.fence) {
            return Stored::Fenced;
        }
        if lineage != self.lineage || proposal.expected != primary.version {
            return Stored::Conflict;
        }
        primary.fence = primary.fence.max(fence.unwrap_or(0));
        primary.version = proposal.version;
        for (key, value) in &proposal.records {
            match value {
                Some(value) => primary.records.insert(key.clone(), value.clone()),
                None => primary.records.remove(key),
            };
        }
        Stored::Yes
    }
}

/// What Spotify was asked, and what it plays.
#[derive(Default)]
struct Spotify {
    song: u64,
    began: Timestamp,
    /// The ballots that it was asked for, with the song that was on the air.
    asked: Vec<((u64, u64), u64)>,
}

/// A process with its replica of the room.
struct Process {
    room: Room,
    lineage: u64,
    /// The fence under which it believes that it conducts.
    fence: Option<u64>,
    /// A request that it has been answered and has not reported.
    answer: Option<(OrderId, OrderOutcome)>,
    looks: u32,
}

struct World {
    entropy: SeededEntropy,
    now: Timestamp,
    store: Store,
    spotify: Spotify,
    processes: Vec<Process>,
    next_fence: u64,
    /// The votes that were acknowledged for the present epoch and ballot, and that nobody has tried to take back: these
    /// must count.
    acknowledged: BTreeSet<MemberId>,
    /// The votes that were given to it, and not taken back for certain: no others may count.
    given: BTreeSet<MemberId>,
    ballot: (u64, u64),
    songs: BTreeMap<u64, u64>,
    newest: u64,
    broken: String,
    voided: usize,
}

fn person(n: u32) -> MemberId {
    format!("person-{n}").parse().expect("an id")
}

fn node(n: usize) -> NodeId {
    format!("process-{n}").parse().expect("an id")
}

impl World {
    fn new(seed: u64, broken: &str) -> Self {
        let now = Timestamp(1_790_000_000_000);
        let opening = Opening {
            code: "7KQ2MD".parse().expect("a code"),
            name: "Storm".to_owned(),
            host: person(0),
            host_name: "Ada".to_owned(),
            account: "ada".parse().expect("an account"),
            settings: Settings {
                admission: Admission::Open,
                skip_rule: SkipRule::Count { value: 3 },
                ..Settings::default()
            },
        };
        let mut room = Room::open(opening, now);
        room.kept_in("0");
        for n in 0..PEOPLE {
            let joined = room.join(now, &person(n), "somebody", 100);
            assert!(matches!(joined, JoinOutcome::Joined | JoinOutcome::Member));
            room.arrived(now, &person(n), &node(0));
        }
        let mut store = Store::default();
        let first = room.take().expect("a version");
        assert!(store.commit(&first, 0, None) == Stored::Yes);
        store.replica = store.primary.clone();
        let process = |_| Process { room: room.clone(), lineage: 0, fence: None, answer: None, looks: 0 };
        Self {
            entropy: SeededEntropy::new(seed),
            now,
            store,
            spotify: Spotify { song: 1, began: now, asked: Vec::new() },
            processes: (0..PROCESSES).map(process).collect(),
            next_fence: 1,
            acknowledged: BTreeSet::new(),
            given: BTreeSet::new(),
            ballot: (0, 0),
            songs: BTreeMap::new(),
            newest: 0,
            broken: broken.to_owned(),
            voided: 0,
        }
    }

    fn chance(&self, one_in: u32) -> bool {
        self.entropy.below(one_in) == 0
    }

    /// What the gateway does on a conflict, a gap, or a word from the bus.
    fn reload(&mut self, p: usize) {
        let lineage = self.store.lineage;
        let name = lineage.to_string();
        let process = &mut self.processes[p];
        let shown = process.room.clone();
        let stored = Room::restore(self.store.primary.version, &self.store.primary.records, self.now);
        let stored = stored.expect("sound records");
        if process.lineage == lineage {
            process.room = stored;
            self.told_after(p, &shown);
            return;
        }
        let behind = stored.version() < process.room.version();
        if !behind {
            process.room = stored;
        }
        if self.broken != "silent" {
            process.room.kept_in(&name);
        }
        process.lineage = lineage;
        let expected = self.store.primary.version;
        let Some(next) = process.room.put_back(self.now, expected) else { return };
        let primary = &mut self.store.primary;
        primary.version = next.version;
        primary.records = next.records.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        self.told_after(p, &shown);
    }

    /// What the process tells who was shown that room before.
    fn told_after(&mut self, p: usize, shown: &Room) {
        if matches!(self.processes[p].room.told_after(shown), Some(Notice::VotesVoided { .. })) {
            self.acknowledged.clear();
            self.voided += 1;
        }
    }

    /// Decides on the process's replica and stores it; decided again where others came first.
    fn commit<T>(
        &mut self,
        p: usize,
        fence: Option<u64>,
        decide: impl Fn(&mut Room, Timestamp) -> T,
    ) -> Option<T> {
        for _ in 0..4 {
            let now = self.now;
            let process = &mut self.processes[p];
            process.room.settle(now);
            let decided = decide(&mut process.room, now);
            process.room.settle(now);
            let Some(proposal) = process.room.take() else {
                // Nothing to write: true only of the newest version.
                if (process.lineage, process.room.version())
                    == (self.store.lineage, self.store.primary.version)
                {
                    return Some(decided);
                }
                self.reload(p);
                continue;
            };
            match self.store.commit(&proposal, process.lineage, fence) {
                Stored::Yes => {
                    for other in 0..PROCESSES {
                        // The bus may lose the word; the process then finds out with its next commit.
                        if other != p && !self.chance(4) {
                            self.reload(other);
                        }
                    }
                    self.check();
                    return Some(decided);
                }
                Stored::Conflict => self.reload(p),
                Stored::Fenced => {
                    self.processes[p].fence = None;
                    self.reload(p);
                    return None;
                }
            }
        }
        None
    }

    fn vote(&mut self) {
        let p = self.entropy.below(PROCESSES as u32) as usize;
        let who = person(self.entropy.below(PEOPLE));
        let epoch = self.processes[p].room.playback().epoch;
        let takes_back = self.chance(5);
        let command = if takes_back { Command::UnvoteSkip { epoch } } else { Command::VoteSkip { epoch } };
        if takes_back {
            // From here on it may be gone.
            self.acknowledged.remove(&who);
        }
        let done = self.commit(p, None, |room, now| {
            let done = room.perform(now, &who, None, command.clone()).is_ok();
            let ballot = room.ballot().map(|ballot| (ballot.epoch, ballot.number));
            (done, ballot.unwrap_or_default(), room.playback().epoch)
        });
        if let Some((true, ballot, now_epoch)) = done
            && now_epoch == epoch
            && ballot == self.ballot
        {
            if takes_back {
                self.given.remove(&who);
            } else {
                self.given.insert(who.clone());
                self.acknowledged.insert(who);
            }
            self.check();
        }
    }

    /// One step of whoever believes that it conducts.
    fn conduct(&mut self) {
        let conducting: Vec<usize> = (0..PROCESSES).filter(|p| self.processes[*p].fence.is_some()).collect();
        let Some(&p) = conducting.get(self.entropy.below(conducting.len().max(1) as u32) as usize) else {
            return self.take_over();
        };
        let fence = self.processes[p].fence;
        if let Some((order, outcome)) = self.processes[p].answer.take() {
            self.commit(p, fence, |room, now| room.order_answered(now, order, outcome.clone()));
            return;
        }
        let next = self.processes[p].room.next_order().cloned();
        match next.map(|order| (order.id, order.progress, order.epoch)) {
            Some((order, OrderState::Waiting { .. }, _)) => self.send(p, order),
            // Found so by a takeover: it is never asked again.
            Some((order, OrderState::Sent { .. }, _)) => {
                self.commit(p, fence, |room, now| room.order_answered(now, order, OrderOutcome::Unknown));
            }
            Some((order, OrderState::Unknown { .. }, _)) => {
                self.look(p);
                self.processes[p].looks += 1;
                if self.processes[p].looks >= 3 {
                    self.processes[p].looks = 0;
                    let outcome = OrderOutcome::DidNothing;
                    self.commit(p, fence, |room, now| {
                        let stands = room.next_order().is_some_and(|standing| {
                            standing.id == order && matches!(standing.progress, OrderState::Unknown { .. })
                        });
                        if stands {
                            room.order_answered(now, order, outcome.clone());
                        }
                    });
                }
            }
            None => self.look(p),
        }
    }

    fn take_over(&mut self) {
        let p = self.entropy.below(PROCESSES as u32) as usize;
        self.reload(p);
        self.processes[p].fence = Some(self.next_fence);
        self.next_fence += 1;
        self.look(p);
    }

    fn look(&mut self, p: usize) {
        let uri = format!("spotify:track:{:0>22}", self.spotify.song);
        let seen = Observation {
            at: self.now,
            player: Some(PlayerSeen {
                device: None,
                from_start: false,
                is_playing: true,
                progress_ms: Some(self.now.since(self.spotify.began)),
                item: Seen::Track(Box::new(Track {
                    uri,
                    name: "Song".to_owned(),
                    artists: Vec::new(),
                    album: None,
                    image_url: None,
                    duration_ms: SONG_MS,
                    explicit: false,
                    url: None,
                })),
                disallows: Disallows::default(),
            }),
            has_devices: true,
        };
        let fence = self.processes[p].fence;
        self.commit(p, fence, |room, now| room.observe(now, seen.clone()));
    }

    fn send(&mut self, p: usize, order: OrderId) {
        // Nothing is sent without a look before.
        self.look(p);
        let fence = self.processes[p].fence;
        let may = self.commit(p, fence, |room, now| {
            let may = room.order_send(now, order);
            let ballot = room.ballot().map(|ballot| (ballot.epoch, ballot.number));
            (may, ballot.unwrap_or_default(), room.votes().count() >= room.needed())
        });
        let Some((true, ballot, carried)) = may else { return };
        // `WAIT`: not asked before a replica holds it.
        if self.broken != "volatile" {
            self.store.replica = self.store.primary.clone();
        }
        assert!(carried, "asked without quorum: {ballot:?}");
        assert!(self.given.len() >= 3 || ballot != self.ballot, "votes that nobody gave: {ballot:?}");
        let song = self.songs.get(&ballot.0).copied();
        assert!(!self.spotify.asked.iter().any(|(asked, _)| *asked == ballot), "asked twice for {ballot:?}");
        self.spotify.asked.push((ballot, self.spotify.song));
        assert_eq!(song, Some(self.spotify.song), "a song that nobody voted on: {ballot:?}");
        let happened = !self.chance(6);
        if happened {
            self.next_song();
        }
        let heard = !self.chance(4);
        self.processes[p].answer = match (heard, happened) {
            (true, true) => Some((order, OrderOutcome::Done)),
            (true, false) => Some((order, OrderOutcome::Unknown)),
            // It died, or lost the lease, before it heard.
            (false, _) => None,
        };
        if !heard {
            self.processes[p].fence = None;
            self.processes[p].answer = None;
            if self.chance(4) {
                // The machine that both ran on is gone; nobody else has heard of it.
                self.store.primary = self.store.replica.clone();
                self.store.lineage += 1;
                for process in 0..PROCESSES {
                    self.restart(process);
                }
            }
        }
    }

    /// A process dies, and comes back knowing nothing.
    fn restart(&mut self, p: usize) {
        let stored = Room::restore(self.store.primary.version, &self.store.primary.records, self.now);
        let process = &mut self.processes[p];
        (process.fence, process.answer, process.lineage) = (None, None, u64::MAX);
        process.room = stored.expect("sound records");
        self.reload(p);
    }

    fn next_song(&mut self) {
        self.spotify.song += 1;
        self.spotify.began = self.now;
    }

    fn fail_over(&mut self) {
        if self.chance(3) {
            // The replica has all of it.
            self.store.replica = self.store.primary.clone();
        }
        self.store.primary = self.store.replica.clone();
        self.store.lineage += 1;
    }

    /// Looks at what is stored.
    fn check(&mut self) {
        let primary = &self.store.primary;
        let room = Room::restore(primary.version, &primary.records, self.now).expect("sound records");
        let ballot = room.ballot().map(|ballot| (ballot.epoch, ballot.number)).unwrap_or_default();
        if ballot != self.ballot {
            self.ballot = ballot;
            self.acknowledged = room.votes().cloned().collect();
            self.given = self.acknowledged.clone();
            let song = room.playback().track.as_ref().map(|track| track.uri.clone()).unwrap_or_default();
            self.songs.insert(ballot.0, song.trim_start_matches("spotify:track:").parse().unwrap_or(0));
        }
        let counted: BTreeSet<MemberId> = room.votes().cloned().collect();
        let lost: Vec<_> = self.acknowledged.difference(&counted).collect();
        assert!(lost.is_empty(), "votes of {lost:?} are gone in silence, ballot {ballot:?}");
    }

    fn step(&mut self) {
        self.now = self.now.plus_ms(u64::from(self.entropy.below(400)));
        if self.now.since(self.spotify.began) >= SONG_MS {
            self.next_song();
        }
        match self.entropy.below(100) {
            0 => self.fail_over(),
            1 => self.take_over(),
            2..=3 => self.restart(self.entropy.below(PROCESSES as u32) as usize),
            4..=49 => self.vote(),
            _ => self.conduct(),
        }
        let version = self.processes.iter().map(|process| process.room.version()).max().unwrap_or(0);
        assert!(version >= self.newest, "versions only grow");
        self.newest = version;
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn a_store_that_forgets_makes_nothing_happen_twice() {
    let ballots = number("BALLOTS", 300) as usize;
    let broken = std::env::var("BREAK").unwrap_or_default();
    let (mut seed, mut seen, mut voided) = (number("SEED", 1), 0, 0);
    while seen < ballots {
        let world = std::panic::catch_unwind(|| {
            let mut world = World::new(seed, &broken);
            for _ in 0..5_000 {
                world.step();
            }
            world
        });
        let Ok(world) = world else { panic!("seed {seed}") };
        seen += world.spotify.asked.len();
        voided += world.voided;
        seed += 1;
    }
    assert!(voided > 0, "no failover was felt");
}
