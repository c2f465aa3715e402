//! Accounts: a hash each. A deleted one keeps its generation.

use async_trait::async_trait;
use kernel::AccountId;

use super::Redis;
use super::call::Call;
use super::script::{GRANT_DELETE, GRANT_PUT, GRANT_UPDATE, Script};
use super::value::{bytes, happened, list, number, parsed, text};
use crate::{AccountStore, GrantRow, Result};

const TABLE: &str = "account";

impl Redis {
    fn on_account(&self, script: &'static Script, account: &AccountId) -> Call {
        let grant = self.0.keys.account(account);
        let answer = self.0.caller.write_on(&grant);
        Call::script(script, vec![grant, answer])
    }
}

#[async_trait]
impl AccountStore for Redis {
    async fn grant_get(&self, account: &AccountId) -> Result<Option<GrantRow>> {
        let call = Call::command("HMGET", self.0.keys.account(account)).arg("generation").arg("data");
        let mut found = list(TABLE, self.0.caller.read(call).await?)?.into_iter();
        let generation = text(TABLE, found.next().unwrap_or_default())?;
        let data = bytes(TABLE, found.next().unwrap_or_default())?;
        let (Some(generation), Some(data)) = (generation, data) else { return Ok(None) };
        let generation = parsed(TABLE, account.as_str(), &generation)?;
        Ok(Some(GrantRow { account: account.clone(), generation, data }))
    }

    async fn grant_put(&self, row: GrantRow) -> Result<u64> {
        let call = self.on_account(&GRANT_PUT, &row.account).arg(row.generation).bytes(row.data);
        number(TABLE, self.0.caller.write(call).await?)
    }

    async fn grant_update(&self, expected: u64, row: GrantRow) -> Result<bool> {
        let call = self.on_account(&GRANT_UPDATE, &row.account).arg(expected).arg(row.generation);
        happened(TABLE, self.0.caller.write(call.bytes(row.data)).await?)
    }

    async fn grant_delete(&self, account: &AccountId) -> Result<bool> {
        happened(TABLE, self.0.caller.write(self.on_account(&GRANT_DELETE, account)).await?)
    }
}
