//! The HTTP API: rooms, refusals, and everything that is sent in the wrong way.

mod http_support;

use std::net::Ipv4Addr;
use std::time::Duration;

use gateway::net::{HttpLimits, listen, serve};
use http::Method;
use http_support::{House, PUBLIC_URL};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

const OWN: [(&str, &str); 2] = [("origin", PUBLIC_URL), ("content-type", "application/json")];

#[tokio::test]
async fn a_room_is_opened_joined_changed_and_closed() {
    let house = House::open().await;
    let mut ada = house.host("198.51.100.1", "host-1").await;
    let answer = ada
        .send("POST", "/api/rooms", json!({"name": " Friday ", "settings": {"max_track_min": null}}))
        .await;
    let room = answer.is(201);
    let code = room.json()["code"].as_str().expect("a code").to_owned();
    assert_eq!(room.header("location"), format!("/api/rooms/{code}"));
    assert_eq!(
        (&room.json()["name"], &room.json()["settings"]["max_track_min"]),
        (&json!("Friday"), &Value::Null)
    );
    let path = format!("/api/rooms/{code}");

    let mut ben = house.browser("198.51.100.2");
    let card =
        ben.get(&format!("/api/rooms/{}-{}", &code[..3].to_lowercase(), &code[3..])).await.is(200).json();
    assert_eq!((&card["name"], &card["settings"]), (&json!("Friday"), &Value::Null));
    let joined = ben.send("POST", &format!("{path}/join"), json!({"name": "Ben"})).await.is(200);
    assert!(joined.json()["settings"].is_object());
    assert_eq!(ben.get("/api/me").await.json()["name"], "Ben");
    let version = ada.get(&path).await.is(200).json()["version"].clone();
    ben.send("POST", &format!("{path}/join"), json!({})).await.is(200);
    assert_eq!(ada.get(&path).await.json()["version"], version, "joining again changes nothing");

    ben.send("PATCH", &path, json!({"name": "Mine"})).await.problem(403, "not_allowed");
    ben.send("DELETE", &path, Value::Null).await.problem(403, "not_allowed");
    ben.get(&format!("{path}/devices")).await.problem(403, "not_allowed");
    let devices = ada.get(&format!("{path}/devices")).await.is(200).json();
    assert_eq!(devices["items"].as_array().map(Vec::len), Some(2));
    let changed =
        ada.send("PATCH", &path, json!({"settings": {"guests_can_pause": true}})).await.is(200).json();
    assert_eq!(changed["settings"]["guests_can_pause"], true);
    ada.send("PATCH", &path, json!({"settings": {"vote_after_s": 4000}})).await.problem(400, "bad_request");
    let qr = house.browser("198.51.100.3").get(&format!("{path}/qr.svg")).await.is(200);
    assert_eq!(qr.header("content-type"), "image/svg+xml");

    ben.send("POST", &format!("{path}/commands"), json!({"type": "react", "emoji": "🎉"})).await.is(200);
    ben.send("POST", &format!("{path}/commands"), json!({"type": "react"})).await.problem(400, "bad_command");
    let version = ben.get(&path).await.json()["version"].clone();
    let pong = ben.send("POST", &format!("{path}/commands"), json!({"type": "ping"})).await.is(200).json();
    assert_eq!(pong, json!({"version": version}), "there is nothing to store");
    ben.send("POST", &format!("{path}/leave"), json!({})).await.is(204);
    ben.send("POST", &format!("{path}/commands"), json!({"type": "pause"}))
        .await
        .problem(404, "no_such_room");
    ben.send("POST", &format!("{path}/join"), json!({})).await.is(200);
    ada.send("DELETE", &path, Value::Null).await.is(204);
    ben.get(&path).await.problem(410, "room_closed");
    house.visitor("198.51.100.4").await.get(&path).await.problem(404, "no_such_room");
    house.clock.advance(23 * 3_600_000);
    ben.get(&path).await.problem(410, "room_closed");
    house.clock.advance(3_600_000);
    ben.get(&path).await.problem(404, "no_such_room");
    house.parts.store.rooms.rooms_purge(house.parts.clock.now()).await.expect("a store");
    ben.get(&path).await.problem(404, "no_such_room");
}

