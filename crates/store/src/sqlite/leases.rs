//! Leases. One counter gives the fences of all names, so a lease that has ended leaves no row.

use async_trait::async_trait;
use kernel::{NodeId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::Sqlite;
use super::fault::{Sql, count, id};
use crate::{Fence, Lease, LeaseStore, Result};

fn acquire(
    connection: &Connection,
    name: &str,
    holder: &NodeId,
    ttl_ms: u64,
    now: Timestamp,
) -> Sql<Option<Lease>> {
    connection.prepare_cached("DELETE FROM lease WHERE until <= ?1")?.execute([now.0])?;
    let mut select = connection.prepare_cached("SELECT holder FROM lease WHERE name = ?1")?;
    let other: Option<String> = select.query_row([name], |row| row.get(0)).optional()?;
    if other.is_some_and(|other| other != holder.as_str()) {
        return Ok(None);
    }
    let mut next = connection.prepare_cached("UPDATE last_fence SET fence = fence + 1 RETURNING fence")?;
    let fence = count("last_fence", "1", next.query_row([], |row| row.get(0))?)?;
    let until = now.plus_ms(ttl_ms);
    let mut put = connection.prepare_cached(
        "INSERT INTO lease (name, holder, fence, until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET holder = ?2, fence = ?3, until = ?4",
    )?;
    put.execute(params![name, holder.as_str(), fence as i64, until.0])?;
    Ok(Some(Lease { fence: Fence(fence), until }))
}

#[async_trait]
impl LeaseStore for Sqlite {
    async fn lease_acquire(
        &self,
        name: &str,
        holder: &NodeId,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Option<Lease>> {
        let (name, holder) = (name.to_owned(), holder.clone());
        self.0.writer.write(move |connection, _| acquire(connection, &name, &holder, ttl_ms, now)).await
    }

    async fn lease_renew(
        &self,
        name: &str,
        holder: &NodeId,
        fence: Fence,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Option<Lease>> {
        let (name, holder) = (name.to_owned(), holder.clone());
        let run = move |connection: &Connection, _: &mut _| {
            let until = now.plus_ms(ttl_ms);
            let mut update = connection.prepare_cached(
                "UPDATE lease SET until = ?5 WHERE name = ?1 AND holder = ?2 AND fence = ?3 AND until > ?4",
            )?;
            let rows = update.execute(params![name, holder.as_str(), fence.0 as i64, now.0, until.0])?;
            Ok((rows > 0).then_some(Lease { fence, until }))
        };
        self.0.writer.write(run).await
    }

    async fn lease_holder(&self, name: &str, now: Timestamp) -> Result<Option<NodeId>> {
        let name = name.to_owned();
        let run = move |connection: &Connection| {
            let mut select =
                connection.prepare_cached("SELECT holder FROM lease WHERE name = ?1 AND until > ?2")?;
            let found: Option<String> =
                select.query_row(params![name, now.0], |row| row.get(0)).optional()?;
            found.map(|holder| id("lease", &holder)).transpose()
        };
        self.0.readers.read(run).await
    }

    async fn lease_release(&self, name: &str, holder: &NodeId, fence: Fence) -> Result<()> {
        let (name, holder) = (name.to_owned(), holder.clone());
        let run = move |connection: &Connection, _: &mut _| {
            connection
                .prepare_cached("DELETE FROM lease WHERE name = ?1 AND holder = ?2 AND fence = ?3")?
                .execute(params![name, holder.as_str(), fence.0 as i64])?;
            Ok(())
        };
        self.0.writer.write(run).await
    }
}
