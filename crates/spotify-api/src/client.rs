//! The single way to send.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Secret, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use crate::classify::{Call, refusal};
use crate::error::{Error, ErrorKind};
use crate::observed::Observed;
use crate::retry_after;

const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// "A Spotify that does not answer within 10 s has not answered."
pub(crate) const TOTAL_LIMIT: Duration = Duration::from_secs(10);
/// Spotify keeps idle connections for two minutes and more; we let go first.
const IDLE_LIMIT: Duration = Duration::from_secs(90);
/// The largest answer that is read, after decompression. Spotify's longest pages are about 200 KiB.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// Where Spotify is, and what time it is.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The accounts service: `https://accounts.spotify.com`, or a simulator.
    pub accounts_url: String,
    /// The Web API without its `/v1`: `https://api.spotify.com`, or a simulator.
    pub api_url: String,
    /// Tells when calls were asked and answered, and reads a `Retry-After` that is a date.
    pub clock: Arc<dyn Clock>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An address is none.
    #[error("the {which} address of Spotify is not an http or https address without query and user")]
    Address {
        /// `accounts` or `api`.
        which: &'static str,
    },
    /// The HTTP client did not come about (certificates, mostly).
    #[error("the HTTP client could not be built")]
    Http(#[source] reqwest::Error),
}

/// A registered Spotify app.
#[derive(Clone, Debug)]
pub struct App {
    /// Its client id.
    pub client_id: String,
    /// Its secret; without one PKCE alone vouches.
    pub client_secret: Option<Secret<String>>,
}

/// Calls Spotify. Clones share one pool of connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    accounts: String,
    api: String,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { accounts, api, .. } = self.0.as_ref();
        f.debug_struct("Client").field("accounts", accounts).field("api", api).finish_non_exhaustive()
    }
}

/// A request that is ready but for its token.
pub(crate) struct Ask<'a> {
    pub(crate) call: Call,
    pub(crate) method: Method,
    /// Segments after `/v1/`, each escaped here.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: &'a [(&'static str, String)],
    pub(crate) body: Option<Value>,
    pub(crate) timeout: Duration,
}

impl<'a> Ask<'a> {
    pub(crate) const fn get(call: Call, path: &'a [&'a str], query: &'a [(&'static str, String)]) -> Self {
        Self { call, method: Method::GET, path, query, body: None, timeout: TOTAL_LIMIT }
    }
}

/// An answer as it came, with a status of any kind.
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) wait_ms: Option<u64>,
    pub(crate) body: Result<Vec<u8>, ErrorKind>,
}

