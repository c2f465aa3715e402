//! One skip per ballot, whatever goes wrong: never a second `next`, never one without quorum, never one for a track that
//! nobody voted on.

use std::sync::Arc;

use acceptance::{Person, World};
use anyhow::{Context, Result, ensure};
use kernel::{Entropy, SeededEntropy};
use protocol::{CommandBody, SkipState};
use serde_json::{Value, json};

/// Everyone votes at the same time, each twice.
async fn everyone_votes(guests: &[Arc<Person>], epoch: u64) -> Result<()> {
    let votes: Vec<_> = guests
        .iter()
        .flat_map(|guest| [Arc::clone(guest), Arc::clone(guest)])
        .map(|guest| tokio::spawn(async move { guest.does(CommandBody::VoteSkip { epoch }).await.is_ok() }))
        .collect();
    for vote in votes {
        vote.await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_hundred_last_votes_skip_once() -> Result<()> {
    let world = World::demo().await?;
    let host = world.host("host-1", "Crowd").await?;
    let open = protocol::SettingsPatch { admission: Some(protocol::Admission::Open), ..Default::default() };
    host.sets(open).await?;
    let mut guests = Vec::new();
    for n in 0..100 {
        guests.push(Arc::new(world.guest(&host.code, &format!("Guest {n}")).await?));
    }
    let (epoch, gone) = (host.playback()?.epoch, host.track()?);
    everyone_votes(&guests, epoch).await?;
    host.sees("the next track", |room| room.playback.epoch > epoch).await?;
    for guest in &guests {
        guest.sees("the next track", |room| room.playback.epoch > epoch).await?;
    }
    ensure!(world.spotify.done("host-1", "next").await? == vec![gone]);
    Ok(())
}

/// What may go wrong with the request that skips.
fn fault(kind: u32, entropy: &SeededEntropy) -> Value {
    let delay_ms = 50 + u64::from(entropy.below(400));
    let next = json!({ "path": "/v1/me/player/next" });
    match kind {
        0 => json!([]),
        1 => json!([{ "match": next, "kind": "reset", "times": 1, "before_effect": false }]),
        2 => json!([{ "match": next, "kind": "reset", "times": 1 }]),
        3 => json!([{ "match": next, "kind": "status", "status": 500, "times": 1, "before_effect": false }]),
        4 => json!([{ "match": next, "kind": "status", "status": 502, "times": 1 }]),
        5 => json!([{ "match": next, "kind": "status", "status": 401, "times": 1 }]),
        6 => {
            json!([{ "match": next, "kind": "status", "status": 429, "times": 1, "headers": { "Retry-After": "1" } }])
        }
        7 => json!([{ "match": next, "kind": "delay", "delay_ms": delay_ms, "times": 1 }]),
        8 => {
            json!([{ "match": next, "kind": "delay", "delay_ms": delay_ms, "times": 1, "before_effect": false }])
        }
        9 => json!([{ "match": next, "kind": "status", "status": 429, "times": 1, "before_effect": false,
                      "headers": { "Retry-After": "1" } }]),
        _ => json!([{ "match": next, "kind": "status", "status": 403, "times": 1, "body": {
            "error": { "status": 403, "message": "Player command failed: Restriction violated", "reason": "UNKNOWN" } } }]),
    }
}

/// Plays rounds of votes under faults on a host of its own, and checks each.
async fn rounds(world: &World, user: &str, seed: u64, rounds: usize) -> Result<()> {
    let entropy = SeededEntropy::new(seed);
    let host = world.host(user, "Trouble").await?;
    let mut guests = Vec::new();
    for n in 0..3 {
        guests.push(Arc::new(world.guest(&host.code, &format!("Guest {n}")).await?));
    }
    for round in 0..rounds {
        let done_before = world.spotify.done(user, "next").await?.len();
        let room = host.sees("an open ballot", |room| {
            room.playback.is_playing && room.skip.as_ref().is_some_and(|skip| skip.state == SkipState::Open)
        });
        let room = room.await.with_context(|| format!("seed {seed}, round {round}"))?;
        let (epoch, ballot) = (room.playback.epoch, room.skip.context("a ballot")?.ballot);
        let track = room.playback.track.context("a track")?.uri;
        let kind = entropy.below(11);
        world.spotify.faults(&fault(kind, &entropy)).await?;
        everyone_votes(&guests, epoch).await?;
        // Either the track has gone, or the room was told that it has not and a new ballot is open.
        let settled = host.sees("how it went", |room| {
            room.playback.epoch > epoch || room.skip.as_ref().is_some_and(|skip| skip.ballot > ballot)
        });
        let settled = settled.await.with_context(|| format!("seed {seed}, round {round}, fault {kind}"))?;
        let done = world.spotify.done(user, "next").await?.split_off(done_before);
        let context = format!("seed {seed}, round {round}, fault {kind}: {done:?}");
        ensure!(done.len() <= 1, "a second skip; {context}");
        ensure!(done.iter().all(|uri| *uri == track), "a skip of a track nobody voted on; {context}");
        ensure!(
            (settled.playback.epoch > epoch) == (done.len() == 1),
            "what the room was told is not what happened; {context}"
        );
        world.spotify.faults(&json!([])).await?;
    }
    Ok(())
}

/// A fixed sample of plans; each prints its seed where it fails.
#[tokio::test]
async fn whatever_goes_wrong_a_ballot_skips_at_most_once() -> Result<()> {
    let world = World::demo().await?;
    rounds(&world, "host-9", 9, 40).await
}
