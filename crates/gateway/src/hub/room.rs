//! A room that is awake here, as the rest of the gateway holds it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kernel::{AccountId, MemberId, RoomCode};
use rooms::{Command, CommandId, Departure, JoinOutcome, Room};
use store::Fence;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

use super::HubError;
use super::frames::Frames;
use super::job::{Conducted, ConductorEvent, Failure, Job, NotConducted, Reply};
use crate::net::{Audience, Connection};

/// Live connections that one member may have to one room (contract, section 4).
pub(super) const CONNECTIONS_PER_MEMBER: usize = 5;

/// How long a version that a client has seen at another process is waited for. News of it travel in milliseconds.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// What the room's task and its handles share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) code: RoomCode,
    /// Written by the room's task alone; between applying and storing it is ahead of what is acknowledged.
    pub(super) room: Mutex<Room>,
    pub(super) frames: Mutex<Frames>,
    pub(super) audience: Arc<Audience>,
    pub(super) seats: Mutex<HashMap<MemberId, Vec<Arc<Connection>>>>,
    /// The last stored version.
    pub(super) stored: watch::Sender<u64>,
    /// Marked with each version that a conductor goes by.
    pub(super) stirred: watch::Sender<()>,
}

impl Shared {
    pub(super) fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn frames(&self) -> MutexGuard<'_, Frames> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seats(&self) -> MutexGuard<'_, HashMap<MemberId, Vec<Arc<Connection>>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A room that is awake here. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RoomHandle {
    pub(super) shared: Arc<Shared>,
    pub(super) jobs: mpsc::Sender<Job>,
}

impl RoomHandle {
    /// The room's code.
    pub fn code(&self) -> &RoomCode {
        &self.shared.code
    }

    /// The whole room as JSON, as it was last stored.
    pub fn room_json(&self) -> Bytes {
        self.shared.frames().room_json()
    }

    /// Waits a little for a version that a client has seen elsewhere: it must not be shown an older one.
    pub async fn caught_up(&self, version: u64) {
        let mut stored = self.shared.stored.subscribe();
        let seen = stored.wait_for(|stored| *stored >= version);
        drop(tokio::time::timeout(ELSEWHERE, seen).await);
    }

    /// Looks at the room. Short: nothing else can look or write meanwhile.
    pub fn read<T>(&self, look: impl FnOnce(&Room) -> T) -> T {
        look(&self.shared.room())
    }

    /// Whether its task has ended: ask the hub for the room again.
    pub fn is_over(&self) -> bool {
        self.jobs.is_closed()
    }

    /// Returns once its task has ended.
    pub async fn over(&self) {
        self.jobs.closed().await;
    }

    /// Lets someone in by the code.
    pub async fn join(&self, member: &MemberId, name: &str) -> Result<JoinOutcome, HubError> {
        self.ask(|reply| Job::Join { member: member.clone(), name: name.to_owned(), reply }).await?
    }

    /// Carries out a command and returns once it is stored.
    pub async fn perform(&self, member: &MemberId, command: Command) -> Result<u64, Failure> {
        let make =
            |reply| Job::Command { member: member.clone(), id: None, command, reply: Reply::Http(reply) };
        self.ask(make).await?
    }

    /// Forgets the person, as if they had never been here. A host goes with the room alone.
    pub async fn forget(&self, member: &MemberId) -> Result<(), HubError> {
        self.ask(|reply| Job::Forget { member: member.clone(), reply }).await?
    }

    /// The host has authorized Spotify (again).
    pub async fn host_connected(&self, account: &AccountId) -> Result<(), HubError> {
        self.ask(|reply| Job::HostConnected { account: account.clone(), reply }).await?
    }

    /// The host's authorization is gone.
    pub async fn host_silenced(&self) -> Result<(), HubError> {
        self.ask(|reply| Job::HostSilenced { reply }).await?
    }

    /// What the conductor reports, stored under its fence.
    pub async fn conduct(&self, event: ConductorEvent, fence: Fence) -> Result<Conducted, NotConducted> {
        self.ask(|reply| Job::Conduct { event, fence, reply }).await.map_err(NotConducted::Hub)?
    }

    /// Wakes whenever a version has been stored that a conductor goes by (`rooms::Proposal::stirs`).
    pub fn stirs(&self) -> watch::Receiver<()> {
        self.shared.stirred.subscribe()
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, HubError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(make(reply)).await.map_err(|_| HubError::Unavailable)?;
        answer.await.map_err(|_| HubError::Unavailable)
    }

    /// Takes a command from a live connection, which hears the answer. `false`: too much waits already.
    pub fn command(
        &self,
        from: &Arc<Connection>,
        member: &MemberId,
        id: CommandId,
        command: Command,
    ) -> bool {
        let reply = Reply::Live(Arc::clone(from), id.as_str().to_owned());
        let job = Job::Command { member: member.clone(), id: Some(id), command, reply };
        self.jobs.try_send(job).is_ok()
    }

    /// Seats a live connection: it is greeted, counts for its member's presence, and hears every version from now on.
    /// `false`, and nothing done, where the member has as many connections as a member may have.
    pub fn seat(
        &self,
        connection: &Arc<Connection>,
        member: &MemberId,
        hello: Bytes,
        since: Option<u64>,
    ) -> bool {
        let first = {
            let mut seats = self.shared.seats();
            let own = seats.entry(member.clone()).or_default();
            if own.len() >= CONNECTIONS_PER_MEMBER {
                return false;
            }
            own.push(Arc::clone(connection));
            own.len() == 1
        };
        self.shared.audience.insert(connection, hello, since);
        if first {
            self.post(Job::Arrived(member.clone()));
        }
        true
    }

    /// Whether the member may open another live connection.
    pub fn has_seat_for(&self, member: &MemberId) -> bool {
        self.shared.seats().get(member).is_none_or(|own| own.len() < CONNECTIONS_PER_MEMBER)
    }

    /// The connection has ended.
    pub fn unseat(&self, connection: &Arc<Connection>, member: &MemberId) {
        self.shared.audience.remove(connection);
        let last = {
            let mut seats = self.shared.seats();
            let Some(own) = seats.get_mut(member) else { return };
            own.retain(|seated| seated.id() != connection.id());
            let last = own.is_empty();
            if last {
                seats.remove(member);
            }
            last
        };
        if last {
            self.post(Job::Departed(member.clone()));
        }
    }

    /// How many live connections the room has here.
    pub fn listeners(&self) -> usize {
        self.shared.audience.len()
    }

    /// Hands over a job that must not be lost though nobody waits for its answer.
    fn post(&self, job: Job) {
        if let Err(TrySendError::Full(job)) = self.jobs.try_send(job) {
            let jobs = self.jobs.clone();
            tokio::spawn(async move {
                // A closed channel means that the task has ended, and with it what the job would have changed.
                let _ = jobs.send(job).await;
            });
        }
    }
}

/// The close code and words for a departure.
pub(super) const fn farewell(departure: Departure) -> (protocol::CloseCode, &'static str) {
    match departure {
        Departure::Left => (protocol::CloseCode::Left, "You have left."),
        Departure::Removed => (protocol::CloseCode::Removed, "You were removed from this room."),
        Departure::Forgotten => (protocol::CloseCode::NoSession, "This session has ended."),
    }
}
