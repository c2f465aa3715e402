//! Sessions and sign-in attempts: all of a kind in one place, so that each call is one step in a cluster as well.

use async_trait::async_trait;
use kernel::{AccountId, MemberId, Timestamp};
use redis::Value;

use super::Redis;
use super::call::Call;
use super::script::{
    ATTEMPT_PUT, ATTEMPT_TAKE, ATTEMPTS_PURGE, SESSION_DELETE, SESSION_INSERT, SESSION_ROTATE,
    SESSION_UPDATE, SESSIONS_OF, SESSIONS_PURGE, Script,
};
use super::value::{bytes, happened, inconsistent, number, pairs, parsed};
use crate::{AttemptRow, Hash, Result, SessionFeed, SessionRow, SessionStore};

const TABLE: &str = "session";
const ATTEMPTS: &str = "attempt";
/// What the purging scripts delete at most in one go.
const PAGE: u64 = 500;

/// `EXPIRES_AT MEMBER ACCOUNT\nDATA`.
fn packed(row: &SessionRow) -> Vec<u8> {
    let account = row.account.as_ref().map_or("", AccountId::as_str);
    let head = format!("{} {} {account}\n", row.expires_at, row.member);
    [head.as_bytes(), &row.data].concat()
}

/// Enough of a hash to find it by, and too little to be one.
fn hex(hash: &[u8]) -> String {
    let start = hash.iter().take(4).fold(0, |start, byte| (start << 8) | u32::from(*byte));
    format!("{start:08x}…")
}

/// What stands before the first line's end, and after it.
fn split<'a>(table: &'static str, hash: &[u8], row: &'a [u8]) -> Result<(&'a str, &'a [u8])> {
    let wrong = || inconsistent(table, &hex(hash), "no row of ours");
    let end = row.iter().position(|byte| *byte == b'\n').ok_or_else(wrong)?;
    Ok((std::str::from_utf8(&row[..end]).map_err(|_| wrong())?, &row[end + 1..]))
}

fn unpacked(hash: Hash, row: &[u8]) -> Result<SessionRow> {
    let (head, data) = split(TABLE, &hash, row)?;
    let mut parts = head.split(' ');
    let key = hex(&hash);
    let expires_at = Timestamp(parsed(TABLE, &key, parts.next().unwrap_or_default())?);
    let member = parsed(TABLE, &key, parts.next().unwrap_or_default())?;
    let account = parts.next().filter(|account| !account.is_empty());
    let account = account.map(|account| parsed(TABLE, &key, account)).transpose()?;
    Ok(SessionRow { hash, member, account, expires_at, data: data.to_vec() })
}

impl Redis {
    fn on_sessions(&self, script: &'static Script) -> Call {
        let [rows, by, ends] = self.0.keys.sessions();
        let answer = self.0.caller.write_on(&rows);
        Call::script(script, vec![rows, by, ends, answer, self.0.keys.sessions_channel()])
    }

    fn on_attempts(&self, script: &'static Script) -> Call {
        let [rows, ends] = self.0.keys.attempts();
        let answer = self.0.caller.write_on(&rows);
        Call::script(script, vec![rows, ends, answer])
    }

    async fn sessions_of(&self, whose: String, now: Timestamp) -> Result<Vec<SessionRow>> {
        let [rows, by, _] = self.0.keys.sessions();
        let found = self.0.caller.read(Call::script(&SESSIONS_OF, vec![rows, by]).arg(whose)).await?;
        let read = |(hash, row): (Vec<u8>, Vec<u8>)| {
            let hash =
                hash.try_into().map_err(|hash: Vec<u8>| inconsistent(TABLE, &hex(&hash), "no hash"))?;
            unpacked(hash, &row)
        };
        let rows = pairs(TABLE, found)?.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(rows.into_iter().filter(|row| row.expires_at > now).collect())
    }

