//! What can be asked of a store. One port per reason to change; every engine keeps all of them.

mod accounts;
mod leases;
mod limits;
mod rooms;
mod sessions;

pub use accounts::{AccountStore, GrantRow};
pub use leases::{Fence, Lease, LeaseStore};
pub use limits::LimitStore;
pub use rooms::{Commit, CommitError, Delta, Lineage, Restore, RoomChange, RoomFeed, RoomStore, StoredRoom};
pub use sessions::{AttemptRow, Hash, SessionEvent, SessionFeed, SessionRow, SessionStore};

use crate::StoreError;

/// The answer of every call: what was asked for, or why the store could not.
pub type Result<T> = std::result::Result<T, StoreError>;
