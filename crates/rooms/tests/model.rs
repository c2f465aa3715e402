//! The room against a naive reference: plain lists, everything counted from scratch after each step.

use std::collections::BTreeMap;

use kernel::{MemberId, NodeId, Timestamp};
use proptest::prelude::*;
use rooms::{
    Act, Admission, BallotState, Command, Disallows, Observation, Opening, OrderOutcome, OrderState,
    PlayerSeen, Room, Seen, Settings, SettingsPatch, SkipRule, Track,
};

const PEOPLE: usize = 6;
const START: Timestamp = Timestamp(1_790_000_000_000);

#[derive(Clone, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    Vote(usize),
    Unvote(usize),
    Arrive(usize),
    Depart(usize),
    Wait(u64),
    Rule(u32),
    VoteAfter(u32),
    Song(u8),
    Skip,
    Send,
    Answer(u8),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE;
    prop_oneof![
        4 => who.clone().prop_map(Step::Join),
        1 => (1..PEOPLE).prop_map(Step::Leave),
        6 => who.clone().prop_map(Step::Vote),
        1 => who.clone().prop_map(Step::Unvote),
        3 => who.clone().prop_map(Step::Arrive),
        2 => who.prop_map(Step::Depart),
        4 => prop_oneof![Just(1_u64), 1..5_000_u64, Just(60_000), Just(300_000)].prop_map(Step::Wait),
        1 => (1..5_u32).prop_map(Step::Rule),
        1 => prop_oneof![Just(0_u32), Just(90)].prop_map(Step::VoteAfter),
        1 => (0..3_u8).prop_map(Step::Song),
        1 => Just(Step::Skip),
        4 => Just(Step::Send),
        4 => (0..4_u8).prop_map(Step::Answer),
        2 => Just(Step::Reload),
    ]
}

/// A person, as the reference sees them.
#[derive(Clone, Debug)]
struct Person {
    connected: bool,
    away_since: i64,
    joined: i64,
    active: i64,
    voted: bool,
}

/// The reference: who is in, and the rules of section 5 of the contract, read aloud.
#[derive(Debug)]
struct Reference {
    people: BTreeMap<usize, Person>,
    now: i64,
    rule: usize,
    vote_after_ms: i64,
}

impl Reference {
    fn online(&self, who: usize) -> bool {
        self.people.get(&who).is_some_and(|p| p.connected || self.now - p.away_since < 60_000)
    }

    fn vested(&self, who: usize) -> bool {
        who == 0 || self.people.get(&who).is_some_and(|p| self.now - p.joined >= self.vote_after_ms)
    }

    fn count_online(&self) -> usize {
        (0..PEOPLE).filter(|who| self.online(*who)).count()
    }

    fn electors(&self) -> usize {
        let small = self.count_online() < 4;
        let mut electors = 0;
        for (who, person) in &self.people {
            let active = self.now - person.active < 600_000;
            if self.online(*who) && self.vested(*who) && (small || active) {
                electors += 1;
            }
        }
        electors
    }

    fn needed(&self) -> usize {
        self.rule.min(self.electors()).max(1)
    }

    fn votes(&self) -> usize {
        let counts = |who: &usize| self.online(*who) && self.vested(*who) && self.people[who].voted;
        self.people.keys().filter(|who| counts(who)).count()
    }

    fn forget_votes(&mut self) {
        self.people.values_mut().for_each(|person| person.voted = false);
    }
}

fn id(who: usize) -> MemberId {
    format!("p{who}").parse().expect("an id")
}

fn watch(room: &mut Room, now: Timestamp, song: u8, progress_ms: u64) {
    let track = Track {
        uri: format!("spotify:track:{song:022}"),
        name: format!("{song}"),
        artists: Vec::new(),
        album: None,
        image_url: None,
        duration_ms: 100_000_000,
        explicit: false,
        url: None,
    };
    let player = PlayerSeen {
        device: None,
        from_start: false,
        is_playing: true,
        progress_ms: Some(progress_ms),
        item: Seen::Track(Box::new(track)),
        disallows: Disallows::default(),
    };
    room.observe(now, Observation { at: now, player: Some(player), has_devices: true });
}

