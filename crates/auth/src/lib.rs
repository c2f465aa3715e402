#![doc = include_str!("../README.md")]

mod default_name;
mod grant;
mod login;
pub mod name;
mod return_to;
mod secrets;
mod session;
mod tokens;
mod vault;

pub use default_name::default_name;
pub use grant::{
    AFTER_REFUSAL_KEPT_MS, Grant, GrantError, GrantStatus, LoginReason, Profile, RefreshOutcome, Verdict,
    after_refresh,
};
pub use login::{ATTEMPT_LIFE_MS, AttemptError, Beginning, LoginAttempt, PkceVerifier, Redeemed, challenge};
pub use name::{DisplayName, NameError};
pub use return_to::{ReturnTo, ReturnToError};
pub use secrets::{BrowserSecret, Hash, SessionSecret, State, same_hash};
pub use session::{SESSION_IDLE_MS, SESSION_LIFE_MS, SESSION_TOUCH_MS, Session};
pub use tokens::{Answer, TokenSet, authorization_end};
pub use vault::{Aad, KeyRing, KeyRingError, Opened, Purpose, Vault, VaultError};
