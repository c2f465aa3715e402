//! The join link as a QR code.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder, Shape};
use http::{HeaderMap, HeaderValue, header};

use super::access::NamedCode;
use super::problem::Problem;
use super::rooms::look_in;
use crate::Parts;
use crate::parts::ClientAddr;

/// The join link as a QR code.
#[utoipa::path(get, path = "/api/rooms/{code}/qr.svg", operation_id = "show_qr", tag = "rooms", params(("code" = String, Path,)), responses(
    (status = 200, description = "A QR code of the join link.", content_type = "image/svg+xml"),
    (status = 404, description = "No such room, as far as the caller may know.", body = protocol::Problem),
    (status = 429, description = "Too many wrong codes.", body = protocol::Problem),
))]
pub(super) async fn show(
    State(parts): State<Parts>,
    from: ClientAddr,
    code: NamedCode,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = parts.sessions.find(&headers).await?;
    let (room, _) = look_in(&parts, from, code, caller.as_ref()).await?;
    let link = format!("{}/{}", parts.config.public_url, room.code());
    let code = QRBuilder::new(link).build().map_err(|_| Problem::internal())?;
    let svg = SvgBuilder::default().shape(Shape::Square).margin(2).to_str(&code);
    let kind = HeaderValue::from_static("image/svg+xml");
    let cache = HeaderValue::from_static("private, max-age=86400");
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], svg).into_response())
}
