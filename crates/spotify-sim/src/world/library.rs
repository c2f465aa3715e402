//! An account's saved tracks and playlists.

use kernel::Timestamp;

use super::catalogue::Catalogue;
use super::ids::{Kind, Named, mix, shuffled};
use super::names;
use super::player::Item;

/// How many tracks and playlists every account starts with, by the contract.
const SAVED: usize = 391;
const PLAYLISTS: usize = 60;
/// The one list that belongs to somebody else, and those that are empty.
const FOREIGN: usize = 11;
const EMPTY: [usize; 2] = [23, 41];
/// The lists that hold a vanished track, a local file, an episode, a relinked track: what a client must survive.
const ODD: [usize; 4] = [6, 7, 8, 9];
/// Numbers from here on are playlists made by a call.
const MADE_FROM: u16 = 1_000;
/// 2026-09-01, before which everything was added.
const EARLIER: Timestamp = Timestamp(1_788_220_800_000);
const HOUR_MS: u64 = 3_600_000;

/// One line of a playlist; no item where the recording has vanished.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) item: Option<Item>,
    /// Where the line names the track by a former identifier: that one's number.
    pub(crate) former: Option<usize>,
    pub(crate) added_at: Timestamp,
}

/// A playlist, without saying who follows it.
#[derive(Clone, Debug)]
pub(crate) struct Playlist {
    pub(crate) named: Named,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) public: bool,
    pub(crate) collaborative: bool,
    /// `None`: the answer has `images: null`.
    pub(crate) has_image: Option<bool>,
    pub(crate) lines: Vec<Line>,
    /// Grows with every write; the snapshot id is made of it.
    pub(crate) revision: u64,
}

/// What an account has kept.
#[derive(Clone, Debug)]
pub(crate) struct Library {
    /// Saved tracks, newest first.
    pub(crate) tracks: Vec<(usize, Timestamp)>,
    /// Saved things that are no tracks: albums, artists, shows, users.
    pub(crate) others: Vec<String>,
    /// The account's own playlists, oldest first.
    pub(crate) own: Vec<Playlist>,
    /// What the account sees as its playlists, in order.
    pub(crate) followed: Vec<Named>,
    next: u16,
}

impl Library {
    /// What the account with this key starts with.
    pub(crate) fn new(catalogue: &Catalogue, key: u32, neighbour: u32) -> Self {
        let chance = mix(catalogue.seed, 0x11b0 ^ u64::from(key) << 16);
        let tracks = shuffled(chance, 0, catalogue.tracks.len())
            .into_iter()
            .take(SAVED)
            .enumerate()
            .map(|(place, track)| (track, EARLIER.minus_ms(place as u64 * 7 * HOUR_MS)))
            .collect();
        let mut own = Vec::new();
        let mut followed = Vec::new();
        for number in 0..PLAYLISTS {
            if number == FOREIGN {
                followed.push(Named { kind: Kind::Playlist, owner: neighbour, number: 2 });
                continue;
            }
            let list = Playlist::first(catalogue, key, number);
            followed.push(list.named);
            own.push(list);
        }
        Self { tracks, others: Vec::new(), own, followed, next: MADE_FROM }
    }

    pub(crate) fn playlist(&self, named: Named) -> Option<&Playlist> {
        self.own.iter().find(|list| list.named == named)
    }

    pub(crate) fn playlist_mut(&mut self, named: Named) -> Option<&mut Playlist> {
        self.own.iter_mut().find(|list| list.named == named)
    }

    /// Makes an empty playlist, the first in the account's list.
    pub(crate) fn create(
        &mut self,
        key: u32,
        name: String,
        description: Option<String>,
        public: bool,
        collaborative: bool,
    ) -> Named {
        let named = Named { kind: Kind::Playlist, owner: key, number: self.next };
        self.next = self.next.saturating_add(1);
        let has_image = Some(false);
        let lines = Vec::new();
        self.own.push(Playlist {
            named,
            name,
            description,
            public,
            collaborative,
            has_image,
            lines,
            revision: 1,
        });
        self.followed.insert(0, named);
        named
    }
}

impl Playlist {
    fn first(catalogue: &Catalogue, key: u32, number: usize) -> Self {
        let chance = mix(mix(catalogue.seed, u64::from(key)), number as u64);
        let count = if EMPTY.contains(&number) { 0 } else { 6 + (chance % 40) as usize };
        let line = |item, former| Line { item, former, added_at: EARLIER };
        let mut lines: Vec<Line> = shuffled(chance, 1, catalogue.tracks.len())
            .into_iter()
            .filter(|track| catalogue.tracks[*track].playable)
            .take(count)
            .map(|track| line(Some(Item::Track(track)), None))
            .collect();
        if let Some(which) = ODD.iter().position(|odd| *odd == number) {
            let moved = Item::Track(catalogue.relinked[0]);
            let odd = [
                line(None, None),
                line(Some(Item::Local), None),
                line(Some(Item::Episode(0)), None),
                line(Some(moved), Some(catalogue.tracks.len())),
            ];
            lines.insert(3, odd[which].clone());
        }
        for (place, line) in lines.iter_mut().enumerate() {
            line.added_at = EARLIER.minus_ms(place as u64 * 5 * HOUR_MS);
        }
        let offset = (mix(catalogue.seed, u64::from(key)) % names::PLAYLISTS.len() as u64) as usize;
        let name = names::PLAYLISTS[(offset + number) % names::PLAYLISTS.len()];
        let name = if number < names::PLAYLISTS.len() { name.to_owned() } else { format!("{name}, vol. 2") };
        Self {
            named: Named { kind: Kind::Playlist, owner: key, number: number as u16 },
            name,
            description: number.is_multiple_of(3).then(|| "Made on a slow afternoon.".to_owned()),
            public: !number.is_multiple_of(4),
            collaborative: false,
            has_image: match number % 10 {
                9 => None,
                5 => Some(false),
                _ => Some(true),
            },
            lines,
            revision: 1,
        }
    }

    /// What of it can play.
    pub(crate) fn items(&self) -> Vec<Item> {
        self.lines.iter().filter_map(|line| line.item).collect()
    }
}
