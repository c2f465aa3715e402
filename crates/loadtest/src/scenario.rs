//! The scenarios: who is there, what they do, what is measured.

use std::ffi::{OsStr, OsString};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::people;
use crate::plan::{What, plan};
use crate::process::{self, Started, command_on, cpu, cpu_of_threads, rss_kib};
use crate::report::Figures;
use crate::slices::Slices;
use crate::swarm::{Seat, Swarm};

/// How long the server is watched while nobody does anything.
const QUIET: Duration = Duration::from_secs(3);
/// How long the server has to see that everyone went. Soon after, the kernel would give the memory back to the host.
const GONE: Duration = Duration::from_secs(1);
/// Let the news of the last joins go by.
const SETTLE: Duration = Duration::from_secs(6);
/// How long late deliveries are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) rooms: usize,
    pub(crate) members: usize,
    pub(crate) what: What,
    /// Volleys per second; 0: nobody does anything.
    pub(crate) rate: f64,
    pub(crate) volley: usize,
    pub(crate) seconds: u64,
    pub(crate) connect_within: Duration,
    /// Everyone connects twice, and the second time counts.
    pub(crate) again: bool,
}

/// Runs it against the service.
pub(crate) fn against_parlor(scenario: &Scenario, server: &str, pid: Option<u32>) -> Result<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rooms = runtime.block_on(people::rooms(server, scenario.rooms))?;
    let each = (scenario.members / scenario.rooms).max(1) - 1;
    let before = usage(pid)?;
    let mut seats: Vec<Seat> = rooms.iter().map(|(_, host)| host.clone()).collect();
    seats.extend(runtime.block_on(people::members(server, &rooms, each))?);
    let after = usage(pid)?;
    let target = address(server)?;
    let mut figures = measure(scenario, target, &seats, pid)?;
    let joined = seats.len() - rooms.len();
    figures.server = "parlor".into();
    figures.cpu_us_per_membership = per(before, after, joined as u64);
    Ok(figures)
}

/// Runs it against the floor, with frames as large as the service's were.
pub(crate) fn against_floor(scenario: &Scenario, like: &Figures, core: Option<usize>) -> Result<Figures> {
    let this: OsString = std::env::current_exe().context("this program's path")?.into();
    let mut command = command_on(core, &this);
    let update = like.bytes_per_frame.map_or(600, |bytes| bytes as usize);
    command.args(["floor", "--listen", "127.0.0.1:0", "--update-bytes", &update.to_string()]);
    let floor = Started::run(command, "floor listening on ")?;
    let each = (scenario.members / scenario.rooms).max(1);
    let seat = |room: usize| Seat { server: 0, room, path: format!("/floor/{room}"), bearer: "none".into() };
    let seats: Vec<Seat> = (0..scenario.rooms).flat_map(|room| (0..each).map(move |_| seat(room))).collect();
    let mut figures = measure(scenario, floor.url.parse()?, &seats, Some(floor.pid()))?;
    figures.server = "floor".into();
    Ok(figures)
}

/// At the simulator any 32 hex digits are an app.
pub(crate) const APP: &str = "0123456789abcdef0123456789abcdef";

/// Starts a simulated Spotify: a process of its own, whose work is not the service's.
pub(crate) fn spawn_simulator(program: &OsStr, core: Option<usize>) -> Result<Started> {
    let mut command = command_on(core, program);
    command.args(["sim", "--listen", "127.0.0.1:0"]).env("PARLOR_LOG", "warn");
    Started::run(command, "simulated spotify on ")
}

/// Starts the service with these options beside those that name its Spotify.
pub(crate) fn spawn_parlor(
    program: &OsStr,
    options: &[&OsStr],
    simulator: &Started,
    core: Option<usize>,
) -> Result<Started> {
    let mut command = command_on(core, program);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--spotify-client-id", APP, "--spotify-calls", "extended"])
        .args(["--spotify-accounts-url", &simulator.url, "--spotify-api-url", &simulator.url])
        .args(options)
        .env("PARLOR_LOG", "warn");
    Started::run(command, "parlor listening on ")
}

