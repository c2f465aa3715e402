//! Laws of rooms.

use super::{START, code, member, node, soon};
use crate::{Commit, CommitError, Fence, Lineage, Restore, RoomChange, RoomFeed, Store, StoredRoom};
use kernel::RoomCode;

fn proposal(room: &RoomCode, expected: u64) -> Commit {
    Commit {
        code: room.clone(),
        expected,
        records: Vec::new(),
        fence: None,
        news: Vec::new(),
        origin: node("one"),
        expires_at: None,
        durable: false,
        lineage: None,
    }
}

fn with(room: &RoomCode, expected: u64, records: &[(&str, Option<&str>)]) -> Commit {
    let records =
        records.iter().map(|(key, value)| ((*key).to_owned(), value.map(|value| value.as_bytes().to_vec())));
    Commit { records: records.collect(), ..proposal(room, expected) }
}

/// The room as text: `version key=value key=value`.
async fn text(store: &Store, room: &RoomCode) -> Option<String> {
    let stored = store.rooms.room_load(room).await.expect("answers")?;
    let records =
        stored.records.iter().map(|(key, value)| format!(" {key}={}", String::from_utf8_lossy(value)));
    Some(format!("{}{}", stored.version, records.collect::<String>()))
}

async fn made(store: &Store, commit: Commit) -> u64 {
    store.rooms.room_commit(commit).await.expect("the commit is made")
}

async fn conflict(store: &Store, commit: Commit) -> u64 {
    match store.rooms.room_commit(commit).await {
        Err(CommitError::Conflict { version }) => version,
        other => panic!("a conflict was due: {other:?}"),
    }
}

/// Version 0 in a proposal creates; a second creation meets the first.
pub async fn the_first_commit_creates_and_a_taken_code_conflicts(store: Store) {
    let room = code("ABCDEF");
    assert_eq!(store.rooms.room_version(&room).await.expect("answers"), None);
    assert_eq!(text(&store, &room).await, None);
    assert_eq!(made(&store, with(&room, 0, &[("a", Some("1"))])).await, 1);
    assert_eq!(conflict(&store, with(&room, 0, &[("a", Some("2"))])).await, 1);
    assert_eq!(text(&store, &room).await.as_deref(), Some("1 a=1"));
    assert_eq!(store.rooms.room_version(&room).await.expect("answers"), Some(1));
}

/// Compare-and-set.
pub async fn of_two_decisions_on_one_version_one_wins(store: Store) {
    let room = code("ABCDEF");
    made(&store, proposal(&room, 0)).await;
    assert_eq!(made(&store, with(&room, 1, &[("a", Some("first"))])).await, 2);
    assert_eq!(conflict(&store, with(&room, 1, &[("a", Some("second"))])).await, 2);
    assert_eq!(conflict(&store, with(&room, 3, &[("a", Some("too far"))])).await, 2);
    assert_eq!(text(&store, &room).await.as_deref(), Some("2 a=first"));
}

/// Put, replace, delete; the rest stays.
pub async fn a_commit_changes_the_records_that_it_names(store: Store) {
    let (room, other) = (code("ABCDEF"), code("ABCDEG"));
    made(&store, with(&room, 0, &[("b", Some("1")), ("a", Some("1")), ("c", Some("1"))])).await;
    made(&store, with(&other, 0, &[("a", Some("other"))])).await;
    made(&store, with(&room, 1, &[("b", None), ("c", Some("2")), ("d", Some("")), ("never", None)])).await;
    assert_eq!(text(&store, &room).await.as_deref(), Some("2 a=1 c=2 d="));
    assert_eq!(text(&store, &other).await.as_deref(), Some("1 a=other"));
}

/// Whole or not at all.
pub async fn a_refused_commit_stores_nothing(store: Store) {
    let room = code("ABCDEF");
    made(&store, Commit { fence: Some(Fence(5)), ..with(&room, 0, &[("a", Some("1"))]) }).await;
    conflict(&store, Commit { fence: Some(Fence(9)), ..with(&room, 7, &[("a", None), ("b", Some("2"))]) })
        .await;
    assert_eq!(text(&store, &room).await.as_deref(), Some("1 a=1"));
    // Fence 9 was not stored either: 5 may still write.
    made(&store, Commit { fence: Some(Fence(5)), ..proposal(&room, 1) }).await;
}

