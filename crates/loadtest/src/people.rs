//! Hosts, rooms and members, made over HTTP.

use anyhow::{Context, Result, bail};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Admission, RoomView, SettingsPatch, SkipRule};
use room_client::web::{self, Joined, Visitor, WebError};

use crate::swarm::Seat;

/// A host may have 20 rooms (`PARLOR_MAX_ROOMS_PER_HOST`), and each has one player.
const ROOMS_PER_HOST: usize = 20;
/// How often somebody tries again who is told to (503), and how soon: what `Retry-After` says then.
const AGAIN: (u32, Duration) = (20, Duration::from_secs(1));
/// How often it is looked whether a room shows what plays, and how soon again.
const PLAYS: (u32, Duration) = (180, Duration::from_secs(1));
/// Joins under way at the same time.
const AT_ONCE: usize = 16;

/// The rooms, each with its host's seat.
pub(crate) async fn rooms(server: &str, count: usize) -> Result<Vec<(String, Seat)>> {
    let http = web::client()?;
    let hosts = count.div_ceil(ROOMS_PER_HOST);
    let of_host = |host: usize| {
        let http = http.clone();
        async move {
            let mut visitor = patiently(async || Visitor::new(http.clone(), server).await).await?;
            let user = format!("host-{}", host + 1);
            visitor.sign_in(&user).await.with_context(|| format!("sign-in of {user}"))?;
            let mut rooms = Vec::new();
            for room in host * ROOMS_PER_HOST..count.min((host + 1) * ROOMS_PER_HOST) {
                let code =
                    patiently(async || visitor.create_room(&format!("Room {room}"), Some(settings())).await)
                        .await?
                        .code;
                let seat = seat(room, &code, &visitor)?;
                rooms.push((code, seat));
            }
            anyhow::Ok((visitor, rooms))
        }
    };
    let of_hosts: Vec<_> = stream::iter(0..hosts).map(of_host).buffered(4).try_collect().await?;
    for (host, rooms) in &of_hosts {
        for (code, _) in rooms {
            plays(host, code).await?;
        }
    }
    Ok(of_hosts.into_iter().flat_map(|(_, rooms)| rooms).collect())
}

/// Waits until the room shows what plays: an app may ask Spotify so often and no more, and there is nothing to vote on
/// before.
async fn plays(host: &Visitor, code: &str) -> Result<()> {
    for _ in 0..PLAYS.0 {
        let room: RoomView = host.get(&format!("/api/rooms/{code}")).await?;
        if room.playback.track.is_some() {
            return Ok(());
        }
        tokio::time::sleep(PLAYS.1).await;
    }
    bail!("room {code} shows nothing that plays")
}

/// Nobody waits to be let in, and no vote ever skips: all who count would have to agree.
fn settings() -> SettingsPatch {
    SettingsPatch {
        admission: Some(Admission::Open),
        skip_rule: Some(SkipRule::Share { value: 1.0, at_least: 1_000 }),
        ..SettingsPatch::default()
    }
}

/// `each` members for every room, beside the host, each with a session of its own.
pub(crate) async fn members(server: &str, rooms: &[(String, Seat)], each: usize) -> Result<Vec<Seat>> {
    let http = web::client()?;
    let join = |(room, code): (usize, &str)| {
        let (http, code) = (http.clone(), code.to_owned());
        async move {
            let visitor = patiently(async || Visitor::new(http.clone(), server).await).await?;
            match patiently(async || visitor.join(&code, None).await).await? {
                Joined::Member(_) => seat(room, &code, &visitor),
                Joined::Waiting => bail!("a member of {code} is made to wait although admission is open"),
            }
        }
    };
    let wanted =
        rooms.iter().enumerate().flat_map(|(room, (code, _))| (0..each).map(move |_| (room, code.as_str())));
    stream::iter(wanted).map(join).buffer_unordered(AT_ONCE).try_collect().await
}

/// Does it again for as long as the server asks to come back later.
async fn patiently<T>(mut act: impl AsyncFnMut() -> Result<T, WebError>) -> Result<T, WebError> {
    for _ in 0..AGAIN.0 {
        match act().await {
            Err(WebError::Problem(problem)) if problem.status == 503 => tokio::time::sleep(AGAIN.1).await,
            result => return result,
        }
    }
    act().await
}

fn seat(room: usize, code: &str, visitor: &Visitor) -> Result<Seat> {
    Ok(Seat {
        server: 0,
        room,
        path: format!("/api/rooms/{code}/live"),
        bearer: visitor.bearer()?.to_owned(),
    })
}
