//! The invented catalogue: artists, albums, tracks, one podcast. Made once from the seed, never changed.

use super::ids::{Kind, Named, mix};
use super::names;

/// A recording.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) name: String,
    pub(crate) album: usize,
    /// The album's artist first; a guest after it on some.
    pub(crate) artists: Vec<usize>,
    /// From 1.
    pub(crate) number: usize,
    pub(crate) duration_ms: u64,
    pub(crate) explicit: bool,
    pub(crate) playable: bool,
    pub(crate) popularity: u64,
    pub(crate) isrc: String,
}

/// An album or a single.
#[expect(clippy::struct_field_names, reason = "`album_type` is Spotify's word")]
#[derive(Debug)]
pub(crate) struct Album {
    pub(crate) name: String,
    pub(crate) artist: usize,
    pub(crate) tracks: std::ops::Range<usize>,
    /// `album` or `single`.
    pub(crate) album_type: &'static str,
    /// `YYYY-MM-DD` or `YYYY`.
    pub(crate) release_date: String,
    pub(crate) label: &'static str,
    pub(crate) upc: String,
    pub(crate) popularity: u64,
}

/// A band or a person.
#[derive(Debug)]
pub(crate) struct Artist {
    pub(crate) name: &'static str,
    pub(crate) albums: Vec<usize>,
    pub(crate) genre: &'static str,
    pub(crate) followers: u64,
    pub(crate) popularity: u64,
}

/// One talk of the podcast.
#[derive(Debug)]
pub(crate) struct Episode {
    pub(crate) name: &'static str,
    pub(crate) duration_ms: u64,
    pub(crate) release_date: &'static str,
}

/// All there is to play.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) seed: u64,
    pub(crate) artists: Vec<Artist>,
    pub(crate) albums: Vec<Album>,
    pub(crate) tracks: Vec<Track>,
    /// Recordings that were once released under another identifier, which still leads to them (relinking). Those
    /// identifiers are numbered after the tracks, in this order.
    pub(crate) relinked: [usize; 3],
    pub(crate) episodes: Vec<Episode>,
}

/// The name of the one podcast.
pub(crate) const SHOW: &str = "The Listening Hour";

impl Catalogue {
    pub(crate) fn new(seed: u64) -> Self {
        let chance = |what: u64, number: usize| mix(mix(seed, what), number as u64);
        let mut made = Self {
            seed,
            artists: names::ARTISTS
                .iter()
                .enumerate()
                .map(|(index, name)| Artist {
                    name,
                    albums: Vec::new(),
                    genre: names::GENRES[(chance(1, index) % names::GENRES.len() as u64) as usize],
                    followers: 1_000 + chance(2, index) % 900_000,
                    popularity: 20 + chance(3, index) % 60,
                })
                .collect(),
            albums: Vec::new(),
            tracks: Vec::new(),
            relinked: [121, 203, 250],
            episodes: vec![
                Episode {
                    name: "On rooms and their echoes",
                    duration_ms: 1_860_000,
                    release_date: "2026-09-04",
                },
                Episode {
                    name: "The record that changed the bar",
                    duration_ms: 2_415_000,
                    release_date: "2026-09-18",
                },
                Episode {
                    name: "Who gets the aux cable?",
                    duration_ms: 1_522_000,
                    release_date: "2026-10-02",
                },
            ],
        };
        let mut titles = Titles::new(seed);
        for (index, name) in names::ALBUMS.into_iter().enumerate() {
            let count = 6 + (chance(4, index) % 7) as usize;
            // Every fifth album of the smallest size becomes an EP of five: the shortest album there is.
            let count = if index % 5 == 4 { 5 } else { count };
            let artist = index % names::ARTISTS.len();
            made.add_album(name, artist, "album", count, index, &mut titles);
        }
        for (index, name) in names::SINGLES.into_iter().enumerate() {
            let artist = (chance(5, index) % names::ARTISTS.len() as u64) as usize;
            made.add_album(name, artist, "single", 1, names::ALBUMS.len() + index, &mut titles);
        }
        made
    }

    fn add_album(
        &mut self,
        name: &str,
        artist: usize,
        album_type: &'static str,
        count: usize,
        index: usize,
        titles: &mut Titles,
    ) {
        let chance = |what: u64, number: usize| mix(mix(self.seed, what), number as u64);
        let first = self.tracks.len();
        let year = 1996 + chance(6, index) % 31;
        let (month, day) = (1 + chance(7, index) % 8, 1 + chance(8, index) % 28);
        for number in 1..=count {
            let place = self.tracks.len();
            let guest = (chance(9, place) % names::ARTISTS.len() as u64) as usize;
            let mut artists = vec![artist];
            if chance(10, place).is_multiple_of(11) && guest != artist {
                artists.push(guest);
            }
            self.tracks.push(Track {
                name: if album_type == "single" { name.to_owned() } else { titles.next() },
                album: self.albums.len(),
                artists,
                number,
                duration_ms: duration(chance(11, place)),
                explicit: chance(12, place).is_multiple_of(9),
                playable: (index, number) != (7, 4),
                popularity: 5 + chance(13, place) % 80,
                isrc: format!("QZ5IM{:02}{:05}", year % 100, place + 1),
            });
        }
        self.artists[artist].albums.push(self.albums.len());
        self.albums.push(Album {
            name: name.to_owned(),
            artist,
            tracks: first..first + count,
            album_type,
            release_date: if index % 13 == 12 {
                year.to_string()
            } else {
                format!("{year}-{month:02}-{day:02}")
            },
            label: names::LABELS[index % names::LABELS.len()],
            upc: format!("88{:010}", 1_000_000 + index),
            popularity: 10 + chance(14, index) % 70,
        });
    }

