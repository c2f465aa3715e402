//! The rooms that are awake on this gateway: a replica of each, and one task that writes it.

mod apply;
mod frames;
mod job;
mod registry;
mod remembered;
mod replica;
mod room;

pub(crate) use frames::{frame, unavailable_frame};
pub use job::{Conducted, ConductorEvent, Failure, NotConducted};
pub use registry::{Hub, HubParts};
pub use room::RoomHandle;

/// Why the hub could not do what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// The store cannot be reached: nothing was changed, as far as is known. Ask again.
    #[error("the store is not available")]
    Unavailable,
    /// What is stored of the room cannot be read.
    #[error("the stored room is damaged")]
    Corrupt,
    /// There is no such room (any more).
    #[error("no such room")]
    Gone,
}
