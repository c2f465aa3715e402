//! The accounts service: what is sent, what its answers mean, and that nothing secret is shown.

mod server;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::Secret;
use server::{Act, PATIENT, Server, app, json, token, with_headers};
use spotify_api::{AccountsError, TokenAnswer};

const GOOD: &str = r#"{"access_token":"access-canary-2","token_type":"Bearer","scope":"b a","expires_in":3600,
    "refresh_token":"refresh-canary-2"}"#;

fn refresh_token() -> Secret<String> {
    Secret::from("refresh-canary-1")
}

async fn exchange(server: &Server, secret: bool) -> Result<TokenAnswer, AccountsError> {
    let (code, verifier) = (Secret::from("code-canary-1"), Secret::from("verifier-canary-1"));
    let redirect_uri = "https://parlor.example/auth/callback";
    server.client().exchange(&app(secret), &code, redirect_uri, &verifier).await
}

#[tokio::test]
async fn the_browser_is_sent_with_state_challenge_and_scopes() {
    let server = Server::start(json(200, GOOD)).await;
    let (client, app) = (server.client(), app(true));
    let redirect_uri = "http://127.0.0.1:8080/auth/callback";
    let url = client.authorize_url(&app, redirect_uri, "state-1", "challenge-1", &["one", "two"], false);
    let expected = "/authorize?response_type=code&client_id=client-1\
        &redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fauth%2Fcallback&state=state-1\
        &code_challenge_method=S256&code_challenge=challenge-1";
    assert_eq!(url, format!("{}{expected}&scope=one+two", server.address));
    let url = client.authorize_url(&app, redirect_uri, "state-1", "challenge-1", &[], true);
    assert_eq!(url, format!("{}{expected}&show_dialog=true", server.address));
}

#[tokio::test]
async fn a_code_goes_with_its_verifier_and_the_secret_if_there_is_one() {
    let server = Server::start(json(200, GOOD)).await;
    let tokens = exchange(&server, true).await.expect("tokens");
    assert_eq!(tokens.access.expose(), "access-canary-2");
    assert_eq!(tokens.refresh.as_ref().map(|token| token.expose().as_str()), Some("refresh-canary-2"));
    assert_eq!((tokens.expires_in_ms, tokens.scopes), (3_600_000, vec!["b".to_owned(), "a".to_owned()]));
    exchange(&server, false).await.expect("tokens");
    server.client().refresh(&app(false), &refresh_token()).await.expect("tokens");

    let seen = server.seen();
    let form = "grant_type=authorization_code&code=code-canary-1\
        &redirect_uri=https%3A%2F%2Fparlor.example%2Fauth%2Fcallback&client_id=client-1\
        &code_verifier=verifier-canary-1";
    let basic = "Basic Y2xpZW50LTE6Y2xpZW50LXNlY3JldC1jYW5hcnk=";
    assert!(seen.iter().all(|request| request.starts_with("POST /api/token HTTP/1.1\r\n")));
    assert!(seen[0].ends_with(form) && seen[0].contains(basic), "{}", seen[0]);
    assert!(seen[1].ends_with(form) && !seen[1].to_lowercase().contains("authorization:"), "{}", seen[1]);
    let form = "grant_type=refresh_token&refresh_token=refresh-canary-1&client_id=client-1";
    assert!(seen[2].ends_with(form), "{}", seen[2]);
}

