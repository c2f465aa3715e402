//! The room as a value: what it holds, how members' commands change it, and what must be written after.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kernel::{AccountId, MemberId, RoomCode, Timestamp};

use crate::admission::Removal;
use crate::ballot::BallotState;
use crate::policy::allowed;
use crate::record::Key;
use crate::{
    ANSWER_MS, Act, Admission, Answer, Ballot, CLOCK_SKEW_MS, CLOSED_KEPT_MS, Command, CommandId, Departure,
    Member, Notice, Order, Playback, Proposal, REFUSED_SHOWN_MS, Reason, Refusal, Role, Section, Sections,
    Settings, Standing,
};

/// How a room is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The code, drawn by the caller.
    pub code: RoomCode,
    /// The room's name, checked.
    pub name: String,
    /// Who opens it.
    pub host: MemberId,
    /// Their name, checked.
    pub host_name: String,
    /// Their Spotify account.
    pub account: AccountId,
    /// What the host decided, checked.
    pub settings: Settings,
}

/// What becomes due by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Offline,
    Inactive,
    Vested,
}

impl Due {
    const fn why(self) -> &'static str {
        match self {
            Self::Offline => "a member goes offline",
            Self::Inactive => "a member no longer counts",
            Self::Vested => "a newcomer's vote begins to count",
        }
    }
}

/// How a member counts now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) online: bool,
    pub(crate) active: bool,
    pub(crate) vested: bool,
}

/// How many members count in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) admitted: usize,
    pub(crate) online: usize,
    pub(crate) online_vested: usize,
    pub(crate) electors: usize,
}

/// A listening room.
#[derive(Clone, Debug)]
pub struct Room {
    pub(crate) code: RoomCode,
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) name: String,
    pub(crate) host: MemberId,
    pub(crate) account: AccountId,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) settings: Settings,
    pub(crate) newcomers: VecDeque<Timestamp>,
    /// The memory that the store kept the room in when it was written last.
    pub(crate) lineage: String,
    pub(crate) members: BTreeMap<MemberId, Member>,
    pub(crate) playback: Playback,
    pub(crate) ballot: Option<Ballot>,
    pub(crate) orders: VecDeque<Order>,
    pub(crate) next_order: u64,
    pub(crate) answers: BTreeMap<(MemberId, CommandId), Answer>,
    pub(crate) answer_times: VecDeque<(Timestamp, MemberId, CommandId)>,

    pub(crate) tallies: BTreeMap<MemberId, Tally>,
    pub(crate) counts: Counts,
    pub(crate) due: BTreeSet<(Timestamp, Due, MemberId)>,
    /// The instant that the members are counted at. It is stored, so that every process counts a version alike.
    pub(crate) as_of: Timestamp,
    pub(crate) shown: (usize, usize),
    /// Whether anyone was here in the last version.
    pub(crate) had_company: bool,

    pub(crate) changed: BTreeSet<Key>,
    /// Records that are no reason to write, and are written along with the next change.
    quiet: BTreeSet<Key>,
    pub(crate) sections: Sections,
    pub(crate) soft: Sections,
    pub(crate) notices: Vec<Notice>,
    pub(crate) departures: Vec<(MemberId, Departure)>,
}

impl Room {
    /// A new room with its host in it, not yet stored: [`Room::take`] gives its first version.
    pub fn open(opening: Opening, now: Timestamp) -> Self {
        let host = Member {
            name: opening.host_name,
            role: Role::Host,
            standing: Standing::Admitted,
            joined_at: now,
            active_at: now,
            nodes: BTreeSet::new(),
            away_at: Some(now),
        };
        let mut room = Self::empty(opening.code, opening.host, opening.account, now);
        room.name = opening.name;
        room.settings = opening.settings;
        let id = room.host.clone();
        room.put_member(&id, host);
        room.changed.extend([Key::Room, Key::Playback, Key::Orders]);
        room.sections = Sections::ALL;
        room
    }

