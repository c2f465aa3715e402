//! The right to conduct a room: held by one process, renewed while it lives, and doubted by its own holder.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use kernel::{Clock, NodeId, Timestamp};
use store::{Fence, LeaseStore};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How long a lease lasts without renewal, in milliseconds: another process conducts within 10 s (contract, section 5).
const TTL_MS: u64 = 8_000;
/// How often it is renewed: two renewals may fail.
const RENEW: Duration = Duration::from_millis(2_500);

/// A lease that is kept until it is dropped or lost.
pub(super) struct Held {
    leases: Arc<dyn LeaseStore>,
    name: String,
    node: NodeId,
    wall: Arc<dyn Clock>,
    until: Arc<AtomicI64>,
    lost: CancellationToken,
    keeper: JoinHandle<()>,
    /// Goes into every commit of this conductor.
    pub(super) fence: Fence,
}

impl Held {
    /// The lease, where nobody else holds it.
    pub(super) async fn acquire(
        leases: Arc<dyn LeaseStore>,
        name: String,
        node: NodeId,
        wall: Arc<dyn Clock>,
    ) -> Option<Self> {
        let lease = leases.lease_acquire(&name, &node, TTL_MS, wall.now()).await.ok()??;
        let until = Arc::new(AtomicI64::new(lease.until.as_millis()));
        let lost = CancellationToken::new();
        let keeper = tokio::spawn(keep(
            Arc::clone(&leases),
            (name.clone(), node.clone(), lease.fence),
            Arc::clone(&wall),
            Arc::clone(&until),
            lost.clone(),
        ));
        Some(Self { leases, name, node, wall, until, lost, keeper, fence: lease.fence })
    }

    /// Whether it still holds, by the holder's own clock. Looked at right before each request to Spotify.
    pub(super) fn holds(&self) -> bool {
        !self.lost.is_cancelled() && self.wall.now() < Timestamp(self.until.load(SeqCst))
    }

    /// Returns once it is lost.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Gives it back.
    pub(super) async fn release(self) {
        self.keeper.abort();
        // Not given back, it ends by itself.
        let _ = self.leases.lease_release(&self.name, &self.node, self.fence).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep(
    leases: Arc<dyn LeaseStore>,
    (name, node, fence): (String, NodeId, Fence),
    wall: Arc<dyn Clock>,
    until: Arc<AtomicI64>,
    lost: CancellationToken,
) {
    let mut ticks = tokio::time::interval(RENEW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match leases.lease_renew(&name, &node, fence, TTL_MS, wall.now()).await {
            Ok(Some(lease)) => until.store(lease.until.as_millis(), SeqCst),
            Ok(None) => break,
            Err(_) if wall.now() >= Timestamp(until.load(SeqCst)) => break,
            Err(_) => {}
        }
    }
    lost.cancel();
}
