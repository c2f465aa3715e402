//! Rooms: small records under one version.

use async_trait::async_trait;
use kernel::{MemberId, RoomCode, Timestamp};

use super::{Fence, Result};
use crate::StoreError;

/// The name of a memory: what the store has acknowledged under it, it still knows for as long as it answers under it. A
/// server that was restarted, or a replica that has taken over, is another one, and may have lost the last of what was
/// acknowledged. Empty for a store that loses nothing while this process lives.
pub type Lineage = std::sync::Arc<str>;

/// A room as stored: its version and its records by key, in the order of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredRoom {
    /// The number of commits so far; the first is 1.
    pub version: u64,
    /// Every record of the room.
    pub records: std::collections::BTreeMap<String, Vec<u8>>,
}

/// A proposal for the next version of a room.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The room.
    pub code: RoomCode,
    /// The version that it was decided on; 0 creates the room.
    pub expected: u64,
    /// The records that change; `None` deletes.
    pub records: Vec<(String, Option<Vec<u8>>)>,
    /// The conductor's fence, where a conductor writes: older than the newest fence that wrote here is refused.
    pub fence: Option<Fence>,
    /// Bytes for every follower of the room, not stored.
    pub news: Vec<u8>,
    /// Who commits; followers see it, to know their own commits.
    pub origin: kernel::NodeId,
    /// The instant from which the room may be deleted, and with it all that is stored about it; `None`: keep.
    pub expires_at: Option<Timestamp>,
    /// Not acknowledged before as many replicas hold it as the store was opened to wait for. Where their word does not
    /// come in time the answer is [`StoreError::Unavailable`], and it may have happened. No effect where there are none.
    pub durable: bool,
    /// The memory that it was decided on, where that matters: nothing is done in another one.
    pub lineage: Option<Lineage>,
}

/// A whole room, to be put back where the store has lost commits: after a failover to a replica that did not have them.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The room.
    pub code: RoomCode,
    /// The version that was found stored; 0 where there was none.
    pub expected: u64,
    /// What it is to be. Its version must be greater than `expected`.
    pub room: StoredRoom,
    /// Bytes for every follower of the room, not stored.
    pub news: Vec<u8>,
    /// Who restores.
    pub origin: kernel::NodeId,
    /// As in [`Commit`].
    pub expires_at: Option<Timestamp>,
    /// As in [`Commit`].
    pub lineage: Option<Lineage>,
}

/// Why a commit was not made. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another commit came first (for a creation: the code is taken). Load, decide again, and commit again.
    #[error("the room is at version {version}")]
    Conflict {
        /// The room's version now.
        version: u64,
    },
    /// A newer fence has written: whoever holds the older one has lost its lease.
    #[error("a newer conductor has written")]
    Fenced,
    /// There is no such room (any more).
    #[error("no such room")]
    Gone,
    /// The store answers from another memory than the decision was made on: load, look what was lost, decide again.
    #[error("the store answers from another memory")]
    OtherLineage,
    /// The store could not say whether it was stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a commit wrote: with it, who has the version before in the same memory has the next one without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The memory that it was made in.
    pub lineage: Lineage,
    /// As in [`Commit`].
    pub records: Vec<(String, Option<Vec<u8>>)>,
}

/// What a follower of a room hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomChange {
    /// A commit was made.
    Committed {
        /// The version that it made.
        version: u64,
        /// Who made it.
        origin: kernel::NodeId,
        /// Its news.
        news: std::sync::Arc<[u8]>,
        /// What it wrote upon the version before, where others are likely to follow and it is small enough to be told.
        delta: Option<std::sync::Arc<Delta>>,
    },
    /// Some changes were missed, how many is not known: read the room.
    Lagged,
}

/// The changes of one room from the moment of [`RoomStore::room_follow`] on. Dropping it ends the following.
#[async_trait]
pub trait RoomFeed: Send {
    /// The next change; waits for it. Cancel-safe. `None` once the store is closed.
    async fn next(&mut self) -> Option<RoomChange>;
}

/// Rooms.
#[async_trait]
pub trait RoomStore: Send + Sync {
    /// The whole room; `None` where there is none.
    async fn room_load(&self, code: &RoomCode) -> Result<Option<StoredRoom>>;

    /// The memory that this room is answered from at the moment. Asked for before a load, it names the memory of the load
    /// or an older one, which no commit is made in.
    async fn room_lineage(&self, code: &RoomCode) -> Result<Lineage>;

    /// The room's version; `None` where there is none.
    async fn room_version(&self, code: &RoomCode) -> Result<Option<u64>>;

    /// Makes `commit.expected + 1` the room's version, whole or not at all. Returns the new version.
    async fn room_commit(&self, commit: Commit) -> std::result::Result<u64, CommitError>;

    /// Replaces the whole room by `restore.room`, at its version: records that are not in it vanish, the newest fence
    /// stays. Followers hear it like a commit of that version, which then does not follow the one before. `Conflict`,
    /// and nothing done, where the stored version is not `expected` or not less than the room's.
    async fn room_restore(&self, restore: Restore) -> std::result::Result<u64, CommitError>;

    /// Hears of every commit made from now on, by any process. Follow first, then read.
    async fn room_follow(&self, code: &RoomCode) -> Result<Box<dyn RoomFeed>>;

    /// Codes after `after`, at most `limit`, in order.
    async fn rooms_after(&self, after: Option<&RoomCode>, limit: u32) -> Result<Vec<RoomCode>>;

    /// Deletes every room whose `expires_at` is not after `now`; says how many.
    async fn rooms_purge(&self, now: Timestamp) -> Result<u64>;

    /// Remembers that the member may be in the room. Written before the room's own commit, so it may name rooms that
    /// the member is not in: the room has the last word.
    async fn membership_put(&self, member: &MemberId, code: &RoomCode) -> Result<()>;

    /// Forgets that.
    async fn membership_delete(&self, member: &MemberId, code: &RoomCode) -> Result<()>;

    /// The rooms that the member may be in, in order of code.
    async fn memberships(&self, member: &MemberId) -> Result<Vec<RoomCode>>;
}
