//! One sweeper for all connections instead of a timer for each.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::codec;
use super::sockets::{SLOTS, Sockets};

/// Looks after all connections of a process, whenever it is told the time.
#[derive(Debug)]
pub struct Sweeper {
    sockets: Arc<Sockets>,
    round: Round,
    ping: Bytes,
}

impl Sweeper {
    /// For these connections, by their limits.
    pub fn new(sockets: Arc<Sockets>) -> Self {
        let round = Round::new(sockets.limits.heartbeat, sockets.limits.silence);
        Self { sockets, round, ping: codec::ping(&[]) }
    }

    /// How often it must look.
    pub fn tick(&self) -> Duration {
        self.round.tick
    }

    /// Looks, `now` after the start: pings every connection once per heartbeat, an even part of them at each tick; closes
    /// with 4408 who is silent for too long after it, and who does not take what is sent; ends closes that the peer does
    /// not answer.
    pub fn look(&mut self, now: Duration) {
        let Self { sockets, round, ping } = self;
        sockets.set_now(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        sockets.look_after_watched();
        for slot in round.overdue(now) {
            sockets.in_slot(slot).iter().for_each(|connection| connection.close_if_silent());
        }
        for turn in round.turns(now) {
            sockets.in_slot(turn).iter().for_each(|connection| connection.ping(ping));
        }
    }

    /// Looks at every tick until `stop`, which should come after [`Sockets::gone`].
    pub async fn run(mut self, stop: CancellationToken) {
        let start = Instant::now();
        let mut interval = tokio::time::interval(self.tick());
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while stop.run_until_cancelled(interval.tick()).await.is_some() {
            self.look(start.elapsed());
        }
    }
}

/// Which slots are due, by the time that has passed: a tick that comes late makes nothing later than itself.
#[derive(Debug)]
struct Round {
    tick: Duration,
    patience: Duration,
    /// Turns so far: turn `n` pings slot `n % SLOTS` from `n` ticks on.
    next: usize,
    /// When each slot was pinged, until it is judged.
    pinged: [Option<Duration>; SLOTS],
    /// When it was last looked.
    looked: Duration,
}

impl Round {
    fn new(heartbeat: Duration, silence: Duration) -> Self {
        let tick = (heartbeat / SLOTS as u32).max(Duration::from_millis(1));
        // Judged before the next ping, which would count as a new question.
        let patience = silence.min(tick * (SLOTS as u32 - 1));
        Self { tick, patience, next: 0, pinged: [None; SLOTS], looked: Duration::ZERO }
    }

    /// The slots whose patience is over. After a pause of the whole process nobody is silent before they could have
    /// spoken: it does not count.
    fn overdue(&mut self, now: Duration) -> Vec<usize> {
        let late = now.saturating_sub(self.looked + self.tick);
        let paused = if late >= self.patience / 8 { late } else { Duration::ZERO };
        self.looked = now;
        let mut overdue = Vec::new();
        for (slot, pinged) in self.pinged.iter_mut().enumerate() {
            *pinged = pinged.map(|at| at + paused);
            if pinged.take_if(|at| now >= *at + self.patience).is_some() {
                overdue.push(slot);
            }
        }
        overdue
    }

    /// The turns that are due, a whole round of them at the most.
    fn turns(&mut self, now: Duration) -> Range<usize> {
        let due = usize::try_from(now.as_nanos() / self.tick.as_nanos()).unwrap_or(usize::MAX - 1) + 1;
        let turns = self.next.max(due.saturating_sub(SLOTS))..due.max(self.next);
        self.next = turns.end;
        for turn in turns.clone() {
            self.pinged[turn % SLOTS] = Some(now);
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// The slot whose first turn is 1,750 ms after the start.
    const SLOT: usize = SLOTS * 1_750 / 15_000;

    /// When that slot is pinged and judged, in milliseconds, if it is looked at these instants.
    fn of_one_slot(looks: impl IntoIterator<Item = u64>) -> (Vec<u64>, Vec<u64>) {
        let mut round = Round::new(ms(15_000), ms(8_000));
        let (mut pinged, mut judged) = (Vec::new(), Vec::new());
        for look in looks {
            if round.overdue(ms(look)).contains(&SLOT) {
                judged.push(look);
            }
            if round.turns(ms(look)).any(|turn| turn % SLOTS == SLOT) {
                pinged.push(look);
            }
        }
        (pinged, judged)
    }

    #[test]
    fn everyone_is_pinged_once_per_heartbeat_and_judged_after_the_silence() {
        let steady = of_one_slot((0..=40_000).step_by(250));
        assert_eq!(steady, (vec![1_750, 16_750, 31_750], vec![9_750, 24_750, 39_750]));
        // Ticks that come late add nothing to the period.
        let late = of_one_slot((0..=40_000).step_by(650));
        assert_eq!(late, (vec![1_950, 16_900, 31_850], vec![10_400, 25_350]));
    }

    #[test]
    fn a_pause_of_the_process_is_nobodys_silence() {
        let looks = (0..=4_000).step_by(250).chain((24_000..=60_000).step_by(250));
        let (pinged, judged) = of_one_slot(looks);
        // Not at 24,000: of the 8 s there were but 2,250 ms. It is pinged again then, and judged by that.
        assert_eq!(pinged, [1_750, 24_000, 31_750, 46_750]);
        assert_eq!(judged, [39_750, 54_750]);
    }

    #[test]
    fn patience_ends_before_the_next_ping() {
        let round = Round::new(ms(15_000), ms(60_000));
        assert_eq!((round.tick, round.patience), (ms(125), ms(14_875)));
        assert_eq!(Round::new(ms(10), ms(5)).tick, ms(1));
    }
}
