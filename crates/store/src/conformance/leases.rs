//! Laws of leases.

use super::{START, node};
use crate::{Fence, Lease, Store};

const TTL_MS: u64 = 5000;

async fn acquire(store: &Store, name: &str, holder: &str, at: u64) -> Option<Lease> {
    let now = START.plus_ms(at);
    store.leases.lease_acquire(name, &node(holder), TTL_MS, now).await.expect("answers")
}

async fn renew(store: &Store, holder: &str, fence: Fence, at: u64) -> Option<Lease> {
    let now = START.plus_ms(at);
    store.leases.lease_renew("room", &node(holder), fence, TTL_MS, now).await.expect("answers")
}

async fn release(store: &Store, holder: &str, fence: Fence) {
    store.leases.lease_release("room", &node(holder), fence).await.expect("answers");
}

/// Until it ends; names are apart.
pub async fn one_holder_at_a_time(store: Store) {
    let first = acquire(&store, "room", "one", 0).await.expect("it is free");
    assert_eq!(first.until, START.plus_ms(TTL_MS));
    assert_eq!(acquire(&store, "room", "two", TTL_MS - 1).await, None);
    assert!(acquire(&store, "other", "two", 0).await.is_some());
    assert!(acquire(&store, "room", "two", TTL_MS).await.is_some());
    assert_eq!(acquire(&store, "room", "one", TTL_MS).await, None);
}

/// The same holder again, release, expiry: each grant has a greater fence than every one before.
pub async fn fences_grow_over_release_and_expiry(store: Store) {
    let mut last = Fence(0);
    let mut grown = |lease: Option<Lease>| {
        let fence = lease.expect("it is free or ours").fence;
        assert!(fence > last, "{fence:?} after {last:?}");
        last = fence;
        fence
    };
    grown(acquire(&store, "room", "one", 0).await);
    let again = grown(acquire(&store, "room", "one", 1).await);
    release(&store, "one", again).await;
    grown(acquire(&store, "room", "two", 2).await);
    grown(acquire(&store, "room", "one", 2 + TTL_MS).await);
    // Long ended, and other leases given in between.
    acquire(&store, "other", "one", 100 * TTL_MS).await;
    grown(acquire(&store, "room", "three", 200 * TTL_MS).await);
}

/// All three; a renewal keeps the fence.
pub async fn a_renewal_needs_holder_fence_and_time(store: Store) {
    let old = acquire(&store, "room", "one", 0).await.expect("free").fence;
    let fence = acquire(&store, "room", "one", 0).await.expect("ours").fence;
    assert_eq!(renew(&store, "one", old, 1).await, None);
    assert_eq!(renew(&store, "two", fence, 1).await, None);
    let renewed = Lease { fence, until: START.plus_ms(4000 + TTL_MS) };
    assert_eq!(renew(&store, "one", fence, 4000).await, Some(renewed));
    assert_eq!(acquire(&store, "room", "two", 3999 + TTL_MS).await, None, "the renewal counts");
    assert_eq!(renew(&store, "one", fence, 4000 + TTL_MS).await, None, "it has ended");
}

/// Neither another's nor an older grant's.
pub async fn a_release_by_another_does_nothing(store: Store) {
    let old = acquire(&store, "room", "one", 0).await.expect("free").fence;
    let fence = acquire(&store, "room", "one", 0).await.expect("ours").fence;
    release(&store, "two", fence).await;
    release(&store, "one", old).await;
    assert_eq!(acquire(&store, "room", "two", 1).await, None);
    release(&store, "one", fence).await;
    assert_eq!(renew(&store, "one", fence, 1).await, None);
    assert!(acquire(&store, "room", "two", 1).await.is_some());
}

/// Until its end or its release, and by whoever asks.
pub async fn the_holder_is_known_while_it_holds(store: Store) {
    let holder = async |at| {
        let found = store.leases.lease_holder("room", START.plus_ms(at)).await.expect("answers");
        found.map(|holder| holder.to_string())
    };
    assert_eq!(holder(0).await, None);
    acquire(&store, "room", "one", 0).await.expect("free");
    assert_eq!(holder(TTL_MS - 1).await.as_deref(), Some("one"));
    assert_eq!(holder(TTL_MS).await, None);
    let second = acquire(&store, "room", "two", TTL_MS).await.expect("it has ended").fence;
    assert_eq!(holder(TTL_MS).await.as_deref(), Some("two"));
    release(&store, "two", second).await;
    assert_eq!(holder(TTL_MS).await, None);
}

/// However many come at once.
pub async fn of_many_that_want_a_lease_one_gets_it(store: Store) {
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { acquire(&store, "room", &format!("node-{number}"), 0).await })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += usize::from(task.await.expect("ends well").is_some());
    }
    assert_eq!(granted, 1);
}
