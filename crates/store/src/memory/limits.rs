//! Counters and pauses. What is over is swept when a window begins, so both hold only what is in force.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kernel::Timestamp;

use super::Memory;
use crate::{LimitStore, Result};

#[derive(Clone, Default)]
pub(super) struct Limits {
    /// The count of each window, and when it ends.
    windows: BTreeMap<String, (u64, Timestamp)>,
    pauses: BTreeMap<String, Timestamp>,
}

#[async_trait]
impl LimitStore for Memory {
    async fn limit_count(&self, name: &str, window_ms: u64, now: Timestamp) -> Result<(u64, Timestamp)> {
        let mut state = self.state()?;
        let limits = &mut state.limits;
        if let Some((count, ends)) = limits.windows.get_mut(name)
            && *ends > now
        {
            *count += 1;
            return Ok((*count, *ends));
        }
        limits.windows.retain(|_, (_, ends)| *ends > now);
        limits.pauses.retain(|_, until| *until > now);
        let window = (1, now.plus_ms(window_ms));
        limits.windows.insert(name.to_owned(), window);
        Ok(window)
    }

    async fn limit_peek(&self, name: &str, now: Timestamp) -> Result<u64> {
        let state = self.state()?;
        Ok(state.limits.windows.get(name).filter(|(_, ends)| *ends > now).map_or(0, |(count, _)| *count))
    }

    async fn pause_put(&self, name: &str, until: Timestamp) -> Result<()> {
        let mut state = self.state()?;
        let stored = state.limits.pauses.entry(name.to_owned()).or_insert(until);
        *stored = until.max(*stored);
        Ok(())
    }

    async fn pauses(&self, prefix: &str, now: Timestamp) -> Result<Vec<(String, Timestamp)>> {
        let state = self.state()?;
        let named =
            state.limits.pauses.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        Ok(named.filter(|(_, until)| **until > now).map(|(name, until)| (name.clone(), *until)).collect())
    }
}
