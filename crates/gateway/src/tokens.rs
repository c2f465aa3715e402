//! The hosts' tokens: opened when needed, refreshed once per expiry, stored before they are used.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use auth::{
    Answer, Grant, GrantError, LoginReason, RefreshOutcome, TokenSet, Vault, VaultError, Verdict,
    after_refresh,
};
use dashmap::DashMap;
use kernel::{AccountId, Clock, Entropy, RoomCode, Secret, Timestamp};
use spotify_api::{AccountsError, App, Client};
use store::{AccountStore, GrantRow, LimitStore, Store, StoreError};
use tokio::sync::Mutex;

use crate::lease::{self, LeaseParts};

/// Tokens are refreshed up to this much earlier than due, so that many hosts who came together do not refresh together,
/// in milliseconds.
const JITTER_MS: u32 = 120_000;

/// How long a process waits for one that refreshes the same account, and how often it looks.
const TURN: Duration = Duration::from_millis(250);
const TURNS: u32 = 60;

/// What tokens are kept with.
#[derive(Clone)]
pub struct TokenParts {
    /// Where grants are stored.
    pub accounts: Arc<dyn AccountStore>,
    /// What opens them.
    pub vault: Vault,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The service's time.
    pub clock: Arc<dyn Clock>,
    /// Spotify.
    pub client: Client,
    /// The operator's app.
    pub app: Option<App>,
    /// Whose turn it is to refresh, among all processes.
    pub leases: LeaseParts,
    /// Where it is kept that the accounts service asks to wait.
    pub limits: Arc<dyn LimitStore>,
}

/// The hosts' tokens. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    parts: TokenParts,
    /// One lock per account: whoever holds it refreshes, the others wait and find the result.
    slots: DashMap<AccountId, Arc<Mutex<Slot>>>,
}

#[derive(Default)]
struct Slot {
    held: Option<Held>,
    /// After a failed refresh: not before.
    not_before: Timestamp,
    failures: u32,
}

#[derive(Clone)]
struct Held {
    generation: u64,
    grant: Grant,
    tokens: TokenSet,
    jitter_ms: u64,
}

/// An access token, and the generation of the set that it is of.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The token.
    pub token: Secret<String>,
    /// Its set's generation.
    pub generation: u64,
    /// The Spotify app that it was given to.
    pub client_id: String,
}

/// How many hosts' stored authorizations a vault opens, and how many it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCheck {
    /// These work on.
    pub opened: usize,
    /// These hosts have to sign in again.
    pub closed: usize,
}

/// Tries the vault on what is stored of everyone who hosts a room. Changes nothing.
pub async fn check_key(store: &Store, vault: &Vault) -> Result<KeyCheck, StoreError> {
    const PAGE: u32 = 200;
    let (mut hosts, mut after) = (BTreeSet::new(), None::<RoomCode>);
    loop {
        let page = store.rooms.rooms_after(after.as_ref(), PAGE).await?;
        for code in &page {
            let Some(stored) = store.rooms.room_load(code).await? else { continue };
            // A damaged room has no host; that is said where it is opened.
            let room = rooms::Room::restore(stored.version, &stored.records, Timestamp::default());
            hosts.extend(room.map(|room| room.account().clone()));
        }
        after = page.last().cloned();
        if page.len() < PAGE as usize {
            break;
        }
    }
    let mut found = KeyCheck::default();
    for account in hosts {
        let row = store.accounts.grant_get(&account).await?;
        match row.and_then(|row| Grant::from_bytes(&row.data)).map(|grant| grant.tokens(vault, &account)) {
            Some(Ok(_)) => found.opened += 1,
            Some(Err(GrantError::Unreadable(_))) => found.closed += 1,
            // Whoever is not connected has to sign in with any key.
            Some(Err(GrantError::NeedsLogin)) | None => {}
        }
    }
    Ok(found)
}

/// Why there is no access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoToken {
    /// The host must sign in again.
    NeedsHost,
    /// The accounts service does not give one now; ask again after that many milliseconds.
    Later(u64),
    /// The store cannot be reached.
    Store,
}

