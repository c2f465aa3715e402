//! The HTTP API and the web app: what can be asked, in one list.

mod access;
mod assets;
mod body;
mod description;
mod guesses;
mod health;
mod library;
mod me;
mod metrics;
mod middleware;
mod pages;
mod problem;
mod qr;
mod query;
mod rooms;
mod sign_in;

use std::sync::LazyLock;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, header};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use self::access::seat_in;
pub use self::guesses::{may_guess, wrong_guess};
pub use self::health::Readiness;
pub use self::metrics::{gather_metrics, install_metrics, metrics_router};
use self::middleware::headers::SecurityHeaders;
pub use self::problem::{Problem, status};
use crate::Parts;

/// What the description says beside the paths: the frames of the live connection, and whatever else clients need.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Parlor",
        description = "A listening room: one person brings the Spotify account, everybody brings the taste.\n\n\
            The live connection is `GET /api/rooms/{code}/live`, a WebSocket of the sub-protocol `parlor.v1`: \
            the server sends `ServerFrame`, the client `ClientFrame`. Instants are milliseconds since the Unix epoch.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "sign-in", description = "Signing in with Spotify."),
        (name = "me", description = "Who is asking."),
        (name = "rooms", description = "Rooms."),
        (name = "service", description = "The service itself."),
    ),
    paths(crate::live::upgrade),
    components(schemas(
        protocol::Account,
        protocol::Admission,
        protocol::AlbumView,
        protocol::ArtistView,
        protocol::ClientFrame,
        protocol::Code,
        protocol::CommandBody,
        protocol::CommandResult,
        protocol::CreateRoom,
        protocol::DemoInfo,
        protocol::DeviceView,
        protocol::HostView,
        protocol::JoinRoom,
        protocol::JoinWaiting,
        protocol::KnownRoom,
        protocol::Me,
        protocol::MemberView,
        protocol::MembersView,
        protocol::Notice,
        protocol::PatchMe,
        protocol::PatchRoom,
        protocol::PlaybackState,
        protocol::PlaybackView,
        protocol::Playlist,
        protocol::Problem,
        protocol::QueueEntryView,
        protocol::QueueOrder,
        protocol::Role,
        protocol::RoomCard,
        protocol::RoomView,
        protocol::SavedTrack,
        protocol::ServerFrame,
        protocol::SettingsPatch,
        protocol::SettingsView,
        protocol::SkipRule,
        protocol::SkipState,
        protocol::SkipView,
        protocol::SkippedBy,
        protocol::TrackView,
        protocol::Update,
        protocol::WaitingView,
        protocol::You,
    ))
)]
struct Description;

/// Everything that is described.
fn described() -> OpenApiRouter<Parts> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(sign_in::login))
        .routes(routes!(sign_in::callback))
        .routes(routes!(sign_in::disconnect))
        .routes(routes!(me::show, me::change, me::forget))
        .routes(routes!(library::tracks))
        .routes(routes!(library::playlists))
        .routes(routes!(rooms::open))
        .routes(routes!(rooms::show, rooms::change, rooms::close))
        .routes(routes!(rooms::join))
        .routes(routes!(rooms::leave))
        .routes(routes!(rooms::command))
        .routes(routes!(rooms::devices))
        .routes(routes!(qr::show))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::show))
        .routes(routes!(describe))
}

/// The description of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    description::complete(described().split_for_parts().1)
}

/// The service: the API, the live connection, and the web app for every other path.
pub fn router(parts: Parts) -> Router {
    let security = SecurityHeaders::new(&parts.config);
    // The last layer is the first that a request meets.
    Router::from(described())
        .route("/auth/page.css", get(pages::style))
        .merge(crate::live::routes())
        .method_not_allowed_fallback(assets::method_not_allowed)
        .fallback(assets::serve)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state((parts.clone(), security), middleware::pass))
        .with_state(parts)
}

static DESCRIBED: LazyLock<bytes::Bytes> = LazyLock::new(|| openapi().to_json().unwrap_or_default().into());

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "service", responses(
    (status = 200, description = "OpenAPI 3.1.", content_type = "application/json"),
))]
async fn describe() -> Response {
    let text = bytes::Bytes::clone(&DESCRIBED);
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let words =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(words = words.unwrap_or("no words"), "http.panic");
    Problem::internal().into_response()
}
