//! Sessions and sign-in attempts. What is deleted stays deleted; an attempt is taken once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kernel::{AccountId, MemberId, Timestamp};

use super::Memory;
use crate::{AttemptRow, Hash, Result, SessionEvent, SessionFeed, SessionRow, SessionStore};

#[derive(Clone, Default)]
pub(super) struct Sessions {
    sessions: BTreeMap<Hash, SessionRow>,
    attempts: BTreeMap<Hash, AttemptRow>,
}

impl Sessions {
    fn rotate(&mut self, old: &Hash, new: SessionRow, now: Timestamp) -> bool {
        let lives = self.sessions.get(old).is_some_and(|row| row.expires_at > now);
        let taken = new.hash != *old && self.sessions.contains_key(&new.hash);
        if !lives || taken {
            return false;
        }
        self.sessions.remove(old);
        self.sessions.insert(new.hash, new);
        true
    }

    fn attempt_put(&mut self, row: AttemptRow, cap: u32, now: Timestamp) {
        self.attempts.remove(&row.state);
        self.attempts.retain(|_, stored| stored.expires_at > now);
        while !self.attempts.is_empty() && self.attempts.len() >= cap as usize {
            let first = self.attempts.values().map(|stored| (stored.expires_at, stored.state)).min();
            if let Some((_, state)) = first {
                self.attempts.remove(&state);
            }
        }
        self.attempts.insert(row.state, row);
    }

    fn purge(&mut self, now: Timestamp) -> (Vec<Hash>, u64) {
        let before = self.attempts.len();
        self.attempts.retain(|_, row| row.expires_at > now);
        let attempts = (before - self.attempts.len()) as u64;
        let ended: Vec<Hash> =
            self.sessions.values().filter(|row| row.expires_at <= now).map(|row| row.hash).collect();
        for hash in &ended {
            self.sessions.remove(hash);
        }
        let rows = ended.len() as u64 + attempts;
        (ended, rows)
    }

    fn select(&self, now: Timestamp, wanted: impl Fn(&SessionRow) -> bool) -> Vec<SessionRow> {
        self.sessions.values().filter(|row| row.expires_at > now && wanted(row)).cloned().collect()
    }
}

#[async_trait]
impl SessionStore for Memory {
    async fn session_insert(&self, row: SessionRow) -> Result<bool> {
        let mut state = self.state()?;
        if state.sessions.sessions.contains_key(&row.hash) {
            return Ok(false);
        }
        state.sessions.sessions.insert(row.hash, row);
        Ok(true)
    }

    async fn session_get(&self, hash: &Hash, now: Timestamp) -> Result<Option<SessionRow>> {
        let state = self.state()?;
        Ok(state.sessions.sessions.get(hash).filter(|row| row.expires_at > now).cloned())
    }

    async fn session_update(&self, row: SessionRow) -> Result<bool> {
        let mut state = self.state()?;
        let Some(stored) = state.sessions.sessions.get_mut(&row.hash) else { return Ok(false) };
        let hash = row.hash;
        *stored = row;
        self.0.hub.session_publish(SessionEvent::Changed(hash));
        Ok(true)
    }

    async fn session_rotate(&self, old: &Hash, new: SessionRow, now: Timestamp) -> Result<bool> {
        let mut state = self.state()?;
        let rotated = state.sessions.rotate(old, new, now);
        if rotated {
            self.0.hub.session_publish(SessionEvent::Ended(*old));
        }
        Ok(rotated)
    }

    async fn session_delete(&self, hash: &Hash) -> Result<bool> {
        let mut state = self.state()?;
        let deleted = state.sessions.sessions.remove(hash).is_some();
        if deleted {
            self.0.hub.session_publish(SessionEvent::Ended(*hash));
        }
        Ok(deleted)
    }

    async fn sessions_of_account(&self, account: &AccountId, now: Timestamp) -> Result<Vec<SessionRow>> {
        Ok(self.state()?.sessions.select(now, |row| row.account.as_ref() == Some(account)))
    }

    async fn sessions_of_member(&self, member: &MemberId, now: Timestamp) -> Result<Vec<SessionRow>> {
        Ok(self.state()?.sessions.select(now, |row| row.member == *member))
    }

    async fn sessions_follow(&self) -> Result<Box<dyn SessionFeed>> {
        let _state = self.state()?;
        self.0.hub.sessions_follow()
    }

    async fn attempt_put(&self, row: AttemptRow, cap: u32, now: Timestamp) -> Result<()> {
        self.state()?.sessions.attempt_put(row, cap, now);
        Ok(())
    }

    async fn attempt_take(&self, state: &Hash, now: Timestamp) -> Result<Option<AttemptRow>> {
        let taken = self.state()?.sessions.attempts.remove(state);
        Ok(taken.filter(|row| row.expires_at > now))
    }

    async fn sessions_purge(&self, now: Timestamp) -> Result<u64> {
        let mut state = self.state()?;
        let (ended, rows) = state.sessions.purge(now);
        for hash in ended {
            self.0.hub.session_publish(SessionEvent::Ended(hash));
        }
        Ok(rows)
    }
}
