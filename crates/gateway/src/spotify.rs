//! Spotify on behalf of a host: with a token that can be sent, within the budget, and never while it asks to wait.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::{AccountId, Clock, Secret, Timestamp};
use spotify_api::model::{Device, Page, PlayerState, Playlist, SavedTrack};
use spotify_api::{
    App, Budget, CallPlan, Client, Error, ErrorKind, Forbidden, Group, LimitScope, Observed, Purpose,
};
use store::LimitStore;

use crate::tokens::{Bearer, NoToken, Tokens};

/// What Spotify is asked with.
#[derive(Clone)]
pub struct SpotifyParts {
    /// The client.
    pub client: Client,
    /// The operator's app.
    pub app: Option<App>,
    /// What may be asked.
    pub calls: CallPlan,
    /// The hosts' tokens.
    pub tokens: Tokens,
    /// Where pauses are kept, over restarts and for all processes.
    pub limits: Arc<dyn LimitStore>,
    /// Whether other processes ask for the same apps: then calls are counted, and pauses heeded, together.
    pub shared: bool,
    /// The service's time.
    pub clock: Arc<dyn Clock>,
}

/// Spotify. Cheap to clone.
#[derive(Clone)]
pub struct Spotify(Arc<Inner>);

struct Inner {
    parts: SpotifyParts,
    /// One per app: Spotify counts by client id.
    budgets: Mutex<BTreeMap<String, Budget>>,
}

/// Why Spotify could not be asked, or said no, by what the caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpotifyFailure {
    /// The host must sign in again.
    NeedsHost,
    /// Spotify asks to wait.
    Busy {
        /// So many milliseconds.
        retry_ms: u64,
    },
    /// The app has no call left for this purpose.
    Scarce {
        /// For so many milliseconds.
        retry_ms: u64,
    },
    /// Spotify does not answer, or not so that it can be understood.
    Unavailable,
    /// The account has no Premium.
    Premium,
    /// No device is there.
    NoDevice,
    /// The device, or what plays, does not allow it.
    Restricted,
    /// There is no such thing.
    NotFound,
    /// The store cannot be reached.
    Store,
}

/// A player command that did not succeed.
#[derive(Clone, Debug)]
pub enum NotCommanded {
    /// It was not asked.
    NotAsked(SpotifyFailure),
    /// It was not asked, because its time was over when it could have been.
    TooLate,
    /// It was asked, and this came back. A 401 has had its token replaced already.
    Failed(Error),
}

impl std::fmt::Debug for Spotify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spotify")
    }
}

type Asked<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

impl Spotify {
    /// Asks with these parts.
    pub fn new(parts: SpotifyParts) -> Self {
        Self(Arc::new(Inner { parts, budgets: Mutex::default() }))
    }

    /// The client, for sign-in.
    pub fn client(&self) -> &Client {
        &self.0.parts.client
    }

    /// The app of that client id: the operator's with its secret, any other by PKCE alone.
    pub fn app(&self, client_id: &str) -> App {
        match &self.0.parts.app {
            Some(app) if app.client_id == client_id => app.clone(),
            Some(_) | None => App { client_id: client_id.to_owned(), client_secret: None },
        }
    }

    /// Something has worked that only Premium accounts may do.
    pub async fn note_premium(&self, account: &AccountId) {
        self.0.parts.tokens.note_premium(account, true).await;
    }

    /// Whether there are tokens of the account that can be used.
    pub async fn is_authorized(&self, account: &AccountId) -> bool {
        self.bearer(account).await.is_ok()
    }

    /// What plays.
    pub async fn player(
        &self,
        account: &AccountId,
        purpose: Purpose,
    ) -> Result<Observed<Option<PlayerState>>, SpotifyFailure> {
        self.read(account, Group::Player, purpose, |client, token| {
            Box::pin(async move { client.player(&token).await })
        })
        .await
    }

    /// The devices that Spotify knows to be on.
    pub async fn devices(
        &self,
        account: &AccountId,
        purpose: Purpose,
    ) -> Result<Vec<Device>, SpotifyFailure> {
        let asked = |client: Client, token: Secret<String>| -> Asked<Vec<Device>> {
            Box::pin(async move { client.devices(&token).await.map(|seen| seen.value) })
        };
        self.read(account, Group::Player, purpose, asked).await
    }

    /// When a look that nobody waits for may be made: everyone who asks gets a turn of their own.
    pub async fn turn(&self, account: &AccountId) -> Result<Timestamp, SpotifyFailure> {
        let (bearer, now) = (self.bearer(account).await?, self.0.parts.clock.now());
        Ok(self.budgets().get_mut(&bearer.client_id).map_or(now, |budget| budget.turn(now)))
    }

