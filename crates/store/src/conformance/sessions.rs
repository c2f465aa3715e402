//! Laws of sessions and sign-in attempts.

use super::{START, account, member, soon};
use crate::{AttemptRow, Hash, SessionEvent, SessionRow, Store};

fn hash(byte: u8) -> Hash {
    [byte; 32]
}

/// Expires one second after the start.
fn session(byte: u8, data: &str) -> SessionRow {
    SessionRow {
        hash: hash(byte),
        member: member("anna"),
        account: None,
        expires_at: START.plus_ms(1000),
        data: data.as_bytes().to_vec(),
    }
}

fn attempt(byte: u8, lives_ms: u64) -> AttemptRow {
    AttemptRow { state: hash(byte), expires_at: START.plus_ms(lives_ms), data: vec![byte] }
}

async fn stored(store: &Store, row: SessionRow) {
    assert!(store.sessions.session_insert(row).await.expect("answers"), "the hash is free");
}

async fn found(store: &Store, byte: u8) -> Option<SessionRow> {
    store.sessions.session_get(&hash(byte), START).await.expect("answers")
}

/// Nobody can plant a session under a hash that lives.
pub async fn a_hash_that_exists_is_left_as_it_is(store: Store) {
    let row = SessionRow { account: Some(account("spotify-anna")), ..session(1, "first") };
    stored(&store, row.clone()).await;
    assert!(!store.sessions.session_insert(session(1, "second")).await.expect("answers"));
    assert_eq!(found(&store, 1).await, Some(row));
    assert_eq!(found(&store, 2).await, None);
}

/// From `expires_at` on, in every way of asking.
pub async fn what_has_expired_is_not_found(store: Store) {
    let row = SessionRow { account: Some(account("spotify-anna")), ..session(1, "") };
    stored(&store, row.clone()).await;
    for (at, expected) in [(999, vec![row]), (1000, vec![]), (1001, vec![])] {
        let now = START.plus_ms(at);
        let got = store.sessions.session_get(&hash(1), now).await.expect("answers");
        assert_eq!(got, expected.first().cloned(), "{at} ms later");
        assert_eq!(store.sessions.sessions_of_member(&member("anna"), now).await.expect("answers"), expected);
        let of_account = store.sessions.sessions_of_account(&account("spotify-anna"), now).await;
        assert_eq!(of_account.expect("answers"), expected);
    }
    let late = store.sessions.session_rotate(&hash(1), session(2, ""), START.plus_ms(1000)).await;
    assert!(!late.expect("answers"), "what has expired cannot be rotated");
}

/// Nothing in flight brings it back.
pub async fn a_deleted_session_stays_deleted(store: Store) {
    stored(&store, session(1, "")).await;
    let changed = SessionRow { member: member("ben"), ..session(1, "changed") };
    assert!(store.sessions.session_update(changed.clone()).await.expect("answers"));
    assert_eq!(found(&store, 1).await, Some(changed.clone()));
    assert!(store.sessions.session_delete(&hash(1)).await.expect("answers"));
    assert!(!store.sessions.session_update(changed).await.expect("answers"));
    assert!(!store.sessions.session_rotate(&hash(1), session(2, ""), START).await.expect("answers"));
    assert!(!store.sessions.session_delete(&hash(1)).await.expect("answers"));
    assert_eq!((found(&store, 1).await, found(&store, 2).await), (None, None));
}

/// The old is gone exactly when the new is there.
pub async fn a_rotation_is_one_step(store: Store) {
    stored(&store, session(1, "old")).await;
    let new = SessionRow { account: Some(account("spotify-anna")), ..session(2, "new") };
    assert!(store.sessions.session_rotate(&hash(1), new.clone(), START).await.expect("answers"));
    assert_eq!((found(&store, 1).await, found(&store, 2).await), (None, Some(new)));
}

/// Neither for an old that was never there nor onto a hash that is taken.
pub async fn a_rotation_of_what_is_gone_does_nothing(store: Store) {
    assert!(!store.sessions.session_rotate(&hash(1), session(2, ""), START).await.expect("answers"));
    assert_eq!(found(&store, 2).await, None);
    stored(&store, session(3, "kept")).await;
    stored(&store, session(4, "taken")).await;
    assert!(!store.sessions.session_rotate(&hash(3), session(4, "thief"), START).await.expect("answers"));
    assert_eq!(found(&store, 3).await, Some(session(3, "kept")));
    assert_eq!(found(&store, 4).await, Some(session(4, "taken")));
}

