//! The accounts service: consent, codes, tokens.

mod support;

use serde_json::json;
use support::{CLIENT, REDIRECT, SCOPES, Spotify, VERIFIER, encode, text};

#[tokio::test]
async fn consent_is_a_form_that_carries_the_request_on() {
    let spotify = Spotify::start().await;
    let query = format!(
        "client_id={CLIENT}&response_type=code&redirect_uri={}&state=a%22b&scope={}&show_dialog=false",
        encode(REDIRECT),
        encode(SCOPES)
    );
    let page = spotify.send("GET", &format!("/authorize?{query}"), "", "").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text.matches("<form").count(), 1);
    for part in [
        "method=\"post\" action=\"/authorize\"",
        "name=\"state\" value=\"a&quot;b\"",
        &format!("name=\"client_id\" value=\"{CLIENT}\""),
        "<select id=\"user\" name=\"user\">",
        "name=\"decision\" value=\"agree\"",
        "name=\"decision\" value=\"cancel\"",
        "Simulated Spotify",
    ] {
        assert!(page.text.contains(part), "the page lacks {part}");
    }
}

#[tokio::test]
async fn what_cannot_go_back_is_told_on_a_page_and_the_rest_to_the_app() {
    let spotify = Spotify::start().await;
    let check = async |query: &str, status: u16, error: Option<&str>| {
        let answer = spotify.send("GET", &format!("/authorize?{query}"), "", "").await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.redirected("error").as_deref(), error, "{query}");
        assert_eq!(answer.header("location").is_empty(), error.is_none(), "{query}");
    };
    let good = format!("client_id={CLIENT}&response_type=code&state=s&redirect_uri=");
    let loopback = format!("{good}{}", encode(REDIRECT));
    check(&loopback, 200, None).await;
    check(&format!("{good}http://[::1]:7/cb"), 200, None).await;
    check(&format!("{good}https://parlor.example/cb"), 200, None).await;
    check(&format!("{good}http://localhost:9/cb"), 400, None).await;
    check(&format!("{good}https://localhost/cb"), 400, None).await;
    check(&format!("{good}http://192.168.1.4/cb"), 400, None).await;
    check(&format!("{good}http://127.0.0.1.example/cb"), 400, None).await;
    check(&loopback.replace(CLIENT, "short"), 400, None).await;
    check(&loopback.replace("code&", "token&"), 302, Some("unsupported_response_type")).await;
    check(&format!("{loopback}&code_challenge=abc&code_challenge_method=S256"), 302, Some("invalid_request"))
        .await;
    check(&format!("{loopback}&scope=read-minds"), 302, Some("invalid_scope")).await;
}

#[tokio::test]
async fn refusing_goes_back_with_the_state() {
    let spotify = Spotify::start().await;
    let fields = [
        ("client_id", CLIENT),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("state", "mine"),
        ("user", "host-1"),
        ("decision", "cancel"),
    ];
    let answer = spotify.form("/authorize", &fields, "").await;
    assert_eq!(answer.header("location"), format!("{REDIRECT}?error=access_denied&state=mine"));
}

#[tokio::test]
async fn a_code_is_good_once_for_ten_minutes_and_for_its_verifier() {
    let spotify = Spotify::start().await;
    let check = async |code: &str, verifier: &str, description: Option<&str>| {
        let answer = spotify.exchange(code, verifier).await;
        assert_eq!(answer.status, if description.is_some() { 400 } else { 200 }, "{}", answer.text);
        assert_eq!(answer.json()["error_description"].as_str(), description);
    };
    let code = spotify.agree("host-1").await;
    check(&code, "another-verifier-that-is-long-enough-0123456789", Some("code_verifier was incorrect"))
        .await;
    check(&code, VERIFIER, None).await;
    check(&code, VERIFIER, Some("Invalid authorization code")).await;
    let late = spotify.agree("host-1").await;
    spotify.advance(601_000).await;
    check(&late, VERIFIER, Some("Authorization code expired")).await;
    // Nobody comes back for it after an hour; it is no longer known.
    spotify.advance(3_600_000).await;
    spotify.agree("host-1").await;
    check(&late, VERIFIER, Some("Invalid authorization code")).await;
}

