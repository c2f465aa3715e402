#![doc = include_str!("../README.md")]

mod driver;
mod mirror;
mod offset;
mod pending;
mod session;
mod socket;
mod task;
#[cfg(feature = "http")]
pub mod web;

pub use driver::{Config, Event, Refusal, RoomClient, Seen, WaitError};
pub use mirror::{Change, Mirror, Violation, read_frame};
pub use offset::{Estimate, Offset, position_at};
pub use pending::{Answer, Pending};
pub use session::{Closed, EndReason, Session, Stage, Step};