/// In order of hash.
pub async fn sessions_are_found_by_account_and_member(store: Store) {
    let of = |byte, name: &str, spotify: Option<&str>| SessionRow {
        member: member(name),
        account: spotify.map(account),
        ..session(byte, "")
    };
    let rows =
        [of(3, "anna", Some("a")), of(1, "anna", None), of(2, "ben", Some("a")), of(4, "ben", Some("b"))];
    for row in rows {
        stored(&store, row).await;
    }
    let bytes = |rows: Vec<SessionRow>| rows.iter().map(|row| row.hash[0]).collect::<Vec<_>>();
    let of_member =
        async |name| store.sessions.sessions_of_member(&member(name), START).await.expect("answers");
    let of_account =
        async |name| store.sessions.sessions_of_account(&account(name), START).await.expect("answers");
    assert_eq!(bytes(of_member("anna").await), [1, 3]);
    assert_eq!(bytes(of_member("ben").await), [2, 4]);
    assert_eq!(bytes(of_account("a").await), [2, 3]);
    assert_eq!(bytes(of_account("nobody").await), [0; 0]);
    assert!(store.sessions.session_update(of(3, "ben", Some("b"))).await.expect("answers"));
    assert_eq!(bytes(of_member("ben").await), [2, 3, 4]);
    assert_eq!(bytes(of_account("b").await), [3, 4]);
}

/// Updates, rotations, deletions and purges, in order; nothing that did not happen.
pub async fn followers_hear_ends_and_changes(store: Store) {
    stored(&store, session(1, "")).await;
    let mut feed = store.sessions.sessions_follow().await.expect("follows");
    stored(&store, session(2, "")).await;
    assert!(!store.sessions.session_delete(&hash(9)).await.expect("answers"));
    assert!(!store.sessions.session_update(session(9, "")).await.expect("answers"));
    assert!(store.sessions.session_update(session(1, "changed")).await.expect("answers"));
    assert!(store.sessions.session_rotate(&hash(1), session(3, ""), START).await.expect("answers"));
    assert!(store.sessions.session_delete(&hash(2)).await.expect("answers"));
    assert_eq!(store.sessions.sessions_purge(START.plus_ms(1000)).await.expect("answers"), 1);
    let ended = |byte| SessionEvent::Ended(hash(byte));
    for expected in [SessionEvent::Changed(hash(1)), ended(1), ended(2), ended(3)] {
        assert_eq!(soon(feed.next()).await, Some(expected));
    }
}

/// However many come at once.
pub async fn one_of_many_takes_an_attempt(store: Store) {
    store.sessions.attempt_put(attempt(1, 1000), 10, START).await.expect("is stored");
    let takers: Vec<_> = (0..32)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.sessions.attempt_take(&hash(1), START).await.expect("answers") })
        })
        .collect();
    let mut taken = Vec::new();
    for taker in takers {
        taken.extend(taker.await.expect("the taker ends well"));
    }
    assert_eq!(taken, [attempt(1, 1000)]);
}

/// Nor later, with an earlier clock.
pub async fn an_expired_attempt_is_not_taken(store: Store) {
    store.sessions.attempt_put(attempt(1, 1000), 10, START).await.expect("is stored");
    let late = store.sessions.attempt_take(&hash(1), START.plus_ms(1000)).await.expect("answers");
    assert_eq!(late, None);
    assert_eq!(store.sessions.attempt_take(&hash(1), START).await.expect("answers"), None);
}

/// Expired ones do not count, and putting one again does not count twice.
pub async fn beyond_the_cap_the_first_to_expire_goes(store: Store) {
    let put = async |row, at| {
        let now = START.plus_ms(at);
        store.sessions.attempt_put(row, 2, now).await.expect("is stored");
    };
    put(attempt(1, 3000), 0).await;
    put(attempt(2, 2000), 0).await;
    put(attempt(2, 2000), 0).await;
    put(attempt(3, 4000), 0).await;
    let taken = async |byte: u8, at| {
        let now = START.plus_ms(at);
        store.sessions.attempt_take(&hash(byte), now).await.expect("answers").is_some()
    };
    assert!(!taken(2, 0).await, "the first to expire went");
    put(attempt(4, 9000), 3000).await;
    assert!(taken(3, 3000).await, "1 had expired, so nothing else had to go");
    assert!(taken(4, 3000).await);
}

/// Sessions and attempts alike.
pub async fn a_purge_of_sessions_says_how_many_rows(store: Store) {
    stored(&store, session(1, "")).await;
    stored(&store, SessionRow { expires_at: START.plus_ms(5000), ..session(2, "") }).await;
    store.sessions.attempt_put(attempt(1, 1000), 10, START).await.expect("is stored");
    store.sessions.attempt_put(attempt(2, 5000), 10, START).await.expect("is stored");
    let purge = async |at| store.sessions.sessions_purge(START.plus_ms(at)).await.expect("answers");
    assert_eq!((purge(999).await, purge(1000).await, purge(1000).await), (0, 2, 0));
    assert!(found(&store, 2).await.is_some());
    assert!(store.sessions.attempt_take(&hash(2), START).await.expect("answers").is_some());
    // Deleted, not hidden: the hash is free.
    stored(&store, session(1, "again")).await;
}
