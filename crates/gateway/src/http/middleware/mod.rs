//! What every request passes: from where it comes, for whom it is meant, on whose behalf, how large it is. Then the headers
//! and the closing line of its answer, whatever that is. One layer for all of it: a layer costs every request its boxes.

pub(super) mod address;
mod closing_line;
pub(super) mod headers;
mod host;
mod origin;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use self::closing_line::ClosingLine;
use self::headers::SecurityHeaders;
use super::body;
use super::problem::Problem;
use crate::Parts;

/// The layer.
pub(super) async fn pass(
    State((parts, security)): State<(Parts, SecurityHeaders)>,
    mut request: Request,
    next: Next,
) -> Response {
    let line = ClosingLine::begin(&parts, &request);
    let private = headers::is_private(request.uri().path());
    let checked = check(&parts, &mut request);
    let arrived = body::arrive(&mut request).await;
    let keeps_on = arrived.is_ok();
    let mut response = match checked.and(arrived) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    if !keeps_on {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    security.add(response.headers_mut(), private);
    line.end(&mut response);
    response
}

/// The first that refuses is heard.
fn check(parts: &Parts, request: &mut Request) -> Result<(), Problem> {
    address::find(parts, request);
    host::check(parts, request)?;
    origin::check(parts, request)
}
