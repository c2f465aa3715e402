//! What is said where a sign-in did not come about: what happened, and what to do.

use auth::ReturnTo;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use spotify_api::{AccountsError, ErrorKind, Forbidden};

use crate::http::pages::Page;
use crate::http::problem::Problem;

/// What is written otherwise where a path is the value of a query.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a sign-in came to nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The browser came back with something that is no answer of Spotify's.
    Garbled,
    /// No such attempt: it was used, is over ten minutes old, or never was.
    Unknown,
    /// Another browser began it.
    OtherBrowser,
    /// The person said no at Spotify.
    Cancelled,
    /// Spotify sent the browser back with an error.
    Refused,
    /// Spotify refused the code.
    CodeRefused,
    /// Spotify does not let the app do its work for this account.
    NotAllowlisted,
    /// The app itself is refused.
    App,
    /// Spotify did not answer, or asked to wait so many seconds.
    Away(u64),
    /// It went wrong here.
    Here(Problem),
}

impl From<store::StoreError> for Trouble {
    fn from(error: store::StoreError) -> Self {
        Self::Here(error.into())
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Here(problem)
    }
}

const AWAY_S: u64 = 10;

impl From<AccountsError> for Trouble {
    fn from(error: AccountsError) -> Self {
        tracing::warn!(%error, "sign_in.exchange failed");
        match error {
            AccountsError::NeedsLogin { .. } => Self::CodeRefused,
            AccountsError::BadApp { .. } => Self::App,
            AccountsError::Wait { retry_after_ms } => Self::Away(retry_after_ms.div_ceil(1000)),
            AccountsError::Unavailable => Self::Away(AWAY_S),
        }
    }
}

impl From<spotify_api::Error> for Trouble {
    fn from(error: spotify_api::Error) -> Self {
        tracing::warn!(%error, "sign_in.profile failed");
        match error.kind {
            ErrorKind::Forbidden(Forbidden::OwnerPremium) => Self::App,
            ErrorKind::Forbidden(_) => Self::NotAllowlisted,
            ErrorKind::Unauthorized => Self::CodeRefused,
            ErrorKind::Limited { retry_after_ms, .. } => Self::Away(retry_after_ms.div_ceil(1000)),
            ErrorKind::NoDevice
            | ErrorKind::DeviceUnknown
            | ErrorKind::NotFound
            | ErrorKind::BadRequest
            | ErrorKind::Unavailable { .. }
            | ErrorKind::NoAnswer
            | ErrorKind::NotSent
            | ErrorKind::Garbage => Self::Away(AWAY_S),
        }
    }
}

impl Trouble {
    /// The page for it; `again` is where a new try returns to.
    pub(super) fn page(self, again: Option<&ReturnTo>) -> Response {
        let (status, title, text) = match self {
            Self::Garbled => (
                StatusCode::BAD_REQUEST,
                "That did not look like Spotify",
                "The address that brought you here is not one that Spotify sends people back with. Nothing was connected.",
            ),
            Self::Unknown => (
                StatusCode::BAD_REQUEST,
                "This sign-in is over",
                "It was used already, or it took longer than ten minutes. Nothing was changed by coming here again.",
            ),
            Self::OtherBrowser => (
                StatusCode::BAD_REQUEST,
                "This sign-in began in another browser",
                "For your safety it can only end where it began. Nothing was connected.",
            ),
            Self::Cancelled => (
                StatusCode::BAD_REQUEST,
                "You did not connect Spotify",
                "That is fine: nothing was stored. Parlor needs a Spotify account only for opening rooms, not for joining them.",
            ),
            Self::Refused => (
                StatusCode::BAD_REQUEST,
                "Spotify did not connect you",
                "Spotify sent you back without its consent. Nothing was stored.",
            ),
            Self::CodeRefused => (
                StatusCode::BAD_REQUEST,
                "Spotify took its consent back",
                "Spotify did not accept what it had just given. That happens when a sign-in takes too long. Nothing was stored.",
            ),
            Self::NotAllowlisted => (
                StatusCode::FORBIDDEN,
                "Spotify does not let this app serve your account",
                "Apps in Spotify's development mode serve only the people whom their owner has listed, five at most. \
                 Ask whoever runs this Parlor to add your Spotify account to the app, or use an app of your own. Nothing was stored.",
            ),
            Self::App => (
                StatusCode::FORBIDDEN,
                "Spotify refused the app",
                "The Spotify app that this Parlor uses is not accepted by Spotify: its id or secret is wrong, or its owner has no \
                 Premium any more. Whoever runs this Parlor can mend it. Nothing was stored.",
            ),
            Self::Away(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Spotify does not answer",
                "The sign-in could not be finished, because Spotify did not answer in time. Nothing was stored. Try again in a moment.",
            ),
            Self::Here(problem) => return here(&problem, again),
        };
        let wait = if let Self::Away(seconds) = self { Some(seconds.max(1)) } else { None };
        offer(status, title, text, again, wait)
    }
}

fn here(problem: &Problem, again: Option<&ReturnTo>) -> Response {
    let status = crate::http::problem::status(problem.code());
    let wait = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(2);
    offer(
        status,
        "That did not work",
        "Something went wrong here. It has been written to the log.",
        again,
        wait,
    )
}

fn offer(
    status: StatusCode,
    title: &str,
    text: &str,
    again: Option<&ReturnTo>,
    wait: Option<u64>,
) -> Response {
    let href = again.map_or("/auth/login".to_owned(), |path| {
        format!("/auth/login?return_to={}", utf8_percent_encode(path.as_str(), PATH))
    });
    Page { status, title, text, action: Some((&href, "Try again")), retry_after_s: wait }.into_response()
}

/// The page for a sign-in that was asked for in a wrong way.
pub(super) fn bad_sign_in(detail: &str) -> Response {
    let status = StatusCode::BAD_REQUEST;
    let action = Some(("/auth/login", "Sign in"));
    Page { status, title: "This link is not right", text: detail, action, retry_after_s: None }
        .into_response()
}

/// The page for a service without a Spotify app.
pub(super) fn no_app(_: &ReturnTo) -> Response {
    Page {
        status: StatusCode::BAD_REQUEST,
        title: "No Spotify app yet",
        text: "This Parlor has no Spotify app to sign in with. Whoever runs it can register one at \
               developer.spotify.com and start Parlor with PARLOR_SPOTIFY_CLIENT_ID. \
               Or bring the client id of an app of your own: /auth/login?client_id=YOURS.",
        action: None,
        retry_after_s: None,
    }
    .into_response()
}
