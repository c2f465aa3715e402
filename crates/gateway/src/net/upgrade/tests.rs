use http::Request;

use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

#[expect(clippy::unwrap_in_result, reason = "the request is written here; the result is what is tested")]
fn ask(change: impl FnOnce(&mut Parts)) -> Result<(), HandshakeError> {
    let (mut parts, ()) = Request::get("/live")
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "WebSocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", KEY)
        .body(())
        .expect("a request")
        .into_parts();
    change(&mut parts);
    Handshake::accept(&parts).map(drop)
}

fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut Parts) {
    move |parts| {
        parts.headers.insert(name, HeaderValue::from_static(value));
    }
}

#[test]
fn requests_are_checked() {
    // All is well but for the server that they came through.
    assert_eq!(ask(|_| {}), Err(HandshakeError::Unable));
    let check = |name, value, expected| assert_eq!(ask(set(name, value)), Err(expected), "{name}: {value}");
    check("connection", "close", HandshakeError::NotUpgrade);
    check("connection", "upgraded", HandshakeError::NotUpgrade);
    check("upgrade", "h2c", HandshakeError::NotUpgrade);
    check("upgrade", "h2c, websocket", HandshakeError::Unable);
    check("sec-websocket-version", "8", HandshakeError::Version);
    check("sec-websocket-key", "", HandshakeError::Key);
    check("sec-websocket-key", "dGhlIHNhbXBsZSBub25j", HandshakeError::Key);
    check("sec-websocket-key", "not base64 at all!!!!!!=", HandshakeError::Key);
    assert_eq!(ask(|parts| parts.method = Method::POST), Err(HandshakeError::Method));
    assert_eq!(ask(|parts| parts.version = Version::HTTP_10), Err(HandshakeError::Method));
    let missing = |name: &'static str| ask(move |parts| drop(parts.headers.remove(name)));
    assert_eq!(missing("connection"), Err(HandshakeError::NotUpgrade));
    assert_eq!(missing("upgrade"), Err(HandshakeError::NotUpgrade));
    assert_eq!(missing("sec-websocket-version"), Err(HandshakeError::Version));
    assert_eq!(missing("sec-websocket-key"), Err(HandshakeError::Key));
    let twice = ask(|parts| {
        parts.headers.append("sec-websocket-key", HeaderValue::from_static(KEY));
    });
    assert_eq!(twice, Err(HandshakeError::Key));
}
