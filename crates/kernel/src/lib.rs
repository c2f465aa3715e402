#![doc = include_str!("../README.md")]

mod entropy;
mod id;
mod secret;
mod time;

pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use id::{AccountId, EntryId, IdError, MemberId, NodeId, RoomCode};
pub use secret::Secret;
pub use time::{BootClock, Clock, ManualClock, MovableClock, SystemClock, Timestamp};
