//! What everybody saw: the material of the checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::{Code, CommandBody, Notice, RoomView};

use super::plan::{Round, Scenario};

/// Milliseconds since the epoch. All journals are kept on one machine, by one clock.
pub(super) type At = i64;

/// A line of a client's journal.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: At,
    pub(super) what: What,
}

/// What happened to a client.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Connected to that gateway.
    Connected(usize),
    /// Refused before the upgrade, with that status.
    Refused(usize, u16),
    /// The connection has ended.
    Closed(String),
    /// A command is given for the first time.
    Sent(String, CommandBody),
    /// It was refused for now, and will be sent again under its id.
    Deferred(String, Code),
    /// It is answered.
    Answered(String, Result<u64, Code>),
    /// The room, as a frame has made it.
    Room(Seen),
    /// A notice.
    Heard(Notice),
    /// The server did what it must not.
    Broke(String),
}

/// A version of the room, as someone saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) room: Arc<RoomView>,
    /// Of the frame's bytes, where it was a snapshot: the same for everyone.
    pub(super) snapshot: Option<u64>,
}

/// A client's journal.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientJournal {
    pub(super) member: String,
    pub(super) entries: Vec<Entry>,
}

/// What the player did, by Spotify's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) at: At,
    /// `api`, `app` or `end`.
    pub(super) by: String,
    pub(super) word: String,
    pub(super) uri: String,
}

/// A line of a gateway's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It conducts the room, under that fence.
    Conducts { room: String, fence: u64 },
    /// It sent `next` for the account, as read on its link.
    Next { user: String },
    /// It asked anything else of the account's player.
    Asked { user: String },
    /// Spotify has asked it to wait for so many milliseconds.
    Limited { ms: u64 },
    /// A token stands in what it has logged.
    Leaked { user: String },
    /// It answered a request with that status, above 499.
    Failed { path: String, status: u16 },
    /// It panicked.
    Panicked(String),
}

/// What the room is, as a gateway serves it after the fault.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) gateway: usize,
    /// When it was asked.
    pub(super) at: At,
    pub(super) room: Arc<RoomView>,
    /// Of the answer's bytes.
    pub(super) bytes: u64,
}

/// Everything about one room in one wave: a round.
#[derive(Clone, Debug)]
pub(super) struct RoomJournal {
    pub(super) code: String,
    pub(super) user: String,
    pub(super) round: Round,
    /// The room before the first vote.
    pub(super) before: Arc<RoomView>,
    pub(super) clients: Vec<ClientJournal>,
    /// Spotify's journal of the wave.
    pub(super) acts: Vec<Act>,
    /// Calls of `next` that reached Spotify in the wave, by status.
    pub(super) nexts: BTreeMap<u16, u64>,
    /// Refreshes that Spotify granted in the wave.
    pub(super) refreshes: u64,
    /// The generation of the host's tokens in the store, in the order of looking.
    pub(super) generations: Vec<u64>,
    /// The newest fence that wrote the room, in the order of looking.
    pub(super) fences: Vec<u64>,
    /// The version that the new primary had, after a failover.
    pub(super) survived: Option<u64>,
    /// At rest.
    pub(super) served: Vec<Served>,
    /// How it was settled, where it was not in time.
    pub(super) unsettled: Option<String>,
    /// When the first vote was sent, and when the ballot was settled.
    pub(super) voted_at: At,
    pub(super) settled_at: At,
}

/// When the fault struck, and what it did.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) scenario: Scenario,
    pub(super) from: At,
    pub(super) until: At,
    /// The gateways that it struck; all, where it struck something that all have.
    pub(super) gateways: Vec<usize>,
    /// What proves that it struck; nothing does where this is `None`.
    pub(super) proof: Option<String>,
}

/// Everything about one wave.
#[derive(Clone, Debug)]
pub(super) struct WaveJournal {
    pub(super) fault: Fault,
    pub(super) rooms: Vec<RoomJournal>,
    /// By gateway; over the deaths of its process.
    pub(super) gateways: Vec<Vec<(At, Told)>>,
}

impl RoomJournal {
    /// Every version that anyone saw, with whose and when, in the order of each client's seeing.
    pub(super) fn seen(&self) -> impl Iterator<Item = (usize, At, &Seen)> {
        self.clients.iter().enumerate().flat_map(|(client, journal)| {
            let rooms = journal.entries.iter().filter_map(|entry| Some((entry.at, entry.what.room()?)));
            rooms.map(move |(at, seen)| (client, at, seen))
        })
    }

