//! The SQLite engine keeps the laws, and what is its own: the directory, the file, the process.

mod directory;
mod kill;
mod life;

use std::path::Path;

use store::Commit;
use store::sqlite::Sqlite;

store::conformance!(|| async {
    let dir = tempfile::tempdir().expect("a directory");
    let sqlite = open(dir.path());
    (sqlite.store(), (sqlite, dir))
});

fn open(dir: &Path) -> Sqlite {
    Sqlite::open(dir).expect("the store opens")
}

/// A commit to room `ABCDEF` that sets one record.
fn commit(expected: u64, key: &str, value: &[u8]) -> Commit {
    Commit {
        code: "ABCDEF".parse().expect("a code"),
        expected,
        records: vec![(key.to_owned(), Some(value.to_vec()))],
        fence: None,
        news: Vec::new(),
        origin: "one".parse().expect("an id"),
        expires_at: None,
        durable: false,
        lineage: None,
    }
}
