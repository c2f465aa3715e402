//! Numbers for Prometheus.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, header};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use super::middleware::address::is_local;
use super::problem::Problem;
use crate::Parts;
use crate::parts::ClientAddr;

/// Upper ends of what is told apart, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Recorded values are kept one by one until somebody gathers them; nobody may ever scrape.
const GATHERED_EVERY: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to record, for the whole process. A second call changes nothing.
pub fn install_metrics() -> Result<(), BuildError> {
    if RECORDER.get().is_some() {
        return Ok(());
    }
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder();
    let handle = recorder.handle();
    // Whoever else recorded first keeps recording; then there is nothing for us to show.
    if metrics::set_global_recorder(recorder).is_ok() {
        let _ = RECORDER.set(handle);
    }
    Ok(())
}

/// Gathers what was recorded, every 5 s until `stop`.
pub async fn gather_metrics(stop: CancellationToken) {
    let mut interval = tokio::time::interval(GATHERED_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        if let Some(recorder) = RECORDER.get() {
            recorder.run_upkeep();
        }
    }
}

/// `/metrics` alone, for an address of its own.
pub fn metrics_router() -> Router {
    Router::new().route("/metrics", get(async || text()))
}

/// Numbers for Prometheus; only for this machine, and only where they have no address of their own.
#[utoipa::path(get, path = "/metrics", operation_id = "show_metrics", tag = "service", responses(
    (status = 200, description = "Prometheus text.", content_type = "text/plain"),
    (status = 404, description = "Not for you.", body = protocol::Problem),
))]
pub(super) async fn show(State(parts): State<Parts>, from: ClientAddr, headers: HeaderMap) -> Response {
    if parts.config.metrics_apart || !is_local(from, &headers) {
        return Problem::not_found().into_response();
    }
    text()
}

fn text() -> Response {
    let text = RECORDER.get().map(PrometheusHandle::render).unwrap_or_default();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], text)
        .into_response()
}
