//! The web app, embedded: its pages, its assets under names that change with their content, and what else it has.

use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use protocol::Code;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Web;

/// What is served where the web app was not built into the binary.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Parlor</title>\
     <h1>Parlor is running</h1><p>Its web app was not built into this binary. \
     Run <code>cargo xtask web</code> and build again.</p></html>\n";

const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Everything that no route is there for.
pub(super) async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if is_under(path, "/api") || is_under(path, "/auth") {
        return Problem::not_found().into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return method_not_allowed().await;
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = file(name) {
        let cache = if name.starts_with("assets/") { FOREVER } else { ASK_AGAIN };
        return send(name, &file, cache, request.headers());
    }
    match page(path) {
        Some(status) => index(status, request.headers()),
        None if wants_page(request.headers()) => index(StatusCode::NOT_FOUND, request.headers()),
        None => Problem::not_found().into_response(),
    }
}

/// Whether a person looks at the answer.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// A method that the path does not have.
pub(super) async fn method_not_allowed() -> Response {
    Problem::new(Code::MethodNotAllowed, "This path does not take that method.").into_response()
}

fn is_under(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the web app has a page at that path: its own pages, and of a room the page and what stands below it. What
/// cannot be a code has a page that says so, which is still a 404.
fn page(path: &str) -> Option<StatusCode> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
    match segments.as_slice() {
        ["" | "me" | "new"] => Some(StatusCode::OK),
        [code] if is_code(code) => Some(StatusCode::OK),
        [code, below] if is_code(code) && is_word(below) => Some(StatusCode::OK),
        [other] if !other.contains('.') => Some(StatusCode::NOT_FOUND),
        _ => None,
    }
}

fn is_code(segment: &str) -> bool {
    percent_decode_str(segment).decode_utf8_lossy().parse::<kernel::RoomCode>().is_ok()
}

fn file(name: &str) -> Option<EmbeddedFile> {
    // The packed siblings are no files of their own; the page is served at its paths alone.
    let is_own = !name.is_empty()
        && name != "index.html"
        && Path::new(name).extension().is_none_or(|kind| kind != "br");
    is_own.then(|| Web::get(name)).flatten()
}

fn index(status: StatusCode, headers: &HeaderMap) -> Response {
    let Some(file) = Web::get("index.html") else {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        let cache = HeaderValue::from_static("no-store");
        return (status, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], NOT_BUILT)
            .into_response();
    };
    let mut response = send("index.html", &file, ASK_AGAIN, headers);
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

fn send(name: &str, file: &EmbeddedFile, cache: &'static str, asked: &HeaderMap) -> Response {
    let packed = if takes_brotli(asked) { Web::get(&format!("{name}.br")) } else { None };
    let etag = etag(&file.metadata.sha256_hash(), packed.is_some());
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(header::ETAG, etag.clone());
    if asked.get_all(header::IF_NONE_MATCH).iter().any(|tags| names(tags, &etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_TYPE, content_type(name));
    if packed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    *response.body_mut() =
        Body::from(packed.map_or_else(|| file.data.clone(), |packed| packed.data).into_owned());
    response
}

fn etag(hash: &[u8; 32], packed: bool) -> HeaderValue {
    let (start, _) = hash.split_at(12);
    let packing = if packed { "-br" } else { "" };
    let text = format!("\"{}{packing}\"", URL_SAFE_NO_PAD.encode(start));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))
}

fn names(tags: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(tags), Ok(etag)) = (tags.to_str(), etag.to_str()) else { return false };
    tags.split(',').any(|tag| matches!(tag.trim().trim_start_matches("W/"), tag if tag == etag || tag == "*"))
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case("br") && !refused
    })
}

fn content_type(name: &str) -> HeaderValue {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let text = match kind.essence_str() {
        kind @ ("text/html" | "text/css" | "text/javascript" | "text/plain") => {
            format!("{kind}; charset=utf-8")
        }
        kind => kind.to_owned(),
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, status: Option<u16>) {
        assert_eq!(page(path).map(|status| status.as_u16()), status, "{path}");
    }

    #[test]
    fn the_pages_of_the_web_app_are_known() {
        check("/", Some(200));
        check("/me", Some(200));
        check("/new", Some(200));
        check("/7KQ2MD", Some(200));
        check("/7kq-2md", Some(200));
        check("/7KQ%202MD", Some(200));
        check("/7KQ2MD/", Some(200));
        check("/7KQ2MD/tv", Some(200));
        check("/nothing", Some(404));
        check("/robots.txt", None);
        check("/7KQ2MD/tv/x", None);
        check("/foo/bar/baz.js", None);
        check("/assets/gone.js", None);
    }
}
