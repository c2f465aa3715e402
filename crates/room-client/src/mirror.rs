//! The fold of the server's frames into a room.

use std::collections::VecDeque;
use std::sync::Arc;

use protocol::{Notice, PROTOCOL_VERSION, RoomView, ServerFrame, Update, You};
use serde_json::Value;

use crate::Answer;

/// How many notices are kept; older ones go.
const NOTICES: usize = 64;
/// The frames of the protocol. One of another type is passed over.
const TYPES: [&str; 8] = ["hello", "snapshot", "update", "ack", "refused", "notice", "pong", "bye"];
/// The notices of the protocol. One of another kind is passed over.
const KINDS: [&str; 4] = ["skipped", "reaction", "joined", "action_failed"];

/// What the server must not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The frame is of a known type and yet cannot be read.
    #[error("unreadable frame: {0}")]
    Unreadable(String),
    /// The first frame of the connection was not `hello`.
    #[error("the first frame was not hello")]
    NotGreeted,
    /// The version went back.
    #[error("version {got} came after {held}")]
    Older {
        /// The version held.
        held: u64,
        /// The version that came.
        got: u64,
    },
    /// An update of the version held says something else than was said before.
    #[error("version {0} came twice and differs")]
    Differs(u64),
    /// A snapshot names another version than the room in it.
    #[error("a snapshot of version {outside} holds version {inside}")]
    TwoVersions {
        /// The frame's.
        outside: u64,
        /// The room's.
        inside: u64,
    },
    /// An update came before any snapshot.
    #[error("an update came before any snapshot")]
    NoSnapshot,
}

/// What a frame changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The connection is greeted.
    Greeted,
    /// The server speaks that version of the protocol, which is not ours.
    OtherProtocol(u32),
    /// The room is now of that version.
    Room(u64),
    /// A command is answered.
    Answered {
        /// The command; `None` where the server could not read its id.
        id: Option<String>,
        /// What was said.
        answer: Answer,
    },
    /// Something worth showing.
    Notice(Notice),
    /// A `ping` is answered.
    Pong {
        /// The ping.
        id: String,
        /// The server's time, in milliseconds since the Unix epoch.
        server_time: i64,
    },
    /// The server closes next.
    Bye {
        /// The close code.
        code: u16,
        /// After how long to come back, in milliseconds.
        retry_ms: Option<u64>,
    },
}

/// Reads a text frame. `None`: of a type or kind that this client does not know, and must pass over.
pub fn read_frame(text: &str) -> Result<Option<ServerFrame>, Violation> {
    let error = match serde_json::from_str(text) {
        Ok(frame) => return Ok(Some(frame)),
        Err(error) => error,
    };
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let known = match word("type") {
        "" => true,
        "notice" => word("kind").is_empty() || KINDS.contains(&word("kind")),
        other => TYPES.contains(&other),
    };
    if known { Err(Violation::Unreadable(error.to_string())) } else { Ok(None) }
}

/// The room as the server last told it, and what else was told.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    room: Option<Arc<RoomView>>,
    you: Option<You>,
    heartbeat_ms: Option<u64>,
    greeted: bool,
    notices: VecDeque<Notice>,
}

impl Mirror {
    /// The room; `None` before the first snapshot.
    pub const fn room(&self) -> Option<&Arc<RoomView>> {
        self.room.as_ref()
    }

    /// The version held: what `?since=` says on reconnect.
    pub fn version(&self) -> Option<u64> {
        self.room.as_ref().map(|room| room.version)
    }

    /// Who this client is, by the last `hello`.
    pub const fn you(&self) -> Option<&You> {
        self.you.as_ref()
    }

    /// How often the server pings, in milliseconds, by the last `hello`.
    pub const fn heartbeat_ms(&self) -> Option<u64> {
        self.heartbeat_ms
    }

    /// The last 64 notices, oldest first.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.notices.iter()
    }

    /// A new connection begins: the room stays, the greeting is due.
    pub const fn reconnected(&mut self) {
        self.greeted = false;
    }

    /// Forgets the room, so that the next connection asks for the whole.
    pub fn forget(&mut self) {
        self.room = None;
    }

    /// Takes in a frame. After a violation nothing has changed.
    pub fn apply(&mut self, frame: ServerFrame) -> Result<Change, Violation> {
        if !self.greeted && !matches!(frame, ServerFrame::Hello { .. } | ServerFrame::Bye { .. }) {
            return Err(Violation::NotGreeted);
        }
        Ok(match frame {
            ServerFrame::Hello { protocol, you, server_time: _, heartbeat_ms } => {
                if protocol != PROTOCOL_VERSION {
                    return Ok(Change::OtherProtocol(protocol));
                }
                self.greeted = true;
                self.you = Some(you);
                self.heartbeat_ms = Some(heartbeat_ms);
                Change::Greeted
            }
            ServerFrame::Snapshot { version, room } => {
                if room.version != version {
                    return Err(Violation::TwoVersions { outside: version, inside: room.version });
                }
                self.not_older(version)?;
                self.room = Some(Arc::from(room));
                Change::Room(version)
            }
            ServerFrame::Update(update) => self.update(*update)?,
            ServerFrame::Ack { id, version } => {
                Change::Answered { id: Some(id), answer: Answer::Stored(version) }
            }
            ServerFrame::Refused { id, code, message, retry_ms } => {
                Change::Answered { id, answer: Answer::Refused { code, message, retry_ms } }
            }
            ServerFrame::Notice(notice) => {
                if self.notices.len() == NOTICES {
                    self.notices.pop_front();
                }
                self.notices.push_back(notice.clone());
                Change::Notice(notice)
            }
            ServerFrame::Pong { id, server_time } => Change::Pong { id, server_time },
            ServerFrame::Bye { code, message: _, retry_ms } => Change::Bye { code, retry_ms },
        })
    }

    fn not_older(&self, got: u64) -> Result<(), Violation> {
        match self.version() {
            Some(held) if got < held => Err(Violation::Older { held, got }),
            _ => Ok(()),
        }
    }

    fn update(&mut self, update: Update) -> Result<Change, Violation> {
        self.not_older(update.version)?;
        let held = self.room.as_ref().ok_or(Violation::NoSnapshot)?;
        let version = update.version;
        let repeated = version == held.version;
        let mut room = RoomView::clone(held);
        replace(&mut room, update);
        if repeated && room != **held {
            return Err(Violation::Differs(version));
        }
        self.room = Some(Arc::new(room));
        Ok(Change::Room(version))
    }
}

/// Puts the sections that are there in the place of the room's. Taking `update` apart by name makes the compiler say
/// when the protocol gains a section.
fn replace(room: &mut RoomView, update: Update) {
    let Update { version, name, host, settings, playback, skip, queue, members } = update;
    room.version = version;
    put(&mut room.name, name);
    put(&mut room.host, host);
    put(&mut room.settings, settings);
    put(&mut room.playback, playback);
    put(&mut room.skip, skip);
    put(&mut room.queue, queue);
    put(&mut room.members, members);
}

fn put<T>(place: &mut T, section: Option<T>) {
    if let Some(section) = section {
        *place = section;
    }
}

#[cfg(test)]
mod tests;
