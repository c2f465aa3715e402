//! What several unit tests begin with.

use kernel::{MemberId, Timestamp};
use rooms::{Opening, Room, Settings};

/// Ada, who hosts.
pub(crate) fn ada() -> MemberId {
    "ada".parse().expect("an id")
}

/// Ada's room, opened at that instant, with nothing playing.
pub(crate) fn room(now: Timestamp) -> Room {
    let opening = Opening {
        code: "7KQ2MD".parse().expect("a code"),
        name: "Friday".to_owned(),
        host: ada(),
        host_name: "Ada".to_owned(),
        account: "ada".parse().expect("an account"),
        settings: Settings::default(),
    };
    Room::open(opening, now)
}
