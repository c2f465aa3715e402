//! Rooms: a hash each, changed by one script. All rooms' codes stand in one place of their own, and so do memberships.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use kernel::{MemberId, RoomCode, Timestamp};
use redis::Value;

use super::Redis;
use super::call::Call;
use super::fault::Fault;
use super::message::Message;
use super::script::{ROOM_COMMIT, ROOM_FORGET, ROOM_PURGE, ROOM_RESTORE};
use super::value::{bytes, happened, inconsistent, list, number, pairs, parsed, text};
use crate::{Commit, CommitError, Lineage, Restore, Result, RoomFeed, RoomStore, StoreError, StoredRoom};

const TABLE: &str = "room";
/// What a record's field begins with; the room's own fields do not.
const RECORD: u8 = b'=';
/// Rooms that a purge looks at in one go.
const PAGE: u32 = 200;
/// A code without a room may be one that is just being made, until then.
const ORPHAN_MS: u64 = 60_000;

type Committed = std::result::Result<u64, CommitError>;

/// What this process knows of the list of codes.
#[derive(Default)]
pub(super) struct Listed {
    /// Codes that it has put there since the last purge.
    known: Mutex<BTreeSet<RoomCode>>,
    /// Codes without a room, and when that was first seen.
    orphans: Mutex<BTreeMap<RoomCode, Timestamp>>,
}

fn field(key: &str) -> Vec<u8> {
    [&[RECORD], key.as_bytes()].concat()
}

fn committed(value: Value) -> Committed {
    let answer = text(TABLE, value)?.unwrap_or_default();
    let (word, version) = answer.split_once(' ').unwrap_or((&answer, "0"));
    let version = parsed(TABLE, "(unknown)", version)?;
    match word {
        "made" => Ok(version),
        "conflict" => Err(CommitError::Conflict { version }),
        "fenced" => Err(CommitError::Fenced),
        "gone" => Err(CommitError::Gone),
        _ => Err(inconsistent(TABLE, "(unknown)", "an unknown answer").into()),
    }
}

fn unmade(fault: Fault) -> CommitError {
    match fault {
        Fault::OtherLineage => CommitError::OtherLineage,
        fault @ (Fault::Lost(_)
        | Fault::NotNow(_)
        | Fault::NotPrimary(_)
        | Fault::NoScript
        | Fault::Moved { .. }
        | Fault::Ask(_)
        | Fault::Refused(_)
        | Fault::Foreign(_)) => StoreError::from(fault).into(),
    }
}

fn room(code: &RoomCode, value: Value) -> Result<Option<StoredRoom>> {
    let (mut version, mut records) = (None, BTreeMap::new());
    for (name, value) in pairs(TABLE, value)? {
        let wrong = || inconsistent(TABLE, code.as_str(), "not text");
        if let Some((&RECORD, key)) = name.split_first() {
            records.insert(String::from_utf8(key.to_vec()).map_err(|_| wrong())?, value);
        } else if name == b"version" {
            let text = String::from_utf8(value).map_err(|_| wrong())?;
            version = Some(parsed(TABLE, code.as_str(), &text)?);
        }
    }
    Ok(version.map(|version| StoredRoom { version, records }))
}

fn codes(values: Vec<Value>, after: &str) -> Result<Vec<RoomCode>> {
    let read = |value| {
        let text = text(TABLE, value)?.unwrap_or_default();
        parsed(TABLE, &text, text.strip_prefix(after).unwrap_or_default())
    };
    values.into_iter().map(read).collect()
}

impl Redis {
    fn on_room(&self, script: &'static super::script::Script, code: &RoomCode) -> Call {
        let room = self.0.keys.room(code);
        let answer = self.0.caller.write_on(&room);
        Call::script(script, vec![room, answer, self.0.keys.room_channel(code)])
    }

    fn is_listed(&self, code: &RoomCode) -> bool {
        self.0.listed.known.lock().unwrap_or_else(PoisonError::into_inner).contains(code)
    }

    /// Puts the code on the list.
    async fn list(&self, code: &RoomCode) -> Result<()> {
        self.0.caller.write(Call::command("ZADD", self.0.keys.codes()).arg(0).arg(code)).await?;
        self.0.listed.known.lock().unwrap_or_else(PoisonError::into_inner).insert(code.clone());
        Ok(())
    }

    /// Takes it off, with all that names the room.
    async fn unlist(&self, code: &RoomCode) -> Result<()> {
        self.0.listed.known.lock().unwrap_or_else(PoisonError::into_inner).remove(code);
        let forget = Call::script(&ROOM_FORGET, vec![self.0.keys.memberships()]).arg(code);
        self.0.caller.write(forget).await?;
        self.0.caller.write(Call::command("ZREM", self.0.keys.codes()).arg(code)).await?;
        Ok(())
    }

    /// Deletes the room where it has ended; says whether it did.
    async fn purge(&self, code: &RoomCode, now: Timestamp) -> Result<bool> {
        let ends = Call::command("HMGET", self.0.keys.room(code)).arg("version").arg("expires_at");
        let mut head = list(TABLE, self.0.caller.read(ends).await?)?.into_iter();
        let exists = bytes(TABLE, head.next().unwrap_or_default())?.is_some();
        if !exists {
            self.orphan(code, now).await?;
            return Ok(false);
        }
        let ends = text(TABLE, head.next().unwrap_or_default())?.unwrap_or_default();
        if ends.is_empty() || Timestamp(parsed(TABLE, code.as_str(), &ends)?) > now {
            return Ok(false);
        }
        let purged = self.0.caller.write(self.on_room(&ROOM_PURGE, code).arg(now)).await?;
        let purged = happened(TABLE, purged)?;
        if purged {
            self.unlist(code).await?;
        }
        Ok(purged)
    }

