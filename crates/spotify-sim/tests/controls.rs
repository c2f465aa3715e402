//! The controls: what they do, and that what is not understood does nothing.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{CLIENT, Spotify};

#[tokio::test]
async fn what_is_not_understood_gets_400_and_changes_nothing() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let app = format!("/_sim/apps/{CLIENT}");
    let before = spotify.truth("host-1").await["playing"]["uri"].clone();
    let check = async |path: &str, body: Value| {
        let answer = spotify.send("POST", path, "", &body.to_string()).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text);
        assert!(answer.json()["error"]["message"].is_string());
    };
    check("/_sim/nothing", json!({})).await;
    check("/_sim/clock", json!({ "advance_ms": "1" })).await;
    check("/_sim/clock", json!({ "advance_ms": 1, "by": 2 })).await;
    // A list is no object, in whatever order its values stand.
    check("/_sim/clock", json!([5])).await;
    check(&app, json!([])).await;
    check("/_sim/users/host-1", json!(["free"])).await;
    check("/_sim/users/host-1/app", json!(["pause"])).await;
    check("/_sim/faults", json!([[{}, "hang"]])).await;
    check(&app, json!({ "owner_premium": false, "colour": "red" })).await;
    check(&app, json!({ "owner_premium": false, "mode": "grand" })).await;
    check(&app, json!({ "owner_premium": false, "command_status": 500 })).await;
    check(&app, json!({ "owner_premium": false, "daily_quota": { "films": 1 } })).await;
    check(&app, json!({ "owner_premium": false, "allowlist": ["nobody"] })).await;
    check("/_sim/apps/short", json!({})).await;
    check(&app, json!({ "owner_premium": false, "staleness_ms": null })).await;
    check("/_sim/users/nobody", json!({})).await;
    check("/_sim/users/host-1", json!({ "product": "free", "revoked": null })).await;
    check("/_sim/users/host-1", json!({ "product": null })).await;
    check("/_sim/users/host-1", json!({ "product": "free", "playing": { "uris": null } })).await;
    check("/_sim/users/host-1", json!({ "product": "free", "idle_after_ms": -1 })).await;
    check("/_sim/users/host-10000", json!({})).await;
    check("/_sim/users/host-1", json!({ "product": "free", "hat": 1 })).await;
    check("/_sim/users/host-1", json!({ "product": "free", "playing": { "kind": "film" } })).await;
    check("/_sim/users/host-1", json!({ "devices": [], "playing": { "context_uri": "spotify:album:no" } }))
        .await;
    check("/_sim/users/host-1/app", json!({ "act": "dance" })).await;
    check("/_sim/users/host-1/app", json!({ "act": "seek" })).await;
    check("/_sim/faults", json!({ "kind": "hang" })).await;
    check("/_sim/faults", json!([{ "match": {}, "kind": "hang", "times": null }])).await;
    check("/_sim/faults", json!([{ "match": {}, "kind": "hang" }, { "match": {}, "kind": "flood" }])).await;
    check("/_sim/faults", json!([{ "match": { "colour": "red" }, "kind": "hang" }])).await;
    for path in
        ["calls?user=nobody", "calls?x=1", "tokens?x=1", "tokens?user=host-1", "users/host-1/player?x=1"]
    {
        let answer = spotify.send("GET", &format!("/_sim/{path}"), "", "").await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.json()["error"]["message"].is_string(), "{path}");
    }
    let asked = json!({ "product": "free" }).to_string();
    assert_eq!(spotify.send("POST", "/_sim/users/host-1?x=1", "", &asked).await.status, 400);
    assert_eq!(spotify.api(&token, "PUT", "/v1/me/player/pause", "").await.status, 204);
    assert_eq!(spotify.truth("host-1").await["playing"]["uri"], before);
}

