//! `parlor sim`: the simulated Spotify alone.

use std::process::ExitCode;

use anyhow::Context;
use gateway::net::listen;
use kernel::MovableClock;
use spotify_sim::{Sim, SimConfig};

use crate::cli::SimOptions;
use crate::stdout::say;
use crate::{limits, logs, signals};

pub(crate) async fn run(options: SimOptions) -> anyhow::Result<ExitCode> {
    logs::begin(&options.logs);
    limits::raise();
    let stop = signals::stop_token()?;
    let listener = listen(options.listen)
        .with_context(|| format!("--listen {}: cannot listen there", options.listen))?;
    say(&format!("simulated spotify on http://{}\n", listener.local_addr()?));
    let sim = Sim::new(SimConfig { seed: options.seed, clock: MovableClock::default() });
    sim.serve(listener, stop.cancelled_owned()).await?;
    Ok(ExitCode::SUCCESS)
}
