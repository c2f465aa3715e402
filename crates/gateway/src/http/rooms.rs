//! Rooms: opening, looking, joining, leaving, changing, closing, commanding.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kernel::RoomCode;
use protocol::{Code, CommandResult, CreateRoom, DeviceView, JoinRoom, JoinWaiting, List, PatchRoom};
use rooms::{Admission, Command, JoinOutcome, Opening, Reason, Refusal, Role, Room, Settings, Standing};
use spotify_api::Purpose;

use super::access::{Connected, Host, Member, NamedCode, Seat, seat_in};
use super::body::{Json, JsonObject, MaybeJson};
use super::guesses::{may_guess, wrong_guess};
use super::problem::Problem;
use crate::Parts;
use crate::hub::RoomHandle;
use crate::parts::ClientAddr;
use crate::sessions::{Caller, display_name, set_cookie};
use crate::wire::{self, UnknownKeys};

/// Codes drawn for one room before giving up: with codes this short, the first is taken once in years.
const DRAWS: usize = 8;
/// Says that the answer is what was last known: a boolean of RFC 9651.
const STALE: HeaderName = HeaderName::from_static("parlor-stale");
/// Commands over HTTP that one member may send to a room within [`COMMANDS_WINDOW_MS`].
const COMMANDS: u64 = 20;
const COMMANDS_WINDOW_MS: u64 = 10_000;

/// Opens a room.
#[utoipa::path(post, path = "/api/rooms", tag = "rooms", request_body = CreateRoom, responses(
    (status = 201, description = "The room.", body = protocol::RoomView, headers(("Location" = String))),
    (status = 400, description = "A key is wrong.", body = protocol::Problem),
    (status = 401, description = "No session.", body = protocol::Problem),
    (status = 403, description = "`spotify_required`.", body = protocol::Problem),
    (status = 409, description = "`too_many_rooms`.", body = protocol::Problem),
))]
pub(super) async fn open(
    State(parts): State<Parts>,
    host: Connected,
    Json(asked): Json<CreateRoom>,
) -> Result<Response, Problem> {
    let name = name_of("name", &asked.name)?;
    let settings = settings(&Settings::default(), asked.settings.unwrap_or_default())?;
    let member = host.caller.session.member.clone();
    let _turn = parts.sessions.turn(&member).await;
    if hosted(&parts, &host.caller).await? >= parts.config.max_rooms_per_host {
        return Err(Problem::new(
            Code::TooManyRooms,
            "You have as many rooms as a host may have. Close one.",
        ));
    }
    for _ in 0..DRAWS {
        let code = RoomCode::generate(parts.entropy.as_ref(), parts.config.code_length);
        let opening = Opening {
            code: code.clone(),
            name: name.clone(),
            host: member.clone(),
            host_name: display_name(&host.caller.session).to_owned(),
            account: host.account.clone(),
            settings: settings.clone(),
        };
        parts.store.rooms.membership_put(&member, &code).await?;
        match parts.hub.create(opening).await {
            Ok(Some(room)) => {
                let mut response = (StatusCode::CREATED, whole(&parts, &room)).into_response();
                if let Ok(location) = HeaderValue::from_str(&format!("/api/rooms/{code}")) {
                    response.headers_mut().insert(header::LOCATION, location);
                }
                return Ok(response);
            }
            Ok(None) => parts.store.rooms.membership_delete(&member, &code).await?,
            // It may have been stored all the same: the membership stays, and the room has the last word.
            Err(error) => return Err(error.into()),
        }
    }
    tracing::error!("room.create found no free code");
    Err(Problem::internal())
}

/// How many rooms the person hosts.
async fn hosted(parts: &Parts, caller: &Caller) -> Result<usize, Problem> {
    let rooms = super::me::rooms_of(parts, &caller.session.member).await?;
    Ok(rooms.iter().filter(|room| room.role == Role::Host).count())
}

/// The room for a member, its card for everyone else with the code.
#[utoipa::path(get, path = "/api/rooms/{code}", operation_id = "show_room", tag = "rooms", params(("code" = String, Path,)), responses(
    (status = 200, description = "The whole room for a member, the public card for others. With `Parlor-Stale: ?1` \
        while the store does not answer: the room as it was last known.", body = RoomOrCard),
    (status = 404, description = "No such room, as far as the caller may know.", body = protocol::Problem),
    (status = 410, description = "Closed, to those who were members.", body = protocol::Problem),
    (status = 429, description = "Too many wrong codes.", body = protocol::Problem),
))]
pub(super) async fn show(
    State(parts): State<Parts>,
    from: ClientAddr,
    code: NamedCode,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = parts.sessions.find(&headers).await?;
    let (room, seated) = look_in(&parts, from, code, caller.as_ref()).await?;
    Ok(if seated { whole(&parts, &room) } else { json(StatusCode::OK, &room.read(wire::card)) })
}

/// What `GET /api/rooms/{code}` answers.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the answer; the room is sent as it was encoded for everybody")]
pub(super) enum RoomOrCard {
    Room(Box<protocol::RoomView>),
    Card(Box<protocol::RoomCard>),
}

