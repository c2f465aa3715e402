#![doc = include_str!("../README.md")]

mod cluster;
mod parlor;
mod people;
mod proxy;
mod redis;
mod replicated;
mod sim;

pub use cluster::Cluster;
pub use parlor::{Parlor, binary};
pub use people::{Person, World};
pub use proxy::{Done, Mode, Overheard, Proxy};
pub use redis::Redis;
pub use replicated::Replicated;
pub use sim::Spotify;

use std::time::Duration;

/// How long anything may take that happens at once for a person: generous, since nothing waits for it to pass.
pub const SOON: Duration = Duration::from_secs(40);

/// The operator's app: at the simulator any 32 hex digits are one.
pub const APP: &str = "0123456789abcdef0123456789abcdef";
/// A key that seals what is stored.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Installs what TLS needs, once per process.
pub fn prepare() {
    // Installed by another test of this process: as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Between two looks at something that another process does: it spares that process the machine, and nothing relies on
/// how long it is.
pub async fn tick() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
