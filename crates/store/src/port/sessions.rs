//! Sessions and sign-in attempts.

use async_trait::async_trait;
use kernel::{AccountId, MemberId, Timestamp};

use super::Result;

/// SHA-256 of a secret that only its holder knows.
pub type Hash = [u8; 32];

/// A session, as stored under the hash of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The hash of the session's secret.
    pub hash: Hash,
    /// The person.
    pub member: MemberId,
    /// The Spotify account behind it, once authorized.
    pub account: Option<AccountId>,
    /// From here on it is as if it did not exist.
    pub expires_at: Timestamp,
    /// The rest, opaque to the store.
    pub data: Vec<u8>,
}

/// A sign-in attempt, as stored under the hash of its `state`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// The hash of the `state` parameter.
    pub state: Hash,
    /// From here on it is as if it did not exist.
    pub expires_at: Timestamp,
    /// The rest, opaque to the store.
    pub data: Vec<u8>,
}

/// What a follower of sessions hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The session of this hash was deleted or replaced: its connections must end, its cached copy is void.
    Ended(Hash),
    /// The session of this hash changed: its cached copy is void.
    Changed(Hash),
    /// Some events were missed: every cached copy is void.
    Lagged,
}

/// Events of sessions from the moment of [`SessionStore::sessions_follow`] on.
#[async_trait]
pub trait SessionFeed: Send {
    /// The next event; waits for it. Cancel-safe. `None` once the store is closed.
    async fn next(&mut self) -> Option<SessionEvent>;
}

/// Sessions and sign-in attempts. What has expired by `now` is not found.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a new session. A hash that exists is left as it is: `false`.
    async fn session_insert(&self, row: SessionRow) -> Result<bool>;

    /// The session of that hash.
    async fn session_get(&self, hash: &Hash, now: Timestamp) -> Result<Option<SessionRow>>;

    /// Replaces `data`, `account`, `member` and `expires_at` of an existing session; `false` where there is none (a
    /// deleted session stays deleted).
    async fn session_update(&self, row: SessionRow) -> Result<bool>;

    /// Deletes the session `old` and stores `new`, in one step; `false`, and nothing done, where `old` is gone.
    async fn session_rotate(&self, old: &Hash, new: SessionRow, now: Timestamp) -> Result<bool>;

    /// Deletes the session; `false` where there is none.
    async fn session_delete(&self, hash: &Hash) -> Result<bool>;

    /// The sessions of an account, in order of hash.
    async fn sessions_of_account(&self, account: &AccountId, now: Timestamp) -> Result<Vec<SessionRow>>;

    /// The sessions of a member, in order of hash.
    async fn sessions_of_member(&self, member: &MemberId, now: Timestamp) -> Result<Vec<SessionRow>>;

    /// Hears of every end and change from now on, by any process.
    async fn sessions_follow(&self) -> Result<Box<dyn SessionFeed>>;

    /// Stores a sign-in attempt; where `cap` unexpired ones are stored already, the one that expires first goes.
    async fn attempt_put(&self, row: AttemptRow, cap: u32, now: Timestamp) -> Result<()>;

    /// Takes an attempt: of any number of callers, one gets it.
    async fn attempt_take(&self, state: &Hash, now: Timestamp) -> Result<Option<AttemptRow>>;

    /// Deletes all that has expired; says how many rows.
    async fn sessions_purge(&self, now: Timestamp) -> Result<u64>;
}