impl Client {
    /// A client for these addresses.
    ///
    /// # Panics
    ///
    /// Where the process has not installed a TLS provider (`rustls::crypto::ring::default_provider()`): `main` does so
    /// first thing.
    pub fn new(config: ClientConfig) -> Result<Self, BuildError> {
        let accounts = base(&config.accounts_url).ok_or(BuildError::Address { which: "accounts" })?;
        let api = base(&config.api_url).ok_or(BuildError::Address { which: "api" })?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("parlor/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(CONNECT_LIMIT)
            .timeout(TOTAL_LIMIT)
            .pool_idle_timeout(IDLE_LIMIT)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| BuildError::Http(error.without_url()))?;
        Ok(Self(Arc::new(Inner { http, accounts, api, clock: config.clock })))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// An address of the accounts service.
    pub(crate) fn accounts_address(&self, path: &str) -> String {
        format!("{}{path}", self.0.accounts)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// Asks for something and reads it. Reading calls only.
    pub(crate) async fn read<T>(
        &self,
        token: &Secret<String>,
        ask: Ask<'_>,
        understand: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Observed<T>, Error> {
        let call = ask.call;
        self.read_maybe(token, ask, understand).await.and_then(|seen| match seen.value {
            Some(value) => Ok(Observed { value, asked_at: seen.asked_at, answered_at: seen.answered_at }),
            None => Err(Error::new(ErrorKind::Garbage, call.name)),
        })
    }

    /// The same, where 204 says that there is nothing.
    pub(crate) async fn read_maybe<T>(
        &self,
        token: &Secret<String>,
        ask: Ask<'_>,
        understand: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Observed<Option<T>>, Error> {
        let call = ask.call;
        let asked_at = self.now();
        let response = self.send(token, ask).await?;
        let raw = self.drain(response).await;
        let answered_at = self.now();
        let value = match (raw.status, raw.body) {
            (204, _) => None,
            (200..=299, Ok(body)) => {
                let parsed: Option<Value> = serde_json::from_slice(&body).ok();
                let garbage =
                    || Error { status: Some(raw.status), ..Error::new(ErrorKind::Garbage, call.name) };
                Some(parsed.as_ref().and_then(understand).ok_or_else(garbage)?)
            }
            (200..=299, Err(kind)) => {
                return Err(Error { status: Some(raw.status), ..Error::new(kind, call.name) });
            }
            (status, body) => return Err(refusal(call, status, raw.wait_ms, &body.unwrap_or_default())),
        };
        Ok(Observed { value, asked_at, answered_at })
    }

    /// Sends a command. Any 2xx is success, and it is one as soon as the status is there: the body says nothing, so
    /// nothing waits for it.
    pub(crate) async fn command(&self, token: &Secret<String>, ask: Ask<'_>) -> Result<Observed<()>, Error> {
        let call = ask.call;
        let asked_at = self.now();
        let response = self.send(token, ask).await?;
        let answered_at = self.now();
        if response.status().is_success() {
            return Ok(Observed { value: (), asked_at, answered_at });
        }
        let raw = self.drain(response).await;
        Err(refusal(call, raw.status, raw.wait_ms, &raw.body.unwrap_or_default()))
    }

    async fn send(&self, token: &Secret<String>, ask: Ask<'_>) -> Result<Response, Error> {
        let Ask { call, method, path, query, body, timeout } = ask;
        let fail = |kind| Error::new(kind, call.name);
        let url = address(&self.0.api, path, query).ok_or_else(|| fail(ErrorKind::BadRequest))?;
        // A token that no header can hold is one that Spotify would refuse.
        let bearer = bearer(token).ok_or_else(|| fail(ErrorKind::Unauthorized))?;
        let empty_body = body.is_none() && method != Method::GET;
        let mut request = self.0.http.request(method, url).header(AUTHORIZATION, bearer).timeout(timeout);
        if let Some(body) = body {
            let json = HeaderValue::from_static("application/json");
            request = request.header(CONTENT_TYPE, json).body(body.to_string());
        } else if empty_body {
            // Spotify answers 411 without it, and HTTP libraries leave it out.
            request = request.header(CONTENT_LENGTH, HeaderValue::from_static("0")).body("");
        }
        let asked_at = self.now();
        let outcome = deliver(request).await;
        let took_ms = self.now().since(asked_at);
        match &outcome {
            Ok(response) => {
                tracing::debug!(
                    call = call.name,
                    status = response.status().as_u16(),
                    took_ms,
                    "spotify.call"
                );
            }
            Err(kind) => tracing::debug!(call = call.name, outcome = ?kind, took_ms, "spotify.call"),
        }
        outcome.map_err(fail)
    }

    /// Reads an answer to its end, or to the limit.
    pub(crate) async fn drain(&self, mut response: Response) -> Raw {
        let status = response.status();
        let wait_ms = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| retry_after::parse(text, self.now()));
        let body =
            if status == StatusCode::NO_CONTENT { Ok(Vec::new()) } else { read_body(&mut response).await };
        Raw { status: status.as_u16(), wait_ms, body }
    }
}

async fn read_body(response: &mut Response) -> Result<Vec<u8>, ErrorKind> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => return Err(ErrorKind::Garbage),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            // What cannot be decompressed is garbage; everything else is a connection that broke or a time-out.
            Err(error) if cannot_be_unpacked(&error) => return Err(ErrorKind::Garbage),
            Err(_) => return Err(ErrorKind::NoAnswer),
        }
    }
}

/// The library calls a connection that broke in the body a decoding error too; only the decompressor's own complaint is
/// one of invalid data.
fn cannot_be_unpacked(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData)
        {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Sends a request once. A failure says whether the request can have left; the library's own error is dropped, because
/// it names the address.
pub(crate) async fn deliver(request: RequestBuilder) -> Result<Response, ErrorKind> {
    request.send().await.map_err(|error| {
        if error.is_builder() {
            ErrorKind::BadRequest
        } else if error.is_connect() {
            ErrorKind::NotSent
        } else {
            ErrorKind::NoAnswer
        }
    })
}

fn bearer(token: &Secret<String>) -> Option<HeaderValue> {
    let text = Secret::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(text.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn base(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then(|| url.as_str().trim_end_matches('/').to_owned())
}

fn address(api: &str, path: &[&str], query: &[(&'static str, String)]) -> Option<Url> {
    let mut url = Url::parse(api).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().push("v1").extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Some(url)
}
