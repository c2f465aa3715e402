//! What a client says over its live connection, and what is done about it.

use std::sync::{Arc, Mutex, PoisonError};

use kernel::{Clock, MemberId};
use protocol::{CloseCode, Code, ServerFrame};
use rooms::CommandId;
use serde_json::{Map, Value};
use store::Hash;

use super::LiveSessions;
use super::rate::{Pace, Rate};
use crate::hub::{RoomHandle, frame, unavailable_frame};
use crate::net::{Connection, Ended, Handler};
use crate::wire::{self, BadCommand, UnknownKeys};

/// One member's live connection to one room.
pub(super) struct Listener {
    pub(super) room: RoomHandle,
    pub(super) member: MemberId,
    pub(super) session: Hash,
    pub(super) sessions: Arc<LiveSessions>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rate: Arc<Mutex<Rate>>,
}

impl Handler for Listener {
    fn on_text(&self, connection: &Arc<Connection>, text: &str) {
        let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else {
            refuse(connection, None, Code::BadCommand, "A frame is one JSON object.".to_owned(), None);
            connection.close(CloseCode::Policy, "A frame is one JSON object.", None);
            return;
        };
        let id = object.get("id").and_then(Value::as_str).and_then(CommandId::parse);
        match self.rate.lock().unwrap_or_else(PoisonError::into_inner).count(self.clock.now()) {
            Pace::Fine => {}
            Pace::TooFast(wait_ms) => {
                let id = id.as_ref().map(|id| id.as_str().to_owned());
                let message = "Too many commands: take a breath.".to_owned();
                return refuse(connection, id, Code::TooFast, message, Some(wait_ms));
            }
            Pace::Flood => {
                return connection.close(CloseCode::TooMany, "Too many commands.", Some(10_000));
            }
        }
        let Some(id) = id else {
            let message = "id takes 1 to 64 characters.".to_owned();
            return refuse(connection, None, Code::BadCommand, message, None);
        };
        self.hear(connection, id, &object);
    }

    fn on_not_text(&self, connection: &Arc<Connection>) {
        refuse(connection, None, Code::BadCommand, "Only text frames are understood.".to_owned(), None);
        connection.close(CloseCode::Policy, "Only text frames are understood.", None);
    }

    fn on_closed(&self, connection: &Arc<Connection>, _ended: Ended) {
        self.room.unseat(connection, &self.member);
        self.sessions.remove(&self.session, connection);
    }
}

impl Listener {
    fn hear(&self, connection: &Arc<Connection>, id: CommandId, object: &Map<String, Value>) {
        if object.get("type").and_then(Value::as_str) == Some("ping") {
            let server_time = self.clock.now().as_millis();
            connection.send(frame(&ServerFrame::Pong { id: id.as_str().to_owned(), server_time }));
            return;
        }
        match wire::parse_command(object, UnknownKeys::Ignored) {
            Ok(command) => {
                let text = id.as_str().to_owned();
                if !self.room.command(connection, &self.member, id, command) {
                    connection.send(unavailable_frame(text));
                }
            }
            Err(BadCommand(message)) => {
                refuse(connection, Some(id.as_str().to_owned()), Code::BadCommand, message, None);
            }
        }
    }
}

fn refuse(connection: &Connection, id: Option<String>, code: Code, message: String, retry_ms: Option<u64>) {
    connection.send(frame(&ServerFrame::Refused { id, code, message, retry_ms }));
}
