#![doc = include_str!("../README.md")]

#[doc(hidden)]
pub mod conformance;
mod error;
mod feed;
pub mod memory;
mod port;
pub mod redis;
pub mod sqlite;

pub use error::StoreError;
pub use port::*;

use std::sync::Arc;

/// The ports of one store, bundled.
#[derive(Clone)]
pub struct Store {
    /// Rooms and memberships.
    pub rooms: Arc<dyn RoomStore>,
    /// Sessions and sign-in attempts.
    pub sessions: Arc<dyn SessionStore>,
    /// Spotify accounts.
    pub accounts: Arc<dyn AccountStore>,
    /// Leases.
    pub leases: Arc<dyn LeaseStore>,
    /// Shared counters and pauses.
    pub limits: Arc<dyn LimitStore>,
}
