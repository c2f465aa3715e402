//! The player: commands, refusals, and time passing.

mod support;

use serde_json::{Value, json};
use support::{CLIENT, Spotify, text};

const PAUSE: (&str, &str) = ("PUT", "/v1/me/player/pause");
const PLAY: (&str, &str) = ("PUT", "/v1/me/player/play");
const NEXT: (&str, &str) = ("POST", "/v1/me/player/next");
const PREVIOUS: (&str, &str) = ("POST", "/v1/me/player/previous");

async fn track_uris(spotify: &Spotify, token: &str) -> Vec<String> {
    let found = spotify.get(token, "/v1/search?q=the&type=track&limit=10").await;
    let playable = |track: &&Value| track["is_playable"] == json!(true);
    let items = found["tracks"]["items"].as_array().expect("a list");
    items.iter().filter(playable).map(|track| text(&track["uri"])).collect()
}

fn acts(truth: &Value) -> Vec<(String, String)> {
    let journal = truth["journal"].as_array().expect("a journal");
    journal.iter().map(|entry| (text(&entry["by"]), text(&entry["act"]))).collect()
}

#[tokio::test]
async fn every_account_starts_alike() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-77").await;
    let player = spotify.get(&token, "/v1/me/player").await;
    assert_eq!(player["is_playing"], true);
    assert_eq!(player["device"]["name"], "Kitchen");
    assert!(player["item"]["album"]["total_tracks"].as_u64() >= Some(5));
    assert_eq!(player["actions"]["disallows"], json!({ "resuming": true }));
    let devices = spotify.get(&token, "/v1/me/player/devices").await["devices"].clone();
    let short = |d: &Value| (text(&d["name"]), d["is_active"] == true, d["supports_volume"] == true);
    let devices: Vec<_> = devices.as_array().expect("a list").iter().map(short).collect();
    assert_eq!(devices, [("Kitchen".to_owned(), true, true), ("Phone".to_owned(), false, false)]);
    assert_eq!(spotify.get(&token, "/v1/me/tracks?limit=1").await["total"], 391);
    let lists = [0, 50].map(|offset| format!("/v1/me/playlists?limit=50&offset={offset}"));
    let mut own_and_full = 0;
    for path in &lists {
        let page = spotify.get(&token, path).await;
        assert_eq!(page["total"], 60);
        for list in page["items"].as_array().expect("a list") {
            own_and_full +=
                usize::from(list["owner"]["id"] == "host-77" && list["items"]["total"] != json!(0));
        }
    }
    assert_eq!(own_and_full, 57);
}

#[tokio::test]
async fn commands_are_refused_in_spotifys_words() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let phone = spotify.get(&token, "/v1/me/player/devices").await["devices"][1]["id"].clone();
    let check = async |(method, path): (&str, &str), status: u16, reason: Option<&str>| {
        let answer = spotify.api(&token, method, path, "").await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        let got = if answer.text.is_empty() { Value::Null } else { answer.json()["error"]["reason"].clone() };
        assert_eq!(got.as_str(), reason, "{method} {path}");
    };
    check(PLAY, 403, Some("UNKNOWN")).await;
    check(PAUSE, 204, None).await;
    check(PAUSE, 403, Some("UNKNOWN")).await;
    check(PREVIOUS, 204, None).await;
    check(PREVIOUS, 403, Some("UNKNOWN")).await;
    check(("PUT", "/v1/me/player/pause?device_id=nobody"), 404, None).await;
    let volume = format!("/v1/me/player/volume?volume_percent=5&device_id={}", text(&phone));
    check(("PUT", &volume), 403, Some("VOLUME_CONTROL_DISALLOW")).await;
    check(("PUT", "/v1/me/player/volume?volume_percent=101"), 400, None).await;
    check(("PUT", "/v1/me/player/seek"), 400, None).await;
    check(("POST", "/v1/me/player/queue?uri=spotify:track:nothing"), 400, None).await;
    spotify.control("users/host-1", json!({ "playing": { "kind": "ad" } })).await;
    check(NEXT, 403, Some("UNKNOWN")).await;
    spotify.control("users/host-1", json!({ "devices": [] })).await;
    check(NEXT, 404, Some("NO_ACTIVE_DEVICE")).await;
    spotify.control("users/host-1", json!({ "product": "free" })).await;
    check(NEXT, 403, Some("PREMIUM_REQUIRED")).await;
}

