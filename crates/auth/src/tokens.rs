//! A Spotify account's tokens, and when to refresh them.

use kernel::{AccountId, Entropy, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use crate::vault::{Aad, Vault, VaultError};

/// How many months an authorization lasts: Spotify counts six from the user's consent, and refreshing does not prolong
/// it. The answer `invalid_grant` has the last word.
const AUTHORIZATION_MONTHS: i64 = 6;

/// When an authorization of that instant ends: six calendar months later, in UTC; the last day of a shorter month.
pub fn authorization_end(authorized_at: Timestamp) -> Timestamp {
    jiff::Timestamp::from_millisecond(authorized_at.as_millis())
        .ok()
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC))
        .and_then(|at| at.checked_add(jiff::Span::new().months(AUTHORIZATION_MONTHS)).ok())
        .map_or(authorized_at, |end| Timestamp(end.timestamp().as_millisecond()))
}

/// A token is refreshed at this part of its lifetime.
const DUE_PERCENT: u64 = 80;
/// Jitter moves a refresh forward by at most this part of the lifetime.
const JITTER_PERCENT: u64 = 10;
/// A token this close to its end is not sent any more (a tenth of a short life).
const MARGIN_MS: u64 = 10_000;

/// What the accounts service answers to an exchange or a refresh.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The new access token.
    pub access: Secret<String>,
    /// A new refresh token, where there is one.
    pub refresh: Option<Secret<String>>,
    /// How long the access token lives.
    pub expires_in_ms: u64,
    /// What was granted; empty where the answer does not say.
    pub scopes: Vec<String>,
}

/// The tokens of one authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSet {
    /// Goes with every call.
    pub access: Secret<String>,
    /// Gets the next access token. Absent only where Spotify never gave one: then it ends with the access token.
    pub refresh: Option<Secret<String>>,
    /// When the access token was issued.
    pub access_issued_at: Timestamp,
    /// When it ends.
    pub access_expires_at: Timestamp,
    /// What was granted, which may be less than was asked.
    pub scopes: Vec<String>,
    /// The app that the tokens belong to: only it can refresh them.
    pub client_id: String,
    /// When the user consented.
    pub authorized_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Record {
    access: String,
    refresh: Option<String>,
    access_issued_at: Timestamp,
    access_expires_at: Timestamp,
    scopes: Vec<String>,
    client_id: String,
    authorized_at: Timestamp,
}

impl TokenSet {
    /// The tokens of a fresh consent.
    pub fn from_answer(answer: Answer, client_id: &str, now: Timestamp) -> Self {
        Self {
            access: answer.access,
            refresh: answer.refresh,
            access_issued_at: now,
            access_expires_at: now.plus_ms(answer.expires_in_ms),
            scopes: answer.scopes,
            client_id: client_id.to_owned(),
            authorized_at: now,
        }
    }

    /// The tokens after a refresh: the old refresh token stays where the answer brings none and goes where it brings
    /// one (Spotify has done both). The consent is as old as before.
    #[must_use]
    pub fn merge(&self, answer: Answer, now: Timestamp) -> Self {
        Self {
            access: answer.access,
            refresh: answer.refresh.or_else(|| self.refresh.clone()),
            access_issued_at: now,
            access_expires_at: now.plus_ms(answer.expires_in_ms),
            scopes: if answer.scopes.is_empty() { self.scopes.clone() } else { answer.scopes },
            client_id: self.client_id.clone(),
            authorized_at: self.authorized_at,
        }
    }

    /// When to refresh: at 80 % of the access token's life, earlier by `jitter_ms` (at most a tenth of that life).
    pub fn due_at(&self, jitter_ms: u64) -> Timestamp {
        let life = self.access_life_ms();
        let early = jitter_ms.min(life / 100 * JITTER_PERCENT);
        self.access_issued_at.plus_ms(life * DUE_PERCENT / 100).minus_ms(early)
    }

    /// Whether to refresh now.
    pub fn due(&self, now: Timestamp, jitter_ms: u64) -> bool {
        now >= self.due_at(jitter_ms)
    }

    /// Whether the access token can still be sent: it has 10 s or more to live (a tenth of its life where that is
    /// less, so that a very short-lived token is of some use).
    pub fn usable(&self, now: Timestamp) -> bool {
        now.plus_ms(MARGIN_MS.min(self.access_life_ms() / 10)) < self.access_expires_at
    }

    /// When the host must sign in again.
    pub fn ends_at(&self) -> Timestamp {
        authorization_end(self.authorized_at)
    }

    /// Whether `scope` was granted.
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// Seals the tokens of `account` in that generation.
    pub fn seal(
        &self,
        vault: &Vault,
        entropy: &dyn Entropy,
        account: &AccountId,
        generation: u64,
    ) -> Vec<u8> {
        let record = Record {
            access: self.access.expose().clone(),
            refresh: self.refresh.as_ref().map(|token| token.expose().clone()),
            access_issued_at: self.access_issued_at,
            access_expires_at: self.access_expires_at,
            scopes: self.scopes.clone(),
            client_id: self.client_id.clone(),
            authorized_at: self.authorized_at,
        };
        let plain = Secret::new(serde_json::to_vec(&record).expect("a record of texts and numbers"));
        drop(record.hide());
        vault.seal(entropy, &Aad::tokens(account, generation), plain.expose())
    }

    /// Reads [`Self::seal`]; `true` beside the tokens where an older key sealed them.
    pub fn open(
        vault: &Vault,
        account: &AccountId,
        generation: u64,
        sealed: &[u8],
    ) -> Result<(Self, bool), VaultError> {
        let opened = vault.open(&Aad::tokens(account, generation), sealed)?;
        let record: Record =
            serde_json::from_slice(opened.plaintext.expose()).map_err(|_| VaultError::Malformed)?;
        Ok((record.hide(), opened.stale_key))
    }

    fn access_life_ms(&self) -> u64 {
        self.access_expires_at.since(self.access_issued_at)
    }
}

impl Record {
    fn hide(self) -> TokenSet {
        TokenSet {
            access: Secret::new(self.access),
            refresh: self.refresh.map(Secret::new),
            access_issued_at: self.access_issued_at,
            access_expires_at: self.access_expires_at,
            scopes: self.scopes,
            client_id: self.client_id,
            authorized_at: self.authorized_at,
        }
    }
}