    /// Every version as a value: the room before, what clients saw, and what is served at rest.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &Arc<RoomView>> {
        let seen = self.seen().map(|(.., seen)| &seen.room);
        std::iter::once(&self.before).chain(seen).chain(self.served.iter().map(|served| &served.room))
    }

    /// Commands of clients: who, the command, when it was sent, and its answer with its time.
    pub(super) fn commands(&self) -> Vec<Command<'_>> {
        let mut commands = Vec::new();
        for journal in &self.clients {
            for entry in &journal.entries {
                let What::Sent(id, body) = &entry.what else { continue };
                let answer = journal.entries.iter().find_map(|entry| {
                    let What::Answered(of, answer) = &entry.what else { return None };
                    (of == id).then_some((entry.at, *answer))
                });
                commands.push(Command { member: &journal.member, body, sent: entry.at, answer });
            }
        }
        commands
    }

    /// Notices that anyone heard.
    pub(super) fn heard(&self) -> impl Iterator<Item = &Notice> {
        self.clients.iter().flat_map(|client| {
            client.entries.iter().filter_map(|entry| {
                let What::Heard(notice) = &entry.what else { return None };
                Some(notice)
            })
        })
    }

    /// The epoch that is voted on, and its first ballot.
    pub(super) fn ballot(&self) -> (u64, u64) {
        (self.before.playback.epoch, self.before.skip.as_ref().map_or(0, |skip| skip.ballot))
    }

    /// The track that is voted on.
    pub(super) fn track(&self) -> &str {
        self.before.playback.track.as_ref().map_or("", |track| &track.uri)
    }

    /// The URIs that `next` was done to.
    pub(super) fn skipped(&self) -> Vec<&Act> {
        self.acts.iter().filter(|act| act.by == "api" && act.word == "next").collect()
    }

    /// The newest version at rest.
    pub(super) fn last(&self) -> &Arc<RoomView> {
        self.rooms().max_by_key(|room| room.version).unwrap_or(&self.before)
    }
}

/// A command of a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command<'a> {
    pub(super) member: &'a str,
    pub(super) body: &'a CommandBody,
    pub(super) sent: At,
    pub(super) answer: Option<(At, Result<u64, Code>)>,
}

impl Command<'_> {
    /// When it was acknowledged, and the version.
    pub(super) fn ack(&self) -> Option<(At, u64)> {
        let (at, answer) = self.answer?;
        Some((at, answer.ok()?))
    }
}

impl What {
    /// The room, where a frame has made it.
    pub(super) const fn room(&self) -> Option<&Seen> {
        if let Self::Room(seen) = self { Some(seen) } else { None }
    }
}

impl WaveJournal {
    /// Everything about one room in the order of time, for the person who looks for the cause of a breach.
    pub(super) fn story(&self, room: &RoomJournal) -> String {
        let mut lines = vec![
            (
                self.fault.from,
                format!("FAULT   begins at gateways {:?}: {:?}", self.fault.gateways, self.fault.proof),
            ),
            (self.fault.until, "FAULT   ends".to_owned()),
        ];
        for (nth, client) in room.clients.iter().enumerate() {
            lines.extend(
                client.entries.iter().map(|entry| (entry.at, format!("client {nth}  {}", entry.what))),
            );
        }
        lines.extend(
            room.acts
                .iter()
                .map(|act| (act.at, format!("spotify   {} by {}: {}", act.word, act.by, act.uri))),
        );
        for (nth, told) in self.gateways.iter().enumerate() {
            let ours = told.iter().filter(|(_, told)| match told {
                Told::Conducts { room: of, .. } => *of == room.code,
                Told::Next { user } | Told::Asked { user } => *user == room.user,
                Told::Failed { .. } | Told::Panicked(_) | Told::Limited { .. } | Told::Leaked { .. } => true,
            });
            lines.extend(ours.map(|(at, told)| (*at, format!("gateway {nth} {told:?}"))));
        }
        lines.sort_by_key(|(at, _)| *at);
        let members: Vec<&str> = room.clients.iter().map(|client| client.member.as_str()).collect();
        let head = format!(
            "{} {} {:?}\nmembers {members:?}\nbefore {}\nnexts {:?}, refreshes {}, generations {:?}, fences {:?}, \
             survived {:?}\nserved {:?}\nunsettled {:?}, felt {}\n",
            room.user,
            room.code,
            room.round,
            brief(&room.before),
            room.nexts,
            room.refreshes,
            room.generations,
            room.fences,
            room.survived,
            room.served.iter().map(|served| (served.gateway, brief(&served.room))).collect::<Vec<_>>(),
            room.unsettled,
            super::check::felt(self, room)
        );
        lines.into_iter().fold(head, |text, (at, line)| format!("{text}{:>8} {line}\n", at - room.voted_at))
    }
}

fn brief(room: &RoomView) -> String {
    let skip = room.skip.as_ref().map(|skip| {
        format!("ballot {}.{} {:?} {:?} of {}", skip.epoch, skip.ballot, skip.state, skip.votes, skip.needed)
    });
    let playback = &room.playback;
    format!(
        "v{} epoch {} {:?} online {} {}",
        room.version,
        playback.epoch,
        playback.state,
        room.members.online,
        skip.unwrap_or_default()
    )
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connected(gateway) => write!(f, "is at gateway {gateway}"),
            Self::Refused(gateway, status) => write!(f, "is refused by gateway {gateway} with {status}"),
            Self::Closed(how) => write!(f, "loses its connection: {how}"),
            Self::Sent(id, body) => write!(f, "says {id}: {body:?}"),
            Self::Deferred(id, code) => write!(f, "hears of {id}: not now, {code:?}"),
            Self::Answered(id, answer) => write!(f, "hears of {id}: {answer:?}"),
            Self::Room(seen) => {
                let kind = if seen.snapshot.is_some() { "snapshot" } else { "update" };
                write!(f, "sees {} ({kind})", brief(&seen.room))
            }
            Self::Heard(notice) => write!(f, "hears {notice:?}"),
            Self::Broke(what) => write!(f, "breaks off: {what}"),
        }
    }
}

/// A number for bytes, to compare them by.
pub(super) fn digest(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
