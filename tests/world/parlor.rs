//! The service as a process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::SOON;

/// The built binary, beside the folder of the tests'.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("PARLOR_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("the tests lie in target/PROFILE/deps")?;
    let binary = folder.join("parlor");
    if !binary.is_file() {
        bail!("{} is missing: build it with `cargo build --release --workspace`", binary.display());
    }
    Ok(binary)
}

/// A running process of Parlor.
pub struct Parlor {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// Where its simulated Spotify listens, in the demo.
    pub spotify_url: Option<String>,
    /// Where it stores.
    pub data: Arc<TempDir>,
    logs: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Parlor {
    /// `parlor demo`, with more options.
    pub async fn demo(options: &[&str]) -> Result<Self> {
        Self::start("demo", options, Arc::new(TempDir::new()?)).await
    }

    /// `parlor sim`; its address is that of the simulated Spotify.
    pub async fn simulator() -> Result<Self> {
        let mut command = Command::new(binary()?);
        command.args(["sim", "--listen", "127.0.0.1:0"]);
        Self::run(command, Arc::new(TempDir::new()?), &["simulated spotify on "]).await
    }

    /// `parlor COMMAND` on that data directory, once it listens.
    pub async fn start(command: &str, options: &[&str], data: Arc<TempDir>) -> Result<Self> {
        let mut parlor = Command::new(binary()?);
        parlor
            .arg(command)
            .args(if options.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] })
            .arg("--data-dir")
            .arg(data.path())
            .args(options);
        let all: &[&str] = &["parlor listening on ", "simulated spotify on "];
        Self::run(parlor, data, if command == "demo" { all } else { &all[..1] }).await
    }

    /// Starts it and waits until it has told an address after each of these words.
    async fn run(mut command: Command, data: Arc<TempDir>, words: &[&str]) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let logs = Arc::new(Mutex::new(Vec::new()));
        let mut stderr = child.stderr.take().context("piped")?;
        let kept = Arc::clone(&logs);
        let reader = tokio::spawn(async move {
            let mut bytes = [0; 8192];
            while let Ok(read @ 1..) = stderr.read(&mut bytes).await {
                kept.lock().await.extend_from_slice(&bytes[..read]);
            }
        });
        let mut lines = BufReader::new(child.stdout.take().context("piped")?).lines();
        let mut told = Vec::new();
        for word in words {
            let line = tokio::time::timeout(SOON, lines.next_line())
                .await
                .context("it does not listen in time")??;
            let address = line.as_deref().and_then(|line| line.strip_prefix(word));
            let Some(address) = address else {
                // It has ended, and its last word with it.
                let _ = tokio::time::timeout(SOON, reader).await;
                let logs = String::from_utf8_lossy(&logs.lock().await).into_owned();
                bail!("{word:?} was expected, {line:?} came: {logs}");
            };
            told.push(address.to_owned());
        }
        let mut told = told.into_iter();
        Ok(Self {
            child,
            url: told.next().context("no address")?,
            spotify_url: told.next(),
            data,
            logs,
            reader,
        })
    }

    /// Ends it as a power cut would: `kill -9`.
    pub async fn kill(mut self) -> Result<Arc<TempDir>> {
        self.child.kill().await?;
        Ok(Arc::clone(&self.data))
    }

    /// Ends it as a power cut would, and gives what it has logged since it was last asked.
    pub async fn die(mut self) -> Result<Vec<u8>> {
        self.child.kill().await?;
        // The pipe closes with the process, and the reader with it.
        let _ = (&mut self.reader).await;
        Ok(self.take_logs().await)
    }

    /// What it has logged since this was last asked, and no longer keeps.
    pub async fn take_logs(&self) -> Vec<u8> {
        std::mem::take(&mut *self.logs.lock().await)
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
        let sent = Command::new("kill").args([signal, &pid]).status().await?;
        anyhow::ensure!(sent.success(), "kill {signal} {pid}");
        Ok(())
    }

    /// Asks it to stop, and gives its exit code.
    pub async fn stop(&mut self) -> Result<Option<i32>> {
        self.signal("-TERM").await?;
        let status =
            tokio::time::timeout(SOON, self.child.wait()).await.context("it does not stop in time")??;
        Ok(status.code())
    }

    /// What it has logged so far; all of it once it has ended.
    pub async fn logs(&mut self) -> Vec<u8> {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            // Ended: the pipe closes, and the reader with it.
            let _ = (&mut self.reader).await;
        }
        self.logs.lock().await.clone()
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }
}
