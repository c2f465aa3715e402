#![doc = include_str!("../README.md")]

mod away;
mod cluster;
mod floor;
mod people;
mod plan;
mod process;
mod redis;
mod report;
mod scenario;
mod slices;
mod swarm;
mod tally;
mod wire;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::plan::What;
use crate::scenario::Scenario;

/// Members in rooms by the thousand, and what they cost the server.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Two gateways over one Redis: a vote heard at the other one, and the return after one is killed
    Cluster(cluster::Options),
    /// Two gateways whose Redis goes away: how soon they refuse, and take a write again
    Away(away::Options),
    /// The floor to compare with: starts by itself with --floor
    Floor {
        /// Address to listen on; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Bytes of an update
        #[arg(long, default_value_t = 600)]
        update_bytes: usize,
        /// Bytes of the first snapshot
        #[arg(long, default_value_t = 1_500)]
        snapshot_bytes: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// 10,000 members in rooms of 10: memory, and CPU per join
    Idle,
    /// One room of 5,000: latency to the last, CPU per delivery
    Room,
    /// 1,000 rooms of 10
    Rooms,
    /// One room of 1,000, in which 20 act at the same instant
    Burst,
}

#[derive(Debug, Args)]
struct Run {
    /// What is measured; the options below change its figures
    #[arg(value_enum, default_value = "room")]
    scenario: Preset,
    /// A service that runs already, with a simulated Spotify behind it
    #[arg(long, conflicts_with = "spawn")]
    server: Option<String>,
    /// Its process, where it is on this machine: for CPU and memory
    #[arg(long, requires = "server")]
    pid: Option<u32>,
    /// Starts this `parlor` with an empty data directory, and a simulator beside it
    #[arg(long)]
    spawn: Option<PathBuf>,
    /// Rooms
    #[arg(long)]
    rooms: Option<usize>,
    /// Members of all rooms together, hosts included
    #[arg(long)]
    members: Option<usize>,
    /// Volleys of commands a second, over all rooms
    #[arg(long)]
    rate: Option<f64>,
    /// Commands in a volley, due at the same instant
    #[arg(long)]
    volley: Option<usize>,
    /// How long commands are sent
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// What is sent
    #[arg(long, value_enum, default_value = "vote")]
    what: What,
    /// How long the connecting of all may take, in seconds
    #[arg(long, default_value_t = 300)]
    connect_within: u64,
    /// Runs the same against the floor, right after
    #[arg(long)]
    floor: bool,
    /// Joins are counted the second time: everyone connects, goes, and connects again to a server whose memory the
    /// first time has touched
    #[arg(long)]
    again: bool,
    /// The server on core 0, the members on core 1; needs taskset, and --spawn
    #[arg(long, requires = "spawn")]
    pin: bool,
    /// Writes the figures to this file too
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Run {
    fn scenario(&self) -> Result<Scenario> {
        // Rooms, members, volleys a second, commands in a volley.
        let (name, rooms, members, rate, volley) = match self.scenario {
            Preset::Idle => ("idle", 1_000, 10_000, 0.0, 1),
            Preset::Room => ("room", 1, 5_000, 5.0, 1),
            Preset::Rooms => ("rooms", 1_000, 10_000, 500.0, 1),
            Preset::Burst => ("burst", 1, 1_000, 1.0, 20),
        };
        let scenario = Scenario {
            name: name.into(),
            rooms: self.rooms.unwrap_or(rooms).max(1),
            members: self.members.unwrap_or(members),
            what: self.what,
            rate: self.rate.unwrap_or(rate),
            volley: self.volley.unwrap_or(volley).max(1),
            seconds: self.seconds,
            connect_within: Duration::from_secs(self.connect_within),
            again: self.again,
        };
        if scenario.members < scenario.rooms {
            bail!(
                "--members counts the members of all rooms together: at least one, the host, in each of --rooms"
            );
        }
        Ok(scenario)
    }
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some(Command::Floor { listen, update_bytes, snapshot_bytes }) = cli.command {
        return floor::serve(listen, floor::Sizes { update: update_bytes, snapshot: snapshot_bytes });
    }
    // reqwest asks for a provider even where it only speaks http.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("a TLS provider is installed already");
    }
    match cli.command {
        Some(Command::Away(options)) => away::run(&options),
        Some(Command::Cluster(options)) => cluster::run(&options),
        Some(Command::Floor { .. }) | None => run(&cli.run),
    }
}

fn run(args: &Run) -> Result<()> {
    let scenario = args.scenario()?;
    process::check_open_files(scenario.members + 200)?;
    let (server_core, own_core) = if args.pin { (Some(0), Some(1)) } else { (None, None) };
    if let Some(core) = own_core {
        process::pin_self(core)?;
    }
    let mut runs = Vec::new();
    match (&args.server, &args.spawn) {
        (Some(server), _) => runs.push(scenario::against_parlor(&scenario, server, args.pid)?),
        (None, Some(program)) => {
            let data = tempfile::tempdir()?;
            let program = program.as_os_str();
            let simulator = scenario::spawn_simulator(program, own_core)?;
            let options = ["--data-dir".as_ref(), data.path().as_os_str()];
            let parlor = scenario::spawn_parlor(program, &options, &simulator, server_core)?;
            runs.push(scenario::against_parlor(&scenario, &parlor.url, Some(parlor.pid()))?);
        }
        (None, None) => bail!("--server URL or --spawn PROGRAM says whom to measure"),
    }
    if args.floor {
        runs.push(scenario::against_floor(&scenario, &runs[0], server_core)?);
    }
    report::print(&mut std::io::stdout(), &runs)?;
    if let Some(path) = &args.json {
        let mut file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
        serde_json::to_writer_pretty(&mut file, &runs)?;
        writeln!(file)?;
    }
    Ok(())
}
