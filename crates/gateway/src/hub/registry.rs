//! Which rooms are awake here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use dashmap::DashMap;
use kernel::{NodeId, RoomCode};
use rooms::{Opening, Room};
use store::{Commit, CommitError, Lineage, Store, StoredRoom};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio_util::task::TaskTracker;

use super::HubError;
use super::frames::Frames;
use super::job::Job;
use super::remembered::{Found, Remembered};
use super::replica::Replica;
use super::room::{RoomHandle, Shared};
use crate::net::Audience;
use crate::nodes::Nodes;
use crate::pulse::Pulse;
use crate::time::Time;

/// Jobs that may wait for a room's task; whoever comes then waits, or is told that the service is busy.
const JOBS: usize = 4096;

/// What a hub is put together from.
#[derive(Clone)]
pub struct HubParts {
    /// Where rooms are stored.
    pub store: Store,
    /// Whether it answers.
    pub pulse: Pulse,
    /// The service's time.
    pub time: Time,
    /// This process.
    pub node: NodeId,
    /// The processes that share the store.
    pub nodes: Nodes,
    /// Whether other processes may share it.
    pub shared: bool,
    /// Members that a room takes.
    pub max_members: usize,
    /// Owns the rooms' tasks.
    pub tracker: TaskTracker,
    /// Called with each room that wakes up here: starts its conductor.
    pub on_wake: Arc<dyn Fn(RoomHandle) + Send + Sync>,
}

/// The rooms that are awake here. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    parts: HubParts,
    rooms: DashMap<RoomCode, RoomHandle>,
    /// One at a time wakes rooms of a code: others wait for it, and find the room awake.
    waking: DashMap<RoomCode, Arc<AsyncMutex<()>>>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("rooms", &self.0.rooms.len()).finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub with no room awake.
    pub fn new(parts: HubParts) -> Self {
        Self(Arc::new(Inner { parts, rooms: DashMap::new(), waking: DashMap::new() }))
    }

    /// How many rooms are awake here.
    pub fn awake_rooms(&self) -> usize {
        self.0.rooms.len()
    }

    /// Opens and stores a room. `None`: that code is taken, draw another.
    pub async fn create(&self, opening: Opening) -> Result<Option<RoomHandle>, HubError> {
        let parts = &self.0.parts;
        let lineage =
            parts.store.rooms.room_lineage(&opening.code).await.map_err(|_| HubError::Unavailable)?;
        let mut room = Room::open(opening, parts.time.now());
        room.kept_in(&lineage);
        let proposal = room.take().ok_or(HubError::Corrupt)?;
        let mut remembered = Remembered::new(Lineage::clone(&lineage), StoredRoom::default(), false);
        remembered.learn(proposal.version, &proposal.records);
        let commit = Commit {
            code: room.code().clone(),
            expected: proposal.expected,
            records: proposal.records,
            fence: None,
            news: Vec::new(),
            origin: parts.node.clone(),
            expires_at: proposal.expires_at,
            durable: false,
            lineage: Some(lineage),
        };
        match parts.store.rooms.room_commit(commit).await {
            Ok(_) => Ok(Some(self.wake(room, remembered, false))),
            Err(CommitError::Conflict { .. }) => Ok(None),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "room.create failed");
                Err(HubError::Unavailable)
            }
        }
    }

    /// The room, awake. `None`: there is none of that code.
    pub async fn room(&self, code: &RoomCode) -> Result<Option<RoomHandle>, HubError> {
        let found = if let Some(handle) = self.awake(code) {
            Some(handle)
        } else {
            let turn = Arc::clone(&self.0.waking.entry(code.clone()).or_default());
            let found = self.find(code, &turn).await;
            self.0.waking.remove_if(code, |_, other| Arc::strong_count(other) <= 2);
            found?
        };
        // The store may not have been purged since.
        let now = self.0.parts.time.now();
        Ok(found.filter(|room| !room.read(|room| room.is_past(now))))
    }

    async fn find(&self, code: &RoomCode, turn: &AsyncMutex<()>) -> Result<Option<RoomHandle>, HubError> {
        let _turn = turn.lock().await;
        if let Some(handle) = self.awake(code) {
            return Ok(Some(handle));
        }
        let Found { lineage, room } = load(&self.0.parts, code).await?;
        let Some((room, stored)) = room else { return Ok(None) };
        let remembered = Remembered::new(lineage, stored, room.closed_at().is_some());
        Ok(Some(self.wake(room, remembered, true)))
    }

    /// The room, where it is awake here.
    pub fn awake(&self, code: &RoomCode) -> Option<RoomHandle> {
        self.0.rooms.get(code).map(|entry| entry.value().clone()).filter(|handle| !handle.is_over())
    }

    /// Every room that is awake here, in order of code.
    pub fn all(&self) -> Vec<RoomHandle> {
        let mut all: Vec<RoomHandle> = self.0.rooms.iter().map(|entry| entry.value().clone()).collect();
        all.sort_by(|one, other| one.code().cmp(other.code()));
        all
    }

    fn wake(&self, room: Room, remembered: Remembered, from_store: bool) -> RoomHandle {
        let code = room.code().clone();
        let frames = Frames::of(&room);
        let (jobs, inbox) = mpsc::channel::<Job>(JOBS);
        let shared = Arc::new(Shared {
            code: code.clone(),
            audience: Audience::new(Arc::new(frames.whole())),
            stored: watch::Sender::new(room.version()),
            stirred: watch::Sender::new(()),
            room: Mutex::new(room),
            frames: Mutex::new(frames),
            seats: Mutex::new(HashMap::new()),
        });
        let handle = RoomHandle { shared: Arc::clone(&shared), jobs };
        self.0.rooms.insert(code.clone(), handle.clone());
        let replica = Replica::new(self.0.parts.clone(), shared, inbox, remembered, from_store);
        let hub = self.clone();
        self.0.parts.tracker.spawn(async move {
            replica.run().await;
            hub.0.rooms.remove_if(&code, |_, handle| handle.is_over());
        });
        (self.0.parts.on_wake)(handle.clone());
        handle
    }
}

/// The room as stored.
pub(super) async fn load(parts: &HubParts, code: &RoomCode) -> Result<Found, HubError> {
    let failed = |error| {
        parts.pulse.missed(&error);
        tracing::error!(room = %code, error = &error as &dyn std::error::Error, "room.load failed");
        HubError::Unavailable
    };
    let rooms = &parts.store.rooms;
    let lineage = rooms.room_lineage(code).await.map_err(failed)?;
    let Some(stored) = rooms.room_load(code).await.map_err(failed)? else {
        // Where another memory has taken over meanwhile, it is the one that has no such room.
        let lineage = rooms.room_lineage(code).await.map_err(failed)?;
        return Ok(Found { lineage, room: None });
    };
    let room = restore(parts, code, &stored)?;
    Ok(Found { lineage, room: Some((room, stored)) })
}

pub(super) fn restore(parts: &HubParts, code: &RoomCode, stored: &StoredRoom) -> Result<Room, HubError> {
    Room::restore(stored.version, &stored.records, parts.time.now()).map_err(|error| {
        tracing::error!(room = %code, error = &error as &dyn std::error::Error, "room.restore failed");
        HubError::Corrupt
    })
}
