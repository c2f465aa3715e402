//! Carrying out an order: written down, sent once, and its answer written down.

use std::time::Duration;

use rooms::{Act, Order, OrderId, OrderOutcome, Reason, Refusal, Trouble};
use spotify_api::{DeviceId, Error, ErrorKind, Forbidden, PlayRequest, Purpose, SpotifyUri, UriKind, What};

use super::watch::AWAIT_MS;
use super::{Conductor, SHOWN_WAIT_MS};
use crate::hub::{Conducted, ConductorEvent, NotConducted};
use crate::spotify::{NotCommanded, SpotifyFailure};

/// A Spotify that does not answer within this has not answered (contract, section 5).
const ANSWER: Duration = Duration::from_secs(10);
/// A skip must be answered before the track can end by itself: so much before, in milliseconds.
const BEFORE_END_MS: u64 = 500;
/// An order that was refused in passing (401, 429, no connection) is given up after so many tries.
const TRIES: u32 = 5;
/// After a command, what it did is looked at once, after so many milliseconds.
const SEE_EFFECT_MS: [u64; 1] = [700];
/// What plays, and where, after a transfer or a new start: it takes devices a moment, in milliseconds.
const SEE_START_MS: [u64; 3] = [250, 1_200, 3_000];

/// Play on, where it is.
const RESUME: PlayRequest = PlayRequest { device_id: None, what: What::Resume, position_ms: None };

