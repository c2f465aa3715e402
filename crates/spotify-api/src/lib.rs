#![doc = include_str!("../README.md")]

mod accounts;
pub mod budget;
mod catalogue;
mod classify;
mod client;
mod error;
mod group;
mod id;
mod library;
pub mod model;
mod observed;
mod player;
mod retry_after;

pub use accounts::{AccountsError, TokenAnswer};
pub use budget::{Budget, CallPlan, PlanError, Purpose, Watch};
pub use client::{App, BuildError, Client, ClientConfig};
pub use error::{Error, ErrorKind, Forbidden, LimitScope};
pub use group::Group;
pub use id::{DeviceId, SpotifyUri, UriError, UriKind};
pub use observed::Observed;
pub use player::{Offset, PlayRequest, What};
