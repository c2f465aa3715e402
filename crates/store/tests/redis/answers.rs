//! Answers that no caller wants: each becomes a clear error in time, and what comes after them is read rightly.

use std::sync::{Arc, Mutex};

use store::StoreError;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::open;

const HELLO: &str = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n\
                     $4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
const INFO: &str = "$46\r\nredis_version:7.0.0\r\nrun_id:0123456789abcdef\r\n\r\n";
const GOOD: &str = "$1\r\n5\r\n";

/// One command: its words.
async fn command(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let count: usize = line.strip_prefix('*')?.trim().parse().ok()?;
    let mut words = Vec::new();
    for _ in 0..count {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let length: usize = line.strip_prefix('$')?.trim().parse().ok()?;
        let mut word = vec![0; length + 2];
        stream.read_exact(&mut word).await.ok()?;
        words.push(String::from_utf8_lossy(&word[..length]).into_owned());
    }
    Some(words)
}

/// What the server answers to `HGET`, and whether it hangs up after it.
type Said = Arc<Mutex<(Vec<u8>, bool)>>;

async fn serve(stream: TcpStream, said: Said) {
    let mut stream = BufReader::new(stream);
    while let Some(words) = command(&mut stream).await {
        let mut hangs_up = false;
        let answer = match words.first().map_or("", String::as_str) {
            "HELLO" => HELLO.as_bytes().to_vec(),
            "INFO" => INFO.as_bytes().to_vec(),
            "EXISTS" => b":1\r\n".to_vec(),
            "EVAL" | "EVALSHA" => b"$15\r\nparlor layout 1\r\n".to_vec(),
            "PING" => b"+PONG\r\n".to_vec(),
            "HGET" => {
                let said = said.lock().expect("nobody panics with it").clone();
                hangs_up = said.1;
                said.0
            }
            _ => b"+OK\r\n".to_vec(),
        };
        if stream.write_all(&answer).await.is_err() || hangs_up {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_answered_becomes_a_clear_error_and_passes() {
    let said: Said = Arc::new(Mutex::new((GOOD.into(), false)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let told = Arc::clone(&said);
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&told)));
        }
    });
    let redis = open(&format!("redis://127.0.0.1:{port}?deadline=400")).await;
    let rooms = redis.store().rooms;
    let room = "ABCDEF".parse().expect("a code");
    let says =
        |answer: &[u8], hangs_up| *said.lock().expect("nobody panics with it") = (answer.to_vec(), hangs_up);
    let check = async |answer: &[u8], hangs_up: bool, expected: &str| {
        let shown = String::from_utf8_lossy(answer).into_owned();
        says(answer, hangs_up);
        match rooms.room_version(&room).await {
            Err(StoreError::Unavailable(what) | StoreError::Inconsistent { what, .. }) => {
                assert!(what.contains(expected), "{shown:?}: {what}");
            }
            Ok(version) => panic!("{shown:?}: {version:?}"),
        }
        says(GOOD.as_bytes(), false);
        let heals = async {
            while !matches!(rooms.room_version(&room).await, Ok(Some(5))) {
                tokio::task::yield_now().await;
            }
        };
        super::outage::soon(heals).await;
    };
    check(b"-READONLY You can't write against a read only replica.\r\n", false, "").await;
    check(b"-LOADING Redis is loading the dataset in memory\r\n", false, "loads its data").await;
    check(b"-BUSY Redis is busy running a script.\r\n", false, "busy").await;
    check(b"-NOSCRIPT No matching script.\r\n", false, "").await;
    check(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", false, "memory is full").await;
    check(b"-MISCONF Redis is configured to save RDB snapshots\r\n", false, "disk").await;
    check(b"-NOPERM this user has no permissions\r\n", false, "permission").await;
    check(b"-WRONGTYPE Operation against a key\r\n", false, "WRONGTYPE").await;
    // Not what was written there, of another kind, cut off, larger than anything, no Redis at all.
    check(b"$4\r\nfive\r\n", false, "not what was written there").await;
    check(b"*1\r\n:5\r\n", false, "another kind").await;
    check(b"$5\r\n12", true, "").await;
    check(b"$99999999999\r\n1", false, "").await;
    check(b"*2147483647\r\n", false, "").await;
    check(b"HTTP/1.1 400 Bad Request\r\n\r\n", true, "").await;
    drop(rooms);
    server.abort();
}
