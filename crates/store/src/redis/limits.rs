//! Counters, a hash each, and pauses, all in one: there are few at a time, and they are looked for by prefix.

use async_trait::async_trait;
use kernel::Timestamp;

use super::Redis;
use super::call::Call;
use super::script::{LIMIT_COUNT, PAUSE_PUT, PAUSES_SWEEP};
use super::value::{inconsistent, list, pairs, parsed, text};
use crate::{LimitStore, Result};

const TABLE: &str = "limit";
/// A pause is forgotten this long after its end: other processes' clocks may be behind.
const SWEPT_AFTER_MS: u64 = 86_400_000;

#[async_trait]
impl LimitStore for Redis {
    async fn limit_count(&self, name: &str, window_ms: u64, now: Timestamp) -> Result<(u64, Timestamp)> {
        let window = self.0.keys.window(name);
        let answer = self.0.caller.write_on(&window);
        let call = Call::script(&LIMIT_COUNT, vec![window, answer]).arg(window_ms).arg(now);
        let counted = text(TABLE, self.0.caller.write(call).await?)?.unwrap_or_default();
        let (count, until) =
            counted.split_once(' ').ok_or_else(|| inconsistent(TABLE, name, "an unknown answer"))?;
        Ok((parsed(TABLE, name, count)?, Timestamp(parsed(TABLE, name, until)?)))
    }

    async fn limit_peek(&self, name: &str, now: Timestamp) -> Result<u64> {
        let call = Call::command("HMGET", self.0.keys.window(name)).arg("count").arg("until");
        let mut found = list(TABLE, self.0.caller.read(call).await?)?.into_iter();
        let count = text(TABLE, found.next().unwrap_or_default())?;
        let until = text(TABLE, found.next().unwrap_or_default())?;
        let (Some(count), Some(until)) = (count, until) else { return Ok(0) };
        let runs = Timestamp(parsed(TABLE, name, &until)?) > now;
        if runs { parsed(TABLE, name, &count) } else { Ok(0) }
    }

    async fn pause_put(&self, name: &str, until: Timestamp) -> Result<()> {
        let call = Call::script(&PAUSE_PUT, vec![self.0.keys.pauses()]).arg(name).arg(until);
        self.0.caller.write(call).await.map(drop)
    }

    async fn pauses(&self, prefix: &str, now: Timestamp) -> Result<Vec<(String, Timestamp)>> {
        let stored = self.0.caller.read(Call::command("HGETALL", self.0.keys.pauses())).await?;
        let (mut found, mut old) = (Vec::new(), Vec::new());
        for (name, until) in pairs(TABLE, stored)? {
            let wrong = |_| inconsistent(TABLE, "pauses", "not text");
            let name = String::from_utf8(name).map_err(wrong)?;
            let until = String::from_utf8(until).map_err(wrong)?;
            let until = Timestamp(parsed(TABLE, &name, &until)?);
            if until.plus_ms(SWEPT_AFTER_MS) <= now {
                old.push(name);
            } else if until > now && name.starts_with(prefix) {
                found.push((name, until));
            }
        }
        if !old.is_empty() {
            let sweep = Call::script(&PAUSES_SWEEP, vec![self.0.keys.pauses()]);
            let sweep = sweep.arg(now.minus_ms(SWEPT_AFTER_MS).as_millis() + 1);
            self.0.caller.write(old.into_iter().fold(sweep, Call::arg)).await?;
        }
        found.sort_unstable();
        Ok(found)
    }
}