#[tokio::test]
async fn what_is_disallowed_is_refused() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let uris = track_uris(&spotify, &token).await;
    let commands = [
        ("pausing", PAUSE),
        ("resuming", PLAY),
        ("seeking", ("PUT", "/v1/me/player/seek?position_ms=1000")),
        ("skipping_next", NEXT),
        ("skipping_prev", PREVIOUS),
        ("toggling_repeat_context", ("PUT", "/v1/me/player/repeat?state=context")),
        ("toggling_repeat_track", ("PUT", "/v1/me/player/repeat?state=track")),
    ];
    let check = async |playing: Value, expected: &[&str]| {
        spotify.control("users/host-1", json!({ "playing": playing })).await;
        let listed = spotify.get(&token, "/v1/me/player").await["actions"]["disallows"].clone();
        let listed = listed.as_object().expect("an object");
        assert_eq!(listed.keys().map(String::as_str).collect::<Vec<_>>(), expected);
        for (_, (method, path)) in commands.iter().filter(|(key, _)| listed.contains_key(*key)) {
            let answer = spotify.api(&token, method, path, "").await;
            let error = answer.json()["error"].clone();
            let refused = json!({ "status": 403, "message": "Player command failed: Restriction violated",
                "reason": "UNKNOWN" });
            assert_eq!(error, refused, "{method} {path}");
        }
    };
    let ad = ["resuming", "seeking", "skipping_next", "skipping_prev", "toggling_repeat_track"];
    check(json!({ "kind": "ad" }), &ad).await;
    let one = ["resuming", "skipping_prev", "toggling_repeat_context"];
    check(json!({ "uris": [uris[0]] }), &one).await;
    let silence = ["pausing", "seeking", "skipping_next", "skipping_prev", "toggling_repeat_track"];
    check(Value::Null, &silence).await;
    assert_eq!(spotify.truth("host-1").await["journal"], json!([]));
}

#[tokio::test]
async fn play_with_a_position_goes_on_from_there() {
    const POSITION_MS: u64 = 60_000;
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let before = spotify.truth("host-1").await["playing"]["uri"].clone();
    let play = async |position_ms: Value| {
        let body = json!({ "position_ms": position_ms }).to_string();
        spotify.api(&token, PLAY.0, PLAY.1, &body).await.status
    };
    let check = async |from: u64| {
        let playing = spotify.truth("host-1").await["playing"].clone();
        assert_eq!((&playing["uri"], &playing["is_playing"]), (&before, &json!(true)));
        let at = playing["progress_ms"].as_u64().expect("a number");
        assert!((from..from + 10_000).contains(&at), "{at}");
    };
    spotify.api(&token, PAUSE.0, PAUSE.1, "").await;
    assert_eq!(play(json!(POSITION_MS)).await, 204);
    check(POSITION_MS).await;
    assert_eq!(play(json!(0)).await, 204, "it plays already, and so is sought");
    check(0).await;
    assert_eq!(play(Value::Null).await, 403, "no position is the bare command");
    assert_eq!(play(json!(-1)).await, 400);
    spotify.control("users/host-1", json!({ "playing": { "kind": "ad" } })).await;
    assert_eq!(play(json!(POSITION_MS)).await, 403, "an advertisement is not sought");
}

#[tokio::test]
async fn the_journal_says_which_track_was_skipped() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let before = spotify.truth("host-1").await["playing"]["uri"].clone();
    spotify.api(&token, NEXT.0, NEXT.1, "").await;
    let truth = spotify.truth("host-1").await;
    assert_ne!(truth["playing"]["uri"], before);
    assert_eq!(truth["journal"][0]["uri"], before);
    assert_eq!(acts(&truth), [("api".to_owned(), "next".to_owned())]);
}

#[tokio::test]
async fn the_users_queue_comes_first_then_the_album_goes_on_and_round() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let uris = track_uris(&spotify, &token).await;
    let album = text(&spotify.truth("host-1").await["playing"]["context_uri"]);
    let tracks = spotify.get(&token, &format!("/v1/albums/{}", &album[14..])).await["tracks"].clone();
    let last = tracks["total"].as_u64().expect("a number") - 1;
    let start = json!({ "playing": { "context_uri": album, "offset": last, "position_ms": 0 } });
    spotify.control("users/host-1", start).await;
    spotify.api(&token, "POST", &format!("/v1/me/player/queue?uri={}", uris[0]), "").await;

    let queue = spotify.get(&token, "/v1/me/player/queue").await;
    assert_eq!(queue["queue"].as_array().map(Vec::len), Some(20), "round and round");
    assert_eq!(queue["queue"][0]["uri"], uris[0].as_str());
    assert_eq!(queue["queue"][1]["uri"], tracks["items"][0]["uri"], "the album begins again");

    // Each step ends exactly one track: none is shorter than 95 s, and 60 s past an end is in the next.
    let mut heard = Vec::new();
    for _ in 0..2 {
        let view = spotify.send("GET", "/_sim/users/host-1/view", "", "").await.json()["item"].clone();
        let left = view["duration_ms"].as_u64().zip(view["progress_ms"].as_u64()).map(|(all, at)| all - at);
        spotify.advance(left.expect("numbers")).await;
        heard.push(spotify.truth("host-1").await["playing"]["uri"].clone());
    }
    assert_eq!(heard, [json!(uris[0]), tracks["items"][0]["uri"].clone()]);
    let ends = spotify.truth("host-1").await;
    assert_eq!(ends["journal"][1]["by"], "end");
    assert_eq!(ends["journal"][1]["uri"], tracks["items"][last as usize]["uri"]);
}

