//! JSON bodies: bounded in size, depth and time, and refused with the name of the key that is wrong.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use protocol::Code;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::problem::Problem;

/// The largest body that is read, in bytes.
pub(crate) const BODY_MAX: usize = 16 * 1024;
/// Objects and lists within one another.
const DEPTH_MAX: usize = 16;
/// A body that has not arrived by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A JSON body, read and understood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json<T>(pub T);

/// A JSON body that may be left out: then it is the default.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaybeJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let kind = content_type(&parts.headers);
        if kind != Kind::Json {
            return Err(wrong_type());
        }
        let bytes = read(body).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let kind = content_type(&parts.headers);
        if kind == Kind::Other {
            return Err(wrong_type());
        }
        let bytes = read(body).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if kind == Kind::None {
            return Err(wrong_type());
        }
        parse(&bytes).map(Self)
    }
}

/// Any JSON object, as it is: for what has words of its own for a wrong key.
#[derive(Clone, Debug)]
pub(super) struct JsonObject(pub Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        if content_type(&parts.headers) != Kind::Json {
            return Err(wrong_type());
        }
        let bytes = read(body).await?;
        not_too_deep(&bytes)?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| describe("", &error))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Json,
    Other,
}

fn content_type(headers: &HeaderMap) -> Kind {
    // A packed body could be a small one that unpacks to a large one.
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Kind::Other;
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Kind::None };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Kind::Json } else { Kind::Other }
}

fn wrong_type() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "Send the body as application/json, unpacked.")
}

fn too_large() -> Problem {
    Problem::new(Code::TooLarge, "A body has at most 16 KiB.")
}

/// Whether the request says that its body is too large.
fn announces_too_much(headers: &HeaderMap) -> bool {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > BODY_MAX as u64)
}

/// Takes in the body of a request that changes something, whatever becomes of the request: a connection on which an
/// unread body is on its way cannot be used again. One that says that it is too large is not begun with. `Err`: it is not
/// taken in, and the connection must end.
pub(crate) async fn arrive(request: &mut Request) -> Result<(), Problem> {
    if announces_too_much(request.headers()) {
        return Err(too_large());
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) || request.body().is_end_stream() {
        return Ok(());
    }
    let body = std::mem::take(request.body_mut());
    let bytes = read(body).await?;
    *request.body_mut() = Body::from(bytes);
    Ok(())
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::bad_request("The body did not arrive whole.")),
        Err(_) => Err(Problem::new(Code::RequestTimeout, "The body did not arrive within 10 seconds.")),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    not_too_deep(bytes)?;
    no_lists(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        if error.inner().is_data() {
            return describe(&path, error.inner());
        }
        // JSON it is. Where one of several words is wanted, serde_json takes anything else for a mistake in that.
        Problem::bad_request(format!("{}: it takes a word.", shown(&path, 100)))
    })?;
    reader.end().map_err(|_| Problem::bad_request("There is more than one value in the body."))?;
    Ok(value)
}

/// Refuses lists: no body takes one, and serde would take a list for an object whose keys are left out.
fn no_lists(bytes: &[u8]) -> Result<(), Problem> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| describe("", &error))?;
    match (value.is_object(), list_in(&value)) {
        (true, None) => Ok(()),
        (true, Some(path)) => Err(Problem::bad_request(format!("{path}: it takes no list."))),
        (false, _) => Err(Problem::bad_request("The body is no JSON object.")),
    }
}

/// The way to a list within objects.
fn list_in(value: &Value) -> Option<String> {
    value.as_object()?.iter().find_map(|(key, value)| {
        if value.is_array() {
            return Some(shown(key, 100));
        }
        list_in(value).map(|rest| format!("{}.{rest}", shown(key, 100)))
    })
}

fn shown(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

fn describe(path: &str, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return Problem::bad_request("The body is not JSON.");
    }
    // serde's words name the key and what it takes; where they were written to is of no use to anybody.
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let words = shown(words, 200);
    match path {
        "." | "" => Problem::bad_request(format!("{words}.")),
        path => Problem::bad_request(format!("{}: {words}.", shown(path, 100))),
    }
}

fn not_too_deep(bytes: &[u8]) -> Result<(), Problem> {
    let fits = depth(bytes) <= DEPTH_MAX;
    if fits { Ok(()) } else { Err(Problem::bad_request("The body is nested more than 16 deep.")) }
}

/// How deep the brackets go, texts left out. Of what is no JSON it says nothing useful, and the parser refuses that.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
