//! The memory engine: the readable law. What the other engines do in SQL or scripts stands here in plain maps.
//!
//! One lock around everything makes each call one step. Nothing outlives the last clone.

mod accounts;
mod leases;
mod limits;
mod rooms;
mod sessions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::feed::Hub;
use crate::{Result, Store, StoreError};

/// A store in memory. Clones are the same store: several gateways of one test share it.
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    hub: Arc<Hub>,
}

#[derive(Clone, Default)]
struct State {
    outage: bool,
    /// Commits of rooms that are still made and not answered.
    unanswered: u32,
    rooms: rooms::Rooms,
    sessions: sessions::Sessions,
    accounts: accounts::Accounts,
    leases: leases::Leases,
    limits: limits::Limits,
}

/// What [`Memory::replica`] gives.
pub struct Replica(State);

impl Memory {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "an empty store is made on purpose, never by default")]
    pub fn new() -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), hub: Hub::new() }))
    }

    /// Its ports.
    pub fn store(&self) -> Store {
        let engine = Arc::new(self.clone());
        Store {
            rooms: engine.clone(),
            sessions: engine.clone(),
            accounts: engine.clone(),
            leases: engine.clone(),
            limits: engine,
        }
    }

    /// Makes every call fail with [`StoreError::Unavailable`], and nothing happen, until it is called with `false`:
    /// for tests of what a service does without its store. Feeds stay open.
    pub fn set_outage(&self, outage: bool) {
        self.locked().outage = outage;
    }

    /// The next so many commits of rooms are made, and answered with [`StoreError::Unavailable`]: their answers are lost.
    pub fn lose_answers(&self, commits: u32) {
        self.locked().unanswered = commits;
    }

    /// All that is stored now: what a replica would have that hears nothing more.
    pub fn replica(&self) -> Replica {
        Replica(self.locked().clone())
    }

    /// Goes on as that replica, under another [`crate::Lineage`]: what was acknowledged since is lost. Whoever follows
    /// anything hears that something was missed.
    pub fn fail_over(&self, to: &Replica) {
        let mut state = self.locked();
        let lineage = state.rooms.next_lineage();
        *state = to.0.clone();
        state.rooms.become_other(lineage);
        self.0.hub.lag();
    }

    /// Ends every feed. Other calls still answer.
    pub fn close(&self) {
        self.0.hub.close();
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.locked();
        if state.outage {
            return Err(StoreError::Unavailable("an outage was ordered".to_owned()));
        }
        Ok(state)
    }
}
