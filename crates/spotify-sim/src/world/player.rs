//! One account's player: what plays where, what comes next, and what has been done to it.
//!
//! The position is never stored, only where it stood at an instant; [`Player::settle`] carries out the track ends that
//! have passed by then. Whatever reads or changes a player settles it first.

use std::collections::VecDeque;
use std::sync::Arc;

use kernel::Timestamp;

use super::catalogue::Catalogue;
use super::ids::{Kind, mix, shuffled};

/// Something that can play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Track(usize),
    Episode(usize),
    /// A file on the host's own machine.
    Local,
    Ad,
    /// What Spotify itself does not name.
    Unknown,
}

/// The URI of the one local file.
pub(crate) const LOCAL_URI: &str = "spotify:local:The+Garage+Tapes:Demos:Basement+Take+2:184";

impl Item {
    pub(crate) fn duration_ms(self, catalogue: &Catalogue) -> u64 {
        match self {
            Self::Track(index) => catalogue.tracks[index].duration_ms,
            Self::Episode(index) => catalogue.episodes[index].duration_ms,
            Self::Local => 184_000,
            Self::Ad => 30_000,
            Self::Unknown => 240_000,
        }
    }

    /// The URI; for an ad or an unknown item a word that no real URI is.
    pub(crate) fn uri(self, catalogue: &Catalogue) -> String {
        match self {
            Self::Track(index) => catalogue.uri(Kind::Track, index),
            Self::Episode(index) => catalogue.uri(Kind::Episode, index),
            Self::Local => LOCAL_URI.to_owned(),
            Self::Ad => "spotify:ad".to_owned(),
            Self::Unknown => "spotify:unknown".to_owned(),
        }
    }

    fn playable(self, catalogue: &Catalogue) -> bool {
        !matches!(self, Self::Track(index) if !catalogue.tracks[index].playable)
    }
}

/// A Spotify Connect device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) is_restricted: bool,
    pub(crate) supports_volume: bool,
    pub(crate) volume_percent: Option<u8>,
}

/// Whether what ends starts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Repeat {
    #[default]
    Off,
    Track,
    Context,
}

/// A list that plays: an album, a playlist, or bare URIs (no context URI; it stops at its end).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) context_uri: Option<String>,
    pub(crate) items: Arc<[Item]>,
    /// The order in which `items` play.
    pub(crate) order: Arc<[usize]>,
    /// The place in `order` of the item that plays, or played before the user's queue took over.
    pub(crate) at: usize,
}

impl List {
    /// A list that starts at item `start`.
    pub(crate) fn new(context_uri: Option<String>, items: Vec<Item>, start: usize) -> Self {
        let order = (0..items.len()).collect();
        Self { context_uri, items: items.into(), order, at: start }
    }

    pub(crate) fn item(&self) -> Item {
        self.items[self.order[self.at]]
    }

    fn wraps(&self) -> bool {
        self.context_uri.is_some()
    }
}

/// What plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Playing {
    pub(crate) list: List,
    pub(crate) item: Item,
    /// The item comes from the user's queue, not from the list.
    pub(crate) from_queue: bool,
    pub(crate) is_playing: bool,
    /// The position at `since`.
    pub(crate) position_ms: u64,
    pub(crate) since: Timestamp,
    /// When the item started, for the listening history.
    pub(crate) started_at: Timestamp,
}

impl Playing {
    /// The position at `now`.
    pub(crate) fn position(&self, now: Timestamp) -> u64 {
        self.position_ms + if self.is_playing { now.since(self.since) } else { 0 }
    }
}

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
    pub(crate) active: Option<Device>,
    pub(crate) shuffle: bool,
    pub(crate) repeat: Repeat,
    pub(crate) changed_at: Timestamp,
    pub(crate) queue: VecDeque<Item>,
}

/// How many lines of the journal, and of the listening history, are kept.
const JOURNAL_KEPT: usize = 10_000;
const HEARD_KEPT: usize = 50;
/// How long, and how many, states before a change are kept.
const PAST_MS: u64 = 30_000;
const PAST_KEPT: usize = 16;
/// How many items the queue answer shows.
const QUEUE_SHOWN: usize = 20;
/// A jump of the clock longer than this many rounds of a list is shortened by whole rounds.
const ROUNDS_PLAYED: u64 = 3;

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
            active: self.active_device().cloned(),
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

    /// Carries out the ends of tracks up to `now`.
    pub(crate) fn settle(&mut self, catalogue: &Catalogue, now: Timestamp) {
        self.skip_rounds(catalogue, now);
        while let Some(playing) = self.playing.as_ref().filter(|playing| playing.is_playing) {
            let left = playing.item.duration_ms(catalogue).saturating_sub(playing.position_ms);
            if now.since(playing.since) < left {
                break;
            }
            let end = playing.since.plus_ms(left);
            self.note(end, By::End, "end", Some(playing.item.uri(catalogue)));
            self.hear(end);
            if self.repeat == Repeat::Track {
                self.start_item(end);
            } else {
                self.go_on(catalogue, end);
            }
            self.changed_at = end;
        }
    }

    /// After a jump of months only the last rounds of a list are played through.
    fn skip_rounds(&mut self, catalogue: &Catalogue, now: Timestamp) {
        let Some(playing) = self.playing.as_mut().filter(|p| p.is_playing && p.list.wraps()) else { return };
        if !self.queue.is_empty() || self.repeat == Repeat::Track {
            return;
        }
        let round: u64 = playing
            .list
            .items
            .iter()
            .filter(|item| item.playable(catalogue))
            .map(|item| item.duration_ms(catalogue))
            .sum();
        let rounds = now.since(playing.since) / round.max(1);
        if !playing.from_queue && rounds > ROUNDS_PLAYED + 1 {
            playing.since = playing.since.plus_ms((rounds - ROUNDS_PLAYED) * round);
            playing.started_at = playing.since;
        }
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

    fn hear(&mut self, at: Timestamp) {
        let Some(playing) = &self.playing else { return };
        // Spotify counts a listen from 30 s on.
        if let Item::Track(track) = playing.item
            && at.since(playing.started_at) >= 30_000
        {
            let context_uri = playing.list.context_uri.clone();
            self.heard.push_front(Heard { track, at, context_uri });
            self.heard.truncate(HEARD_KEPT);
        }
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

    /// The next item: the user's queue first, then the list; silence after the end of bare URIs.
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
            if list.at + 1 == list.order.len() && !list.wraps() && self.repeat != Repeat::Context {
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

    /// Makes a device the active one; what plays goes on there.
    pub(crate) fn activate(&mut self, id: &str) {
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
