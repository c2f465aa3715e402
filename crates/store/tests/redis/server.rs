//! Real servers on free ports of the loopback interface. They end with their guards.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whatever is waited for comes within this time, or the test fails.
const PATIENCE: Duration = Duration::from_mins(1);
/// A port that was free may be taken before the server has it.
const TRIES: u32 = 5;

/// A running `redis-server`.
pub(crate) struct Server {
    pub(crate) port: u16,
    arguments: Vec<String>,
    dir: tempfile::TempDir,
    child: Child,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Lines>,
    more: Condvar,
}

#[derive(Default)]
struct Lines {
    unread: VecDeque<String>,
    ended: bool,
}

impl Log {
    /// Takes lines until one contains `what`; `false` where the output ends before.
    fn wait_for(&self, what: &str) -> bool {
        let until = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            while let Some(line) = lines.unread.pop_front() {
                if line.contains(what) {
                    return true;
                }
            }
            if lines.ended {
                return false;
            }
            let left = until.checked_duration_since(Instant::now());
            let left = left.unwrap_or_else(|| panic!("{what:?} was never logged"));
            lines = self.more.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

fn spawn(port: u16, dir: &Path, arguments: &[String]) -> (Child, Arc<Log>) {
    let mut child = Command::new("redis-server")
        .args(arguments)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let log = Arc::new(Log::default());
    let heard = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            heard.lines.lock().unwrap_or_else(PoisonError::into_inner).unread.push_back(line);
            heard.more.notify_all();
        }
        heard.lines.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        heard.more.notify_all();
    });
    (child, log)
}

const READY: &str = "Ready to accept connections";

impl Server {
    /// A server that keeps nothing on disk.
    pub(crate) fn start(more: &[&str]) -> Self {
        let fixed = ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"];
        let arguments = fixed.iter().chain(more).map(ToString::to_string).collect::<Vec<_>>();
        Self::until(READY, |_| arguments.clone())
    }

    /// A replica of that server, in step with it.
    pub(crate) fn replica_of(primary: &Self) -> Self {
        let port = primary.port.to_string();
        let replica = Self::start(&["--replicaof", "127.0.0.1", &port]);
        assert!(replica.log.wait_for("sync: Finished with success"), "the replica has synchronized");
        replica
    }

    /// A Sentinel that watches that server under the name `main`, alone, and knows its replica.
    pub(crate) fn sentinel_of(primary: &Self) -> Self {
        let port = primary.port;
        Self::until("+slave slave", |dir| {
            let file = dir.join("sentinel.conf");
            let text = format!(
                "sentinel monitor main 127.0.0.1 {port} 1\nsentinel down-after-milliseconds main 1000\n\
                 sentinel failover-timeout main 3000\n"
            );
            std::fs::write(&file, text).expect("is written");
            vec![file.display().to_string(), "--sentinel".to_owned()]
        })
    }

    fn until(ready: &str, arguments: impl Fn(&Path) -> Vec<String>) -> Self {
        for _ in 0..TRIES {
            let (port, dir) = (free_port(), tempfile::tempdir().expect("a directory"));
            let arguments = arguments(dir.path());
            let (child, log) = spawn(port, dir.path(), &arguments);
            let mut server = Self { port, arguments, dir, child, log };
            if server.log.wait_for(ready) {
                return server;
            }
            server.kill();
        }
        panic!("redis-server does not start");
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The same server again, empty.
    pub(crate) fn restart(&mut self) {
        self.kill();
        (self.child, self.log) = spawn(self.port, self.dir.path(), &self.arguments);
        assert!(self.log.wait_for(READY), "the port is still free");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is installed").success());
    }

    /// What `redis-cli` says to that command.
    pub(crate) fn cli(&self, command: &[&str]) -> String {
        let port = self.port.to_string();
        let said = Command::new("redis-cli").args(["-p", &port]).args(command).output();
        String::from_utf8_lossy(&said.expect("redis-cli is installed").stdout).trim().to_owned()
    }

    /// Waits until its log says so.
    pub(crate) fn logs(&self, what: &str) {
        assert!(self.log.wait_for(what), "{what:?} before the end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Three nodes that share the slots.
pub(crate) fn cluster() -> Vec<Server> {
    let nodes: Vec<(Server, String)> = (0..3)
        .map(|_| {
            let bus = free_port().to_string();
            let more = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--cluster-port", &bus];
            (Server::start(&more), bus)
        })
        .collect();
    let ranges = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
    for (at, ((node, _), (first, last))) in nodes.iter().zip(ranges).enumerate() {
        assert_eq!(node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]), "OK");
        assert_eq!(node.cli(&["CLUSTER", "ADDSLOTSRANGE", first, last]), "OK");
        let (other, bus) = &nodes[0];
        if at > 0 {
            assert_eq!(node.cli(&["CLUSTER", "MEET", "127.0.0.1", &other.port.to_string(), bus]), "OK");
        }
    }
    let nodes: Vec<Server> = nodes.into_iter().map(|(node, _)| node).collect();
    for node in &nodes {
        node.logs("Cluster state changed: ok");
    }
    nodes
}
