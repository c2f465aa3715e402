//! Counters for the metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the sockets have done since the start. Every number only grows, but for the gauges.
#[derive(Debug, Default)]
pub struct NetStats {
    pub(super) open: AtomicU64,
    pub(super) opened: AtomicU64,
    pub(super) deliveries: AtomicU64,
    pub(super) sent_bytes: AtomicU64,
    pub(super) received_bytes: AtomicU64,
    pub(super) received_messages: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) slow_closes: AtomicU64,
    pub(super) silent_closes: AtomicU64,
    pub(super) violations: AtomicU64,
}

/// The numbers of [`NetStats`] at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetStatsSnapshot {
    /// Live connections now (a gauge).
    pub open: u64,
    /// Live connections ever.
    pub opened: u64,
    /// News handed to a connection: one per connection and fan-out.
    pub deliveries: u64,
    /// Bytes written, frame headers included.
    pub sent_bytes: u64,
    /// Bytes read, frame headers included.
    pub received_bytes: u64,
    /// Whole messages read.
    pub received_messages: u64,
    /// News withheld from a connection that was behind.
    pub skipped: u64,
    /// Connections closed because they did not take what was sent.
    pub slow_closes: u64,
    /// Connections closed because they were silent.
    pub silent_closes: u64,
    /// Connections closed because they broke the protocol or sent too much.
    pub violations: u64,
}

impl NetStats {
    /// The numbers now. They are read one after the other.
    pub fn snapshot(&self) -> NetStatsSnapshot {
        NetStatsSnapshot {
            open: self.open.load(Relaxed),
            opened: self.opened.load(Relaxed),
            deliveries: self.deliveries.load(Relaxed),
            sent_bytes: self.sent_bytes.load(Relaxed),
            received_bytes: self.received_bytes.load(Relaxed),
            received_messages: self.received_messages.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            slow_closes: self.slow_closes.load(Relaxed),
            silent_closes: self.silent_closes.load(Relaxed),
            violations: self.violations.load(Relaxed),
        }
    }
}

pub(super) fn add(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}
