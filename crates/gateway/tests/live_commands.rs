//! Commands over the live connection, as a program sends them.

mod http_support;

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use gateway::net::{HttpLimits, listen, serve};
use http_support::{Browser, House};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

type Live = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(address: SocketAddr, code: &str, session: &str) -> Live {
    let url = format!("ws://{address}/api/rooms/{code}/live");
    let mut request = url.into_client_request().expect("a request");
    let bearer = HeaderValue::from_str(&format!("Bearer {session}")).expect("a header");
    request.headers_mut().insert("authorization", bearer);
    tokio_tungstenite::connect_async(request).await.expect("a connection").0
}

/// A room at a house that listens, and its host.
struct Opened {
    ada: Browser,
    address: SocketAddr,
    code: String,
    session: String,
}

impl Opened {
    async fn at(house: &House) -> Self {
        let mut ada = house.host("198.51.100.1", "host-1").await;
        let room = ada.send("POST", "/api/rooms", json!({"name": "Friday"})).await.is(201).json();
        let code = room["code"].as_str().expect("a code").to_owned();
        let session = ada.cookies.get("parlor_session").expect("a session").clone();
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(serve(listener, house.router.clone(), HttpLimits::default(), CancellationToken::new()));
        Self { ada, address, code, session }
    }
}

/// The next frame of one of these types.
async fn next(live: &mut Live, types: &[&str]) -> Value {
    while let Some(message) = live.next().await {
        let Message::Text(text) = message.expect("a frame") else { continue };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        if types.contains(&frame["type"].as_str().unwrap_or_default()) {
            return frame;
        }
    }
    panic!("the connection has ended");
}

#[tokio::test]
async fn a_session_commands_so_fast_over_all_its_connections() {
    let house = House::open().await;
    let Opened { address, code, session, .. } = Opened::at(&house).await;
    let mut connections = [connect(address, &code, &session).await, connect(address, &code, &session).await];
    for number in 0..22 {
        let live = &mut connections[number % 2];
        let ping = json!({"id": number.to_string(), "type": "ping"});
        live.send(Message::text(ping.to_string())).await.expect("an open connection");
        let answer = next(live, &["pong", "refused"]).await;
        let expected = if number < 20 { json!("pong") } else { json!("refused") };
        assert_eq!((&answer["type"], &answer["id"]), (&expected, &json!(number.to_string())), "{answer}");
        assert!(number < 20 || (answer["code"] == "too_fast" && answer["retry_ms"].is_u64()), "{answer}");
    }
}

#[tokio::test]
async fn what_became_of_a_command_is_said_when_it_is_known() {
    let house = House::open_with(|config| config.shared_store = true).await;
    let Opened { mut ada, address, code, session } = Opened::at(&house).await;
    let (pulse, limits) = (house.parts.pulse.clone(), house.parts.store.limits.clone());
    tokio::spawn(pulse.watch(limits, house.parts.clock.clone(), CancellationToken::new()));
    let mut live = connect(address, &code, &session).await;
    next(&mut live, &["snapshot"]).await;
    // Stored, and the store's answer is lost: neither a refusal nor an acknowledgement would be true yet.
    house.memory.lose_answers(1);
    let react = json!({"id": "one", "type": "react", "emoji": "🎉"});
    live.send(Message::text(react.to_string())).await.expect("an open connection");
    let answer = next(&mut live, &["ack", "refused"]).await;
    assert_eq!((&answer["type"], &answer["id"]), (&json!("ack"), &json!("one")), "{answer}");
    let stored = ada.get(&format!("/api/rooms/{code}")).await.is(200).json()["version"].clone();
    assert_eq!(answer["version"], stored, "it was done once");
    // Over HTTP it can be said that it is not known: 503 promises nothing.
    house.memory.lose_answers(1);
    let path = format!("/api/rooms/{code}/commands");
    ada.send("POST", &path, json!({"type": "react", "emoji": "🎉"})).await.problem(503, "store_unavailable");
}

#[tokio::test]
async fn who_is_removed_hears_nothing_of_the_room_without_them() {
    let house = House::open().await;
    let Opened { mut ada, address, code, .. } = Opened::at(&house).await;
    let path = format!("/api/rooms/{code}");
    let mut ben = house.visitor("198.51.100.2").await;
    ben.send("POST", &format!("{path}/join"), json!({"name": "Ben"})).await.is(200);
    let member = ben.get("/api/me").await.is(200).json()["member_id"].clone();
    let mut live = connect(address, &code, ben.cookies.get("parlor_session").expect("a session")).await;
    next(&mut live, &["snapshot"]).await;
    let remove = json!({"type": "remove_member", "member_id": member});
    let removed = ada.send("POST", &format!("{path}/commands"), remove).await.is(200).json();
    let gone = removed["version"].as_u64().expect("a version");
    loop {
        let frame = next(&mut live, &["update", "snapshot", "bye"]).await;
        if frame["type"] == "bye" {
            assert_eq!(frame["code"], 4403);
            break;
        }
        assert!(frame["version"].as_u64().is_some_and(|version| version < gone), "{gone}: {frame}");
    }
}
