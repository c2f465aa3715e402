//! Whether the process lives, and whether it should be sent requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use protocol::Code;

use super::problem::Problem;
use crate::Parts;

/// A store that has not answered by then is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the process takes requests. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicU8>);

const STARTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

impl Readiness {
    /// A process that starts.
    pub fn new() -> Self {
        Self::default()
    }

    /// It takes requests from now on, unless it drains already.
    pub fn set_ready(&self) {
        let _ = self.0.compare_exchange(STARTING, READY, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// It takes no new ones from now on.
    pub fn drain(&self) {
        self.0.store(DRAINING, Ordering::SeqCst);
    }

    /// Whether it takes requests.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::SeqCst) == READY
    }
}

/// The process lives.
#[utoipa::path(get, path = "/livez", tag = "service", responses((status = 200, description = "The process lives.")))]
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The process can be sent requests.
#[utoipa::path(get, path = "/readyz", tag = "service", responses(
    (status = 200, description = "It takes requests."),
    (status = 503, description = "It starts, it drains, or its store is away.", body = protocol::Problem),
))]
pub(super) async fn ready(State(parts): State<Parts>) -> Response {
    if !parts.readiness.is_ready() {
        return Problem::new(Code::NotReady, "The process starts or stops.").into_response();
    }
    if parts.pulse.is_away() {
        return Problem::new(Code::StoreUnavailable, "The store does not answer.").into_response();
    }
    let look = parts.store.limits.limit_peek("readyz", parts.clock.now());
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Ok(_)) => "ok\n".into_response(),
        Ok(Err(error)) => Problem::from(error).into_response(),
        Err(_) => Problem::new(Code::StoreUnavailable, "The store does not answer.").into_response(),
    }
}
