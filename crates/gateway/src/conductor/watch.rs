//! When to look at Spotify next, and why: pure, because each look costs one of few calls.

use kernel::Timestamp;
use rooms::{Order, OrderId, OrderState, PlaybackState, Room};
use spotify_api::{Purpose, Watch};

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
    Look(Purpose, &'static str),
    /// Ask when it may be looked at what nobody waits for.
    TakeTurn,
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
    /// The order that stood when that look was begun: what plays was seen after it was given.
    pub(super) looked_for: Option<OrderId>,
    /// What was seen can no longer be relied on before a skip.
    pub(super) must_look: bool,
    /// Looks to make, in order.
    pub(super) due: Vec<Timestamp>,
    /// Nothing is asked before.
    pub(super) not_before: Timestamp,
    /// It is looked before only for what somebody waits for.
    pub(super) looks_rest_until: Timestamp,
    /// When it is the room's turn to look for what nobody has told of.
    pub(super) turn: Option<Timestamp>,
    /// Since when the same has been seen.
    pub(super) same_since: Timestamp,
    /// Since when nobody is in the room.
    pub(super) lonely_since: Option<Timestamp>,
    /// When the last skip was carried out.
    pub(super) left_at: Timestamp,
}

impl Memory {
    /// Of a conductor that takes the room up: it has seen nothing yet. What a skip of its predecessor's has led to may
    /// still have to show.
    pub(super) fn taking_up(watch: Watch, room: &Room, now: Timestamp) -> Self {
        let mut memory = Self {
            watch,
            looked_at: None,
            looked_for: None,
            must_look: false,
            due: Vec::new(),
            not_before: Timestamp::default(),
            looks_rest_until: Timestamp::default(),
            turn: None,
            same_since: now,
            lonely_since: None,
            left_at: now,
        };
        if room.playback().leaving {
            memory.look_after(now, &[0]);
            memory.look_after(now, &AWAIT_MS);
        }
        memory
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
    if let Some(order) = room.next_order() {
        return for_order(room, order, memory, now);
    }
    if room.playback().leaving && memory.due.is_empty() {
        let patience = memory.left_at.plus_ms(10_000);
        if now >= patience {
            return Step::StopAwaiting;
        }
    }
    if let Some(at) = memory.due.first() {
        return look_at(Purpose::Act, *at, now, "after a command");
    }
    if memory.lonely_since.is_some_and(|since| now.since(since) >= LINGER_MS) {
        return Step::Rest;
    }
    if now < memory.looks_rest_until {
        return Step::Wait(memory.looks_rest_until, "calls are scarce");
    }
    let Some(looked_at) = memory.looked_at else { return Step::Look(Purpose::Follow, "taken up") };
    let end = expected_end(room, looked_at);
    if end.is_some_and(|end| end <= now) {
        return Step::Look(Purpose::Follow, "the predicted end");
    }
    match (regular(room, memory, looked_at, end), memory.turn) {
        ((at, Purpose::Watch, why), _) if now < at => Step::Wait(at, why),
        ((_, Purpose::Watch, _), None) => Step::TakeTurn,
        ((_, Purpose::Watch, why), Some(turn)) if turn <= now => Step::Look(Purpose::Watch, why),
        // The end may come sooner.
        ((_, Purpose::Watch, why), Some(turn)) => Step::Wait(end.map_or(turn, |end| end.min(turn)), why),
        ((at, purpose, why), _) => look_at(purpose, at, now, why),
    }
}

fn for_order(room: &Room, order: &Order, memory: &Memory, now: Timestamp) -> Step {
    match order.progress {
        OrderState::Waiting { not_before } if now < not_before => Step::Wait(not_before, "an order waits"),
        OrderState::Waiting { .. } if !order.act.leaves_item() => Step::Act(order.id),
        OrderState::Waiting { .. } => before_leaving(room, order.id, memory, now),
        OrderState::Sent { .. } => Step::Doubt(order.id),
        OrderState::Unknown { at } => {
            let looked_at = memory.looked_at.unwrap_or_default();
            let next = SETTLE_MS.iter().map(|ms| at.plus_ms(*ms)).find(|due| looked_at < *due);
            next.map_or(Step::GiveUp(order.id), |due| look_at(Purpose::Act, due, now, "whether it happened"))
        }
    }
}

/// Towards an order that leaves the item: after a fresh look, and not close to the item's own end.
fn before_leaving(room: &Room, order: OrderId, memory: &Memory, now: Timestamp) -> Step {
    // A look of before may have seen another song than the one that was meant.
    let seen = !memory.must_look && memory.looked_for == Some(order);
    let Some(looked_at) = memory.looked_at.filter(|_| seen) else {
        return Step::Look(Purpose::Act, "before a skip");
    };
    let gone = room.playback().ends_at().map(|end| end.plus_ms(END_MARGIN_MS));
    if gone.is_some_and(|gone| gone <= looked_at) {
        return look_at(Purpose::Act, overdue(room, memory.watch, looked_at), now, "the overdue end");
    }
    if now.since(looked_at) > FRESH_MS {
        return Step::Look(Purpose::Act, "before a skip");
    }
    match gone.filter(|_| room.ends_within(now, TOO_LATE_MS)) {
        Some(gone) => look_at(Purpose::Act, gone, now, "the track ends by itself"),
        None => Step::Act(order),
    }
}

fn look_at(purpose: Purpose, at: Timestamp, now: Timestamp, why: &'static str) -> Step {
    if at <= now { Step::Look(purpose, why) } else { Step::Wait(at, why) }
}

/// When what played at the last look should have given way to something else.
fn expected_end(room: &Room, looked_at: Timestamp) -> Option<Timestamp> {
    room.playback().ends_at().map(|end| end.plus_ms(END_MARGIN_MS)).filter(|end| *end > looked_at)
}

/// When to look again at an item that is past its end and still shown (Spotify lags, or the device is gone): the later,
/// the longer it has been so.
fn overdue(room: &Room, watch: Watch, looked_at: Timestamp) -> Timestamp {
    let over_ms = room.playback().ends_at().map_or(0, |end| looked_at.since(end));
    let longest = if watch == Watch::Within10s { CLOSE_MS } else { 60_000 };
    looked_at.plus_ms(over_ms.clamp(1_500, longest))
}

fn regular(
    room: &Room,
    memory: &Memory,
    looked_at: Timestamp,
    end: Option<Timestamp>,
) -> (Timestamp, Purpose, &'static str) {
    let same_ms = looked_at.since(memory.same_since);
    match (memory.watch, end) {
        (Watch::EndOfTrack, Some(end)) => (end, Purpose::Follow, "the predicted end"),
        (watch, None) if room.playback().is_playing && room.playback().track.is_some() => {
            (overdue(room, watch, looked_at), Purpose::Follow, "the overdue end")
        }
        (Watch::EndOfTrack, None) => {
            let pause = (same_ms / 2).clamp(QUIET_MS.0, QUIET_MS.1);
            (looked_at.plus_ms(pause), Purpose::Watch, "whether something plays")
        }
        // Equal steps to the end, so that the look at the end is one of them and not one more.
        (Watch::Within10s, Some(end)) => {
            let left = end.since(looked_at);
            let step = left / left.div_ceil(CLOSE_MS).max(1);
            (looked_at.plus_ms(step), Purpose::Watch, "an outside change")
        }
        (Watch::Within10s, None) => (looked_at.plus_ms(CLOSE_MS), Purpose::Watch, "an outside change"),
    }
}

#[cfg(test)]
mod tests {
    use rooms::{Command, Device, Disallows, Observation, OrderOutcome, PlayerSeen, Seen, Track};

