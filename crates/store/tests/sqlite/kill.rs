//! `kill -9`, again and again, while a child writes: whatever it acknowledged is there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kernel::{Entropy, SeededEntropy};
use store::CommitError;
use store::sqlite::{OpenError, Sqlite};

use super::{commit, open};

const DIRECTORY: &str = "PARLOR_TEST_CHILD_DIRECTORY";
const KILLS: u32 = 36;
const WRITERS: usize = 4;

/// Not a test of its own: the program of the children. Without the variable it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(dir) = std::env::var_os(DIRECTORY) else { return };
    let sqlite = open(Path::new(&dir));
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(sqlite.clone(), writer))).collect();
    for writer in writers {
        writer.await.expect("ends only by the kill");
    }
}

/// Commits for ever, and says so after each commit.
async fn write(sqlite: Sqlite, writer: usize) {
    let rooms = sqlite.store().rooms;
    let code = "ABCDEF".parse().expect("a code");
    let mut expected = rooms.room_version(&code).await.expect("answers").unwrap_or(0);
    loop {
        let key = format!("{writer}-{expected}");
        match rooms.room_commit(commit(expected, &key, &[1; 700])).await {
            Ok(version) => {
                writeln!(std::io::stdout(), "\nacknowledged {key}").expect("the parent reads");
                expected = version;
            }
            Err(CommitError::Conflict { version }) => expected = version,
            Err(other) => panic!("{other}"),
        }
    }
}

fn start(dir: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "kill::child", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

/// Kills the child after `count` acknowledgements and gives all that it made until then.
fn kill_after(mut child: Child, count: u32) -> Vec<String> {
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).split(b'\n');
    let mut acknowledged = Vec::new();
    let mut left = count;
    // Ends with the child's output; a line that the kill cut off has no keyword or no newline and is not counted.
    while let Some(Ok(line)) = lines.next() {
        let line = String::from_utf8_lossy(&line);
        let Some(key) = line.strip_prefix("acknowledged ") else { continue };
        acknowledged.push(key.to_owned());
        left = left.saturating_sub(1);
        if left == 0 {
            child.kill().expect("it is killed");
        }
    }
    child.wait().expect("it has ended");
    acknowledged
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let dir = tempfile::tempdir().expect("a directory");
    let entropy = SeededEntropy::new(16);
    let code = "ABCDEF".parse().expect("a code");
    let mut acknowledged = BTreeSet::new();
    for kill in 0..KILLS {
        let told = kill_after(start(dir.path()), 1 + entropy.below(60));
        assert!(!told.is_empty(), "kill {kill} was felt");
        acknowledged.extend(told);
        // The lock went with the process.
        let sqlite = open(dir.path());
        let stored = sqlite.store().rooms.room_load(&code).await.expect("answers").expect("there");
        sqlite.shutdown().await;
        assert_eq!(stored.version, stored.records.len() as u64, "one record for each commit");
        let lost: Vec<_> = acknowledged.iter().filter(|key| !stored.records.contains_key(*key)).collect();
        assert!(lost.is_empty(), "after kill {kill}: {lost:?}");
    }
}

#[test]
fn another_process_is_refused_while_one_has_the_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut child = start(dir.path());
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    lines.map_while(Result::ok).find(|line| line.starts_with("acknowledged")).expect("the child has it open");
    let error = Sqlite::open(dir.path()).err().expect("it is in use");
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    open(dir.path());
}
