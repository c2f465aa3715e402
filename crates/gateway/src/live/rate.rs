//! How fast a session may command in a room: more than 20 in 10 s are refused, 60 close (contract, section 4).

use std::collections::VecDeque;

use kernel::Timestamp;

const WINDOW_MS: u64 = 10_000;
const REFUSED_BEYOND: usize = 20;
const CLOSED_AT: usize = 60;

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Carried out.
    Fine,
    /// Refused; it may be tried after so many milliseconds.
    TooFast(u64),
    /// The connection ends.
    Flood,
}

/// The instants of the last commands; empty, and without memory of its own, until the first.
#[derive(Debug, Default)]
pub(super) struct Rate(VecDeque<Timestamp>);

impl Rate {
    /// Whether no command of before counts any more.
    pub(super) fn has_rested(&self, now: Timestamp) -> bool {
        self.0.back().is_none_or(|at| now.since(*at) >= WINDOW_MS)
    }

    /// Counts a command that came at `now`.
    pub(super) fn count(&mut self, now: Timestamp) -> Pace {
        while self.0.front().is_some_and(|at| now.since(*at) >= WINDOW_MS) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        if self.0.len() >= CLOSED_AT {
            Pace::Flood
        } else if self.0.len() > REFUSED_BEYOND {
            let first = self.0.get(self.0.len() - 1 - REFUSED_BEYOND).copied().unwrap_or(now);
            Pace::TooFast(WINDOW_MS.saturating_sub(now.since(first)).max(1))
        } else {
            Pace::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_in_ten_seconds_are_fine_more_are_refused_and_sixty_close() {
        let mut rate = Rate::default();
        let paces: Vec<Pace> = (0..60).map(|n| rate.count(Timestamp(n * 10))).collect();
        assert!(paces[..20].iter().all(|pace| *pace == Pace::Fine));
        assert!(paces[20..59].iter().all(|pace| matches!(pace, Pace::TooFast(_))));
        assert_eq!(paces[20], Pace::TooFast(9_800));
        assert_eq!(paces[59], Pace::Flood);
    }

    #[test]
    fn after_the_window_it_is_fine_again() {
        let mut rate = Rate::default();
        for n in 0..25 {
            rate.count(Timestamp(n));
        }
        assert!(!rate.has_rested(Timestamp(10_023)) && rate.has_rested(Timestamp(10_024)));
        assert_eq!(rate.count(Timestamp(10_024)), Pace::Fine);
    }
}
