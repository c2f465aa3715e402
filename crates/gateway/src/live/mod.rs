//! The live connection: who may have one, and what is said over it.

mod listener;
mod rate;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, header};
use kernel::RoomCode;
use protocol::{Code, PROTOCOL_VERSION, ServerFrame, You};
use rooms::Standing;
use serde::Deserialize;
use tokio::sync::Semaphore;

pub use sessions::LiveSessions;

use crate::http::{Problem, may_guess, seat_in, wrong_guess};
use crate::hub::{RoomHandle, frame};
use crate::net::{Handshake, HandshakeError};
use crate::parts::ClientAddr;
use crate::sessions::{Caller, display_name};
use crate::{Parts, wire};
use listener::Listener;

/// Handshakes that are looked into at once. When a gateway has died, all who were there come within half a second: let in
/// together they would keep the tasks that hear the store's answers waiting, until those answers were too late.
const AT_ONCE: usize = 64;

/// The turns of handshakes: one is taken for as long as a handshake is looked into.
#[derive(Debug)]
pub struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

/// The live connection's route.
pub fn routes() -> Router<Parts> {
    Router::new().route("/api/rooms/{code}/live", get(upgrade))
}

#[derive(Deserialize)]
pub(crate) struct Resume {
    #[serde(default)]
    since: Option<u64>,
}

/// Begins the live connection: a WebSocket, on which `ServerFrame` and `ClientFrame` are spoken.
///
/// Everything that could be refused is refused while it can be said over HTTP.
#[utoipa::path(get, path = "/api/rooms/{code}/live", tag = "rooms", params(
    ("code" = String, Path,), ("since" = Option<u64>, Query, description = "The version that the client has."),
), responses(
    (status = 101, description = "The connection is open."),
    (status = 401, description = "No session.", body = protocol::Problem),
    (status = 403, description = "Not let in yet, or asked for by a foreign page.", body = protocol::Problem),
    (status = 404, description = "No such room, as far as the caller may know.", body = protocol::Problem),
    (status = 410, description = "The room was closed.", body = protocol::Problem),
    (status = 426, description = "This is a WebSocket.", body = protocol::Problem),
    (status = 429, description = "Too many connections, or too many wrong codes.", body = protocol::Problem),
))]
pub(crate) async fn upgrade(
    State(parts): State<Parts>,
    Extension(from): Extension<ClientAddr>,
    axum::extract::Path(code): axum::extract::Path<String>,
    resume: Result<Query<Resume>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Response {
    match admit(&parts, from, &code, request).await {
        Ok((handshake, caller, room)) => {
            let since = resume.ok().and_then(|Query(resume)| resume.since);
            let response = handshake.response().map(|_| axum::body::Body::empty());
            parts.tracker.clone().spawn(async move {
                // A client that has gone meanwhile is nobody to talk to.
                if let Ok(upgraded) = handshake.complete().await {
                    begin(&parts, upgraded, &caller, room, since).await;
                }
            });
            response
        }
        Err(problem) => problem,
    }
}

async fn admit(
    parts: &Parts,
    from: ClientAddr,
    code: &str,
    request: Request,
) -> Result<(Handshake, Caller, RoomHandle), Response> {
    let (head, _) = request.into_parts();
    let handshake = Handshake::accept(&head).map_err(not_upgraded)?;
    // Nobody closes it.
    let _turn = parts.turns.0.acquire().await;
    if !parts.readiness.is_ready() {
        let problem = Problem::new(Code::NotReady, "The process starts or stops.").retry_after_ms(1_000);
        return Err(problem.into_response());
    }
    let caller =
        parts.sessions.find(&head.headers).await.map_err(|error| Problem::from(error).into_response())?;
    let caller = caller.ok_or_else(|| Problem::no_session().into_response())?;
    let seat = seat(parts, code, &caller).await;
    match seat {
        Ok((room, Standing::Admitted)) if room.has_seat_for(&caller.session.member) => {
            Ok((handshake, caller, room))
        }
        Ok((_, Standing::Admitted)) => {
            let problem = Problem::new(
                Code::TooManyRequests,
                "You have as many live connections here as one may have.",
            );
            Err(problem.into_response())
        }
        Ok(_) => Err(Problem::new(Code::NotAdmitted, "You have not been let in yet.").into_response()),
        // A stranger's wrong code is a guess, wherever it is said.
        Err(problem) if problem.code() == Code::NoSuchRoom => Err(match may_guess(parts, from).await {
            Ok(()) => wrong_guess(parts, from).await.into_response(),
            Err(problem) => problem.into_response(),
        }),
        Err(problem) => Err(problem.into_response()),
    }
}

async fn seat(parts: &Parts, code: &str, caller: &Caller) -> Result<(RoomHandle, Standing), Problem> {
    let code: RoomCode = code.parse().map_err(|_| Problem::no_such_room())?;
    let room = parts.hub.room(&code).await?.ok_or_else(Problem::no_such_room)?;
    let (_, standing) = room.read(|room| seat_in(room, &caller.session.member))?;
    Ok((room, standing))
}

fn not_upgraded(error: HandshakeError) -> Response {
    let code = match error {
        HandshakeError::Version | HandshakeError::NotUpgrade | HandshakeError::Method => {
            Code::UpgradeRequired
        }
        HandshakeError::Key | HandshakeError::Unable => Code::BadRequest,
    };
    let mut response = Problem::new(code, format!("This is the live connection: {error}.")).into_response();
    if code == Code::UpgradeRequired {
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
}

async fn begin(
    parts: &Parts,
    upgraded: crate::net::Upgraded,
    caller: &Caller,
    room: RoomHandle,
    since: Option<u64>,
) {
    let member = caller.session.member.clone();
    if let Some(since) = since {
        room.caught_up(since).await;
    }
    // Removed, or the room closed, between the answer and now: the greeting is followed by the farewell.
    let you = room.read(|room| {
        room.member(&member).filter(|found| found.standing == Standing::Admitted).map(|found| You {
            member_id: member.to_string(),
            name: found.name.clone(),
            role: wire::role(found.role),
        })
    });
    let removed = you.is_none();
    let hello = frame(&ServerFrame::Hello {
        protocol: PROTOCOL_VERSION,
        you: you.unwrap_or_else(|| You {
            member_id: member.to_string(),
            name: display_name(&caller.session).to_owned(),
            role: protocol::Role::Guest,
        }),
        server_time: parts.clock.now().as_millis(),
        heartbeat_ms: parts.config.heartbeat_ms,
    });
    let listener = Arc::new(Listener {
        room: room.clone(),
        member: member.clone(),
        session: caller.hash,
        sessions: Arc::clone(&parts.live),
        clock: Arc::clone(&parts.clock),
        rate: parts.live.rate(caller.hash, room.code(), parts.clock.now()),
    });
    let opened = parts.sockets.open(upgraded, listener);
    let connection = Arc::clone(opened.connection());
    parts.live.add(caller.hash, &connection);
    let seated = !removed && room.seat(&connection, &member, hello.clone(), since);
    if !seated {
        connection.send(hello);
    }
    opened.start();
    if removed {
        connection.close(protocol::CloseCode::Removed, "You are no longer in this room.", None);
    } else if !seated {
        let message = "You have as many live connections here as one may have.";
        connection.close(protocol::CloseCode::TooMany, message, Some(10_000));
    }
    // The session may have ended between its look-up and the entry in the list above.
    if matches!(parts.sessions.get(&caller.hash).await, Ok(None)) {
        connection.close(protocol::CloseCode::NoSession, "This session has ended.", None);
    }
}