    /// A page of the saved tracks.
    pub async fn me_tracks(
        &self,
        account: &AccountId,
        limit: u32,
        offset: u64,
    ) -> Result<Page<SavedTrack>, SpotifyFailure> {
        self.read(account, Group::Me, Purpose::Act, move |client, token| {
            Box::pin(async move { client.me_tracks(&token, limit, offset).await })
        })
        .await
    }

    /// A page of the playlists.
    pub async fn me_playlists(
        &self,
        account: &AccountId,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Playlist>, SpotifyFailure> {
        self.read(account, Group::Playlist, Purpose::Act, move |client, token| {
            Box::pin(async move { client.me_playlists(&token, limit, offset).await })
        })
        .await
    }

    /// Gives a player command, once, if it is still in time when the token and the budget are there: both may have
    /// waited for the store. Its answer is never waited for in vain: `ask` has its own time limit.
    pub async fn command(
        &self,
        account: &AccountId,
        in_time: impl Fn() -> bool + Send,
        ask: impl FnOnce(Client, Secret<String>) -> Asked<Observed<()>> + Send,
    ) -> Result<Observed<()>, NotCommanded> {
        let bearer = self.bearer(account).await.map_err(NotCommanded::NotAsked)?;
        self.take(&bearer.client_id, Group::Player, Purpose::Act).await.map_err(NotCommanded::NotAsked)?;
        if !in_time() {
            return Err(NotCommanded::TooLate);
        }
        match ask(self.0.parts.client.clone(), bearer.token.clone()).await {
            Ok(done) => Ok(done),
            Err(error) => {
                self.note(&bearer.client_id, account, &error).await;
                if error.kind == ErrorKind::Unauthorized {
                    self.replace(account, &bearer).await.map_err(NotCommanded::NotAsked)?;
                }
                Err(NotCommanded::Failed(error))
            }
        }
    }

    async fn read<T>(
        &self,
        account: &AccountId,
        group: Group,
        purpose: Purpose,
        ask: impl Fn(Client, Secret<String>) -> Asked<T> + Send,
    ) -> Result<T, SpotifyFailure> {
        let mut bearer = self.bearer(account).await?;
        let mut fresh = false;
        loop {
            self.take(&bearer.client_id, group, purpose).await?;
            let error = match ask(self.0.parts.client.clone(), bearer.token.clone()).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            self.note(&bearer.client_id, account, &error).await;
            if error.kind == ErrorKind::Unauthorized && !fresh {
                bearer = self.replace(account, &bearer).await?;
                fresh = true;
                continue;
            }
            return Err(failure(&error));
        }
    }

    async fn bearer(&self, account: &AccountId) -> Result<Bearer, SpotifyFailure> {
        self.0.parts.tokens.bearer(account).await.map_err(no_token)
    }

    async fn replace(&self, account: &AccountId, bearer: &Bearer) -> Result<Bearer, SpotifyFailure> {
        self.0.parts.tokens.refused(account, bearer).await.map_err(no_token)
    }

    /// Counts the call, unless it must wait.
    async fn take(&self, app: &str, group: Group, purpose: Purpose) -> Result<(), SpotifyFailure> {
        let now = self.0.parts.clock.now();
        let known = self.budgets().contains_key(app);
        if !known || self.0.parts.shared {
            self.heed_pauses(app, now).await?;
        }
        let taken = self.budgets().get_mut(app).map_or(Ok(()), |budget| {
            let closed = budget.parked(group, now).is_some();
            budget.take(now, group, purpose).map_err(|retry_ms| {
                if closed { SpotifyFailure::Busy { retry_ms } } else { SpotifyFailure::Scarce { retry_ms } }
            })
        });
        let taken = match taken {
            Ok(()) if self.0.parts.shared => self.count_together(app, group, purpose, now).await,
            taken => taken,
        };
        match taken {
            Ok(()) => metrics::counter!("parlor_spotify_calls_total", "group" => group.name()).increment(1),
            Err(SpotifyFailure::Scarce { .. }) => {
                metrics::counter!("parlor_spotify_spared_total", "group" => group.name()).increment(1);
            }
            Err(_) => {}
        }
        taken
    }

    /// Learns which groups are closed, by this process before a restart or by another one.
    async fn heed_pauses(&self, app: &str, now: Timestamp) -> Result<(), SpotifyFailure> {
        let prefix = pause_name(app, "");
        let pauses = self.0.parts.limits.pauses(&prefix, now).await.map_err(|_| SpotifyFailure::Store)?;
        let mut budgets = self.budgets();
        let budget = budgets.entry(app.to_owned()).or_insert_with(|| Budget::new(&self.0.parts.calls));
        for (name, until) in pauses {
            match name.strip_prefix(&prefix).and_then(Group::parse) {
                Some(group) => budget.park(group, until),
                None => budget.park_all(until),
            }
        }
        Ok(())
    }

    /// The plan's figures are the app's, however many processes ask. Windows follow one another here; within this
    /// process they also slide.
    async fn count_together(
        &self,
        app: &str,
        group: Group,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<(), SpotifyFailure> {
        let caps = self.budgets().get(app).map(|budget| budget.caps(group)).unwrap_or_default();
        let limits = &self.0.parts.limits;
        for (name, calls, window_ms) in caps {
            let name = format!("calls/{app}/{name}/{window_ms}");
            if purpose != Purpose::Act {
                // What is kept for commands must not be counted away by those who may not have it.
                let count = limits.limit_peek(&name, now).await.map_err(|_| SpotifyFailure::Store)?;
                if count >= u64::from(purpose.share(calls)) {
                    return Err(SpotifyFailure::Scarce { retry_ms: window_ms / 4 });
                }
            }
            let counted = limits.limit_count(&name, window_ms, now).await;
            let (count, until) = counted.map_err(|_| SpotifyFailure::Store)?;
            if count > u64::from(calls) {
                return Err(SpotifyFailure::Scarce { retry_ms: until.since(now).max(1) });
            }
        }
        Ok(())
    }

    /// Learns from a refusal: who asks to wait is left alone, by every process and over restarts.
    async fn note(&self, app: &str, account: &AccountId, error: &Error) {
        metrics::counter!("parlor_spotify_failures_total", "call" => error.call()).increment(1);
        match error.kind {
            ErrorKind::Limited { scope, retry_after_ms, group } => {
                let now = self.0.parts.clock.now();
                let until = now.plus_ms(retry_after_ms);
                let name = match scope {
                    LimitScope::Rate => "all",
                    LimitScope::Quota => group.name(),
                };
                if let Some(budget) = self.budgets().get_mut(app) {
                    match scope {
                        LimitScope::Rate => budget.park_all(until),
                        LimitScope::Quota => budget.quota_used_up(now, group, until),
                    }
                }
                tracing::warn!(group = name, retry_after_ms, "spotify.limited");
                if let Err(error) = self.0.parts.limits.pause_put(&pause_name(app, name), until).await {
                    tracing::error!(error = &error as &dyn std::error::Error, "spotify.pause not stored");
                }
            }
            ErrorKind::Forbidden(Forbidden::PremiumRequired) => {
                self.0.parts.tokens.note_premium(account, false).await;
            }
            ErrorKind::Forbidden(_)
            | ErrorKind::Unauthorized
            | ErrorKind::NoDevice
            | ErrorKind::DeviceUnknown
            | ErrorKind::NotFound
            | ErrorKind::BadRequest
            | ErrorKind::Unavailable { .. }
            | ErrorKind::NoAnswer
            | ErrorKind::NotSent
            | ErrorKind::Garbage => {}
        }
    }

    fn budgets(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Budget>> {
        self.0.budgets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause_name(app: &str, group: &str) -> String {
    format!("spotify/{app}/{group}")
}

const fn no_token(why: NoToken) -> SpotifyFailure {
    match why {
        NoToken::NeedsHost => SpotifyFailure::NeedsHost,
        NoToken::Later(retry_ms) => SpotifyFailure::Busy { retry_ms },
        NoToken::Store => SpotifyFailure::Store,
    }
}

/// What the caller can do about an error.
pub const fn failure(error: &Error) -> SpotifyFailure {
    match error.kind {
        // A token that was refused though it had just been renewed, or an app that may not ask for this account.
        ErrorKind::Unauthorized | ErrorKind::Forbidden(Forbidden::Scope | Forbidden::NotAllowlisted) => {
            SpotifyFailure::NeedsHost
        }
        ErrorKind::Limited { retry_after_ms, .. } => SpotifyFailure::Busy { retry_ms: retry_after_ms },
        ErrorKind::Forbidden(Forbidden::PremiumRequired | Forbidden::OwnerPremium) => SpotifyFailure::Premium,
        ErrorKind::Forbidden(
            Forbidden::Restricted
            | Forbidden::VolumeDisallowed
            | Forbidden::EndpointRemoved
            | Forbidden::Other,
        ) => SpotifyFailure::Restricted,
        ErrorKind::NoDevice | ErrorKind::DeviceUnknown => SpotifyFailure::NoDevice,
        ErrorKind::NotFound | ErrorKind::BadRequest => SpotifyFailure::NotFound,
        ErrorKind::Unavailable { .. } | ErrorKind::NoAnswer | ErrorKind::NotSent | ErrorKind::Garbage => {
            SpotifyFailure::Unavailable
        }
    }
}