#[tokio::test]
async fn bare_uris_end_in_silence_and_play_again() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let uris = track_uris(&spotify, &token).await;
    let body = json!({ "uris": [uris[0]] }).to_string();
    assert_eq!(spotify.api(&token, PLAY.0, PLAY.1, &body).await.status, 204);
    assert_eq!(spotify.get(&token, "/v1/me/player").await["context"], Value::Null);
    spotify.advance(600_000).await;
    let player = spotify.get(&token, "/v1/me/player").await;
    assert_eq!((&player["item"], &player["is_playing"]), (&Value::Null, &json!(false)));
    assert_eq!(spotify.truth("host-1").await["playing"], Value::Null);
    assert_eq!(spotify.api(&token, "GET", "/v1/me/player/currently-playing", "").await.status, 204);
    assert_eq!(spotify.api(&token, PLAY.0, PLAY.1, "").await.status, 204);
    assert_eq!(spotify.truth("host-1").await["playing"]["uri"], uris[0].as_str());
}

#[tokio::test]
async fn a_context_ends_in_silence_where_autoplay_is_off() {
    let spotify = Spotify::start().await;
    let hour = 3_600_000;
    spotify.advance(hour).await;
    assert_eq!(spotify.truth("host-1").await["playing"]["is_playing"], true, "it goes round by itself");
    spotify.control("users/host-1", json!({ "autoplay": false })).await;
    spotify.advance(hour).await;
    let truth = spotify.truth("host-1").await;
    assert_eq!(truth["playing"], Value::Null);
    let last = |act: &str| acts(&truth).iter().rev().take_while(|(_, known)| known == act).count();
    assert!((1..=12).contains(&last("end")), "the rest of one album: {truth}");
    spotify.advance(100 * 24 * hour).await;
    assert_eq!(spotify.truth("host-1").await["playing"], Value::Null);
}

#[tokio::test]
async fn a_jump_of_half_a_year_is_survived() {
    let spotify = Spotify::start().await;
    spotify.truth("host-1").await;
    spotify.advance(200 * 86_400_000).await;
    let truth = spotify.truth("host-1").await;
    assert_eq!(truth["playing"]["is_playing"], true);
    assert!(truth["journal"].as_array().is_some_and(|journal| journal.len() < 200));
}

#[tokio::test]
async fn seeking_past_the_end_is_the_next_track() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let before = spotify.truth("host-1").await["playing"]["uri"].clone();
    spotify.api(&token, "PUT", "/v1/me/player/seek?position_ms=9000000", "").await;
    assert_ne!(spotify.truth("host-1").await["playing"]["uri"], before);
}

#[tokio::test]
async fn an_idle_device_is_woken_by_its_id() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let device = json!({ "id": "d1", "name": "Desk", "type": "Computer", "is_active": false,
        "is_restricted": false, "supports_volume": true, "volume_percent": 30 });
    spotify.control("users/host-1", json!({ "devices": [device] })).await;
    assert_eq!(spotify.api(&token, "GET", "/v1/me/player", "").await.status, 204);
    assert_eq!(spotify.api(&token, PLAY.0, PLAY.1, "").await.status, 404);
    let woken = spotify.api(&token, "PUT", "/v1/me/player/play?device_id=d1", "").await;
    assert_eq!(woken.status, 204);
    let truth = spotify.truth("host-1").await;
    assert_eq!((&truth["device_id"], &truth["playing"]["is_playing"]), (&json!("d1"), &json!(true)));
}

#[tokio::test]
async fn an_idle_device_leaves_where_the_account_is_told_so() {
    const IDLE_MS: u64 = 600_000;
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let names = async || {
        let devices = spotify.get(&token, "/v1/me/player/devices").await["devices"].clone();
        devices.as_array().expect("a list").iter().map(|device| text(&device["name"])).collect::<Vec<_>>()
    };
    let kitchen = text(&spotify.truth("host-1").await["device_id"]);
    spotify.control("users/host-1", json!({ "idle_after_ms": IDLE_MS })).await;
    spotify.advance(IDLE_MS).await;
    assert_eq!(names().await, ["Kitchen", "Phone"], "what plays is not idle");
    spotify.api(&token, PAUSE.0, PAUSE.1, "").await;
    spotify.advance(IDLE_MS).await;
    assert_eq!(names().await, ["Phone"]);
    assert_eq!(spotify.api(&token, "GET", "/v1/me/player", "").await.status, 204);
    let refused = spotify.api(&token, PLAY.0, PLAY.1, "").await;
    assert_eq!((refused.status, &refused.json()["error"]["reason"]), (404, &json!("NO_ACTIVE_DEVICE")));
    let woken = spotify.api(&token, PLAY.0, &format!("{}?device_id={kitchen}", PLAY.1), "").await;
    assert_eq!(woken.status, 204);
    assert_eq!(names().await, ["Kitchen", "Phone"]);
    assert_eq!(spotify.get(&token, "/v1/me/player").await["is_playing"], true);
}

