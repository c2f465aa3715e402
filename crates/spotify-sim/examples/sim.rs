//! Runs the simulator alone: `cargo run -p spotify-sim --example sim -- 127.0.0.1:8090`.

use spotify_sim::{Sim, SimConfig};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    tracing::info!("simulated spotify on http://{}", listener.local_addr()?);
    let sim = Sim::new(SimConfig { seed: 1, clock: kernel::MovableClock::default() });
    sim.serve(listener, std::future::pending()).await
}