/// The room of a code that somebody names, and whether the caller is in it. Whoever is not may see it only where it
/// takes newcomers, and may not guess for long.
pub(super) async fn look_in(
    parts: &Parts,
    from: ClientAddr,
    NamedCode(code): NamedCode,
    caller: Option<&Caller>,
) -> Result<(RoomHandle, bool), Problem> {
    let room = match &code {
        Some(code) => parts.hub.room(code).await?,
        None => None,
    };
    if let (Some(room), Some(caller)) = (&room, caller) {
        match room.read(|room| seat_in(room, &caller.session.member)) {
            Ok((_, Standing::Admitted)) => return Ok((room.clone(), true)),
            Err(problem) if problem.code() == Code::RoomClosed => return Err(problem),
            Ok(_) | Err(_) => {}
        }
    }
    may_guess(parts, from).await?;
    let open = |room: &Room| is_open_to(room, caller, parts.config.max_members);
    match room {
        Some(room) if room.read(open) => Ok((room, false)),
        Some(_) | None => Err(wrong_guess(parts, from).await),
    }
}

/// Whether someone who is not in the room may know of it.
fn is_open_to(room: &Room, caller: Option<&Caller>, max_members: usize) -> bool {
    let known = caller.and_then(|caller| room.member(&caller.session.member));
    let waits_still = room.settings().admission != Admission::Locked;
    match known.map(|member| member.standing) {
        _ if room.closed_at().is_some() => false,
        Some(Standing::Banned) => false,
        Some(Standing::Waiting) if waits_still => true,
        Some(Standing::Waiting | Standing::Admitted) | None => room.takes_newcomers(max_members),
    }
}

/// Joins a room.
#[utoipa::path(post, path = "/api/rooms/{code}/join", tag = "rooms", params(("code" = String, Path,)),
    request_body = JoinRoom, responses(
    (status = 200, description = "The room.", body = protocol::RoomView),
    (status = 202, description = "To be let in by the host or a moderator.", body = JoinWaiting),
    (status = 404, description = "No such room, as far as the caller may know.", body = protocol::Problem),
    (status = 410, description = "Closed, to those who were members.", body = protocol::Problem),
    (status = 429, description = "Too many wrong codes.", body = protocol::Problem),
))]
pub(super) async fn join(
    State(parts): State<Parts>,
    from: ClientAddr,
    code: NamedCode,
    caller: Option<Caller>,
    MaybeJson(asked): MaybeJson<JoinRoom>,
) -> Result<Response, Problem> {
    let name = asked.name.as_deref().map(|name| name_of("name", name)).transpose()?;
    let (room, seated) = look_in(&parts, from, code, caller.as_ref()).await?;
    let (caller, secret) = if let Some(caller) = caller {
        (caller, None)
    } else {
        let (secret, caller) = parts.sessions.make().await?;
        (caller, Some(secret))
    };
    let member = &caller.session.member;
    if !seated {
        parts.store.rooms.membership_put(member, room.code()).await?;
    }
    let called = name.as_deref().unwrap_or_else(|| display_name(&caller.session));
    let mut response = match room.join(member, called).await? {
        JoinOutcome::Joined | JoinOutcome::Member => whole(&parts, &room),
        JoinOutcome::Waiting => {
            json(StatusCode::ACCEPTED, &JoinWaiting { card: room.read(wire::card), waiting: true })
        }
        JoinOutcome::Closed => return Err(Problem::room_closed()),
        JoinOutcome::NoSuchRoom => {
            // It filled up or was locked in this very moment.
            if secret.is_some() {
                parts.sessions.end(&caller.hash).await?;
            }
            return Err(wrong_guess(&parts, from).await);
        }
    };
    if let Some(name) = name.filter(|name| !seated && caller.session.name.as_ref() != Some(name)) {
        parts.sessions.edit(&caller.hash, |session| session.name = Some(name)).await?;
    }
    if let Some(secret) = secret {
        let names = parts.sessions.names();
        let cookie = set_cookie(names, names.session, &secret.expose_text(), auth::SESSION_LIFE_MS / 1000);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Leaves a room.
#[utoipa::path(post, path = "/api/rooms/{code}/leave", tag = "rooms", params(("code" = String, Path,)), responses(
    (status = 204, description = "Left."),
    (status = 404, description = "No such room, as far as the caller may know.", body = protocol::Problem),
))]
pub(super) async fn leave(State(parts): State<Parts>, seat: Seat) -> Result<StatusCode, Problem> {
    let member = &seat.caller.session.member;
    seat.room.perform(member, Command::Leave).await?;
    if seat.role != Role::Host {
        parts.store.rooms.membership_delete(member, seat.room.code()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the room's name or settings.
#[utoipa::path(patch, path = "/api/rooms/{code}", operation_id = "change_room", tag = "rooms", params(("code" = String, Path,)),
    request_body = PatchRoom, responses(
    (status = 200, description = "The room.", body = protocol::RoomView),
    (status = 400, description = "A key is wrong.", body = protocol::Problem),
    (status = 403, description = "Only the host can.", body = protocol::Problem),
))]
pub(super) async fn change(
    State(parts): State<Parts>,
    Host(seat): Host,
    Json(asked): Json<PatchRoom>,
) -> Result<Response, Problem> {
    let name = asked.name.as_deref().map(|name| name_of("name", name)).transpose()?;
    let patch = asked.settings.map(wire::settings_patch);
    if let Some(patch) = &patch {
        seat.room.read(|room| room.settings().patched(patch.clone())).map_err(|bad| bad_setting(&bad))?;
    }
    if name.is_some() || patch.is_some() {
        let command = Command::Change { name, settings: patch.map(Box::new) };
        seat.room.perform(&seat.caller.session.member, command).await?;
    }
    Ok(whole(&parts, &seat.room))
}

/// Closes the room.
#[utoipa::path(delete, path = "/api/rooms/{code}", tag = "rooms", params(("code" = String, Path,)), responses(
    (status = 204, description = "Closed. Its members hear of it."),
    (status = 403, description = "Only the host can.", body = protocol::Problem),
))]
pub(super) async fn close(Host(seat): Host) -> Result<StatusCode, Problem> {
    seat.room.perform(&seat.caller.session.member, Command::Close).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Carries out a command.
#[utoipa::path(post, path = "/api/rooms/{code}/commands", tag = "rooms", params(("code" = String, Path,)),
    request_body = protocol::CommandBody, responses(
    (status = 200, description = "Stored.", body = CommandResult),
    (status = "4XX", description = "Refused, with the refusal's code.", body = protocol::Problem),
))]
pub(super) async fn command(
    State(parts): State<Parts>,
    Member(seat): Member,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let member = &seat.caller.session.member;
    let now = parts.clock.now();
    let window = format!("commands/{}/{member}", seat.room.code());
    let (count, until) = parts.store.limits.limit_count(&window, COMMANDS_WINDOW_MS, now).await?;
    if count > COMMANDS {
        return Err(
            Problem::new(Code::TooFast, "Too many commands. Wait a little.").retry_after_ms(until.since(now))
        );
    }
    if object.len() == 1 && object.get("type").is_some_and(|kind| kind == "ping") {
        let version = seat.room.read(Room::version);
        return Ok(json(StatusCode::OK, &CommandResult { version }));
    }
    let command = wire::parse_command(&object, UnknownKeys::Refused)
        .map_err(|bad| Problem::new(Code::BadCommand, bad.0))?;
    let version = seat.room.perform(member, command).await?;
    Ok(json(StatusCode::OK, &CommandResult { version }))
}

