//! What is stored about a Spotify account, and what the answer to a refresh makes of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use kernel::{AccountId, Entropy, Timestamp};
use serde::{Deserialize, Serialize};

use crate::tokens::{Answer, TokenSet, authorization_end};
use crate::vault::{Vault, VaultError};

/// Refused tokens are kept sealed for a day: an outage at Spotify has answered "revoked" before, and what was deleted
/// by it could not be brought back (ListenBrainz, 2021).
pub const AFTER_REFUSAL_KEPT_MS: u64 = 24 * 60 * 60 * 1000;

/// The wait after the first refresh that failed retryably; it doubles with each.
const FIRST_WAIT_MS: u64 = 1_000;
const LONGEST_WAIT_MS: u64 = 60_000;
/// A refused app is looked at again this much later: only a person can mend it.
const APP_WAIT_MS: u64 = 5 * 60_000;

/// The account as Spotify describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Spotify's user `id`. Accounts are told apart by [`AccountId`], not by this.
    pub spotify_id: String,
    /// The name that the user chose at Spotify.
    pub display_name: Option<String>,
    /// A picture.
    pub image_url: Option<String>,
}

/// Why a host has to sign in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginReason {
    /// Spotify refused the refresh token: revoked by the user, or the six months are over.
    Refused,
    /// Spotify refused a token that it had just given.
    RefusedFresh,
    /// There is no refresh token.
    NoRefreshToken,
    /// The sealed tokens do not open: another key, or an altered record.
    Unreadable,
}

/// Whether the tokens of a grant may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum GrantStatus {
    /// They may.
    Live,
    /// They may not: only a new sign-in helps.
    NeedsLogin {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: LoginReason,
    },
}

/// What is stated in clear beside the sealed tokens, and the tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The account as Spotify describes it.
    pub profile: Profile,
    /// When the account was connected here.
    pub connected_at: Timestamp,
    /// When the user last consented; see [`Grant::authorization_ends_at`].
    pub authorized_at: Timestamp,
    /// The app that it was authorized for.
    pub client_id: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// Whether the account has Premium, once Spotify's answers told (the profile does not).
    pub premium: Option<bool>,
    /// Whether the tokens may be used.
    pub status: GrantStatus,
    sealed: Option<Sealed>,
}

/// The generation is part of what the tokens are sealed for. It is kept here, because the store may give the row a
/// greater one than its writer expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sealed {
    generation: u64,
    bytes: String,
}

/// Why a grant's tokens cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The host has to sign in first.
    #[error("the host has to sign in again")]
    NeedsLogin,
    /// The tokens do not open: mark the grant ([`LoginReason::Unreadable`]) and raise the alarm.
    #[error("the sealed tokens do not open")]
    Unreadable(#[source] VaultError),
}

impl Grant {
    /// The grant of a fresh sign-in, sealed for `account` in that generation.
    pub fn connect(
        profile: Profile,
        tokens: &TokenSet,
        vault: &Vault,
        entropy: &dyn Entropy,
        account: &AccountId,
        generation: u64,
    ) -> Self {
        let mut grant = Self {
            profile,
            connected_at: tokens.authorized_at,
            authorized_at: tokens.authorized_at,
            client_id: String::new(),
            scopes: Vec::new(),
            premium: None,
            status: GrantStatus::Live,
            sealed: None,
        };
        grant.renew(tokens, vault, entropy, account, generation);
        grant
    }

    /// Puts new tokens in, sealed for `account` in that generation. It is live again by it.
    pub fn renew(
        &mut self,
        tokens: &TokenSet,
        vault: &Vault,
        entropy: &dyn Entropy,
        account: &AccountId,
        generation: u64,
    ) {
        let bytes = STANDARD_NO_PAD.encode(tokens.seal(vault, entropy, account, generation));
        self.sealed = Some(Sealed { generation, bytes });
        self.status = GrantStatus::Live;
        self.authorized_at = tokens.authorized_at;
        self.client_id.clone_from(&tokens.client_id);
        self.scopes.clone_from(&tokens.scopes);
    }

