//! Bodies that say that they are too large are refused before anybody looks at the request.

use axum::extract::Request;

use crate::http::body::{announces_too_much, too_large};
use crate::http::problem::Problem;

pub(super) fn check(request: &Request) -> Result<(), Problem> {
    if announces_too_much(request.headers()) { Err(too_large()) } else { Ok(()) }
}
