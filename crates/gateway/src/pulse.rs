//! Whether the store answers. Known once for the whole process, so that nobody waits for a store that is known to be
//! away: writes are refused at once, and what is read from memory is marked as such.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use kernel::Clock;
use store::{LimitStore, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often the store is looked at while it answers, and while it does not.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(250));

/// What is known of the store. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    away: AtomicBool,
    doubted: Notify,
}

impl Pulse {
    /// Of a store that answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it did not answer when it was last asked.
    pub fn is_away(&self) -> bool {
        self.0.away.load(Relaxed)
    }

    /// It has just failed so. Where it did not answer, it is away, and soon looked at; damage in a record is no absence.
    pub(crate) fn missed(&self, error: &StoreError) {
        if matches!(error, StoreError::Unavailable(_)) {
            self.0.away.store(true, Relaxed);
            self.0.doubted.notify_one();
        }
    }

    /// Looks at the store until `stop`.
    pub async fn watch(self, store: Arc<dyn LimitStore>, clock: Arc<dyn Clock>, stop: CancellationToken) {
        loop {
            // A store that answers late is away by its own deadline, the same as for everybody else.
            let away = store.limit_peek("pulse", clock.now()).await.is_err();
            if away != self.0.away.swap(away, Relaxed) {
                tracing::warn!(away, "store.pulse");
            }
            let pause = async {
                if away {
                    tokio::time::sleep(LOOKS.1).await;
                } else {
                    let _ = tokio::time::timeout(LOOKS.0, self.0.doubted.notified()).await;
                }
            };
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }
}
