//! Who is asking, between one request and the next.

use kernel::{AccountId, MemberId, Timestamp};
use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A session that nobody used for 30 days ends: a weekly listener stays known, a forgotten browser does not.
pub const SESSION_IDLE_MS: u64 = 30 * DAY_MS;

/// No session lives longer than 180 days, however busy. Spotify's authorizations end after six months (since July
/// 2026), so a host signs in about as often anyway, and gets a new session by it.
pub const SESSION_LIFE_MS: u64 = 180 * DAY_MS;

/// The use of a session is written down at most once an hour: the idle limit needs no finer record.
pub const SESSION_TOUCH_MS: u64 = 60 * 60 * 1000;

/// A session, without the secret that it is found by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The person.
    pub member: MemberId,
    /// The name shown to others, once one was chosen.
    pub name: Option<String>,
    /// The Spotify account that this browser authorized.
    pub account: Option<AccountId>,
    /// When the session began; a new sign-in begins a new one.
    pub created_at: Timestamp,
    /// When it was last used, to within an hour.
    pub seen_at: Timestamp,
    /// From here on it is as if it did not exist.
    pub expires_at: Timestamp,
}

impl Session {
    /// A new session of `member`, who has no name and no Spotify account yet.
    pub fn new(member: MemberId, now: Timestamp) -> Self {
        Self {
            member,
            name: None,
            account: None,
            created_at: now,
            seen_at: now,
            expires_at: end_of(now, now),
        }
    }

    /// Whether it still counts.
    pub fn live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Notes a use, which moves the idle limit on. True when that is worth storing: at most once an hour. An ended
    /// session is not revived.
    #[must_use = "true asks for the session to be stored"]
    pub fn touch(&mut self, now: Timestamp) -> bool {
        if !self.live(now) || now.since(self.seen_at) < SESSION_TOUCH_MS {
            return false;
        }
        self.seen_at = now;
        self.expires_at = end_of(self.created_at, now);
        true
    }

    /// The session that follows this one once `account` was authorized, as `member` (the account's own, where it is
    /// known already). It needs a new secret: the old one may be known to somebody else (fixation).
    #[must_use]
    pub fn signed_in(&self, account: AccountId, member: MemberId, now: Timestamp) -> Self {
        Self { account: Some(account), name: self.name.clone(), ..Self::new(member, now) }
    }

    /// The session after its Spotify account was disconnected: the same person, no host any more.
    #[must_use]
    pub fn signed_out(&self) -> Self {
        Self { account: None, ..self.clone() }
    }

    /// What the store keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a session has only texts and numbers")
    }

    /// Reads [`Self::to_bytes`]; `None` for what no version of this wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

fn end_of(created_at: Timestamp, seen_at: Timestamp) -> Timestamp {
    seen_at.plus_ms(SESSION_IDLE_MS).min(created_at.plus_ms(SESSION_LIFE_MS))
}
