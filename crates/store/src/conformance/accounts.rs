//! Laws of accounts.

use super::account;
use crate::{GrantRow, Store};

fn grant(generation: u64, data: &str) -> GrantRow {
    GrantRow { account: account("spotify-anna"), generation, data: data.as_bytes().to_vec() }
}

async fn put(store: &Store, row: GrantRow) -> u64 {
    store.accounts.grant_put(row).await.expect("is stored")
}

async fn update(store: &Store, expected: u64, row: GrantRow) -> bool {
    store.accounts.grant_update(expected, row).await.expect("answers")
}

async fn delete(store: &Store) -> bool {
    store.accounts.grant_delete(&account("spotify-anna")).await.expect("answers")
}

async fn get(store: &Store) -> Option<GrantRow> {
    store.accounts.grant_get(&account("spotify-anna")).await.expect("answers")
}

/// As it was put; each account apart.
pub async fn a_grant_is_kept(store: Store) {
    assert_eq!(get(&store).await, None);
    assert!(!delete(&store).await);
    assert_eq!(put(&store, grant(7, "sealed")).await, 7);
    put(&store, GrantRow { account: account("spotify-ben"), ..grant(1, "other") }).await;
    assert_eq!(get(&store).await, Some(grant(7, "sealed")));
}

/// A new authorization is newer than everything that was, whatever it says of itself.
pub async fn generations_only_grow_over_deletion_too(store: Store) {
    put(&store, grant(1, "")).await;
    assert_eq!(put(&store, grant(1, "again")).await, 2);
    assert!(update(&store, 2, grant(3, "refreshed")).await);
    assert!(delete(&store).await);
    assert_eq!(put(&store, grant(1, "back")).await, 4);
    assert!(delete(&store).await);
    assert_eq!(put(&store, grant(9, "ahead")).await, 9);
    assert!(update(&store, 9, grant(2, "behind")).await);
    assert_eq!(get(&store).await, Some(grant(9, "behind")));
}

/// Compare-and-set.
pub async fn an_update_needs_the_generation_that_it_saw(store: Store) {
    assert!(!update(&store, 0, grant(1, "from nowhere")).await);
    put(&store, grant(1, "first")).await;
    assert!(update(&store, 1, grant(2, "second")).await);
    assert!(!update(&store, 1, grant(2, "late")).await);
    assert!(!update(&store, 3, grant(4, "early")).await);
    assert_eq!(get(&store).await, Some(grant(2, "second")));
}

/// Deletion is final; only a new authorization makes a new row, and that is another generation.
pub async fn work_in_flight_cannot_bring_back_what_was_deleted(store: Store) {
    put(&store, grant(1, "first")).await;
    assert!(delete(&store).await);
    assert!(!update(&store, 1, grant(2, "in flight")).await);
    assert!(!delete(&store).await);
    assert_eq!(get(&store).await, None);
    put(&store, grant(1, "new")).await;
    assert!(!update(&store, 1, grant(2, "still in flight")).await);
    assert_eq!(get(&store).await, Some(grant(2, "new")));
}

/// One refresh per generation reaches the store.
pub async fn of_many_updates_of_one_generation_one_wins(store: Store) {
    put(&store, grant(1, "first")).await;
    let updates: Vec<_> = (0..16)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { update(&store, 1, grant(2, &number.to_string())).await })
        })
        .collect();
    let mut won = Vec::new();
    for (number, task) in updates.into_iter().enumerate() {
        if task.await.expect("the update ends well") {
            won.push(number.to_string());
        }
    }
    let stored = get(&store).await.expect("there");
    assert_eq!(won, [String::from_utf8_lossy(&stored.data)]);
}
