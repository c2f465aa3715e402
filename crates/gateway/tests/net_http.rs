//! The accept loop over real sockets.

mod net_support;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, State};
use axum::routing::get;
use gateway::net::{HttpLimits, PeerAddr, listen, serve};
use net_support::soon;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const GET: &[u8] = b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n";

struct Service {
    address: SocketAddr,
    stop: CancellationToken,
    /// Lets `/wait` answer.
    go_on: Arc<Notify>,
    running: JoinHandle<()>,
}

async fn peer(Extension(PeerAddr(peer)): Extension<PeerAddr>) -> String {
    peer.to_string()
}

async fn wait(State(go_on): State<Arc<Notify>>) -> &'static str {
    go_on.notified().await;
    "done"
}

fn service(limits: HttpLimits) -> Service {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let (address, go_on, stop) =
        (listener.local_addr().expect("an address"), Arc::new(Notify::new()), CancellationToken::new());
    let router =
        Router::new().route("/peer", get(peer)).route("/wait", get(wait)).with_state(Arc::clone(&go_on));
    let running = tokio::spawn(serve(listener, router, limits, stop.clone()));
    Service { address, stop, go_on, running }
}

/// Connects, and says `request`.
async fn say(service: &Service, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(service.address).await.expect("a connection");
    stream.write_all(request).await.expect("a server that reads");
    stream
}

/// Everything up to the end of the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    // A reset is an end as well.
    let _ = soon(stream.read_to_end(&mut read)).await;
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn handlers_know_the_peer() {
    let service = service(HttpLimits {
        head: Duration::from_secs(10),
        idle: Duration::from_millis(20),
        ..HttpLimits::default()
    });
    let mut stream = say(&service, GET).await;
    let own = stream.local_addr().expect("an address").to_string();
    let answer = rest(&mut stream).await;
    assert!(answer.ends_with(&own), "{answer}, and then the idle connection is closed");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let limits = HttpLimits {
        head: Duration::from_millis(30),
        idle: Duration::from_secs(600),
        ..HttpLimits::default()
    };
    let service = service(limits);
    for beginning in [&b""[..], b"GET /peer HTTP/1.1\r\nHost:", &[GET, b"GET"].concat()] {
        let mut stream = say(&service, beginning).await;
        if beginning.starts_with(GET) {
            let mut first = [0; 12];
            soon(stream.read_exact(&mut first)).await.expect("the first request is answered");
            stream.write_all(b" /peer").await.expect("an open connection");
        }
        rest(&mut stream).await;
    }
}

#[tokio::test]
async fn a_request_in_flight_is_answered_after_the_stop() {
    let service = service(HttpLimits::default());
    let mut idle = say(&service, GET).await;
    soon(idle.read_exact(&mut [0; 12])).await.expect("an answer");
    let mut stream = say(&service, b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    // Answered on the other connection only after both were accepted.
    let mut third = say(&service, GET).await;
    soon(third.read_exact(&mut [0; 12])).await.expect("an answer");
    service.stop.cancel();
    rest(&mut idle).await;
    service.go_on.notify_one();
    assert!(rest(&mut stream).await.ends_with("done"));
    soon(service.running).await.expect("the end of serving");
    assert!(TcpStream::connect(service.address).await.is_err(), "nothing more is accepted");
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_stop() {
    let service = service(HttpLimits { drain: Duration::from_millis(20), ..HttpLimits::default() });
    let mut stream = say(&service, b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    service.stop.cancel();
    assert!(!rest(&mut stream).await.contains("done"));
    soon(service.running).await.expect("the end of serving");
}

#[tokio::test]
async fn too_many_connections_are_turned_away() {
    let service = service(HttpLimits { connections: 1, ..HttpLimits::default() });
    let mut first = say(&service, GET).await;
    soon(first.read_exact(&mut [0; 12])).await.expect("an answer");
    let mut second = TcpStream::connect(service.address).await.expect("a connection");
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 503 "));
}
