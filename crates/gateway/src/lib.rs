#![doc = include_str!("../README.md")]

mod conductor;
pub mod http;
pub mod hub;
pub mod live;
pub mod net;
mod parts;
mod service;
pub mod sessions;
pub mod spotify;
mod time;
pub mod tokens;
pub mod wire;

pub use conductor::{ConductorParts, conduct};
pub use hub::Hub;
pub use parts::{ClientAddr, Config, Parts};
pub use service::{Foundation, Service};
pub use spotify::Spotify;
pub use time::Time;
