//! Why a room refuses a command.

/// The reason, without words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The role does not allow it.
    NotAllowed,
    /// The member waits to be let in.
    NotAdmitted,
    /// The epoch is another one by now.
    StaleEpoch,
    /// Nothing plays.
    NothingPlaying,
    /// No such member.
    UnknownMember,
    /// A key of the command is wrong.
    BadCommand,
    /// Too much is asked at once.
    TooFast,
    /// The host's authorization is gone.
    NeedsHost,
    /// No device is there.
    NoDevice,
    /// The account has no Premium.
    PremiumRequired,
    /// The device, or what plays, does not allow it.
    Restricted,
    /// Spotify cannot play it.
    NotPlayable,
    /// Spotify does not answer.
    SpotifyUnavailable,
    /// Spotify asks to wait.
    SpotifyBusy,
    /// The room is closed.
    RoomClosed,
}

/// A refused command: it changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{message}")]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Why, for the person who asked.
    pub message: String,
    /// After how many milliseconds it may be tried again, where that is known.
    pub retry_ms: Option<u64>,
}

impl Refusal {
    /// A refusal for this reason, in these words.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), retry_ms: None }
    }

    /// The same, with the time to wait in milliseconds.
    #[must_use]
    pub const fn retry_after(mut self, ms: u64) -> Self {
        self.retry_ms = Some(ms);
        self
    }

    pub(crate) fn stale_epoch() -> Self {
        Self::new(Reason::StaleEpoch, "That song is over.")
    }

    pub(crate) fn unknown_member() -> Self {
        Self::new(Reason::UnknownMember, "There is no such member in this room.")
    }

    pub(crate) fn not_allowed(who_may: &str) -> Self {
        Self::new(Reason::NotAllowed, format!("Only {who_may} can do that here."))
    }
}
