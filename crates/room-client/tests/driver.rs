//! The driver against a server of the test's own, frame by frame.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use kernel::{Entropy, ManualClock, Timestamp};
use protocol::{Code, CommandBody};
use room_client::{Config, EndReason, Event, Refusal, RoomClient, Stage, WaitError};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, http};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// Far longer than anything here takes: it turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Draws zero: reconnects are due at once, or after the server's wish.
#[derive(Debug)]
struct Zero;

impl Entropy for Zero {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

struct Server(TcpListener);

impl Server {
    async fn start() -> (Self, Config) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let config = Config {
            entropy: Arc::new(Zero),
            ..Config::new(format!("http://{address}"), "7KQ2MD", "s3cret")
        };
        (Self(listener), config)
    }

    /// The next connection: what it asked for, and its socket.
    async fn accept(&self) -> (String, Peer) {
        let (stream, _) =
            timeout(PATIENCE, self.0.accept()).await.expect("connects in time").expect("accepts");
        let asked = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&asked);
        #[expect(clippy::result_large_err, reason = "the library's signature")]
        let look = move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
            *seen.lock().expect("not poisoned") = format!("{} {}", request.uri(), bearer.unwrap_or("-"));
            Ok(response)
        };
        let socket = accept_hdr_async(stream, look).await.expect("upgrades");
        let asked = asked.lock().expect("not poisoned").clone();
        (asked, Peer(socket))
    }

    /// Answers the next attempt with a problem in the place of the upgrade.
    async fn refuse(&self, status: u16, code: &str) {
        let (stream, _) =
            timeout(PATIENCE, self.0.accept()).await.expect("connects in time").expect("accepts");
        let problem =
            json!({"type": "about:blank", "title": "t", "status": status, "detail": "d", "code": code});
        #[expect(clippy::result_large_err, reason = "the library's signature")]
        let look = move |_: &Request, _: Response| -> Result<Response, ErrorResponse> {
            Err(http::Response::builder().status(status).body(Some(problem.to_string())).expect("an answer"))
        };
        accept_hdr_async(stream, look).await.expect_err("refused");
    }
}

struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.expect("sends");
    }

    async fn hello(&mut self) {
        let you = json!({"member_id": "m", "name": "Ada", "role": "guest"});
        self.send(
            json!({"type": "hello", "protocol": 1, "you": you, "server_time": 1, "heartbeat_ms": 15_000}),
        )
        .await;
    }

    async fn snapshot(&mut self, version: u64) {
        self.send(json!({"type": "snapshot", "version": version, "room": {
            "code": "7KQ2MD", "name": "first", "version": version, "created_at": 1,
            "host": {"member_id": "h", "name": "Host"},
            "settings": {"skip_rule": {"kind": "count", "value": 2}, "guests_can_pause": false,
                "guests_can_seek": false, "guests_can_set_volume": false, "guests_can_queue": true,
                "queue_order": "fair", "fallback_playlist": null, "max_queued_per_member": 5,
                "adds_per_hour": null, "max_track_min": 10, "no_repeat_min": 120, "allow_explicit": true,
                "admission": "open", "vote_after_s": 0},
            "playback": {"state": "idle", "epoch": 3, "is_playing": false, "progress_ms": 0, "as_of": 9,
                "track": null, "device": null, "added_by": null},
            "skip": null, "queue": [], "members": {"online": 1, "total": 1, "list": [], "waiting": []}}}))
            .await;
    }

    /// The next command: its id and its type.
    async fn command(&mut self) -> (String, String) {
        let message =
            timeout(PATIENCE, self.0.next()).await.expect("in time").expect("open").expect("a frame");
        let value: Value = serde_json::from_str(message.to_text().expect("text")).expect("JSON");
        let word = |key: &str| value[key].as_str().expect("a string").to_owned();
        (word("id"), word("type"))
    }

    async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.0.close(Some(frame)).await.expect("closes");
    }
}

/// A client that holds version 10, and the server's end of its connection.
async fn live(config: Config, server: &Server) -> (RoomClient, Peer) {
    let connecting = tokio::spawn(RoomClient::connect(config));
    let (asked, mut peer) = server.accept().await;
    assert_eq!(asked, "/api/rooms/7KQ2MD/live Bearer s3cret");
    peer.hello().await;
    peer.snapshot(10).await;
    (connecting.await.expect("no panic").expect("connects"), peer)
}

#[tokio::test]
async fn a_command_is_sent_again_under_its_id_until_it_is_answered() {
    let (server, config) = Server::start().await;
    let (client, mut peer) = live(config, &server).await;
    let client = Arc::new(client);
    let giving = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.command(CommandBody::Pause {}).await }
    });
    let first = peer.command().await;
    drop(peer);

    let (asked, mut peer) = server.accept().await;
    assert_eq!(asked, "/api/rooms/7KQ2MD/live?since=10 Bearer s3cret");
    peer.hello().await;
    assert_eq!(peer.command().await, first);
    peer.send(json!({"type": "ack", "id": first.0, "version": 11})).await;
    assert_eq!(giving.await.expect("no panic"), Ok(11));

    // Answered: the third connection hears nothing of it, only of the next.
    drop(peer);
    let (_, mut peer) = server.accept().await;
    peer.hello().await;
    let giving = tokio::spawn(async move { client.command(CommandBody::Previous {}).await });
    let (id, word) = peer.command().await;
    assert_eq!(word, "previous");
    assert_ne!(id, first.0);
    peer.send(json!({"type": "refused", "id": id, "code": "nothing_playing", "message": "Nothing plays."}))
        .await;
    let refusal = giving.await.expect("no panic").expect_err("refused");
    assert_eq!(refusal.code(), Some(Code::NothingPlaying));
}

