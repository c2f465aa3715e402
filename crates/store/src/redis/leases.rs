//! Leases: a hash each. Fences follow the server's clock, so they grow over whatever a failover has lost.

use async_trait::async_trait;
use kernel::{NodeId, Timestamp};

use super::Redis;
use super::call::Call;
use super::script::{LEASE_ACQUIRE, LEASE_RELEASE, LEASE_RENEW};
use super::value::{inconsistent, list, parsed, text};
use crate::{Fence, Lease, LeaseStore, Result};

const TABLE: &str = "lease";

#[async_trait]
impl LeaseStore for Redis {
    async fn lease_acquire(
        &self,
        name: &str,
        holder: &NodeId,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Option<Lease>> {
        let lease = self.0.keys.lease(name);
        let answer = self.0.caller.write_on(&lease);
        let call = Call::script(&LEASE_ACQUIRE, vec![lease, answer]).arg(holder).arg(ttl_ms).arg(now);
        let Some(granted) = text(TABLE, self.0.caller.write(call).await?)? else { return Ok(None) };
        let (fence, until) =
            granted.split_once(' ').ok_or_else(|| inconsistent(TABLE, name, "an unknown answer"))?;
        let fence = Fence(parsed(TABLE, name, fence)?);
        Ok(Some(Lease { fence, until: Timestamp(parsed(TABLE, name, until)?) }))
    }

    async fn lease_renew(
        &self,
        name: &str,
        holder: &NodeId,
        fence: Fence,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Option<Lease>> {
        let call = Call::script(&LEASE_RENEW, vec![self.0.keys.lease(name)]).arg(holder).arg(fence.0);
        let renewed = text(TABLE, self.0.caller.write(call.arg(ttl_ms).arg(now)).await?)?;
        let Some(until) = renewed else { return Ok(None) };
        Ok(Some(Lease { fence, until: Timestamp(parsed(TABLE, name, &until)?) }))
    }

    async fn lease_holder(&self, name: &str, now: Timestamp) -> Result<Option<NodeId>> {
        let call = Call::command("HMGET", self.0.keys.lease(name)).arg("holder").arg("until");
        let mut found = list(TABLE, self.0.caller.read(call).await?)?.into_iter();
        let holder = text(TABLE, found.next().unwrap_or_default())?;
        let until = text(TABLE, found.next().unwrap_or_default())?;
        let (Some(holder), Some(until)) = (holder, until) else { return Ok(None) };
        if Timestamp(parsed(TABLE, name, &until)?) <= now {
            return Ok(None);
        }
        Ok(Some(parsed(TABLE, name, &holder)?))
    }

    async fn lease_release(&self, name: &str, holder: &NodeId, fence: Fence) -> Result<()> {
        let call = Call::script(&LEASE_RELEASE, vec![self.0.keys.lease(name)]).arg(holder).arg(fence.0);
        self.0.caller.write(call).await.map(drop)
    }
}
