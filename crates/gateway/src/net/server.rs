//! The accept loop: HTTP/1.1 connections with limits, up to their upgrade or their end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

pub use self::gate::Permit;
use self::gate::{Gate, Refused};
use self::guarded::Activity;
pub(super) use self::guarded::Guarded;
use super::limits::HttpLimits;

mod gate;
mod guarded;

/// How many connections may wait to be accepted: a whole party comes at once.
const BACKLOG: u32 = 4096;
/// The most that one request's head may need.
const MAX_HEAD: usize = 16 * 1024;
/// The most headers that one request may have.
const MAX_HEADERS: usize = 64;
/// How often a connection is looked at within the time for a head.
const LOOKS: u32 = 5;
/// How long the loop rests where the system has no more sockets; at most.
const REST: Duration = Duration::from_secs(1);

/// The address on the other side of the socket, in each request's extensions. Behind a proxy it is the proxy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// Listens on an address, with room for a rush.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `router` until `stop`; then accepts nothing more, lets the requests in flight finish, for as long as the
/// limits say, and returns. Upgraded sockets are no longer its own by then: see [`super::Sockets`].
pub async fn serve(listener: TcpListener, router: Router, limits: HttpLimits, stop: CancellationToken) {
    let gate = Gate::new(limits.connections, limits.per_group);
    let connections = TaskTracker::new();
    let mut rest = Duration::ZERO;
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                rest = Duration::ZERO;
                // Off, the last guests hear the news 40 ms late; it fails only where the peer is gone already.
                let _ = stream.set_nodelay(true);
                match gate.admit(peer) {
                    Ok(admitted) => {
                        connections.spawn(converse(
                            stream,
                            peer,
                            admitted,
                            router.clone(),
                            limits,
                            stop.clone(),
                        ));
                    }
                    Err(refused) => refuse(&stream, refused),
                }
            }
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                rest = (rest * 2).clamp(Duration::from_millis(50), REST);
                tracing::warn!(%error, "cannot accept connections, trying again shortly");
                stop.run_until_cancelled(tokio::time::sleep(rest)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Whether only this one connection failed.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Says why, as far as that costs nothing.
fn refuse(stream: &TcpStream, refused: Refused) {
    let answer: &[u8] = match refused {
        Refused::Full => {
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        }
        Refused::Group => {
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        }
    };
    // A new socket takes it, or the peer has gone.
    let _ = stream.try_write(answer);
}

/// Serves one connection to its end or its upgrade.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    admitted: gate::Admitted,
    router: Router,
    limits: HttpLimits,
    stop: CancellationToken,
) {
    let activity = Arc::new(Activity::new(Instant::now()));
    let service = service_fn(|mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(PeerAddr(peer));
        request.extensions_mut().insert(admitted.permit.clone());
        activity.begin();
        let (answer, activity) = (router.clone().call(request), Arc::clone(&activity));
        async move {
            let answer = answer.await;
            activity.end(Instant::now());
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(Guarded::new(stream, Arc::clone(&activity)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut look = pin!(tokio::time::sleep(limits.head / LOOKS));
    let mut last_moment = None;
    loop {
        tokio::select! {
            biased;
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended badly");
                }
                return;
            }
            () = stop.cancelled(), if last_moment.is_none() => {
                connection.as_mut().graceful_shutdown();
                last_moment = Some(Instant::now() + limits.drain);
                look.as_mut().reset(Instant::now());
            }
            () = &mut look => {
                let now = Instant::now();
                let mut next = activity.deadline(&limits).unwrap_or(now + limits.head);
                if let Some(last_moment) = last_moment {
                    next = next.min(last_moment);
                }
                if next <= now {
                    return;
                }
                // What the client is at may change at any time, and with it the patience.
                look.as_mut().reset(next.min(now + limits.head / LOOKS));
            }
        }
    }
}
