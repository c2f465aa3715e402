//! Two gateways whose Redis goes away and comes back: how long a refusal takes, what is read meanwhile, and how soon a
//! write is taken again.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use protocol::PatchRoom;
use reqwest::Method;
use room_client::web::{Visitor, WebError, client};
use serde::Serialize;

use crate::redis::Redis;
use crate::scenario::{spawn_parlor, spawn_simulator};

/// Between two looks at a gateway.
const PAUSE: Duration = Duration::from_millis(50);
/// Between two times without Redis.
const SETTLE: Duration = Duration::from_secs(2);
/// Whoever is not back by then is not coming.
const BACK_WITHIN: Duration = Duration::from_secs(30);
static WRITES: AtomicU32 = AtomicU32::new(0);

/// What is to be done.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The `parlor` that is started: a simulator, and two gateways
    #[arg(long)]
    spawn: std::path::PathBuf,
    /// How often Redis is stopped in its tracks, and how often killed and started again
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// For how long each time
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Writes the figures to this file too
    #[arg(long)]
    json: Option<std::path::PathBuf>,
}

/// How it goes away.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Fault {
    Stopped,
    Killed,
}

/// The figures of one kind of fault, over both gateways; times in milliseconds.
#[derive(Debug, Serialize)]
struct Figures {
    fault: Fault,
    refused: usize,
    refused_p50_ms: f64,
    refused_max_ms: f64,
    /// Writes that were taken before the fault was felt.
    taken: usize,
    read: usize,
    /// Reads that were not answered with the room, or not marked as stale after a refusal.
    unread: usize,
    unmarked: usize,
    back_p50_ms: f64,
    back_max_ms: f64,
}

/// Runs it, prints the figures.
pub(crate) fn run(options: &Options) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(options))
}

async fn measure(options: &Options) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut redis = Redis::start(dir.path(), true)?;
    let program = options.spawn.as_os_str();
    let simulator = spawn_simulator(program, None)?;
    let start = || spawn_parlor(program, &redis.options(), &simulator, None);
    let gateways = [start()?, start()?];
    let mut host = Visitor::new(client()?, &gateways[0].url).await?;
    host.sign_in("host-1").await?;
    let code = host.create_room("Away", None).await?.code;
    let hosts = [host.clone(), host.at(&gateways[1].url)];
    let mut all = Vec::new();
    for fault in [Fault::Stopped, Fault::Killed] {
        let mut watch = Watch { code: &code, ..Watch::default() };
        for _ in 0..options.rounds {
            try_join_all(hosts.iter().map(|host| written(host, &code))).await?;
            tokio::time::sleep(SETTLE).await;
            match fault {
                Fault::Stopped => redis.signal("STOP")?,
                Fault::Killed => redis.kill(),
            }
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(options.seconds) {
                for host in &hosts {
                    watch.look(host).await?;
                }
                tokio::time::sleep(PAUSE).await;
            }
            match fault {
                Fault::Stopped => redis.signal("CONT")?,
                Fault::Killed => redis.restart()?,
            }
            watch.back.extend(try_join_all(hosts.iter().map(|host| written(host, &code))).await?);
        }
        all.push(watch.figures(fault)?);
    }
    print(&all)?;
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&all)?)?;
    }
    Ok(())
}

async fn write(host: &Visitor, code: &str) -> Result<(), WebError> {
    // A name that is new: what changes nothing need not be stored.
    let name = format!("Away {}", WRITES.fetch_add(1, Relaxed));
    let patch = PatchRoom { name: Some(name), settings: None };
    host.patch_room(code, &patch).await.map(drop)
}

/// Writes until it is taken; how long that took.
async fn written(host: &Visitor, code: &str) -> Result<Duration> {
    let begun = Instant::now();
    while let Err(error) = write(host, code).await {
        ensure!(is_away(&error) && begun.elapsed() < BACK_WITHIN, "{error}");
        tokio::time::sleep(PAUSE).await;
    }
    Ok(begun.elapsed())
}

fn is_away(error: &WebError) -> bool {
    matches!(error, WebError::Problem(problem) if problem.status == 503)
}

/// What was seen while it was away.
#[derive(Default)]
struct Watch<'a> {
    code: &'a str,
    refused: Vec<Duration>,
    taken: usize,
    read: usize,
    unread: usize,
    unmarked: usize,
    back: Vec<Duration>,
}

impl Watch<'_> {
    async fn look(&mut self, host: &Visitor) -> Result<()> {
        let begun = Instant::now();
        let refused = match write(host, self.code).await {
            Ok(()) => false,
            Err(error) => {
                ensure!(is_away(&error), "{error}");
                self.refused.push(begun.elapsed());
                true
            }
        };
        self.taken += usize::from(!refused);
        let read = host.request(Method::GET, &format!("/api/rooms/{}", self.code))?.send().await?;
        self.read += 1;
        self.unread += usize::from(!read.status().is_success());
        self.unmarked += usize::from(refused && !read.headers().contains_key("parlor-stale"));
        Ok(())
    }

    fn figures(mut self, fault: Fault) -> Result<Figures> {
        self.refused.sort_unstable();
        self.back.sort_unstable();
        let ms = |times: &[Duration], nth: usize| times.get(nth).map(|time| time.as_secs_f64() * 1e3);
        let middle = |times: &[Duration]| ms(times, times.len() / 2);
        let last = |times: &[Duration]| ms(times, times.len().saturating_sub(1));
        Ok(Figures {
            fault,
            refused: self.refused.len(),
            refused_p50_ms: middle(&self.refused).context("nothing was refused")?,
            refused_max_ms: last(&self.refused).context("nothing was refused")?,
            taken: self.taken,
            read: self.read,
            unread: self.unread,
            unmarked: self.unmarked,
            back_p50_ms: middle(&self.back).context("no round")?,
            back_max_ms: last(&self.back).context("no round")?,
        })
    }
}

#[expect(clippy::print_stdout, reason = "what a measurement is for")]
fn print(figures: &[Figures]) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(figures)?);
    Ok(())
}
