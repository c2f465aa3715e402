//! Apps: what Spotify allows each, and how it treats it.

use std::collections::{BTreeMap, VecDeque};

use kernel::Timestamp;

use super::account::User;

/// Which endpoints and fields an app gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Development,
    Extended,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// The answer has none: the rule since July 2026.
    None,
    /// The answer repeats it.
    Same,
    /// The answer has a new one and the old one is spent: PKCE before June 2026.
    SingleUse,
}

/// Under which names playlists hold their items. Spotify renamed `tracks` to `items` and has sent both since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaylistKeys {
    Both,
    Items,
    Tracks,
}

/// The groups of endpoints that a daily quota counts together. The names are ours; Spotify publishes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Player,
    Playlist,
    Search,
    ArtistAlbums,
    Catalogue,
    Me,
}

impl Group {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "player" => Self::Player,
            "playlist" => Self::Playlist,
            "search" => Self::Search,
            "artist-albums" => Self::ArtistAlbums,
            "catalogue" => Self::Catalogue,
            "me" => Self::Me,
            _ => return None,
        })
    }
}

/// A rolling window of calls.
#[derive(Clone, Debug)]
struct Window {
    length_ms: u64,
    calls: VecDeque<Timestamp>,
}

impl Window {
    fn new(length_ms: u64) -> Self {
        Self { length_ms, calls: VecDeque::new() }
    }

    /// The error says in how many seconds there is room for a call.
    fn has_room(&mut self, limit: usize, now: Timestamp) -> Result<(), u64> {
        while self.calls.front().is_some_and(|at| now.since(*at) >= self.length_ms) {
            self.calls.pop_front();
        }
        if self.calls.len() < limit {
            return Ok(());
        }
        // Where the limit shrank, room comes when enough of the calls counted before have left.
        let leaves = self.calls.len().checked_sub(limit.max(1)).and_then(|over| self.calls.get(over));
        let wait_ms = leaves.map_or(self.length_ms, |at| at.plus_ms(self.length_ms).since(now));
        Err(wait_ms.div_ceil(1_000).max(1))
    }
}

/// How many users an app in development mode may let in.
pub(crate) const DEVELOPMENT_USERS: usize = 5;
const RATE_WINDOW_MS: u64 = 30_000;
const QUOTA_WINDOW_MS: u64 = 86_400_000;

/// An app's limits and habits.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) mode: Mode,
    pub(crate) calls_per_30s: Option<u64>,
    pub(crate) daily_quota: BTreeMap<Group, u64>,
    /// `None`: everybody.
    pub(crate) allowlist: Option<Vec<User>>,
    pub(crate) owner_premium: bool,
    pub(crate) rotation: Rotation,
    pub(crate) playlist_keys: PlaylistKeys,
    /// 204, or 200 with a line of text.
    pub(crate) command_status: u16,
    pub(crate) staleness_ms: u64,
    pub(crate) access_token_ms: u64,
    rate: Window,
    quotas: BTreeMap<Group, Window>,
}

impl Default for App {
    fn default() -> Self {
        Self {
            mode: Mode::Extended,
            calls_per_30s: None,
            daily_quota: BTreeMap::new(),
            allowlist: None,
            owner_premium: true,
            rotation: Rotation::None,
            playlist_keys: PlaylistKeys::Both,
            command_status: 204,
            staleness_ms: 0,
            access_token_ms: 3_600_000,
            rate: Window::new(RATE_WINDOW_MS),
            quotas: BTreeMap::new(),
        }
    }
}

impl App {
    /// Whether the group's daily quota has room for a call; the error is the `Retry-After`, in seconds.
    pub(crate) fn within_quota(&mut self, group: Group, now: Timestamp) -> Result<(), u64> {
        let Some(limit) = self.daily_quota.get(&group).copied() else { return Ok(()) };
        self.quota(group).has_room(limit as usize, now)
    }

    fn quota(&mut self, group: Group) -> &mut Window {
        self.quotas.entry(group).or_insert_with(|| Window::new(QUOTA_WINDOW_MS))
    }

    /// Whether the rolling 30 s have room for a call; the error is the `Retry-After`, in seconds.
    pub(crate) fn within_rate(&mut self, now: Timestamp) -> Result<(), u64> {
        self.calls_per_30s.map_or(Ok(()), |limit| self.rate.has_room(limit as usize, now))
    }

    /// Counts a call against the limits there are. One that a limit refused counts against none.
    pub(crate) fn count(&mut self, group: Group, now: Timestamp) {
        if self.daily_quota.contains_key(&group) {
            self.quota(group).calls.push_back(now);
        }
        if self.calls_per_30s.is_some() {
            self.rate.calls.push_back(now);
        }
    }

    pub(crate) fn extended(&self) -> bool {
        self.mode == Mode::Extended
    }
}

/// Whether a text can be a client id: 32 hex digits.
pub(crate) fn is_client_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
