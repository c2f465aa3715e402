//! One account's player: what plays where, what comes next, and what has been done to it.
//!
//! The position is never stored, only where it stood at an instant; [`Player::settle`] carries out the track ends that
//! have passed by then. Whatever reads or changes a player settles it first.

mod items;
mod lists;
mod time;

use std::collections::VecDeque;

use kernel::Timestamp;

use super::catalogue::Catalogue;
use super::ids::{mix, shuffled};
pub(crate) use items::{Device, Item, LOCAL_URI};
pub(crate) use lists::{List, Playing, Repeat};

/// Who did something to a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A call of the Web API.
    Api,
    /// The host in Spotify's own app.
    App,
    /// The track, by ending.
    End,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) by: By,
    pub(crate) act: &'static str,
    pub(crate) uri: Option<String>,
}

/// A recording that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) track: usize,
    pub(crate) at: Timestamp,
    pub(crate) context_uri: Option<String>,
}

/// What a read of the player shows; kept for a while after a change, because reads may trail.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) playing: Option<Playing>,
    pub(crate) devices: Vec<Device>,
    /// The id of the device that plays.
    pub(crate) active: Option<String>,
    pub(crate) shuffle: bool,
    pub(crate) repeat: Repeat,
    pub(crate) changed_at: Timestamp,
    pub(crate) queue: VecDeque<Item>,
}

/// How many lines of the journal are kept.
const JOURNAL_KEPT: usize = 10_000;
/// How long, and how many, states before a change are kept.
const PAST_MS: u64 = 30_000;
const PAST_KEPT: usize = 16;
/// How many items the queue answer shows.
const QUEUE_SHOWN: usize = 20;
/// One account's player.
#[derive(Clone, Debug)]
pub(crate) struct Player {
    pub(crate) devices: Vec<Device>,
    /// The id of the device that plays.
    pub(crate) active: Option<String>,
    pub(crate) playing: Option<Playing>,
    pub(crate) queue: VecDeque<Item>,
    pub(crate) shuffle: bool,
    pub(crate) repeat: Repeat,
    pub(crate) journal: VecDeque<Entry>,
    pub(crate) heard: VecDeque<Heard>,
    /// How long without sound or change lets the active device leave; `None`: it never does.
    pub(crate) idle_after_ms: Option<u64>,
    /// Whether the music goes on after the end of a context.
    pub(crate) autoplay: bool,
    /// The list that ended: what a bare `play` starts again.
    rested: Option<List>,
    changed_at: Timestamp,
    past: VecDeque<(Timestamp, State)>,
    /// How many shuffles there were: the next one's chance.
    shuffles: u64,
    seed: u64,
}

impl Player {
    pub(crate) fn new(seed: u64, devices: Vec<Device>, active: Option<String>, now: Timestamp) -> Self {
        Self {
            devices,
            active,
            playing: None,
            queue: VecDeque::new(),
            shuffle: false,
            repeat: Repeat::Off,
            journal: VecDeque::new(),
            heard: VecDeque::new(),
            idle_after_ms: None,
            autoplay: true,
            rested: None,
            changed_at: now,
            past: VecDeque::new(),
            shuffles: 0,
            seed,
        }
    }

