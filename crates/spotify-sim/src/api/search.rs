//! Search: every word of the query somewhere in the names, with the field filters that make sense here.

use serde_json::{Map, Value};

use super::errors::ApiError;
use super::paging::Page;
use super::{Asked, Done};
use crate::world::catalogue::{Catalogue, SHOW};

const TYPES: [&str; 7] = ["album", "artist", "playlist", "track", "show", "episode", "audiobook"];
const OFFSET_MAX: usize = 1_000;
/// Every so many entries of a page of playlists are null, as live answers have them.
const NULL_EVERY: usize = 7;

/// A query, taken apart.
#[derive(Debug, Default)]
struct Query {
    words: Vec<String>,
    artist: Option<String>,
    album: Option<String>,
    track: Option<String>,
    year: Option<String>,
    isrc: Option<String>,
    upc: Option<String>,
}

impl Query {
    fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for word in pieces(&fold(text)) {
            match word.split_once(':') {
                Some(("artist", rest)) => query.artist = Some(rest.to_owned()),
                Some(("album", rest)) => query.album = Some(rest.to_owned()),
                Some(("track", rest)) => query.track = Some(rest.to_owned()),
                Some(("year", rest)) => query.year = Some(rest.to_owned()),
                Some(("isrc", rest)) => query.isrc = Some(rest.to_owned()),
                Some(("upc", rest)) => query.upc = Some(rest.to_owned()),
                Some(("genre" | "tag", _)) => {}
                _ => query.words.push(word),
            }
        }
        query
    }

    fn words_in(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.contains(word.as_str()))
    }

    fn in_year(&self, date: &str) -> bool {
        let Some(asked) = &self.year else { return true };
        let (from, to) = asked.split_once('-').unwrap_or((asked, asked));
        (from..=to).contains(&&date[..4])
    }

    /// Names that begin with the query come first, then names that hold it, then the rest.
    fn rank(&self, name: &str) -> u8 {
        let whole = self.words.join(" ");
        let name = fold(name);
        if name.starts_with(&whole) { 0 } else { u8::from(!name.contains(&whole)) + 1 }
    }
}

/// Lower case, without the accents that the catalogue has.
fn fold(text: &str) -> String {
    text.to_lowercase().replace('í', "i").replace(['á', 'à'], "a").replace('’', "'")
}

/// Words; what stands in quotes is one.
fn pieces(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    for letter in text.chars() {
        if letter == '"' {
            quoted = !quoted;
        } else if letter.is_whitespace() && !quoted {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push(letter);
        }
    }
    all.retain(|word| !word.is_empty());
    all
}

fn holds(asked: Option<&String>, text: &str) -> bool {
    asked.is_none_or(|asked| fold(text).contains(asked.as_str()))
}

fn ranked(query: &Query, mut found: Vec<usize>, name: impl Fn(usize) -> String) -> Vec<usize> {
    found.sort_by_cached_key(|index| query.rank(&name(*index)));
    found
}

fn tracks(query: &Query, all: &Catalogue) -> Vec<usize> {
    let found = (0..all.tracks.len())
        .filter(|index| {
            let track = &all.tracks[*index];
            let (album, artists) = (&all.albums[track.album], all.artist_names(track));
            query.words_in(&fold(&format!("{} {artists} {}", track.name, album.name)))
                && holds(query.artist.as_ref(), &artists)
                && holds(query.album.as_ref(), &album.name)
                && holds(query.track.as_ref(), &track.name)
                && query.in_year(&album.release_date)
                && query.isrc.as_ref().is_none_or(|isrc| isrc.eq_ignore_ascii_case(&track.isrc))
        })
        .collect();
    ranked(query, found, |index| all.tracks[index].name.clone())
}

fn albums(query: &Query, all: &Catalogue) -> Vec<usize> {
    let found = (0..all.albums.len())
        .filter(|index| {
            let album = &all.albums[*index];
            let artist = all.artists[album.artist].name;
            query.words_in(&fold(&format!("{} {artist}", album.name)))
                && holds(query.artist.as_ref(), artist)
                && holds(query.album.as_ref(), &album.name)
                && query.in_year(&album.release_date)
                && query.upc.as_ref().is_none_or(|upc| *upc == album.upc)
        })
        .collect();
    ranked(query, found, |index| all.albums[index].name.clone())
}

