//! A room as small records, and back.

use std::collections::{BTreeMap, VecDeque};

use kernel::{AccountId, MemberId, RoomCode, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Answer, Ballot, CommandId, Member, Order, Playback, Room, Settings};

/// The format of the records; one that is not known is refused.
const FORMAT: u32 = 1;

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Room,
    AsOf,
    Playback,
    Ballot,
    Orders,
    Member(MemberId),
    Answer(MemberId, CommandId),
}

const MEMBER: &str = "member/";
const ANSWER: &str = "answer/";

impl Key {
    fn text(&self) -> String {
        match self {
            Self::Room => "room".to_owned(),
            Self::AsOf => "as_of".to_owned(),
            Self::Playback => "playback".to_owned(),
            Self::Ballot => "ballot".to_owned(),
            Self::Orders => "orders".to_owned(),
            Self::Member(id) => format!("{MEMBER}{id}"),
            // A member id has no slash; a command's may have any character.
            Self::Answer(member, id) => format!("{ANSWER}{member}/{}", id.as_str()),
        }
    }
}

/// A record that cannot be: damage, or a newer Parlor's.
#[derive(Debug, thiserror::Error)]
#[error("record {key}: {what}")]
pub struct Corrupt {
    /// Which record.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct RoomRecord {
    format: u32,
    code: RoomCode,
    created_at: Timestamp,
    name: String,
    host: MemberId,
    account: AccountId,
    closed_at: Option<Timestamp>,
    settings: Settings,
    newcomers: VecDeque<Timestamp>,
    #[serde(default)]
    lineage: String,
}

#[derive(Default, Serialize, Deserialize)]
struct OrdersRecord {
    next: u64,
    orders: VecDeque<Order>,
}

fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("a room's values have text keys and no failing serializer")
}

fn from_bytes<T: for<'de> Deserialize<'de>>(key: &str, bytes: &[u8]) -> Result<T, Corrupt> {
    serde_json::from_slice(bytes).map_err(|error| Corrupt { key: key.to_owned(), what: error.to_string() })
}

impl Room {
    pub(crate) fn record(&self, key: &Key) -> (String, Option<Vec<u8>>) {
        let value = match key {
            Key::Room => Some(to_bytes(&RoomRecord {
                format: FORMAT,
                code: self.code.clone(),
                created_at: self.created_at,
                name: self.name.clone(),
                host: self.host.clone(),
                account: self.account.clone(),
                closed_at: self.closed_at,
                settings: self.settings.clone(),
                newcomers: self.newcomers.clone(),
                lineage: self.lineage.clone(),
            })),
            Key::AsOf => Some(to_bytes(&self.as_of)),
            Key::Playback => Some(to_bytes(&self.playback)),
            Key::Ballot => self.ballot.as_ref().map(to_bytes),
            Key::Orders => {
                Some(to_bytes(&OrdersRecord { next: self.next_order, orders: self.orders.clone() }))
            }
            Key::Member(id) => self.members.get(id).map(to_bytes),
            Key::Answer(member, id) => self.answers.get(&(member.clone(), id.clone())).map(to_bytes),
        };
        (key.text(), value)
    }

    /// The room of these records, with its members counted as when they were written, so that every process shows the
    /// same of a version. What has become due since is settled with [`Room::settle`], which sees it as a change.
    pub fn restore(
        version: u64,
        records: &BTreeMap<String, Vec<u8>>,
        now: Timestamp,
    ) -> Result<Self, Corrupt> {
        let missing = |key: &str| Corrupt { key: key.to_owned(), what: "missing".to_owned() };
        let bytes = |key: &str| records.get(key).ok_or_else(|| missing(key));
        let Format { format } = from_bytes("room", bytes("room")?)?;
        if format != FORMAT {
            let what = format!("format {format} is not known; a newer Parlor wrote it");
            return Err(Corrupt { key: "room".to_owned(), what });
        }
        let head: RoomRecord = from_bytes("room", bytes("room")?)?;
        let mut room = Self::empty(head.code, head.host, head.account, now);
        room.version = version;
        room.created_at = head.created_at;
        room.name = head.name;
        room.closed_at = head.closed_at;
        room.settings = head.settings;
        room.newcomers = head.newcomers;
        room.lineage = head.lineage;
        room.playback = from_bytes::<Playback>("playback", bytes("playback")?)?;
        room.ballot = records.get("ballot").map(|bytes| from_bytes::<Ballot>("ballot", bytes)).transpose()?;
        let orders: OrdersRecord = from_bytes("orders", bytes("orders")?)?;
        room.next_order = orders.next;
        room.orders = orders.orders;
        for (key, bytes) in records {
            if let Some(id) = key.strip_prefix(MEMBER) {
                let id: MemberId =
                    id.parse().map_err(|_| Corrupt { key: key.clone(), what: "no id".to_owned() })?;
                room.members.insert(id, from_bytes::<Member>(key, bytes)?);
            } else if let Some(name) = key.strip_prefix(ANSWER) {
                let parsed = name
                    .split_once('/')
                    .and_then(|(member, id)| Some((member.parse::<MemberId>().ok()?, CommandId::parse(id)?)));
                let (member, id) =
                    parsed.ok_or_else(|| Corrupt { key: key.clone(), what: "no id".to_owned() })?;
                let answer: Answer = from_bytes(key, bytes)?;
                room.answer_times.push_back((answer.at, member.clone(), id.clone()));
                room.answers.insert((member, id), answer);
            }
        }
        if !room.members.contains_key(&room.host) {
            return Err(missing(&format!("{MEMBER}{}", room.host)));
        }
        room.answer_times.make_contiguous().sort();
        room.as_of = from_bytes("as_of", bytes("as_of")?)?;
        room.recount();
        room.shown = (room.needed(), room.electors());
        room.had_company = room.counts.online > 0;
        // Counting is no change.
        room.changed.clear();
        room.sections = crate::Sections::default();
        room.soft = crate::Sections::default();
        Ok(room)
    }
}