#[tokio::test]
async fn the_room_goes_on_after_a_reconnect_without_a_snapshot() {
    let (server, config) = Server::start().await;
    let (client, peer) = live(config, &server).await;
    drop(peer);
    let (_, mut peer) = server.accept().await;
    peer.hello().await;
    peer.send(json!({"type": "update", "version": 11, "name": "second"})).await;
    let room = client.wait_for(|room| room.version == 11, PATIENCE).await.expect("becomes so");
    assert_eq!(room.name, "second");
}

#[tokio::test]
async fn a_bye_is_honoured_as_a_minimum() {
    let (server, mut config) = Server::start().await;
    let clock = ManualClock::new(Timestamp(1_000));
    config.clock = Arc::new(clock.clone());
    let (client, mut peer) = live(config, &server).await;
    let mut watch = client.watch();
    peer.send(json!({"type": "bye", "code": 1001, "message": "restarting", "retry_ms": 600_000})).await;
    peer.close(1001).await;
    let seen = timeout(PATIENCE, watch.wait_for(|seen| matches!(seen.stage, Stage::Waiting { .. }))).await;
    let stage = seen.expect("in time").expect("runs").stage;
    assert_eq!(stage, Stage::Waiting { until: Timestamp(601_000) });

    client.retry_now().await;
    server.accept().await;
}

/// How a client ends that is closed with `code`.
async fn check_close(code: u16, expected: EndReason) {
    let (server, config) = Server::start().await;
    let (client, mut peer) = live(config, &server).await;
    peer.send(json!({"type": "bye", "code": code, "message": "m", "retry_ms": null})).await;
    peer.close(code).await;
    assert_eq!(timeout(PATIENCE, client.ended_because()).await.expect("in time"), expected, "{code}");
    assert_eq!(client.command(CommandBody::Pause {}).await, Err(Refusal::Ended(expected)));
    assert_eq!(client.wait_for(|_| false, PATIENCE).await, Err(WaitError::Ended(expected)));
}

#[tokio::test]
async fn a_final_close_ends_the_client_and_all_that_waits() {
    check_close(1000, EndReason::Left).await;
    check_close(4403, EndReason::Removed).await;
    check_close(4410, EndReason::RoomClosed).await;
}

#[tokio::test]
async fn a_refused_upgrade_ends_or_is_tried_again() {
    let (server, config) = Server::start().await;
    let connecting = tokio::spawn(RoomClient::connect(config.clone()));
    server.refuse(503, "not_ready").await;
    server.refuse(404, "no_such_room").await;
    assert_eq!(connecting.await.expect("no panic").expect_err("ends"), EndReason::NoSuchRoom);

    let connecting = tokio::spawn(RoomClient::connect(config));
    server.refuse(401, "no_session").await;
    assert_eq!(connecting.await.expect("no panic").expect_err("ends"), EndReason::NoSession);
}

#[tokio::test]
async fn a_version_that_goes_back_is_reported_and_the_room_asked_for_anew() {
    let (server, config) = Server::start().await;
    let (client, mut peer) = live(config, &server).await;
    let mut events = client.events();
    peer.send(json!({"type": "update", "version": 9, "name": "old"})).await;
    let (asked, mut peer) = server.accept().await;
    assert_eq!(asked, "/api/rooms/7KQ2MD/live Bearer s3cret");
    assert!(matches!(events.recv().await, Ok(Event::Violation(_))));
    peer.hello().await;
    peer.snapshot(4).await;
    client.wait_for(|room| room.version == 4, PATIENCE).await.expect("the server's word counts");
}

#[tokio::test]
async fn a_ping_tells_the_servers_clock_and_is_not_repeated() {
    let (server, mut config) = Server::start().await;
    config.clock = Arc::new(ManualClock::new(Timestamp(1_000)));
    let (client, mut peer) = live(config, &server).await;
    let client = Arc::new(client);
    let ask = || {
        let client = Arc::clone(&client);
        tokio::spawn(async move { client.ping().await })
    };
    let pinging = ask();
    let (id, word) = peer.command().await;
    assert_eq!(word, "ping");
    peer.send(json!({"type": "pong", "id": id, "server_time": 5_000})).await;
    let estimate = pinging.await.expect("no panic").expect("answered");
    assert_eq!((estimate.offset_ms, estimate.round_trip_ms), (4_000, 0));

    let pinging = ask();
    peer.command().await;
    drop(peer);
    assert_eq!(pinging.await.expect("no panic"), Err(Refusal::Lost));
}
