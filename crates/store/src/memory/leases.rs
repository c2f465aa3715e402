//! Leases. One counter gives the fences of all names, so that nothing is kept of a lease that has ended, and a fence is
//! still greater than every earlier one of its name.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kernel::{NodeId, Timestamp};

use super::Memory;
use crate::{Fence, Lease, LeaseStore, Result};

#[derive(Clone, Default)]
pub(super) struct Leases {
    last_fence: u64,
    held: BTreeMap<String, (NodeId, Lease)>,
}

#[async_trait]
impl LeaseStore for Memory {
    async fn lease_acquire(
        &self,
        name: &str,
        holder: &NodeId,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Option<Lease>> {
        let mut state = self.state()?;
        let leases = &mut state.leases;
        leases.held.retain(|_, (_, lease)| lease.until > now);
        if leases.held.get(name).is_some_and(|(other, _)| other != holder) {
            return Ok(None);
        }
        leases.last_fence += 1;
        let lease = Lease { fence: Fence(leases.last_fence), until: now.plus_ms(ttl_ms) };
        leases.held.insert(name.to_owned(), (holder.clone(), lease));
        Ok(Some(lease))
    }

    async fn lease_renew(
        &self,
        name: &str,
        holder: &NodeId,
        fence: Fence,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Option<Lease>> {
        let mut state = self.state()?;
        let Some((owner, lease)) = state.leases.held.get_mut(name) else { return Ok(None) };
        if owner != holder || lease.fence != fence || lease.until <= now {
            return Ok(None);
        }
        lease.until = now.plus_ms(ttl_ms);
        Ok(Some(*lease))
    }

    async fn lease_holder(&self, name: &str, now: Timestamp) -> Result<Option<NodeId>> {
        let state = self.state()?;
        let held = state.leases.held.get(name).filter(|(_, lease)| lease.until > now);
        Ok(held.map(|(holder, _)| holder.clone()))
    }

    async fn lease_release(&self, name: &str, holder: &NodeId, fence: Fence) -> Result<()> {
        let mut state = self.state()?;
        if state.leases.held.get(name).is_some_and(|(owner, lease)| owner == holder && lease.fence == fence) {
            state.leases.held.remove(name);
        }
        Ok(())
    }
}
