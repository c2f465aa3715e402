//! A count over a rolling time, in bounded memory.

use std::collections::VecDeque;

use kernel::Timestamp;

/// The parts that a window is counted in: a call leaves the count up to a sixtieth of the window late, never early.
const PARTS: u64 = 60;

#[derive(Clone, Debug)]
pub(super) struct Window {
    length_ms: u64,
    /// When each part began, and its calls, in order; the parts do not overlap.
    parts: VecDeque<(Timestamp, u32)>,
}

impl Window {
    pub(super) const fn new(length_ms: u64) -> Self {
        Self { length_ms, parts: VecDeque::new() }
    }

    /// Counts one more. A clock that went back counts in the newest part.
    pub(super) fn add(&mut self, now: Timestamp) {
        while self.parts.front().is_some_and(|(began, _)| self.gone_at(*began) <= now) {
            self.parts.pop_front();
        }
        let part_ms = self.part_ms();
        match self.parts.back_mut() {
            Some((began, calls)) if now < began.plus_ms(part_ms) => *calls = calls.saturating_add(1),
            _ => self.parts.push_back((now, 1)),
        }
    }

    /// The calls that still count.
    pub(super) fn count(&self, now: Timestamp) -> u32 {
        self.counting(now).fold(0, |sum, (_, calls)| sum.saturating_add(*calls))
    }

    /// How long until fewer than `most` count; 0 where it is so now.
    pub(super) fn wait_ms(&self, now: Timestamp, most: u32) -> u64 {
        let mut left = self.count(now);
        for (began, calls) in self.counting(now) {
            if left < most {
                break;
            }
            left -= calls;
            if left < most {
                return self.gone_at(*began).since(now).max(1);
            }
        }
        0
    }

    fn counting(&self, now: Timestamp) -> impl Iterator<Item = &(Timestamp, u32)> {
        self.parts.iter().filter(move |(began, _)| self.gone_at(*began) > now)
    }

    /// When the last call that a part can hold has left the window.
    const fn gone_at(&self, began: Timestamp) -> Timestamp {
        began.plus_ms(self.length_ms).plus_ms(self.part_ms())
    }

    const fn part_ms(&self) -> u64 {
        self.length_ms / PARTS
    }
}