    use super::*;
    use crate::fixtures;

    const START: Timestamp = Timestamp(1_790_000_000_000);

    /// A room whose track, at 10 of its 200 seconds at the start, is to be skipped.
    fn to_skip() -> (Room, OrderId) {
        let mut room = fixtures::room(START.minus_ms(60_000));
        let track = Track {
            uri: "spotify:track:a".to_owned(),
            name: "A".to_owned(),
            artists: Vec::new(),
            album: None,
            image_url: None,
            duration_ms: 200_000,
            explicit: false,
            url: None,
        };
        let device = Device {
            id: None,
            name: "Kitchen".to_owned(),
            kind: "Speaker".to_owned(),
            volume_percent: None,
            supports_volume: true,
        };
        let player = PlayerSeen {
            from_start: false,
            device: Some(device),
            is_playing: true,
            progress_ms: Some(10_000),
            item: Seen::Track(Box::new(track)),
            disallows: Disallows::default(),
        };
        room.observe(START, Observation { at: START, player: Some(player), has_devices: true });
        let epoch = room.playback().epoch;
        room.perform(START, &fixtures::ada(), None, Command::Skip { epoch }).expect("the host may");
        let order = room.next_order().expect("it was ordered").id;
        (room, order)
    }

    /// A room whose track was skipped at the start: Spotify has said so, and what it led to is not seen yet.
    fn skipped() -> Room {
        let (mut room, order) = to_skip();
        assert!(room.order_send(START, order));
        room.order_answered(START, order, OrderOutcome::Done);
        assert!(room.playback().leaving);
        room
    }

