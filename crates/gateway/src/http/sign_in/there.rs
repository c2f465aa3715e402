//! The way to Spotify.

use auth::{ATTEMPT_LIFE_MS, Beginning, BrowserSecret, LoginAttempt, ReturnTo};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use store::AttemptRow;

use super::SCOPES;
use super::words::{bad_sign_in, no_app};
use crate::Parts;
use crate::http::assets::wants_page;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::sessions::{cookie_value, set_cookie};

/// Sign-ins that may be under way at once; beyond it, the oldest goes.
const ATTEMPTS: u32 = 10_000;

/// Sends the browser to Spotify.
#[utoipa::path(get, path = "/auth/login", tag = "sign-in", params(
    ("return_to" = Option<String>, Query, description = "A local path to come back to."),
    ("client_id" = Option<String>, Query, description = "The host's own Spotify app: 32 hex digits."),
), responses(
    (status = 302, description = "To Spotify's authorize page.", headers(("Location" = String))),
    (status = 400, description = "`return_to` is no local path, or there is no app.", body = protocol::Problem),
))]
pub(in crate::http) async fn login(
    State(parts): State<Parts>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (return_to, asked_app) = match wishes(&uri) {
        Ok(wishes) => wishes,
        Err(problem) if wants_page(&headers) => return Ok(bad_sign_in(&problem.body().detail)),
        Err(problem) => return Err(problem),
    };
    let Some(client_id) = asked_app.or_else(|| parts.config.client_id.clone()) else {
        return if wants_page(&headers) { Ok(no_app(&return_to)) } else { Err(app_missing()) };
    };
    let names = parts.sessions.names();
    let mut cookies = Vec::new();
    let caller = if let Some(caller) = parts.sessions.find(&headers).await? {
        caller
    } else {
        let (secret, caller) = parts.sessions.make().await?;
        let life_s = auth::SESSION_LIFE_MS / 1000;
        cookies.push(set_cookie(names, names.session, &secret.expose_text(), life_s));
        caller
    };
    // A second tab that signs in must not undo the first: both attempts are of the same browser.
    let browser = cookie_value(&headers, names.sign_in)
        .and_then(BrowserSecret::parse)
        .unwrap_or_else(|| BrowserSecret::generate(parts.entropy.as_ref()));
    cookies.push(set_cookie(names, names.sign_in, &browser.expose_text(), ATTEMPT_LIFE_MS / 1000));

    let now = parts.clock.now();
    let beginning = Beginning {
        browser: browser.hash(),
        return_to,
        client_id: client_id.clone(),
        session: Some(caller.hash),
        redirect_uri: parts.config.redirect_uri(),
    };
    let redirect_uri = beginning.redirect_uri.clone();
    let (state, attempt) = LoginAttempt::begin(parts.entropy.as_ref(), beginning, now);
    let row = AttemptRow {
        state: state.hash(),
        expires_at: attempt.expires_at(),
        data: attempt.seal(&parts.vault, parts.entropy.as_ref(), &state.hash()),
    };
    parts.store.sessions.attempt_put(row, ATTEMPTS, now).await?;
    let address = parts.spotify.client().authorize_url(
        &parts.spotify.app(&client_id),
        &redirect_uri,
        state.expose_text().expose(),
        &attempt.challenge(),
        &SCOPES,
        false,
    );
    let mut response = StatusCode::FOUND.into_response();
    let location = HeaderValue::from_str(&address).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::LOCATION, location);
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn wishes(uri: &Uri) -> Result<(ReturnTo, Option<String>), Problem> {
    let query = Query::of(uri);
    let return_to = match query.text("return_to")? {
        Some(path) => ReturnTo::parse(path).map_err(|error| {
            Problem::bad_request(format!("return_to: it takes a path of this site ({error})."))
        })?,
        None => ReturnTo::default(),
    };
    let client_id = query.text("client_id")?.filter(|id| !id.is_empty());
    if client_id.is_some_and(|id| id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(Problem::bad_request("client_id: it takes the 32 hex digits of a Spotify app."));
    }
    Ok((return_to, client_id.map(str::to_ascii_lowercase)))
}

fn app_missing() -> Problem {
    Problem::bad_request("client_id: this service has no Spotify app of its own; name yours.")
}
