//! Replicas: what waits for them, and what happens when one of them becomes the primary.

use store::{CommitError, StoreError};

use super::outage::healed;
use super::server::Server;
use super::{commit, open};

fn durable(expected: u64) -> store::Commit {
    store::Commit { durable: true, ..commit(expected) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_commit_without_its_replica_is_not_acknowledged() {
    let primary = Server::start(&[]);
    let mut replica = Server::replica_of(&primary);
    let store = open(&format!("redis://127.0.0.1:{}?deadline=10000&replicas=1", primary.port)).await.store();
    assert_eq!(store.rooms.room_commit(durable(0)).await.expect("the replica holds it"), 1);
    replica.kill();
    let refused = store.rooms.room_commit(durable(1)).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    // It may have happened, and did; whoever waits for no replica goes on.
    assert_eq!(store.rooms.room_commit(commit(2)).await.expect("is made"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failover_the_new_primary_is_found_and_fences_have_grown() {
    let mut primary = Server::start(&[]);
    let replica = Server::replica_of(&primary);
    let sentinel = Server::sentinel_of(&primary);
    let store =
        open(&format!("redis-sentinel://127.0.0.1:{}/main?deadline=10000", sentinel.port)).await.store();
    let room = "ABCDEF".parse().expect("a code");
    let mut feed = store.rooms.room_follow(&room).await.expect("follows");
    assert_eq!(store.rooms.room_commit(durable(0)).await.expect("the replica holds it"), 1);
    let node = "one".parse().expect("an id");
    let now = kernel::Timestamp(1_800_000_000_000);
    let before = store.leases.lease_acquire("room", &node, 1000, now).await.expect("answers").expect("free");

    primary.kill();
    sentinel.logs("+switch-master");
    healed(&store).await;
    assert_eq!(store.rooms.room_version(&room).await.expect("answers"), Some(1));
    let heard = feed.next().await;
    assert!(matches!(heard, Some(store::RoomChange::Committed { version: 1, .. })), "{heard:?}");
    assert_eq!(feed.next().await, Some(store::RoomChange::Lagged));
    // There is no replica any more.
    assert_eq!(store.rooms.room_commit(commit(1)).await.expect("is made"), 2);
    assert!(store.rooms.room_commit(durable(2)).await.is_err());
    // As if the failover had lost the grant.
    replica.cli(&["DEL", "parlor:{lease/room}:lease"]);
    let after = store.leases.lease_acquire("room", &node, 1000, now).await.expect("answers").expect("free");
    assert!(after.fence > before.fence);
}
