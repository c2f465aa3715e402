//! What goes wrong, and when: drawn from a seed, so that it can be played again.

use kernel::{Entropy, SeededEntropy};

/// How many gateways there are; every room has a client at each.
pub(super) const GATEWAYS: usize = 3;

/// What kind of thing goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scenario {
    /// A gateway dies (`kill -9`) and comes back.
    Kill,
    /// A gateway stands still (SIGSTOP) for longer than its leases last.
    Stop,
    /// Redis dies (`kill -9`) and comes back with what is on its disk.
    Restart,
    /// Redis' subscribers are thrown out.
    Deaf,
    /// The primary dies after its replica has heard nothing for a while, and the replica takes over.
    Failover,
    /// A link is bad.
    Link(Link, Bad),
}

/// Between whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// Gateway and Redis.
    Store,
    /// Gateway and Spotify.
    Spotify,
    /// Client and gateway.
    Clients,
    /// Replica and primary.
    Replica,
}

/// In which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bad {
    /// Late.
    Delay,
    /// A black hole.
    Stall,
    /// Torn down.
    Reset,
    /// One side hears no more.
    HalfClose,
}

/// The links, each with the word that names it.
const LINKS: [(Link, &str); 4] = [
    (Link::Store, "store"),
    (Link::Spotify, "spotify"),
    (Link::Clients, "clients"),
    (Link::Replica, "replica"),
];
const BADS: [(Bad, &str); 4] =
    [(Bad::Delay, "delay"), (Bad::Stall, "stall"), (Bad::Reset, "reset"), (Bad::HalfClose, "half-close")];

impl Scenario {
    /// Every one, those of one Redis before those of two.
    pub(super) fn all() -> Vec<Self> {
        let links = LINKS.iter().flat_map(|(link, _)| BADS.iter().map(|(bad, _)| Self::Link(*link, *bad)));
        let mut all = vec![Self::Kill, Self::Stop, Self::Restart, Self::Deaf, Self::Failover];
        all.extend(links);
        all.sort_by_key(|scenario| scenario.is_replicated());
        all
    }

    /// Whether it needs a primary, a replica and a Sentinel.
    pub(super) const fn is_replicated(self) -> bool {
        matches!(self, Self::Failover | Self::Link(Link::Replica, _))
    }

    /// How many shares of all rounds it has: what the promises are about has more.
    pub(super) const fn shares(self) -> usize {
        match self {
            Self::Kill | Self::Failover => 4,
            Self::Stop => 3,
            Self::Restart => 2,
            Self::Deaf | Self::Link(..) => 1,
        }
    }

    /// What it is called.
    pub(super) fn name(self) -> String {
        match self {
            Self::Kill => "kill".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::Restart => "restart".to_owned(),
            Self::Deaf => "deaf".to_owned(),
            Self::Failover => "failover".to_owned(),
            Self::Link(link, bad) => {
                let word = |found: Option<&'static str>| found.unwrap_or_default();
                let link = word(LINKS.iter().find(|(of, _)| *of == link).map(|(_, word)| *word));
                let bad = word(BADS.iter().find(|(of, _)| *of == bad).map(|(_, word)| *word));
                format!("{link}-{bad}")
            }
        }
    }
}

/// Which gateway it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The one that conducts the most rooms.
    Busiest,
    /// That one.
    Nth(usize),
    /// All.
    All,
}

/// The step of the skip at which a room is held until the fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The first vote is given, the second not.
    Voting,
    /// The votes have carried; the look before the skip is slow.
    Claimed,
    /// Spotify is being asked and has not done it.
    Sent,
    /// Spotify has done it and not answered.
    Done,
    /// Spotify has answered.
    Answered,
}

/// Who votes, and so whether it carries: two of three are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Votes {
    /// Two, or all three.
    Carry(usize),
    /// One alone.
    Short,
    /// One who takes the vote back, then another.
    Withdrawn,
    /// One, who asks twice.
    Twice,
}

/// What happens in one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    /// Who votes.
    pub(super) votes: Votes,
    /// Where it is held.
    pub(super) step: Step,
    /// For how long, in milliseconds.
    pub(super) hold_ms: u64,
}

/// What happens at the same time in all rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wave {
    /// Which one, of this scenario.
    pub(super) number: u64,
    /// What goes wrong.
    pub(super) scenario: Scenario,
    /// Where.
    pub(super) target: Target,
    /// For how long, in milliseconds.
    pub(super) ms: u64,
    /// How long after the rooms have come to their steps, in milliseconds.
    pub(super) after_ms: u64,
    /// The target's link to Redis is slow before it strikes, so that what is stored is known to others first.
    pub(super) slow_store: bool,
    /// In one of the rooms Spotify asks to wait (429) in the place of skipping: nobody may ask it then.
    pub(super) limited: Option<usize>,
    /// In each room.
    pub(super) rounds: Vec<Round>,
}