#[tokio::test]
async fn a_host_has_so_many_rooms() {
    let house = House::open().await;
    let mut ada = house.host("198.51.100.1", "host-1").await;
    let first = ada.send("POST", "/api/rooms", json!({"name": "One"})).await.is(201).json();
    ada.send("POST", "/api/rooms", json!({"name": "Two"})).await.is(201);
    ada.send("POST", "/api/rooms", json!({"name": "Three"})).await.problem(409, "too_many_rooms");
    ada.send("DELETE", &format!("/api/rooms/{}", first["code"].as_str().expect("a code")), Value::Null)
        .await
        .is(204);
    ada.send("POST", "/api/rooms", json!({"name": "Three"})).await.is(201);
}

#[tokio::test]
async fn what_is_sent_in_the_wrong_way_is_refused_by_name() {
    let house = House::open().await;
    let mut ada = house.host("198.51.100.1", "host-1").await;
    let code = ada.send("POST", "/api/rooms", json!({"name": "x"})).await.json()["code"]
        .as_str()
        .expect("a code")
        .to_owned();
    let room = format!("/api/rooms/{code}");
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let table: [(&str, &str, &str, u16, &str); 26] = [
        ("PATCH", "/api/me", "", 400, "JSON"),
        ("PATCH", "/api/me", "{", 400, "JSON"),
        ("PATCH", "/api/me", "[]", 400, ""),
        ("PATCH", "/api/me", "{}", 400, "name"),
        ("PATCH", "/api/me", "{\"name\":1}", 400, "name"),
        ("PATCH", "/api/me", "{\"name\":null}", 400, "name"),
        ("PATCH", "/api/me", "{\"name\":\"a\",\"name\":\"b\"}", 400, "name"),
        ("PATCH", "/api/me", "{\"name\":\"a\"} x", 400, ""),
        ("PATCH", "/api/me", "{\"name\":\"a\",\"colour\":1}", 400, "colour"),
        ("PATCH", "/api/me", "{\"name\":\"   \"}", 400, "name"),
        ("PATCH", "/api/me", "{\"name\":\"a\\u0007b\"}", 400, "name"),
        ("PATCH", "/api/me", "{\"name\":\"a\\u202eb\"}", 400, "name"),
        ("PATCH", "/api/me", "{\"name\":\"123456789012345678901234567890123\"}", 400, "name"),
        ("PATCH", "/api/me", &deep, 400, "deep"),
        (
            "POST",
            "/api/rooms",
            "{\"name\":\"x\",\"settings\":{\"skip_rule\":{\"kind\":\"count\",\"value\":0}}}",
            400,
            "skip_rule",
        ),
        ("POST", "/api/rooms", "{\"name\":\"x\",\"settings\":{\"skip_rule\":7}}", 400, "settings.skip_rule"),
        ("POST", "/api/rooms", "{\"name\":\"x\",\"settings\":{\"loud\":true}}", 400, "loud"),
        // Null is a value of the settings that may be without a limit, and of no other.
        ("PATCH", &room, "{\"settings\":{\"allow_explicit\":null}}", 400, "settings.allow_explicit"),
        ("PATCH", &room, "{\"settings\":{\"vote_after_s\":null}}", 400, "settings.vote_after_s"),
        ("PATCH", &room, "{\"settings\":{\"skip_rule\":null}}", 400, "settings.skip_rule"),
        ("PATCH", &room, "{\"settings\":{\"admission\":\"sometimes\"}}", 400, "settings.admission"),
        ("PATCH", &room, "{\"settings\":{\"admission\":null}}", 400, "settings.admission"),
        ("PATCH", &room, "{\"settings\":{\"queue_order\":1}}", 400, "settings.queue_order"),
        ("POST", &format!("{room}/commands"), "{\"type\":\"dance\"}", 400, "type"),
        ("POST", &format!("{room}/commands"), "{\"type\":\"play\",\"id\":\"1\"}", 400, "id"),
        ("POST", &format!("{room}/commands"), "[]", 400, ""),
    ];
    for (method, path, body, status, names) in table {
        let method: Method = method.parse().expect("a method");
        let answer = ada.ask(method, path, &OWN, body.as_bytes().to_vec()).await.is(status);
        assert!(
            answer.json()["detail"].as_str().is_some_and(|detail| detail.contains(names)),
            "{body}: {}",
            answer.text()
        );
    }
    assert_ne!(ada.get("/api/me").await.json()["name"], "a", "nothing of it was done");
}

