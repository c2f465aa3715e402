//! When to look at Spotify next, and why: pure, because each look costs one of few calls.

use kernel::Timestamp;
use rooms::{Order, OrderId, OrderState, PlaybackState, Room};
use spotify_api::Watch;

/// After a track's predicted end, its successor shows within this time, in milliseconds (reference, section 13).
const END_MARGIN_MS: u64 = 800;
/// In `extended`, an outside change is seen within 10 s: the interval, with room for the answer, in milliseconds.
const CLOSE_MS: u64 = 9_700;
/// In `development`, while nothing plays: the shortest and the longest interval, in milliseconds.
const QUIET_MS: (u64, u64) = (15_000, 300_000);
/// A room that nobody is in is looked after for this long, in milliseconds: someone may come back to it.
const LINGER_MS: u64 = 600_000;
/// What was seen this long ago is true enough to act on, in milliseconds (reliability, section 4).
const FRESH_MS: u64 = 2_000;
/// With less than this left of a track, a skip could hit the next one: it is left to end, in milliseconds.
pub(super) const TOO_LATE_MS: u64 = 3_000;
/// After a skip whose answer was lost: when to look, counted from then, in milliseconds. Thrice and more within 10 s.
const SETTLE_MS: [u64; 4] = [300, 1_200, 3_000, 6_000];
/// After a skip that was carried out: when to look for what it led to, in milliseconds.
pub(super) const AWAIT_MS: [u64; 6] = [120, 500, 1_200, 2_500, 4_500, 8_000];

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Carry out this order.
    Act(OrderId),
    /// Take down that this order, sent by a conductor that is gone, may or may not have happened.
    Doubt(OrderId),
    /// Take down that this order did not happen.
    GiveUp(OrderId),
    /// Take down that nothing has come of a skip.
    StopAwaiting,
    /// Look.
    Look(&'static str),
    /// Wait until then, or for a change of the room.
    Wait(Timestamp, &'static str),
    /// There is nothing to do until the room changes.
    Rest,
}

/// What the conductor remembers between steps.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// How closely to watch.
    pub(super) watch: Watch,
    /// When the last look was answered.
    pub(super) looked_at: Option<Timestamp>,
    /// What was seen can no longer be relied on before a skip.
    pub(super) must_look: bool,
    /// Looks to make, in order.
    pub(super) due: Vec<Timestamp>,
    /// Nothing is asked before.
    pub(super) not_before: Timestamp,
    /// Since when the same has been seen.
    pub(super) same_since: Timestamp,
    /// Since when nobody is in the room.
    pub(super) lonely_since: Option<Timestamp>,
    /// When the last skip was carried out.
    pub(super) left_at: Timestamp,
}

impl Memory {
    pub(super) fn new(watch: Watch, now: Timestamp) -> Self {
        Self {
            watch,
            looked_at: None,
            must_look: false,
            due: Vec::new(),
            not_before: Timestamp::default(),
            same_since: now,
            lonely_since: None,
            left_at: now,
        }
    }

    /// Looks at these distances from `now`, in milliseconds.
    pub(super) fn look_after(&mut self, now: Timestamp, distances: &[u64]) {
        self.due.extend(distances.iter().map(|ms| now.plus_ms(*ms)));
        self.due.sort_unstable();
    }
}

/// What to do next in this room.
pub(super) fn next(room: &Room, memory: &Memory, now: Timestamp) -> Step {
    if room.closed_at().is_some() || room.playback().state == PlaybackState::NeedsHost {
        return Step::Rest;
    }
    if let Some(Order { id, progress: OrderState::Sent { .. }, .. }) = room.next_order() {
        return Step::Doubt(*id);
    }
    if now < memory.not_before {
        return Step::Wait(memory.not_before, "Spotify is left alone");
    }
    let order = room.next_order().and_then(|order| for_order(room, order, memory, now));
    if let Some(step) = order {
        return step;
    }
    if room.playback().leaving && memory.due.is_empty() {
        let patience = memory.left_at.plus_ms(10_000);
        if now >= patience {
            return Step::StopAwaiting;
        }
    }
    if let Some(at) = memory.due.first() {
        return if *at <= now { Step::Look("after a command") } else { Step::Wait(*at, "after a command") };
    }
    if memory.lonely_since.is_some_and(|since| now.since(since) >= LINGER_MS) {
        return Step::Rest;
    }
    let Some(looked_at) = memory.looked_at else { return Step::Look("taken up") };
    let (at, why) = regular(room, memory, looked_at);
    if at <= now { Step::Look(why) } else { Step::Wait(at, why) }
}

fn for_order(room: &Room, order: &Order, memory: &Memory, now: Timestamp) -> Option<Step> {
    match order.progress {
        OrderState::Waiting { not_before } if now < not_before => {
            Some(Step::Wait(not_before, "an order waits"))
        }
        OrderState::Waiting { .. } if !order.act.leaves_item() => Some(Step::Act(order.id)),
        OrderState::Waiting { .. } => {
            let fresh = memory.looked_at.is_some_and(|at| now.since(at) <= FRESH_MS) && !memory.must_look;
            if !fresh {
                return Some(Step::Look("before a skip"));
            }
            let late = room.ends_within(now, TOO_LATE_MS);
            match room.playback().ends_at().filter(|_| late) {
                Some(end) => {
                    let seen = end.plus_ms(END_MARGIN_MS);
                    let step = Step::Wait(seen, "the track ends by itself");
                    Some(if seen <= now { Step::Look("the track has ended") } else { step })
                }
                None => Some(Step::Act(order.id)),
            }
        }
        OrderState::Sent { .. } => Some(Step::Doubt(order.id)),
        OrderState::Unknown { at } => {
            let looked_at = memory.looked_at.unwrap_or_default();
            let next = SETTLE_MS.iter().map(|ms| at.plus_ms(*ms)).find(|due| looked_at < *due);
            Some(match next {
                Some(due) if due <= now => Step::Look("whether it happened"),
                Some(due) => Step::Wait(due, "whether it happened"),
                None => Step::GiveUp(order.id),
            })
        }
    }
}

fn regular(room: &Room, memory: &Memory, looked_at: Timestamp) -> (Timestamp, &'static str) {
    let same_ms = looked_at.since(memory.same_since);
    let end = room.playback().ends_at().map(|end| end.plus_ms(END_MARGIN_MS)).filter(|end| *end > looked_at);
    match (memory.watch, end) {
        (Watch::EndOfTrack, Some(end)) => (end, "the predicted end"),
        // Past its end and still shown: Spotify lags, or the device is gone.
        (watch, None) if room.playback().is_playing && room.playback().track.is_some() => {
            let over_ms = room.playback().ends_at().map_or(0, |end| looked_at.since(end));
            let longest = if watch == Watch::Within10s { CLOSE_MS } else { 60_000 };
            (looked_at.plus_ms(over_ms.clamp(1_500, longest)), "the overdue end")
        }
        (Watch::EndOfTrack, None) => {
            (looked_at.plus_ms((same_ms / 2).clamp(QUIET_MS.0, QUIET_MS.1)), "whether something plays")
        }
        // Equal steps to the end, so that the look at the end is one of them and not one more.
        (Watch::Within10s, Some(end)) => {
            let left = end.since(looked_at);
            (looked_at.plus_ms(left / left.div_ceil(CLOSE_MS).max(1)), "an outside change")
        }
        (Watch::Within10s, None) => (looked_at.plus_ms(CLOSE_MS), "an outside change"),
    }
}
