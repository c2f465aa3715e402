//! The live connection over real sockets.

mod net_support;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use gateway::net::{Ended, HttpLimits, LiveLimits, codec};
use kernel::SeededEntropy;
use net_support::{Raw, Server, Time, masked, publication, soon, text, until};
use protocol::CloseCode;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

async fn greeted(raw: &mut Raw) {
    assert_eq!(raw.text().await, "hello");
    assert_eq!(raw.text().await, r#"{"snapshot":1}"#);
}

#[tokio::test]
async fn a_client_is_greeted_heard_and_answered() {
    let (server, mut endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut client = server.websocket().await;
    assert_eq!(text(&mut client).await, "hello");
    assert_eq!(text(&mut client).await, r#"{"snapshot":1}"#);
    for said in ["one", "two", &"long ".repeat(800)] {
        client.send(Message::text(said)).await.expect("an open socket");
        assert_eq!(text(&mut client).await, said);
    }
    client.send(Message::Ping("x".into())).await.expect("an open socket");
    let pong = soon(client.next()).await.expect("a message").expect("a message");
    assert_eq!(pong, Message::Pong("x".into()));
    client.close(None).await.expect("an open socket");
    assert_eq!(soon(endings.recv()).await, Some(Ended::ByClient(None)));
    soon(server.sockets.gone()).await;
    assert!(server.audience.is_empty());
}

#[tokio::test]
async fn what_is_sent_right_behind_the_handshake_is_heard_after_the_greeting() {
    let (server, _endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let early = masked(0x81, b"early");
    let mut raw = server.raw(&early[..4]).await;
    greeted(&mut raw).await;
    raw.stream.write_all(&early[4..]).await.expect("an open socket");
    assert_eq!(raw.text().await, "early");
    let mut raw = server.raw(&early).await;
    greeted(&mut raw).await;
    assert_eq!(raw.text().await, "early");
}

#[tokio::test]
async fn since_spares_the_snapshot_of_that_very_version() {
    let (server, _endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let check = async |since: &str, expected: &str| {
        let url = format!("ws://{}/live?since={since}", server.address);
        let (mut client, _) =
            soon(Box::pin(tokio_tungstenite::connect_async(url))).await.expect("a WebSocket");
        assert_eq!(text(&mut client).await, "hello");
        client.send(Message::text("next")).await.expect("an open socket");
        assert_eq!(text(&mut client).await, expected, "since {since}");
    };
    check("1", "next").await;
    check("0", r#"{"snapshot":1}"#).await;
}

#[tokio::test]
async fn who_breaks_the_protocol_hears_why() {
    let (server, mut endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut check = async |frame: &[u8], code: CloseCode| {
        let mut raw = server.raw(frame).await;
        greeted(&mut raw).await;
        let (bye, close) = raw.end().await;
        assert_eq!(bye["type"], "bye");
        assert_eq!(bye["code"], code.number());
        assert_eq!(close, Some(code.number()));
        assert_eq!(soon(endings.recv()).await, Some(Ended::ByServer(code)));
    };
    check(&masked(0x82, b"binary"), CloseCode::Policy).await;
    check(&[0x81, 1, b'x'], CloseCode::Policy).await;
    check(&masked(0xc1, b"reserved"), CloseCode::Policy).await;
    check(&[0x81, 0xfe, 0x10, 0x01, 0, 0, 0, 0], CloseCode::TooBig).await;
    assert_eq!(server.sockets.stats().snapshot().violations, 3);
}

#[tokio::test]
async fn a_flood_of_control_frames_closes() {
    let (server, mut endings) =
        Server::start(LiveLimits { frames: 10, ..LiveLimits::default() }, HttpLimits::default()).await;
    let raw = server.raw(&masked(0x89, b"").repeat(11)).await;
    assert_eq!(soon(endings.recv()).await, Some(Ended::ByServer(CloseCode::TooMany)));
    drop(raw);
}

#[tokio::test]
async fn the_server_says_bye_and_waits_for_the_answer() {
    let (server, mut endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut client = server.websocket().await;
    client.send(Message::text("leave")).await.expect("an open socket");
    assert_eq!(soon(endings.recv()).await, Some(Ended::ByServer(CloseCode::Left)));
    assert_eq!(text(&mut client).await, "hello");
    assert_eq!(text(&mut client).await, r#"{"snapshot":1}"#);
    assert_eq!(text(&mut client).await, r#"{"type":"bye","code":1000,"message":"Goodbye.","retry_ms":null}"#);
    let close = soon(client.next()).await.expect("a message").expect("a message");
    assert!(matches!(close, Message::Close(Some(frame)) if u16::from(frame.code) == 1000));
    assert!(soon(client.next()).await.is_none_or(|last| last.is_err()), "nothing after the close");
    soon(server.sockets.gone()).await;
}

#[tokio::test]
async fn a_close_without_an_answer_ends_all_the_same() {
    let (server, mut endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut time = Time::of(&server);
    let raw = server.raw(&masked(0x81, b"leave")).await;
    assert_eq!(soon(endings.recv()).await, Some(Ended::ByServer(CloseCode::Left)));
    time.pass(Duration::from_millis(1_499));
    tokio::task::yield_now().await;
    assert_eq!(server.sockets.len(), 1, "the peer may still answer");
    time.pass(Duration::from_millis(1));
    soon(server.sockets.gone()).await;
    drop(raw);
}

#[tokio::test]
async fn a_client_that_is_silent_after_a_ping_is_closed() {
    let (server, mut endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    // tungstenite answers pings while it is read, this one does not.
    let mut lively = server.websocket().await;
    let mut raw = server.raw(b"").await;
    greeted(&mut raw).await;
    until(|| server.sockets.len() == 2).await;
    let mut time = Time::of(&server);
    assert_eq!(raw.frame().await, Some((9, "".into())));
    let living =
        tokio::spawn(async move { while lively.next().await.is_some_and(|message| message.is_ok()) {} });
    until(|| server.sockets.stats().snapshot().received_bytes > 0).await;
    time.pass(Duration::from_millis(7_999));
    assert_eq!(server.sockets.stats().snapshot().silent_closes, 0, "it has 8 s");
    time.pass(Duration::from_millis(1));
    let (bye, close) = raw.end().await;
    assert_eq!((bye["code"].as_u64(), close), (Some(4408), Some(4408)));
    assert_eq!(soon(endings.recv()).await, Some(Ended::ByServer(CloseCode::Silent)));
    assert_eq!((server.sockets.stats().snapshot().silent_closes, server.audience.len()), (1, 1));
    living.abort();
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_closed_without_its_backlog() {
    let (server, mut endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut time = Time::of(&server);
    let raw = server.raw(b"").await;
    until(|| server.audience.len() == 1).await;
    let mut version = 1;
    while server.sockets.stats().snapshot().skipped == 0 {
        version += 1;
        server.audience.post(publication(version, 60_000));
        until(|| server.audience.latest().is_some_and(|latest| latest.version() == version)).await;
        assert!(version < 2_000, "it takes everything");
    }
    time.pass(Duration::from_millis(4_999));
    assert_eq!(server.sockets.stats().snapshot().slow_closes, 0, "it has 5 s");
    // The kernel may have taken some more meanwhile, and given it time.
    let ended = loop {
        time.pass(Duration::from_millis(1));
        tokio::task::yield_now().await;
        if let Ok(ended) = endings.try_recv() {
            break ended;
        }
        assert!(time.now() < Duration::from_secs(600), "it is waited for without end");
    };
    assert_eq!(ended, Ended::ByServer(CloseCode::Silent));
    assert_eq!(server.sockets.stats().snapshot().slow_closes, 1);
    drop(raw);
}

#[tokio::test]
async fn a_slow_client_gets_the_newest_and_nothing_stale() {
    let (server, _endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut raw = server.raw(b"").await;
    until(|| server.audience.len() == 1).await;
    let mut version = 1;
    // Until its socket is full and news has been withheld from it.
    while server.sockets.stats().snapshot().skipped < 5 {
        version += 1;
        server.audience.post(publication(version, 60_000));
        until(|| server.audience.latest().is_some_and(|latest| latest.version() == version)).await;
        assert!(version < 2_000, "everything is queued for it");
    }
    greeted(&mut raw).await;
    let (mut last, mut snapshots) = (1, 0);
    while last < version {
        let told: serde_json::Value = serde_json::from_str(&raw.text().await).expect("JSON");
        let is_update = told["update"].is_u64();
        let now = if is_update { &told["update"] } else { &told["snapshot"] }.as_u64().expect("a version");
        assert!(now == last + 1 || (now > last && !is_update), "{now} after {last}");
        snapshots += u64::from(!is_update);
        last = now;
    }
    assert_eq!((last, snapshots), (version, 1), "one snapshot instead of all that was missed");
    server.audience.post(publication(version + 1, 0));
    assert_eq!(raw.text().await, format!(r#"{{"update":{},"x":""}}"#, version + 1));
}

#[tokio::test]
async fn nothing_overtakes_what_is_pending() {
    let (server, _endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut raw = server.raw(b"").await;
    until(|| server.audience.len() == 1).await;
    greeted(&mut raw).await;
    let connection = server.audience.connections()[0].clone();
    let frame = |number: u64| codec::text_frame(format!("{number} {}", "x".repeat(50_000)).as_bytes());
    let sent = || server.sockets.stats().snapshot().sent_bytes;
    let mut number = 0;
    // Until the socket takes no whole frame any more.
    loop {
        let before = sent();
        connection.send(frame(number));
        number += 1;
        if sent() - before < 50_000 {
            break;
        }
    }
    // There is room again, and the connection's own task has not had a turn since.
    raw.take_now();
    connection.send(frame(number));
    for expected in 0..=number {
        assert!(raw.text().await.starts_with(&format!("{expected} ")), "frame {expected} of {number}");
    }
}

#[tokio::test]
async fn everyone_hears_every_version_in_order() {
    const CLIENTS: usize = 300;
    const VERSIONS: u64 = 30;
    let (server, _endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(server.raw(b"").await);
    }
    until(|| server.audience.len() == CLIENTS).await;
    for version in 2..=VERSIONS {
        server.audience.post(publication(version, 500));
        if version % 3 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for client in &mut clients {
        greeted(client).await;
        for version in 2..=VERSIONS {
            assert!(client.text().await.starts_with(&format!(r#"{{"update":{version},"#)));
        }
    }
    // Half of them go, and the rest still hears.
    clients.truncate(CLIENTS / 2);
    until(|| server.audience.len() == CLIENTS / 2).await;
    server.audience.post_notice(codec::text_frame(b"notice"));
    server.audience.post(publication(VERSIONS, 0));
    server.audience.post(publication(VERSIONS + 1, 0));
    for client in &mut clients {
        assert_eq!(client.text().await, format!(r#"{{"update":{},"x":""}}"#, VERSIONS + 1));
        assert_eq!(client.text().await, "notice");
    }
}

#[tokio::test]
async fn who_has_asked_hears_the_answer_and_the_news_of_it_once() {
    let (server, _endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut raw = server.raw(b"").await;
    until(|| server.audience.len() == 1).await;
    greeted(&mut raw).await;
    let connection = server.audience.connections()[0].clone();
    let answer = codec::text_frame(b"answer");
    let sent = || server.sockets.stats().snapshot().deliveries;
    connection.answer(answer.clone(), Some(&publication(2, 0)));
    assert_eq!((sent(), connection.version()), (1, 2));
    server.audience.post(publication(2, 0));
    // It has missed one: the snapshot comes with what everyone is told.
    connection.answer(answer.clone(), Some(&publication(4, 0)));
    server.audience.post(publication(4, 0));
    connection.answer(answer.clone(), None);
    assert_eq!(sent(), 2);
    for expected in ["answer", r#"{"update":2,"x":""}"#, "answer", r#"{"snapshot":4}"#, "answer"] {
        assert_eq!(raw.text().await, expected);
    }
}

#[tokio::test]
async fn a_stop_says_when_to_come_back() {
    let (server, mut endings) = Server::start(LiveLimits::default(), HttpLimits::default()).await;
    let mut raw = server.raw(b"").await;
    greeted(&mut raw).await;
    let (spread, entropy) = (Duration::from_secs(10), SeededEntropy::new(1));
    server.sockets.close_all(CloseCode::GoingAway, "A new version comes.", spread, &entropy).await;
    let (bye, close) = async {
        let bye = raw.text().await;
        // The answer to the close ends the wait.
        raw.stream.write_all(&masked(0x88, b"\x03\xe9")).await.expect("an open socket");
        (serde_json::from_str::<serde_json::Value>(&bye).expect("JSON"), raw.end().await.1)
    }
    .await;
    assert_eq!((bye["code"].as_u64(), close), (Some(1001), Some(1001)));
    assert!(bye["retry_ms"].as_u64().is_some_and(|retry| retry < 10_000), "{bye}");
    assert_eq!(soon(endings.recv()).await, Some(Ended::ByServer(CloseCode::GoingAway)));
    soon(server.sockets.gone()).await;
    // Whoever was just on the way in is told the same.
    let mut late = server.raw(b"").await;
    assert_eq!(late.end().await.1, Some(1001));
}
