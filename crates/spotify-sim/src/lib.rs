#![doc = include_str!("../README.md")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what came is one of the few things wanted, or it is refused"
)]
#![expect(clippy::unnecessary_wraps, reason = "what stands in one table has one shape")]

mod accounts;
mod api;
mod art;
mod control;
mod exchange;
mod pages;
mod serve;
mod sim;
mod world;

pub use sim::{Sim, SimConfig};
