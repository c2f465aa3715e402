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

/// What each number says, in the words of the page that shows it.
const HELP: [(&str, Kind, &str); 18] = [
    ("parlor_ready", Kind::Gauge, "Whether the process takes requests."),
    ("parlor_store_away", Kind::Gauge, "Whether the store does not answer."),
    ("parlor_rooms_awake", Kind::Gauge, "Rooms that are awake in this process."),
    ("parlor_live_connections", Kind::Gauge, "Live connections now."),
    ("parlor_live_connections_total", Kind::Counter, "Live connections that were opened."),
    ("parlor_live_deliveries_total", Kind::Counter, "News handed to a live connection."),
    ("parlor_live_withheld_total", Kind::Counter, "News withheld from a live connection that was behind."),
    ("parlor_live_messages_total", Kind::Counter, "Messages that clients have sent."),
    ("parlor_live_sent_bytes_total", Kind::Counter, "Bytes written to live connections."),
    ("parlor_live_received_bytes_total", Kind::Counter, "Bytes read from live connections."),
    ("parlor_live_closed_total", Kind::Counter, "Live connections that this process closed, by why."),
    (
        "parlor_room_commits_total",
        Kind::Counter,
        "Versions of rooms that this process wrote, or could not, by outcome.",
    ),
    ("parlor_room_commit_seconds", Kind::Histogram, "How long the store took to write a version."),
    ("parlor_orders_total", Kind::Counter, "What rooms wanted of Spotify, by act and outcome."),
    ("parlor_spotify_calls_total", Kind::Counter, "Calls to Spotify's Web API, by group."),
    (
        "parlor_spotify_spared_total",
        Kind::Counter,
        "Calls to Spotify not made because the app has none left, by group.",
    ),
    ("parlor_spotify_failures_total", Kind::Counter, "Calls to Spotify that failed, by call."),
    ("parlor_http_request_seconds", Kind::Histogram, "HTTP requests, by method, path and status."),
];

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

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
        for (name, kind, help) in HELP {
            match kind {
                Kind::Counter => metrics::describe_counter!(name, help),
                Kind::Gauge => metrics::describe_gauge!(name, help),
                Kind::Histogram => metrics::describe_histogram!(name, help),
            }
        }
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
pub fn metrics_router(parts: Parts) -> Router {
    Router::new().route("/metrics", get(async |State(parts): State<Parts>| text(&parts))).with_state(parts)
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
    text(&parts)
}

/// Takes down what others count for themselves: the sockets' hot paths know no recorder.
fn note(parts: &Parts) {
    let flag = |flag: bool| f64::from(u8::from(flag));
    metrics::gauge!("parlor_ready").set(flag(parts.readiness.is_ready()));
    metrics::gauge!("parlor_store_away").set(flag(parts.pulse.is_away()));
    metrics::gauge!("parlor_rooms_awake").set(parts.hub.awake_rooms() as f64);
    let net = parts.sockets.stats().snapshot();
    metrics::gauge!("parlor_live_connections").set(net.open as f64);
    metrics::counter!("parlor_live_connections_total").absolute(net.opened);
    metrics::counter!("parlor_live_deliveries_total").absolute(net.deliveries);
    metrics::counter!("parlor_live_withheld_total").absolute(net.skipped);
    metrics::counter!("parlor_live_messages_total").absolute(net.received_messages);
    metrics::counter!("parlor_live_sent_bytes_total").absolute(net.sent_bytes);
    metrics::counter!("parlor_live_received_bytes_total").absolute(net.received_bytes);
    let closed = [("slow", net.slow_closes), ("silent", net.silent_closes), ("violation", net.violations)];
    for (why, count) in closed {
        metrics::counter!("parlor_live_closed_total", "why" => why).absolute(count);
    }
}

fn text(parts: &Parts) -> Response {
    note(parts);
    let text = RECORDER.get().map(PrometheusHandle::render).unwrap_or_default();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], text)
        .into_response()
}
