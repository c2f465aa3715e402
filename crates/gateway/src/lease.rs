//! The right to do something alone (to conduct a room, say): held by one process, renewed while it lives, and doubted
//! by its own holder.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use kernel::{Clock, NodeId, Timestamp};
use store::{Fence, LeaseStore, StoreError};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How leases are kept.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long one lasts without renewal, in milliseconds.
    pub ttl_ms: u64,
    /// How often it is renewed: two renewals may fail.
    pub renew: Duration,
    /// How soon a process that does not get it tries again.
    pub again: Duration,
}

impl Terms {
    /// With one process alone nobody waits for a lease, and the store forgets those of a process that has ended. Each
    /// renewal is a write, of every room that is awake.
    pub const ALONE: Self =
        Self { ttl_ms: 120_000, renew: Duration::from_secs(40), again: Duration::from_millis(1_500) };
    /// With several, another one takes over within 5 s of a death.
    pub const SHARED: Self =
        Self { ttl_ms: 3_500, renew: Duration::from_millis(1_000), again: Duration::from_millis(700) };
}

/// What leases are kept with.
#[derive(Clone)]
pub struct LeaseParts {
    /// Where they are stored.
    pub leases: Arc<dyn LeaseStore>,
    /// This process.
    pub node: NodeId,
    /// The machine's time of day, which nobody moves: what the store compares.
    pub wall: Arc<dyn Clock>,
    /// The machine's time since it started: what the holder's own deadline goes by, since nobody can set it.
    pub own: Arc<dyn Clock>,
    /// How they are kept.
    pub terms: Terms,
}

/// A lease that is kept until it is dropped or lost.
pub(crate) struct Held {
    parts: LeaseParts,
    /// Empty once it has been given back.
    name: String,
    until: Arc<AtomicI64>,
    lost: CancellationToken,
    keeper: JoinHandle<()>,
    /// Goes into every commit of this conductor.
    pub(crate) fence: Fence,
}

impl Held {
    /// The lease, where nobody else holds it.
    pub(crate) async fn acquire(parts: &LeaseParts, name: String) -> Result<Option<Self>, StoreError> {
        // The holder counts from before it asked: its own deadline is never later than the store's.
        let asked = parts.own.now();
        let now = parts.wall.now();
        let lease = parts.leases.lease_acquire(&name, &parts.node, parts.terms.ttl_ms, now).await?;
        let Some(lease) = lease else { return Ok(None) };
        let until = Arc::new(AtomicI64::new(asked.plus_ms(parts.terms.ttl_ms).as_millis()));
        let lost = CancellationToken::new();
        let keeper =
            tokio::spawn(keep(parts.clone(), (name.clone(), lease.fence), Arc::clone(&until), lost.clone()));
        let held = Self { parts: parts.clone(), name, until, lost, keeper, fence: lease.fence };
        // A process that stood still may read the answer when another one has followed long since.
        Ok(held.holds().then_some(held))
    }

    /// Whether it still holds, by the holder's own clock. Looked at right before each request to Spotify.
    pub(crate) fn holds(&self) -> bool {
        !self.lost.is_cancelled() && self.parts.own.now() < Timestamp(self.until.load(SeqCst))
    }

    /// Returns once it is lost.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Gives it back, and returns once that is done.
    pub(crate) async fn release(mut self) {
        if let Some(release) = self.releasing() {
            release.await;
        }
    }

    fn releasing(&mut self) -> Option<impl Future<Output = ()> + use<>> {
        self.keeper.abort();
        let LeaseParts { leases, node, .. } = self.parts.clone();
        let (name, fence) = (std::mem::take(&mut self.name), self.fence);
        (!name.is_empty()).then_some(async move {
            // Not given back, it ends by itself.
            let _ = leases.lease_release(&name, &node, fence).await;
        })
    }
}

impl Drop for Held {
    /// Whoever waits for the lease should not wait until it ends by itself.
    fn drop(&mut self) {
        if let Some(release) = self.releasing()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(release);
        }
    }
}

async fn keep(
    parts: LeaseParts,
    (name, fence): (String, Fence),
    until: Arc<AtomicI64>,
    lost: CancellationToken,
) {
    let LeaseParts { leases, node, wall, own, terms } = parts;
    let mut ticks = tokio::time::interval(terms.renew);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let asked = own.now();
        match leases.lease_renew(&name, &node, fence, terms.ttl_ms, wall.now()).await {
            Ok(Some(_)) => until.store(asked.plus_ms(terms.ttl_ms).as_millis(), SeqCst),
            Ok(None) => break,
            Err(_) if own.now() >= Timestamp(until.load(SeqCst)) => break,
            Err(_) => {}
        }
    }
    lost.cancel();
}