#[tokio::test]
async fn sizes_types_methods_and_paths_have_their_statuses() {
    let house = House::open().await;
    let mut ada = house.visitor("198.51.100.1").await;
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(17_000)).into_bytes();
    ada.ask(Method::PATCH, "/api/me", &OWN, large).await.problem(413, "too_large");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let headers = [("origin", PUBLIC_URL), ("content-type", kind)];
        ada.ask(Method::PATCH, "/api/me", &headers, b"{\"name\":\"x\"}".to_vec())
            .await
            .problem(415, "unsupported_media_type");
    }
    let bare = [("origin", PUBLIC_URL)];
    ada.ask(Method::PATCH, "/api/me", &bare, b"{\"name\":\"x\"}".to_vec())
        .await
        .problem(415, "unsupported_media_type");
    let charset = [("origin", PUBLIC_URL), ("content-type", "application/json; charset=utf-8")];
    ada.ask(Method::PATCH, "/api/me", &charset, b"{\"name\":\"x\"}".to_vec()).await.is(200);
    ada.send("PUT", "/api/me", json!({})).await.problem(405, "method_not_allowed");
    ada.send("POST", "/api/rooms/AAAAAA/qr.svg", json!({})).await.problem(405, "method_not_allowed");
    for path in ["/api", "/api/", "/api/nothing", "/auth/nothing", "/api/rooms/AAAAAA/nothing"] {
        ada.get(path).await.problem(404, "not_found");
    }
    let page =
        ada.ask(Method::GET, "/no/such/page", &[("accept", "text/html,*/*")], Vec::new()).await.is(404);
    assert!(page.header("content-type").starts_with("text/html"), "a person reads it");
    for path in ["/foo/bar/baz.js", "/assets/nothing.js", "/robots.txt"] {
        ada.get(path).await.is(404);
    }
    for path in ["/", "/me", "/new", "/7KQ2MD", "/7KQ2MD/tv"] {
        let page = ada.get(path).await.is(200);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
}

#[tokio::test]
async fn only_our_own_pages_and_programs_that_say_so_may_ask() {
    let house = House::open().await;
    let mut ada = house.visitor("198.51.100.1").await;
    let secret = ada.cookies.values().next().expect("a session").clone();
    let bearer = format!("Bearer {secret}");
    let body = b"{\"name\":\"Ada\"}".to_vec();
    let json = ("content-type", "application/json");
    let table: Vec<(Vec<_>, bool, u16, &str)> = vec![
        (vec![("origin", PUBLIC_URL.into())], true, 200, ""),
        (vec![("origin", "http://127.0.0.1:8081".into())], true, 403, "wrong_origin"),
        (vec![("origin", "null".into())], true, 403, "wrong_origin"),
        (
            vec![("origin", "https://evil.example".into()), ("authorization", bearer.clone())],
            false,
            403,
            "wrong_origin",
        ),
        (vec![], true, 403, "client_header_required"),
        (vec![("parlor-client", "test".into())], true, 200, ""),
        (vec![("authorization", bearer.clone())], false, 200, ""),
        (vec![("authorization", "Bearer nonsense".into())], true, 401, "no_session"),
        (vec![("parlor-client", "test".into())], false, 401, "no_session"),
    ];
    for (headers, with_cookie, status, code) in table {
        let mut browser = house.browser("198.51.100.1");
        if with_cookie {
            browser.cookies = ada.cookies.clone();
        }
        let mut headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.push(json);
        let answer = browser.ask(Method::PATCH, "/api/me", &headers, body.clone()).await;
        if code.is_empty() {
            answer.is(status)
        } else {
            answer.problem(status, code)
        };
    }
    let upgrade = [("upgrade", "websocket"), ("connection", "upgrade"), ("origin", "https://evil.example")];
    ada.ask(Method::GET, "/api/rooms/AAAAAA/live", &upgrade, Vec::new()).await.problem(403, "wrong_origin");
    for host in ["evil.example", "127.0.0.1:9", ""] {
        ada.ask(Method::GET, "/api/me", &[("host", host)], Vec::new()).await.problem(421, "wrong_host");
    }
    let doubled = format!("parlor_session={secret}; parlor_session={secret}");
    let headers = [("cookie", doubled.as_str()), ("parlor-client", "test"), json];
    house
        .browser("198.51.100.1")
        .ask(Method::PATCH, "/api/me", &headers, body)
        .await
        .problem(401, "no_session");
}

