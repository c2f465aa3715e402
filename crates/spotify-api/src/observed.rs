//! What was seen, and when.

use kernel::Timestamp;

/// A value from Spotify between the instants of the question and of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed<T> {
    /// What was seen.
    pub value: T,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When the answer was complete.
    pub answered_at: Timestamp,
}

impl<T> Observed<T> {
    /// The best guess at when the value was true: half way.
    pub const fn midpoint(&self) -> Timestamp {
        Timestamp(self.asked_at.0 + (self.answered_at.0 - self.asked_at.0) / 2)
    }

    /// The same sight of something made from the value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Observed<U> {
        Observed { value: make(self.value), asked_at: self.asked_at, answered_at: self.answered_at }
    }
}
