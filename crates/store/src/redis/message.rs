//! What is published, as bytes. Rooms: `VERSION ORIGIN\n`, then pieces, each `LENGTH:BYTES`: the news and, where what the
//! commit wrote is told, its memory and for each record the key and `=VALUE` or, where it was deleted, nothing. Sessions:
//! `E` (ended) or `C` (changed) and the hash.

use std::sync::Arc;

use crate::{Commit, Delta, RoomChange, SessionEvent};

/// What a commit wrote is told up to so many bytes; more is read by those who need it.
const DELTA_MAX: usize = 16 << 10;

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
                let mut rest = &payload[end + 1..];
                let news = Arc::from(piece(&mut rest)?);
                let delta = if rest.is_empty() { None } else { Some(Arc::new(delta(rest)?)) };
                let (version, origin) = (version.parse().ok()?, origin.parse().ok()?);
                Some(Self::Room(RoomChange::Committed { version, origin, news, delta }))
            }
        }
    }

    /// What follows the first line where this commit is told.
    pub(super) fn of_commit(commit: &Commit) -> Vec<u8> {
        let mut told = Self::of_news(&commit.news);
        let size = |(key, value): &(String, Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len);
        if let Some(lineage) = &commit.lineage
            && commit.records.iter().map(size).sum::<usize>() <= DELTA_MAX
        {
            put(&mut told, &[lineage.as_bytes()]);
            for (key, value) in &commit.records {
                put(&mut told, &[key.as_bytes()]);
                match value {
                    Some(value) => put(&mut told, &[b"=", value]),
                    None => put(&mut told, &[]),
                }
            }
        }
        told
    }

    /// The same where the records are not told.
    pub(super) fn of_news(news: &[u8]) -> Vec<u8> {
        let mut told = Vec::new();
        put(&mut told, &[news]);
        told
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

fn put(told: &mut Vec<u8>, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    told.extend_from_slice(format!("{length}:").as_bytes());
    for part in parts {
        told.extend_from_slice(part);
    }
}

fn piece<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let colon = rest.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&rest[..colon]).ok()?.parse().ok()?;
    let (piece, after) = rest[colon + 1..].split_at_checked(length)?;
    *rest = after;
    Some(piece)
}

fn delta(mut rest: &[u8]) -> Option<Delta> {
    let lineage = Arc::from(std::str::from_utf8(piece(&mut rest)?).ok()?);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let key = String::from_utf8(piece(&mut rest)?.to_vec()).ok()?;
        let value = match piece(&mut rest)? {
            [] => None,
            [b'=', value @ ..] => Some(value.to_vec()),
            _ => return None,
        };
        records.push((key, value));
    }
    Some(Delta { lineage, records })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(news: &[u8], lineage: Option<&str>, records: &[(&str, Option<&[u8]>)]) -> Commit {
        let own = |value: &[u8]| value.to_vec();
        Commit {
            code: "ABCDEF".parse().expect("a code"),
            expected: 11,
            records: records.iter().map(|(key, value)| ((*key).to_owned(), value.map(own))).collect(),
            fence: None,
            news: news.to_vec(),
            origin: "node-1".parse().expect("an id"),
            expires_at: None,
            durable: false,
            lineage: lineage.map(Arc::from),
        }
    }

    fn read(commit: &Commit) -> RoomChange {
        let payload = [format!("12 {}\n", commit.origin).as_bytes(), &Message::of_commit(commit)].concat();
        Message::read(&payload).expect("is one").of_room()
    }

    #[test]
    fn what_a_commit_wrote_is_told_while_it_is_small() {
        let origin: kernel::NodeId = "node-1".parse().expect("an id");
        let long = vec![b'x'; DELTA_MAX];
        let records: [(&str, Option<&[u8]>); 4] =
            [("a", Some(b"5:\n=")), ("b/1", None), ("c", Some(b"")), ("d", Some(&[0, 255]))];
        for news in [&b""[..], b"E\n\0", b"7:3:="] {
            let told = |delta| RoomChange::Committed {
                version: 12,
                origin: origin.clone(),
                news: Arc::from(news),
                delta,
            };
            for some in [&records[..], &[]] {
                let commit = commit(news, Some("a memory"), some);
                let delta = Delta { lineage: "a memory".into(), records: commit.records.clone() };
                assert_eq!(read(&commit), told(Some(Arc::new(delta))));
            }
            assert_eq!(read(&commit(news, None, &records)), told(None));
            assert_eq!(read(&commit(news, Some("a memory"), &[("a", Some(&long))])), told(None));
        }
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        let whole = [b"12 node-1\n", &Message::of_commit(&commit(b"E", Some("m"), &[("k", Some(b"v"))]))[..]];
        let whole = whole.concat();
        assert_eq!(whole, b"12 node-1\n1:E1:m1:k2:=v");
        // Cut off, it is something only at the end of a piece that may be the last.
        let ends: Vec<usize> =
            (0..whole.len()).filter(|end| Message::read(&whole[..*end]).is_some()).collect();
        assert_eq!(ends, [13, 16]);
        for wrong in [
            &b""[..],
            b"12",
            b"12\n",
            b"x y\n",
            b"12 \n",
            b"Eshort",
            b"\xff y\n",
            b"12 n\n0",
            b"12 n\n-1:",
            b"12 n\n9:x",
            b"12 n\n18446744073709551616:",
            b"12 n\n0:1:\xff",
            b"12 n\n0:0:1:k2:-v",
            b"12 n\n0:0:1:\xff0:",
        ] {
            assert_eq!(Message::read(wrong), None, "{wrong:?}");
        }
    }
}
