//! Rooms: one compare-and-set on the version.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{MemberId, RoomCode, Timestamp};

use super::Memory;
use crate::{
    Commit, CommitError, Delta, Fence, Lineage, Restore, Result, RoomChange, RoomFeed, RoomStore, StoreError,
    StoredRoom,
};

#[derive(Clone, Default)]
pub(super) struct Rooms {
    /// How often another memory has taken over.
    lineage: u64,
    by_code: BTreeMap<RoomCode, Room>,
    memberships: BTreeMap<MemberId, BTreeSet<RoomCode>>,
}

#[derive(Clone, Default)]
struct Room {
    stored: StoredRoom,
    /// The newest that wrote here.
    fence: Fence,
    expires_at: Option<Timestamp>,
}

impl Rooms {
    pub(super) const fn next_lineage(&self) -> u64 {
        self.lineage + 1
    }

    pub(super) const fn become_other(&mut self, lineage: u64) {
        self.lineage = lineage;
    }

    fn lineage(&self) -> Lineage {
        self.lineage.to_string().into()
    }

    fn is_other(&self, lineage: Option<&Lineage>) -> bool {
        lineage.is_some_and(|lineage| *lineage != self.lineage())
    }

    fn commit(&mut self, commit: Commit) -> std::result::Result<u64, CommitError> {
        if self.is_other(commit.lineage.as_ref()) {
            return Err(CommitError::OtherLineage);
        }
        if commit.expected == 0 {
            if let Some(room) = self.by_code.get(&commit.code) {
                return Err(CommitError::Conflict { version: room.stored.version });
            }
            self.by_code.insert(commit.code.clone(), Room::default());
        }
        let Some(room) = self.by_code.get_mut(&commit.code) else { return Err(CommitError::Gone) };
        if let Some(fence) = commit.fence {
            // Before the version: whoever has lost the lease is to stop, not to decide again.
            if fence < room.fence {
                return Err(CommitError::Fenced);
            }
        }
        if room.stored.version != commit.expected {
            return Err(CommitError::Conflict { version: room.stored.version });
        }
        room.stored.version += 1;
        room.fence = commit.fence.unwrap_or(room.fence);
        room.expires_at = commit.expires_at;
        for (key, value) in commit.records {
            match value {
                Some(value) => room.stored.records.insert(key, value),
                None => room.stored.records.remove(&key),
            };
        }
        Ok(room.stored.version)
    }

    fn restore(&mut self, restore: Restore) -> std::result::Result<u64, CommitError> {
        if self.is_other(restore.lineage.as_ref()) {
            return Err(CommitError::OtherLineage);
        }
        let version = self.by_code.get(&restore.code).map_or(0, |room| room.stored.version);
        if version != restore.expected || version >= restore.room.version {
            return Err(CommitError::Conflict { version });
        }
        let room = self.by_code.entry(restore.code).or_default();
        room.stored = restore.room;
        room.expires_at = restore.expires_at;
        Ok(room.stored.version)
    }

    fn purge(&mut self, now: Timestamp) -> u64 {
        let ended = |room: &Room| room.expires_at.is_some_and(|at| at <= now);
        let codes: Vec<RoomCode> =
            self.by_code.iter().filter(|(_, room)| ended(room)).map(|(code, _)| code.clone()).collect();
        for code in &codes {
            self.by_code.remove(code);
            self.memberships.retain(|_, rooms| {
                rooms.remove(code);
                !rooms.is_empty()
            });
        }
        codes.len() as u64
    }
}

#[async_trait]
impl RoomStore for Memory {
    async fn room_load(&self, code: &RoomCode) -> Result<Option<StoredRoom>> {
        Ok(self.state()?.rooms.by_code.get(code).map(|room| room.stored.clone()))
    }

    async fn room_lineage(&self, _code: &RoomCode) -> Result<Lineage> {
        Ok(self.state()?.rooms.lineage())
    }

    async fn room_version(&self, code: &RoomCode) -> Result<Option<u64>> {
        Ok(self.state()?.rooms.by_code.get(code).map(|room| room.stored.version))
    }

    async fn room_commit(&self, mut commit: Commit) -> std::result::Result<u64, CommitError> {
        let (code, origin) = (commit.code.clone(), commit.origin.clone());
        let news = std::mem::take(&mut commit.news).into();
        let delta = commit.lineage.clone().map(|lineage| {
            let records = commit.records.clone();
            Arc::new(Delta { lineage, records })
        });
        let mut state = self.state()?;
        let version = state.rooms.commit(commit)?;
        // Still under the lock, so that followers hear the versions in order.
        self.0.hub.room_publish(&code, RoomChange::Committed { version, origin, news, delta });
        if state.unanswered > 0 {
            state.unanswered -= 1;
            return Err(StoreError::Unavailable("its answer was lost".to_owned()).into());
        }
        Ok(version)
    }

    async fn room_restore(&self, mut restore: Restore) -> std::result::Result<u64, CommitError> {
        let (code, origin) = (restore.code.clone(), restore.origin.clone());
        let news = std::mem::take(&mut restore.news).into();
        let mut state = self.state()?;
        let version = state.rooms.restore(restore)?;
        self.0.hub.room_publish(&code, RoomChange::Committed { version, origin, news, delta: None });
        Ok(version)
    }

    async fn room_follow(&self, code: &RoomCode) -> Result<Box<dyn RoomFeed>> {
        let _state = self.state()?;
        self.0.hub.room_follow(code)
    }

    async fn rooms_after(&self, after: Option<&RoomCode>, limit: u32) -> Result<Vec<RoomCode>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state()?;
        let codes = state.rooms.by_code.range::<RoomCode, _>((from, Bound::Unbounded));
        Ok(codes.map(|(code, _)| code.clone()).take(limit as usize).collect())
    }

    async fn rooms_purge(&self, now: Timestamp) -> Result<u64> {
        Ok(self.state()?.rooms.purge(now))
    }

    async fn membership_put(&self, member: &MemberId, code: &RoomCode) -> Result<()> {
        self.state()?.rooms.memberships.entry(member.clone()).or_default().insert(code.clone());
        Ok(())
    }

    async fn membership_delete(&self, member: &MemberId, code: &RoomCode) -> Result<()> {
        let mut state = self.state()?;
        if let Some(rooms) = state.rooms.memberships.get_mut(member) {
            rooms.remove(code);
            if rooms.is_empty() {
                state.rooms.memberships.remove(member);
            }
        }
        Ok(())
    }

    async fn memberships(&self, member: &MemberId) -> Result<Vec<RoomCode>> {
        let state = self.state()?;
        Ok(state.rooms.memberships.get(member).into_iter().flatten().cloned().collect())
    }
}