    pub(crate) fn device(&self, id: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.id == id)
    }

    pub(crate) fn active_device(&self) -> Option<&Device> {
        self.active.as_deref().and_then(|id| self.device(id))
    }

    /// The state as it is.
    pub(crate) fn state(&self) -> State {
        State {
            playing: self.playing.clone(),
            devices: self.devices.clone(),
            active: self.active.clone(),
            shuffle: self.shuffle,
            repeat: self.repeat,
            changed_at: self.changed_at,
            queue: self.queue.clone(),
        }
    }

    /// The state as a read shows it that trails each change by between half of `staleness_ms` and all of it.
    pub(crate) fn seen(&self, staleness_ms: u64, now: Timestamp) -> State {
        self.past
            .iter()
            .find(|(changed, _)| {
                let drawn = mix(self.seed, changed.as_millis().unsigned_abs());
                now.since(*changed) < staleness_ms / 2 + drawn % (staleness_ms / 2 + 1)
            })
            .map_or_else(|| self.state(), |(_, before)| before.clone())
    }

    /// Keeps the state before a change, for reads that trail.
    pub(crate) fn changing(&mut self, now: Timestamp) {
        while self.past.len() >= PAST_KEPT
            || self.past.front().is_some_and(|(at, _)| now.since(*at) > PAST_MS)
        {
            self.past.pop_front();
        }
        let before = self.state();
        self.past.push_back((now, before));
        self.changed_at = now;
    }

    pub(crate) fn note(&mut self, at: Timestamp, by: By, act: &'static str, uri: Option<String>) {
        if self.journal.len() == JOURNAL_KEPT {
            self.journal.pop_front();
        }
        self.journal.push_back(Entry { at, by, act, uri });
    }

    fn start_item(&mut self, at: Timestamp) {
        if let Some(playing) = &mut self.playing {
            playing.position_ms = 0;
            playing.since = at;
            playing.started_at = at;
        }
    }

    /// Starts a list.
    pub(crate) fn start(&mut self, mut list: List, position_ms: u64, is_playing: bool, now: Timestamp) {
        self.hear(now);
        if self.shuffle {
            list = self.mixed(list);
        }
        let item = list.item();
        self.playing = Some(Playing {
            list,
            item,
            from_queue: false,
            is_playing: is_playing && self.active.is_some(),
            position_ms,
            since: now,
            started_at: now.minus_ms(position_ms),
        });
    }

    /// The next item: the user's queue first, then the list; silence after the end of a list that does not go round.
    pub(crate) fn go_on(&mut self, catalogue: &Catalogue, at: Timestamp) {
        while let Some(item) = self.queue.pop_front() {
            if item.playable(catalogue) {
                self.play_queued(item, at);
                return;
            }
        }
        let Some(playing) = &mut self.playing else { return };
        let list = &mut playing.list;
        for _ in 0..list.order.len() {
            if list.at + 1 == list.order.len() && !list.goes_round(self.autoplay, self.repeat) {
                list.at = 0;
                self.rested = Some(list.clone());
                self.playing = None;
                return;
            }
            list.at = (list.at + 1) % list.order.len();
            if list.item().playable(catalogue) {
                break;
            }
        }
        playing.item = playing.list.item();
        playing.from_queue = false;
        self.start_item(at);
    }

    fn play_queued(&mut self, item: Item, at: Timestamp) {
        if let Some(playing) = &mut self.playing {
            playing.item = item;
            playing.from_queue = true;
            self.start_item(at);
        } else {
            self.start(List::new(None, vec![item], 0), 0, true, at);
        }
    }

    /// Starts what a bare `play` starts where nothing is loaded: the queue, or the list that ended. False: neither.
    pub(crate) fn start_again(&mut self, catalogue: &Catalogue, now: Timestamp) -> bool {
        if !self.queue.is_empty() {
            self.go_on(catalogue, now);
        } else if let Some(list) = self.rested.take() {
            self.start(list, 0, true, now);
        }
        self.playing.is_some()
    }

    /// Plays or pauses what is loaded.
    pub(crate) fn set_playing(&mut self, is_playing: bool, now: Timestamp) {
        if let Some(playing) = &mut self.playing {
            playing.position_ms = playing.position(now);
            playing.since = now;
            playing.is_playing = is_playing;
        }
    }

    pub(crate) fn skip(&mut self, catalogue: &Catalogue, now: Timestamp) {
        self.hear(now);
        if let Some(playing) = &mut self.playing {
            playing.is_playing = self.active.is_some();
        }
        self.go_on(catalogue, now);
    }

    pub(crate) fn back(&mut self, catalogue: &Catalogue, now: Timestamp) {
        self.hear(now);
        let active = self.active.is_some();
        let Some(playing) = &mut self.playing else { return };
        let list = &mut playing.list;
        if !playing.from_queue {
            for _ in 0..list.order.len() {
                list.at = list.at.checked_sub(1).unwrap_or(list.order.len() - 1);
                if list.item().playable(catalogue) {
                    break;
                }
            }
        }
        playing.item = list.item();
        playing.from_queue = false;
        playing.is_playing = active;
        self.start_item(now);
    }

    /// Moves the position; past the end it is the next track.
    pub(crate) fn seek(&mut self, catalogue: &Catalogue, position_ms: u64, now: Timestamp) {
        let Some(playing) = &mut self.playing else { return };
        if position_ms >= playing.item.duration_ms(catalogue) {
            self.hear(now);
            self.go_on(catalogue, now);
        } else {
            playing.position_ms = position_ms;
            playing.since = now;
        }
    }

    pub(crate) fn set_shuffle(&mut self, on: bool) {
        self.shuffle = on;
        let Some(list) = self.playing.as_ref().map(|playing| playing.list.clone()) else { return };
        let list = if on {
            self.mixed(list)
        } else {
            let at = list.order[list.at];
            List { order: (0..list.items.len()).collect(), at, ..list }
        };
        if let Some(playing) = &mut self.playing {
            playing.list = list;
        }
    }

    /// The list in a new order, its present item first.
    fn mixed(&mut self, list: List) -> List {
        self.shuffles += 1;
        let first = list.order[list.at];
        let rest = shuffled(self.seed, self.shuffles, list.items.len()).into_iter().filter(|i| *i != first);
        List { order: std::iter::once(first).chain(rest).collect(), at: 0, ..list }
    }

    /// Makes a device the active one; it wakes, and what plays goes on there.
    pub(crate) fn activate(&mut self, id: &str) {
        if let Some(device) = self.devices.iter_mut().find(|device| device.id == id) {
            device.is_asleep = false;
        }
        self.active = Some(id.to_owned());
    }

    /// Nothing is loaded any more, and nothing is queued.
    pub(crate) fn fall_silent(&mut self) {
        self.playing = None;
        self.rested = None;
        self.queue.clear();
    }

    /// Replaces the devices. Without an active one nothing can sound.
    pub(crate) fn set_devices(&mut self, devices: Vec<Device>, active: Option<String>, now: Timestamp) {
        self.devices = devices;
        self.active = active;
        if self.active.is_none() {
            self.set_playing(false, now);
        }
    }
}

impl State {
    pub(crate) fn active_device(&self) -> Option<&Device> {
        self.active.as_deref().and_then(|id| self.devices.iter().find(|device| device.id == id))
    }

    /// What the queue answer lists: the user's queue, then the list, round and round.
    pub(crate) fn upcoming(&self, catalogue: &Catalogue) -> Vec<Item> {
        let Some(playing) = &self.playing else { return Vec::new() };
        let list = &playing.list;
        let of_list = (1..).map(|ahead| list.items[list.order[(list.at + ahead) % list.order.len()]]);
        let mut all: Vec<Item> = self.queue.iter().copied().take(QUEUE_SHOWN).collect();
        if list.items.iter().any(|item| item.playable(catalogue)) {
            let wanted = QUEUE_SHOWN - all.len();
            all.extend(of_list.filter(|item| item.playable(catalogue)).take(wanted));
        }
        all
    }
}
