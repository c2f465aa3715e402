//! The scripts, each in a file of its own, with the digest by which the server knows them.

use std::sync::LazyLock;

/// A script.
pub(super) struct Script {
    pub(super) text: &'static str,
    pub(super) digest: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, digest: redis::Script::new(text).get_hash().to_owned() }
    }
}

macro_rules! scripts {
    ($($name:ident = $($file:literal),+;)+) => {
        $(pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("scripts/lib.lua"), $(include_str!(concat!("scripts/", $file))),+))
        });)+

        #[cfg(test)]
        const FILES: &[&str] = &["lib.lua", $($($file),+),+];
    };
}

scripts! {
    ROOM_COMMIT = "room_commit.lua";
    ROOM_RESTORE = "room_restore.lua";
    ROOM_PURGE = "room_purge.lua";
    ROOM_FORGET = "room_forget.lua";
    SESSION_INSERT = "session_lib.lua", "session_insert.lua";
    SESSION_UPDATE = "session_lib.lua", "session_update.lua";
    SESSION_ROTATE = "session_lib.lua", "session_rotate.lua";
    SESSION_DELETE = "session_lib.lua", "session_delete.lua";
    SESSIONS_PURGE = "session_lib.lua", "sessions_purge.lua";
    SESSIONS_OF = "sessions_of.lua";
    ATTEMPT_PUT = "attempt_put.lua";
    ATTEMPT_TAKE = "attempt_take.lua";
    ATTEMPTS_PURGE = "attempts_purge.lua";
    GRANT_PUT = "grant_put.lua";
    GRANT_UPDATE = "grant_update.lua";
    GRANT_DELETE = "grant_delete.lua";
    LEASE_ACQUIRE = "lease_acquire.lua";
    LEASE_RENEW = "lease_renew.lua";
    LEASE_RELEASE = "lease_release.lua";
    LIMIT_COUNT = "limit_count.lua";
    PAUSE_PUT = "pause_put.lua";
    PAUSES_SWEEP = "pauses_sweep.lua";
    LAYOUT = "layout.lua";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_used() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/redis/scripts");
        for entry in std::fs::read_dir(directory).expect("the directory is in the repository") {
            let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
            assert!(FILES.contains(&name.as_str()), "{name} is not used");
        }
    }
}
