//! Bodies that say that they are too large are refused before anybody looks at the request.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::body::{announces_too_much, too_large};

pub(in crate::http) async fn check(request: Request, next: Next) -> Response {
    if announces_too_much(request.headers()) {
        return too_large().into_response();
    }
    next.run(request).await
}