/// The newest fence that wrote is remembered, over commits without one too.
pub async fn an_older_fence_is_refused_and_a_newer_one_stays(store: Store) {
    let room = code("ABCDEF");
    let fenced = |expected, fence| Commit { fence: Some(Fence(fence)), ..proposal(&room, expected) };
    made(&store, proposal(&room, 0)).await;
    assert_eq!(made(&store, fenced(1, 3)).await, 2);
    assert_eq!(made(&store, fenced(2, 3)).await, 3);
    assert_eq!(made(&store, proposal(&room, 3)).await, 4);
    assert!(matches!(store.rooms.room_commit(fenced(4, 2)).await, Err(CommitError::Fenced)));
    // Whoever has lost the lease hears of that, not of the version.
    assert!(matches!(store.rooms.room_commit(fenced(1, 2)).await, Err(CommitError::Fenced)));
    assert_eq!(made(&store, fenced(4, 4)).await, 5);
    assert!(matches!(store.rooms.room_commit(fenced(5, 3)).await, Err(CommitError::Fenced)));
    assert_eq!(store.rooms.room_version(&room).await.expect("answers"), Some(5));
}

/// Nothing can be decided on a room that is not there.
pub async fn a_room_that_is_not_there_is_gone(store: Store) {
    let room = code("ABCDEF");
    assert!(matches!(store.rooms.room_commit(proposal(&room, 4)).await, Err(CommitError::Gone)));
    assert_eq!(text(&store, &room).await, None);
}

/// Offers the room at `version` with these records.
async fn restore(
    store: &Store,
    room: &RoomCode,
    expected: u64,
    version: u64,
    records: &[(&str, &str)],
) -> Result<u64, CommitError> {
    let records = records.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect();
    let restore = Restore {
        code: room.clone(),
        expected,
        room: StoredRoom { version, records },
        news: b"restored".to_vec(),
        origin: node("two"),
        expires_at: None,
        lineage: None,
    };
    store.rooms.room_restore(restore).await
}

/// What is not in it vanishes; followers hear the version; the next commit follows on it.
pub async fn a_restore_replaces_the_whole_room_and_keeps_its_fence(store: Store) {
    let room = code("ABCDEF");
    made(&store, Commit { fence: Some(Fence(7)), ..with(&room, 0, &[("a", Some("1")), ("b", Some("2"))]) })
        .await;
    let mut feed = store.rooms.room_follow(&room).await.expect("follows");
    assert_eq!(restore(&store, &room, 1, 5, &[("b", "new"), ("c", "3")]).await.expect("is restored"), 5);
    assert_eq!(text(&store, &room).await.as_deref(), Some("5 b=new c=3"));
    assert_eq!(hears(&mut *feed).await, (5, "two".to_owned(), "restored".to_owned()));
    let older = Commit { fence: Some(Fence(6)), ..proposal(&room, 5) };
    assert!(matches!(store.rooms.room_commit(older).await, Err(CommitError::Fenced)));
    assert_eq!(made(&store, with(&room, 5, &[("c", None)])).await, 6);
    assert_eq!(text(&store, &room).await.as_deref(), Some("6 b=new"));
    let gone = code("ABCDEG");
    assert_eq!(restore(&store, &gone, 0, 3, &[("a", "1")]).await.expect("nothing is in its way"), 3);
    assert_eq!(text(&store, &gone).await.as_deref(), Some("3 a=1"));
    assert!(store.rooms.rooms_after(None, 9).await.expect("answers").contains(&gone));
}

