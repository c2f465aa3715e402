//! The WebSocket: the upgrade, and what goes through it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Request, Response, StatusCode, header};
use protocol::{Code, Problem};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WsClose;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tracing::debug;

use crate::{Closed, Config};

/// An attempt that takes longer has failed.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A write that takes longer means that nobody reads at the other end.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// A room with 1,000 queued tracks and 200 members listed stays well below.
const LARGEST_FRAME: usize = 4 << 20;

/// What came.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A frame of the protocol.
    Text(String),
    /// A sign of life.
    Alive,
    /// The end.
    Closed(Closed),
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects, with `?since=` where a version is held.
    pub(crate) async fn open(config: &Config, since: Option<u64>) -> Result<Self, Closed> {
        let request =
            upgrade(config, since).ok_or(Closed::Http { status: 400, code: None, retry_ms: None })?;
        // tungstenite's default read buffer is 128 KiB a socket, and the load tester's system tests hold many.
        let small = WebSocketConfig::default()
            .read_buffer_size(4 << 10)
            .write_buffer_size(0)
            .max_write_buffer_size(1 << 20)
            .max_message_size(Some(LARGEST_FRAME))
            .max_frame_size(Some(LARGEST_FRAME));
        match timeout(CONNECT_WITHIN, connect_async_with_config(request, Some(small), true)).await {
            Ok(Ok((socket, _))) => Ok(Self(socket)),
            Ok(Err(Error::Http(answer))) => Err(refusal(&answer)),
            Ok(Err(error)) => {
                debug!(%error, "no connection");
                Err(Closed::Abnormal)
            }
            Err(_) => Err(Closed::Abnormal),
        }
    }

    /// Writes a text frame.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), Closed> {
        match timeout(WRITE_WITHIN, self.0.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Closed::Abnormal),
        }
    }

    /// Waits for the next frame, up to `silence`: whoever is silent for longer is gone. May be cancelled and called
    /// again without losing a frame.
    pub(crate) async fn next(&mut self, silence: Duration) -> Incoming {
        match timeout(silence, self.0.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => Incoming::Text(text.to_string()),
            Ok(Some(Ok(Message::Close(Some(frame))))) => {
                Incoming::Closed(Closed::Code { code: frame.code.into(), retry_ms: None })
            }
            Ok(Some(Ok(Message::Close(None)) | Err(_)) | None) | Err(_) => Incoming::Closed(Closed::Abnormal),
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_)))) => {
                Incoming::Alive
            }
        }
    }

    /// Says goodbye, without waiting for the answer.
    pub(crate) async fn close(mut self) {
        let frame = CloseFrame { code: WsClose::Normal, reason: "".into() };
        let closing = timeout(Duration::from_secs(1), self.0.close(Some(frame))).await;
        debug!(?closing, "closed");
    }
}

fn upgrade(config: &Config, since: Option<u64>) -> Option<Request<()>> {
    let server = config.server.trim_end_matches('/');
    // http becomes ws, https becomes wss.
    let server = server.strip_prefix("http").map_or_else(|| server.to_owned(), |rest| format!("ws{rest}"));
    let since = since.map_or_else(String::new, |version| format!("?since={version}"));
    let address = format!("{server}/api/rooms/{}/live{since}", config.code);
    let mut request = address.into_client_request().ok()?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", config.bearer.expose())).ok()?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    Some(request)
}

/// An HTTP answer in the place of the upgrade.
fn refusal(answer: &Response<Option<Vec<u8>>>) -> Closed {
    let code: Option<Code> = answer
        .body()
        .as_deref()
        .and_then(|body| serde_json::from_slice::<Problem>(body).ok())
        .map(|problem| problem.code);
    let retry_ms = answer
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .map(|seconds| seconds.saturating_mul(1_000));
    let status: StatusCode = answer.status();
    debug!(%status, ?code, "refused before the upgrade");
    Closed::Http { status: status.as_u16(), code, retry_ms }
}
