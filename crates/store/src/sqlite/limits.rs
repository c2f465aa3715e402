//! Counters and pauses. What is over is swept when a window begins, so both hold only what is in force.

use async_trait::async_trait;
use kernel::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Sqlite;
use super::fault::{Sql, count};
use crate::{LimitStore, Result};

fn count_one(connection: &Connection, name: &str, window_ms: u64, now: Timestamp) -> Sql<(u64, Timestamp)> {
    let mut update = connection.prepare_cached(
        "UPDATE limit_window SET count = count + 1 WHERE name = ?1 AND ends_at > ?2 RETURNING count, ends_at",
    )?;
    let running = update.query_row(params![name, now.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((number, ends_at)) = running {
        return Ok((count("limit_window", name, number)?, Timestamp(ends_at)));
    }
    connection.prepare_cached("DELETE FROM limit_window WHERE ends_at <= ?1")?.execute([now.0])?;
    connection.prepare_cached("DELETE FROM pause WHERE until <= ?1")?.execute([now.0])?;
    let ends_at = now.plus_ms(window_ms);
    connection
        .prepare_cached("INSERT INTO limit_window (name, count, ends_at) VALUES (?1, 1, ?2)")?
        .execute(params![name, ends_at.0])?;
    Ok((1, ends_at))
}

fn pauses(connection: &Connection, prefix: &str, now: Timestamp) -> Sql<Vec<(String, Timestamp)>> {
    let mut select =
        connection.prepare_cached("SELECT name, until FROM pause WHERE name >= ?1 ORDER BY name")?;
    let mut rows = select.query([prefix])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, until): (String, i64) = (row.get(0)?, row.get(1)?);
        if !name.starts_with(prefix) {
            break;
        }
        if until > now.0 {
            found.push((name, Timestamp(until)));
        }
    }
    Ok(found)
}

#[async_trait]
impl LimitStore for Sqlite {
    async fn limit_count(&self, name: &str, window_ms: u64, now: Timestamp) -> Result<(u64, Timestamp)> {
        let name = name.to_owned();
        self.0.writer.write(move |connection, _| count_one(connection, &name, window_ms, now)).await
    }

    async fn limit_peek(&self, name: &str, now: Timestamp) -> Result<u64> {
        let name = name.to_owned();
        let run = move |connection: &Connection| {
            let mut select = connection
                .prepare_cached("SELECT count FROM limit_window WHERE name = ?1 AND ends_at > ?2")?;
            let found = select.query_row(params![name, now.0], |row| row.get(0)).optional()?;
            count("limit_window", &name, found.unwrap_or(0))
        };
        self.0.readers.read(run).await
    }

    async fn pause_put(&self, name: &str, until: Timestamp) -> Result<()> {
        let name = name.to_owned();
        let run = move |connection: &Connection, _: &mut _| {
            let mut put = connection.prepare_cached(
                "INSERT INTO pause (name, until) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET until = max(until, ?2)",
            )?;
            put.execute(params![name, until.0])?;
            Ok(())
        };
        self.0.writer.write(run).await
    }

    async fn pauses(&self, prefix: &str, now: Timestamp) -> Result<Vec<(String, Timestamp)>> {
        let prefix = prefix.to_owned();
        self.0.readers.read(move |connection| pauses(connection, &prefix, now)).await
    }
}
