#![doc = include_str!("../README.md")]

mod cluster;
mod parlor;
mod people;
mod redis;
mod sim;

pub use cluster::Cluster;
pub use parlor::{Parlor, binary};
pub use people::{Person, World};
pub use redis::Redis;
pub use sim::Spotify;

use std::time::Duration;

/// How long anything may take that happens at once for a person: generous, since nothing waits for it to pass.
pub const SOON: Duration = Duration::from_secs(40);

/// Installs what TLS needs, once per process.
pub fn prepare() {
    // Installed by another test of this process: as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
