//! What is published, as bytes. Rooms: `VERSION ORIGIN\nNEWS`. Sessions: `E` (ended) or `C` (changed) and the hash.

use std::sync::Arc;

use crate::{RoomChange, SessionEvent};

/// A published message, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Room(RoomChange),
    Session(SessionEvent),
    Lagged,
}

impl Message {
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        match payload.first()? {
            b'E' => Some(Self::Session(SessionEvent::Ended(payload[1..].try_into().ok()?))),
            b'C' => Some(Self::Session(SessionEvent::Changed(payload[1..].try_into().ok()?))),
            _ => {
                let end = payload.iter().position(|byte| *byte == b'\n')?;
                let (version, origin) = std::str::from_utf8(&payload[..end]).ok()?.split_once(' ')?;
                Some(Self::Room(RoomChange::Committed {
                    version: version.parse().ok()?,
                    origin: origin.parse().ok()?,
                    news: Arc::from(&payload[end + 1..]),
                }))
            }
        }
    }

    /// On a room's channel; a message that is none of a room's was lost.
    pub(super) fn of_room(self) -> RoomChange {
        match self {
            Self::Room(change) => change,
            Self::Session(_) | Self::Lagged => RoomChange::Lagged,
        }
    }

    /// On the channel of sessions, likewise.
    pub(super) fn of_session(self) -> SessionEvent {
        match self {
            Self::Session(event) => event,
            Self::Room(_) | Self::Lagged => SessionEvent::Lagged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_nothing() {
        let change = Message::read(b"12 node-1\nE\n\0").expect("is one");
        let news = Arc::from(b"E\n\0".as_slice());
        let origin = "node-1".parse().expect("an id");
        assert_eq!(change.of_room(), RoomChange::Committed { version: 12, origin, news });
        for wrong in [&b""[..], b"12", b"12\n", b"x y\n", b"12 \n", b"Eshort", b"\xff y\n"] {
            assert_eq!(Message::read(wrong), None, "{wrong:?}");
        }
    }
}
