//! Sessions and sign-in attempts. What is deleted is zeroed in its page, and the log that still holds it is emptied soon.

use async_trait::async_trait;
use kernel::{AccountId, MemberId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use super::fault::{Sql, id};
use super::writer::Effects;
use crate::{AttemptRow, Hash, Result, SessionEvent, SessionFeed, SessionRow, SessionStore};

/// A session's columns, before its identifiers are read.
type Columns = (Hash, String, Option<String>, i64, Vec<u8>);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn session((hash, member, account, expires_at, data): Columns) -> Sql<SessionRow> {
    let member = id("session", &member)?;
    let account = account.map(|account| id("session", &account)).transpose()?;
    Ok(SessionRow { hash, member, account, expires_at: Timestamp(expires_at), data })
}

fn select(connection: &Connection, sql: &str, of: &str, now: Timestamp) -> Sql<Vec<SessionRow>> {
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map(params![of, now.0], columns)?;
    rows.map(|row| session(row?)).collect()
}

fn insert(connection: &Connection, row: &SessionRow) -> Sql<bool> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO session (hash, member, account, expires_at, data) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?;
    let account = row.account.as_ref().map(AccountId::as_str);
    let rows = insert.execute(params![row.hash, row.member.as_str(), account, row.expires_at.0, row.data])?;
    Ok(rows > 0)
}

fn exists(connection: &Connection, hash: &Hash, after: i64) -> Sql<bool> {
    let mut select =
        connection.prepare_cached("SELECT 1 FROM session WHERE hash = ?1 AND expires_at > ?2")?;
    Ok(select.exists(params![hash, after])?)
}

fn delete(connection: &Connection, hash: &Hash, effects: &mut Effects) -> Sql<bool> {
    let rows = connection.prepare_cached("DELETE FROM session WHERE hash = ?1")?.execute([hash])?;
    if rows > 0 {
        effects.erased();
        effects.session(SessionEvent::Ended(*hash));
    }
    Ok(rows > 0)
}

fn update(connection: &Connection, row: &SessionRow, effects: &mut Effects) -> Sql<bool> {
    let mut update = connection.prepare_cached(
        "UPDATE session SET member = ?2, account = ?3, expires_at = ?4, data = ?5 WHERE hash = ?1",
    )?;
    let account = row.account.as_ref().map(AccountId::as_str);
    let rows = update.execute(params![row.hash, row.member.as_str(), account, row.expires_at.0, row.data])?;
    if rows > 0 {
        effects.session(SessionEvent::Changed(row.hash));
    }
    Ok(rows > 0)
}

fn rotate(
    connection: &Connection,
    old: &Hash,
    new: &SessionRow,
    now: Timestamp,
    effects: &mut Effects,
) -> Sql<bool> {
    let taken = new.hash != *old && exists(connection, &new.hash, i64::MIN)?;
    if taken || !exists(connection, old, now.0)? {
        return Ok(false);
    }
    delete(connection, old, effects)?;
    insert(connection, new)
}

fn attempt_put(
    connection: &Connection,
    row: &AttemptRow,
    cap: u32,
    now: Timestamp,
    effects: &mut Effects,
) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM attempt WHERE state = ?1 OR expires_at <= ?2")?
        .execute(params![row.state, now.0])?;
    let stored: i64 =
        connection.prepare_cached("SELECT count(*) FROM attempt")?.query_row([], |row| row.get(0))?;
    // Room for this one; a cap of 0 keeps one.
    let excess = (stored + 1 - i64::from(cap.max(1))).max(0);
    connection
        .prepare_cached(
            "DELETE FROM attempt WHERE state IN (SELECT state FROM attempt ORDER BY expires_at, state LIMIT ?1)",
        )?
        .execute([excess])?;
    connection
        .prepare_cached("INSERT INTO attempt (state, expires_at, data) VALUES (?1, ?2, ?3)")?
        .execute(params![row.state, row.expires_at.0, row.data])?;
    effects.erased();
    Ok(())
}