    /// The name of a catalogue's thing as an identifier.
    pub(crate) fn id(&self, kind: Kind, index: usize) -> String {
        Named::new(kind, index).id(self.seed)
    }

    pub(crate) fn uri(&self, kind: Kind, index: usize) -> String {
        Named::new(kind, index).uri(self.seed)
    }

    /// The index of what an identifier names, or has come to mean, where the catalogue has it.
    pub(crate) fn find(&self, kind: Kind, id: &str) -> Option<usize> {
        let index = self.number(kind, id)?;
        match index.checked_sub(self.tracks.len()) {
            Some(former) if kind == Kind::Track => self.relinked.get(former).copied(),
            _ => (index < self.count(kind)).then_some(index),
        }
    }

    /// The number of a track's former identifier, where `id` is one: [`Catalogue::id`] of it is `id` again.
    pub(crate) fn former(&self, id: &str) -> Option<usize> {
        let former = self.tracks.len()..self.tracks.len() + self.relinked.len();
        self.number(Kind::Track, id).filter(|number| former.contains(number))
    }

    fn number(&self, kind: Kind, id: &str) -> Option<usize> {
        let named = Named::from_id(self.seed, id)?;
        (named.kind == kind && named.owner == 0).then(|| named.index())
    }

    fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Track => self.tracks.len(),
            Kind::Album => self.albums.len(),
            Kind::Artist => self.artists.len(),
            Kind::Show => 1,
            Kind::Episode => self.episodes.len(),
            Kind::Playlist => 0,
        }
    }

    /// All recordings of an artist, its own albums first.
    pub(crate) fn tracks_of_artist(&self, artist: usize) -> Vec<usize> {
        self.artists[artist].albums.iter().flat_map(|album| self.albums[*album].tracks.clone()).collect()
    }

    /// The names of a track's artists, joined.
    pub(crate) fn artist_names(&self, track: &Track) -> String {
        track.artists.iter().map(|artist| self.artists[*artist].name).collect::<Vec<_>>().join(", ")
    }
}

/// Nine tracks in ten last 150 to 260 s; the tenth is short or long.
fn duration(drawn: u64) -> u64 {
    let odd = drawn >> 32;
    match drawn % 20 {
        0 => 95_000 + odd % 50_000,
        1 => 265_000 + odd % 150_000,
        _ => 150_000 + odd % 110_000,
    }
}

/// Track names, each once.
struct Titles {
    seed: u64,
    drawn: u64,
    used: std::collections::HashSet<String>,
    phrases: std::vec::IntoIter<usize>,
}

impl Titles {
    fn new(seed: u64) -> Self {
        let phrases = super::ids::shuffled(seed, 21, names::PHRASES.len()).into_iter();
        Self { seed, drawn: 0, used: std::collections::HashSet::new(), phrases }
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        self.drawn += 1;
        from[(mix(mix(self.seed, 20), self.drawn) % from.len() as u64) as usize]
    }

    fn next(&mut self) -> String {
        loop {
            let name = self.draw();
            if self.used.insert(name.clone()) {
                return name;
            }
        }
    }

    fn draw(&mut self) -> String {
        self.drawn += 1;
        match mix(mix(self.seed, 20), self.drawn) % 20 {
            0..=4 => format!("{} {}", self.pick(&names::ADJECTIVES), self.pick(&names::NOUNS)),
            5 | 6 => format!("The {}", self.pick(&names::NOUNS)),
            7 | 8 => format!("{} in {}", self.pick(&names::NOUNS), self.pick(&names::PLACES)),
            9 => format!("{} Me {}", self.pick(&names::PLEAS), self.pick(&names::ADVERBS)),
            10 => format!("{} Me {}", self.pick(&names::CARRIERS), self.pick(&names::GOALS)),
            11 => format!("Love in {}", self.pick(&names::PLACES)),
            12 => format!("{} Love", self.pick(&names::ADJECTIVES)),
            13 => format!("The {} {}", self.pick(&names::ADJECTIVES), self.pick(&names::NOUNS)),
            14 => format!("{} the {}", self.pick(&names::VERBS), self.pick(&names::NOUNS)),
            15 => {
                let first = self.pick(&names::NOUNS);
                let others = names::NOUNS.map(|noun| if noun == first { "Everything" } else { noun });
                format!("{first} & {}", self.pick(&others))
            }
            16 => self.pick(&names::NOUNS).to_owned(),
            17 => format!("Like {}", self.pick(&names::LIKENESSES)),
            _ => match self.phrases.next() {
                Some(index) => names::PHRASES[index].to_owned(),
                None => format!("The {} of {}", self.pick(&names::NOUNS), self.pick(&names::OWNERS)),
            },
        }
    }
}