fn measure(scenario: &Scenario, target: SocketAddr, seats: &[Seat], pid: Option<u32>) -> Result<Figures> {
    process::check_open_files(seats.len() + 200)?;
    let memory_before = pid.map(rss_kib).transpose()?;
    let quiet_before = usage(pid)?;
    rest(QUIET);
    // Before the joins the service had its own things to do, too.
    let idle_before = share(quiet_before, usage(pid)?, QUIET);
    let connect = || -> Result<(Swarm, Option<Duration>, Slices)> {
        let (before, begun) = (usage(pid)?, Instant::now());
        let mut slices = Slices::of(pid);
        let mut swarm = Swarm::connect(&[target], seats, scenario.connect_within, &mut slices)?;
        let connecting = begun.elapsed();
        swarm.idle(SETTLE)?;
        let used = span(before, usage(pid)?);
        Ok((swarm, used.map(|used| used.saturating_sub(connecting.mul_f64(idle_before))), slices))
    };
    let (mut swarm, mut joins, mut join_slices) = connect()?;
    let memory = pid.map(rss_kib).transpose()?;
    if scenario.again {
        drop(swarm);
        rest(GONE);
        (swarm, joins, join_slices) = connect()?;
    }
    let joined = usage(pid)?;
    swarm.idle(QUIET)?;
    let start = usage(pid)?;
    let idle = share(joined, start, QUIET);
    // Who is connected has a heartbeat, which is no part of coming.
    let joins = joins.map(|used| used.saturating_sub(SETTLE.mul_f64(idle)));

    let mut figures = Figures {
        scenario: scenario.name.clone(),
        rooms: scenario.rooms,
        members: seats.len(),
        cpu_us_per_join_middle: join_slices.median_us(),
        cpu_us_per_join: joins.and_then(|used| each_of(used, seats.len() as f64)),
        kib_per_connection: memory_before
            .zip(memory)
            .map(|(before, after)| after.saturating_sub(before) as f64 / seats.len() as f64),
        idle_cpu_percent: idle * 100.0,
        ..Figures::default()
    };
    if scenario.rate <= 0.0 {
        return Ok(figures);
    }
    let each = (scenario.members / scenario.rooms).max(1);
    let shots = plan(scenario.rooms, each, scenario.rate, scenario.volley, scenario.seconds)
        .map_err(anyhow::Error::msg)?;
    let (storing_before, running) = (storing(pid)?, Instant::now());
    let mut slices = Slices::of(pid);
    let summary = swarm.run(scenario.what, &shots, PATIENCE, &mut slices)?;
    let ran = running.elapsed();
    let used = span(start, usage(pid)?);
    let stored = span(storing_before, storing(pid)?);
    let frames = summary.frames.max(1) as f64;
    figures.commands = summary.commands;
    figures.delivered = summary.delivered;
    figures.refused = summary.refused;
    figures.lost_connections = summary.lost_connections;
    figures.frames = summary.frames;
    figures.bytes_per_frame = Some(summary.bytes as f64 / frames);
    figures.cpu_us_per_delivery = used.and_then(|used| each_of(used, frames));
    figures.cpu_us_per_delivery_middle = slices.median_us();
    figures.cpu_us_per_delivery_net =
        used.and_then(|used| each_of(used.saturating_sub(ran.mul_f64(idle)), frames));
    figures.cpu_us_per_delivery_stored = stored.and_then(|used| each_of(used, frames));
    if !summary.busy.is_zero() {
        figures.deliveries_per_second = Some(frames / summary.busy.as_secs_f64());
    }
    if let Some(latency) = summary.latency.filter(|latency| !latency.is_empty()) {
        let at = |quantile| Some(latency.value_at_quantile(quantile) as f64 / 1_000.0);
        figures.p50_ms = at(0.5);
        figures.p99_ms = at(0.99);
        figures.p999_ms = at(0.999);
        figures.max_ms = Some(latency.max() as f64 / 1_000.0);
    }
    Ok(figures)
}

#[expect(clippy::disallowed_methods, reason = "a measurement lasts as long as it lasts")]
fn rest(time: Duration) {
    std::thread::sleep(time);
}

fn usage(pid: Option<u32>) -> Result<Option<Duration>> {
    pid.map(cpu).transpose()
}

/// What the threads of the embedded store have used, by the names that they have.
fn storing(pid: Option<u32>) -> Result<Option<Duration>> {
    pid.map(|pid| cpu_of_threads(pid, "store-")).transpose()
}

fn span(before: Option<Duration>, after: Option<Duration>) -> Option<Duration> {
    before.zip(after).map(|(before, after)| after.saturating_sub(before))
}

/// The part of `time` that was used.
fn share(before: Option<Duration>, after: Option<Duration>, time: Duration) -> f64 {
    span(before, after).map_or(0.0, |used| used.as_secs_f64() / time.as_secs_f64())
}

fn per(before: Option<Duration>, after: Option<Duration>, count: u64) -> Option<f64> {
    each_of(span(before, after)?, count as f64)
}

/// Microseconds for each of `count`. `None` where nothing is left to share: the work was below the clock's tick, or
/// the idle share that was taken off is as large. A zero would look like a measurement.
fn each_of(used: Duration, count: f64) -> Option<f64> {
    (!used.is_zero() && count > 0.0).then(|| used.as_secs_f64() * 1e6 / count)
}

pub(crate) fn address(server: &str) -> Result<SocketAddr> {
    let host =
        server.trim_end_matches('/').strip_prefix("http://").context("--server takes http://HOST:PORT")?;
    host.to_socket_addrs()?.next().with_context(|| format!("{host} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_small_to_measure_is_no_zero() {
        assert_eq!(each_of(Duration::from_millis(10), 100.0), Some(100.0));
        assert_eq!(each_of(Duration::ZERO, 100.0), None);
        assert_eq!(each_of(Duration::from_millis(10), 0.0), None);
    }
}
