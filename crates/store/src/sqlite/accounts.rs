//! Accounts: a generation that only grows, over deletion too. Every write here replaces or deletes sealed tokens, so the
//! log is emptied after each.

use async_trait::async_trait;
use kernel::AccountId;
use rusqlite::{Connection, OptionalExtension, params};

use super::Sqlite;
use super::fault::{Sql, count};
use crate::{AccountStore, GrantRow, Result};

/// The greatest generation that the account ever had, and the data unless it is deleted.
fn stored(connection: &Connection, account: &AccountId) -> Sql<Option<(u64, Option<Vec<u8>>)>> {
    let mut select =
        connection.prepare_cached("SELECT generation, data FROM account_grant WHERE account = ?1")?;
    let found = select.query_row([account.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found
        .map(|(generation, data)| Ok((count("account_grant", account.as_str(), generation)?, data)))
        .transpose()
}

fn put(connection: &Connection, account: &AccountId, generation: u64, data: Option<&[u8]>) -> Sql<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO account_grant (account, generation, data) VALUES (?1, ?2, ?3)
         ON CONFLICT (account) DO UPDATE SET generation = ?2, data = ?3",
    )?;
    put.execute(params![account.as_str(), generation as i64, data])?;
    Ok(())
}

#[async_trait]
impl AccountStore for Sqlite {
    async fn grant_get(&self, account: &AccountId) -> Result<Option<GrantRow>> {
        let wanted = account.clone();
        let found = self.0.readers.read(move |connection| stored(connection, &wanted)).await?;
        let Some((generation, Some(data))) = found else { return Ok(None) };
        Ok(Some(GrantRow { account: account.clone(), generation, data }))
    }

    async fn grant_put(&self, row: GrantRow) -> Result<u64> {
        let run = move |connection: &Connection, effects: &mut super::writer::Effects| {
            let next = stored(connection, &row.account)?.map_or(0, |(highest, _)| highest + 1);
            let generation = row.generation.max(next);
            put(connection, &row.account, generation, Some(&row.data))?;
            effects.erased();
            Ok(generation)
        };
        self.0.writer.write(run).await
    }

    async fn grant_update(&self, expected: u64, row: GrantRow) -> Result<bool> {
        let run = move |connection: &Connection, effects: &mut super::writer::Effects| {
            let Some((generation, Some(_))) = stored(connection, &row.account)? else { return Ok(false) };
            if generation != expected {
                return Ok(false);
            }
            put(connection, &row.account, row.generation.max(expected), Some(&row.data))?;
            effects.erased();
            Ok(true)
        };
        self.0.writer.write(run).await
    }

    async fn grant_delete(&self, account: &AccountId) -> Result<bool> {
        let account = account.clone();
        let run = move |connection: &Connection, effects: &mut super::writer::Effects| {
            let Some((generation, Some(_))) = stored(connection, &account)? else { return Ok(false) };
            put(connection, &account, generation, None)?;
            effects.erased();
            Ok(true)
        };
        self.0.writer.write(run).await
    }
}
