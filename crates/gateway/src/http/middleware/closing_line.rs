//! One line per request, when its answer begins: what was asked (as the path's pattern, never the path, the query or a
//! header), what came of it, how long it took, and the id that the answer carries.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method};
use tokio::time::Instant;

use crate::Parts;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The line, for as long as its request is answered.
pub(super) struct ClosingLine {
    began: Instant,
    method: &'static str,
    path: Option<MatchedPath>,
    id: String,
}

/// What machines ask again and again.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

impl ClosingLine {
    pub(super) fn begin(parts: &Parts, request: &Request) -> Self {
        Self {
            began: Instant::now(),
            method: word(request.method()),
            path: request.extensions().get::<MatchedPath>().cloned(),
            id: request_id(parts),
        }
    }

    pub(super) fn end(self, response: &mut Response) {
        let Self { began, method, path, id } = self;
        let took = began.elapsed();
        let path = path.as_ref().map_or("other", MatchedPath::as_str);
        let status = response.status().as_u16();
        let ms = milliseconds(took);
        // Whoever probes comes every second, and says nothing while all is well.
        if PROBES.contains(&path) && status < 400 {
            tracing::debug!(method, path, status, ms, request_id = %id, "http.request");
        } else {
            tracing::info!(method, path, status, ms, request_id = %id, "http.request");
        }
        let labels =
            [("method", method.to_owned()), ("path", path.to_owned()), ("status", status.to_string())];
        metrics::histogram!("parlor_http_request_seconds", &labels).record(took.as_secs_f64());
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
    }
}

fn request_id(parts: &Parts) -> String {
    let mut bytes = [0; 8];
    parts.entropy.fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// A method may be any word; a label may not.
fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}