#[tokio::test]
async fn what_has_no_item_says_what_it_is() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let check = async |kind: &str, query: &str, shown: &str, has_item: bool| {
        spotify.control("users/host-1", json!({ "playing": { "kind": kind } })).await;
        let player = spotify.get(&token, &format!("/v1/me/player{query}")).await;
        assert_eq!(player["currently_playing_type"], shown, "{kind}");
        assert_eq!(player["item"].is_object(), has_item, "{kind}");
        assert_eq!(player["is_playing"], true, "{kind}");
    };
    check("ad", "", "ad", false).await;
    check("unknown", "", "unknown", false).await;
    check("episode", "", "episode", false).await;
    check("episode", "?additional_types=track,episode", "episode", true).await;
    check("local", "", "track", true).await;
    let player = spotify.get(&token, "/v1/me/player").await;
    assert_eq!(player["item"]["id"], Value::Null);
    assert!(text(&player["item"]["uri"]).starts_with("spotify:local:"));
}

#[tokio::test]
async fn reads_trail_a_command_where_the_app_is_told_so() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    spotify
        .control(&format!("apps/{CLIENT}"), json!({ "staleness_ms": 25_000, "command_status": 200 }))
        .await;
    let command = spotify.api(&token, PAUSE.0, PAUSE.1, "").await;
    assert_eq!((command.status, command.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(spotify.get(&token, "/v1/me/player").await["is_playing"], true);
    assert_eq!(spotify.truth("host-1").await["playing"]["is_playing"], false);
    spotify.advance(25_000).await;
    assert_eq!(spotify.get(&token, "/v1/me/player").await["is_playing"], false);
}

#[tokio::test]
async fn the_list_of_devices_trails_too() {
    const STALENESS_MS: u64 = 25_000;
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    spotify.control(&format!("apps/{CLIENT}"), json!({ "staleness_ms": STALENESS_MS })).await;
    let devices = async || {
        let devices = spotify.get(&token, "/v1/me/player/devices").await["devices"].clone();
        let short = |device: &Value| (device["is_active"] == true, device["volume_percent"].as_u64());
        devices.as_array().expect("a list").iter().map(short).collect::<Vec<_>>()
    };
    let before = [(true, Some(60)), (false, Some(100))];
    spotify.api(&token, "PUT", "/v1/me/player/volume?volume_percent=11", "").await;
    assert_eq!(devices().await, before);
    spotify.advance(STALENESS_MS).await;
    assert_eq!(devices().await, [(true, Some(11)), (false, Some(100))]);
    let devices_now = spotify.get(&token, "/v1/me/player/devices").await["devices"].clone();
    let body = json!({ "device_ids": [devices_now[1]["id"]] }).to_string();
    assert_eq!(spotify.api(&token, "PUT", "/v1/me/player", &body).await.status, 204);
    assert_eq!(devices().await, [(true, Some(11)), (false, Some(100))]);
    spotify.advance(STALENESS_MS).await;
    assert_eq!(devices().await, [(false, Some(11)), (true, Some(100))]);
}

#[tokio::test]
async fn the_host_acts_in_spotifys_own_app() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let uris = track_uris(&spotify, &token).await;
    for act in [
        json!({ "act": "pause" }),
        json!({ "act": "pause" }),
        json!({ "act": "play" }),
        json!({ "act": "play", "uri": uris[1] }),
        json!({ "act": "seek", "position_ms": 1_000 }),
        json!({ "act": "volume", "percent": 11 }),
        json!({ "act": "next" }),
    ] {
        spotify.control("users/host-1/app", act).await;
    }
    let truth = spotify.truth("host-1").await;
    let expected = ["pause", "play", "play", "seek", "volume", "next"];
    assert_eq!(acts(&truth), expected.map(|act| ("app".to_owned(), act.to_owned())));
    assert_eq!(truth["journal"][2]["uri"], uris[1].as_str());
    let player = spotify.get(&token, "/v1/me/player").await;
    assert_eq!(player["device"]["volume_percent"], 11);
}

#[tokio::test]
async fn player_answers_are_indented_with_a_space_before_the_colon() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let answer = spotify.api(&token, "GET", "/v1/me/player", "").await;
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert!(answer.text.contains("\"is_playing\" : true"), "{}", &answer.text[..200]);
}
