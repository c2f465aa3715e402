//! Redis servers of the test's own.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::{SOON, tick};

/// A Sentinel's name for the primary that it watches.
pub(crate) const PRIMARY: &str = "main";
/// Neither saved nor logged.
const FORGETFUL: [&str; 4] = ["--save", "", "--appendonly", "no"];
/// On disk before it is acknowledged.
const LASTING: [&str; 6] = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];
/// What is not about keeping: the store wants no eviction, and a replica should not wait to be in step.
const REST: [&str; 4] = ["--maxmemory-policy", "noeviction", "--repl-diskless-sync-delay", "0"];

/// Where it says what it does, in its directory.
const LOG: &str = "said.log";

/// A running `redis-server`; it ends with this.
pub struct Redis {
    child: Child,
    port: u16,
    dir: Arc<TempDir>,
    arguments: Vec<String>,
}

impl Redis {
    /// One on a free port that keeps nothing on disk.
    pub async fn start() -> Result<Self> {
        Self::with(&FORGETFUL).await
    }

    /// One on a free port that has what it has acknowledged on disk.
    pub async fn lasting() -> Result<Self> {
        // In memory where there is such a place: the death of a process loses nothing there, and a busy disk would make
        // each commit wait.
        let memory = std::path::Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }?;
        let arguments = LASTING.iter().chain(&REST).map(ToString::to_string).collect();
        Self::on(free_port()?, Arc::new(dir), arguments).await
    }

    /// A replica of the server at that address, in step with it.
    pub async fn replica_of(primary: SocketAddr) -> Result<Self> {
        let (host, port) = (primary.ip().to_string(), primary.port().to_string());
        let replica = Self::with(&[&FORGETFUL[..], &["--replicaof", &host, &port]].concat()).await?;
        let in_step = async {
            while replica.info("replication", "master_link_status").await?.as_deref() != Some("up") {
                tick().await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(SOON, in_step).await.context("the replica does not synchronize")??;
        Ok(replica)
    }

    /// A Sentinel that watches that primary, alone.
    pub async fn sentinel_of(primary: &Self) -> Result<Self> {
        let dir = Arc::new(TempDir::new()?);
        let file = dir.path().join("sentinel.conf");
        // A primary that a busy machine keeps waiting is not dead yet. A replica that is not attached where the Sentinel
        // thinks (but through a proxy) is corrected after the failover's time is over: long after these tests. A failover
        // itself does not wait for that time.
        let text = format!(
            "sentinel monitor {PRIMARY} 127.0.0.1 {} 1\nsentinel down-after-milliseconds {PRIMARY} 2500\n\
             sentinel failover-timeout {PRIMARY} 3600000\n",
            primary.port
        );
        std::fs::write(&file, text)?;
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        Self::on(free_port()?, dir, arguments).await
    }

    async fn with(arguments: &[&str]) -> Result<Self> {
        let arguments = arguments.iter().chain(&REST).map(ToString::to_string).collect();
        Self::on(free_port()?, Arc::new(TempDir::new()?), arguments).await
    }

    async fn on(port: u16, dir: Arc<TempDir>, arguments: Vec<String>) -> Result<Self> {
        let child = Command::new("redis-server")
            .args(&arguments)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
            .arg(dir.path())
            .stdout(std::fs::File::create(dir.path().join(LOG))?)
            .kill_on_drop(true)
            .spawn()
            .context("redis-server; on Debian: apt-get install redis-server")?;
        let redis = Self { child, port, dir, arguments };
        tokio::time::timeout(SOON, redis.answers()).await.context("redis-server does not answer")?;
        Ok(redis)
    }

    /// Returns once it answers.
    async fn answers(&self) {
        loop {
            if let Ok(mut stream) = TcpStream::connect(self.address()).await {
                let mut answer = [0; 7];
                let asked = stream.write_all(b"PING\r\n").await;
                if asked.is_ok() && stream.read_exact(&mut answer).await.is_ok() && answer == *b"+PONG\r\n" {
                    return;
                }
            }
            tick().await;
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends it with `kill -9` and starts it again on the same port, with what is on its disk.
    pub async fn restart(mut self) -> Result<Self> {
        self.kill().await?;
        Self::on(self.port, Arc::clone(&self.dir), self.arguments.clone()).await
    }

    /// Ends it with `kill -9`.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Starts it again after [`Self::kill`], on the same port, with what is on its disk.
    pub async fn revive(&mut self) -> Result<()> {
        *self = Self::on(self.port, Arc::clone(&self.dir), self.arguments.clone()).await?;
        Ok(())
    }

    /// All that it holds, as it would write it to its disk, uncompressed.
    pub async fn dump(&self) -> Result<Vec<u8>> {
        self.says(&["CONFIG", "SET", "rdbcompression", "no"]).await?;
        self.says(&["SAVE"]).await?;
        Ok(std::fs::read(self.dir.path().join("dump.rdb"))?)
    }

    /// Stops it as a machine that hangs does: connections stay, nothing answers.
    pub async fn hang(&self) -> Result<()> {
        self.signal("-STOP").await
    }

    /// Lets it go on.
    pub async fn go_on(&self) -> Result<()> {
        self.signal("-CONT").await
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.child.id().context("it runs")?.to_string();
        ensure!(Command::new("kill").args([signal, &pid]).status().await?.success(), "kill {signal} {pid}");
        Ok(())
    }

    /// The last lines of what it has said of itself.
    pub fn last_words(&self) -> String {
        let said = std::fs::read_to_string(self.dir.path().join(LOG)).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// What `redis-cli` says to each of these commands, one line each; an answer that is no line is not asked for.
    pub async fn ask(&self, commands: &[String]) -> Result<Vec<String>> {
        let mut cli = Command::new("redis-cli")
            .args(["--raw", "-p", &self.port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("redis-cli; on Debian: apt-get install redis-tools")?;
        let mut input = cli.stdin.take().context("piped")?;
        let text = commands.iter().fold(String::new(), |text, command| text + command + "\n");
        let (written, output) = tokio::join!(
            async {
                input.write_all(text.as_bytes()).await?;
                drop(input);
                anyhow::Ok(())
            },
            cli.wait_with_output()
        );
        written?;
        let text = String::from_utf8_lossy(&output?.stdout).into_owned();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        ensure!(
            lines.len() == commands.len(),
            "{} answers to {} commands: {text}",
            lines.len(),
            commands.len()
        );
        Ok(lines)
    }

    /// What it says to one command, in as many lines as there are.
    pub async fn says(&self, command: &[&str]) -> Result<String> {
        let port = self.port.to_string();
        let said = Command::new("redis-cli").args(["--raw", "-p", &port]).args(command).output().await?;
        Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }

    /// A value of its `INFO`.
    pub async fn info(&self, section: &str, key: &str) -> Result<Option<String>> {
        let text = self.says(&["INFO", section]).await?;
        let values = text.lines().filter_map(|line| line.trim().split_once(':'));
        Ok(values.filter(|(found, _)| *found == key).map(|(_, value)| value.to_owned()).next())
    }
}

/// A port that nobody has now.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
