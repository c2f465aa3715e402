//! What a commit costs: `cargo run --release -p store --example commit_cost [DIRECTORY]`.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kernel::{Entropy, NodeId, RoomCode, SeededEntropy};
use store::sqlite::Sqlite;
use store::{Commit, Store};

fn commit(code: &RoomCode, origin: &NodeId, expected: u64, key: &str) -> Commit {
    // About what a vote changes: the ballot and the member.
    let records = vec![("ballot".to_owned(), Some(vec![7; 400])), (key.to_owned(), Some(vec![7; 150]))];
    let (code, origin) = (code.clone(), origin.clone());
    Commit {
        code,
        expected,
        records,
        fence: None,
        news: vec![1; 40],
        origin,
        expires_at: None,
        durable: false,
        lineage: None,
    }
}

fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").expect("standard output");
}

fn spread(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_nanos() as f64 / 1000.0;
    say(&format!(
        "{what:<46} p50 {:>7.1} us   p99 {:>7.1} us   p99.9 {:>8.1} us",
        at(0.5),
        at(0.99),
        at(0.999)
    ));
}

async fn one_after_another(store: &Store, code: &RoomCode, mut version: u64, count: usize) -> Vec<Duration> {
    let origin = "one".parse().expect("an id");
    let mut took = Vec::with_capacity(count);
    for number in 0..count {
        let proposal = commit(code, &origin, version, &format!("member/{:05}", number * 7919 % 10_000));
        let began = Instant::now();
        version = store.rooms.room_commit(proposal).await.expect("is made");
        took.push(began.elapsed());
    }
    took
}

/// Commits per second of `writers` rooms at once, all new.
async fn together(store: &Store, entropy: &dyn Entropy, writers: usize, each: usize) -> f64 {
    let codes: Vec<_> = (0..writers).map(|_| RoomCode::generate(entropy, 8)).collect();
    let began = Instant::now();
    let tasks: Vec<_> = codes
        .into_iter()
        .map(|code| {
            let store = store.clone();
            tokio::spawn(async move { one_after_another(&store, &code, 0, each).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("ends well");
    }
    (writers * each) as f64 / began.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    let temporary = tempfile::tempdir().expect("a directory");
    let dir = std::env::args().nth(1).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let sqlite = Sqlite::open(&dir).expect("opens");
    let store = sqlite.store();
    let small = "SMA222".parse().expect("a code");
    spread("commit, alone, small room", one_after_another(&store, &small, 0, 20_000).await);

    let large = "BGG222".parse().expect("a code");
    let origin = "one".parse().expect("an id");
    let members = (0..10_000).map(|number| (format!("member/{number:05}"), Some(vec![7; 150]))).collect();
    let first = Commit { records: members, ..commit(&large, &origin, 0, "") };
    store.rooms.room_commit(first).await.expect("is made");
    spread("commit, alone, room of 10,000", one_after_another(&store, &large, 1, 20_000).await);

    let mut took = Vec::new();
    for _ in 0..20_000 {
        let began = Instant::now();
        store.rooms.room_version(&small).await.expect("answers");
        took.push(began.elapsed());
    }
    spread("read of a version, alone", took);
    let mut took = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        store.rooms.room_load(&large).await.expect("answers");
        took.push(began.elapsed());
    }
    spread("load of a room of 10,000", took);
    let entropy = SeededEntropy::new(1);
    for writers in [8, 64, 256] {
        say(&format!(
            "{writers:>3} rooms at once: {:>6.0} commits/s",
            together(&store, &entropy, writers, 200).await
        ));
    }
    sqlite.shutdown().await;
}