impl From<StoreError> for NoToken {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "tokens.store failed");
        Self::Store
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("accounts", &self.0.slots.len()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Keeps tokens with these parts.
    pub fn new(parts: TokenParts) -> Self {
        Self(Arc::new(Inner { parts, slots: DashMap::new() }))
    }

    /// Drops what is held of the account, after its grant was deleted or replaced.
    pub fn forget(&self, account: &AccountId) {
        self.0.slots.remove(account);
    }

    /// An access token of the account that can be sent.
    pub async fn bearer(&self, account: &AccountId) -> Result<Bearer, NoToken> {
        let slot = self.slot(account);
        {
            let slot = slot.lock().await;
            let now = self.0.parts.clock.now();
            if let Some(held) = slot.held.as_ref().filter(|held| !held.tokens.due(now, held.jitter_ms)) {
                return Ok(held.bearer());
            }
        }
        self.renew(account, slot, None).await
    }

    /// Spotify has refused that token: another one, unless a newer one is there already.
    pub async fn refused(&self, account: &AccountId, bearer: &Bearer) -> Result<Bearer, NoToken> {
        self.renew(account, self.slot(account), Some(bearer.generation)).await
    }

    /// Takes down whether the account has Premium, as Spotify's answers tell it.
    pub async fn note_premium(&self, account: &AccountId, premium: bool) {
        let accounts = &self.0.parts.accounts;
        let Ok(Some(row)) = accounts.grant_get(account).await else { return };
        let Some(mut grant) = Grant::from_bytes(&row.data) else { return };
        if grant.premium != Some(premium) {
            grant.premium = Some(premium);
            let next = GrantRow { data: grant.to_bytes(), ..row.clone() };
            // Whoever came first has stored something newer; this is told again with the next refusal.
            let _ = accounts.grant_update(row.generation, next).await;
        }
    }

    fn slot(&self, account: &AccountId) -> Arc<Mutex<Slot>> {
        Arc::clone(self.0.slots.entry(account.clone()).or_default().value())
    }

    /// In a task of its own: a caller that gives up must not cut a refresh short, whose answer may hold the only good
    /// refresh token.
    async fn renew(
        &self,
        account: &AccountId,
        slot: Arc<Mutex<Slot>>,
        refused: Option<u64>,
    ) -> Result<Bearer, NoToken> {
        let (inner, account) = (Arc::clone(&self.0), account.clone());
        let task = tokio::spawn(async move { inner.renew(&account, &mut *slot.lock().await, refused).await });
        task.await.unwrap_or(Err(NoToken::Later(1_000)))
    }
}

/// Who refreshes.
enum Turn {
    /// This process, while it has the lease.
    Ours(lease::Held, Held),
    /// Another one did.
    Theirs(Held),
}

impl Held {
    fn bearer(&self) -> Bearer {
        Bearer {
            token: self.tokens.access.clone(),
            generation: self.generation,
            client_id: self.tokens.client_id.clone(),
        }
    }
}

impl Inner {
    async fn renew(
        &self,
        account: &AccountId,
        slot: &mut Slot,
        refused: Option<u64>,
    ) -> Result<Bearer, NoToken> {
        let parts = &self.parts;
        let held = match self.load(account).await {
            Ok(held) => held,
            Err(error) => {
                slot.held = None;
                return Err(error);
            }
        };
        let now = parts.clock.now();
        slot.held = Some(held.clone());
        let good = refused.is_none_or(|generation| held.generation > generation);
        if good && !held.tokens.due(now, held.jitter_ms) {
            return Ok(held.bearer());
        }
        if now < slot.not_before {
            let serves = good && held.tokens.usable(now);
            return if serves { Ok(held.bearer()) } else { Err(NoToken::Later(slot.not_before.since(now))) };
        }
        let held = match self.turn(account, held).await? {
            Turn::Ours(lease, held) => {
                let renewed = self.refresh(account, slot, held, good).await;
                lease.release().await;
                return renewed;
            }
            Turn::Theirs(held) => held,
        };
        slot.held = Some(held.clone());
        Ok(held.bearer())
    }

    /// Waits until no other process refreshes the account. Spotify may give each refresh token once: two who use the
    /// same one would lock the host out.
    async fn turn(&self, account: &AccountId, held: Held) -> Result<Turn, NoToken> {
        for _ in 0..TURNS {
            let lease = lease::Held::acquire(&self.parts.leases, format!("refresh/{account}")).await?;
            let now_held = self.load(account).await?;
            match lease {
                Some(lease) if now_held.generation == held.generation => return Ok(Turn::Ours(lease, held)),
                Some(lease) => {
                    lease.release().await;
                    return Ok(Turn::Theirs(now_held));
                }
                None if now_held.generation > held.generation => return Ok(Turn::Theirs(now_held)),
                None => tokio::time::sleep(TURN).await,
            }
        }
        Err(NoToken::Later(1_000))
    }

