//! Rooms: one compare-and-set on the version. A commit touches the records that it names, however many there are.

use async_trait::async_trait;
use kernel::{MemberId, RoomCode, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::Sqlite;
use super::fault::{Sql, count, id};
use crate::{
    Commit, CommitError, Fence, Lineage, Restore, Result, RoomChange, RoomFeed, RoomStore, StoredRoom,
};

/// The version of the room and the newest fence that wrote there.
fn head(connection: &Connection, code: &RoomCode) -> Sql<Option<(u64, Fence)>> {
    let mut select = connection.prepare_cached("SELECT version, fence FROM room WHERE code = ?1")?;
    let found = select.query_row([code.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((version, fence)) = found else { return Ok(None) };
    let checked = |number| count("room", code.as_str(), number);
    Ok(Some((checked(version)?, Fence(checked(fence)?))))
}

fn load(connection: &Connection, code: &RoomCode) -> Sql<Option<StoredRoom>> {
    let Some((version, _)) = head(connection, code)? else { return Ok(None) };
    let mut select = connection.prepare_cached("SELECT key, value FROM room_record WHERE code = ?1")?;
    let rows = select.query_map([code.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let records = rows.collect::<rusqlite::Result<_>>()?;
    Ok(Some(StoredRoom { version, records }))
}

const PUT_RECORD: &str = "INSERT INTO room_record (code, key, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (code, key) DO UPDATE SET value = ?3";

fn put_head(
    connection: &Connection,
    code: &str,
    version: u64,
    fence: Fence,
    expires_at: Option<Timestamp>,
) -> Sql<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO room (code, version, fence, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (code) DO UPDATE SET version = ?2, fence = ?3, expires_at = ?4",
    )?;
    put.execute(params![code, version as i64, fence.0 as i64, expires_at.map(Timestamp::as_millis)])?;
    Ok(())
}

/// Moves the head of an existing room on by one version, where it stands as expected.
const ADVANCE: &str = "UPDATE room SET version = ?2 + 1, fence = ifnull(?3, fence), expires_at = ?4
    WHERE code = ?1 AND version = ?2 AND fence <= ifnull(?3, fence)";

/// Why a commit is not made; `None`: it opens a room.
fn refusal(connection: &Connection, commit: &Commit) -> Sql<Option<CommitError>> {
    Ok(match head(connection, &commit.code)? {
        None if commit.expected == 0 => None,
        None => Some(CommitError::Gone),
        Some((_, newest)) if commit.expected > 0 && commit.fence.is_some_and(|fence| fence < newest) => {
            Some(CommitError::Fenced)
        }
        Some((version, _)) => Some(CommitError::Conflict { version }),
    })
}

/// Checks everything before, or with, the first write.
fn commit(connection: &Connection, commit: &Commit) -> Sql<std::result::Result<u64, CommitError>> {
    let code = commit.code.as_str();
    let version = commit.expected + 1;
    let expires_at = commit.expires_at.map(Timestamp::as_millis);
    let advanced = commit.expected > 0 && {
        let fence = commit.fence.map(|fence| fence.0 as i64);
        let mut advance = connection.prepare_cached(ADVANCE)?;
        advance.execute(params![code, commit.expected as i64, fence, expires_at])? == 1
    };
    if !advanced {
        if let Some(refusal) = refusal(connection, commit)? {
            return Ok(Err(refusal));
        }
        put_head(connection, code, version, commit.fence.unwrap_or_default(), commit.expires_at)?;
    }
    let mut record_put = connection.prepare_cached(PUT_RECORD)?;
    let mut record_delete =
        connection.prepare_cached("DELETE FROM room_record WHERE code = ?1 AND key = ?2")?;
    for (key, value) in &commit.records {
        match value {
            Some(value) => record_put.execute(params![code, key, value])?,
            None => record_delete.execute(params![code, key])?,
        };
    }
    Ok(Ok(version))
}

fn restore(connection: &Connection, restore: &Restore) -> Sql<std::result::Result<u64, CommitError>> {
    let (version, fence) = head(connection, &restore.code)?.unwrap_or_default();
    if version != restore.expected || version >= restore.room.version {
        return Ok(Err(CommitError::Conflict { version }));
    }
    let code = restore.code.as_str();
    put_head(connection, code, restore.room.version, fence, restore.expires_at)?;
    connection.prepare_cached("DELETE FROM room_record WHERE code = ?1")?.execute([code])?;
    let mut record_put = connection.prepare_cached(PUT_RECORD)?;
    for (key, value) in &restore.room.records {
        record_put.execute(params![code, key, value])?;
    }
    Ok(Ok(restore.room.version))
}

fn codes(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Sql<Vec<RoomCode>> {
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map(parameters, |row| row.get::<_, String>(0))?;
    rows.map(|code| id("room", &code?)).collect()
}

fn purge(connection: &Connection, now: Timestamp) -> Sql<u64> {
    connection
        .prepare_cached(
            "DELETE FROM membership WHERE code IN (SELECT code FROM room WHERE expires_at <= ?1)",
        )?
        .execute([now.0])?;
    let purged = connection.prepare_cached("DELETE FROM room WHERE expires_at <= ?1")?.execute([now.0])?;
    Ok(purged as u64)
}

/// A file has one memory.
fn only_here(lineage: Option<&Lineage>) -> std::result::Result<(), CommitError> {
    match lineage {
        Some(other) if !other.is_empty() => Err(CommitError::OtherLineage),
        _ => Ok(()),
    }
}

#[async_trait]
impl RoomStore for Sqlite {
    async fn room_load(&self, code: &RoomCode) -> Result<Option<StoredRoom>> {
        let code = code.clone();
        self.0.readers.read(move |connection| load(connection, &code)).await
    }

    async fn room_lineage(&self, _code: &RoomCode) -> Result<Lineage> {
        Ok(Lineage::default())
    }

    async fn room_version(&self, code: &RoomCode) -> Result<Option<u64>> {
        let code = code.clone();
        let head = self.0.readers.read(move |connection| head(connection, &code)).await?;
        Ok(head.map(|(version, _)| version))
    }

    async fn room_commit(&self, proposal: Commit) -> std::result::Result<u64, CommitError> {
        only_here(proposal.lineage.as_ref())?;
        let run = move |connection: &Connection, effects: &mut super::writer::Effects| {
            let made = commit(connection, &proposal)?;
            if let Ok(version) = made {
                let Commit { code, origin, news, .. } = proposal;
                effects.room(code, RoomChange::Committed { version, origin, news: news.into(), delta: None });
            }
            Ok(made)
        };
        self.0.writer.write(run).await?
    }

    async fn room_restore(&self, lost: Restore) -> std::result::Result<u64, CommitError> {
        only_here(lost.lineage.as_ref())?;
        let run = move |connection: &Connection, effects: &mut super::writer::Effects| {
            let made = restore(connection, &lost)?;
            if let Ok(version) = made {
                let Restore { code, origin, news, .. } = lost;
                effects.room(code, RoomChange::Committed { version, origin, news: news.into(), delta: None });
            }
            Ok(made)
        };
        self.0.writer.write(run).await?
    }

    async fn room_follow(&self, code: &RoomCode) -> Result<Box<dyn RoomFeed>> {
        self.0.hub.room_follow(code)
    }

    async fn rooms_after(&self, after: Option<&RoomCode>, limit: u32) -> Result<Vec<RoomCode>> {
        // Every code comes after the empty text.
        let after = after.map_or_else(String::new, ToString::to_string);
        let sql = "SELECT code FROM room WHERE code > ?1 ORDER BY code LIMIT ?2";
        self.0.readers.read(move |connection| codes(connection, sql, params![after, limit])).await
    }

    async fn rooms_purge(&self, now: Timestamp) -> Result<u64> {
        self.0.writer.write(move |connection, _| purge(connection, now)).await
    }

    async fn membership_put(&self, member: &MemberId, code: &RoomCode) -> Result<()> {
        let (member, code) = (member.clone(), code.clone());
        let sql = "INSERT INTO membership (member, code) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let run = move |connection: &Connection, _: &mut _| {
            connection.prepare_cached(sql)?.execute([member.as_str(), code.as_str()])?;
            Ok(())
        };
        self.0.writer.write(run).await
    }

    async fn membership_delete(&self, member: &MemberId, code: &RoomCode) -> Result<()> {
        let (member, code) = (member.clone(), code.clone());
        let sql = "DELETE FROM membership WHERE member = ?1 AND code = ?2";
        let run = move |connection: &Connection, _: &mut _| {
            connection.prepare_cached(sql)?.execute([member.as_str(), code.as_str()])?;
            Ok(())
        };
        self.0.writer.write(run).await
    }

    async fn memberships(&self, member: &MemberId) -> Result<Vec<RoomCode>> {
        let member = member.clone();
        let sql = "SELECT code FROM membership WHERE member = ?1 ORDER BY code";
        self.0.readers.read(move |connection| codes(connection, sql, [member.as_str()])).await
    }
}
