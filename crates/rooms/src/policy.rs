//! Who may do what: one table, and whatever is not in it is refused.

use crate::{Refusal, Role, Settings};

/// What a member may want to do, as far as permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Vote, react, leave, change one's own name.
    TakePart,
    /// Play and pause.
    Pause,
    /// Seek.
    Seek,
    /// Set the volume.
    SetVolume,
    /// Skip at once, or go back.
    Skip,
    /// Choose the device, or what plays.
    Steer,
    /// Admit, remove, ban.
    KeepOrder,
    /// Settings, roles, closing.
    Own,
}

/// Whether a member of that role may do it under these settings.
pub fn allowed(deed: Deed, role: Role, settings: &Settings) -> Result<(), Refusal> {
    let moderates = matches!(role, Role::Host | Role::Moderator);
    let (may, who) = match deed {
        Deed::TakePart => (true, "members"),
        Deed::Pause => (role == Role::Host || settings.guests_can_pause, "the host"),
        Deed::Seek => (moderates || settings.guests_can_seek, "the host and moderators"),
        Deed::SetVolume => (moderates || settings.guests_can_set_volume, "the host and moderators"),
        Deed::Skip | Deed::KeepOrder => (moderates, "the host and moderators"),
        Deed::Steer | Deed::Own => (role == Role::Host, "the host"),
    };
    if may { Ok(()) } else { Err(Refusal::not_allowed(who)) }
}
