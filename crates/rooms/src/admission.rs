//! Coming in, being here, going out, and how each member counts.

use std::collections::BTreeSet;

use kernel::{MemberId, NodeId, Timestamp};

use crate::record::Key;
use crate::room::{Due, Tally};
use crate::{
    Admission, Departure, GUARDED_NEWCOMERS, GUARDED_WINDOW_MS, LISTED_MEMBERS, Member, Notice, Playback,
    Reason, Refusal, Role, Room, Section, Standing,
};

/// What became of a wish to come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinOutcome {
    /// In, just now.
    Joined,
    /// In already.
    Member,
    /// To be admitted by the host or a moderator.
    Waiting,
    /// Not to be told apart from a room that does not exist: locked, full or banned.
    NoSuchRoom,
    /// The room was closed, and the person was a member of it.
    Closed,
}

/// How someone is sent out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    Removed,
    Banned,
}

impl Room {
    /// Lets someone in by the code, or has them wait. Joining again changes nothing. `max_members` counts everyone
    /// whom the room remembers, those who wait too.
    pub fn join(&mut self, now: Timestamp, id: &MemberId, name: &str, max_members: usize) -> JoinOutcome {
        let standing = self.members.get(id).map(|member| member.standing);
        if self.closed_at.is_some() {
            let was_in = standing == Some(Standing::Admitted);
            return if was_in { JoinOutcome::Closed } else { JoinOutcome::NoSuchRoom };
        }
        match standing {
            Some(Standing::Admitted) => return JoinOutcome::Member,
            Some(Standing::Banned) => return JoinOutcome::NoSuchRoom,
            Some(Standing::Waiting) if self.settings.admission != Admission::Locked => {
                return JoinOutcome::Waiting;
            }
            Some(Standing::Waiting) | None => {}
        }
        if !self.takes_newcomers(max_members) {
            return JoinOutcome::NoSuchRoom;
        }
        while self.newcomers.front().is_some_and(|at| now.since(*at) >= GUARDED_WINDOW_MS) {
            self.newcomers.pop_front();
        }
        let waits = match self.settings.admission {
            Admission::Open | Admission::Locked => false,
            Admission::Guarded => self.newcomers.len() >= GUARDED_NEWCOMERS,
            Admission::Approve => true,
        };
        if !waits && self.settings.admission == Admission::Guarded {
            self.newcomers.push_back(now);
            self.changed.insert(Key::Room);
        }
        self.advance(now);
        let member = Member {
            name: name.to_owned(),
            role: Role::Guest,
            standing: if waits { Standing::Waiting } else { Standing::Admitted },
            joined_at: now,
            active_at: now,
            nodes: BTreeSet::new(),
            away_at: Some(now),
        };
        self.put_member(id, member);
        if waits {
            self.sections.insert(Section::Members);
            return JoinOutcome::Waiting;
        }
        self.notices.push(Notice::Joined { member: id.clone(), name: name.to_owned() });
        self.count_votes(now);
        JoinOutcome::Joined
    }

    /// Whether the room takes someone new: it is neither locked nor full.
    pub fn takes_newcomers(&self, max_members: usize) -> bool {
        self.settings.admission != Admission::Locked && self.members.len() < max_members
    }

    /// A connection of the member lives on that process (its first there).
    pub fn arrived(&mut self, now: Timestamp, id: &MemberId, node: &NodeId) {
        self.advance(now);
        self.edit_member(id, |member| {
            member.nodes.insert(node.clone());
            member.away_at = None;
        });
    }

    /// No connection of the member lives on that process any more.
    pub fn departed(&mut self, now: Timestamp, id: &MemberId, node: &NodeId) {
        self.advance(now);
        self.edit_member(id, |member| {
            if member.nodes.remove(node) && member.nodes.is_empty() {
                member.away_at = Some(now);
            }
        });
    }

    /// Only these processes live: whoever was connected to another has its grace from now on. Whether anything
    /// changed.
    pub fn nodes_alive(&mut self, now: Timestamp, alive: &BTreeSet<NodeId>) -> bool {
        self.advance(now);
        let stranded: Vec<MemberId> = self
            .members
            .iter()
            .filter(|(_, member)| !member.nodes.is_subset(alive))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &stranded {
            self.edit_member(id, |member| {
                member.nodes.retain(|node| alive.contains(node));
                if member.nodes.is_empty() {
                    member.away_at = Some(now);
                }
            });
        }
        !stranded.is_empty()
    }

    /// A process has taken the room up from the store, and only these processes live. It is a version of its own: who
    /// is online may differ from what the stored version showed.
    pub fn taken_up(&mut self, now: Timestamp, alive: &BTreeSet<NodeId>) {
        self.nodes_alive(now, alive);
        self.settle(now);
        self.changed.insert(Key::Room);
        self.sections.insert(Section::Members);
        self.sections.insert(Section::Skip);
    }

