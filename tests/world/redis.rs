//! A Redis of the test's own.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::SOON;

/// A running `redis-server` that keeps nothing on disk; it ends with this.
pub struct Redis {
    child: Child,
    port: u16,
    dir: Arc<TempDir>,
}

impl Redis {
    /// One on a free port.
    pub async fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Self::on(port, Arc::new(TempDir::new()?)).await
    }

    async fn on(port: u16, dir: Arc<TempDir>) -> Result<Self> {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir"])
            .arg(dir.path())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("redis-server; on Debian: apt-get install redis-server")?;
        let redis = Self { child, port, dir };
        tokio::time::timeout(SOON, redis.answers()).await.context("redis-server does not answer")?;
        Ok(redis)
    }

    /// Returns once it answers.
    async fn answers(&self) {
        loop {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await {
                let mut answer = [0; 7];
                let asked = stream.write_all(b"PING\r\n").await;
                if asked.is_ok() && stream.read_exact(&mut answer).await.is_ok() && answer == *b"+PONG\r\n" {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends it with `kill -9` and starts it again on the same port, with nothing in it.
    pub async fn restart(mut self) -> Result<Self> {
        self.child.kill().await?;
        Self::on(self.port, Arc::clone(&self.dir)).await
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
}
