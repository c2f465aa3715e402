//! The WebSocket handshake (RFC 6455, section 4.2), and the raw socket after it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version, header};
use hyper::upgrade::OnUpgrade;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::server::{Guarded, PeerAddr, Permit};

/// The sub-protocol of the live connection.
pub const SUBPROTOCOL: &str = "parlor.v1";
/// How long the answer may take to leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a request is no WebSocket handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// No `GET` over HTTP/1.1.
    #[error("a WebSocket begins with GET over HTTP/1.1")]
    Method,
    /// `Connection` and `Upgrade` do not ask for a WebSocket.
    #[error("the request does not ask for a WebSocket")]
    NotUpgrade,
    /// Another version than 13; the answer (426) names it in `Sec-WebSocket-Version`.
    #[error("only version 13 of the WebSocket protocol is spoken here")]
    Version,
    /// `Sec-WebSocket-Key` is not 16 bytes in base64.
    #[error("Sec-WebSocket-Key is not 16 bytes in base64")]
    Key,
    /// The connection did not come through [`super::serve`].
    #[error("this connection cannot be upgraded")]
    Unable,
}

/// A valid handshake that waits to be answered.
#[derive(Debug)]
pub struct Handshake {
    accept: String,
    subprotocol: bool,
    upgrade: OnUpgrade,
    peer: SocketAddr,
    permit: Option<Permit>,
}

/// A socket after the handshake.
#[derive(Debug)]
pub struct Upgraded {
    /// The socket.
    pub stream: TcpStream,
    /// What the client sent right behind its handshake.
    pub read: Bytes,
    /// The address on the other side.
    pub peer: SocketAddr,
    /// Its place among the sockets of the process.
    pub permit: Option<Permit>,
}

impl Handshake {
    /// Checks the request. Whoever asks, and for what, is the caller's to check.
    pub fn accept(parts: &Parts) -> Result<Self, HandshakeError> {
        let headers = &parts.headers;
        if parts.method != Method::GET || parts.version != Version::HTTP_11 {
            return Err(HandshakeError::Method);
        }
        if !has_token(headers, header::CONNECTION, "upgrade")
            || !has_token(headers, header::UPGRADE, "websocket")
        {
            return Err(HandshakeError::NotUpgrade);
        }
        if the_only(headers, header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
            return Err(HandshakeError::Version);
        }
        let key = the_only(headers, header::SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?;
        if !BASE64_STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16) {
            return Err(HandshakeError::Key);
        }
        let upgrade = parts.extensions.get::<OnUpgrade>().cloned().ok_or(HandshakeError::Unable)?;
        let PeerAddr(peer) = *parts.extensions.get::<PeerAddr>().ok_or(HandshakeError::Unable)?;
        Ok(Self {
            accept: derive_accept_key(key),
            subprotocol: tokens(headers, header::SEC_WEBSOCKET_PROTOCOL).any(|token| token == SUBPROTOCOL),
            upgrade,
            peer,
            permit: parts.extensions.get::<Permit>().cloned(),
        })
    }

    /// The answer. The socket is ours once it has left: the handler returns it and leaves [`Handshake::complete`] to a
    /// task.
    pub fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        if self.subprotocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        }
        response
    }

    /// Waits until the answer has left and gives the socket. Fails where the client has gone, or after 5 s.
    pub async fn complete(self) -> io::Result<Upgraded> {
        let upgraded = tokio::time::timeout(PATIENCE, self.upgrade)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)?
            .map_err(io::Error::other)?;
        let parts = upgraded
            .downcast::<Guarded>()
            .map_err(|_| io::Error::other("the connection is of another server"))?;
        let stream = parts.io.into_stream();
        Ok(Upgraded { stream, read: parts.read_buf, peer: self.peer, permit: self.permit })
    }
}

fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn has_token(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

/// The value of a header that must come exactly once.
fn the_only(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).map(HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests;
