//! From SQLite's errors to the store's, and from stored values to ours.

use rusqlite::ErrorCode;

use crate::StoreError;

/// Why a job failed, in a form that `?` makes of SQLite's errors. The public error stays free of SQLite.
#[derive(Debug)]
pub(super) struct Fault(StoreError);

pub(super) type Sql<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let damage = match error.sqlite_error_code() {
            Some(code) => matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase),
            // Not SQLite but the conversion of a value failed.
            None => true,
        };
        Self(if damage {
            StoreError::Inconsistent {
                table: "parlor.db",
                key: "(unknown)".to_owned(),
                what: error.to_string(),
            }
        } else {
            StoreError::Unavailable(error.to_string())
        })
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

/// A stored identifier, which was one when it was written.
pub(super) fn id<T: std::str::FromStr>(table: &'static str, text: &str) -> Sql<T> {
    text.parse().map_err(|_| inconsistent(table, text, "not an identifier"))
}

/// A stored count, which never was negative.
pub(super) fn count(table: &'static str, key: &str, number: i64) -> Sql<u64> {
    u64::try_from(number).map_err(|_| inconsistent(table, key, "a negative number"))
}

fn inconsistent(table: &'static str, key: &str, what: &str) -> Fault {
    Fault(StoreError::Inconsistent { table, key: key.to_owned(), what: what.to_owned() })
}
