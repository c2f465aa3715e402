//! A version of the room as bytes, encoded once and shared by everyone who hears it.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use kernel::{RoomCode, Timestamp};
use rooms::{Room, Section, Sections};

use crate::net::{Publication, codec};
use crate::wire;

/// The sections of a published version, each encoded when it last changed.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    code: RoomCode,
    created_at: Timestamp,
    version: u64,
    sections: [Bytes; 7],
}

impl Frames {
    /// The room as it stands.
    pub(super) fn of(room: &Room) -> Self {
        Self {
            code: room.code().clone(),
            created_at: room.created_at(),
            version: room.version(),
            sections: Section::ALL.map(|section| wire::section(room, section).into()),
        }
    }

    /// The version that they show.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// The room's next published version, of which only these sections differ; and what everyone is told. A version
    /// in which nothing visible changed is told by the room's name, the smallest section: so every client comes to
    /// hold the version that its acknowledgements name.
    pub(super) fn next(&self, room: &Room, changed: Sections, notices: Vec<Bytes>) -> (Self, Publication) {
        let mut next = Self { version: room.version(), ..self.clone() };
        let mut update = BytesMut::with_capacity(1024);
        update.extend_from_slice(format!("{{\"type\":\"update\",\"version\":{}", next.version).as_bytes());
        let mut shown = changed;
        if shown.is_empty() {
            shown.insert(Section::Name);
        }
        for section in Section::ALL.into_iter().filter(|section| shown.contains(*section)) {
            if changed.contains(section) {
                next.sections[section as usize] = wire::section(room, section).into();
            }
            put_section(&mut update, section, &next.sections[section as usize]);
        }
        update.put_u8(b'}');
        let publication = next.publication(self.version, &update, notices);
        (next, publication)
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
