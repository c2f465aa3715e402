//! Connecting an account to a person, and disconnecting it.

use auth::{Grant, Profile, Redeemed, Session, SessionSecret, TokenSet};
use axum::extract::State;
use http::StatusCode;
use kernel::{AccountId, MemberId, Secret};
use rooms::Role;
use spotify_api::TokenAnswer;
use store::GrantRow;

use super::words::Trouble;
use crate::Parts;
use crate::http::me::{forget_account, forget_account_unless_used, forget_rooms, rooms_of};
use crate::http::problem::Problem;
use crate::sessions::Caller;

/// Exchanges the code, asks whose it is, and stores both. Nothing is stored unless all of it was answered. The session
/// gets a new secret.
pub(super) async fn connect(
    parts: Parts,
    redeemed: Redeemed,
    code: Secret<String>,
    caller: Option<Caller>,
) -> Result<SessionSecret, Trouble> {
    let client = parts.spotify.client();
    let app = parts.spotify.app(&redeemed.client_id);
    let answer = client.exchange(&app, &code, &redeemed.redirect_uri, &redeemed.verifier).await?;
    let profile = client.me(&answer.access).await?;
    let account: AccountId = profile.link_id().parse().map_err(|_| Trouble::Away(10))?;

    let now = parts.clock.now();
    let stranger = || {
        let member = MemberId::generate(parts.entropy.as_ref());
        let name = auth::default_name(parts.entropy.as_ref());
        Session { name: Some(name), ..Session::new(member, now) }
    };
    let before = caller.as_ref().map_or_else(stranger, |caller| caller.session.as_ref().clone());
    // A person that has another account already is another host.
    let taken = parts.sessions.accounts_of(&before.member).await?.iter().any(|own| *own != account);
    let owner = parts.sessions.claim(&account, &if taken { stranger() } else { before.clone() }).await?;
    let tokens = TokenSet::from_answer(in_our_words(answer), &redeemed.client_id, now);
    if let Err(error) = store_grant(&parts, &account, profile, &tokens).await {
        if owner.new {
            parts.sessions.disclaim(&account).await?;
        }
        return Err(error);
    }
    let mut session = before.signed_in(account.clone(), owner.member.clone(), now);
    if owner.member != before.member {
        session.name = owner.name.or(session.name);
    }
    let (secret, _) = parts.sessions.rotate(caller.as_ref().map(|caller| &caller.hash), session).await?;
    parts.tokens.forget(&account);
    tidy(&parts, &before, &owner.member, &account, caller.as_ref()).await;
    resume_rooms(&parts, &owner.member, &account).await;
    Ok(secret)
}

async fn store_grant(
    parts: &Parts,
    account: &AccountId,
    profile: spotify_api::model::Profile,
    tokens: &TokenSet,
) -> Result<(), Trouble> {
    let earlier = parts.store.accounts.grant_get(account).await?;
    let generation = earlier.as_ref().map_or(1, |row| row.generation + 1);
    let known = earlier.and_then(|row| Grant::from_bytes(&row.data)).and_then(|grant| grant.premium);
    // That it had none may be the reason for signing in again.
    let known = known.filter(|premium| *premium);
    let premium = profile.product.as_deref().map(|product| product == "premium").or(known);
    let profile =
        Profile { spotify_id: profile.id, display_name: profile.display_name, image_url: profile.image_url };
    let entropy = parts.entropy.as_ref();
    // Sealed for this generation; that the store may give the row a greater one is noted beside the seal.
    let mut grant = Grant::connect(profile, tokens, &parts.vault, entropy, account, generation);
    grant.premium = premium;
    let row = GrantRow { account: account.clone(), generation, data: grant.to_bytes() };
    parts.store.accounts.grant_put(row).await?;
    Ok(())
}

fn in_our_words(answer: TokenAnswer) -> auth::Answer {
    let TokenAnswer { access, refresh, expires_in_ms, scopes } = answer;
    auth::Answer { access, refresh, expires_in_ms, scopes }
}

/// Puts away what the session was before: the account that it had, where nobody uses that any more, and the guest that
/// it was in rooms, where the account's person is another. It can be left undone; the sign-in stands.
async fn tidy(
    parts: &Parts,
    before: &Session,
    member: &MemberId,
    account: &AccountId,
    caller: Option<&Caller>,
) {
    let Some(caller) = caller else { return };
    if let Some(former) = before.account.as_ref().filter(|former| *former != account)
        && let Err(problem) = forget_account_unless_used(parts, former, &caller.hash, &before.member).await
    {
        tracing::warn!(?problem, "sign_in.tidy left the former account");
    }
    let alone = match parts.sessions.of_member(&before.member).await {
        Ok(rows) => before.member != *member && rows.is_empty(),
        Err(_) => false,
    };
    if alone && let Err(problem) = forget_rooms(parts, &before.member, false).await {
        tracing::warn!(?problem, "sign_in.tidy left the former guest");
    }
}

/// The rooms of the host play again.
async fn resume_rooms(parts: &Parts, member: &MemberId, account: &AccountId) {
    let rooms = match rooms_of(parts, member).await {
        Ok(rooms) => rooms,
        Err(problem) => {
            tracing::warn!(?problem, "sign_in.resume found no rooms");
            return;
        }
    };
    for known in rooms.into_iter().filter(|known| known.role == Role::Host) {
        if let Err(error) = known.room.host_connected(account).await {
            tracing::warn!(%error, room = %known.room.code(), "sign_in.resume failed");
        }
    }
}

/// Deletes the tokens and everything that came from the Spotify account, in every browser that is signed in with it.
#[utoipa::path(post, path = "/auth/disconnect", tag = "sign-in", responses(
    (status = 204, description = "Disconnected, or never connected."),
    (status = 401, description = "No session.", body = protocol::Problem),
))]
pub(in crate::http) async fn disconnect(
    State(parts): State<Parts>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let Some(account) = &caller.session.account else { return Ok(StatusCode::NO_CONTENT) };
    forget_account(&parts, account, &caller.session.member).await?;
    let signed_out = |session: &mut Session| *session = session.signed_out();
    for row in parts.sessions.of_account(account).await? {
        parts.sessions.edit(&row.hash, signed_out).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
