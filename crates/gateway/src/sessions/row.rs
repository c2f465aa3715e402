//! A session as the store's row, and back.

use auth::Session;
use store::{Hash, SessionRow, StoreError};

pub(super) fn of(hash: Hash, session: &Session) -> SessionRow {
    SessionRow {
        hash,
        member: session.member.clone(),
        account: session.account.clone(),
        expires_at: session.expires_at,
        data: session.to_bytes(),
    }
}

pub(super) fn session(row: &SessionRow) -> Result<Session, StoreError> {
    Session::from_bytes(&row.data).ok_or_else(|| StoreError::Inconsistent {
        table: "sessions",
        key: row.member.to_string(),
        what: "its data is no session".to_owned(),
    })
}
