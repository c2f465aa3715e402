//! The accounts service: the way to it, the code exchange, the refresh.

use kernel::Secret;
use reqwest::Url;
use serde_json::Value;

use crate::client::{App, Client, deliver};
use crate::error::ErrorKind;

const HOUR_MS: u64 = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// A wait that a 429 does not name.
const WAIT_DEFAULT_MS: u64 = 5_000;
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// The tokens that an exchange or a refresh gave.
#[derive(Clone, Debug)]
pub struct TokenAnswer {
    /// The access token.
    pub access: Secret<String>,
    /// A new refresh token; where there is none, the old one stays good.
    pub refresh: Option<Secret<String>>,
    /// How long the access token lives: 1 s to 24 h, an hour where the answer does not say.
    pub expires_in_ms: u64,
    /// What was granted; empty where the answer does not say.
    pub scopes: Vec<String>,
}

/// Why there are no tokens, by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// `invalid_grant`: the code or the refresh token is of no use. Never ask again with it; the user signs in anew.
    #[error("the authorization was refused")]
    NeedsLogin {
        /// Spotify's own words, for the operator; never to be decided by. Empty where there were none.
        description: String,
    },
    /// `invalid_client`, `unauthorized_client` and whatever else says that the request or the app is wrong: the
    /// operator, or the host whose app it is, must mend it.
    #[error("the Spotify app was refused ({error})")]
    BadApp {
        /// The error code of RFC 6749.
        error: String,
        /// Spotify's own words, for the operator. Empty where there were none.
        description: String,
    },
    /// Asked to wait.
    #[error("the accounts service asks to wait {retry_after_ms} ms")]
    Wait {
        /// That long.
        retry_after_ms: u64,
    },
    /// No answer, or none that can be understood. The tokens are as good as before; try again later. (A code may have
    /// been used up all the same.)
    #[error("the accounts service did not answer usefully")]
    Unavailable,
}

impl Client {
    /// The address to send a browser to. `state` and `challenge` come from the sign-in attempt; with `show_dialog`
    /// Spotify asks for consent even where it knows it.
    pub fn authorize_url(
        &self,
        app: &App,
        redirect_uri: &str,
        state: &str,
        challenge: &str,
        scopes: &[&str],
        show_dialog: bool,
    ) -> String {
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("state", state),
            ("code_challenge_method", "S256"),
            ("code_challenge", challenge),
        ];
        let scope = scopes.join(" ");
        if !scope.is_empty() {
            query.push(("scope", &scope));
        }
        if show_dialog {
            query.push(("show_dialog", "true"));
        }
        let mut url =
            Url::parse(&self.accounts_address("/authorize")).expect("the base was parsed when it came");
        url.query_pairs_mut().extend_pairs(query);
        url.into()
    }

    /// Exchanges a code. `redirect_uri` is that of the authorize address, to the letter. Once, whatever comes of it:
    /// a code serves one time.
    pub async fn exchange(
        &self,
        app: &App,
        code: &Secret<String>,
        redirect_uri: &str,
        verifier: &Secret<String>,
    ) -> Result<TokenAnswer, AccountsError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
            ("client_id", &app.client_id),
            ("code_verifier", verifier.expose()),
        ];
        self.token(app, &form, &[code, verifier]).await
    }

    /// Gets a new access token. One caller at a time and account: that is the caller's part.
    pub async fn refresh(
        &self,
        app: &App,
        refresh_token: &Secret<String>,
    ) -> Result<TokenAnswer, AccountsError> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
            ("client_id", &app.client_id),
        ];
        self.token(app, &form, &[refresh_token]).await
    }

    async fn token(
        &self,
        app: &App,
        form: &[(&str, &str)],
        sent: &[&Secret<String>],
    ) -> Result<TokenAnswer, AccountsError> {
        let mut request = self.http().post(self.accounts_address("/api/token")).form(form);
        if let Some(secret) = &app.client_secret {
            request = request.basic_auth(&app.client_id, Some(secret.expose()));
        }
        let response = deliver(request).await.map_err(|kind| {
            tracing::debug!(call = "accounts.token", outcome = ?kind, "spotify.call");
            AccountsError::Unavailable
        })?;
        tracing::debug!(call = "accounts.token", status = response.status().as_u16(), "spotify.call");
        let raw = self.drain(response).await;
        let body = raw.body.map_err(|_: ErrorKind| AccountsError::Unavailable);
        let secrets: Vec<&str> =
            sent.iter().copied().chain(&app.client_secret).map(|secret| secret.expose().as_str()).collect();
        match raw.status {
            200..=299 => answer(&body?).ok_or(AccountsError::Unavailable),
            429 => Err(AccountsError::Wait { retry_after_ms: raw.wait_ms.unwrap_or(WAIT_DEFAULT_MS) }),
            400..=499 => Err(refused(&body?, &secrets)),
            503 => Err(raw
                .wait_ms
                .map_or(AccountsError::Unavailable, |retry_after_ms| AccountsError::Wait { retry_after_ms })),
            _ => Err(AccountsError::Unavailable),
        }
    }
}

/// Reads a token answer; `None` where it holds no usable access token.
fn answer(body: &[u8]) -> Option<TokenAnswer> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let token = |key: &str| {
        let text = value.get(key)?.as_str()?;
        let fits = (1..=TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Secret::from(text))
    };
    let seconds = value.get("expires_in").and_then(Value::as_f64).filter(|seconds| *seconds >= 0.0);
    let expires_in_ms = seconds.map_or(HOUR_MS, |seconds| (seconds * 1000.0).min(DAY_MS as f64) as u64);
    let scopes = value.get("scope").and_then(Value::as_str).unwrap_or_default();
    Some(TokenAnswer {
        access: token("access_token")?,
        refresh: token("refresh_token"),
        expires_in_ms: expires_in_ms.clamp(1_000, DAY_MS),
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
    })
}

/// Reads a refusal (RFC 6749, section 5.2). A 4xx without an error code is somebody else's answer, a proxy's say.
fn refused(body: &[u8], secrets: &[&str]) -> AccountsError {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let text = |key: &str| value.as_ref().and_then(|value| value.get(key)?.as_str());
    let Some(error) = text("error").filter(|error| is_code(error)) else {
        return AccountsError::Unavailable;
    };
    let description = shown(text("error_description").unwrap_or_default(), secrets);
    match error {
        "invalid_grant" => AccountsError::NeedsLogin { description },
        // RFC 6749 has these for the authorize step; a token endpoint that uses them is in trouble, not the app.
        "server_error" | "temporarily_unavailable" => AccountsError::Unavailable,
        _ => AccountsError::BadApp { error: error.to_owned(), description },
    }
}

fn is_code(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// A foreign text as it may be shown: short, printable, and without anything that was sent.
fn shown(text: &str, secrets: &[&str]) -> String {
    const LONGEST: usize = 120;
    const FRAGMENT: usize = 8;
    let leaks = secrets.iter().any(|secret| {
        secret
            .as_bytes()
            .windows(FRAGMENT.min(secret.len()).max(1))
            .any(|part| std::str::from_utf8(part).is_ok_and(|part| text.contains(part)))
    });
    if leaks {
        return String::new();
    }
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
