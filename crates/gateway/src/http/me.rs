//! The person who asks: name, account, rooms; and being forgotten.

use auth::Vault;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use kernel::{AccountId, MemberId, RoomCode, Timestamp};
use protocol::{Account, DemoInfo, KnownRoom, Me, PatchMe};
use rooms::{Command, Role};

use super::access::{grant_of, seat_in};
use super::body::Json;
use super::problem::Problem;
use super::rooms::{is_gone, json, name_of};
use crate::Parts;
use crate::hub::{Failure, RoomHandle};
use crate::sessions::{Caller, clear_cookie, display_name, set_cookie};
use crate::wire;

/// Who the caller is; makes a session where there is none.
#[utoipa::path(get, path = "/api/me", operation_id = "show_me", tag = "me", responses(
    (status = 200, description = "Who you are, what you have connected, your rooms.", body = Me),
))]
pub(super) async fn show(State(parts): State<Parts>, caller: Option<Caller>) -> Result<Response, Problem> {
    let Some(caller) = caller else {
        let (secret, caller) = parts.sessions.make().await?;
        let mut response = json(StatusCode::OK, &describe(&parts, &caller).await?);
        let names = parts.sessions.names();
        let cookie = set_cookie(names, names.session, &secret.expose_text(), auth::SESSION_LIFE_MS / 1000);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        return Ok(response);
    };
    Ok(json(StatusCode::OK, &describe(&parts, &caller).await?))
}

/// Changes the name shown to others.
#[utoipa::path(patch, path = "/api/me", operation_id = "change_me", tag = "me", request_body = PatchMe, responses(
    (status = 200, description = "Who you are now.", body = Me),
    (status = 400, description = "`name` is wrong.", body = protocol::Problem),
    (status = 401, description = "No session.", body = protocol::Problem),
))]
pub(super) async fn change(
    State(parts): State<Parts>,
    caller: Caller,
    Json(asked): Json<PatchMe>,
) -> Result<Response, Problem> {
    let name = name_of("name", &asked.name)?;
    let member = caller.session.member.clone();
    let mut session = caller.session;
    for row in parts.sessions.of_member(&member).await? {
        let renamed = parts.sessions.edit(&row.hash, |session| session.name = Some(name.clone())).await?;
        if row.hash == caller.hash {
            session = renamed.ok_or_else(Problem::no_session)?;
        }
    }
    parts.sessions.rename_owner(&member, &name).await?;
    for known in rooms_of(&parts, &member).await? {
        match known.room.perform(&member, Command::Rename { name: name.clone() }).await {
            // One that waits at the door keeps the name that it knocked with.
            Ok(_) | Err(Failure::Refused(_)) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(json(StatusCode::OK, &describe(&parts, &Caller { session, ..caller }).await?))
}

/// Forgets the session and all that is stored about it.
#[utoipa::path(delete, path = "/api/me", operation_id = "forget_me", tag = "me", responses(
    (status = 204, description = "Forgotten."),
    (status = 401, description = "No session.", body = protocol::Problem),
))]
pub(super) async fn forget(State(parts): State<Parts>, caller: Caller) -> Result<Response, Problem> {
    let member = &caller.session.member;
    let _turn = parts.sessions.turn(member).await;
    // The last browser of a person takes everything along.
    if parts.sessions.of_member(member).await?.iter().all(|row| row.hash == caller.hash) {
        forget_rooms(&parts, member, true).await?;
        // One that was disconnected, and kept for the sake of the rooms.
        for account in parts.sessions.accounts_of(member).await? {
            parts.sessions.disclaim(&account).await?;
        }
    }
    if let Some(account) = &caller.session.account {
        forget_account_unless_used(&parts, account, &caller.hash, member).await?;
    }
    parts.sessions.end(&caller.hash).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let names = parts.sessions.names();
    response.headers_mut().append(header::SET_COOKIE, clear_cookie(names, names.session));
    Ok(response)
}

