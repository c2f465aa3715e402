#![doc = include_str!("../README.md")]

mod conductor;
#[cfg(test)]
mod fixtures;
pub mod http;
pub mod hub;
mod lease;
pub mod live;
pub mod net;
mod nodes;
mod parts;
mod pulse;
mod service;
pub mod sessions;
pub mod spotify;
mod time;
pub mod tokens;
pub mod wire;

pub use conductor::{ConductorParts, conduct};
pub use hub::Hub;
pub use lease::{LeaseParts, Terms};
pub use nodes::Nodes;
pub use parts::{ClientAddr, Config, Parts, PartsList};
pub use pulse::Pulse;
pub use service::{Foundation, Service};
pub use spotify::Spotify;
pub use time::Time;
