//! What a piece of work costs in the middle of a run, slice by slice. A core that other guests of the machine take for half
//! a second charges that half second to whoever ran on it; it spoils the mean of a run, and only a few of its slices.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::cpu;

/// How long a slice is at least: some ticks of the scheduler's account.
const LENGTH: Duration = Duration::from_millis(25);
/// Fewer slices than this have no middle worth naming.
const FEWEST: usize = 10;

/// The slices of one process's time.
#[derive(Debug, Default)]
pub(crate) struct Slices {
    pid: Option<u32>,
    open: Option<Open>,
    closed: Vec<Slice>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    since: Instant,
    cpu: Duration,
    work: u64,
}

#[derive(Clone, Copy, Debug)]
struct Slice {
    cpu: Duration,
    work: u64,
}

impl Slices {
    /// Of that process; of none, nothing is measured.
    pub(crate) fn of(pid: Option<u32>) -> Self {
        Self { pid, ..Self::default() }
    }

    /// Called again and again with all the work done up to now: connections made, or frames received.
    pub(crate) fn look(&mut self, work: u64) -> Result<()> {
        let Some(pid) = self.pid else { return Ok(()) };
        let since = Instant::now();
        if self.open.is_some_and(|open| since.duration_since(open.since) < LENGTH) {
            return Ok(());
        }
        let now = Open { since, cpu: cpu(pid)?, work };
        if let Some(open) = self.open.replace(now) {
            self.closed.push(Slice {
                cpu: now.cpu.saturating_sub(open.cpu),
                work: now.work.saturating_sub(open.work),
            });
        }
        Ok(())
    }

    /// The microseconds that a piece of work took in the middle slice: half of all pieces were done in slices that cost no
    /// more for each.
    pub(crate) fn median_us(&self) -> Option<f64> {
        let mut slices: Vec<(f64, u64)> = self
            .closed
            .iter()
            .filter(|slice| slice.work > 0)
            .map(|slice| (slice.cpu.as_secs_f64() * 1e6 / slice.work as f64, slice.work))
            .collect();
        if slices.len() < FEWEST {
            return None;
        }
        slices.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut half = slices.iter().map(|(_, work)| work).sum::<u64>().div_ceil(2);
        slices.into_iter().find_map(|(cost, work)| {
            half = half.saturating_sub(work);
            (half == 0).then_some(cost)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(costs: &[(u64, u64)]) -> Slices {
        let slice = |&(millis, work): &(u64, u64)| Slice { cpu: Duration::from_millis(millis), work };
        Slices { closed: costs.iter().map(slice).collect(), ..Slices::default() }
    }

    #[test]
    fn a_slice_in_which_the_core_was_away_does_not_count() {
        let mut costs = vec![(1, 100); 9];
        costs.push((500, 100));
        assert_eq!(slices(&costs).median_us(), Some(10.0));
    }

    #[test]
    fn slices_count_by_the_work_in_them() {
        let mut costs = vec![(1, 1); 20];
        costs.extend([(2, 100); 2]);
        assert_eq!(slices(&costs).median_us(), Some(20.0));
    }

    #[test]
    fn too_few_slices_say_nothing() {
        assert_eq!(slices(&[(1, 100); 9]).median_us(), None);
        assert_eq!(slices(&[(1, 0); 20]).median_us(), None);
    }
}
