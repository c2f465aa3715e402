//! Whose a Spotify account is.
//!
//! Whoever signs in with the same account in another browser is the same person there. So the first sign-in of an
//! account claims it for the person of that session, in a row of its own among the sessions: no secret leads to it
//! (its hash is of no 32-byte value that anybody could present), storing it is check-and-set, so that of two browsers
//! that sign in at once one wins and the other becomes that person, and it outlives every single browser's session.
//! It goes when the account is disconnected, unless its person hosts open rooms, which must be found again, or when the
//! last of its person is forgotten.

use auth::Session;
use kernel::{AccountId, MemberId};
use sha2::{Digest, Sha256};
use store::{Hash, SessionRow, StoreError};

use super::{Sessions, row};

/// The person of an account, as of its last sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The person.
    pub member: MemberId,
    /// The name that it goes by.
    pub name: Option<String>,
    /// Whether this sign-in was the account's first.
    pub new: bool,
}

fn own_hash(account: &AccountId) -> Hash {
    let digest = Sha256::new().chain_update(b"parlor: the row of the Spotify account ");
    digest.chain_update(account.as_str()).finalize().into()
}

pub(super) fn is_own_row(row: &SessionRow) -> bool {
    row.account.as_ref().is_some_and(|account| own_hash(account) == row.hash)
}

impl Sessions {
    /// Claims the account for the person of `session`, unless it has one: then that is its person.
    pub async fn claim(&self, account: &AccountId, session: &Session) -> Result<Owner, StoreError> {
        let hash = own_hash(account);
        let now = self.0.clock.now();
        let mut own = session.signed_in(account.clone(), session.member.clone(), now);
        // As long as an authorization lasts, and a little longer; each sign-in prolongs it.
        own.expires_at = auth::authorization_end(now).plus_ms(auth::SESSION_IDLE_MS);
        // An expired row may still be in the way of a new one.
        for _ in 0..3 {
            if let Some(stored) = self.0.store.sessions.session_get(&hash, now).await? {
                let known = row::session(&stored)?;
                let renewed = Session { expires_at: own.expires_at, ..known.clone() };
                if self.0.store.sessions.session_update(row::of(hash, &renewed)).await? {
                    return Ok(Owner { member: known.member, name: known.name, new: false });
                }
            } else if self.0.store.sessions.session_insert(row::of(hash, &own)).await? {
                return Ok(Owner { member: own.member, name: own.name, new: true });
            } else {
                self.0.store.sessions.sessions_purge(now).await?;
            }
        }
        Err(StoreError::Unavailable("an account's row keeps changing".to_owned()))
    }

    /// The accounts that belong to the person.
    pub async fn accounts_of(&self, member: &MemberId) -> Result<Vec<AccountId>, StoreError> {
        let rows = self.0.store.sessions.sessions_of_member(member, self.0.clock.now()).await?;
        Ok(rows.into_iter().filter(is_own_row).filter_map(|row| row.account).collect())
    }

    /// Whatever a later sign-in of the person's accounts finds goes by this name.
    pub async fn rename_owner(&self, member: &MemberId, name: &str) -> Result<(), StoreError> {
        for account in self.accounts_of(member).await? {
            self.edit(&own_hash(&account), |own| own.name = Some(name.to_owned())).await?;
        }
        Ok(())
    }

    /// The account is nobody's any more.
    pub async fn disclaim(&self, account: &AccountId) -> Result<(), StoreError> {
        self.0.store.sessions.session_delete(&own_hash(account)).await.map(drop)
    }

    /// The sessions that are signed in with the account, in order of hash.
    pub async fn of_account(&self, account: &AccountId) -> Result<Vec<SessionRow>, StoreError> {
        let mut rows = self.0.store.sessions.sessions_of_account(account, self.0.clock.now()).await?;
        rows.retain(|row| !is_own_row(row));
        Ok(rows)
    }
}
