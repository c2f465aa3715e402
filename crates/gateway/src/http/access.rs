//! The proofs that handlers take: a session, a seat in a room, a room of one's own. Without them no handler reaches a
//! session's or a room's data.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, OptionalFromRequestParts, Path};
use http::request;
use kernel::{AccountId, MemberId, RoomCode};
use protocol::Code;
use rooms::{Role, Room, Standing};

use super::problem::Problem;
use crate::Parts;
use crate::hub::RoomHandle;
use crate::sessions::Caller;

impl FromRequestParts<Parts> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, parts: &Parts) -> Result<Self, Problem> {
        parts.sessions.find(&request.headers).await?.ok_or_else(Problem::no_session)
    }
}

impl OptionalFromRequestParts<Parts> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        request: &mut request::Parts,
        parts: &Parts,
    ) -> Result<Option<Self>, Problem> {
        Ok(parts.sessions.find(&request.headers).await?)
    }
}

/// The code in the path, as far as it can be one.
#[derive(Clone, Debug)]
pub(super) struct NamedCode(pub Option<RoomCode>);

impl FromRequestParts<Parts> for NamedCode {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, parts: &Parts) -> Result<Self, Problem> {
        let text: Result<Path<String>, PathRejection> =
            <Path<String> as FromRequestParts<Parts>>::from_request_parts(request, parts).await;
        Ok(Self(text.ok().and_then(|Path(text)| text.parse().ok())))
    }
}

/// A person in a room, or one who waits to be let in.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// Who.
    pub caller: Caller,
    /// The room.
    pub room: RoomHandle,
    /// What the person may do there.
    pub role: Role,
    /// Whether it is in, or waits.
    pub standing: Standing,
}

/// A member of a room, let in.
#[derive(Clone, Debug)]
pub(super) struct Member(pub Seat);

/// The host of a room.
#[derive(Clone, Debug)]
pub(super) struct Host(pub Seat);

impl FromRequestParts<Parts> for Seat {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, parts: &Parts) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<Parts>>::from_request_parts(request, parts).await?;
        let NamedCode(code) = NamedCode::from_request_parts(request, parts).await?;
        let code = code.ok_or_else(Problem::no_such_room)?;
        let room = parts.hub.room(&code).await?.ok_or_else(Problem::no_such_room)?;
        let (role, standing) = room.read(|room| seat_in(room, &caller.session.member))?;
        Ok(Self { caller, room, role, standing })
    }
}

impl FromRequestParts<Parts> for Member {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, parts: &Parts) -> Result<Self, Problem> {
        let seat = Seat::from_request_parts(request, parts).await?;
        if seat.standing == Standing::Admitted {
            return Ok(Self(seat));
        }
        Err(Problem::new(Code::NotAdmitted, "You have not been let in yet."))
    }
}

impl FromRequestParts<Parts> for Host {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, parts: &Parts) -> Result<Self, Problem> {
        let Member(seat) = Member::from_request_parts(request, parts).await?;
        if seat.role == Role::Host {
            return Ok(Self(seat));
        }
        Err(Problem::new(Code::NotAllowed, "Only the host can do that here."))
    }
}

/// What the person is in the room. To others than its members, a room that does not exist, is closed, or has banned
/// them is one and the same.
pub fn seat_in(room: &Room, member: &MemberId) -> Result<(Role, Standing), Problem> {
    let found = room.member(member).filter(|member| member.standing != Standing::Banned);
    let found = found.ok_or_else(Problem::no_such_room)?;
    match (room.closed_at(), found.standing) {
        (Some(_), Standing::Admitted) => Err(Problem::room_closed()),
        (Some(_), Standing::Waiting | Standing::Banned) => Err(Problem::no_such_room()),
        (None, standing) => Ok((found.role, standing)),
    }
}

/// A person with a Spotify account that can be asked.
#[derive(Clone, Debug)]
pub(super) struct Connected {
    /// Who.
    pub caller: Caller,
    /// The account.
    pub account: AccountId,
    /// What is stored about it.
    pub grant: auth::Grant,
}

impl FromRequestParts<Parts> for Connected {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, parts: &Parts) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<Parts>>::from_request_parts(request, parts).await?;
        let account = caller.session.account.clone().ok_or_else(Problem::spotify_required)?;
        let grant = grant_of(parts, &account).await?.filter(auth::Grant::live);
        let grant = grant.ok_or_else(Problem::spotify_required)?;
        Ok(Self { caller, account, grant })
    }
}

/// What is stored about an account.
pub(crate) async fn grant_of(parts: &Parts, account: &AccountId) -> Result<Option<auth::Grant>, Problem> {
    let Some(row) = parts.store.accounts.grant_get(account).await? else { return Ok(None) };
    auth::Grant::from_bytes(&row.data).map(Some).ok_or_else(|| {
        tracing::error!(%account, "account.grant cannot be read");
        Problem::internal()
    })
}