#[tokio::test]
async fn wrong_codes_look_alike_and_end_after_ten() {
    let house = House::open().await;
    let mut ada = house.host("198.51.100.1", "host-1").await;
    let code = ada.send("POST", "/api/rooms", json!({"name": "x"})).await.json()["code"]
        .as_str()
        .expect("a code")
        .to_owned();
    let mut member = house.visitor("203.0.113.1").await;
    member.send("POST", &format!("/api/rooms/{code}/join"), json!({})).await.is(200);
    ada.send("PATCH", &format!("/api/rooms/{code}"), json!({"settings": {"admission": "locked"}}))
        .await
        .is(200);

    let mut eve = house.visitor("203.0.113.7").await;
    let locked = eve.get(&format!("/api/rooms/{code}")).await.problem(404, "no_such_room");
    let unknown = eve.get("/api/rooms/222222").await.problem(404, "no_such_room");
    assert_eq!(locked.text(), unknown.text());
    let no_code = eve.get("/api/rooms/%FF!").await.problem(404, "no_such_room");
    assert_eq!(no_code.text(), unknown.text());
    for _ in 0..7 {
        eve.send("POST", "/api/rooms/333333/join", json!({})).await.problem(404, "no_such_room");
    }
    let last = eve.get("/api/rooms/444444").await.problem(429, "too_many_requests");
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
    // A right code is no way to go on, and neither a member nor a neighbour is held up.
    eve.get(&format!("/api/rooms/{code}")).await.problem(429, "too_many_requests");
    member.get(&format!("/api/rooms/{code}")).await.is(200);
    house.visitor("203.0.113.8").await.get("/api/rooms/222222").await.problem(404, "no_such_room");
    house.clock.advance(60_000);
    eve.get("/api/rooms/222222").await.problem(404, "no_such_room");
}

#[tokio::test]
async fn a_service_without_its_store_says_so() {
    let house = House::open().await;
    let mut ada = house.visitor("198.51.100.1").await;
    ada.get("/readyz").await.is(200);
    house.memory.set_outage(true);
    ada.get("/livez").await.is(200);
    ada.get("/readyz").await.problem(503, "store_unavailable");
    let answer = ada.get("/api/rooms/222222").await.problem(503, "store_unavailable");
    assert!(!answer.header("retry-after").is_empty());
    house.memory.set_outage(false);
    house.parts.readiness.drain();
    ada.get("/readyz").await.problem(503, "not_ready");
    ada.get("/metrics").await.problem(404, "not_found");
    house.browser("127.0.0.1").get("/metrics").await.is(200);
}

#[tokio::test]
async fn without_the_store_a_room_is_read_from_memory_and_says_so() {
    let house = House::open().await;
    let mut ada = house.host("198.51.100.1", "host-1").await;
    let room = ada.send("POST", "/api/rooms", json!({ "name": "Friday" })).await.is(201).json();
    let path = format!("/api/rooms/{}", room["code"].as_str().expect("a code"));
    assert_eq!(ada.get(&path).await.is(200).header("parlor-stale"), "");
    house.memory.set_outage(true);
    let refused = ada.send("PATCH", &path, json!({ "name": "Monday" })).await;
    assert!(!refused.problem(503, "store_unavailable").header("retry-after").is_empty());
    // For as long as it takes, but not for ever: who has been sent out meanwhile would read on.
    for _ in 0..9 {
        let read = ada.get(&path).await.is(200);
        assert_eq!((read.header("parlor-stale"), &read.json()["name"]), ("?1", &json!("Friday")));
        house.clock.advance(60_000);
    }
    house.clock.advance(60_000);
    ada.get(&path).await.problem(503, "store_unavailable");
    house.memory.set_outage(false);
    ada.get(&path).await.is(200);
}