/// The host's devices.
#[utoipa::path(get, path = "/api/rooms/{code}/devices", tag = "rooms", params(("code" = String, Path,)), responses(
    (status = 200, description = "The host's Spotify Connect devices.", body = List<DeviceView>),
    (status = 403, description = "Only the host can.", body = protocol::Problem),
    (status = 503, description = "Spotify does not answer, or asks to wait.", body = protocol::Problem),
))]
pub(super) async fn devices(State(parts): State<Parts>, Host(seat): Host) -> Result<Response, Problem> {
    let account = seat.room.read(|room| room.account().clone());
    let items: Vec<DeviceView> =
        parts.spotify.devices(&account, Purpose::Act).await?.iter().map(wire::device).collect();
    let total = Some(items.len() as u64);
    Ok(json(StatusCode::OK, &List { items, total }))
}

fn settings(from: &Settings, patch: protocol::SettingsPatch) -> Result<Settings, Problem> {
    from.patched(wire::settings_patch(patch)).map_err(|bad| bad_setting(&bad))
}

fn bad_setting(bad: &rooms::BadSetting) -> Problem {
    Problem::bad_request(format!("settings.{}: it takes {}.", bad.key, bad.takes))
}

/// A name as it may be shown, or an error that names the key.
pub(super) fn name_of(key: &str, text: &str) -> Result<String, Problem> {
    auth::name::parse(text)
        .map(auth::DisplayName::into_string)
        .map_err(|error| Problem::bad_request(format!("{key}: {error}.")))
}

/// The whole room, as it was encoded for everybody; marked where the store is away, so that it may have changed.
fn whole(parts: &Parts, room: &RoomHandle) -> Response {
    let mut response = raw_json(StatusCode::OK, room.room_json());
    if parts.pulse.is_away() {
        response.headers_mut().insert(STALE, HeaderValue::from_static("?1"));
    }
    response
}

pub(super) fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    serde_json::to_vec(value)
        .map_or_else(|_| Problem::internal().into_response(), |bytes| raw_json(status, bytes.into()))
}

fn raw_json(status: StatusCode, bytes: Bytes) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What a room answers to those who have left it while they asked.
pub(super) fn is_gone(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::RoomClosed | Reason::NotAllowed)
}