    /// Page after page.
    async fn purged(&self, page: impl Fn() -> Call + Send + Sync) -> Result<u64> {
        let mut all = 0;
        loop {
            let some: u64 = number(TABLE, self.0.caller.write(page()).await?)?;
            all += some;
            if some < PAGE {
                return Ok(all);
            }
        }
    }
}

fn attempt(state: &Hash, value: Value) -> Result<Option<AttemptRow>> {
    let Some(row) = bytes(ATTEMPTS, value)? else { return Ok(None) };
    let (expires_at, data) = split(ATTEMPTS, state, &row)?;
    let expires_at = Timestamp(parsed(ATTEMPTS, &hex(state), expires_at)?);
    Ok(Some(AttemptRow { state: *state, expires_at, data: data.to_vec() }))
}

#[async_trait]
impl SessionStore for Redis {
    async fn session_insert(&self, row: SessionRow) -> Result<bool> {
        let call = self.on_sessions(&SESSION_INSERT).bytes(row.hash).bytes(packed(&row));
        happened(TABLE, self.0.caller.write(call).await?)
    }

    async fn session_get(&self, hash: &Hash, now: Timestamp) -> Result<Option<SessionRow>> {
        let [rows, ..] = self.0.keys.sessions();
        let found = bytes(TABLE, self.0.caller.read(Call::command("HGET", rows).bytes(*hash)).await?)?;
        let row = found.map(|row| unpacked(*hash, &row)).transpose()?;
        Ok(row.filter(|row| row.expires_at > now))
    }

    async fn session_update(&self, row: SessionRow) -> Result<bool> {
        let call = self.on_sessions(&SESSION_UPDATE).bytes(row.hash).bytes(packed(&row));
        happened(TABLE, self.0.caller.write(call).await?)
    }

    async fn session_rotate(&self, old: &Hash, new: SessionRow, now: Timestamp) -> Result<bool> {
        let call = self.on_sessions(&SESSION_ROTATE).bytes(*old).bytes(new.hash).bytes(packed(&new)).arg(now);
        happened(TABLE, self.0.caller.write(call).await?)
    }

    async fn session_delete(&self, hash: &Hash) -> Result<bool> {
        happened(TABLE, self.0.caller.write(self.on_sessions(&SESSION_DELETE).bytes(*hash)).await?)
    }

    async fn sessions_of_account(&self, account: &AccountId, now: Timestamp) -> Result<Vec<SessionRow>> {
        self.sessions_of(format!("a {account}"), now).await
    }

    async fn sessions_of_member(&self, member: &MemberId, now: Timestamp) -> Result<Vec<SessionRow>> {
        self.sessions_of(format!("m {member}"), now).await
    }

    async fn sessions_follow(&self) -> Result<Box<dyn SessionFeed>> {
        self.0.feeds.sessions(&self.0.caller.nodes, &self.0.keys.sessions_channel()).await
    }

    async fn attempt_put(&self, row: AttemptRow, cap: u32, now: Timestamp) -> Result<()> {
        let packed = [format!("{}\n", row.expires_at).as_bytes(), &row.data].concat();
        let call = self.on_attempts(&ATTEMPT_PUT).bytes(row.state).arg(row.expires_at).bytes(packed);
        self.0.caller.write(call.arg(cap).arg(now)).await.map(drop)
    }

    async fn attempt_take(&self, state: &Hash, now: Timestamp) -> Result<Option<AttemptRow>> {
        let taken = self.0.caller.write(self.on_attempts(&ATTEMPT_TAKE).bytes(*state)).await?;
        Ok(attempt(state, taken)?.filter(|row| row.expires_at > now))
    }

    async fn sessions_purge(&self, now: Timestamp) -> Result<u64> {
        let sessions = self.purged(|| self.on_sessions(&SESSIONS_PURGE).arg(now)).await?;
        let attempts = self.purged(|| self.on_attempts(&ATTEMPTS_PURGE).arg(now)).await?;
        Ok(sessions + attempts)
    }
}