#[tokio::test]
async fn answers_with_tokens_are_read_within_reason() {
    let check = async |body: &str, expected: Option<(bool, u64)>| {
        let server = Server::start(json(200, body)).await;
        let answer = server.client().refresh(&app(true), &refresh_token()).await;
        let read = answer.ok().map(|tokens| (tokens.refresh.is_some(), tokens.expires_in_ms));
        assert_eq!(read, expected, "{body}");
    };
    check(r#"{"access_token":"a","expires_in":3600}"#, Some((false, 3_600_000))).await;
    check(r#"{"access_token":"a","refresh_token":null}"#, Some((false, 3_600_000))).await;
    check(r#"{"access_token":"a","refresh_token":""}"#, Some((false, 3_600_000))).await;
    check(r#"{"access_token":"a","expires_in":2.5,"new":{}}"#, Some((false, 2_500))).await;
    check(r#"{"access_token":"a","expires_in":0}"#, Some((false, 1_000))).await;
    check(r#"{"access_token":"a","expires_in":-5}"#, Some((false, 3_600_000))).await;
    check(r#"{"access_token":"a","expires_in":1e30}"#, Some((false, 86_400_000))).await;
    check(r#"{"access_token":"a b"}"#, None).await;
    check(r#"{"access_token":"a\r\nx: y"}"#, None).await;
    check(r#"{"access_token":""}"#, None).await;
    check(r#"{"expires_in":3600}"#, None).await;
    check("<html>", None).await;
    check("", None).await;
}

#[tokio::test]
async fn refusals_say_what_the_caller_can_do() {
    let refused = async |act: Act| {
        Server::start(act).await.client().refresh(&app(true), &refresh_token()).await.expect_err("refused")
    };
    let needs_login = |description: &str| AccountsError::NeedsLogin { description: description.to_owned() };
    let bad_app = |error: &str| AccountsError::BadApp { error: error.to_owned(), description: String::new() };
    let revoked = r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#;
    assert_eq!(refused(json(400, revoked)).await, needs_login("Refresh token revoked"));
    assert_eq!(refused(json(400, r#"{"error":"invalid_grant"}"#)).await, needs_login(""));
    assert_eq!(refused(json(400, r#"{"error":"invalid_client"}"#)).await, bad_app("invalid_client"));
    assert_eq!(refused(json(401, r#"{"error":"invalid_client"}"#)).await, bad_app("invalid_client"));
    assert_eq!(
        refused(json(400, r#"{"error":"unauthorized_client"}"#)).await,
        bad_app("unauthorized_client")
    );
    assert_eq!(
        refused(json(400, r#"{"error":"unsupported_grant_type"}"#)).await,
        bad_app("unsupported_grant_type")
    );
    let waits = with_headers(429, "retry-after: 7\r\n", b"");
    assert_eq!(refused(waits).await, AccountsError::Wait { retry_after_ms: 7_000 });
    assert_eq!(refused(json(429, "")).await, AccountsError::Wait { retry_after_ms: 5_000 });
    let waits = with_headers(503, "retry-after: 60\r\n", b"");
    assert_eq!(refused(waits).await, AccountsError::Wait { retry_after_ms: 60_000 });

    // None of these says anything about the token: it stays as good as it was.
    for act in [
        json(503, ""),
        json(500, revoked),
        json(502, "<html>"),
        json(400, "<html>blocked</html>"),
        json(403, ""),
        json(400, r#"{"error":{"status":400,"message":"odd"}}"#),
        json(400, r#"{"error":"temporarily_unavailable"}"#),
        json(302, ""),
        Act::AnswerAndClose(Vec::new()),
        Act::AnswerAndClose(
            b"HTTP/1.1 400 x\r\ncontent-length: 99\r\n\r\n{\"error\":\"invalid_grant\"".to_vec(),
        ),
    ] {
        let said = format!("{act:?}");
        assert_eq!(refused(act).await, AccountsError::Unavailable, "{said}");
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_shown_in_errors_or_logs_at_any_level() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let quiet = tracing::subscriber::set_default(subscriber);

    // An answer that repeats what was sent, as a hostile or broken one may.
    let echo = "access-canary-1 refresh-canary-1 code-canary-1 verifier-canary-1 client-secret-canary";
    let grant = format!(r#"{{"error":"invalid_grant","error_description":"{echo}"}}"#);
    let api = format!(r#"{{"error":{{"status":403,"message":"{echo}","reason":"{echo}"}}}}"#);
    let mut shown = String::new();
    for act in [json(400, &grant), json(403, &api), json(200, GOOD), Act::AnswerAndClose(Vec::new())] {
        let server = Server::start(act).await;
        let client = server.client();
        let exchanged = exchange(&server, true).await;
        let refreshed = client.refresh(&app(true), &refresh_token()).await;
        let me = client.me(&token()).await;
        let searched = client.search(&token(), "query-canary-1", 5, 0).await;
        let next = client.next(&token(), None, PATIENT).await;
        let app = app(true);
        let values =
            format_args!("{exchanged:?} {refreshed:?} {me:?} {searched:?} {next:?} {client:?} {app:?}");
        shown.push_str(&values.to_string());
        for error in [exchanged.err(), refreshed.err()].into_iter().flatten() {
            shown += &error.to_string();
        }
        for error in [me.err(), searched.err(), next.err()].into_iter().flatten() {
            shown += &error.to_string();
        }
    }
    drop(quiet);
    let logged =
        String::from_utf8_lossy(&captured.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    assert!(logged.contains("player.next"), "calls are logged: {logged}");
    let dirty: Vec<&str> =
        logged.lines().chain(shown.lines()).filter(|line| line.contains("canary")).collect();
    assert!(dirty.is_empty(), "{dirty:#?}");
}