    #[test]
    fn a_track_that_stays_past_its_end_is_looked_at_less_and_less_while_a_skip_waits() {
        let (room, order) = to_skip();
        let end = START.plus_ms(190_000);
        let mut memory = Memory::taking_up(Watch::EndOfTrack, &room, START);
        memory.looked_at = Some(START);
        assert_eq!(
            next(&room, &memory, START),
            Step::Look(Purpose::Act, "before a skip"),
            "it was looked before the order was given"
        );
        memory.looked_for = Some(order);
        assert_eq!(next(&room, &memory, START), Step::Act(order));
        let close = end.minus_ms(TOO_LATE_MS);
        memory.looked_at = Some(close);
        let gone = end.plus_ms(END_MARGIN_MS);
        assert_eq!(next(&room, &memory, close), Step::Wait(gone, "the track ends by itself"));
        let mut now = gone;
        let mut looks = 0;
        while now < end.plus_ms(60_000) && looks < 100 {
            now = match next(&room, &memory, now) {
                Step::Look(..) => {
                    looks += 1;
                    memory.looked_at = Some(now);
                    now
                }
                Step::Wait(at, _) => at,
                step @ (Step::TakeTurn
                | Step::Act(_)
                | Step::Doubt(_)
                | Step::GiveUp(_)
                | Step::StopAwaiting
                | Step::Rest) => {
                    panic!("{step:?}")
                }
            };
        }
        assert!((4..=8).contains(&looks), "{looks} looks in a minute");
    }

    #[test]
    fn who_takes_up_a_room_looks_before_it_says_that_a_skip_led_nowhere() {
        let room = skipped();
        let mut now = START.plus_ms(60_000);
        let mut memory = Memory::taking_up(Watch::Within10s, &room, now);
        assert_eq!(next(&room, &memory, now), Step::Look(Purpose::Act, "after a command"));
        // As long as Spotify may still show what was before.
        for _ in 0..20 {
            memory.due.retain(|at| *at > now);
            memory.looked_at = Some(now);
            now = now.plus_ms(490);
            assert_ne!(next(&room, &memory, now), Step::StopAwaiting);
        }
        memory.due.clear();
        assert_eq!(next(&room, &memory, now.plus_ms(500)), Step::StopAwaiting);
    }

    #[test]
    fn what_nobody_waits_for_takes_turns_and_holds_nothing_up() {
        let (mut room, order) = to_skip();
        let end = START.plus_ms(190_000 + END_MARGIN_MS);
        let mut memory = Memory::taking_up(Watch::Within10s, &room, START);
        memory.looked_at = Some(START);
        memory.looked_for = Some(order);
        memory.looks_rest_until = START.plus_ms(60_000);
        assert_eq!(
            next(&room, &memory, START),
            Step::Act(order),
            "a command does not wait for calls to look"
        );
        room.order_answered(START, order, OrderOutcome::DidNothing);
        assert_eq!(next(&room, &memory, START), Step::Wait(START.plus_ms(60_000), "calls are scarce"));

        memory.looks_rest_until = START;
        let due = START.plus_ms(190_800 / 20);
        assert_eq!(next(&room, &memory, START), Step::Wait(due, "an outside change"));
        assert_eq!(next(&room, &memory, due), Step::TakeTurn);
        let turn = due.plus_ms(5_000);
        memory.turn = Some(turn);
        assert_eq!(next(&room, &memory, due), Step::Wait(turn, "an outside change"));
        assert_eq!(next(&room, &memory, turn), Step::Look(Purpose::Watch, "an outside change"));
        memory.turn = Some(end.plus_ms(5_000));
        assert_eq!(next(&room, &memory, turn), Step::Wait(end, "an outside change"), "the end comes sooner");
        assert_eq!(next(&room, &memory, end), Step::Look(Purpose::Follow, "the predicted end"));
    }
}
