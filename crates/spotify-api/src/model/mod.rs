//! What Spotify answers, read tolerantly: a field that is missing, null or of another type is absent; a list's bad
//! element is skipped and counted; an unknown word is `Unknown`. Only what Parlor uses is kept.

mod catalogue;
mod json;
mod page;
mod player;

pub use catalogue::{Album, Artist, Episode, Named, Playlist, Profile, SavedTrack, Track};
pub use page::Page;
pub(crate) use page::page_of;
pub use player::{Device, Disallows, Item, PlayerState, Playing, Queue, Repeat};

#[cfg(test)]
mod tests;