#[tokio::test]
async fn calls_are_counted_by_template_status_and_user() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-3").await;
    let found = spotify.get(&token, "/v1/search?q=the&type=artist&limit=2").await;
    for artist in found["artists"]["items"].as_array().expect("a list") {
        let path = format!("/v1/artists/{}/albums?limit=1", support::text(&artist["id"]));
        spotify.get(&token, &path).await;
    }
    spotify.api("nonsense", "GET", "/v1/me", "").await;
    let calls = spotify.send("GET", "/_sim/calls", "", "").await.json();
    let count = |method: &str, path: &str, status: u16, user: Value| {
        let same = |row: &&Value| {
            (&row["method"], &row["path"], &row["status"], &row["user"])
                == (&json!(method), &json!(path), &json!(status), &user)
        };
        calls["by"]
            .as_array()
            .and_then(|rows| rows.iter().find(same))
            .map_or(0, |row| row["count"].as_u64().unwrap_or(0))
    };
    assert_eq!(count("GET", "/v1/artists/{id}/albums", 200, json!("host-3")), 2);
    assert_eq!(count("POST", "/api/token", 200, json!("host-3")), 1);
    assert_eq!(count("GET", "/v1/me", 401, Value::Null), 1);
    let own = spotify.send("GET", "/_sim/calls?user=host-3", "", "").await.json();
    assert_eq!(own["total"], 5, "{own}");
}

#[tokio::test]
async fn faults_strike_in_order_as_often_as_they_say() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let (other, _) = spotify.sign_in("host-2").await;
    spotify
        .control(
            "faults",
            json!([
                { "match": { "method": "GET", "path": "/v1/me", "user": "host-1" }, "kind": "status",
                  "status": 503, "headers": { "Retry-After": "7" }, "body": "busy", "times": 1 },
                { "match": { "path": "/v1/me" }, "kind": "garbage", "times": 1 },
                { "match": { "path": "/v1/me" }, "kind": "reset", "times": 1 },
            ]),
        )
        .await;
    let garbage = spotify.api(&other, "GET", "/v1/me", "").await;
    assert_eq!(garbage.status, 200);
    assert!(serde_json::from_str::<Value>(&garbage.text).is_err());
    let busy = spotify.api(&token, "GET", "/v1/me", "").await;
    assert_eq!((busy.status, busy.header("retry-after"), busy.text.as_str()), (503, "7", "busy"));
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let reset = spotify.try_send("GET", "/v1/me", &bearer, "").await.expect_err("no answer");
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(spotify.api(&token, "GET", "/v1/me", "").await.status, 200);
}

#[tokio::test]
async fn a_fault_after_the_effect_leaves_it_done() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let check = async |fault: Value, status: u16, done: usize| {
        spotify.control("faults", json!([fault])).await;
        let before = spotify.truth("host-1").await["journal"].as_array().map_or(0, Vec::len);
        let answer = spotify.api(&token, "POST", "/v1/me/player/next", "").await;
        assert_eq!(answer.status, status);
        let after = spotify.truth("host-1").await["journal"].as_array().map_or(0, Vec::len);
        assert_eq!(after - before, done, "{fault}");
    };
    check(json!({ "match": {}, "kind": "status", "status": 500 }), 500, 0).await;
    check(json!({ "match": {}, "kind": "status", "status": 500, "before_effect": false }), 500, 1).await;
    check(json!({ "match": {}, "kind": "garbage", "before_effect": false }), 200, 1).await;
    let delayed = json!({ "match": {}, "kind": "delay", "delay_ms": 1 });
    check(delayed.clone(), 204, 1).await;
    let mut late = delayed;
    late["status"] = 503.into();
    check(late.clone(), 503, 0).await;
    late["before_effect"] = false.into();
    check(late, 503, 1).await;
    check(json!({ "match": {}, "kind": "duplicate", "times": 1 }), 204, 2).await;
}

