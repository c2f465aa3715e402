//! The schema's versions, kept in `PRAGMA user_version`.

use rusqlite::{Connection, TransactionBehavior};

/// In order; the first makes version 1.
const MIGRATIONS: &[&str] = &[include_str!("../../../../migrations/0001_initial.sql")];

/// The newest version that this binary knows.
pub(super) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// What a migration that failed leaves: the version before it.
pub(super) struct Failed {
    pub(super) number: usize,
    pub(super) source: rusqlite::Error,
}

pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the database from its version to [`KNOWN`], each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Failed> {
    run(connection, MIGRATIONS)
}

fn run(connection: &mut Connection, migrations: &[&str]) -> Result<(), Failed> {
    let found = version(connection).map_err(|source| Failed { number: 0, source })?;
    for (at, sql) in migrations.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        let number = at + 1;
        step(connection, number, sql).map_err(|source| Failed { number, source })?;
        tracing::info!(number, "store.migrated");
    }
    Ok(())
}

fn step(connection: &mut Connection, number: usize, sql: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(sql)?;
    transaction.pragma_update(None, "user_version", number as i64)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_directory_and_each_file_begins_with_its_intent() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut files: Vec<_> = std::fs::read_dir(directory)
            .expect("the directory is in the repository")
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
            .collect();
        files.sort();
        let texts: Vec<String> =
            files.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect();
        assert_eq!(texts, MIGRATIONS);
        for (at, (path, text)) in files.iter().zip(&texts).enumerate() {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
            assert!(name.starts_with(&format!("{:04}_", at + 1)), "{name} is out of order");
            assert!(text.starts_with("-- ") && text.lines().next().is_some_and(|line| line.ends_with('.')));
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_version_and_the_tables_before_it() {
        let mut connection = Connection::open_in_memory().expect("memory");
        let steps = ["CREATE TABLE kept (x)", "CREATE TABLE gone (x); CREATE TABLE kept (y)"];
        let failed = run(&mut connection, &steps).expect_err("the second step cannot run");
        assert_eq!(failed.number, 2);
        assert_eq!(version(&connection).expect("readable"), 1);
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .expect("readable");
        assert_eq!(tables, 1);
    }
}
