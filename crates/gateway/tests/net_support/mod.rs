//! A server with one room for the tests of the socket layer, and the simplest possible client.
#![allow(missing_docs, dead_code, unreachable_pub, reason = "each test file uses its part of it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::StreamExt;
use gateway::net::{
    Audience, Connection, Ended, Handler, Handshake, HttpLimits, LiveLimits, Publication, Sockets, Sweeper,
    codec, listen, serve,
};
use http::StatusCode;
use protocol::CloseCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// So long is waited for what should come at once, before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// What must come.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it should have happened by now")
}

/// Waits until something that nobody announces is so.
pub async fn until(condition: impl Fn() -> bool + Send + Sync) {
    soon(async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    pub sockets: Arc<Sockets>,
    pub audience: Arc<Audience>,
    pub stop: CancellationToken,
    ended: mpsc::Sender<Ended>,
}

/// Echoes text; `leave` ends the connection.
struct Echo(Server);

impl Handler for Echo {
    fn on_text(&self, connection: &Arc<Connection>, text: &str) {
        if text == "leave" {
            connection.close(CloseCode::Left, "Goodbye.", None);
        }
        connection.send(codec::text_frame(text.as_bytes()));
    }

    fn on_closed(&self, connection: &Arc<Connection>, ended: Ended) {
        self.0.audience.remove(connection);
        // The test has ended.
        let _ = self.0.ended.try_send(ended);
    }
}

/// The room at a version: an update of `size` bytes and a small snapshot, both saying which they are.
pub fn publication(version: u64, size: usize) -> Arc<Publication> {
    let update = format!(r#"{{"update":{version},"x":"{}"}}"#, "x".repeat(size));
    let update = codec::text_frame(update.as_bytes());
    let snapshot = move || codec::text_frame(format!(r#"{{"snapshot":{version}}}"#).as_bytes());
    Arc::new(Publication::new(version, version - 1, update, Vec::new(), snapshot))
}

impl Server {
    /// Starts one, in which time stands still but for a [`Time`]; the second part tells how each connection ended.
    #[expect(clippy::unused_async, reason = "it spawns: whoever waits for it has a runtime")]
    pub async fn start(live: LiveLimits, http: HttpLimits) -> (Self, mpsc::Receiver<Ended>) {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let (ended, endings) = mpsc::channel(64);
        let server = Self {
            address: listener.local_addr().expect("an address"),
            sockets: Sockets::new(live, TaskTracker::new()),
            audience: Audience::new(publication(1, 0)),
            stop: CancellationToken::new(),
            ended,
        };
        let router = Router::new().route("/live", get(live_route)).with_state(server.clone());
        tokio::spawn(serve(listener, router, http, server.stop.clone()));
        (server, endings)
    }

    pub async fn websocket(&self) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        let url = format!("ws://{}/live", self.address);
        soon(Box::pin(tokio_tungstenite::connect_async(url))).await.expect("a WebSocket").0
    }

    /// A socket after the handshake and the greeting, with `behind` sent right behind the request.
    pub async fn raw(&self, behind: &[u8]) -> Raw {
        let mut raw =
            Raw { stream: TcpStream::connect(self.address).await.expect("a connection"), read: Vec::new() };
        let request = b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        raw.stream.write_all(&[request, behind].concat()).await.expect("a server that reads");
        let head = loop {
            if let Some(end) = raw.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break raw.read.drain(..end + 4).collect::<Vec<u8>>();
            }
            assert!(raw.fill().await, "the server closed during the handshake");
        };
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        raw
    }
}

/// The time of a server's connections, which passes when it is told to.
pub struct Time {
    sweeper: Sweeper,
    now: Duration,
}

impl Time {
    /// The start.
    pub fn of(server: &Server) -> Self {
        let mut sweeper = Sweeper::new(Arc::clone(&server.sockets));
        sweeper.look(Duration::ZERO);
        Self { sweeper, now: Duration::ZERO }
    }

    /// How much has passed.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Lets so much pass, tick by tick.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = end.min(self.now + self.sweeper.tick());
            self.sweeper.look(self.now);
        }
    }
}

async fn live_route(State(server): State<Server>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let handshake = match Handshake::accept(&parts) {
        Ok(handshake) => handshake,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let since = parts.uri.query().and_then(|query| query.strip_prefix("since=")?.parse().ok());
    let response = handshake.response();
    tokio::spawn(async move {
        let Ok(upgraded) = handshake.complete().await else { return };
        let opened = server.sockets.open(upgraded, Arc::new(Echo(server.clone())));
        server.audience.insert(opened.connection(), codec::text_frame(b"hello"), since);
        opened.start();
    });
    response
}

/// A client that does only what it is told.
pub struct Raw {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    /// Reads some more; false at the end.
    async fn fill(&mut self) -> bool {
        soon(self.stream.read_buf(&mut self.read)).await.is_ok_and(|read| read > 0)
    }

    /// Takes what has arrived, without letting anyone else have a turn.
    pub fn take_now(&mut self) {
        while self.stream.try_read_buf(&mut self.read).is_ok_and(|read| read > 0) {}
    }

    /// The next frame: its opcode and its payload; none at the end of the connection.
    pub async fn frame(&mut self) -> Option<(u8, Bytes)> {
        loop {
            if let Some((opcode, from, to)) = frame_at(&self.read)
                && to <= self.read.len()
            {
                let payload = Bytes::copy_from_slice(&self.read[from..to]);
                self.read.drain(..to);
                return Some((opcode, payload));
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// The next text.
    pub async fn text(&mut self) -> String {
        loop {
            match self.frame().await {
                Some((1, payload)) => return String::from_utf8_lossy(&payload).into_owned(),
                Some((8, payload)) => panic!("closed: {payload:?}"),
                Some(_) => {}
                None => panic!("the connection has ended"),
            }
        }
    }

    /// Reads to the end: the last `bye`, and the code of the close frame, after which it hangs up.
    pub async fn end(&mut self) -> (serde_json::Value, Option<u16>) {
        let (mut bye, mut code) = (serde_json::Value::Null, None);
        while let Some((opcode, payload)) = self.frame().await {
            match opcode {
                1 => bye = serde_json::from_slice(&payload).unwrap_or_default(),
                8 => {
                    code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    // The server may have been faster.
                    let _ = self.stream.shutdown().await;
                }
                _ => {}
            }
        }
        (bye, code)
    }
}

fn frame_at(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let opcode = bytes.first()? & 0x0f;
    let (from, length) = match *bytes.get(1)? {
        126 => (4, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?).into()),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        short => (2, short.into()),
    };
    Some((opcode, from, from + length))
}

/// A short masked frame (the mask is zero).
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126, "this helper writes short frames");
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0][..], payload].concat()
}

/// The next text of a WebSocket client.
pub async fn text(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> String {
    loop {
        match soon(socket.next()).await.expect("a message").expect("a message") {
            Message::Text(text) => return text.as_str().to_owned(),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}