#[tokio::test]
async fn an_app_in_development_mode_lets_in_five_users_and_keeps_those_it_had() {
    let spotify = Spotify::start().await;
    let app = format!("apps/{CLIENT}");
    let hosts = |count: usize| (1..=count).map(|number| format!("host-{number}")).collect::<Vec<_>>();
    let (token, _) = spotify.sign_in("host-6").await;
    let status = async || spotify.api(&token, "GET", "/v1/me", "").await.status;
    spotify.control(&app, json!({ "allowlist": hosts(6) })).await;
    spotify.control(&app, json!({ "mode": "development" })).await;
    assert_eq!(status().await, 200);
    let refused = spotify
        .send("POST", &format!("/_sim/{app}"), "", &json!({ "allowlist": hosts(6) }).to_string())
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(status().await, 200, "nothing was changed");
    spotify.control(&app, json!({ "allowlist": hosts(5) })).await;
    assert_eq!(status().await, 403);
}

#[tokio::test]
async fn a_late_answer_is_the_one_that_was_ordered() {
    const DELAY_MS: u64 = 60;
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let me = spotify.api(&token, "GET", "/v1/me", "").await.text;
    let check = async |ordered: Value, expected: (u16, &str, &str)| {
        let mut fault = json!({ "match": {}, "kind": "delay", "delay_ms": DELAY_MS });
        for (key, value) in ordered.as_object().expect("an object") {
            fault[key] = value.clone();
        }
        spotify.control("faults", json!([fault])).await;
        let sent = std::time::Instant::now();
        let answer = spotify.api(&token, "GET", "/v1/me", "").await;
        assert!(sent.elapsed() >= Duration::from_millis(DELAY_MS), "{ordered}");
        let got = (answer.status, answer.header("x-wait"), answer.text.as_str());
        assert_eq!(got, expected, "{ordered}");
    };
    let whole = json!({ "status": 503, "headers": { "X-Wait": "7" }, "body": "busy" });
    check(whole, (503, "7", "busy")).await;
    check(json!({ "headers": { "X-Wait": "7" } }), (200, "7", &me)).await;
    check(json!({ "body": { "id": null } }), (200, "", "{\"id\":null}")).await;
}

#[tokio::test]
async fn a_failure_without_a_body_looks_like_its_neighbours() {
    let spotify = Spotify::start().await;
    let (token, refresh) = spotify.sign_in("host-1").await;
    let order = async |status: u16, headers: Value| {
        let fault = json!({ "match": {}, "kind": "status", "status": status, "headers": headers });
        spotify.control("faults", json!([fault])).await;
    };
    for (status, error) in [(400, "invalid_request"), (429, "invalid_request"), (503, "server_error")] {
        order(status, json!({})).await;
        let answer = spotify.refresh(&refresh).await;
        assert_eq!((answer.status, answer.json()), (status, json!({ "error": error })));
    }
    let read = async |path: &str| spotify.api(&token, "GET", path, "").await;
    order(503, json!({})).await;
    let message = "Backend respond with 503";
    assert!(read("/v1/me/player").await.text.contains(&format!("\"message\" : \"{message}\"")));
    assert!(read("/v1/me").await.text.contains(&format!("\"message\":\"{message}\"")));
    assert_eq!(read("/v1/me").await.header("retry-after"), "");
    order(502, json!({})).await;
    assert!(read("/v1/me/player").await.text.starts_with("<!DOCTYPE html>"));
    order(429, json!({})).await;
    assert_eq!(read("/v1/me/player").await.header("retry-after"), "5");
    assert_eq!(spotify.refresh(&refresh).await.header("retry-after"), "5");
    order(429, json!({ "Retry-After": 48_925 })).await;
    assert_eq!(read("/v1/me/player").await.header("retry-after"), "48925");
}

