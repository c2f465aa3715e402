//! What is heard as bytes: a version of the room, encoded once and shared by everyone who hears it, answers and notices.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use kernel::{RoomCode, Timestamp};
use protocol::ServerFrame;
use rooms::{Notice, Refusal, Room, Section, Sections};

use crate::net::{Publication, codec};
use crate::wire;

/// The sections of the last stored version, each encoded when it last changed, and what of it is still to be told.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    code: RoomCode,
    created_at: Timestamp,
    version: u64,
    sections: [Bytes; 7],
    /// The version that everyone was last told.
    told: u64,
    /// The sections that have changed since.
    untold: Sections,
}

impl Frames {
    /// The room as it stands.
    pub(super) fn of(room: &Room) -> Self {
        Self {
            code: room.code().clone(),
            created_at: room.created_at(),
            version: room.version(),
            sections: Section::ALL.map(|section| wire::section(room, section).into()),
            told: room.version(),
            untold: Sections::default(),
        }
    }

    /// The version that they show.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Takes the room's next stored version, of which no more than these sections differ.
    pub(super) fn advance(&mut self, room: &Room, changed: Sections) {
        self.version = room.version();
        for section in Section::ALL.into_iter().filter(|section| changed.contains(*section)) {
            let value = wire::section(room, section);
            let known = &mut self.sections[section as usize];
            if *known != value {
                *known = value.into();
                self.untold.insert(section);
            }
        }
    }

    /// What everyone is told now: the sections that differ from what they were last told. A version in which nothing
    /// visible changed is told by the room's name, the smallest section: so every client comes to hold the version that
    /// its acknowledgements name.
    pub(super) fn tell(&mut self, notices: Vec<Bytes>) -> Publication {
        let mut shown = std::mem::take(&mut self.untold);
        if shown.is_empty() {
            shown.insert(Section::Name);
        }
        let mut update = BytesMut::with_capacity(1024);
        update.extend_from_slice(format!("{{\"type\":\"update\",\"version\":{}", self.version).as_bytes());
        for section in Section::ALL.into_iter().filter(|section| shown.contains(*section)) {
            put_section(&mut update, section, &self.sections[section as usize]);
        }
        update.put_u8(b'}');
        let base = std::mem::replace(&mut self.told, self.version);
        self.publication(base, &update, notices)
    }

    /// The version, for those who have seen none or an older one.
    pub(super) fn whole(&self) -> Publication {
        // Nobody has version 0: whoever is behind gets the snapshot.
        self.publication(self.version, b"{}", Vec::new())
    }

    fn publication(&self, base: u64, update: &[u8], notices: Vec<Bytes>) -> Publication {
        let frames = Arc::new(self.clone());
        Publication::new(self.version, base, codec::text_frame(update), notices, move || {
            let mut snapshot = BytesMut::with_capacity(4096);
            let head = format!("{{\"type\":\"snapshot\",\"version\":{},\"room\":", frames.version);
            snapshot.extend_from_slice(head.as_bytes());
            snapshot.extend_from_slice(&frames.room_json());
            snapshot.put_u8(b'}');
            codec::text_frame(&snapshot)
        })
    }

    /// The whole room as JSON.
    pub(super) fn room_json(&self) -> Bytes {
        let mut json = BytesMut::with_capacity(4096);
        let head = format!(
            "{{\"code\":\"{}\",\"version\":{},\"created_at\":{}",
            self.code,
            self.version,
            self.created_at.as_millis()
        );
        json.extend_from_slice(head.as_bytes());
        for section in Section::ALL {
            put_section(&mut json, section, &self.sections[section as usize]);
        }
        json.put_u8(b'}');
        json.freeze()
    }
}

fn put_section(json: &mut BytesMut, section: Section, value: &[u8]) {
    json.extend_from_slice(b",\"");
    json.extend_from_slice(wire::section_key(section).as_bytes());
    json.extend_from_slice(b"\":");
    json.extend_from_slice(value);
}

/// The answer to a command.
pub(super) fn answer_frame(id: String, result: Result<u64, Refusal>) -> Bytes {
    frame(&match result {
        Ok(version) => ServerFrame::Ack { id, version },
        Err(refusal) => ServerFrame::Refused {
            id: Some(id),
            code: wire::code(refusal.reason),
            message: refusal.message,
            retry_ms: refusal.retry_ms,
        },
    })
}

/// The answer to a command that could not be stored, or not be taken.
pub(crate) fn unavailable_frame(id: String) -> Bytes {
    frame(&ServerFrame::Refused {
        id: Some(id),
        code: protocol::Code::StoreUnavailable,
        message: "The service cannot store anything right now. Try again in a moment.".to_owned(),
        retry_ms: Some(1_000),
    })
}

/// What everyone is told besides the room.
pub(super) fn notice_frame(notice: &Notice) -> Bytes {
    frame(&ServerFrame::Notice(wire::notice(notice)))
}

/// A frame for the live connection.
pub(crate) fn frame(frame: &ServerFrame) -> Bytes {
    let json = serde_json::to_vec(frame).expect("wire types have text keys and no failing serializer");
    codec::text_frame(&json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn an_update_names_the_sections_that_differ_and_no_more() {
        let now = Timestamp(1_790_000_000_000);
        let mut room = fixtures::room(now);
        room.take();
        let mut frames = Frames::of(&room);
        let guest: kernel::MemberId = "ben".parse().expect("an id");
        room.join(now, &guest, "Ben", 10);
        room.take();
        let keys = |told: &Publication, version| {
            let update = told.for_version(version).expect("it is newer");
            let json = update.iter().position(|byte| *byte == b'{').expect("behind the frame's head");
            let update: serde_json::Value = serde_json::from_slice(&update[json..]).expect("is JSON");
            let keys = update.as_object().expect("an object").keys().cloned();
            keys.filter(|key| !["type", "version"].contains(&key.as_str())).collect::<Vec<_>>()
        };
        let before = frames.version();
        frames.advance(&room, Sections::ALL);
        assert_eq!(frames.room_json(), Frames::of(&room).room_json());
        assert_eq!(keys(&frames.tell(Vec::new()), before), ["members"]);
        // A version that nobody sees a change in.
        frames.told = before;
        frames.advance(&room, Sections::ALL);
        assert_eq!(keys(&frames.tell(Vec::new()), before), ["name"]);
        // Of several that were not told at once, everything.
        for name in ["Ben", "Cem"] {
            room.join(now, &name.to_lowercase().parse().expect("an id"), name, 10);
            room.take();
            frames.advance(&room, Sections::ALL);
        }
        assert_eq!(keys(&frames.tell(Vec::new()), before + 1), ["members"]);
    }
}