    async fn refresh(
        &self,
        account: &AccountId,
        slot: &mut Slot,
        held: Held,
        good: bool,
    ) -> Result<Bearer, NoToken> {
        let parts = &self.parts;
        let pause = format!("accounts/{}", held.tokens.client_id);
        let now = parts.clock.now();
        let outcome = match parts.limits.pauses(&pause, now).await?.iter().map(|(_, until)| *until).max() {
            Some(until) => RefreshOutcome::Wait { retry_after_ms: until.since(now) },
            None => self.ask(&held).await,
        };
        let now = parts.clock.now();
        if let RefreshOutcome::Wait { retry_after_ms } = outcome {
            // Every process leaves it alone; where this cannot be stored, at least this one does.
            let _ = parts.limits.pause_put(&pause, now.plus_ms(retry_after_ms)).await;
        }
        match after_refresh(&held.grant, &held.tokens, outcome, slot.failures, now) {
            Verdict::Renewed(tokens) => self.store_renewed(account, slot, held, tokens).await,
            Verdict::NeedsLogin(grant) => {
                slot.held = None;
                let row = GrantRow {
                    account: account.clone(),
                    generation: held.generation,
                    data: grant.to_bytes(),
                };
                parts.accounts.grant_update(held.generation, row).await?;
                tracing::warn!("tokens.refresh refused: the host must sign in again");
                Err(NoToken::NeedsHost)
            }
            Verdict::TryAgain { not_before } | Verdict::AppRefused { not_before } => {
                slot.failures += 1;
                slot.not_before = not_before;
                let serves = good && held.tokens.usable(now);
                if serves { Ok(held.bearer()) } else { Err(NoToken::Later(not_before.since(now))) }
            }
        }
    }

    async fn store_renewed(
        &self,
        account: &AccountId,
        slot: &mut Slot,
        held: Held,
        tokens: TokenSet,
    ) -> Result<Bearer, NoToken> {
        let parts = &self.parts;
        let generation = held.generation + 1;
        let mut grant = held.grant;
        grant.renew(&tokens, &parts.vault, &*parts.entropy, account, generation);
        let row = GrantRow { account: account.clone(), generation, data: grant.to_bytes() };
        // An answer in hand may hold the only good refresh token: it is offered until the store has said yes or no.
        let mut stored = parts.accounts.grant_update(held.generation, row.clone()).await;
        for wait_ms in [50, 200, 1_000, 3_000] {
            if stored.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            stored = parts.accounts.grant_update(held.generation, row.clone()).await;
        }
        if stored? {
            slot.failures = 0;
            slot.not_before = Timestamp::default();
            let held = Held { generation, grant, tokens, jitter_ms: held.jitter_ms };
            let bearer = held.bearer();
            slot.held = Some(held);
            return Ok(bearer);
        }
        // Deleted, connected anew, or an earlier try of ours was stored after all.
        let held = self.load(account).await?;
        let bearer = held.bearer();
        slot.held = Some(held);
        Ok(bearer)
    }

    async fn load(&self, account: &AccountId) -> Result<Held, NoToken> {
        let parts = &self.parts;
        let row = parts.accounts.grant_get(account).await?.ok_or(NoToken::NeedsHost)?;
        let mut grant = Grant::from_bytes(&row.data).ok_or(NoToken::NeedsHost)?;
        match grant.tokens(&parts.vault, account) {
            Ok((tokens, _)) => {
                let jitter_ms = u64::from(parts.entropy.below(JITTER_MS));
                Ok(Held { generation: row.generation, grant, tokens, jitter_ms })
            }
            Err(GrantError::NeedsLogin) => {
                if grant.forget_refused(parts.clock.now()) {
                    let next = GrantRow { data: grant.to_bytes(), ..row.clone() };
                    parts.accounts.grant_update(row.generation, next).await?;
                }
                Err(NoToken::NeedsHost)
            }
            Err(error @ GrantError::Unreadable(VaultError::UnknownKey)) => {
                // Another process may have the key, or this one with its next start: nothing is lost by it.
                tracing::error!(%account, error = &error as &dyn std::error::Error, "tokens.open failed");
                Err(NoToken::NeedsHost)
            }
            Err(error @ GrantError::Unreadable(VaultError::Malformed | VaultError::Altered)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "tokens.open failed");
                grant.stop(LoginReason::Unreadable, parts.clock.now());
                let next = GrantRow { data: grant.to_bytes(), ..row.clone() };
                parts.accounts.grant_update(row.generation, next).await?;
                Err(NoToken::NeedsHost)
            }
        }
    }

    async fn ask(&self, held: &Held) -> RefreshOutcome {
        let Some(refresh) = &held.tokens.refresh else { return RefreshOutcome::Refused };
        let app = match &self.parts.app {
            Some(app) if app.client_id == held.tokens.client_id => app.clone(),
            Some(_) | None => App { client_id: held.tokens.client_id.clone(), client_secret: None },
        };
        match self.parts.client.refresh(&app, refresh).await {
            Ok(answer) => RefreshOutcome::Answered(Answer {
                access: answer.access,
                refresh: answer.refresh,
                expires_in_ms: answer.expires_in_ms,
                scopes: answer.scopes,
            }),
            Err(AccountsError::NeedsLogin { .. }) => RefreshOutcome::Refused,
            Err(AccountsError::BadApp { .. }) => RefreshOutcome::AppRefused,
            Err(AccountsError::Wait { retry_after_ms }) => RefreshOutcome::Wait { retry_after_ms },
            Err(AccountsError::Unavailable) => RefreshOutcome::Unavailable,
        }
    }
}