#[tokio::test]
async fn a_secret_is_checked_where_one_is_sent() {
    use base64::Engine;
    let spotify = Spotify::start().await;
    let (_, refresh) = spotify.sign_in("host-1").await;
    let check = async |pair: &str, status: u16, description: Option<&str>| {
        let basic = base64::engine::general_purpose::STANDARD.encode(pair);
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let answer = spotify.form("/api/token", &fields, &format!("Authorization: Basic {basic}\r\n")).await;
        assert_eq!(answer.status, status, "{pair}");
        assert_eq!(answer.json()["error_description"].as_str(), description, "{pair}");
    };
    check(&format!("{CLIENT}:secret-{CLIENT}"), 200, None).await;
    check(&format!("{CLIENT}:guess"), 400, Some("Invalid client secret")).await;
    check("nobody:guess", 400, Some("Invalid client")).await;
}

#[tokio::test]
async fn refresh_tokens_rotate_as_the_app_is_told() {
    let spotify = Spotify::start().await;
    let (_, refresh) = spotify.sign_in("host-1").await;
    let app = format!("apps/{CLIENT}");
    assert!(spotify.refresh(&refresh).await.json().get("refresh_token").is_none());
    spotify.control(&app, json!({ "rotation": "same" })).await;
    assert_eq!(spotify.refresh(&refresh).await.json()["refresh_token"], refresh.as_str());
    spotify.control(&app, json!({ "rotation": "single_use" })).await;
    let next = text(&spotify.refresh(&refresh).await.json()["refresh_token"]);
    let again = spotify.refresh(&refresh).await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")));
    assert_eq!(spotify.refresh(&next).await.status, 200);
}

#[tokio::test]
async fn an_authorization_ends_after_six_months_whatever_was_refreshed() {
    const DAY_MS: u64 = 86_400_000;
    let spotify = Spotify::start().await;
    let (_, refresh) = spotify.sign_in("host-1").await;
    spotify.advance(170 * DAY_MS).await;
    assert_eq!(spotify.refresh(&refresh).await.status, 200);
    spotify.advance(15 * DAY_MS).await;
    assert_eq!(spotify.refresh(&refresh).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn access_ends_on_the_clock_and_with_a_revocation() {
    let spotify = Spotify::start().await;
    spotify.control(&format!("apps/{CLIENT}"), json!({ "access_token_ms": 60_000 })).await;
    let (access, refresh) = spotify.sign_in("host-1").await;
    assert_eq!(spotify.api(&access, "GET", "/v1/me", "").await.status, 200);
    spotify.advance(60_000).await;
    let late = spotify.api(&access, "GET", "/v1/me", "").await;
    assert_eq!(late.status, 401);
    assert!(late.header("www-authenticate").contains("invalid_token"));

    let access = text(&spotify.refresh(&refresh).await.json()["access_token"]);
    spotify.control("users/host-1", json!({ "revoked": true })).await;
    assert_eq!(spotify.api(&access, "GET", "/v1/me", "").await.status, 401);
    assert_eq!(spotify.refresh(&refresh).await.json()["error"], "invalid_grant");
    // Whoever agrees again is in again.
    let (access, _) = spotify.sign_in("host-1").await;
    assert_eq!(spotify.api(&access, "GET", "/v1/me", "").await.status, 200);
}

#[tokio::test]
async fn tokens_outlive_a_restart_with_the_same_seed() {
    let before = Spotify::with_seed(5).await;
    let (access, refresh) = before.sign_in("host-9").await;
    drop(before);
    let after = Spotify::with_seed(5).await;
    assert_eq!(after.get(&access, "/v1/me").await["id"], "host-9");
    assert_eq!(after.refresh(&refresh).await.status, 200);
    let other = Spotify::with_seed(6).await;
    assert_eq!(other.api(&access, "GET", "/v1/me", "").await.status, 401);
}

#[tokio::test]
async fn every_token_is_listed() {
    let spotify = Spotify::start().await;
    let (access, refresh) = spotify.sign_in("host-2").await;
    let listed = spotify.send("GET", "/_sim/tokens", "", "").await.json();
    let item = |kind: &str, value: &str| json!({ "user": "host-2", "client_id": CLIENT, "kind": kind, "value": value });
    assert_eq!(listed, json!({ "items": [item("refresh", &refresh), item("access", &access)] }));
}
