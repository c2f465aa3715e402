//! One conductor per room, in whichever process holds its lease: looks at Spotify as seldom as it can, reports what it
//! sees, and carries out the room's wishes in order, each written down before it is sent.

mod act;
mod watch;

use std::time::Duration;

use kernel::{AccountId, Timestamp};
use rooms::{Observation, OrderOutcome, Sight, Trouble};
use spotify_api::{Purpose, Watch};

use tokio_util::sync::CancellationToken;

use crate::hub::{Conducted, ConductorEvent, NotConducted, RoomHandle};
use crate::lease::{Held, LeaseParts};
use crate::spotify::{Spotify, SpotifyFailure};
use crate::time::Time;
use crate::wire;
use watch::{Memory, Step};

/// How soon a report is made again that could not be stored.
const STORE_AGAIN: Duration = Duration::from_millis(500);
/// The first and the longest pause after looks that failed, in milliseconds.
const FAILED_MS: (u64, u64) = (1_000, 60_000);
/// Waits that are shown as "Spotify is busy": shorter ones are over before they are read, in milliseconds.
const SHOWN_WAIT_MS: u64 = 2_000;
/// A look that failed after this long counts twice, in milliseconds.
const LONG_MS: u64 = 5_000;
/// Where nothing is active, the devices are asked for at most this often, in milliseconds.
const DEVICES_EVERY_MS: u64 = 28_000;

/// What conductors work with.
#[derive(Clone)]
pub struct ConductorParts {
    /// Who conducts.
    pub leases: LeaseParts,
    /// The service's time.
    pub time: Time,
    /// Spotify.
    pub spotify: Spotify,
    /// How closely to watch.
    pub watch: Watch,
    /// The process stops.
    pub stop: CancellationToken,
}

/// Conducts the room until it goes to sleep here.
pub async fn conduct(parts: ConductorParts, room: RoomHandle) {
    tokio::select! {
        () = room.over() => {}
        () = conduct_forever(&parts, &room) => {}
    }
}

async fn conduct_forever(parts: &ConductorParts, room: &RoomHandle) {
    let mut stirs = room.stirs();
    loop {
        let name = format!("conduct/{}", room.code());
        let Ok(Some(held)) = Held::acquire(&parts.leases, name).await else {
            let pause = tokio::time::sleep(parts.leases.terms.again);
            if parts.stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            continue;
        };
        tracing::debug!(room = %room.code(), fence = held.fence.0, "conductor.begins");
        wake_host(parts, room).await;
        // What another conductor saw before is not known here.
        let memory = room.read(|room| Memory::taking_up(parts.watch, room, parts.time.now()));
        let mut conductor = Conductor {
            parts,
            room,
            held,
            memory,
            failures: 0,
            devices_at: None,
            tries: None,
            asked_to_wait: None,
        };
        match conductor.run().await {
            Stop::Closing => return conductor.held.release().await,
            Stop::Lost => {}
            Stop::AtRest => {
                stirs.mark_unchanged();
                let mut memory = conductor.memory;
                conductor.held.release().await;
                while !wakes(parts, room, &mut memory) {
                    if !matches!(parts.stop.run_until_cancelled(stirs.changed()).await, Some(Ok(()))) {
                        return;
                    }
                }
            }
        }
    }
}

/// A room may have fallen silent for a reason that is over although nobody has signed in: a process that had another key
/// could not open the host's tokens.
async fn wake_host(parts: &ConductorParts, room: &RoomHandle) {
    let (silent, account) =
        room.read(|room| (room.playback().state == rooms::PlaybackState::NeedsHost, room.account().clone()));
    if silent && parts.spotify.is_authorized(&account).await {
        // If it cannot be stored now, the next conductor tries again.
        let _ = room.host_connected(&account).await;
    }
}