    pub(crate) fn empty(code: RoomCode, host: MemberId, account: AccountId, now: Timestamp) -> Self {
        Self {
            code,
            version: 0,
            created_at: now,
            name: String::new(),
            host,
            account,
            closed_at: None,
            settings: Settings::default(),
            newcomers: VecDeque::new(),
            lineage: String::new(),
            members: BTreeMap::new(),
            playback: Playback::unknown(now),
            ballot: None,
            orders: VecDeque::new(),
            next_order: 1,
            answers: BTreeMap::new(),
            answer_times: VecDeque::new(),
            tallies: BTreeMap::new(),
            counts: Counts::default(),
            due: BTreeSet::new(),
            as_of: now,
            shown: (1, 0),
            had_company: false,
            changed: BTreeSet::new(),
            quiet: BTreeSet::new(),
            sections: Sections::default(),
            soft: Sections::default(),
            notices: Vec::new(),
            departures: Vec::new(),
        }
    }

    /// The code.
    pub const fn code(&self) -> &RoomCode {
        &self.code
    }

    /// The version, counting what [`Room::take`] has given.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// When it was opened.
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose it is.
    pub const fn host(&self) -> &MemberId {
        &self.host
    }

    /// The Spotify account that plays.
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// When it was closed.
    pub const fn closed_at(&self) -> Option<Timestamp> {
        self.closed_at
    }