/// Of two that remember, the newer wins, in whichever order they come; nothing is taken back.
pub async fn a_restore_needs_what_it_found_and_only_goes_forward(store: Store) {
    let room = code("ABCDEF");
    let refused = async |expected, version| match restore(&store, &room, expected, version, &[]).await {
        Err(CommitError::Conflict { version }) => version,
        other => panic!("a conflict was due: {other:?}"),
    };
    assert_eq!(refused(1, 2).await, 0, "nothing is stored");
    made(&store, with(&room, 0, &[("a", Some("1"))])).await;
    for (expected, version) in [(0, 9), (2, 9), (1, 1), (1, 0)] {
        assert_eq!(refused(expected, version).await, 1, "{version} upon {expected}");
    }
    assert_eq!(text(&store, &room).await.as_deref(), Some("1 a=1"));
    restore(&store, &room, 1, 4, &[]).await.expect("is restored");
    assert_eq!(refused(1, 6).await, 4);
    assert_eq!(restore(&store, &room, 4, 6, &[]).await.expect("newer still"), 6);
}

/// With the same answers.
pub async fn a_durable_commit_is_a_commit(store: Store) {
    let room = code("ABCDEF");
    let durable = |expected| Commit { durable: true, ..with(&room, expected, &[("a", Some("1"))]) };
    assert_eq!(made(&store, durable(0)).await, 1);
    assert_eq!(conflict(&store, durable(0)).await, 1);
    assert_eq!(made(&store, durable(1)).await, 2);
    assert_eq!(text(&store, &room).await.as_deref(), Some("2 a=1"));
}

/// Nothing is done; with the name of the store's own memory, as without one, it is.
pub async fn what_was_decided_on_another_memory_is_refused(store: Store) {
    let room = code("ABCDEF");
    let own = store.rooms.room_lineage(&room).await.expect("answers");
    let decided = |expected, lineage: &Lineage| Commit {
        lineage: Some(Lineage::clone(lineage)),
        ..with(&room, expected, &[("a", Some("1"))])
    };
    let other = "another memory".into();
    let refused = store.rooms.room_commit(decided(0, &other)).await;
    assert!(matches!(refused, Err(CommitError::OtherLineage)), "{refused:?}");
    assert_eq!(text(&store, &room).await, None);
    assert_eq!(made(&store, decided(0, &own)).await, 1);
    let refused = store.rooms.room_commit(decided(7, &other)).await;
    assert!(matches!(refused, Err(CommitError::OtherLineage)), "{refused:?}");
    let (stored, origin) = (StoredRoom { version: 5, ..StoredRoom::default() }, node("two"));
    let (news, expires_at) = (Vec::new(), None);
    let back = Restore {
        code: room.clone(),
        expected: 1,
        room: stored,
        news,
        origin,
        expires_at,
        lineage: Some(other),
    };
    let refused = store.rooms.room_restore(back.clone()).await;
    assert!(matches!(refused, Err(CommitError::OtherLineage)), "{refused:?}");
    assert_eq!(text(&store, &room).await.as_deref(), Some("1 a=1"));
    let back = Restore { lineage: Some(own), ..back };
    assert_eq!(store.rooms.room_restore(back).await.expect("is restored"), 5);
}

async fn hears(feed: &mut dyn RoomFeed) -> (u64, String, String) {
    match soon(feed.next()).await {
        Some(RoomChange::Committed { version, origin, news, .. }) => {
            (version, origin.to_string(), String::from_utf8_lossy(&news).into_owned())
        }
        other => panic!("a commit was due: {other:?}"),
    }
}

/// From the following on: every commit, in order, with origin and news; nothing of before, nothing refused.
pub async fn followers_hear_every_commit_in_order(store: Store) {
    let room = code("ABCDEF");
    let said = |expected, origin: &str, news: &str| Commit {
        origin: node(origin),
        news: news.as_bytes().to_vec(),
        ..proposal(&room, expected)
    };
    let mut early = store.rooms.room_follow(&room).await.expect("follows before there is a room");
    made(&store, said(0, "one", "")).await;
    made(&store, said(1, "two", "hello")).await;
    let mut late = store.rooms.room_follow(&room).await.expect("follows");
    conflict(&store, said(1, "two", "refused")).await;
    made(&store, said(2, "one", "bye")).await;
    let third = (3, "one".to_owned(), "bye".to_owned());
    assert_eq!(hears(&mut *late).await, third);
    assert_eq!(hears(&mut *early).await, (1, "one".to_owned(), String::new()));
    assert_eq!(hears(&mut *early).await, (2, "two".to_owned(), "hello".to_owned()));
    assert_eq!(hears(&mut *early).await, third);
}

