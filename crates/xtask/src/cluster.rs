//! `cargo xtask cluster`: a Redis, a simulated Spotify and two gateways on free ports, until it is interrupted.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::steps::{root, run, say, web};

/// At the simulator any 32 hex digits are an app, and this is its secret.
const APP: &str = "70617261646573696d756c6174656421";

/// Ends its process with itself.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself: as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Builds what is needed, starts everything, says where it is, and waits for the end of its input or an interrupt.
pub(crate) fn cluster(gateways: usize) -> Result<()> {
    web()?;
    run(&["cargo", "build", "--release", "--package", "parlor"], &root())?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let parlor = root().join(target).join("release/parlor");
    let dir = std::env::temp_dir().join(format!("parlor-cluster-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let ended = start(&parlor, &dir, gateways);
    std::fs::remove_dir_all(&dir)?;
    ended
}

fn start(parlor: &Path, dir: &Path, gateways: usize) -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let port = port.to_string();
    let mut redis = Command::new("redis-server");
    redis.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no", "--dir"]);
    redis.arg(dir).stdout(Stdio::null());
    let _redis =
        Started(redis.spawn().context("redis-server; on Debian: sudo apt-get install redis-server")?);
    let (_sim, spotify) = listening(Command::new(parlor).args(["sim", "--listen", "127.0.0.1:0"]))?;
    say(&format!("redis               redis://127.0.0.1:{port}"));
    say(&format!("simulated spotify   {spotify}"));
    let key = random_key()?;
    let mut running = Vec::new();
    for n in 1..=gateways {
        let mut gateway = Command::new(parlor);
        gateway
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .args(["--spotify-accounts-url", &spotify, "--spotify-api-url", &spotify])
            .args(["--spotify-client-id", APP, "--spotify-calls", "extended"])
            .env("PARLOR_SPOTIFY_CLIENT_SECRET", format!("secret-{APP}"))
            .env("PARLOR_REDIS_URL", format!("redis://127.0.0.1:{port}"))
            .env("PARLOR_SECRET_KEY", &key);
        let (child, address) = listening(&mut gateway)?;
        say(&format!("gateway {n}           {address}"));
        running.push(child);
    }
    say("Everything ends with this program: press Ctrl-C, or Enter.");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

/// Starts a program of Parlor's and gives the address that it says it listens on.
fn listening(command: &mut Command) -> Result<(Started, String)> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("parlor")?;
    let lines = BufReader::new(child.stdout.take().context("piped")?).lines();
    let started = Started(child);
    for line in lines {
        if let Some((_, address)) = line?.split_once(" on ") {
            return Ok((started, address.to_owned()));
        }
    }
    bail!("it ended before it listened")
}

/// 32 bytes of the system's randomness, in base64.
fn random_key() -> Result<String> {
    let made = Command::new("sh").args(["-c", "head -c 32 /dev/urandom | base64"]).output()?;
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}
