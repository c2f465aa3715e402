//! Laws of counters and pauses.

use super::START;
use crate::Store;

/// Not with the clock's minute; a later `window_ms` changes nothing in a window that runs.
pub async fn a_window_begins_with_its_first_count(store: Store) {
    let count = async |name, window_ms, at| {
        store.limits.limit_count(name, window_ms, START.plus_ms(at)).await.expect("answers")
    };
    let peek = async |name, at| store.limits.limit_peek(name, START.plus_ms(at)).await.expect("answers");
    assert_eq!(peek("joins", 0).await, 0);
    assert_eq!(count("joins", 1000, 0).await, (1, START.plus_ms(1000)));
    assert_eq!(count("joins", 5000, 999).await, (2, START.plus_ms(1000)));
    assert_eq!(count("other", 1000, 999).await, (1, START.plus_ms(1999)));
    assert_eq!((peek("joins", 999).await, peek("joins", 999).await, peek("joins", 1000).await), (2, 2, 0));
    assert_eq!(count("joins", 1000, 1500).await, (1, START.plus_ms(2500)));
    assert_eq!(peek("other", 1500).await, 1, "another window's end does not end this one");
}

/// None is lost.
pub async fn counts_of_many_callers_all_count(store: Store) {
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(
                async move { store.limits.limit_count("calls", 1000, START).await.expect("answers").0 },
            )
        })
        .collect();
    let mut counts = Vec::new();
    for task in tasks {
        counts.push(task.await.expect("ends well"));
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<_>>());
}

/// A shorter one never shortens it.
pub async fn the_longer_pause_stays(store: Store) {
    for lasts in [1000, 3000, 2000] {
        store.limits.pause_put("app/player", START.plus_ms(lasts)).await.expect("is stored");
    }
    let at = async |at| store.limits.pauses("", START.plus_ms(at)).await.expect("answers");
    assert_eq!(at(2999).await, [("app/player".to_owned(), START.plus_ms(3000))]);
    assert_eq!(at(3000).await, []);
    store.limits.pause_put("app/player", START.plus_ms(5000)).await.expect("is stored");
    assert_eq!(at(3000).await.len(), 1);
}

/// The prefix is text, not a pattern.
pub async fn pauses_are_found_by_prefix_in_order(store: Store) {
    for name in ["b/x", "a/z", "a", "a%", "a/b", "A/b"] {
        store.limits.pause_put(name, START.plus_ms(1000)).await.expect("is stored");
    }
    let names = async |prefix: &str| {
        let found = store.limits.pauses(prefix, START).await.expect("answers");
        found.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    };
    for (prefix, expected) in [("a/", "a/b a/z"), ("a%", "a%"), ("", "A/b a a% a/b a/z b/x"), ("c", "")] {
        assert_eq!(names(prefix).await, expected, "{prefix:?}");
    }
}