    /// The tokens, where they may be used; `true` beside them where an older key sealed them.
    pub fn tokens(&self, vault: &Vault, account: &AccountId) -> Result<(TokenSet, bool), GrantError> {
        let (GrantStatus::Live, Some(sealed)) = (&self.status, &self.sealed) else {
            return Err(GrantError::NeedsLogin);
        };
        let bytes = STANDARD_NO_PAD
            .decode(&sealed.bytes)
            .map_err(|_| GrantError::Unreadable(VaultError::Malformed))?;
        TokenSet::open(vault, account, sealed.generation, &bytes).map_err(GrantError::Unreadable)
    }

    /// Whether the tokens may be used.
    pub const fn live(&self) -> bool {
        matches!(self.status, GrantStatus::Live)
    }

    /// When the host must sign in again at the latest.
    pub fn authorization_ends_at(&self) -> Timestamp {
        authorization_end(self.authorized_at)
    }

    /// Stops the use of the tokens. The first reason stays.
    pub fn stop(&mut self, reason: LoginReason, now: Timestamp) {
        if self.live() {
            self.status = GrantStatus::NeedsLogin { since: now, reason };
        }
    }

    /// Forgets refused tokens after their day of grace. True when that changed something, which is then to be stored.
    #[must_use = "true asks for the grant to be stored"]
    pub fn forget_refused(&mut self, now: Timestamp) -> bool {
        let over = match self.status {
            GrantStatus::Live => false,
            GrantStatus::NeedsLogin { since, .. } => now.since(since) >= AFTER_REFUSAL_KEPT_MS,
        };
        over && self.sealed.take().is_some()
    }

    /// Whether sealed tokens are still kept.
    pub const fn keeps_tokens(&self) -> bool {
        self.sealed.is_some()
    }

    /// What the store keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a grant has only texts and numbers")
    }

    /// Reads [`Self::to_bytes`]; `None` for what no version of this wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// What came of a refresh, said in this crate's words (the accounts service's are in `spotify-api`).
#[derive(Clone, Debug)]
pub enum RefreshOutcome {
    /// New tokens.
    Answered(Answer),
    /// `invalid_grant`.
    Refused,
    /// `invalid_client` and the like: the app is wrong, not the user's consent.
    AppRefused,
    /// The accounts service said how long to wait.
    Wait {
        /// That long.
        retry_after_ms: u64,
    },
    /// No usable answer.
    Unavailable,
}

/// What follows from it.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Store these (see [`Grant::renew`]) before their first use.
    Renewed(TokenSet),
    /// Store this: the tokens are not used any more, and nothing is asked again.
    NeedsLogin(Grant),
    /// Nothing has changed. Ask again from then on; until then the present access token serves while it is usable.
    TryAgain {
        /// The earliest next try.
        not_before: Timestamp,
    },
    /// Nothing has changed, and the operator (or the host whose app it is) must mend the app.
    AppRefused {
        /// The earliest next try.
        not_before: Timestamp,
    },
}

/// What follows from the outcome of refreshing `tokens`. `failures` is how many tries in a row failed before this
/// one; each doubles the wait, from 1 s to 60 s.
pub fn after_refresh(
    grant: &Grant,
    tokens: &TokenSet,
    outcome: RefreshOutcome,
    failures: u32,
    now: Timestamp,
) -> Verdict {
    match outcome {
        RefreshOutcome::Answered(answer) => Verdict::Renewed(tokens.merge(answer, now)),
        RefreshOutcome::Refused => {
            let mut stopped = grant.clone();
            stopped.stop(LoginReason::Refused, now);
            Verdict::NeedsLogin(stopped)
        }
        RefreshOutcome::AppRefused => Verdict::AppRefused { not_before: now.plus_ms(APP_WAIT_MS) },
        RefreshOutcome::Wait { retry_after_ms } => {
            Verdict::TryAgain { not_before: now.plus_ms(retry_after_ms.max(FIRST_WAIT_MS)) }
        }
        RefreshOutcome::Unavailable => {
            let wait = FIRST_WAIT_MS.saturating_mul(1 << failures.min(16)).min(LONGEST_WAIT_MS);
            Verdict::TryAgain { not_before: now.plus_ms(wait) }
        }
    }
}
