//! One sweeper for all connections instead of a timer for each.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::codec;
use super::sockets::{SLOTS, Sockets};

impl Sockets {
    /// Pings every connection once per heartbeat, an even part of them at each tick; closes with 4408 who is silent for
    /// too long after it, and who does not take what is sent; ends closes that the peer does not answer. Runs until
    /// `stop`, which should come after [`Sockets::gone`].
    pub async fn sweep(self: Arc<Self>, stop: CancellationToken) {
        let tick = (self.limits.heartbeat / SLOTS as u32).max(Duration::from_millis(1));
        let patience = ticks(self.limits.silence, tick);
        let ping = codec::ping(&[]);
        let start = Instant::now();
        let mut interval = tokio::time::interval(tick);
        // After a pause of the whole process nobody is silent before they could have spoken.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut turn = 0_usize;
        while stop.run_until_cancelled(interval.tick()).await.is_some() {
            self.set_now(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX));
            self.look_after_watched();
            // The slot that was pinged `patience` ticks ago; before its first ping everyone counts as heard.
            for connection in self.in_slot(turn + SLOTS - patience % SLOTS) {
                connection.close_if_silent();
            }
            for connection in self.in_slot(turn) {
                connection.ping(&ping);
            }
            turn = (turn + 1) % SLOTS;
        }
    }
}

/// How many ticks cover `time`: at least one, and less than a whole round, or the next ping would come first.
fn ticks(time: Duration, tick: Duration) -> usize {
    let whole = time.as_nanos().div_ceil(tick.as_nanos().max(1));
    usize::try_from(whole).unwrap_or(usize::MAX).clamp(1, SLOTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_rounded_up_and_ends_before_the_next_ping() {
        let check = |silence_ms, tick_ms, expected| {
            let (silence, tick) = (Duration::from_millis(silence_ms), Duration::from_millis(tick_ms));
            assert_eq!(ticks(silence, tick), expected, "{silence_ms} ms of silence at {tick_ms} ms a tick");
        };
        check(8_000, 250, 32);
        check(8_001, 250, 33);
        check(0, 250, 1);
        check(60_000, 250, SLOTS - 1);
    }
}