/// Who has the version before and adds what is told of a commit has what is stored.
pub async fn what_is_told_of_a_commit_adds_up(store: Store) {
    let room = code("ABCDEF");
    let lineage = store.rooms.room_lineage(&room).await.expect("is named");
    let mut feed = store.rooms.room_follow(&room).await.expect("follows");
    let large = "x".repeat(100_000);
    let writes: [&[(&str, Option<&str>)]; 6] = [
        &[("a", Some("1")), ("b", Some("2"))],
        &[("a", None), ("c", Some(""))],
        &[],
        &[("b", Some(&large))],
        &[("b", Some("3"))],
        &[("a", Some("4")), ("none", None)],
    ];
    let mut known = StoredRoom::default();
    for (expected, write) in (0..).zip(writes) {
        let commit = Commit { lineage: Some(lineage.clone()), ..with(&room, expected, write) };
        made(&store, commit).await;
        let stored = store.rooms.room_load(&room).await.expect("answers").expect("there");
        match soon(feed.next()).await {
            Some(RoomChange::Committed { version, delta: Some(delta), .. }) => {
                assert_eq!(delta.lineage, lineage);
                known.version = version;
                for (key, value) in &delta.records {
                    match value {
                        Some(value) => known.records.insert(key.clone(), value.clone()),
                        None => known.records.remove(key),
                    };
                }
            }
            Some(RoomChange::Committed { delta: None, .. }) => known = stored.clone(),
            other => panic!("a commit was due: {other:?}"),
        }
        assert_eq!(known, stored);
    }
}

/// Rooms are apart.
pub async fn a_follower_of_one_room_hears_nothing_of_another(store: Store) {
    let (room, other) = (code("ABCDEF"), code("ABCDEG"));
    let mut feed = store.rooms.room_follow(&room).await.expect("follows");
    made(&store, Commit { news: b"foreign".to_vec(), ..proposal(&other, 0) }).await;
    made(&store, Commit { news: b"own".to_vec(), ..proposal(&room, 0) }).await;
    assert_eq!(hears(&mut *feed).await.2, "own");
}

/// A follower that does not listen costs a bounded amount, and learns that it missed something.
pub async fn a_follower_that_falls_behind_is_told(store: Store) {
    let room = code("ABCDEF");
    let mut feed = store.rooms.room_follow(&room).await.expect("follows");
    let commits = 3000;
    for expected in 0..commits {
        made(&store, proposal(&room, expected)).await;
    }
    let (mut lagged, mut last) = (false, 0);
    while last < commits {
        match soon(feed.next()).await.expect("the store is open") {
            RoomChange::Lagged => lagged = true,
            RoomChange::Committed { version, .. } => {
                assert!(version == last + 1 || lagged, "a gap from {last} to {version} without a word");
                assert!(version > last);
                last = version;
            }
        }
    }
}