    /// A code without a room: of a creation that came to nothing, or cleared away by its TTL.
    async fn orphan(&self, code: &RoomCode, now: Timestamp) -> Result<()> {
        let since = {
            let mut orphans = self.0.listed.orphans.lock().unwrap_or_else(PoisonError::into_inner);
            *orphans.entry(code.clone()).or_insert(now)
        };
        if now.since(since) >= ORPHAN_MS {
            self.unlist(code).await?;
            self.0.listed.orphans.lock().unwrap_or_else(PoisonError::into_inner).remove(code);
        }
        Ok(())
    }
}

#[async_trait]
impl RoomStore for Redis {
    async fn room_load(&self, code: &RoomCode) -> Result<Option<StoredRoom>> {
        room(code, self.0.caller.read(Call::command("HGETALL", self.0.keys.room(code))).await?)
    }

    async fn room_lineage(&self, code: &RoomCode) -> Result<Lineage> {
        self.0.caller.lineage(&self.0.keys.room(code)).await
    }

    async fn room_version(&self, code: &RoomCode) -> Result<Option<u64>> {
        let call = Call::command("HGET", self.0.keys.room(code)).arg("version");
        let version = text(TABLE, self.0.caller.read(call).await?)?;
        version.map(|version| parsed(TABLE, code.as_str(), &version)).transpose()
    }

    async fn room_commit(&self, commit: Commit) -> Committed {
        // A room that is made must be found later, so its code comes first; one that a failover has taken off the list
        // comes back with its next commit.
        let creates = commit.expected == 0;
        if creates {
            self.list(&commit.code).await?;
        }
        let sets = commit.records.iter().filter(|(_, value)| value.is_some()).count();
        let mut call = self
            .on_room(&ROOM_COMMIT, &commit.code)
            .arg(commit.expected)
            .arg(commit.fence.map_or_else(String::new, |fence| fence.0.to_string()))
            .arg(commit.expires_at.map_or_else(String::new, |at| at.to_string()))
            .arg(&commit.origin)
            .bytes(Message::of_commit(&commit))
            .arg(2 * sets)
            .durable(commit.durable)
            .in_lineage(commit.lineage);
        let mut gone = Vec::new();
        for (key, value) in commit.records {
            match value {
                Some(value) => call = call.bytes(field(&key)).bytes(value),
                None => gone.push(field(&key)),
            }
        }
        let call = gone.into_iter().fold(call, Call::bytes);
        let made = committed(self.0.caller.carry_out(call).await.map_err(unmade)?)?;
        if !creates && !self.is_listed(&commit.code) {
            let (store, code) = (self.clone(), commit.code);
            tokio::spawn(async move { store.list(&code).await });
        }
        Ok(made)
    }

    async fn room_restore(&self, restore: Restore) -> Committed {
        self.list(&restore.code).await?;
        let call = self
            .on_room(&ROOM_RESTORE, &restore.code)
            .arg(restore.expected)
            .arg(restore.room.version)
            .arg(restore.expires_at.map_or_else(String::new, |at| at.to_string()))
            .arg(&restore.origin)
            .bytes(Message::of_news(&restore.news))
            .in_lineage(restore.lineage);
        let records = restore.room.records.into_iter();
        let call = records.fold(call, |call, (key, value)| call.bytes(field(&key)).bytes(value));
        committed(self.0.caller.carry_out(call).await.map_err(unmade)?)
    }

    async fn room_follow(&self, code: &RoomCode) -> Result<Box<dyn RoomFeed>> {
        self.0.feeds.rooms(&self.0.caller.nodes, &self.0.keys.room_channel(code)).await
    }

    async fn rooms_after(&self, after: Option<&RoomCode>, limit: u32) -> Result<Vec<RoomCode>> {
        let from = after.map_or_else(|| "-".to_owned(), |code| format!("({code}"));
        let call = Call::command("ZRANGEBYLEX", self.0.keys.codes()).arg(from).arg("+");
        let found = self.0.caller.read(call.arg("LIMIT").arg(0).arg(limit)).await?;
        codes(list(TABLE, found)?, "")
    }

    async fn rooms_purge(&self, now: Timestamp) -> Result<u64> {
        // Whatever a failover has taken off the list comes back with the next commits.
        self.0.listed.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let (mut purged, mut after) = (0, None);
        loop {
            let page = self.rooms_after(after.as_ref(), PAGE).await?;
            for code in &page {
                purged += u64::from(self.purge(code, now).await?);
            }
            after = page.last().cloned();
            if page.len() < PAGE as usize {
                return Ok(purged);
            }
        }
    }

    async fn membership_put(&self, member: &MemberId, code: &RoomCode) -> Result<()> {
        let call = Call::command("ZADD", self.0.keys.memberships()).arg(0).arg(format!("m {member} {code}"));
        let added = self.0.caller.write(call.arg(0).arg(format!("c {code} {member}"))).await?;
        number::<u64>("membership", added).map(drop)
    }

    async fn membership_delete(&self, member: &MemberId, code: &RoomCode) -> Result<()> {
        let call = Call::command("ZREM", self.0.keys.memberships()).arg(format!("m {member} {code}"));
        let removed = self.0.caller.write(call.arg(format!("c {code} {member}"))).await?;
        number::<u64>("membership", removed).map(drop)
    }

    async fn memberships(&self, member: &MemberId) -> Result<Vec<RoomCode>> {
        let call = Call::command("ZRANGEBYLEX", self.0.keys.memberships());
        let call = call.arg(format!("[m {member} ")).arg(format!("(m {member}!"));
        codes(list("membership", self.0.caller.read(call).await?)?, &format!("m {member} "))
    }
}
