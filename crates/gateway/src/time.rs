//! Waiting for an instant of a clock that may be moved.

use std::sync::Arc;

use kernel::{Clock, Timestamp};
use tokio::sync::watch;

/// A clock that can be waited for. Clones wait each for themselves.
#[derive(Clone, Debug)]
pub struct Time {
    clock: Arc<dyn Clock>,
    moved: watch::Receiver<u64>,
}

impl Time {
    /// Waits by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (sender, moved) = watch::channel(0);
        clock.on_move(Box::new(move || sender.send_modify(|count| *count += 1)));
        Self { clock, moved }
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns once the clock shows `at` or later. Cancel-safe.
    pub async fn until(&mut self, at: Timestamp) {
        loop {
            let now = self.clock.now();
            if now >= at {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(at.until(now)) => {}
                changed = self.moved.changed() => {
                    if changed.is_err() {
                        // A real clock has let go of the sender: it never jumps.
                        tokio::time::sleep(at.until(self.clock.now())).await;
                    }
                }
            }
        }
    }

    /// The same, or never where there is no instant to wait for.
    pub async fn until_some(&mut self, at: Option<Timestamp>) {
        match at {
            Some(at) => self.until(at).await,
            None => std::future::pending().await,
        }
    }
}