/// Every acknowledged commit is in the room, each on the version before it.
pub async fn many_writers_make_one_order(store: Store) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 10;
    let room = code("ABCDEF");
    made(&store, proposal(&room, 0)).await;
    let mut feed = store.rooms.room_follow(&room).await.expect("follows");
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, room) = (store.clone(), room.clone());
            tokio::spawn(async move {
                for number in 0..EACH {
                    let key = format!("{writer}-{number}");
                    let mut expected =
                        store.rooms.room_version(&room).await.expect("answers").expect("there");
                    loop {
                        match store.rooms.room_commit(with(&room, expected, &[(&key, Some("x"))])).await {
                            Ok(_) => break,
                            Err(CommitError::Conflict { version }) => expected = version,
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            })
        })
        .collect();
    for version in 2..=WRITERS * EACH + 1 {
        // 80 commits may outrun a follower that is scheduled late; then it is told.
        match soon(feed.next()).await.expect("the store is open") {
            RoomChange::Committed { version: heard, .. } => assert_eq!(heard, version),
            RoomChange::Lagged => break,
        }
    }
    for writer in writers {
        writer.await.expect("the writer ends well");
    }
    let stored = store.rooms.room_load(&room).await.expect("answers").expect("there");
    assert_eq!((stored.version, stored.records.len() as u64), (WRITERS * EACH + 1, WRITERS * EACH));
}

/// In order of code, after a code that need not exist.
pub async fn codes_come_in_pages(store: Store) {
    let codes = ["ABCDE2", "ABCDEF", "ABCDEFG", "ABCDEH"].map(code);
    for room in codes.iter().rev() {
        made(&store, proposal(room, 0)).await;
    }
    let page =
        async |after: Option<&RoomCode>, limit| store.rooms.rooms_after(after, limit).await.expect("answers");
    assert_eq!(page(None, 10).await, codes);
    assert_eq!(page(None, 3).await, codes[..3]);
    assert_eq!(page(Some(&codes[2]), 3).await, codes[3..]);
    assert_eq!(page(Some(&code("ABCDE3")), 1).await, codes[1..2]);
    assert_eq!(page(Some(&codes[3]), 3).await, []);
}

/// From `expires_at` on, and not where a later commit took it back.
pub async fn a_purge_deletes_what_has_expired_and_its_memberships(store: Store) {
    let (ended, kept, revived) = (code("ABCDEF"), code("ABCDEG"), code("ABCDEH"));
    let anna = member("anna");
    for room in [&ended, &kept, &revived] {
        store.rooms.membership_put(&anna, room).await.expect("is stored");
    }
    made(&store, with(&ended, 0, &[("a", Some("old"))])).await;
    made(&store, Commit { expires_at: Some(START), fence: Some(Fence(9)), ..proposal(&ended, 1) }).await;
    made(&store, proposal(&kept, 0)).await;
    made(&store, Commit { expires_at: Some(START), ..proposal(&revived, 0) }).await;
    made(&store, proposal(&revived, 1)).await;
    assert_eq!(store.rooms.rooms_purge(START.minus_ms(1)).await.expect("answers"), 0);
    assert_eq!(store.rooms.rooms_purge(START).await.expect("answers"), 1);
    assert_eq!(text(&store, &ended).await, None);
    assert!(matches!(store.rooms.room_commit(proposal(&ended, 2)).await, Err(CommitError::Gone)));
    assert_eq!(store.rooms.memberships(&anna).await.expect("answers"), [kept, revived]);
    // The code is free, and nothing of the former room is in the new one, its fence neither.
    made(&store, Commit { fence: Some(Fence(1)), ..proposal(&ended, 0) }).await;
    assert_eq!(text(&store, &ended).await.as_deref(), Some("1"));
}

/// By member, once each; before there is a room too.
pub async fn memberships_come_in_order_and_can_be_forgotten(store: Store) {
    let (anna, ben) = (member("anna"), member("ben"));
    let (first, second) = (code("ABCDEF"), code("ABCDEG"));
    for room in [&second, &first, &second] {
        store.rooms.membership_put(&anna, room).await.expect("is stored");
    }
    store.rooms.membership_put(&ben, &second).await.expect("is stored");
    assert_eq!(store.rooms.memberships(&anna).await.expect("answers"), [first.clone(), second.clone()]);
    store.rooms.membership_delete(&anna, &second).await.expect("is forgotten");
    store.rooms.membership_delete(&anna, &second).await.expect("nothing to forget is fine");
    assert_eq!(store.rooms.memberships(&anna).await.expect("answers"), [first]);
    assert_eq!(store.rooms.memberships(&ben).await.expect("answers"), [second]);
}
