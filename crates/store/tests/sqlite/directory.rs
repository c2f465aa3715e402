//! Whose directory it is, and which files are refused. What is refused is left as it was, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use store::sqlite::{OpenError, Sqlite};

use super::{commit, open};

/// A directory with a store in it that was closed in order.
async fn closed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let sqlite = open(dir.path());
    for number in 0..50 {
        let made =
            sqlite.store().rooms.room_commit(commit(number, &format!("key-{number}"), &[7; 3000])).await;
        made.expect("the commit is made");
    }
    sqlite.shutdown().await;
    dir
}

/// Every file but the lock and SQLite's index of the log, which holds nothing of its own.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("readable").map(|entry| entry.expect("readable"));
    let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let kept = named.filter(|(name, _)| name != "lock" && !name.ends_with("-shm"));
    kept.map(|(name, path)| (name, fs::read(path).expect("readable"))).collect()
}

fn refused(dir: &Path) -> OpenError {
    let before = files(dir);
    let Err(error) = Sqlite::open(dir) else { panic!("it must not open") };
    assert!(files(dir) == before, "the files were touched: {error}");
    error
}

#[test]
fn a_directory_is_made_for_its_owner_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("below/parlor-data");
    let _sqlite = open(&data);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in ["parlor.db", "parlor.db-wal", "lock"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_directory_in_use_is_refused_until_it_is_let_go() {
    let dir = tempfile::tempdir().expect("a directory");
    let sqlite = open(dir.path());
    let error = Sqlite::open(dir.path()).err().expect("it is in use");
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error} names the directory");
    sqlite.shutdown().await;
    open(dir.path());
}

#[test]
fn what_cannot_be_a_directory_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, "not a directory").expect("is written");
    assert!(matches!(Sqlite::open(&file).err(), Some(OpenError::Io { .. })));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let dir = closed().await;
    let database = dir.path().join("parlor.db");
    let connection = Connection::open(&database).expect("opens");
    connection.pragma_update(None, "user_version", 999).expect("is set");
    connection.close().expect("closes");
    let error = refused(dir.path());
    assert!(matches!(error, OpenError::Newer { found: 999, .. }), "{error}");
    assert!(error.to_string().contains("newer Parlor"), "{error}");
}

/// The version in the log counts, not the one in the file below it.
#[tokio::test]
async fn a_newer_version_that_is_only_in_the_log_is_seen() {
    let dir = closed().await;
    let crashed = tempfile::tempdir().expect("a directory");
    let connection = Connection::open(dir.path().join("parlor.db")).expect("opens");
    connection.pragma_update(None, "user_version", 999).expect("is set");
    for file in ["parlor.db", "parlor.db-wal"] {
        fs::copy(dir.path().join(file), crashed.path().join(file)).expect("is copied");
    }
    let error = refused(crashed.path());
    assert!(matches!(error, OpenError::Newer { found: 999, .. }), "{error}");
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let sqlite = tempfile::tempdir().expect("a directory");
    Connection::open(sqlite.path().join("other.db"))
        .and_then(|connection| {
            connection.execute_batch("CREATE TABLE room (x); INSERT INTO room VALUES (1);")
        })
        .expect("another program's database");
    let another = fs::read(sqlite.path().join("other.db")).expect("readable");
    let text = b"Dear diary, ".repeat(1000);
    for (what, content) in
        [("empty", vec![]), ("short", b"SQLite".to_vec()), ("text", text), ("other", another)]
    {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("parlor.db"), content).expect("is written");
        let error = refused(dir.path());
        assert!(matches!(error, OpenError::Foreign { .. }), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let dir = closed().await;
    let whole = fs::read(dir.path().join("parlor.db")).expect("readable");
    let middle = whole.len() / 2;
    let overwritten = |from: usize, bytes: usize| {
        let mut damaged = whole.clone();
        damaged[from..from + bytes].fill(0xa5);
        damaged
    };
    let cases = [
        ("cut off", whole[..middle].to_vec()),
        ("only a header", whole[..100].to_vec()),
        ("the schema overwritten", overwritten(100, 2000)),
        ("the middle overwritten", overwritten(middle / 4096 * 4096, 8192)),
    ];
    for (what, content) in cases {
        let damaged = tempfile::tempdir().expect("a directory");
        fs::write(damaged.path().join("parlor.db"), content).expect("is written");
        let error = refused(damaged.path());
        assert!(matches!(error, OpenError::Damaged { .. }), "{what}: {error}");
    }
}

/// As after a `kill -9` and a failing disk: there is a log to be read first.
#[tokio::test]
async fn a_damaged_file_with_a_log_is_refused() {
    let dir = closed().await;
    let sqlite = open(dir.path());
    sqlite.store().rooms.room_commit(commit(50, "last", b"in the log")).await.expect("is made");
    let crashed = tempfile::tempdir().expect("a directory");
    let mut database = fs::read(dir.path().join("parlor.db")).expect("readable");
    let middle = database.len() / 8192 * 4096;
    database[middle..middle + 8192].fill(0xa5);
    fs::write(crashed.path().join("parlor.db"), database).expect("is written");
    fs::copy(dir.path().join("parlor.db-wal"), crashed.path().join("parlor.db-wal")).expect("is copied");
    assert!(fs::metadata(crashed.path().join("parlor.db-wal")).expect("there").len() > 0);
    let error = refused(crashed.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

/// A new database beside an old log would be filled from it.
#[tokio::test]
async fn a_log_without_its_database_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("parlor.db-wal"), b"a log").expect("is written");
    let error = refused(dir.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

/// What a crash left half made is made anew.
#[test]
fn an_unfinished_database_is_no_obstacle() {
    let dir = tempfile::tempdir().expect("a directory");
    for file in ["parlor.db.new", "parlor.db.new-wal", "parlor.db.new-journal"] {
        fs::write(dir.path().join(file), b"half made").expect("is written");
    }
    open(dir.path());
    assert!(!dir.path().join("parlor.db.new").exists());
}
