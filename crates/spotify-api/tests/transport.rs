//! What goes over the wire, and what becomes of wires that break.

mod server;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use server::{Act, NOW, PATIENT, SHORT, Server, app, client, json, token, with_headers};
use spotify_api::{
    AccountsError, DeviceId, ErrorKind, Forbidden, Group, LimitScope, Offset, PlayRequest, SpotifyUri, What,
};

const TRACK: &str = "spotify:track:0000000000000000000001";

fn uri(text: &str) -> SpotifyUri {
    SpotifyUri::parse(text).expect("a URI")
}

/// The lines of a request's head that tell something.
fn told(request: &str) -> (&str, Vec<String>, &str) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a whole request");
    let mut lines = head.lines();
    let first = lines.next().expect("a first line").trim_end_matches(" HTTP/1.1");
    let kept = ["content-length", "content-type", "authorization"];
    let mut headers: Vec<String> = lines
        .filter(|line| kept.iter().any(|name| line.to_lowercase().starts_with(name)))
        .map(str::to_lowercase)
        .collect();
    headers.sort();
    (first, headers, body)
}

#[tokio::test]
async fn commands_go_out_as_documented_with_a_length_even_when_empty() {
    let server = Server::start(json(204, "")).await;
    let (client, token) = (server.client(), token());
    let kitchen = DeviceId::parse("kitchen&1").expect("a device");
    let on = Some(&kitchen);
    let play = |what, device_id, position_ms| PlayRequest { device_id, what, position_ms };
    let album = uri("spotify:album:0000000000000000000002");

    client.next(&token, None, PATIENT).await.expect("done");
    client.previous(&token, on, PATIENT).await.expect("done");
    client.pause(&token, on, PATIENT).await.expect("done");
    client.seek(&token, 1500, None, PATIENT).await.expect("done");
    client.volume(&token, 200, on, PATIENT).await.expect("done");
    client.queue_add(&token, &uri(TRACK), on, PATIENT).await.expect("done");
    client.transfer(&token, &kitchen, true, PATIENT).await.expect("done");
    client.play(&token, &play(What::Resume, None, None), PATIENT).await.expect("done");
    let at = What::Context { uri: album.clone(), offset: Some(Offset::Index(3)) };
    client.play(&token, &play(at, Some(kitchen.clone()), Some(10)), PATIENT).await.expect("done");
    let from = What::Context { uri: album, offset: Some(Offset::Uri(uri(TRACK))) };
    client.play(&token, &play(from, None, None), PATIENT).await.expect("done");
    client.play(&token, &play(What::Uris(vec![uri(TRACK)]), None, None), PATIENT).await.expect("done");

    let expected = [
        ("POST /v1/me/player/next", ""),
        ("POST /v1/me/player/previous?device_id=kitchen%261", ""),
        ("PUT /v1/me/player/pause?device_id=kitchen%261", ""),
        ("PUT /v1/me/player/seek?position_ms=1500", ""),
        ("PUT /v1/me/player/volume?volume_percent=100&device_id=kitchen%261", ""),
        ("POST /v1/me/player/queue?uri=spotify%3Atrack%3A0000000000000000000001&device_id=kitchen%261", ""),
        ("PUT /v1/me/player", r#"{"device_ids":["kitchen&1"],"play":true}"#),
        ("PUT /v1/me/player/play", ""),
        (
            "PUT /v1/me/player/play?device_id=kitchen%261",
            r#"{"context_uri":"spotify:album:0000000000000000000002","offset":{"position":3},"position_ms":10}"#,
        ),
        (
            "PUT /v1/me/player/play",
            r#"{"context_uri":"spotify:album:0000000000000000000002","offset":{"uri":"spotify:track:0000000000000000000001"}}"#,
        ),
        ("PUT /v1/me/player/play", r#"{"uris":["spotify:track:0000000000000000000001"]}"#),
    ];
    let seen = server.seen();
    assert_eq!(seen.len(), expected.len());
    for (request, (line, body)) in seen.iter().zip(expected) {
        let (first, headers, sent) = told(request);
        assert_eq!((first, sent), (line, body));
        let mut wanted = vec![
            "authorization: bearer access-canary-1".to_owned(),
            format!("content-length: {}", body.len()),
        ];
        if !body.is_empty() {
            wanted.push("content-type: application/json".to_owned());
        }
        assert_eq!(headers, wanted, "{line}");
    }
}

#[tokio::test]
async fn a_command_that_spotify_would_not_understand_is_not_sent() {
    let server = Server::start(json(204, "")).await;
    let check = async |uris: usize| {
        let request =
            PlayRequest { device_id: None, what: What::Uris(vec![uri(TRACK); uris]), position_ms: None };
        server.client().play(&token(), &request, PATIENT).await.map_err(|error| error.kind).map(|_| ())
    };
    assert_eq!(check(0).await, Err(ErrorKind::BadRequest));
    assert_eq!(check(101).await, Err(ErrorKind::BadRequest));
    assert_eq!(server.seen().len(), 0);
    assert_eq!(check(100).await, Ok(()));
}

#[tokio::test]
async fn any_2xx_is_a_command_done_whatever_its_body() {
    let check = async |act: Act| {
        let done = Server::start(act).await.client().next(&token(), None, PATIENT).await;
        assert_eq!(done.map(|seen| (seen.asked_at, seen.answered_at)), Ok((NOW, NOW)));
    };
    check(json(200, "opaque nonsense")).await;
    check(json(202, "{")).await;
    check(json(204, "")).await;
    check(Act::AnswerAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhalf".to_vec())).await;
    check(Act::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhalf".to_vec())).await;
}

#[tokio::test]
async fn whether_a_command_may_have_been_done_is_said() {
    let check = async |name: &str, act: Act, kind: ErrorKind, not_done: bool| {
        let mut said = None;
        // What never answers is given little time at first; a machine that stood still meanwhile is given more.
        for patience in [SHORT, 10 * SHORT, PATIENT] {
            let server = Server::start(act.clone()).await;
            let error = server.client().next(&token(), None, patience).await.expect_err(name);
            let asked = server.seen().len();
            assert!(asked <= 1, "{name}: asked once, whatever came of it");
            said = Some((error.kind, error.certainly_not_done(), asked));
            if said == Some((kind, not_done, 1)) {
                break;
            }
        }
        assert_eq!(said, Some((kind, not_done, 1)), "{name}");
    };
    check("closed", Act::AnswerAndClose(Vec::new()), ErrorKind::NoAnswer, false).await;
    check("half a head", Act::AnswerAndClose(b"HTTP/1.1 20".to_vec()), ErrorKind::NoAnswer, false).await;
    check("no HTTP", Act::AnswerAndClose(b"hello\r\n\r\n".to_vec()), ErrorKind::NoAnswer, false).await;
    check("silence", Act::Hang(Vec::new()), ErrorKind::NoAnswer, false).await;
    check("drip", Act::Hang(b"HTTP/1.1 204 ".to_vec()), ErrorKind::NoAnswer, false).await;
    let bad_gateway = ErrorKind::Unavailable { status: Some(502) };
    check("html", json(502, "<html>bad gateway</html>"), bad_gateway, false).await;
    let hangs = Act::Hang(b"HTTP/1.1 502 x\r\ncontent-length: 9\r\n\r\n".to_vec());
    check("5xx without its body", hangs, bad_gateway, false).await;
    let forbidden = ErrorKind::Forbidden(Forbidden::Other);
    let hangs = Act::Hang(b"HTTP/1.1 403 x\r\ncontent-length: 9\r\n\r\n".to_vec());
    check("4xx without its body", hangs, forbidden, true).await;
    check("401", json(401, ""), ErrorKind::Unauthorized, true).await;
}

#[tokio::test]
async fn no_connection_is_certainly_not_done() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let error = client(&address).next(&token(), None, PATIENT).await.expect_err("nobody listens");
    assert_eq!((error.kind, error.certainly_not_done()), (ErrorKind::NotSent, true));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(json(200, "{}")).await;
    let location = format!("location: {}/steal\r\n", elsewhere.address);
    let server = Server::start(with_headers(307, &location, b"")).await;
    let error = server.client().me(&token()).await.expect_err("a redirect is no answer");
    assert_eq!(error.kind, ErrorKind::Unavailable { status: Some(307) });
    let refused = server.client().refresh(&app(true), &"refresh-canary".into()).await;
    assert_eq!(refused.map(|_| ()), Err(AccountsError::Unavailable));
    assert_eq!(elsewhere.seen().len(), 0);
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn answers_are_read_to_a_limit_and_not_believed() {
    let good = r#"{"id":"ana1"}"#;
    let long = format!(r#"{{"id":"ana1","x":"{}"}}"#, "x".repeat(5 * 1024 * 1024));
    let fits = format!(r#"{{"id":"ana1","x":"{}"}}"#, "x".repeat(900 * 1024));
    let packed = "content-encoding: gzip\r\n";
    let bomb = gzip(&vec![b' '; 50 * 1024 * 1024]);
    assert!(bomb.len() < 100 * 1024, "small on the wire");
    let check = async |name: &str, act: Act, expected: Result<(), ErrorKind>| {
        let me = Server::start(act).await.client().me(&token()).await;
        assert_eq!(
            me.map(|profile| assert_eq!(profile.id, "ana1")).map_err(|error| error.kind),
            expected,
            "{name}"
        );
    };
    check("good", json(200, good), Ok(())).await;
    check("large", json(200, &fits), Ok(())).await;
    check("5 MB", json(200, &long), Err(ErrorKind::Garbage)).await;
    check("packed", with_headers(200, packed, &gzip(good.as_bytes())), Ok(())).await;
    check("bomb", with_headers(200, packed, &bomb), Err(ErrorKind::Garbage)).await;
    check("not packed", with_headers(200, packed, good.as_bytes()), Err(ErrorKind::Garbage)).await;
    check("html", json(200, "<html>log in to the wifi</html>"), Err(ErrorKind::Garbage)).await;
    check("empty", json(200, ""), Err(ErrorKind::Garbage)).await;
    check("nothing", json(204, ""), Err(ErrorKind::Garbage)).await;
    check("truncated", json(200, r#"{"id":"ana1""#), Err(ErrorKind::Garbage)).await;
    check("another type", json(200, "[1]"), Err(ErrorKind::Garbage)).await;
    check("deep", json(200, &"[".repeat(100_000)), Err(ErrorKind::Garbage)).await;
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{".to_vec();
    check("cut off", Act::AnswerAndClose(cut), Err(ErrorKind::NoAnswer)).await;
    let endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n".to_vec();
    check("cut off in chunks", Act::AnswerAndClose(endless), Err(ErrorKind::NoAnswer)).await;
}

#[tokio::test]
async fn limits_come_with_their_wait_and_their_group() {
    let quota = br#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
    let server = Server::start(with_headers(429, "retry-after: 48925\r\n", quota)).await;
    let error = server.client().search(&token(), "abba", 5, 0).await.expect_err("used up");
    let retry_after_ms = 48_925_000;
    let kind = ErrorKind::Limited { scope: LimitScope::Quota, retry_after_ms, group: Group::Search };
    assert_eq!((error.kind, error.retry_after_ms()), (kind, Some(retry_after_ms)));

    let server = Server::start(with_headers(503, "retry-after: 30\r\n", b"")).await;
    let error = server.client().player(&token()).await.expect_err("down");
    assert_eq!((error.retry_after_ms(), error.certainly_not_done()), (Some(30_000), false));
}

#[tokio::test]
async fn reading_calls_ask_for_what_is_allowed() {
    let server =
        Server::start(json(200, r#"{"items":[],"tracks":{"items":[]},"devices":[],"queue":[]}"#)).await;
    let (client, token) = (server.client(), token());
    client.devices(&token).await.expect("read");
    client.queue(&token).await.expect("read");
    client.me_tracks(&token, 500, 20).await.expect("read");
    client.me_playlists(&token, 0, 0).await.expect("read");
    client.search(&token, "a&b=c #1", 50, 5000).await.expect("read");
    let artist = uri("spotify:artist:0000000000000000000003");
    client.artist_albums(&token, &artist, 50, 0).await.expect("read");
    client.album_tracks(&token, &uri("spotify:album:0000000000000000000002"), 50, 0).await.expect("read");
    let list = uri("spotify:playlist:0000000000000000000004");
    client.playlist_items(&token, &list, 50, 100).await.expect("read");
    let error = client.track(&token, &artist).await.expect_err("an artist is no track");
    assert_eq!(error.kind, ErrorKind::BadRequest);
    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().map(|request| told(request).0).collect();
    assert_eq!(
        lines,
        [
            "GET /v1/me/player/devices",
            "GET /v1/me/player/queue",
            "GET /v1/me/tracks?limit=50&offset=20",
            "GET /v1/me/playlists?limit=1&offset=0",
            "GET /v1/search?q=a%26b%3Dc+%231&type=track&limit=10&offset=1000",
            "GET /v1/artists/0000000000000000000003/albums?include_groups=album%2Csingle&limit=10&offset=0",
            "GET /v1/albums/0000000000000000000002/tracks?limit=50&offset=0",
            "GET /v1/playlists/0000000000000000000004/items?limit=50&offset=100",
        ]
    );
}

#[tokio::test]
async fn the_player_may_have_nothing_to_say() {
    let player = async |act: Act| {
        let seen = Server::start(act).await.client().player(&token()).await;
        seen.map(|seen| seen.value.map(|state| state.is_playing)).map_err(|error| error.kind)
    };
    assert_eq!(player(json(204, "")).await, Ok(None));
    assert_eq!(player(json(200, r#"{"is_playing":true,"item":null}"#)).await, Ok(Some(true)));
    assert_eq!(player(json(200, "{}")).await, Err(ErrorKind::Garbage));
}

#[test]
fn addresses_of_spotify_are_checked_when_they_are_given() {
    let check = |address: &str, fits: bool| {
        let clock = std::sync::Arc::new(kernel::SystemClock);
        let api_url = "https://api.spotify.com".to_owned();
        let config = spotify_api::ClientConfig { accounts_url: address.to_owned(), api_url, clock };
        let _installed = client("http://127.0.0.1:1");
        assert_eq!(spotify_api::Client::new(config).is_ok(), fits, "{address}");
    };
    check("https://accounts.spotify.com", true);
    check("http://127.0.0.1:8090/", true);
    check("http://[::1]:8090", true);
    check("accounts.spotify.com", false);
    check("ftp://accounts.spotify.com", false);
    check("https://user:pass@accounts.spotify.com", false);
    check("https://accounts.spotify.com/?x=1", false);
    check("", false);
}
