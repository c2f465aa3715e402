//! The names of all keys; what each holds stands in `migrations/redis/`. What one script touches shares a hash tag.

use kernel::{AccountId, RoomCode};

/// Names keys under the store's prefix.
#[derive(Debug)]
pub(super) struct Keys(pub(super) String);

impl Keys {
    fn of(&self, tag: &str, what: &str) -> String {
        format!("{}:{{{tag}}}:{what}", self.0)
    }

    pub(super) fn layout(&self) -> String {
        format!("{}:layout", self.0)
    }

    pub(super) fn room(&self, code: &RoomCode) -> String {
        self.of(code.as_str(), "room")
    }

    pub(super) fn room_channel(&self, code: &RoomCode) -> String {
        self.of(code.as_str(), "changes")
    }

    /// Every room's code.
    pub(super) fn codes(&self) -> String {
        self.of("rooms", "codes")
    }

    pub(super) fn memberships(&self) -> String {
        self.of("memberships", "by")
    }

    /// Sessions by hash, in which order their members and accounts find them, and when they end.
    pub(super) fn sessions(&self) -> [String; 3] {
        ["rows", "by", "ends"].map(|what| self.of("sessions", what))
    }

    pub(super) fn sessions_channel(&self) -> String {
        self.of("sessions", "events")
    }

    /// Attempts by state, and when they end.
    pub(super) fn attempts(&self) -> [String; 2] {
        ["rows", "ends"].map(|what| self.of("attempts", what))
    }

    pub(super) fn account(&self, account: &AccountId) -> String {
        self.of(&format!("account/{account}"), "grant")
    }

    pub(super) fn lease(&self, name: &str) -> String {
        self.of(&format!("lease/{name}"), "lease")
    }

    pub(super) fn window(&self, name: &str) -> String {
        self.of(&format!("limit/{name}"), "window")
    }

    pub(super) fn pauses(&self) -> String {
        self.of("pauses", "until")
    }

    /// Those that exist as soon as anything is stored but rooms, accounts, leases and windows.
    pub(super) fn fixed(&self) -> Vec<String> {
        let [rows, by, ends] = self.sessions();
        let [attempts, attempt_ends] = self.attempts();
        vec![self.codes(), self.memberships(), rows, by, ends, attempts, attempt_ends, self.pauses()]
    }
}

/// Where the answer to a write is remembered while it may be repeated: beside the key that it is about.
pub(super) fn answer(key: &str, write: &str) -> String {
    let beside = key.rsplit_once(':').map_or(key, |(beside, _)| beside);
    format!("{beside}:answer/{write}")
}
