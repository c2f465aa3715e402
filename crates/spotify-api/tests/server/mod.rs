//! A server written by hand, so that it can misbehave in ways that no library lets one.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses its part of this")]

use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use kernel::{Clock, ManualClock, Secret, Timestamp};
use spotify_api::{App, Client, ClientConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request that it has read.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends this and keeps the connection.
    Answer(Vec<u8>),
    /// Sends this and closes the connection.
    AnswerAndClose(Vec<u8>),
    /// Sends this and never another byte.
    Hang(Vec<u8>),
}

/// The instant at which the clients' clock stands.
pub(crate) const NOW: Timestamp = Timestamp(1_790_000_000_000);
/// Long enough for any answer that comes, and nothing waits for it to pass.
pub(crate) const PATIENT: Duration = Duration::from_secs(10);
/// For answers that never come.
pub(crate) const SHORT: Duration = Duration::from_millis(150);

pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// A server that treats every request the same.
    pub(crate) async fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let journal = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, act.clone(), Arc::clone(&journal)));
            }
        });
        Self { address, seen }
    }

    /// What was asked so far, each with head and body.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.address)
    }
}

/// A client for a Spotify at that address, whose clock stands still.
pub(crate) fn client(address: &str) -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("installed once");
    });
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW));
    let config = ClientConfig { accounts_url: address.to_owned(), api_url: format!("{address}/"), clock };
    Client::new(config).expect("a client")
}

pub(crate) fn token() -> Secret<String> {
    Secret::from("access-canary-1")
}

pub(crate) fn app(secret: bool) -> App {
    App {
        client_id: "client-1".to_owned(),
        client_secret: secret.then(|| Secret::from("client-secret-canary")),
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: &str) -> Act {
    with_headers(status, "", body.as_bytes())
}

/// An answer with more headers (each ended by CR LF).
pub(crate) fn with_headers(status: u16, headers: &str, body: &[u8]) -> Act {
    let mut answer =
        format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    Act::Answer(answer)
}

async fn serve(mut stream: TcpStream, act: Act, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read(&mut stream).await {
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let (bytes, stays) = match &act {
            Act::Answer(bytes) => (bytes, true),
            Act::AnswerAndClose(bytes) => (bytes, false),
            Act::Hang(bytes) => {
                let _gone = stream.write_all(bytes).await;
                std::future::pending::<()>().await;
                return;
            }
        };
        if stream.write_all(bytes).await.is_err() || !stays {
            return;
        }
    }
}

/// A request with its body; `None` once the connection is closed.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned())
                })
                .map_or(0, |n| n.parse().unwrap_or(0));
            if body.len() >= length {
                return Some(text);
            }
        }
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
        }
    }
}