/// Two threads: a room that has nothing to wait for would keep one of them to itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_whose_time_comes_without_the_store_still_answers() {
    let house = House::open().await;
    let mut ada = house.host("198.51.100.1", "host-1").await;
    let room = ada.send("POST", "/api/rooms", json!({ "name": "Friday" })).await.is(201).json();
    let path = format!("/api/rooms/{}", room["code"].as_str().expect("a code"));
    house.memory.set_outage(true);
    ada.send("PATCH", &path, json!({ "name": "Monday" })).await.problem(503, "store_unavailable");
    // The host, who is not connected, is offline from here on; that cannot be stored.
    house.clock.advance(61_000);
    for _ in 0..3 {
        let asked = ada.send("PATCH", &path, json!({ "name": "Monday" }));
        let refused = tokio::time::timeout(Duration::from_secs(30), asked).await.expect("an answer");
        refused.problem(503, "store_unavailable");
    }
}

#[tokio::test]
async fn on_https_cookies_and_headers_are_strict() {
    let house = House::open_with(|config| config.public_url = "https://parlor.example".to_owned()).await;
    let mut ada = house.browser("198.51.100.1");
    let answer = ada.ask(Method::GET, "/api/me", &[("host", "parlor.example")], Vec::new()).await.is(200);
    let cookie = answer.header("set-cookie");
    for part in ["__Host-parlor_session=", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

/// Many clients send the head of a request first and its body in a second piece.
#[tokio::test]
async fn a_refused_request_leaves_its_connection_usable() {
    let house = House::open().await;
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    tokio::spawn(serve(listener, house.router.clone(), HttpLimits::default(), stop.clone()));
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut answers = Vec::new();
    // No session, a foreign origin, no such method: refused before anybody asks what the body says.
    for (line, origin) in [
        ("PATCH /api/me", PUBLIC_URL),
        ("POST /api/rooms", "https://evil.example"),
        ("PUT /api/me", PUBLIC_URL),
    ] {
        let head = format!(
            "{line} HTTP/1.1\r\nhost: 127.0.0.1:8080\r\norigin: {origin}\r\n\
             content-type: application/json\r\ncontent-length: 12\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("an open connection");
        tokio::task::yield_now().await;
        stream.write_all(b"{\"name\":\"x\"}").await.expect("an open connection");
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            assert!(stream.read_buf(&mut answer).await.expect("an open connection") > 0, "{line}: it ended");
        }
        answers.push(String::from_utf8_lossy(&answer[9..12]).into_owned());
    }
    assert_eq!(answers, ["401", "403", "405"]);
    stop.cancel();
}

#[tokio::test]
async fn the_numbers_say_how_the_service_is() {
    gateway::http::install_metrics().expect("a recorder");
    let house = House::open().await;
    let mut ada = house.host("198.51.100.1", "host-1").await;
    ada.send("POST", "/api/rooms", json!({"name": "Friday"})).await.is(201);
    let shown = async || {
        let text = house.browser("127.0.0.1").get("/metrics").await.is(200).text();
        let value = move |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
            assert!(
                text.contains(&format!("# HELP {}", name.split(['{', ' ']).next().unwrap_or(name))),
                "{name}"
            );
            value.unwrap_or_else(|| panic!("{name} is missing: {text}"))
        };
        [
            value("parlor_ready "),
            value("parlor_store_away "),
            value("parlor_rooms_awake "),
            value("parlor_live_connections "),
            value("parlor_live_closed_total{why=\"slow\"} "),
        ]
    };
    assert_eq!(shown().await, [1, 0, 1, 0, 0]);
    house.parts.readiness.drain();
    assert_eq!(shown().await[0], 0);
}