/// Whether there is something to do again.
fn wakes(parts: &ConductorParts, room: &RoomHandle, memory: &mut Memory) -> bool {
    let now = parts.time.now();
    room.read(|room| {
        note_company(room, memory, now);
        watch::next(room, memory, now) != Step::Rest
    })
}

fn note_company(room: &rooms::Room, memory: &mut Memory, now: Timestamp) {
    match (room.online(), memory.lonely_since) {
        (0, None) => memory.lonely_since = Some(now),
        (0, Some(_)) => {}
        (_, _) => memory.lonely_since = None,
    }
}

/// Why a conductor stops.
enum Stop {
    /// The lease is gone.
    Lost,
    /// There is nothing to do until the room changes.
    AtRest,
    /// The process stops. What is under way is finished first.
    Closing,
}

/// A conductor with its lease.
struct Conductor<'a> {
    parts: &'a ConductorParts,
    room: &'a RoomHandle,
    held: Held,
    memory: Memory,
    failures: u32,
    devices_at: Option<(Timestamp, bool)>,
    /// How often the order was refused in a way that passes.
    tries: Option<(rooms::OrderId, u32)>,
    /// Until when Spotify wants to be left alone, where it said so in answer to a command.
    asked_to_wait: Option<Timestamp>,
}

impl Conductor<'_> {
    async fn run(&mut self) -> Stop {
        let mut stirs = self.room.stirs();
        loop {
            if !self.held.holds() {
                return Stop::Lost;
            }
            if self.parts.stop.is_cancelled() {
                return Stop::Closing;
            }
            stirs.mark_unchanged();
            let now = self.parts.time.now();
            let step = self.room.read(|room| {
                note_company(room, &mut self.memory, now);
                watch::next(room, &self.memory, now)
            });
            let went = match step {
                Step::Act(order) => self.act(order).await,
                Step::Doubt(order) => {
                    self.report(ConductorEvent::Answered(order, OrderOutcome::Unknown)).await.map(drop)
                }
                Step::GiveUp(order) => {
                    self.report(ConductorEvent::Answered(order, OrderOutcome::DidNothing)).await.map(drop)
                }
                Step::StopAwaiting => self.report(ConductorEvent::StopAwaiting).await.map(drop),
                Step::Look(purpose, why) => self.look(purpose, why).await.map(drop),
                Step::TakeTurn => self.take_turn().await,
                Step::Wait(at, why) => {
                    tracing::trace!(room = %self.room.code(), at = at.as_millis(), why, "conductor.waits");
                    let mut time = self.parts.time.clone();
                    tokio::select! {
                        () = time.until(at) => Ok(()),
                        _ = stirs.changed() => Ok(()),
                        () = self.held.lost() => Err(NotConducted::Fenced),
                        () = self.parts.stop.cancelled() => Ok(()),
                    }
                }
                Step::Rest => return Stop::AtRest,
            };
            match went {
                Ok(()) => {}
                Err(NotConducted::Fenced) => return Stop::Lost,
                Err(NotConducted::Hub(_)) => tokio::time::sleep(STORE_AGAIN).await,
            }
        }
    }

    /// Reports under this conductor's fence.
    async fn report(&self, event: ConductorEvent) -> Result<Conducted, NotConducted> {
        self.room.conduct(event, self.held.fence).await
    }

    /// Looks at the player and reports what it shows. `None`: it could not be seen.
    async fn look(&mut self, purpose: Purpose, why: &'static str) -> Result<Option<Sight>, NotConducted> {
        tracing::debug!(room = %self.room.code(), why, "conductor.looks");
        self.memory.turn = None;
        let (account, standing) =
            self.room.read(|room| (room.account().clone(), room.next_order().map(|order| order.id)));
        let asked_at = self.parts.time.now();
        self.memory.due.retain(|at| *at > asked_at);
        let seen = match self.parts.spotify.player(&account, purpose).await {
            Ok(seen) => seen,
            Err(failure) => {
                // Whoever has waited that long wants to read why.
                self.failures += u32::from(self.parts.time.now().since(asked_at) >= LONG_MS);
                return self.could_not_look(purpose, failure).await.map(|()| None);
            }
        };
        let at = seen.midpoint();
        let has_devices = match &seen.value {
            Some(_) => true,
            None => self.has_devices(&account, purpose, at).await,
        };
        self.failures = 0;
        self.memory.not_before = Timestamp::default();
        let answered_at = seen.answered_at;
        let player = seen.value.map(|state| wire::player_seen(state, at));
        let conducted =
            self.report(ConductorEvent::Observed(Observation { at, player, has_devices })).await?;
        let Conducted::Seen(sight) = conducted else { return Ok(None) };
        self.memory.looked_at = Some(answered_at);
        self.memory.looked_for = standing;
        match sight {
            Sight::Changed => {
                self.memory.same_since = answered_at;
                self.memory.due.clear();
                self.memory.must_look = false;
            }
            Sight::Same => self.memory.must_look = false,
            Sight::Echo if self.memory.due.is_empty() => {
                self.memory.look_after(answered_at, &[rooms::ECHO_MS]);
            }
            Sight::Echo => {}
        }
        Ok(Some(sight))
    }

    async fn has_devices(&mut self, account: &AccountId, purpose: Purpose, now: Timestamp) -> bool {
        if let Some((at, has)) = self.devices_at
            && now.since(at) < DEVICES_EVERY_MS
        {
            return has;
        }
        let Ok(devices) = self.parts.spotify.devices(account, purpose).await else { return false };
        let has = devices.iter().any(|device| !device.is_restricted);
        self.devices_at = Some((now, has));
        has
    }

    /// Learns when this room may look for what nobody has told of.
    async fn take_turn(&mut self) -> Result<(), NotConducted> {
        let account = self.room.read(|room| room.account().clone());
        match self.parts.spotify.turn(&account).await {
            Ok(turn) => self.memory.turn = Some(turn),
            Err(failure) => return self.could_not_look(Purpose::Watch, failure).await,
        }
        Ok(())
    }

    async fn could_not_look(
        &mut self,
        purpose: Purpose,
        failure: SpotifyFailure,
    ) -> Result<(), NotConducted> {
        let now = self.parts.time.now();
        let busy =
            |retry_ms| (retry_ms >= SHOWN_WAIT_MS).then(|| Trouble::Busy { until: now.plus_ms(retry_ms) });
        let (wait_ms, trouble) = match failure {
            SpotifyFailure::NeedsHost => (0, Some(Trouble::NeedsHost)),
            // Commands still go through, and what is only watched is not known to be shown wrong.
            SpotifyFailure::Scarce { retry_ms } if purpose != Purpose::Act => {
                self.memory.looks_rest_until = now.plus_ms(retry_ms.max(200));
                (0, if purpose == Purpose::Follow { busy(retry_ms) } else { None })
            }
            SpotifyFailure::Busy { retry_ms } | SpotifyFailure::Scarce { retry_ms } => {
                (retry_ms.max(200), busy(retry_ms))
            }
            SpotifyFailure::Store => (FAILED_MS.0, None),
            SpotifyFailure::Unavailable
            | SpotifyFailure::Premium
            | SpotifyFailure::NoDevice
            | SpotifyFailure::Restricted
            | SpotifyFailure::NotFound => {
                self.failures += 1;
                let wait = (FAILED_MS.0 << (self.failures - 1).min(6)).min(FAILED_MS.1);
                // One failure is a hiccup that nobody has to read about.
                (wait, (self.failures > 1).then_some(Trouble::Unavailable))
            }
        };
        self.memory.not_before = now.plus_ms(wait_ms);
        match trouble {
            Some(trouble) => self.report(ConductorEvent::Trouble(trouble)).await.map(drop),
            None => Ok(()),
        }
    }
}
