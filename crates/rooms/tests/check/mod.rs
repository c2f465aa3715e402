//! A small vocabulary, so that tests read as stories about people in a room.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{MemberId, NodeId, Timestamp};
use rooms::{
    Admission, Ballot, BallotState, Command, CommandId, Device, Disallows, JoinOutcome, Observation, Opening,
    Order, OrderId, OrderOutcome, PlayerSeen, Proposal, Reason, Refusal, Role, Room, Seen, Settings,
    SettingsPatch, Sight, SkipRule, Standing, Track,
};

/// When every story begins.
pub(crate) const START: Timestamp = Timestamp(1_790_000_000_000);
/// The host of every story.
pub(crate) const ADA: &str = "ada";
/// How long a song of these stories is, in milliseconds.
pub(crate) const SONG_MS: u64 = 200_000;

pub(crate) fn id(who: &str) -> MemberId {
    who.parse().expect("a name is an id here")
}

pub(crate) fn node(name: &str) -> NodeId {
    name.parse().expect("a name is an id here")
}

/// Spotify's URI of the song of that name.
pub(crate) fn uri(song: &str) -> String {
    format!("spotify:track:{song:0>22}")
}

pub(crate) fn song(name: &str) -> Track {
    Track {
        uri: uri(name),
        name: name.to_owned(),
        artists: Vec::new(),
        album: None,
        image_url: None,
        duration_ms: SONG_MS,
        explicit: false,
        url: None,
    }
}

pub(crate) fn kitchen(volume: u8) -> Device {
    Device {
        id: Some("kitchen".to_owned()),
        name: "Kitchen".to_owned(),
        kind: "Speaker".to_owned(),
        volume_percent: Some(volume),
        supports_volume: true,
    }
}

/// A song that sounds from the kitchen.
pub(crate) fn player(name: &str, progress_ms: impl Into<Option<u64>>) -> PlayerSeen {
    PlayerSeen {
        device: Some(kitchen(60)),
        from_start: false,
        is_playing: true,
        progress_ms: progress_ms.into(),
        item: Seen::Track(Box::new(song(name))),
        disallows: Disallows::default(),
    }
}

pub(crate) const fn count(value: u32) -> SkipRule {
    SkipRule::Count { value }
}

pub(crate) const fn share(value: f64, at_least: u32) -> SkipRule {
    SkipRule::Share { value, at_least }
}

/// A room, the time in it, and the records that a store would hold of it.
pub(crate) struct Party {
    pub(crate) room: Room,
    pub(crate) now: Timestamp,
    pub(crate) stored: BTreeMap<String, Vec<u8>>,
    pub(crate) last: Option<Proposal>,
}

impl Party {
    /// Ada's open room, with her connected and nothing playing.
    pub(crate) fn new() -> Self {
        Self::with(|settings| settings.admission = Admission::Open)
    }

    pub(crate) fn with(choose: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        choose(&mut settings);
        let opening = Opening {
            code: "7KQ2MD".parse().expect("a code"),
            name: "Friday at ours".to_owned(),
            host: id(ADA),
            host_name: "Ada".to_owned(),
            account: "ada-at-spotify".parse().expect("an account"),
            settings,
        };
        let room = Room::open(opening, START);
        let mut party = Self { room, now: START, stored: BTreeMap::new(), last: None };
        party.commit();
        party.connects(ADA);
        party
    }

    /// As many people as that besides Ada, all connected: `guest-1`, `guest-2`, and so on; a song plays.
    pub(crate) fn of(guests: usize, rule: SkipRule) -> Self {
        let mut party = Self::with(|settings| {
            settings.admission = Admission::Open;
            settings.skip_rule = rule;
        });
        for guest in 1..=guests {
            party.comes(&format!("guest-{guest}"));
        }
        party.hears("a", 0);
        party
    }

    /// Stores what has changed, as the gateway does after each batch; whether anything had. In every state that is
    /// stored, the room made of the records must be the room.
    pub(crate) fn commit(&mut self) -> bool {
        let before = self.room.version();
        self.last = self.room.take();
        if let Some(proposal) = &self.last {
            assert_eq!((proposal.expected, proposal.version), (before, before + 1));
            for (key, value) in &proposal.records {
                match value {
                    Some(value) => self.stored.insert(key.clone(), value.clone()),
                    None => self.stored.remove(key),
                };
            }
            let later = self.now.plus_ms(5_000);
            let restored = Room::restore(self.room.version(), &self.stored, later).expect("sound records");
            assert_eq!(seen_from_outside(&restored), seen_from_outside(&self.room));
        }
        self.last.is_some()
    }

    pub(crate) fn joins(&mut self, who: &str) -> JoinOutcome {
        let outcome = self.room.join(self.now, &id(who), who, 10_000);
        self.commit();
        outcome
    }

    pub(crate) fn connects(&mut self, who: &str) {
        self.room.arrived(self.now, &id(who), &node("one"));
        self.room.settle(self.now);
        self.commit();
    }

    pub(crate) fn disconnects(&mut self, who: &str) {
        self.room.departed(self.now, &id(who), &node("one"));
        self.room.settle(self.now);
        self.commit();
    }

    /// Joins, and stays connected.
    pub(crate) fn comes(&mut self, who: &str) {
        assert_eq!(self.joins(who), JoinOutcome::Joined, "{who}");
        self.connects(who);
    }