#[expect(
    clippy::unwrap_in_result,
    reason = "what the test makes itself is sound; the result is the property"
)]
fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let node: NodeId = "node".parse().expect("an id");
    let settings = Settings {
        admission: Admission::Open,
        skip_rule: SkipRule::Count { value: 2 },
        ..Settings::default()
    };
    let opening = Opening {
        code: "7KQ2MD".parse().expect("a code"),
        name: "Friday".to_owned(),
        host: id(0),
        host_name: "p0".to_owned(),
        account: "a".parse().expect("an id"),
        settings,
    };
    let mut room = Room::open(opening, START);
    let mut now = START;
    watch(&mut room, now, 0, 0);
    let host = Person { connected: false, away_since: now.0, joined: now.0, active: now.0, voted: false };
    let mut reference =
        Reference { people: BTreeMap::from([(0, host)]), now: now.0, rule: 2, vote_after_ms: 0 };
    let mut stored = BTreeMap::new();
    let mut sent: BTreeMap<(u64, u64), u32> = BTreeMap::new();
    let mut song_of_epoch = 0_u8;
    let (mut epoch, mut version) = (0, 0);
    let mut ballot = (1, 1);
    for step in steps {
        let here = |reference: &Reference, who: &usize| reference.people.contains_key(who);
        let playing = room.playback().epoch;
        match step {
            Step::Join(who) => {
                room.join(now, &id(*who), "someone", 100);
                reference.people.entry(*who).or_insert(Person {
                    connected: false,
                    away_since: now.0,
                    joined: now.0,
                    active: now.0,
                    voted: false,
                });
            }
            Step::Leave(who) => {
                let left = room.apply(now, &id(*who), Command::Leave);
                prop_assert_eq!(left.is_ok(), here(&reference, who));
                reference.people.remove(who);
            }
            Step::Vote(who) => {
                let taken = room.apply(now, &id(*who), Command::VoteSkip { epoch: playing });
                prop_assert_eq!(taken.is_ok(), here(&reference, who));
                if room.ballot().map(|b| (b.epoch, b.number)) != Some(ballot) {
                    reference.forget_votes();
                }
                if let Some(person) = reference.people.get_mut(who) {
                    person.voted = true;
                    person.active = now.0;
                }
            }
            Step::Unvote(who) => {
                if room.apply(now, &id(*who), Command::UnvoteSkip { epoch: playing }).is_ok() {
                    let person = reference.people.get_mut(who).expect("who may take a vote back is in");
                    person.voted = false;
                    person.active = now.0;
                }
            }
            Step::Arrive(who) if here(&reference, who) => {
                room.arrived(now, &id(*who), &node);
                reference.people.get_mut(who).expect("here").connected = true;
            }
            Step::Depart(who) if here(&reference, who) => {
                room.departed(now, &id(*who), &node);
                let person = reference.people.get_mut(who).expect("here");
                if person.connected {
                    (person.connected, person.away_since) = (false, now.0);
                }
            }
            Step::Wait(ms) => {
                now = now.plus_ms(*ms);
                reference.now = now.0;
            }
            Step::Rule(value) => {
                let rule = Some(SkipRule::Count { value: *value });
                let patch = SettingsPatch { skip_rule: rule, ..SettingsPatch::default() };
                let command = Command::Change { name: None, settings: Some(Box::new(patch)) };
                room.apply(now, &id(0), command).expect("the host may");
                reference.rule = *value as usize;
                reference.people.get_mut(&0).expect("the host").active = now.0;
            }
            Step::VoteAfter(seconds) => {
                let patch = SettingsPatch { vote_after_s: Some(*seconds), ..SettingsPatch::default() };
                let command = Command::Change { name: None, settings: Some(Box::new(patch)) };
                room.apply(now, &id(0), command).expect("the host may");
                reference.vote_after_ms = i64::from(*seconds) * 1000;
                reference.people.get_mut(&0).expect("the host").active = now.0;
            }
            Step::Song(song) if *song != song_of_epoch => {
                // Long after the last change, so that it is no echo of it.
                now = now.plus_ms(4_000);
                reference.now = now.0;
                room.settle(now);
                watch(&mut room, now, *song, 0);
                song_of_epoch = *song;
                prop_assert_eq!(room.playback().epoch, playing + 1);
            }
            Step::Arrive(_) | Step::Depart(_) | Step::Song(_) => {}
            Step::Skip => {
                room.apply(now, &id(0), Command::Skip { epoch: playing }).expect("the host may");
                reference.people.get_mut(&0).expect("the host").active = now.0;
            }
            Step::Send => {
                if let Some(order) = room.next_order().cloned() {
                    // A skip by vote goes out only with quorum, as the reference counts it.
                    let went = room.order_send(now, order.id);
                    if let (true, Act::SkipByVote { ballot }) = (went, &order.act) {
                        prop_assert!(reference.votes() >= reference.needed(), "no quorum: {:?}", reference);
                        *sent.entry((order.epoch, *ballot)).or_default() += 1;
                    }
                }
            }
            Step::Answer(kind) => {
                let order =
                    room.next_order().filter(|order| !matches!(order.progress, OrderState::Waiting { .. }));
                if let Some(order) = order.cloned() {
                    let outcome = match kind {
                        0 => OrderOutcome::Done,
                        1 => OrderOutcome::DidNothing,
                        2 => OrderOutcome::Unknown,
                        _ => OrderOutcome::Again { not_before: now },
                    };
                    if let (OrderOutcome::Again { .. }, Act::SkipByVote { ballot }) = (&outcome, &order.act) {
                        // A definite refusal that did nothing does not count.
                        *sent.entry((order.epoch, *ballot)).or_default() -= 1;
                    }
                    room.order_answered(now, order.id, outcome);
                }
            }
            Step::Reload => {
                // Nothing is stored before the first step has been.
                if !stored.is_empty() {
                    room = Room::restore(room.version(), &stored, now).expect("sound records");
                }
            }
        }
        room.settle(now);
        // Who has gone offline has lost the vote, whatever comes later.
        for who in 0..PEOPLE {
            if !reference.online(who)
                && let Some(person) = reference.people.get_mut(&who)
            {
                // A vote given over HTTP by someone who is not connected is kept until they are.
                person.voted &= room.ballot().is_some_and(|b| b.votes.contains(&id(who)));
            }
        }
        let ballot_now = room.ballot().map(|b| (b.epoch, b.number)).expect("a song plays");
        if ballot_now != ballot {
            prop_assert!(ballot_now > ballot, "ballots only grow");
            if !matches!(step, Step::Vote(_)) {
                reference.forget_votes();
            }
            ballot = ballot_now;
        }
        prop_assert_eq!(room.online(), reference.count_online(), "online after {:?}", step);
        prop_assert_eq!(room.total(), reference.people.len());
        prop_assert_eq!(room.electors(), reference.electors(), "electors after {:?}", step);
        prop_assert_eq!(room.needed(), reference.needed(), "needed after {:?}", step);
        let state = room.ballot().expect("a song plays").state;
        if matches!(state, BallotState::Open | BallotState::Claimed { .. }) {
            prop_assert_eq!(room.votes().count(), reference.votes(), "votes after {:?}", step);
        }
        let left = room.playback().leaving || room.orders().any(|o| o.act.leaves_item());
        if state == BallotState::Open && !left {
            prop_assert!(reference.votes() < reference.needed(), "a quorum that did not carry");
        }
        let by_vote = room.orders().filter(|o| matches!(o.act, Act::SkipByVote { .. })).count();
        prop_assert!(by_vote <= 1, "one order for a ballot");
        prop_assert!(sent.values().all(|times| *times <= 1), "asked twice: {:?}", sent);
        prop_assert!(room.playback().epoch >= epoch);
        epoch = room.playback().epoch;
        if let Some(proposal) = room.take() {
            prop_assert_eq!((proposal.expected, proposal.version), (version, version + 1));
            for (key, value) in proposal.records {
                match value {
                    Some(value) => stored.insert(key, value),
                    None => stored.remove(&key),
                };
            }
        }
        version = room.version();
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_room_agrees_with_the_reference(steps in prop::collection::vec(step(), 1..60)) {
        run(&steps)?;
    }
}
