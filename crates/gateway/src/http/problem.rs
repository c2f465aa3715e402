//! Errors as they leave the house: a stable code, a safe sentence, and the status that belongs to the code.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use protocol::Code;
use spotify_api::model;
use store::StoreError;

use crate::hub::{Failure, HubError};
use crate::spotify::SpotifyFailure;
use crate::wire;

/// An error (RFC 9457, `application/problem+json`). What came from elsewhere, Spotify's words or the store's, is for
/// the log and never in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    detail: String,
    retry_ms: Option<u64>,
}

/// How long to wait where nobody says and the code promises a `Retry-After`, in milliseconds.
const WAIT_MS: u64 = 2_000;

impl Problem {
    /// An error of that code, in these words.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_ms: None }
    }

    /// The same, with the time to wait.
    #[must_use]
    pub const fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_ms = Some(ms);
        self
    }

    /// Its code.
    pub const fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }

    pub(crate) fn no_session() -> Self {
        Self::new(Code::NoSession, "There is no session, or none any more. GET /api/me begins one.")
    }

    pub(crate) fn no_such_room() -> Self {
        Self::new(Code::NoSuchRoom, "There is no room with this code that is open to you.")
    }

    pub(crate) fn room_closed() -> Self {
        Self::new(Code::RoomClosed, "The host has closed this room.")
    }

    pub(crate) fn spotify_required() -> Self {
        Self::new(Code::SpotifyRequired, "Connect a Spotify account first.")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here.")
    }

    pub(crate) fn internal() -> Self {
        Self::new(Code::Internal, "Something went wrong here. It has been written to the log.")
    }

    /// The body.
    pub fn body(&self) -> protocol::Problem {
        let status = status(self.code);
        protocol::Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone(),
            code: self.code,
        }
    }
}

/// The status that belongs to a code. The one place that says so.
pub const fn status(code: Code) -> StatusCode {
    match code {
        Code::BadRequest | Code::BadCommand => StatusCode::BAD_REQUEST,
        Code::NoSession => StatusCode::UNAUTHORIZED,
        Code::NotAllowed
        | Code::NotAdmitted
        | Code::SpotifyRequired
        | Code::WrongOrigin
        | Code::ClientHeaderRequired => StatusCode::FORBIDDEN,
        Code::NotFound | Code::NoSuchRoom | Code::UnknownEntry | Code::UnknownMember => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::RoomClosed => StatusCode::GONE,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::WrongHost => StatusCode::MISDIRECTED_REQUEST,
        Code::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        Code::TooManyRequests | Code::TooFast | Code::AddsUsedUp => StatusCode::TOO_MANY_REQUESTS,
        Code::TooManyRooms
        | Code::StaleEpoch
        | Code::NothingPlaying
        | Code::AlreadyQueued
        | Code::PlayedRecently
        | Code::QueueFull
        | Code::TooManyQueued
        | Code::TooLong
        | Code::BannedTrack
        | Code::ExplicitNotAllowed
        | Code::NotPlayable
        | Code::NeedsHost
        | Code::NoDevice
        | Code::PremiumRequired
        | Code::Restricted => StatusCode::CONFLICT,
        Code::SpotifyUnavailable | Code::SpotifyBusy | Code::StoreUnavailable | Code::NotReady => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = status(self.code);
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let promises = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if promises || self.retry_ms.is_some() {
            let seconds = self.retry_ms.unwrap_or(WAIT_MS).div_ceil(1000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "http.store failed");
        match error {
            StoreError::Unavailable(_) => store_unavailable(),
            StoreError::Inconsistent { .. } => Self::internal(),
        }
    }
}

fn store_unavailable() -> Problem {
    Problem::new(Code::StoreUnavailable, "The store cannot be reached. Try again shortly.")
}

impl From<HubError> for Problem {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Unavailable => store_unavailable(),
            HubError::Corrupt => Self::internal(),
            HubError::Gone => Self::no_such_room(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Hub(error) => error.into(),
            Failure::Refused(refusal) if refusal.reason == rooms::Reason::RoomClosed => Self::room_closed(),
            Failure::Refused(refusal) => {
                Self { code: wire::code(refusal.reason), detail: refusal.message, retry_ms: refusal.retry_ms }
            }
        }
    }
}

impl From<SpotifyFailure> for Problem {
    fn from(failure: SpotifyFailure) -> Self {
        match failure {
            SpotifyFailure::NeedsHost => Self::new(Code::NeedsHost, "The host must connect Spotify again."),
            SpotifyFailure::Busy { retry_ms } | SpotifyFailure::Scarce { retry_ms } => {
                Self::new(Code::SpotifyBusy, "Spotify asks to wait.").retry_after_ms(retry_ms)
            }
            SpotifyFailure::Unavailable => {
                Self::new(Code::SpotifyUnavailable, "Spotify does not answer.").retry_after_ms(5_000)
            }
            SpotifyFailure::Premium => {
                Self::new(Code::PremiumRequired, "Spotify takes this from Premium accounts alone.")
            }
            SpotifyFailure::NoDevice => {
                Self::new(Code::NoDevice, "Open Spotify on the device that should play.")
            }
            SpotifyFailure::Restricted => Self::new(Code::Restricted, "Spotify does not allow that now."),
            SpotifyFailure::NotFound => Self::new(Code::NotFound, "Spotify does not know it."),
            SpotifyFailure::Store => store_unavailable(),
        }
    }
}

/// A track as Spotify's client gives it, for clients of ours.
pub(crate) fn track_view(track: model::Track) -> protocol::TrackView {
    wire::track(&wire::track_of(track))
}
