//! Two gateways over one Redis: how much later a vote is heard at the other one, and how soon the members of one that is
//! killed are back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::people;
use crate::plan::{What, plan};
use crate::redis::Redis;
use crate::scenario::{address, spawn_parlor, spawn_simulator};
use crate::slices::Slices;
use crate::swarm::{Seat, Swarm};

/// A client's first attempt to come back: at a random instant of this time (`room-client`).
const SPREAD: Duration = Duration::from_millis(500);
/// How long they are waited for.
const BACK_WITHIN: Duration = Duration::from_secs(30);
/// Let the news of the last joins go by.
const SETTLE: Duration = Duration::from_secs(6);
/// How long late deliveries are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be done.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The `parlor` that is started: a simulator, and two gateways
    #[arg(long)]
    spawn: std::path::PathBuf,
    /// Rooms, each half at one gateway and half at the other
    #[arg(long, default_value_t = 500)]
    rooms: usize,
    /// Members of all rooms together
    #[arg(long, default_value_t = 10_000)]
    members: usize,
    /// Votes a second, over all rooms
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// How long votes are cast
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Writes the figures to this file too
    #[arg(long)]
    json: Option<std::path::PathBuf>,
}

/// The figures of a run; times in milliseconds.
#[derive(Debug, Serialize)]
struct Figures {
    rooms: usize,
    members: usize,
    votes: usize,
    delivered: usize,
    own_p50_ms: f64,
    own_p99_ms: f64,
    other_p50_ms: f64,
    other_p99_ms: f64,
    killed: usize,
    back: usize,
    back_p50_ms: f64,
    back_p99_ms: f64,
    back_max_ms: f64,
    divided_rooms: usize,
}

/// Runs it, prints the figures.
pub(crate) fn run(options: &Options) -> Result<()> {
    crate::process::check_open_files(options.members + 500)?;
    let dir = tempfile::tempdir()?;
    let redis = Redis::start(dir.path(), false)?;
    let program = options.spawn.as_os_str();
    let simulator = spawn_simulator(program, None)?;
    let store = redis.options();
    let gateways =
        [spawn_parlor(program, &store, &simulator, None)?, spawn_parlor(program, &store, &simulator, None)?];
    let targets = [address(&gateways[0].url)?, address(&gateways[1].url)?];
    let seats = seats(options, &gateways[0].url)?;
    let mut swarm = Swarm::connect(&targets, &seats, Duration::from_secs(300), &mut Slices::default())?;
    swarm.idle(SETTLE)?;
    let each = (options.members / options.rooms).max(2) / 2;
    let shots =
        plan(2 * options.rooms, each, options.rate, 1, options.seconds).map_err(anyhow::Error::msg)?;
    let summary = swarm.run(What::Vote, &shots, PATIENCE, &mut Slices::default())?;
    ensure!(summary.lost_connections == 0, "{} connections were lost", summary.lost_connections);
    let (own, other) = summary.latency.zip(summary.across).context("nothing was delivered")?;
    let at =
        |latency: &hdrhistogram::Histogram<u64>, quantile| latency.value_at_quantile(quantile) as f64 / 1e3;

    let [living, dying] = gateways;
    let killed_at = Instant::now();
    drop(dying);
    let seats: Vec<Seat> = seats.into_iter().map(|seat| Seat { server: 0, ..seat }).collect();
    // Until each end of connection is seen.
    let killed = swarm.lost_within(each * options.rooms, Duration::from_secs(10))?;
    let mut back = swarm.come_back(&[address(&living.url)?], &seats, killed_at, (SPREAD, BACK_WITHIN))?;
    back.sort_unstable();
    swarm.idle(SETTLE)?;
    let ms = |quantile: f64| {
        let nth = ((killed as f64 * quantile).ceil() as usize).max(1) - 1;
        back.get(nth).map_or(f64::INFINITY, |time| time.as_secs_f64() * 1e3)
    };
    let figures = Figures {
        rooms: options.rooms,
        members: seats.len(),
        votes: summary.commands,
        delivered: summary.delivered,
        own_p50_ms: at(&own, 0.5),
        own_p99_ms: at(&own, 0.99),
        other_p50_ms: at(&other, 0.5),
        other_p99_ms: at(&other, 0.99),
        killed,
        back: back.len(),
        back_p50_ms: ms(0.5),
        back_p99_ms: ms(0.99),
        back_max_ms: ms(1.0),
        divided_rooms: swarm.divided(),
    };
    print(&figures)?;
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    Ok(())
}

/// Everyone's seat: the halves of room n are rooms 2n, at the first gateway, and 2n + 1, at the second.
fn seats(options: &Options, server: &str) -> Result<Vec<Seat>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rooms = runtime.block_on(people::rooms(server, options.rooms))?;
    let each = (options.members / options.rooms).max(2);
    let mut seats: Vec<Seat> = rooms.iter().map(|(_, host)| host.clone()).collect();
    seats.extend(runtime.block_on(people::members(server, &rooms, each - 1))?);
    let mut taken = vec![0; options.rooms];
    for seat in &mut seats {
        let nth = &mut taken[seat.room];
        seat.server = *nth % 2;
        seat.room = 2 * seat.room + seat.server;
        *nth += 1;
    }
    Ok(seats)
}

#[expect(clippy::print_stdout, reason = "what a measurement is for")]
fn print(figures: &Figures) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(figures)?);
    println!(
        "other / own: p50 {:.2}, p99 {:.2}",
        figures.other_p50_ms / figures.own_p50_ms,
        figures.other_p99_ms / figures.own_p99_ms
    );
    Ok(())
}