    /// Whether nobody need hear any more that it was closed.
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.closed_at.is_some_and(|at| at.plus_ms(CLOSED_KEPT_MS) <= now)
    }

    /// What the host decided.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What plays.
    pub const fn playback(&self) -> &Playback {
        &self.playback
    }

    /// The vote on what plays.
    pub const fn ballot(&self) -> Option<&Ballot> {
        self.ballot.as_ref()
    }

    /// What is to be carried out, oldest first.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter()
    }

    /// Everyone that the room remembers, in order of id.
    pub fn members(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.members.iter()
    }

    /// That member.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }

    /// Whether that member counts as online, as of the last change or [`Room::settle`].
    pub fn is_online(&self, id: &MemberId) -> bool {
        self.tallies.get(id).is_some_and(|tally| tally.online)
    }

    /// How many are in.
    pub const fn total(&self) -> usize {
        self.counts.admitted
    }

    /// How many are online.
    pub const fn online(&self) -> usize {
        self.counts.online
    }

    /// How many count for the vote: members who are in and online, whose wait is over, and who did something within
    /// ten minutes (all of them, while fewer than four are online).
    pub const fn electors(&self) -> usize {
        if self.counts.online < crate::SMALL_ROOM { self.counts.online_vested } else { self.counts.electors }
    }

    /// How many votes skip now.
    pub fn needed(&self) -> usize {
        self.settings.skip_rule.needed(self.electors())
    }

    /// The votes of the ballot that count now, in order.
    pub fn votes(&self) -> impl Iterator<Item = &MemberId> {
        let votes = self.ballot.as_ref().map_or(&[][..], |ballot| &ballot.votes);
        votes.iter().filter(|id| self.tallies.get(id).is_some_and(|tally| tally.online && tally.vested))
    }

    /// What the member's earlier command of that id was answered.
    pub fn answered(&self, member: &MemberId, id: &CommandId, now: Timestamp) -> Option<&Answer> {
        let answer = self.answers.get(&(member.clone(), id.clone()))?;
        (now.since(answer.at) < ANSWER_MS).then_some(answer)
    }

    /// Carries out a command once under its id: the same member's same id within ten minutes gives the same answer
    /// and changes nothing. An acknowledgement counts only after the next [`Room::take`] is stored.
    pub fn perform(
        &mut self,
        now: Timestamp,
        member: &MemberId,
        id: Option<&CommandId>,
        command: Command,
    ) -> Result<u64, Refusal> {
        if let Some(answer) = id.and_then(|id| self.answered(member, id, now)) {
            return answer.result.clone();
        }
        let result = self.apply(now, member, command);
        // Where nothing had to change, the version that stands includes the effect; an answer is itself a change.
        let result = result.map(|()| self.version + u64::from(id.is_some() || self.is_changed()));
        if let Some(id) = id {
            self.forget_answers(now);
            let key = (member.clone(), id.clone());
            // A refusal changed nothing, so it is no reason to write; it is written along with the next change.
            let answer = Key::Answer(member.clone(), id.clone());
            if result.is_ok() {
                self.changed.insert(answer)
            } else {
                self.quiet.insert(answer)
            };
            self.answers.insert(key, Answer { at: now, result: result.clone() });
            self.answer_times.push_back((now, member.clone(), id.clone()));
        }
        result
    }

    fn forget_answers(&mut self, now: Timestamp) {
        while let Some((at, member, id)) = self.answer_times.front() {
            if now.since(*at) < ANSWER_MS {
                break;
            }
            let (member, id) = (member.clone(), id.clone());
            self.answer_times.pop_front();
            self.answers.remove(&(member.clone(), id.clone()));
            self.quiet.insert(Key::Answer(member, id));
        }
    }

    pub(crate) fn forget_answers_of(&mut self, id: &MemberId) {
        self.answer_times.retain(|(_, member, _)| member != id);
        let keys: Vec<_> = self.answers.keys().filter(|(member, _)| member == id).cloned().collect();
        for key in keys {
            self.answers.remove(&key);
            self.changed.insert(Key::Answer(key.0, key.1));
        }
    }

    /// Carries out a command of a member.
    pub fn apply(&mut self, now: Timestamp, id: &MemberId, command: Command) -> Result<(), Refusal> {
        if self.closed_at.is_some() {
            return Err(Refusal::new(Reason::RoomClosed, "The room was closed."));
        }
        self.advance(now);
        let role = match self.members.get(id) {
            None => return Err(Refusal::not_allowed("members")),
            Some(member) => match member.standing {
                Standing::Waiting if command == Command::Leave => member.role,
                Standing::Waiting => {
                    return Err(Refusal::new(Reason::NotAdmitted, "You have not been let in yet."));
                }
                Standing::Banned => return Err(Refusal::not_allowed("members")),
                Standing::Admitted => member.role,
            },
        };
        allowed(command.deed(), role, &self.settings)?;
        command.check()?;
        match command {
            Command::VoteSkip { epoch } => self.vote(id, epoch)?,
            Command::UnvoteSkip { epoch } => self.unvote(id, epoch)?,
            Command::Skip { epoch } => {
                self.at_epoch(epoch)?;
                self.place(now, id, Act::Skip)?;
            }
            Command::Previous => self.place(now, id, Act::Previous)?,
            Command::Play => self.place(now, id, Act::Play)?,
            Command::Pause => self.place(now, id, Act::Pause)?,
            Command::Seek { position_ms } => self.place(now, id, Act::Seek { position_ms })?,
            Command::SetVolume { percent } => self.place(now, id, Act::SetVolume { percent })?,
            Command::Transfer { device_id } => self.place(now, id, Act::Transfer { device_id })?,
            Command::PlayNow { uri } => self.place(now, id, Act::PlayNow { uri })?,
            // The room steers only from its queue; without one there is nothing to take back.
            Command::ResumeRoom => {}
            Command::SetRole { member, role } => self.set_role(&member, role)?,
            Command::Admit { member } => self.admit(now, &member)?,
            Command::Remove { member } => self.send_out(role, &member, Removal::Removed)?,
            Command::Ban { member } => self.send_out(role, &member, Removal::Banned)?,
            Command::Unban { member } => self.unban(&member)?,
            Command::React { emoji } => self.notices.push(Notice::Reaction { member: id.clone(), emoji }),
            Command::Rename { name } => self.edit_member(id, |member| member.name = name),
            Command::Leave => {
                self.leave(now, id);
                return Ok(());
            }
            Command::Change { name, settings } => self.change(now, name, settings.map(|patch| *patch))?,
            Command::Close => {
                self.closed_at = Some(now);
                self.orders.clear();
                self.changed.insert(Key::Orders);
                self.changed.insert(Key::Room);
            }
        }
        self.edit_member(id, |member| member.active_at = now);
        // Not before: whoever has just done something is an elector, and more may be needed for it.
        self.count_votes(now);
        Ok(())
    }

    fn change(
        &mut self,
        now: Timestamp,
        name: Option<String>,
        patch: Option<crate::SettingsPatch>,
    ) -> Result<(), Refusal> {
        if let Some(patch) = patch {
            let next = self
                .settings
                .patched(patch)
                .map_err(|error| Refusal::new(Reason::BadCommand, format!("{error}.")))?;
            if next != self.settings {
                self.settings = next;
                self.sections.insert(Section::Settings);
                self.sections.insert(Section::Skip);
                self.recount();
                if self.settings.admission == Admission::Open {
                    self.admit_all(now);
                }
            }
        }
        if let Some(name) = name
            && name != self.name
        {
            self.name = name;
            self.sections.insert(Section::Name);
        }
        self.changed.insert(Key::Room);
        Ok(())
    }

    /// Moves the room's time on: members go offline, electors lapse, waits end, refused ballots are opened again, and
    /// a quorum that falls to the votes given carries.
    pub fn settle(&mut self, now: Timestamp) {
        if self.closed_at.is_some() {
            return;
        }
        self.advance(now);
        if let Some(Ballot { state: BallotState::Refused { at }, .. }) = self.ballot
            && now.since(at) >= REFUSED_SHOWN_MS
        {
            self.reopen_ballot();
        }
        self.count_votes(now);
    }

    /// When the room next changes by itself, and why.
    pub fn deadline(&self) -> Option<(Timestamp, &'static str)> {
        if self.closed_at.is_some() {
            return None;
        }
        let member = self.due.first().map(|(at, due, _)| (*at, due.why()));
        let ballot = match self.ballot.as_ref().map(|ballot| ballot.state) {
            Some(BallotState::Refused { at }) => {
                Some((at.plus_ms(REFUSED_SHOWN_MS), "the next ballot opens"))
            }
            _ => None,
        };
        [member, ballot].into_iter().flatten().min()
    }

    /// What has changed since the last call, as the next version; `None` where nothing has to be written.
    pub fn take(&mut self) -> Option<Proposal> {
        let now_shown = (self.needed(), self.electors());
        if now_shown != self.shown {
            self.shown = now_shown;
            self.soft.insert(Section::Skip);
            // Who waits for the vote to carry sees these numbers: that they have changed is a version.
            if self.ballot.is_some() {
                self.changed.insert(Key::AsOf);
            }
        }
        if !self.is_changed() {
            return None;
        }
        let has_company = self.counts.online > 0;
        let came_or_went = std::mem::replace(&mut self.had_company, has_company) != has_company;
        let stirs = came_or_went
            || [Key::Room, Key::Playback, Key::Orders].iter().any(|key| self.changed.contains(key));
        self.changed.insert(Key::AsOf);
        self.changed.append(&mut self.quiet);
        let expected = self.version;
        self.version += 1;
        let records = std::mem::take(&mut self.changed).into_iter().map(|key| self.record(&key)).collect();
        Some(Proposal {
            expected,
            version: self.version,
            records,
            sections: std::mem::take(&mut self.sections),
            soft: std::mem::take(&mut self.soft),
            notices: std::mem::take(&mut self.notices),
            departures: std::mem::take(&mut self.departures),
            closed: self.closed_at.is_some(),
            stirs,
            expires_at: self.closed_at.map(|at| at.plus_ms(CLOSED_KEPT_MS)),
        })
    }

    /// Moves the instant that the members are counted at on to `now`. Clocks of several processes differ a little; a
    /// clock that had run far ahead is not followed.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        if self.as_of.since(now) > CLOCK_SKEW_MS {
            self.as_of = now;
            self.recount();
        }
        self.as_of = self.as_of.max(now);
        while let Some((at, _, _)) = self.due.first()
            && *at <= self.as_of
        {
            let Some((_, _, id)) = self.due.pop_first() else { break };
            self.retally(&id);
        }
    }

    fn is_changed(&self) -> bool {
        !self.changed.is_empty() || !self.notices.is_empty() || !self.departures.is_empty()
    }
}
