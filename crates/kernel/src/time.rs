//! Instants, and the clocks that tell them.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// An instant, in milliseconds since the Unix epoch. On the wire and in records it is that integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant as milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The milliseconds from `earlier` to this instant; 0 where it is not later.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// The instant `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add_unsigned(ms))
    }

    /// The instant `ms` milliseconds earlier.
    #[must_use]
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(ms))
    }

    /// How long until this instant, seen from `now`; zero where it has passed.
    pub fn until(self, now: Self) -> Duration {
        Duration::from_millis(self.since(now))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        self.plus_ms(u64::try_from(by.as_millis()).unwrap_or(u64::MAX))
    }
}

impl Sub for Timestamp {
    type Output = i64;

    fn sub(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells the time. Whoever sleeps until an instant registers with [`Clock::on_move`], so that a clock that is moved
/// (in tests, in the demo) wakes it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Calls `wake` after each jump of the clock. Real clocks never jump and forget it.
    fn on_move(&self, wake: Box<dyn Fn() + Send + Sync>) {
        drop(wake);
    }
}

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The machine's time since it started, the time that it slept included: nobody sets it, so deadlines of one machine can
/// go by it. It says nothing about the time of day.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootClock;

impl Clock for BootClock {
    fn now(&self) -> Timestamp {
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Timestamp(since_boot.tv_sec.saturating_mul(1_000).saturating_add(since_boot.tv_nsec / 1_000_000))
    }
}

#[derive(Default)]
struct Wakers(Mutex<Vec<Box<dyn Fn() + Send + Sync>>>);

impl Wakers {
    fn add(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(wake);
    }

    fn wake(&self) {
        for wake in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            wake();
        }
    }
}

impl fmt::Debug for Wakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wakers")
    }
}

/// A clock that stands still until it is told to go on. Clones share the time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<(AtomicI64, Wakers)>);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        let clock = Self::default();
        clock.0.0.store(start.0, Ordering::SeqCst);
        clock
    }

    /// Moves the time on by `ms` milliseconds and wakes who waits.
    pub fn advance(&self, ms: u64) {
        self.0.0.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.0.1.wake();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.0.load(Ordering::SeqCst))
    }

    fn on_move(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.0.1.add(wake);
    }
}

/// Real time plus an offset that only grows. Clones share the offset: in the demo, the service and the simulated
/// Spotify hold clones of one.
#[derive(Clone, Debug, Default)]
pub struct MovableClock(Arc<(AtomicI64, Wakers)>);

impl MovableClock {
    /// Moves the time on by `ms` milliseconds and wakes who waits.
    pub fn advance(&self, ms: u64) {
        self.0.0.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.0.1.wake();
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0.saturating_add(self.0.0.load(Ordering::SeqCst)))
    }

    fn on_move(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.0.1.add(wake);
    }
}
