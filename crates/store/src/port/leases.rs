//! Leases: who may act, for how long, and with which fence.

use async_trait::async_trait;
use kernel::{NodeId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Result;

/// A number that grows with every grant of a lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// A granted lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Greater than that of every earlier grant of this name.
    pub fence: Fence,
    /// When it ends unless renewed.
    pub until: Timestamp,
}

/// Leases, by name.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Grants the lease where nobody holds it at `now` (or `holder` itself does: a new fence all the same).
    async fn lease_acquire(
        &self,
        name: &str,
        holder: &NodeId,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Option<Lease>>;

    /// Prolongs it; `None` where the holder or the fence is not (any more) the lease's, or it has ended.
    async fn lease_renew(
        &self,
        name: &str,
        holder: &NodeId,
        fence: Fence,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Option<Lease>>;

    /// Who holds it at `now`; `None` where nobody does.
    async fn lease_holder(&self, name: &str, now: Timestamp) -> Result<Option<NodeId>>;

    /// Gives it back; nothing happens where it is not the holder's. The fence is remembered.
    async fn lease_release(&self, name: &str, holder: &NodeId, fence: Fence) -> Result<()>;
}
