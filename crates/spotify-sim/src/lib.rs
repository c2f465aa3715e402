#![doc = include_str!("../README.md")]

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