impl Conductor<'_> {
    pub(super) async fn act(&mut self, id: OrderId) -> Result<(), NotConducted> {
        let Some(order) = self.room.read(|room| room.orders().find(|order| order.id == id).cloned()) else {
            return Ok(());
        };
        if self.report(ConductorEvent::Send(id)).await? != Conducted::MaySend(true) {
            return Ok(());
        }
        let outcome = match self.send(&order, None).await {
            Ok(()) => OrderOutcome::Done,
            Err(why) => self.outcome_of(&order, why).await,
        };
        tracing::info!(room = %self.room.code(), act = order.act.word(), outcome = outcome_word(&outcome), "conductor.acted");
        let labels = [("act", order.act.word()), ("outcome", outcome_word(&outcome))];
        metrics::counter!("parlor_orders_total", &labels).increment(1);
        let (lacked_premium, account) =
            self.room.read(|room| (room.playback().lacks_premium, room.account().clone()));
        if lacked_premium && outcome == OrderOutcome::Done {
            self.parts.spotify.note_premium(&account).await;
        }
        let now = self.parts.time.now();
        match (&outcome, &order.act) {
            (OrderOutcome::Done, act) if act.leaves_item() => {
                self.memory.left_at = now;
                self.memory.look_after(now, &AWAIT_MS);
            }
            (OrderOutcome::Done | OrderOutcome::Refused(_), Act::Transfer { .. } | Act::PlayNow { .. }) => {
                self.memory.look_after(now, &SEE_START_MS);
            }
            (OrderOutcome::Done | OrderOutcome::Refused(_), _) => self.memory.look_after(now, &SEE_EFFECT_MS),
            // What may have happened in spite of the refusal is looked at before it is asked again.
            (OrderOutcome::Again { .. } | OrderOutcome::Unknown | OrderOutcome::DidNothing, _) => {
                self.memory.must_look = true;
            }
        }
        self.report_until_stored(id, outcome).await?;
        match self.asked_to_wait.take() {
            Some(until) if until.since(now) >= SHOWN_WAIT_MS => {
                self.report(ConductorEvent::Trouble(Trouble::Busy { until })).await.map(drop)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The answer of a request that was sent must not be lost for a store that is away for a moment.
    async fn report_until_stored(&self, id: OrderId, outcome: OrderOutcome) -> Result<(), NotConducted> {
        loop {
            match self.report(ConductorEvent::Answered(id, outcome.clone())).await {
                Ok(_) => return Ok(()),
                Err(NotConducted::Hub(_)) if self.held.holds() && !self.room.is_over() => {
                    tokio::time::sleep(super::STORE_AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn send(&self, order: &Order, device: Option<DeviceId>) -> Result<(), NotCommanded> {
        let account = self.room.read(|room| room.account().clone());
        let act = order.act.clone();
        // Whoever conducts by then finds it sent, and looks.
        let in_time = || self.held.holds() && !self.time_for(&order.act).is_zero();
        let bad = || NotCommanded::NotAsked(SpotifyFailure::NotFound);
        let play = |what| PlayRequest { device_id: device.clone(), what, position_ms: None };
        let request = match &act {
            Act::Play => Some(play(What::Resume)),
            Act::PlayNow { uri } => Some(play(what_of(uri).ok_or_else(bad)?)),
            Act::SkipByVote { .. }
            | Act::Skip
            | Act::Previous
            | Act::Pause
            | Act::Seek { .. }
            | Act::SetVolume { .. }
            | Act::Transfer { .. } => None,
        };
        let target = if let Act::Transfer { device_id } = &act {
            Some(DeviceId::parse(device_id).map_err(|_| bad())?)
        } else {
            None
        };
        let sent = self.parts.spotify.command(&account, in_time, |client, token| {
            let timeout = self.time_for(&act);
            Box::pin(async move {
                match (act, request, target) {
                    (_, Some(request), _) => client.play(&token, &request, timeout).await,
                    (_, _, Some(device)) => client.transfer(&token, &device, true, timeout).await,
                    (Act::SkipByVote { .. } | Act::Skip, ..) => client.next(&token, None, timeout).await,
                    (Act::Previous, ..) => client.previous(&token, None, timeout).await,
                    (Act::Pause, ..) => client.pause(&token, None, timeout).await,
                    (Act::Seek { position_ms }, ..) => client.seek(&token, position_ms, None, timeout).await,
                    (Act::SetVolume { percent }, ..) => client.volume(&token, percent, None, timeout).await,
                    (Act::Play | Act::PlayNow { .. } | Act::Transfer { .. }, None, None) => {
                        client.play(&token, &RESUME, timeout).await
                    }
                }
            })
        });
        sent.await.map(drop)
    }

    /// How long the answer is waited for. A skip that is still under way when the track ends could hit the next one.
    fn time_for(&self, act: &Act) -> Duration {
        if !act.leaves_item() {
            return ANSWER;
        }
        let end = self.room.read(|room| room.playback().ends_at());
        let left = end.map(|end| end.minus_ms(BEFORE_END_MS).until(self.parts.time.now()));
        left.map_or(ANSWER, |left| left.min(ANSWER))
    }

    async fn outcome_of(&mut self, order: &Order, why: NotCommanded) -> OrderOutcome {
        let error = match why {
            NotCommanded::NotAsked(failure) => return self.not_asked(order, failure),
            NotCommanded::TooLate => return OrderOutcome::Again { not_before: self.parts.time.now() },
            NotCommanded::Failed(error) => error,
        };
        match error.kind {
            ErrorKind::Unauthorized => self.again(order, 0, Reason::NeedsHost),
            ErrorKind::NotSent => self.again(order, 1_000, Reason::SpotifyUnavailable),
            ErrorKind::Limited { retry_after_ms, .. } => {
                self.again(order, retry_after_ms, Reason::SpotifyBusy)
            }
            ErrorKind::NoDevice | ErrorKind::DeviceUnknown => self.without_device(order).await,
            ErrorKind::Forbidden(Forbidden::Restricted) if matches!(order.act, Act::Play | Act::Pause) => {
                self.already(order, words(Reason::Restricted)).await
            }
            ErrorKind::Unavailable { .. } | ErrorKind::NoAnswer | ErrorKind::Garbage
                if order.act.leaves_item() =>
            {
                OrderOutcome::Unknown
            }
            // It may have been done all the same.
            ErrorKind::Unavailable { .. } | ErrorKind::NoAnswer | ErrorKind::Garbage
                if matches!(order.act, Act::Play | Act::Pause) =>
            {
                self.already(order, refusal(&error)).await
            }
            ErrorKind::Forbidden(_)
            | ErrorKind::NotFound
            | ErrorKind::BadRequest
            | ErrorKind::Unavailable { .. }
            | ErrorKind::NoAnswer
            | ErrorKind::Garbage => OrderOutcome::Refused(refusal(&error)),
        }
    }

    fn not_asked(&mut self, order: &Order, failure: SpotifyFailure) -> OrderOutcome {
        match failure {
            SpotifyFailure::Busy { retry_ms } | SpotifyFailure::Scarce { retry_ms } => {
                self.again(order, retry_ms, Reason::SpotifyBusy)
            }
            SpotifyFailure::Store => self.again(order, 500, Reason::SpotifyUnavailable),
            SpotifyFailure::NeedsHost => {
                // The next look finds out and says so to everyone.
                self.memory.due.insert(0, self.parts.time.now());
                OrderOutcome::Refused(words(Reason::NeedsHost))
            }
            SpotifyFailure::Premium => OrderOutcome::Refused(words(Reason::PremiumRequired)),
            SpotifyFailure::NoDevice => OrderOutcome::Refused(words(Reason::NoDevice)),
            SpotifyFailure::Restricted => OrderOutcome::Refused(words(Reason::Restricted)),
            SpotifyFailure::NotFound => OrderOutcome::Refused(words(Reason::NotPlayable)),
            SpotifyFailure::Unavailable => OrderOutcome::Refused(words(Reason::SpotifyUnavailable)),
        }
    }

    /// Refused in a way that did nothing and passes: once more after the wait, unless it is too long or too often.
    fn again(&mut self, order: &Order, wait_ms: u64, reason: Reason) -> OrderOutcome {
        let tries = match self.tries {
            Some((id, tries)) if id == order.id => tries + 1,
            Some(_) | None => 1,
        };
        self.tries = Some((order.id, tries));
        // A vote that carried waits as long as its song plays; a button that somebody has pressed does not.
        let patient = matches!(order.act, Act::SkipByVote { .. });
        let twice_unauthorized = reason == Reason::NeedsHost && tries > 1;
        if twice_unauthorized || (!patient && (tries > TRIES || wait_ms > rooms::BUTTON_PATIENCE_MS)) {
            let refusal = words(reason);
            return OrderOutcome::Refused(if wait_ms > 0 { refusal.retry_after(wait_ms) } else { refusal });
        }
        if reason == Reason::SpotifyBusy {
            self.asked_to_wait = Some(self.parts.time.now().plus_ms(wait_ms));
        }
        let pause_ms = wait_ms.max(u64::from(tries.saturating_sub(1)) * 500);
        OrderOutcome::Again { not_before: self.parts.time.now().plus_ms(pause_ms) }
    }

    /// No device is active. Playing wakes one that is named (reference, section 9.9); nothing else does.
    async fn without_device(&mut self, order: &Order) -> OrderOutcome {
        let refused = OrderOutcome::Refused(words(Reason::NoDevice));
        self.memory.due.insert(0, self.parts.time.now());
        if !matches!(order.act, Act::Play | Act::PlayNow { .. }) {
            return refused;
        }
        let (account, known) = self.room.read(|room| {
            let known = room.playback().device.as_ref().and_then(|device| device.id.clone());
            (room.account().clone(), known)
        });
        let Ok(devices) = self.parts.spotify.devices(&account, Purpose::Act).await else { return refused };
        let usable = || devices.iter().filter(|device| !device.is_restricted);
        let device = usable()
            .find(|device| device.is_active || (device.id.is_some() && device.id == known))
            .or_else(|| usable().next())
            .and_then(|device| device.id.as_deref())
            .and_then(|id| DeviceId::parse(id).ok());
        let Some(device) = device else { return refused };
        match self.send(order, Some(device)).await {
            Ok(()) => OrderOutcome::Done,
            Err(NotCommanded::NotAsked(_) | NotCommanded::TooLate) => refused,
            Err(NotCommanded::Failed(error)) => OrderOutcome::Refused(refusal(&error)),
        }
    }

    /// Spotify refuses to pause what is paused and to play what plays (reference, section 9.13), and may do what it does
    /// not say that it did: what is as it was wanted is a success.
    async fn already(&mut self, order: &Order, refusal: Refusal) -> OrderOutcome {
        let wanted = order.act == Act::Play;
        // The room may have been wrong about it; a look that fails leaves the refusal standing.
        let seen = self.look(Purpose::Act, "whether it is so already").await;
        let is_so =
            matches!(seen, Ok(Some(_))) && self.room.read(|room| room.playback().is_playing == wanted);
        if is_so { OrderOutcome::Done } else { OrderOutcome::Refused(refusal) }
    }
}

fn what_of(uri: &str) -> Option<What> {
    let uri = SpotifyUri::parse(uri).ok()?;
    Some(if uri.kind() == UriKind::Track {
        What::Uris(vec![uri])
    } else {
        What::Context { uri, offset: None }
    })
}

fn refusal(error: &Error) -> Refusal {
    match error.kind {
        ErrorKind::Forbidden(Forbidden::PremiumRequired | Forbidden::OwnerPremium) => {
            words(Reason::PremiumRequired)
        }
        ErrorKind::Forbidden(_) => words(Reason::Restricted),
        ErrorKind::NoDevice | ErrorKind::DeviceUnknown => words(Reason::NoDevice),
        ErrorKind::NotFound | ErrorKind::BadRequest => words(Reason::NotPlayable),
        ErrorKind::Limited { retry_after_ms, .. } => words(Reason::SpotifyBusy).retry_after(retry_after_ms),
        ErrorKind::Unauthorized => words(Reason::NeedsHost),
        ErrorKind::Unavailable { .. } | ErrorKind::NoAnswer | ErrorKind::NotSent | ErrorKind::Garbage => {
            words(Reason::SpotifyUnavailable)
        }
    }
}

fn words(reason: Reason) -> Refusal {
    let message = match reason {
        Reason::NeedsHost => "The host must connect Spotify again.",
        Reason::NoDevice => "Open Spotify on the device that should play.",
        Reason::PremiumRequired => "Spotify takes this from Premium accounts alone.",
        Reason::Restricted => "What plays, or the device, does not allow that.",
        Reason::SpotifyBusy => "Spotify asks to wait.",
        Reason::NotPlayable => "Spotify cannot play that.",
        Reason::SpotifyUnavailable
        | Reason::NotAllowed
        | Reason::NotAdmitted
        | Reason::StaleEpoch
        | Reason::NothingPlaying
        | Reason::UnknownMember
        | Reason::BadCommand
        | Reason::TooFast
        | Reason::RoomClosed => "Spotify did not answer.",
    };
    Refusal::new(reason, message)
}

const fn outcome_word(outcome: &OrderOutcome) -> &'static str {
    match outcome {
        OrderOutcome::Done => "done",
        OrderOutcome::Refused(_) => "refused",
        OrderOutcome::Again { .. } => "again",
        OrderOutcome::Unknown => "unknown",
        OrderOutcome::DidNothing => "nothing",
    }
}
