//! A Redis of the run alone, on a free port.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::Started;

/// A key of the run alone needs no secret.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The server; it ends when dropped.
pub(crate) struct Redis {
    dir: PathBuf,
    port: String,
    durable: bool,
    process: Option<Started>,
    pub(crate) url: String,
}

impl Redis {
    /// Starts one that keeps its log in `dir`, each write flushed before it is answered, where it is to be `durable`. A
    /// port that was free may be taken by then; the run then says so.
    pub(crate) fn start(dir: &Path, durable: bool) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let url = format!("redis://127.0.0.1:{port}");
        let mut redis = Self { dir: dir.to_owned(), port, durable, process: None, url };
        redis.run()?;
        Ok(redis)
    }

    fn run(&mut self) -> Result<()> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port, "--save", "", "--appendfsync", "always"]);
        command.args(["--appendonly", if self.durable { "yes" } else { "no" }, "--dir"]).arg(&self.dir);
        self.process = Some(Started::run_until(command, "Ready to accept connections")?);
        Ok(())
    }

    /// What a gateway over it is started with.
    pub(crate) fn options(&self) -> [&OsStr; 4] {
        ["--redis-url", &self.url, "--secret-key", KEY].map(OsStr::new)
    }

    /// Ends it at once (`kill -9`).
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.run()
    }

    /// Sends it a signal, by its name.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        let pid = self.process.as_ref().map(|process| process.pid().to_string());
        let status = Command::new("kill").arg(format!("-{name}")).args(pid).status()?;
        ensure!(status.success(), "kill -{name} failed");
        Ok(())
    }
}
