//! Signing in with Spotify: the way there, the way back, and out again.

mod back;
mod connect;
mod there;
mod words;

pub(super) use back::*;
pub(super) use connect::*;
pub(super) use there::*;

/// What a host is asked to allow: seeing and steering the player, and its library and playlists, which the room plays
/// from and writes its history to. Nothing else.
pub(super) const SCOPES: [&str; 7] = [
    "user-read-playback-state",
    "user-read-currently-playing",
    "user-modify-playback-state",
    "user-library-read",
    "playlist-read-private",
    "playlist-read-collaborative",
    "playlist-modify-private",
];
