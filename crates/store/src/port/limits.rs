//! Counters and pauses that all processes share.

use async_trait::async_trait;
use kernel::Timestamp;

use super::Result;

/// Shared counters and pauses.
#[async_trait]
pub trait LimitStore: Send + Sync {
    /// Counts one more in the window of `window_ms` that began with the first count; returns the count within it and
    /// when the window ends.
    async fn limit_count(&self, name: &str, window_ms: u64, now: Timestamp) -> Result<(u64, Timestamp)>;

    /// The count of the present window, counting nothing.
    async fn limit_peek(&self, name: &str, now: Timestamp) -> Result<u64>;

    /// Pauses `name` until then; a pause in force that ends later stays.
    async fn pause_put(&self, name: &str, until: Timestamp) -> Result<()>;

    /// The pauses in force whose name begins with `prefix`, in order of name. Kept over restarts.
    async fn pauses(&self, prefix: &str, now: Timestamp) -> Result<Vec<(String, Timestamp)>>;
}