    pub(crate) fn does(&mut self, who: &str, command: Command) -> Result<(), Refusal> {
        let result = self.room.perform(self.now, &id(who), None, command);
        self.commit();
        result.map(|version| assert!(version <= self.room.version(), "an acknowledged version exists"))
    }

    /// The same under a command id; the version or the refusal.
    pub(crate) fn asks(&mut self, who: &str, name: &str, command: Command) -> Result<u64, Reason> {
        let name = CommandId::parse(name).expect("a command id");
        let result = self.room.perform(self.now, &id(who), Some(&name), command);
        self.commit();
        result.map_err(|refusal| refusal.reason)
    }

    pub(crate) fn votes(&mut self, who: &str) {
        let epoch = self.room.playback().epoch;
        self.does(who, Command::VoteSkip { epoch }).expect("the vote is taken");
    }

    pub(crate) fn unvotes(&mut self, who: &str) -> Result<(), Reason> {
        let epoch = self.room.playback().epoch;
        self.does(who, Command::UnvoteSkip { epoch }).map_err(|refusal| refusal.reason)
    }

    pub(crate) fn skips(&mut self, who: &str) {
        let epoch = self.room.playback().epoch;
        self.does(who, Command::Skip { epoch }).expect("the skip is taken");
    }

    pub(crate) fn changes(&mut self, patch: SettingsPatch) {
        self.does(ADA, Command::Change { name: None, settings: Some(Box::new(patch)) }).expect("settings");
    }

    /// Time passes in the room.
    pub(crate) fn waits(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.room.settle(self.now);
        self.commit();
    }

    /// Time passes, and nobody looks at the room.
    pub(crate) fn sleeps(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    pub(crate) fn sees(&mut self, player: impl Into<Option<PlayerSeen>>, has_devices: bool) -> Sight {
        let seen = Observation { at: self.now, player: player.into(), has_devices };
        let sight = self.room.observe(self.now, seen);
        self.room.settle(self.now);
        self.commit();
        sight
    }

    pub(crate) fn hears(&mut self, name: &str, progress_ms: impl Into<Option<u64>>) -> Sight {
        self.sees(player(name, progress_ms), true)
    }

    pub(crate) fn order(&self) -> Option<Order> {
        self.room.next_order().cloned()
    }

    /// Whether the next order may be sent, and is now written down as sent.
    pub(crate) fn sends(&mut self) -> Option<OrderId> {
        let order = self.order()?.id;
        let sent = self.room.order_send(self.now, order);
        self.commit();
        sent.then_some(order)
    }

    pub(crate) fn answers(&mut self, order: OrderId, outcome: OrderOutcome) {
        self.room.order_answered(self.now, order, outcome);
        self.room.settle(self.now);
        self.commit();
    }

    /// Sends what is next and has Spotify say yes.
    pub(crate) fn carries_out(&mut self) {
        let order = self.sends().expect("an order that stands");
        self.answers(order, OrderOutcome::Done);
    }

    pub(crate) fn ballot(&self) -> &Ballot {
        self.room.ballot().expect("something plays")
    }

    /// The ballot's state in the contract's word.
    pub(crate) fn state(&self) -> &'static str {
        match self.ballot().state {
            BallotState::Open => "open",
            BallotState::Claimed { .. } => "claimed",
            BallotState::Sent { .. } => "sent",
            BallotState::Confirmed => "confirmed",
            BallotState::Refused { .. } => "refused",
            BallotState::Unknown { .. } => "unknown",
        }
    }

    /// Votes that count, votes needed, electors.
    pub(crate) fn tally(&self) -> (usize, usize, usize) {
        (self.room.votes().count(), self.room.needed(), self.room.electors())
    }

    pub(crate) fn orders(&self) -> usize {
        self.room.orders().count()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.room.playback().epoch
    }

    pub(crate) fn role(&mut self, who: &str, role: Role) {
        self.does(ADA, Command::SetRole { member: id(who), role }).expect("the host gives roles");
    }

    /// A new process takes the room up, and no other lives.
    pub(crate) fn restarts(&mut self) {
        self.room = Room::restore(self.room.version(), &self.stored, self.now).expect("sound records");
        self.room.taken_up(self.now, &BTreeSet::new());
        self.commit();
    }

    /// The kinds of the notices of the last version.
    pub(crate) fn told(&self) -> Vec<String> {
        let notices = self.last.iter().flat_map(|proposal| &proposal.notices);
        notices.map(|notice| serde_json::to_value(notice).expect("a notice")["kind"].to_string()).collect()
    }
}

/// Everything that a client or the gateway could see of the room.
pub(crate) fn seen_from_outside(room: &Room) -> String {
    let members: Vec<_> = room.members().map(|(id, member)| (id, member, room.is_online(id))).collect();
    let listed: Vec<_> = room.listed().into_iter().map(|(id, _)| id).collect();
    let waiting = room.of_standing(Standing::Waiting).count();
    format!(
        "{} {} {} {:?} {:?} {:?} {:#?}\n{:#?}\n{:#?}\n{:#?}\n{members:#?}\n{listed:?} {waiting}\n{:?} {} {} {} {} {:?}",
        room.code(),
        room.version(),
        room.name(),
        (room.created_at(), room.closed_at()),
        room.host(),
        room.account(),
        room.settings(),
        room.playback(),
        room.ballot(),
        room.orders().collect::<Vec<_>>(),
        room.votes().collect::<Vec<_>>(),
        room.needed(),
        room.electors(),
        room.online(),
        room.total(),
        room.deadline(),
    )
}