/// Sends `next` and hangs up at once; returns how often it was done when the fault's wait is surely over or dropped.
async fn hung_up(spotify: &Spotify, token: &str, fault: Value) -> usize {
    spotify.control("faults", json!([fault])).await;
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let call = spotify.try_send("POST", "/v1/me/player/next", &bearer, "");
    // The client gives up first: the fault's wait has no end that a test would live to see.
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    spotify.truth("host-1").await["journal"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_what_was_delayed() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let hour = 3_600_000;
    let delayed = json!({ "match": {}, "kind": "delay", "delay_ms": hour });
    assert_eq!(hung_up(&spotify, &token, delayed).await, 0);
    let late = json!({ "match": {}, "kind": "hang", "before_effect": false });
    assert_eq!(hung_up(&spotify, &token, late).await, 1);
    let calls = spotify.send("GET", "/_sim/calls?user=host-1", "", "").await.json();
    let rows = calls["by"].as_array().expect("a list").iter();
    let unanswered: u64 = rows.filter(|row| row["status"] == 0).filter_map(|row| row["count"].as_u64()).sum();
    assert_eq!(unanswered, 2);
}

#[tokio::test]
async fn the_gates_stand_in_order() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let app = format!("apps/{CLIENT}");
    let check = async |change: Value, path: &str, status: u16, message: &str| {
        spotify.control(&app, change).await;
        let answer = spotify.api(&token, "GET", path, "").await;
        assert_eq!(answer.status, status, "{path}");
        let got = answer.json()["error"]["message"].clone();
        assert!(got.as_str().unwrap_or_default().starts_with(message), "{got}");
        answer
    };
    let owner = "Active premium subscription required for the owner of the app.";
    let none =
        json!({ "owner_premium": false, "allowlist": [], "daily_quota": { "me": 0 }, "calls_per_30s": 0 });
    check(none, "/v1/me", 403, owner).await;
    let unknown = "User not registered in the Developer Dashboard";
    check(json!({ "owner_premium": true }), "/v1/me", 403, unknown).await;
    let quota = check(json!({ "allowlist": ["host-1"] }), "/v1/me", 429, "Too many requests").await;
    assert_eq!(quota.json()["error"]["reason"], "QUOTA_EXCEEDED");
    assert_eq!(quota.header("retry-after"), "86400");
    let rate =
        check(json!({ "daily_quota": { "me": null } }), "/v1/me", 429, "API rate limit exceeded").await;
    assert_eq!(rate.header("retry-after"), "30");
    let forbidden = json!({ "calls_per_30s": null, "mode": "development" });
    check(forbidden, "/v1/me/tracks/contains", 403, "Forbidden").await;
    check(json!({}), "/v1/shows/0000000000000000000000", 403, "Insufficient client scope").await;
    check(json!({}), "/v1/tracks/short", 400, "Invalid base62 id").await;
}

#[tokio::test]
async fn limits_let_through_what_they_say_and_roll_on() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let limits = json!({ "calls_per_30s": 3, "daily_quota": { "search": 1 } });
    spotify.control(&format!("apps/{CLIENT}"), limits).await;
    let status = async |path: &str| spotify.api(&token, "GET", path, "").await.status;
    let search = "/v1/search?q=a&type=track";
    assert_eq!([status(search).await, status(search).await], [200, 429], "the quota of one group");
    assert_eq!([status("/v1/me").await, status("/v1/me").await, status("/v1/me").await], [200, 200, 429]);
    spotify.advance(30_000).await;
    assert_eq!([status("/v1/me").await, status(search).await], [200, 429]);
    spotify.advance(86_400_000).await;
    // A day later the first token has ended.
    let (token, _) = spotify.sign_in("host-1").await;
    assert_eq!(spotify.api(&token, "GET", search, "").await.status, 200);
}

#[tokio::test]
async fn what_the_window_refused_is_not_counted_against_the_day() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let app = format!("apps/{CLIENT}");
    let status = async || spotify.api(&token, "GET", "/v1/me", "").await.status;
    spotify.control(&app, json!({ "calls_per_30s": 1, "daily_quota": { "me": 2 } })).await;
    assert_eq!([status().await, status().await, status().await], [200, 429, 429]);
    spotify.control(&app, json!({ "calls_per_30s": null })).await;
    assert_eq!([status().await, status().await], [200, 429], "one was left of the two");
}