fn attempt_take(connection: &Connection, state: Hash, effects: &mut Effects) -> Sql<Option<AttemptRow>> {
    let mut delete =
        connection.prepare_cached("DELETE FROM attempt WHERE state = ?1 RETURNING expires_at, data")?;
    let taken = delete.query_row([state], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(taken.map(|(expires_at, data)| {
        effects.erased();
        AttemptRow { state, expires_at: Timestamp(expires_at), data }
    }))
}

fn purge(connection: &Connection, now: Timestamp, effects: &mut Effects) -> Sql<u64> {
    let mut delete =
        connection.prepare_cached("DELETE FROM session WHERE expires_at <= ?1 RETURNING hash")?;
    let mut ended = delete.query_map([now.0], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Hash>>>()?;
    ended.sort_unstable();
    let attempts =
        connection.prepare_cached("DELETE FROM attempt WHERE expires_at <= ?1")?.execute([now.0])?;
    let rows = (ended.len() + attempts) as u64;
    if rows > 0 {
        effects.erased();
    }
    for hash in ended {
        effects.session(SessionEvent::Ended(hash));
    }
    Ok(rows)
}

#[async_trait]
impl SessionStore for Sqlite {
    async fn session_insert(&self, row: SessionRow) -> Result<bool> {
        self.0.writer.write(move |connection, _| insert(connection, &row)).await
    }

    async fn session_get(&self, hash: &Hash, now: Timestamp) -> Result<Option<SessionRow>> {
        let hash = *hash;
        let sql =
            "SELECT hash, member, account, expires_at, data FROM session WHERE hash = ?1 AND expires_at > ?2";
        let run = move |connection: &Connection| {
            let found =
                connection.prepare_cached(sql)?.query_row(params![hash, now.0], columns).optional()?;
            found.map(session).transpose()
        };
        self.0.readers.read(run).await
    }

    async fn session_update(&self, row: SessionRow) -> Result<bool> {
        self.0.writer.write(move |connection, effects| update(connection, &row, effects)).await
    }

    async fn session_rotate(&self, old: &Hash, new: SessionRow, now: Timestamp) -> Result<bool> {
        let old = *old;
        self.0.writer.write(move |connection, effects| rotate(connection, &old, &new, now, effects)).await
    }

    async fn session_delete(&self, hash: &Hash) -> Result<bool> {
        let hash = *hash;
        self.0.writer.write(move |connection, effects| delete(connection, &hash, effects)).await
    }

    async fn sessions_of_account(&self, account: &AccountId, now: Timestamp) -> Result<Vec<SessionRow>> {
        let account = account.clone();
        let sql = "SELECT hash, member, account, expires_at, data FROM session
                   WHERE account = ?1 AND expires_at > ?2 ORDER BY hash";
        self.0.readers.read(move |connection| select(connection, sql, account.as_str(), now)).await
    }

    async fn sessions_of_member(&self, member: &MemberId, now: Timestamp) -> Result<Vec<SessionRow>> {
        let member = member.clone();
        let sql = "SELECT hash, member, account, expires_at, data FROM session
                   WHERE member = ?1 AND expires_at > ?2 ORDER BY hash";
        self.0.readers.read(move |connection| select(connection, sql, member.as_str(), now)).await
    }

    async fn sessions_follow(&self) -> Result<Box<dyn SessionFeed>> {
        self.0.hub.sessions_follow()
    }

    async fn attempt_put(&self, row: AttemptRow, cap: u32, now: Timestamp) -> Result<()> {
        self.0.writer.write(move |connection, effects| attempt_put(connection, &row, cap, now, effects)).await
    }

    async fn attempt_take(&self, state: &Hash, now: Timestamp) -> Result<Option<AttemptRow>> {
        let state = *state;
        let taken =
            self.0.writer.write(move |connection, effects| attempt_take(connection, state, effects)).await?;
        Ok(taken.filter(|row| row.expires_at > now))
    }

    async fn sessions_purge(&self, now: Timestamp) -> Result<u64> {
        self.0.writer.write(move |connection, effects| purge(connection, now, effects)).await
    }
}
