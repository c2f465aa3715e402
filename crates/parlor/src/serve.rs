//! `parlor serve` and `parlor demo`: from options to a running service.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use auth::Vault;
use gateway::net::listen;
use gateway::{Config, Foundation, Service};
use kernel::{Clock, MovableClock, Secret, SystemClock, SystemEntropy};
use spotify_api::{CallPlan, Client, ClientConfig};
use spotify_sim::{Sim, SimConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeOptions;
use crate::opened::Opened;
use crate::stdout::say;
use crate::{keys, limits, logs, signals, simulated};

/// How often the live connection is pinged, in milliseconds (contract, section 4).
const HEARTBEAT_MS: u64 = 15_000;
/// Where the demo's simulated Spotify listens, unless something else does.
const SIM_PORT: u16 = 8090;
/// The demo's app: any 32 hex digits are one at the simulator.
const DEMO_APP: &str = "70617261646573696d756c6174656421";
/// The demo's world: always the same, so that a host stays signed in over a restart.
const DEMO_SEED: u64 = 1;

/// Why a secret alone is no app.
pub(crate) const SECRET_ALONE: &str = "--spotify-client-secret (PARLOR_SPOTIFY_CLIENT_SECRET) takes --spotify-client-id \
                                       (PARLOR_SPOTIFY_CLIENT_ID) beside it: 32 hex digits";

/// The service cannot start; the exit code says of which kind the reason is.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: u8,
    line: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for Refused {}

impl Refused {
    pub(crate) fn wrong_option(line: String) -> Self {
        Self { code: 2, line }
    }
}

/// What differs between the service and its demo.
struct World {
    clock: Arc<dyn Clock>,
    sim: Option<Simulated>,
}

struct Simulated {
    sim: Sim,
    listener: TcpListener,
    address: SocketAddr,
}

pub(crate) async fn serve(options: ServeOptions) -> anyhow::Result<ExitCode> {
    run(options, World { clock: Arc::new(SystemClock), sim: None }).await
}

pub(crate) async fn demo(options: ServeOptions) -> anyhow::Result<ExitCode> {
    let clock = MovableClock::default();
    let near = |port| SocketAddr::new(options.listen.ip(), port);
    let port = if options.listen.port() == 0 { 0 } else { SIM_PORT };
    let listener =
        listen(near(port)).or_else(|_| listen(near(0))).context("no port for the simulated Spotify")?;
    let address = listener.local_addr()?;
    let sim = Sim::new(SimConfig { seed: DEMO_SEED, clock: clock.clone() });
    let world = World { clock: Arc::new(clock), sim: Some(Simulated { sim, listener, address }) };
    run(options, world).await
}

async fn run(options: ServeOptions, world: World) -> anyhow::Result<ExitCode> {
    logs::begin(&options.logs);
    limits::raise();
    if options.spotify_client_secret.is_some() && options.spotify_client_id.is_none() {
        return Err(Refused::wrong_option(SECRET_ALONE.to_owned()).into());
    }
    let stop = signals::stop_token()?;
    let embedded = options.redis_url.is_none();
    if embedded && world.sim.is_some() {
        simulated::mark(&options.data_dir)?;
    }
    let store = Opened::open(&options).await?;
    keys::warn(&options, &store).await;
    let keys = keys::of(&options)?;
    let listener = bind(options.listen, "--listen")?;
    let address = listener.local_addr()?;
    let metrics = options.metrics_listen.map(|address| bind(address, "--metrics-listen")).transpose()?;
    if embedded && world.sim.is_none() {
        simulated::unmark(&options.data_dir)?;
    }
    if let Some(address) = metrics.as_ref().and_then(|listener| listener.local_addr().ok()) {
        tracing::info!("metrics on http://{address}/metrics");
    }
    let public_url = options.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    if options.public_url.is_none() && address.ip().is_unspecified() {
        tracing::warn!(
            "PARLOR_PUBLIC_URL is not set: no browser reaches this by {public_url}; set it to the address that they use"
        );
    } else if world.sim.is_none() && !takes_redirects(&public_url) {
        tracing::warn!(
            "Spotify sends nobody back to {public_url}: it takes https, or http on 127.0.0.1 or [::1]; hosts can sign in only \
             once PARLOR_PUBLIC_URL is such an address"
        );
    }
    if let Some(sim) = &world.sim {
        sim.sim.register_redirect(format!("{public_url}/auth/callback"));
    }
    let sim_url = world.sim.as_ref().map(|sim| sim_url(&public_url, sim.address));
    let config = config(&options, public_url, sim_url.clone());
    let client = Client::new(ClientConfig {
        accounts_url: sim_url.clone().unwrap_or_else(|| options.spotify_accounts_url.clone()),
        api_url: sim_url.clone().unwrap_or_else(|| options.spotify_api_url.clone()),
        clock: Arc::clone(&world.clock),
    })
    .context("the client of Spotify")?;
    let sim_stop = CancellationToken::new();
    let sim_task =
        world.sim.map(|sim| tokio::spawn(sim.sim.serve(sim.listener, sim_stop.clone().cancelled_owned())));
    if let Err(error) = gateway::http::install_metrics() {
        tracing::warn!(%error, "metrics could not be set up");
    }
    let service = Service::new(Foundation {
        config,
        store: store.store(),
        clock: world.clock,
        entropy: Arc::new(SystemEntropy),
        vault: Vault::new(keys),
        client,
    });
    let mut lines = format!("parlor listening on http://{address}\n");
    if let Some(url) = &sim_url {
        lines.extend(["simulated spotify on ", url, "\n"]);
    }
    service.run(listener, metrics, stop, move || say(&lines)).await;
    store.shutdown().await;
    sim_stop.cancel();
    drop(sim_task);
    Ok(ExitCode::SUCCESS)
}

/// Whether Spotify takes a redirect URI there (developer.spotify.com/documentation/web-api/concepts/redirect_uri).
fn takes_redirects(public_url: &str) -> bool {
    public_url.starts_with("https:") || matches!(host_of(public_url), "127.0.0.1" | "[::1]")
}

/// Where browsers reach the simulator: the host by which they reach the service.
fn sim_url(public_url: &str, address: SocketAddr) -> String {
    if address.ip().is_loopback() {
        format!("http://{address}")
    } else {
        format!("http://{}:{}", host_of(public_url), address.port())
    }
}

/// The host of an address without a path, as it is written there.
fn host_of(url: &str) -> &str {
    let authority = url.splitn(3, '/').nth(2).unwrap_or_default();
    let end = if authority.starts_with('[') { ']' } else { ':' };
    let cut = authority.find(end).map_or(authority.len(), |at| at + usize::from(end == ']'));
    &authority[..cut]
}

fn config(options: &ServeOptions, public_url: String, sim_url: Option<String>) -> Config {
    let (demo, shared) = (sim_url.is_some(), options.redis_url.is_some());
    let own_plan = options.spotify_calls.clone();
    Config {
        public_url,
        client_id: options.spotify_client_id.clone().or_else(|| demo.then(|| DEMO_APP.to_owned())),
        client_secret: match &options.spotify_client_secret {
            Some(secret) => Some(secret.clone()),
            None if demo && options.spotify_client_id.is_none() => {
                Some(Secret::new(format!("secret-{DEMO_APP}")))
            }
            None => None,
        },
        calls: own_plan.unwrap_or_else(|| if demo { CallPlan::extended() } else { CallPlan::development() }),
        code_length: options.code_length.map_or(if shared { 8 } else { 6 }, usize::from),
        max_members: options.max_members as usize,
        max_rooms_per_host: options.max_rooms_per_host as usize,
        trusted_proxies: options.trusted_proxies.clone(),
        metrics_apart: options.metrics_listen.is_some(),
        demo_spotify: sim_url,
        shared_store: shared,
        heartbeat_ms: HEARTBEAT_MS,
    }
}

fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    listen(address).with_context(|| format!("{option} {address}: cannot listen there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spotify_sends_people_back_over_https_or_to_this_very_machine() {
        for taken in [
            "https://parlor.example",
            "http://127.0.0.1",
            "http://127.0.0.1:8080",
            "http://[::1]",
            "http://[::1]:80",
        ] {
            assert!(takes_redirects(taken), "{taken}");
        }
        for refused in [
            "http://parlor.example",
            "http://localhost:8080",
            "http://192.168.1.4:8080",
            "http://127.0.0.1.example",
            "http://127.0.0.2",
        ] {
            assert!(!takes_redirects(refused), "{refused}");
        }
    }
}
