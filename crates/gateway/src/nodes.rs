//! Which processes live: each holds a lease of its own name, and whoever sees one end takes its people for gone.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::{NodeId, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::lease::{Held, LeaseParts};

/// So long is believed what was seen of another process, in milliseconds: rooms ask often, and together.
const BELIEVED_MS: u64 = 1_000;
/// How long a start waits for the store to take the name.
const FIRST: Duration = Duration::from_secs(2);

/// The processes that share the store. Cheap to clone.
#[derive(Clone)]
pub struct Nodes(Arc<Inner>);

struct Inner {
    leases: LeaseParts,
    seen: Mutex<HashMap<NodeId, (Timestamp, bool)>>,
}

impl std::fmt::Debug for Nodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nodes").field("own", &self.0.leases.node).finish_non_exhaustive()
    }
}

fn name(node: &NodeId) -> String {
    format!("node/{node}")
}

impl Nodes {
    /// The processes, as seen by this one.
    pub fn new(leases: LeaseParts) -> Self {
        Self(Arc::new(Inner { leases, seen: Mutex::default() }))
    }

    /// Gives this process its name before anybody can be seated under it, and keeps it until `stop`.
    pub async fn enrol(&self, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        let leases = self.0.leases.clone();
        let own = name(&leases.node);
        let first = tokio::time::timeout(FIRST, Held::acquire(&leases, own.clone())).await;
        let mut held = first.ok().and_then(Result::ok).flatten();
        async move {
            loop {
                if let Some(kept) = held.take() {
                    tokio::select! {
                        () = stop.cancelled() => return kept.release().await,
                        () = kept.lost() => {}
                    }
                }
                held = Held::acquire(&leases, own.clone()).await.ok().flatten();
                if held.is_none()
                    && stop.run_until_cancelled(tokio::time::sleep(leases.terms.again)).await.is_none()
                {
                    return;
                }
            }
        }
    }

    /// Those among `asked` that live, this one always. `None`: the store does not say.
    pub async fn alive(&self, asked: BTreeSet<NodeId>) -> Option<BTreeSet<NodeId>> {
        let own = &self.0.leases.node;
        let mut alive = BTreeSet::from([own.clone()]);
        for node in asked {
            if node != *own && self.lives(&node).await? {
                alive.insert(node);
            }
        }
        Some(alive)
    }

    async fn lives(&self, node: &NodeId) -> Option<bool> {
        let now = self.0.leases.wall.now();
        let seen = || self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, lives)) = seen().get(node).filter(|(at, _)| now.since(*at) < BELIEVED_MS) {
            return Some(*lives);
        }
        let lives = self.0.leases.leases.lease_holder(&name(node), now).await.ok()?.is_some();
        let mut seen = seen();
        seen.retain(|_, (at, _)| now.since(*at) < BELIEVED_MS);
        seen.insert(node.clone(), (now, lives));
        Some(lives)
    }
}