/// Takes a person out of its rooms. Rooms that it hosts are closed where `close` says so, and left alone otherwise.
pub(super) async fn forget_rooms(parts: &Parts, member: &MemberId, close: bool) -> Result<(), Problem> {
    for code in parts.store.rooms.memberships(member).await? {
        let Some(room) = parts.hub.room(&code).await? else {
            parts.store.rooms.membership_delete(member, &code).await?;
            continue;
        };
        let hosts = room.read(|room| room.host() == member && room.closed_at().is_none());
        if hosts && !close {
            continue;
        }
        if hosts {
            match room.perform(member, Command::Close).await {
                Ok(_) => {}
                Err(Failure::Refused(refusal)) if is_gone(&refusal) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        room.forget(member).await?;
        parts.store.rooms.membership_delete(member, &code).await?;
    }
    Ok(())
}

/// Deletes an account and its tokens, unless another session than `but` is signed in with it.
pub(super) async fn forget_account_unless_used(
    parts: &Parts,
    account: &AccountId,
    but: &store::Hash,
    member: &MemberId,
) -> Result<(), Problem> {
    let used = parts.sessions.of_account(account).await?.iter().any(|row| row.hash != *but);
    if used { Ok(()) } else { forget_account(parts, account, member).await }
}

/// Deletes an account and its tokens for good: a refresh in flight cannot bring them back, because it replaces a row
/// that is not there any more. The rooms that it played in fall silent.
pub(super) async fn forget_account(
    parts: &Parts,
    account: &AccountId,
    member: &MemberId,
) -> Result<(), Problem> {
    parts.store.accounts.grant_delete(account).await?;
    parts.tokens.forget(account);
    let hosted = hosted_with(parts, account, member).await?;
    if hosted.is_empty() {
        parts.sessions.disclaim(account).await?;
    }
    for room in hosted {
        room.host_silenced().await?;
    }
    Ok(())
}

/// The open rooms that the person hosts with that account.
async fn hosted_with(
    parts: &Parts,
    account: &AccountId,
    member: &MemberId,
) -> Result<Vec<RoomHandle>, Problem> {
    let hosted = rooms_of(parts, member).await?.into_iter().filter(|known| known.role == Role::Host);
    Ok(hosted.map(|known| known.room).filter(|room| room.read(|room| room.account() == account)).collect())
}

/// A room that a person is in.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) room: RoomHandle,
    pub(super) role: Role,
}

/// The rooms that a person is in, in order of code.
pub(super) async fn rooms_of(parts: &Parts, member: &MemberId) -> Result<Vec<Known>, Problem> {
    let mut known = Vec::new();
    for code in parts.store.rooms.memberships(member).await? {
        match parts.hub.room(&code).await {
            Ok(Some(room)) => {
                if let Ok((role, rooms::Standing::Admitted)) = room.read(|room| seat_in(room, member)) {
                    known.push(Known { room, role });
                }
            }
            Ok(None) => forget_membership(parts, member, &code).await,
            // One damaged room is no reason to show none.
            Err(crate::hub::HubError::Corrupt | crate::hub::HubError::Gone) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(known)
}

async fn forget_membership(parts: &Parts, member: &MemberId, code: &RoomCode) {
    if let Err(error) = parts.store.rooms.membership_delete(member, code).await {
        tracing::warn!(%error, "membership.delete failed");
    }
}

async fn describe(parts: &Parts, caller: &Caller) -> Result<Me, Problem> {
    let session = &caller.session;
    let spotify = match &session.account {
        Some(account) => {
            grant_of(parts, account).await?.map(|grant| account_view(grant, &parts.vault, account))
        }
        None => None,
    };
    let mut rooms: Vec<(Timestamp, KnownRoom)> = rooms_of(parts, &session.member)
        .await?
        .into_iter()
        .map(|known| {
            let (name, created_at) = known.room.read(|room| (room.name().to_owned(), room.created_at()));
            let code = known.room.code().to_string();
            (created_at, KnownRoom { code, name, role: wire::role(known.role) })
        })
        .collect();
    rooms.sort_by(|(one, _), (other, _)| other.cmp(one));
    let player_url = |origin: &String| format!("{origin}/player");
    Ok(Me {
        member_id: session.member.to_string(),
        name: display_name(session).to_owned(),
        spotify,
        rooms: rooms.into_iter().map(|(_, room)| room).collect(),
        demo: parts.config.demo_spotify.as_ref().map(|origin| DemoInfo { player_url: player_url(origin) }),
    })
}

fn account_view(grant: auth::Grant, vault: &Vault, account: &AccountId) -> Account {
    Account {
        connected_at: grant.connected_at.as_millis(),
        authorization_ends_at: grant.authorization_ends_at().as_millis(),
        // Live, but sealed with a key that this process does not have, is of no use either.
        needs_login: grant.tokens(vault, account).is_err(),
        id: grant.profile.spotify_id,
        display_name: grant.profile.display_name,
        image_url: grant.profile.image_url,
        client_id: grant.client_id,
        scopes: grant.scopes,
        premium: grant.premium,
    }
}
