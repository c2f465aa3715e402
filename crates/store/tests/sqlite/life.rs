//! From opening to closing: what is kept, what is erased, what ends.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kernel::Timestamp;
use store::{AttemptRow, GrantRow, RoomChange, SessionRow, StoreError};

use super::{commit, open};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const CANARY: &str = "canary-7c1f0e";

fn session(byte: u8) -> SessionRow {
    SessionRow {
        hash: [byte; 32],
        member: "anna".parse().expect("an id"),
        account: Some("spotify-anna".parse().expect("an id")),
        expires_at: NOW.plus_ms(1000),
        data: CANARY.as_bytes().to_vec(),
    }
}

fn grant() -> GrantRow {
    GrantRow {
        account: "spotify-anna".parse().expect("an id"),
        generation: 3,
        data: CANARY.as_bytes().to_vec(),
    }
}

fn attempt(byte: u8) -> AttemptRow {
    AttemptRow { state: [byte; 32], expires_at: NOW.plus_ms(1000), data: CANARY.as_bytes().to_vec() }
}

#[tokio::test]
async fn a_store_that_is_opened_again_has_everything() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = "one".parse().expect("an id");
    let room = "ABCDEF".parse().expect("a code");
    let (member, account) = (session(1).member, grant().account);

    let sqlite = open(dir.path());
    let store = sqlite.store();
    store.rooms.room_commit(commit(0, "a", b"1")).await.expect("is made");
    store.rooms.membership_put(&member, &room).await.expect("is stored");
    store.sessions.session_insert(session(1)).await.expect("is stored");
    store.sessions.attempt_put(attempt(1), 10, NOW).await.expect("is stored");
    store.accounts.grant_put(grant()).await.expect("is stored");
    store.accounts.grant_delete(&account).await.expect("is deleted");
    let fence =
        store.leases.lease_acquire("room", &node, 10, NOW).await.expect("answers").expect("free").fence;
    store.limits.limit_count("calls", 1000, NOW).await.expect("is counted");
    store.limits.pause_put("app", NOW.plus_ms(1000)).await.expect("is stored");
    sqlite.shutdown().await;

    let sqlite = open(dir.path());
    let store = sqlite.store();
    let stored = store.rooms.room_load(&room).await.expect("answers").expect("there");
    assert_eq!((stored.version, stored.records.get("a").map(Vec::as_slice)), (1, Some(b"1".as_slice())));
    assert_eq!(store.rooms.memberships(&member).await.expect("answers"), [room]);
    assert_eq!(store.sessions.session_get(&[1; 32], NOW).await.expect("answers"), Some(session(1)));
    assert_eq!(store.sessions.attempt_take(&[1; 32], NOW).await.expect("answers"), Some(attempt(1)));
    assert_eq!(store.accounts.grant_get(&account).await.expect("answers"), None);
    assert_eq!(store.accounts.grant_put(grant()).await.expect("is stored"), 4);
    let later = store.leases.lease_acquire("room", &node, 10, NOW.plus_ms(10)).await.expect("answers");
    assert!(later.expect("it has ended").fence > fence);
    assert_eq!(store.limits.limit_peek("calls", NOW).await.expect("answers"), 1);
    assert_eq!(store.limits.pauses("app", NOW).await.expect("answers").len(), 1);
}

#[tokio::test]
async fn a_closed_store_ends_its_feeds_and_answers_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let sqlite = open(dir.path());
    let store = sqlite.store();
    let room = "ABCDEF".parse().expect("a code");
    let mut changes = store.rooms.room_follow(&room).await.expect("follows");
    let mut events = store.sessions.sessions_follow().await.expect("follows");
    store.rooms.room_commit(commit(0, "a", b"1")).await.expect("is made");
    sqlite.shutdown().await;
    assert!(matches!(changes.next().await, Some(RoomChange::Committed { version: 1, .. })));
    assert_eq!(changes.next().await, None);
    assert_eq!(events.next().await, None);
    assert!(matches!(store.rooms.room_load(&room).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.sessions.session_delete(&[1; 32]).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.rooms.room_follow(&room).await, Err(StoreError::Unavailable(_))));
    sqlite.shutdown().await;
}

/// Waits until some file of the directory holds the canary, or none does. Another program looks: this one would drop SQLite's
/// locks by closing the files.
async fn until_kept(dir: &Path, wanted: bool) {
    let looked = async {
        loop {
            let mut grep = Command::new("grep");
            let found = grep.args(["-rqaF", "--"]).arg(CANARY).arg(dir).status().expect("grep runs");
            if found.success() == wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looked).await.expect("it comes in a quiet moment");
}

/// In the file, in its log, in free pages: nowhere, soon after the deletion and not only at the end.
#[tokio::test]
async fn what_is_deleted_leaves_no_bytes() {
    let dir = tempfile::tempdir().expect("a directory");
    let sqlite = open(dir.path());
    let store = sqlite.store();
    for byte in 0..40 {
        store.sessions.session_insert(session(byte)).await.expect("is stored");
        store.sessions.attempt_put(attempt(byte), 100, NOW).await.expect("is stored");
    }
    store.accounts.grant_put(grant()).await.expect("is stored");
    until_kept(dir.path(), true).await;
    for byte in 0..20 {
        store.sessions.session_delete(&[byte; 32]).await.expect("is deleted");
        store.sessions.attempt_take(&[byte; 32], NOW).await.expect("is taken");
    }
    store.accounts.grant_delete(&grant().account).await.expect("is deleted");
    store.sessions.sessions_purge(NOW.plus_ms(1000)).await.expect("is purged");
    until_kept(dir.path(), false).await;
    sqlite.shutdown().await;
    until_kept(dir.path(), false).await;
}

/// Without a quiet moment there is one log all the same, and not an endless one.
#[tokio::test]
async fn a_log_under_nonstop_writing_is_begun_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let sqlite = open(dir.path());
    let rooms = sqlite.store().rooms;
    let size = || std::fs::metadata(dir.path().join("parlor.db-wal")).expect("there is a log").len();
    let (mut largest, mut since_grown) = (0, 0);
    let mut version = 0;
    // Each of a hundred commits would add some pages to a log that goes on.
    while since_grown < 100 {
        version = rooms.room_commit(commit(version, "a", &[7; 200])).await.expect("is made");
        since_grown = if size() > largest { 0 } else { since_grown + 1 };
        largest = largest.max(size());
        assert!(version < 40_000, "{largest} bytes of log");
    }
    assert!(version > 1_000, "it is not done for each commit");
    sqlite.shutdown().await;
    assert!(!dir.path().join("parlor.db-wal").exists(), "it is in the database");
}