impl Wave {
    /// The wave of that number of a scenario.
    pub(super) fn draw(seed: u64, scenario: Scenario, number: u64, rooms: usize) -> Self {
        let place = Scenario::all().iter().position(|of| *of == scenario).unwrap_or_default() as u64;
        let chance = Chance(SeededEntropy::new(seed ^ (place << 32) ^ (number << 48)));
        // Two numbers that differ in few bits begin alike.
        chance.below(1 << 31);
        let target = chance.target(scenario);
        let (from, to) = span(scenario);
        let slow_store = scenario == Scenario::Stop && chance.below(2) == 0;
        let limited = (chance.below(6) == 0).then(|| chance.below(rooms as u32) as usize);
        Self {
            number,
            scenario,
            target,
            ms: chance.between(from, to),
            after_ms: chance.between(0, 250),
            slow_store,
            limited,
            rounds: (0..rooms).map(|_| chance.round(slow_store)).collect(),
        }
    }
}

/// The shortest and the longest duration, in milliseconds.
const fn span(scenario: Scenario) -> (u32, u32) {
    match scenario {
        Scenario::Kill => (0, 2_500),
        // A lease lasts 3.5 s.
        Scenario::Stop => (4_200, 7_000),
        Scenario::Restart => (50, 3_000),
        Scenario::Link(_, Bad::Delay) => (1_500, 3_000),
        Scenario::Link(_, Bad::Stall) => (1_500, 4_500),
        // Of a failover: until the primary dies. What waits for the replica waits for 1 s.
        Scenario::Deaf | Scenario::Failover | Scenario::Link(_, Bad::Reset | Bad::HalfClose) => (300, 2_000),
    }
}

struct Chance(SeededEntropy);

impl Chance {
    fn below(&self, bound: u32) -> u32 {
        self.0.below(bound)
    }

    fn between(&self, from: u32, to: u32) -> u64 {
        u64::from(from + self.below(to - from))
    }

    fn target(&self, scenario: Scenario) -> Target {
        let nth = self.below(GATEWAYS as u32) as usize;
        match (scenario, self.below(4)) {
            (Scenario::Link(Link::Spotify, _), _) | (Scenario::Link(..), 0 | 1) => Target::All,
            (_, 3) => Target::Nth(nth),
            _ => Target::Busiest,
        }
    }

    fn round(&self, unheld: bool) -> Round {
        let votes = match self.below(20) {
            0 | 1 => Votes::Short,
            2 => Votes::Withdrawn,
            3 => Votes::Twice,
            4..=6 => Votes::Carry(3),
            _ => Votes::Carry(2),
        };
        let step = match self.below(5) {
            0 => Step::Voting,
            1 => Step::Claimed,
            2 => Step::Sent,
            3 => Step::Done,
            _ => Step::Answered,
        };
        // Unheld, it is the slow link that holds it, between the store's word and the request.
        let step = if unheld && step != Step::Voting { Step::Sent } else { step };
        let hold_ms = self.between(1_500, 4_000);
        Round { votes, step, hold_ms: if unheld { 0 } else { hold_ms } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan() {
        for scenario in Scenario::all() {
            let wave = |seed, number| Wave::draw(seed, scenario, number, 20);
            assert_eq!(wave(7, 3), wave(7, 3));
            assert_ne!(wave(7, 3).rounds, wave(8, 3).rounds, "another seed");
            assert_ne!(wave(7, 3).rounds, wave(7, 4).rounds, "another wave");
        }
    }

    #[test]
    fn every_scenario_has_a_name_of_its_own() {
        let mut names: Vec<String> = Scenario::all().into_iter().map(Scenario::name).collect();
        assert_eq!(names.len(), 21);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 21);
    }

    #[test]
    fn every_step_and_every_way_to_vote_is_drawn() {
        let rounds: Vec<Round> =
            (0..20).flat_map(|number| Wave::draw(1, Scenario::Kill, number, 20).rounds).collect();
        for step in [Step::Voting, Step::Claimed, Step::Sent, Step::Done, Step::Answered] {
            assert!(rounds.iter().filter(|round| round.step == step).count() > 40, "{step:?}");
        }
        for votes in [Votes::Short, Votes::Withdrawn, Votes::Twice, Votes::Carry(2), Votes::Carry(3)] {
            assert!(rounds.iter().any(|round| round.votes == votes), "{votes:?}");
        }
    }
}
