//! A simulator on a free port, and a client so plain that it can also send what no decent client sends.

#![allow(dead_code, reason = "each test file uses its own part")]

use kernel::MovableClock;
use serde_json::{Value, json};
use spotify_sim::{Sim, SimConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const CLIENT: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/auth/callback";
pub(crate) const VERIFIER: &str = "a-verifier-that-is-long-enough-to-be-one-0123456789";
pub(crate) const SCOPES: &str = "user-read-playback-state user-read-currently-playing user-modify-playback-state \
                          user-read-recently-played user-library-read user-library-modify playlist-read-private \
                          playlist-modify-public playlist-modify-private user-read-private";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The query parameter of the place that a redirect goes to.
    pub(crate) fn redirected(&self, key: &str) -> Option<String> {
        let query = self.header("location").split_once('?')?.1;
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}="))).map(str::to_owned)
    }
}

/// A running simulator.
pub(crate) struct Spotify {
    address: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Spotify {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Spotify {
    pub(crate) async fn start() -> Self {
        Self::with_seed(1).await
    }

    pub(crate) async fn with_seed(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let sim = Sim::new(SimConfig { seed, clock: MovableClock::default() });
        let task = tokio::spawn(async move {
            sim.serve(listener, std::future::pending()).await.expect("it serves");
        });
        Self { address, task }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends bytes as they are; an error where the connection broke before an answer.
    pub(crate) async fn raw(&self, request: &str) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        let whole = String::from_utf8(bytes).map_err(std::io::Error::other)?;
        let (head, text) = whole.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no answer"))?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Ok(Answer { status, headers, text: text.to_owned() })
    }

    pub(crate) async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        let length = body.len();
        let address = &self.address;
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             {headers}\r\n{body}"
        ))
        .await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.try_send(method, path, headers, body).await.unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// A call of the Web API.
    pub(crate) async fn api(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &format!("Authorization: Bearer {token}\r\n"), body).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Value {
        let answer = self.api(token, "GET", path, "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// A form for the accounts service.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)], headers: &str) -> Answer {
        let body: Vec<String> =
            fields.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
        self.send("POST", path, &headers, &body.join("&")).await
    }

    /// A control that must be understood.
    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self.send("POST", &format!("/_sim/{path}"), "", &body.to_string()).await;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
        answer.json()
    }

    pub(crate) async fn advance(&self, ms: u64) {
        self.control("clock", json!({ "advance_ms": ms })).await;
    }

    pub(crate) async fn truth(&self, user: &str) -> Value {
        self.send("GET", &format!("/_sim/users/{user}/player"), "", "").await.json()
    }

    /// Agrees on the consent page and returns the code.
    pub(crate) async fn agree(&self, user: &str) -> String {
        self.agree_to(user, SCOPES).await
    }

    async fn agree_to(&self, user: &str, scopes: &str) -> String {
        let answer = self
            .form(
                "/authorize",
                &[
                    ("client_id", CLIENT),
                    ("response_type", "code"),
                    ("redirect_uri", REDIRECT),
                    ("scope", scopes),
                    ("state", "s"),
                    ("code_challenge_method", "S256"),
                    ("code_challenge", &challenge()),
                    ("user", user),
                    ("decision", "agree"),
                ],
                "",
            )
            .await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        answer.redirected("code").expect("a code")
    }

    pub(crate) async fn exchange(&self, code: &str, verifier: &str) -> Answer {
        self.form(
            "/api/token",
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", REDIRECT),
                ("client_id", CLIENT),
                ("code_verifier", verifier),
            ],
            "",
        )
        .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", CLIENT)];
        self.form("/api/token", &fields, "").await
    }

    /// The access and refresh token of somebody who signs in.
    pub(crate) async fn sign_in(&self, user: &str) -> (String, String) {
        self.sign_in_to(user, SCOPES).await
    }

    /// The same with other scopes than every test needs.
    pub(crate) async fn sign_in_to(&self, user: &str, scopes: &str) -> (String, String) {
        let tokens = self.exchange(&self.agree_to(user, scopes).await, VERIFIER).await.json();
        (text(&tokens["access_token"]), text(&tokens["refresh_token"]))
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub(crate) fn encode(text: &str) -> String {
    text.bytes().flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 15)]).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

pub(crate) fn challenge() -> String {
    use base64::Engine;
    use sha2::Digest;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(VERIFIER))
}
