//! Accounts: a generation that only grows, over deletion too.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kernel::AccountId;

use super::Memory;
use crate::{AccountStore, GrantRow, Result};

/// The row of each account that was ever there; of a deleted one only the generation is left.
#[derive(Clone, Default)]
pub(super) struct Accounts(BTreeMap<AccountId, (u64, Option<Vec<u8>>)>);

#[async_trait]
impl AccountStore for Memory {
    async fn grant_get(&self, account: &AccountId) -> Result<Option<GrantRow>> {
        let state = self.state()?;
        let Some((generation, Some(data))) = state.accounts.0.get(account) else { return Ok(None) };
        Ok(Some(GrantRow { account: account.clone(), generation: *generation, data: data.clone() }))
    }

    async fn grant_put(&self, row: GrantRow) -> Result<u64> {
        let mut state = self.state()?;
        let next = state.accounts.0.get(&row.account).map_or(0, |(highest, _)| highest + 1);
        let generation = row.generation.max(next);
        state.accounts.0.insert(row.account, (generation, Some(row.data)));
        Ok(generation)
    }

    async fn grant_update(&self, expected: u64, row: GrantRow) -> Result<bool> {
        let mut state = self.state()?;
        let Some((generation, Some(data))) = state.accounts.0.get_mut(&row.account) else { return Ok(false) };
        if *generation != expected {
            return Ok(false);
        }
        *generation = row.generation.max(expected);
        *data = row.data;
        Ok(true)
    }

    async fn grant_delete(&self, account: &AccountId) -> Result<bool> {
        let mut state = self.state()?;
        Ok(state.accounts.0.get_mut(account).is_some_and(|(_, data)| data.take().is_some()))
    }
}
