//! PURE: what one app may ask of Spotify, and what it has asked.
//!
//! Spotify has two limits and publishes neither: a rate (all of an app's calls in 30 s) and, in development mode, a
//! quota (calls per group of endpoints in about a day). [`CallPlan`] is what we allow ourselves, [`Budget`] counts
//! against it and remembers what Spotify closed.

mod plan;
mod window;

pub use plan::{CallPlan, PlanError, Watch};

use std::collections::BTreeMap;

use kernel::Timestamp;

use crate::group::Group;
use plan::{Cap, Reach};
use window::Window;

/// A cap over no more than this is a rate: calls are spread over it.
const RATE_MS: u64 = 60 * 1000;
/// No turn is further away, however many wait for theirs.
const LAST_TURN_MS: u64 = 10 * 60 * 1000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// What was learned of a quota is believed this long; Spotify changes its quotas without a word.
const LESSON_LIFE_MS: u64 = 7 * DAY_MS;
/// A quota that was used up by somebody else (another process, before a restart) teaches nothing smaller than this.
const LESSON_MIN: u32 = 20;

/// What a call is for, the dearest first. The fewer calls are left, the fewer purposes still get one, so that looking does
/// not use up what a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody waits for it: a command, and what must be seen for it.
    Act,
    /// Without it a room would show what is over.
    Follow,
    /// It may show a change of which nobody has told. Such calls take turns ([`Budget::turn`]).
    Watch,
}

impl Purpose {
    /// Of so many calls that are allowed, how many may have been made when this purpose still gets one.
    pub const fn share(self, calls: u32) -> u32 {
        match self {
            Self::Act => calls,
            Self::Follow => calls - calls / 10,
            Self::Watch => calls.div_ceil(2),
        }
    }
}

/// The calls of one app, counted. One for each client id; not shared by itself: whoever wraps it says how.
#[derive(Clone, Debug)]
pub struct Budget {
    learns: bool,
    counted: Vec<(Cap, Window)>,
    /// What each group used within a day, whether or not the plan caps it: a lesson needs it.
    used: BTreeMap<Group, Window>,
    parked: BTreeMap<Group, Timestamp>,
    lessons: BTreeMap<Group, Lesson>,
    /// From when on the next turn is.
    turn: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Lesson {
    calls: u32,
    until: Timestamp,
}

impl Budget {
    /// An unused budget.
    pub fn new(plan: &CallPlan) -> Self {
        Self {
            learns: plan.learns,
            counted: plan.caps.iter().map(|cap| (*cap, Window::new(cap.per_ms))).collect(),
            used: BTreeMap::new(),
            parked: BTreeMap::new(),
            lessons: BTreeMap::new(),
            turn: Timestamp::default(),
        }
    }

    /// When whoever only watches may ask: in the order in which they come here, as far apart as the plan's rates allow
    /// over time. Many rooms would otherwise ask all at once, as soon as a rate allows it again.
    pub fn turn(&mut self, now: Timestamp) -> Timestamp {
        let rates = self.counted.iter().filter(|(cap, _)| cap.per_ms <= RATE_MS);
        let apart = rates.map(|(cap, _)| cap.per_ms.div_ceil(Purpose::Watch.share(cap.calls).into()));
        // A clock that was set back must not keep anyone waiting for the time that it once showed.
        let turn = self.turn.clamp(now, now.plus_ms(LAST_TURN_MS));
        self.turn = turn.plus_ms(apart.max().unwrap_or(0));
        turn
    }

    /// Takes one call of the group. `Err` is how many milliseconds to wait (at least 1) before it is worth asking
    /// again; nothing is taken then.
    pub fn take(&mut self, now: Timestamp, group: Group, purpose: Purpose) -> Result<(), u64> {
        let wait = self.wait_ms(now, group, purpose);
        if wait > 0 {
            return Err(wait);
        }
        for (_, window) in self.counted.iter_mut().filter(|(cap, _)| cap.reach.covers(group)) {
            window.add(now);
        }
        self.used.entry(group).or_insert_with(|| Window::new(DAY_MS)).add(now);
        Ok(())
    }

    /// The caps that a call of the group falls under, each with its name (`all`, or the group's), the calls that it
    /// allows, and its window in milliseconds: for whoever counts for several processes.
    pub fn caps(&self, group: Group) -> Vec<(&'static str, u32, u64)> {
        let covering = self.counted.iter().map(|(cap, _)| cap).filter(|cap| cap.reach.covers(group));
        let name = |reach| if reach == Reach::All { "all" } else { group.name() };
        covering.map(|cap| (name(cap.reach), cap.calls, cap.per_ms)).collect()
    }

    /// How long until [`Self::take`] would succeed; 0 where it would now.
    pub fn wait_ms(&self, now: Timestamp, group: Group, purpose: Purpose) -> u64 {
        let parked = self.parked(group, now).map_or(0, |until| until.since(now));
        let capped = self.counted.iter().filter(|(cap, _)| cap.reach.covers(group));
        let wait = |window: &Window, calls| window.wait_ms(now, purpose.share(calls));
        let full = capped.map(|(cap, window)| wait(window, cap.calls)).max().unwrap_or(0);
        let lesson = self.lesson(now, group).zip(self.used.get(&group));
        let learned = lesson.map_or(0, |(calls, window)| wait(window, calls));
        parked.max(full).max(learned)
    }

    /// How many calls of the group are left now: what is scarce is kept for what matters by comparing with this.
    pub fn left(&self, now: Timestamp, group: Group) -> u32 {
        if self.parked(group, now).is_some() {
            return 0;
        }
        let capped = self.counted.iter().filter(|(cap, _)| cap.reach.covers(group));
        let planned = capped.map(|(cap, window)| cap.calls.saturating_sub(window.count(now))).min();
        let learned = self.lesson(now, group).map(|calls| calls.saturating_sub(self.used_today(now, group)));
        planned.unwrap_or(u32::MAX).min(learned.unwrap_or(u32::MAX))
    }

    /// How many calls of the group were made in the last 24 h.
    pub fn used_today(&self, now: Timestamp, group: Group) -> u32 {
        self.used.get(&group).map_or(0, |window| window.count(now))
    }

    /// Closes a group until then; a later end in force stays. For the quota, and for what other processes closed.
    pub fn park(&mut self, group: Group, until: Timestamp) {
        let end = self.parked.entry(group).or_insert(until);
        *end = until.max(*end);
    }

    /// Closes all groups until then: the rate is the app's.
    pub fn park_all(&mut self, until: Timestamp) {
        for group in Group::ALL {
            self.park(group, until);
        }
    }

    /// Until when the group is closed, if it is.
    pub fn parked(&self, group: Group, now: Timestamp) -> Option<Timestamp> {
        self.parked.get(&group).copied().filter(|until| *until > now)
    }

    /// Spotify said that the group's quota is used up until then: closes it and, where the plan learns, remembers how
    /// many calls it took as the group's daily cap, for a week.
    pub fn quota_used_up(&mut self, now: Timestamp, group: Group, until: Timestamp) {
        self.park(group, until);
        if self.learns {
            let calls = self.used_today(now, group).max(LESSON_MIN);
            self.lessons.insert(group, Lesson { calls, until: now.plus_ms(LESSON_LIFE_MS) });
        }
    }

    fn lesson(&self, now: Timestamp, group: Group) -> Option<u32> {
        self.lessons.get(&group).filter(|lesson| lesson.until > now).map(|lesson| lesson.calls)
    }
}

impl Reach {
    fn covers(self, group: Group) -> bool {
        match self {
            Self::All => true,
            Self::Group(own) => own == group,
        }
    }
}
