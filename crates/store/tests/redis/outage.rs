//! The server goes, stops, forgets, comes back: nobody waits long, nothing is lost without a word.

use std::future::Future;
use std::time::Duration;

use store::{CommitError, RoomChange, RoomFeed, Store, StoreError};

use super::server::Server;
use super::{PATIENT, commit, open};

/// Far beyond the deadline of the stores here that are refused: only a call that hangs takes longer.
const HANGS: Duration = Duration::from_secs(40);
/// Far beyond the 3 s within which the engine is to be healthy again.
const HEALS: Duration = Duration::from_mins(1);

pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, what).await.expect("it does not hang")
}

async fn refused(store: &Store) {
    let room = "ABCDEF".parse().expect("a code");
    let read = soon(store.rooms.room_version(&room)).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    let written = soon(store.rooms.room_commit(commit(0))).await;
    assert!(matches!(written, Err(CommitError::Store(StoreError::Unavailable(_)))), "{written:?}");
}

/// Asks until there is an answer.
pub(super) async fn healed(store: &Store) {
    let room = "ABCDEF".parse().expect("a code");
    let answered = async {
        while store.rooms.room_version(&room).await.is_err() {
            // Each refusal takes its time or follows at once; others may run in between.
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(HEALS, answered).await.expect("it heals");
}

async fn lags(feed: &mut dyn RoomFeed) {
    let heard = tokio::time::timeout(HEALS, feed.next()).await.expect("the follower is told");
    assert_eq!(heard, Some(RoomChange::Lagged));
}

async fn hears(feed: &mut dyn RoomFeed, expected: u64) {
    match tokio::time::timeout(HEALS, feed.next()).await.expect("it is heard") {
        Some(RoomChange::Committed { version, .. }) => assert_eq!(version, expected),
        other => panic!("version {expected} was due: {other:?}"),
    }
}

/// A server, and a store with these options.
async fn plain(options: &str) -> (Server, Store) {
    let server = Server::start(&[]);
    let store = open(&format!("redis://127.0.0.1:{}{options}", server.port)).await.store();
    (server, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_refuses_and_a_restarted_one_is_found() {
    let (mut server, store) = plain("?deadline=5000").await;
    store.rooms.room_commit(commit(0)).await.expect("is made");
    let mut feed = store.rooms.room_follow(&"ABCDEF".parse().expect("a code")).await.expect("follows");
    server.kill();
    refused(&store).await;
    let follows = soon(store.rooms.room_follow(&"ABCDEG".parse().expect("a code"))).await;
    assert!(follows.is_err(), "nothing confirms it");
    server.restart();
    healed(&store).await;
    lags(&mut *feed).await;
    // The server is empty and knows no script any more.
    assert_eq!(store.rooms.room_commit(commit(0)).await.expect("is made"), 1);
    hears(&mut *feed, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_the_server_has_forgotten_are_sent_again() {
    let (server, store) = plain(PATIENT).await;
    store.rooms.room_commit(commit(0)).await.expect("is made");
    assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
    assert_eq!(store.rooms.room_commit(commit(1)).await.expect("is made"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_holds_nobody_up() {
    let (server, store) = plain("?deadline=5000").await;
    store.rooms.room_commit(commit(0)).await.expect("is made");
    let mut feed = store.rooms.room_follow(&"ABCDEF".parse().expect("a code")).await.expect("follows");
    server.signal("-STOP");
    refused(&store).await;
    server.signal("-CONT");
    healed(&store).await;
    // What was sent to the server while it stood still may have been made after all.
    lags(&mut *feed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_whose_connection_ends_are_told_and_follow_on() {
    let (server, store) = plain(PATIENT).await;
    let mut room = store.rooms.room_follow(&"ABCDEF".parse().expect("a code")).await.expect("follows");
    let mut sessions = store.sessions.sessions_follow().await.expect("follows");
    assert_eq!(server.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]), "1", "one connection serves all");
    lags(&mut *room).await;
    let heard = tokio::time::timeout(HEALS, sessions.next()).await.expect("the follower is told");
    assert_eq!(heard, Some(store::SessionEvent::Lagged));
    store.rooms.room_commit(commit(0)).await.expect("is made");
    hears(&mut *room, 1).await;
}

/// A repeat of a write whose answer was lost, seen from outside: the connection is killed under many writers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_count_is_lost_or_doubled_when_connections_end() {
    let (server, store) = plain(PATIENT).await;
    let now = kernel::Timestamp(1_800_000_000_000);
    let counting = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut counts = Vec::new();
            for _ in 0..2000 {
                counts.push(store.limits.limit_count("calls", 60_000, now).await.expect("is repeated").0);
            }
            counts
        })
    };
    let mut killed = 0;
    while !counting.is_finished() && killed < 5 {
        killed += server
            .cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
            .parse::<u32>()
            .expect("a number");
        healed(&store).await;
    }
    assert_eq!(counting.await.expect("ends well"), (1..=2000).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_says_so_and_reading_goes_on() {
    let (server, store) = plain(PATIENT).await;
    store.rooms.room_commit(commit(0)).await.expect("is made");
    assert_eq!(server.cli(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    let full = store.rooms.room_commit(commit(1)).await.expect_err("there is no memory");
    assert!(full.to_string().contains("memory is full"), "{full}");
    assert_eq!(store.rooms.room_version(&"ABCDEF".parse().expect("a code")).await.expect("reads"), Some(1));
    assert_eq!(server.cli(&["CONFIG", "SET", "maxmemory", "0"]), "OK");
    assert_eq!(store.rooms.room_commit(commit(1)).await.expect("is made"), 2);
}
