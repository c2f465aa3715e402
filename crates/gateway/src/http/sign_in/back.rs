//! The way back from Spotify.

use auth::{AttemptError, BrowserSecret, LoginAttempt, Redeemed, ReturnTo, State as SignInState};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use kernel::Secret;

use super::connect::connect;
use super::words::Trouble;
use crate::Parts;
use crate::http::query::Query;
use crate::sessions::{Caller, clear_cookie, cookie_value, set_cookie};

/// What a browser comes back with.
enum Answer {
    Code(Secret<String>),
    Denied,
    Refused,
}

/// Ends the sign-in: exchanges the code and stores the tokens.
#[utoipa::path(get, path = "/auth/callback", tag = "sign-in", params(
    ("state" = String, Query,), ("code" = Option<String>, Query,), ("error" = Option<String>, Query,),
), responses(
    (status = 303, description = "Connected; to `return_to`.", headers(("Location" = String))),
    (status = "4XX", description = "A page that says what happened. Nothing is stored.", content_type = "text/html"),
    (status = 503, description = "A page: Spotify or the store did not answer.", content_type = "text/html"),
))]
pub(in crate::http) async fn callback(
    State(parts): State<Parts>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    // Whoever only wants to know what would come must not end a sign-in by it.
    if method == Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response();
    }
    let mut return_to = None;
    let mut response = match come_back(&parts, &uri, &headers, &mut return_to).await {
        Ok(response) => response,
        Err(trouble) => trouble.page(return_to.as_ref()),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn come_back(
    parts: &Parts,
    uri: &Uri,
    headers: &HeaderMap,
    again: &mut Option<ReturnTo>,
) -> Result<Response, Trouble> {
    let query = Query::of(uri);
    let state = query.text("state").ok().flatten().and_then(SignInState::parse).ok_or(Trouble::Garbled)?;
    // Whatever the answer is, the attempt is over by it: of two that come with one state, one finds nothing.
    let caller = parts.sessions.find(headers).await?;
    let redeemed = redeem(parts, &state, headers, caller.as_ref()).await?;
    *again = Some(redeemed.return_to.clone());
    let code = match answer(&query)? {
        Answer::Code(code) => code,
        Answer::Denied => return Err(Trouble::Cancelled),
        Answer::Refused => return Err(Trouble::Refused),
    };
    let return_to = redeemed.return_to.clone();
    // In a task of its own: a browser that goes away meanwhile leaves nothing half done.
    let work = connect(parts.clone(), redeemed, code, caller);
    let secret = tokio::spawn(work).await.map_err(|_| Trouble::Here(crate::http::Problem::internal()))??;
    let names = parts.sessions.names();
    let mut response = StatusCode::SEE_OTHER.into_response();
    let to = HeaderValue::from_str(return_to.as_str()).unwrap_or(HeaderValue::from_static("/"));
    let life_s = auth::SESSION_LIFE_MS / 1000;
    let out = response.headers_mut();
    out.insert(header::LOCATION, to);
    out.append(header::SET_COOKIE, set_cookie(names, names.session, &secret.expose_text(), life_s));
    out.append(header::SET_COOKIE, clear_cookie(names, names.sign_in));
    Ok(response)
}

async fn redeem(
    parts: &Parts,
    state: &SignInState,
    headers: &HeaderMap,
    caller: Option<&Caller>,
) -> Result<Redeemed, Trouble> {
    let now = parts.clock.now();
    let hash = state.hash();
    let row = parts.store.sessions.attempt_take(&hash, now).await?.ok_or(Trouble::Unknown)?;
    let attempt = LoginAttempt::open(&parts.vault, &hash, &row.data).map_err(|error| {
        tracing::error!(%error, "sign_in.attempt does not open");
        Trouble::Unknown
    })?;
    let browser = cookie_value(headers, parts.sessions.names().sign_in).and_then(BrowserSecret::parse);
    let browser = browser.map(|secret| secret.hash());
    attempt.redeem(now, browser.as_ref(), caller.map(|caller| &caller.hash)).map_err(|error| match error {
        AttemptError::Expired => Trouble::Unknown,
        AttemptError::OtherBrowser => Trouble::OtherBrowser,
    })
}

/// A code or an error, never both: Spotify does not send that, so somebody else did.
fn answer(query: &Query) -> Result<Answer, Trouble> {
    let garbled = |_| Trouble::Garbled;
    match (query.text("code").map_err(garbled)?, query.text("error").map_err(garbled)?) {
        (Some(code), None) if (1..=2048).contains(&code.len()) => Ok(Answer::Code(Secret::from(code))),
        (None, Some("access_denied")) => Ok(Answer::Denied),
        (None, Some(_)) => Ok(Answer::Refused),
        _ => Err(Trouble::Garbled),
    }
}