    /// The host, the moderators, and up to 200 members, those online first; in order of id within each group.
    pub fn listed(&self) -> Vec<(&MemberId, &Member)> {
        let admitted = || self.members.iter().filter(|(_, member)| member.standing == Standing::Admitted);
        let staff = |role| admitted().filter(move |(_, member)| member.role == role);
        let guests = |online| {
            staff(Role::Guest).filter(move |(id, _)| self.is_online(id) == online).take(LISTED_MEMBERS)
        };
        let mut list: Vec<_> = staff(Role::Host).chain(staff(Role::Moderator)).collect();
        let room_for = list.len() + LISTED_MEMBERS;
        list.extend(guests(true));
        if list.len() < room_for {
            list.extend(guests(false));
            list.truncate(room_for);
        }
        list
    }

    /// The members of that standing, in order of id.
    pub fn of_standing(&self, standing: Standing) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.members.iter().filter(move |(_, member)| member.standing == standing)
    }

    pub(crate) fn leave(&mut self, now: Timestamp, id: &MemberId) {
        self.depart(now, id, Departure::Left);
    }

    fn depart(&mut self, now: Timestamp, id: &MemberId, how: Departure) {
        self.drop_vote(id);
        if *id == self.host {
            // The room stays the host's: leaving is being away at once.
            self.edit_member(id, |member| {
                member.nodes.clear();
                member.away_at = None;
            });
        } else {
            self.remove_member(id);
        }
        self.departures.push((id.clone(), how));
        self.sections.insert(Section::Members);
        self.count_votes(now);
    }

    pub(crate) fn admit(&mut self, now: Timestamp, id: &MemberId) -> Result<(), Refusal> {
        let member = self.members.get(id).filter(|member| member.standing != Standing::Banned);
        let member = member.ok_or_else(Refusal::unknown_member)?;
        if member.standing == Standing::Admitted {
            return Ok(());
        }
        self.notices.push(Notice::Joined { member: id.clone(), name: member.name.clone() });
        self.edit_member(id, |member| {
            member.standing = Standing::Admitted;
            member.joined_at = now;
            member.active_at = now;
            member.away_at = Some(now);
        });
        self.sections.insert(Section::Members);
        Ok(())
    }

    /// Nobody has to wait any more.
    pub(crate) fn admit_all(&mut self, now: Timestamp) {
        let waiting: Vec<MemberId> = self.of_standing(Standing::Waiting).map(|(id, _)| id.clone()).collect();
        for id in waiting {
            // It waits, so it is no stranger.
            let _ = self.admit(now, &id);
        }
    }

    pub(crate) fn send_out(&mut self, by: Role, id: &MemberId, how: Removal) -> Result<(), Refusal> {
        let member = self.members.get(id).ok_or_else(Refusal::unknown_member)?;
        match (member.role, by, member.standing) {
            (Role::Host, _, _) => {
                return Err(Refusal::new(Reason::NotAllowed, "The host stays: it is the host's room."));
            }
            (Role::Moderator, Role::Moderator | Role::Guest, _) => {
                return Err(Refusal::not_allowed("the host"));
            }
            (_, _, Standing::Banned) if how == Removal::Banned => return Ok(()),
            (_, _, Standing::Banned) => return Err(Refusal::unknown_member()),
            _ => {}
        }
        self.drop_vote(id);
        match how {
            Removal::Removed => self.remove_member(id),
            Removal::Banned => self.edit_member(id, |member| {
                member.standing = Standing::Banned;
                member.role = Role::Guest;
                member.nodes.clear();
                member.away_at = None;
            }),
        }
        self.departures.push((id.clone(), Departure::Removed));
        self.sections.insert(Section::Members);
        Ok(())
    }

    pub(crate) fn unban(&mut self, id: &MemberId) -> Result<(), Refusal> {
        let banned = self.members.get(id).is_some_and(|member| member.standing == Standing::Banned);
        if !banned {
            return Err(Refusal::unknown_member());
        }
        self.remove_member(id);
        self.sections.insert(Section::Members);
        Ok(())
    }

    pub(crate) fn set_role(&mut self, id: &MemberId, role: Role) -> Result<(), Refusal> {
        if role == Role::Host {
            return Err(Refusal::new(Reason::BadCommand, "role takes moderator or guest."));
        }
        let member = self.members.get(id).filter(|member| member.standing == Standing::Admitted);
        if member.ok_or_else(Refusal::unknown_member)?.role == Role::Host {
            return Err(Refusal::new(Reason::NotAllowed, "The host stays the host."));
        }
        self.edit_member(id, |member| member.role = role);
        self.sections.insert(Section::Members);
        Ok(())
    }

    /// Forgets the person: as if they had never been here. The host cannot be forgotten but with the room: of one that is
    /// closed nothing is left but that it was, and whose members may hear so.
    pub fn forget(&mut self, now: Timestamp, id: &MemberId) {
        if *id == self.host {
            if self.closed_at.is_some() {
                self.forget_everything();
            }
            return;
        }
        self.advance(now);
        if self.members.contains_key(id) {
            self.depart(now, id, Departure::Forgotten);
        }
        self.forget_answers_of(id);
    }

    fn forget_everything(&mut self) {
        self.name.clear();
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in ids {
            self.edit_member(&id, |member| member.name.clear());
            self.forget_answers_of(&id);
        }
        // No account of Spotify's: the host's random id, which is in the record anyway.
        if let Ok(nobody) = self.host.as_str().parse() {
            self.account = nobody;
        }
        self.playback = Playback::unknown(self.as_of);
        self.ballot = None;
        self.changed.extend([Key::Room, Key::Playback, Key::Ballot]);
    }

    pub(crate) fn put_member(&mut self, id: &MemberId, member: Member) {
        self.members.insert(id.clone(), member);
        self.changed.insert(Key::Member(id.clone()));
        self.soft.insert(Section::Members);
        self.retally(id);
    }

    fn remove_member(&mut self, id: &MemberId) {
        self.clear_due(id);
        self.members.remove(id);
        self.changed.insert(Key::Member(id.clone()));
        self.retally(id);
    }

    pub(crate) fn edit_member(&mut self, id: &MemberId, edit: impl FnOnce(&mut Member)) {
        self.clear_due(id);
        let Some(member) = self.members.get_mut(id) else { return };
        let before = member.clone();
        edit(member);
        if *member != before {
            let visible =
                (&member.name, member.role, member.standing) != (&before.name, before.role, before.standing);
            self.changed.insert(Key::Member(id.clone()));
            if visible {
                self.sections.insert(Section::Members);
                if *id == self.host {
                    self.sections.insert(Section::Host);
                }
            }
        }
        self.retally(id);
    }

    fn clear_due(&mut self, id: &MemberId) {
        let Some(member) = self.members.get(id) else { return };
        let times = [
            (member.online_until(), Due::Offline),
            (Some(member.active_until()), Due::Inactive),
            (Some(member.vested_at(self.settings.vote_after_s)), Due::Vested),
        ];
        for (at, due) in times {
            if let Some(at) = at {
                self.due.remove(&(at, due, id.clone()));
            }
        }
    }

    /// Counts the member anew, and notes when that next changes.
    pub(crate) fn retally(&mut self, id: &MemberId) {
        let now = self.as_of;
        let before = self.tallies.remove(id);
        let mut after = None;
        if let Some(member) = self.members.get(id).filter(|member| member.standing == Standing::Admitted) {
            let vested_at = member.vested_at(self.settings.vote_after_s);
            let tally = Tally {
                online: member.is_online(now),
                active: now < member.active_until(),
                vested: now >= vested_at,
            };
            let times = [
                (member.online_until().filter(|_| tally.online), Due::Offline),
                (Some(member.active_until()).filter(|_| tally.active), Due::Inactive),
                (Some(vested_at).filter(|_| !tally.vested), Due::Vested),
            ];
            for (at, due) in times {
                if let Some(at) = at {
                    self.due.insert((at, due, id.clone()));
                }
            }
            after = Some(tally);
            self.tallies.insert(id.clone(), tally);
        }
        if before == after {
            return;
        }
        self.count(before, |count| *count -= 1);
        self.count(after, |count| *count += 1);
        if before.is_some_and(|tally| tally.online) != after.is_some_and(|tally| tally.online) {
            self.soft.insert(Section::Members);
            self.changed.insert(Key::Member(id.clone()));
            if !after.is_some_and(|tally| tally.online) {
                self.drop_vote(id);
            }
        }
    }

    fn count(&mut self, tally: Option<Tally>, step: impl Fn(&mut usize)) {
        let Some(tally) = tally else { return };
        step(&mut self.counts.admitted);
        if tally.online {
            step(&mut self.counts.online);
            if tally.vested {
                step(&mut self.counts.online_vested);
                if tally.active {
                    step(&mut self.counts.electors);
                }
            }
        }
    }

    /// Counts everyone anew, after a setting that bears on it has changed.
    pub(crate) fn recount(&mut self) {
        self.due.clear();
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in ids {
            self.retally(&id);
        }
    }
}
