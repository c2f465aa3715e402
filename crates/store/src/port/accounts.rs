//! Spotify accounts and their sealed tokens.

use async_trait::async_trait;
use kernel::AccountId;

use super::Result;

/// What is stored about a Spotify account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// The account.
    pub account: AccountId,
    /// Counts the token sets; it only grows, over deletion and a new authorization too.
    pub generation: u64,
    /// The profile and the sealed tokens, opaque to the store.
    pub data: Vec<u8>,
}

/// Spotify accounts and their sealed tokens.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// The account's row.
    async fn grant_get(&self, account: &AccountId) -> Result<Option<GrantRow>>;

    /// Stores a new authorization, whatever was there. The stored generation is the greater of `row.generation` and
    /// one more than any generation that this account ever had; it is returned.
    async fn grant_put(&self, row: GrantRow) -> Result<u64>;

    /// Replaces the row of generation `expected` by `row`; `false`, and nothing done, where the stored generation is
    /// another one or the row is gone: work in flight cannot bring back what was deleted.
    async fn grant_update(&self, expected: u64, row: GrantRow) -> Result<bool>;

    /// Deletes the row for good; `false` where there is none.
    async fn grant_delete(&self, account: &AccountId) -> Result<bool>;
}