fn artists(query: &Query, all: &Catalogue) -> Vec<usize> {
    let found = (0..all.artists.len())
        .filter(|index| {
            let name = all.artists[*index].name;
            query.words_in(&fold(name)) && holds(query.artist.as_ref(), name)
        })
        .collect();
    ranked(query, found, |index| all.artists[index].name.to_owned())
}

pub(super) fn search(asked: &mut Asked<'_>) -> Result<Done, ApiError> {
    let text =
        asked.call.query("q").filter(|q| !q.is_empty()).ok_or_else(|| ApiError::bad("No search query"))?;
    let types: Vec<&str> = asked.call.query("type").unwrap_or_default().split(',').collect();
    if types.iter().any(|kind| !TYPES.contains(kind)) {
        return Err(ApiError::bad("Bad search type field"));
    }
    let query = Query::parse(text);
    let view = asked.view();
    let page = if view.extended { Page::of(asked.call, 20, 50)? } else { Page::of(asked.call, 5, 10)? };
    if page.offset > OFFSET_MAX {
        return Err(ApiError::bad("Invalid offset"));
    }
    let all = std::sync::Arc::clone(&asked.catalogue);
    let mut body = Map::new();
    for kind in types {
        let found = match kind {
            "track" => {
                let found = tracks(&query, &all);
                page.of_list(asked, found.len(), |at| view.track(found[at]))
            }
            "album" => {
                let found = albums(&query, &all);
                page.of_list(asked, found.len(), |at| view.album_short(found[at]))
            }
            "artist" => {
                let found = artists(&query, &all);
                page.of_list(asked, found.len(), |at| view.artist(found[at]))
            }
            "playlist" => {
                let found = playlists(asked, &query);
                page.of_list(asked, found.len(), |at| found[at].clone())
            }
            "show" => {
                let shown = usize::from(query.words_in(&fold(SHOW)));
                page.of_list(asked, shown, |_| view.show_short())
            }
            "episode" => {
                let episodes = &all.episodes;
                let found: Vec<usize> =
                    (0..episodes.len()).filter(|at| query.words_in(&fold(episodes[*at].name))).collect();
                page.of_list(asked, found.len(), |at| view.episode_short(found[at]))
            }
            _ => page.of_list(asked, 0, |_| Value::Null),
        };
        body.insert(format!("{kind}s"), found);
    }
    Ok(Done::Json(200, Value::Object(body)))
}

/// The asking account's public lists, with the gaps that Spotify leaves in such pages.
fn playlists(asked: &mut Asked<'_>, query: &Query) -> Vec<Value> {
    let view = asked.view();
    let (user, catalogue) = (asked.user(), std::sync::Arc::clone(&asked.catalogue));
    let library = asked.account().library(&catalogue);
    let found = library.own.iter().filter(|list| list.public && query.words_in(&fold(&list.name)));
    let mut shown: Vec<Value> = found.map(|list| view.playlist_short(list, user)).collect();
    let mut at = NULL_EVERY - 1;
    while at < shown.len() {
        shown.insert(at, Value::Null);
        at += NULL_EVERY;
    }
    shown
}

/// What tests of the catalogue ask.
#[cfg(test)]
pub(super) fn count_tracks(catalogue: &Catalogue, text: &str) -> usize {
    tracks(&Query::parse(text), catalogue).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract promises 12 tracks for each of these words.
    #[test]
    fn short_words_find_plenty() {
        for seed in [1, 2, 3, 42, u64::MAX] {
            let catalogue = Catalogue::new(seed);
            for text in ["a", "the", "love", "e"] {
                let found = count_tracks(&catalogue, text);
                assert!(found >= 12, "seed {seed}: {text:?} finds {found} tracks");
            }
        }
    }
}
