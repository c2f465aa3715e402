//! Many gateways over one Redis: nothing is lost, nothing happens twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use acceptance::{Cluster, Person};
use anyhow::{Context, Result, ensure};
use kernel::{Entropy, SeededEntropy};
use protocol::{Code, CommandBody, Notice, PatchRoom, SkipState};
use room_client::EndReason;
use serde_json::{Value, json};

/// Everyone votes at once; whoever has lost the gateway has not voted.
async fn everyone_votes(people: &[Arc<Person>], epoch: u64) -> Result<()> {
    let votes: Vec<_> = people
        .iter()
        .map(Arc::clone)
        .map(|person| tokio::spawn(async move { person.does(CommandBody::VoteSkip { epoch }).await.is_ok() }))
        .collect();
    for vote in votes {
        vote.await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_room_is_the_same_at_every_gateway() -> Result<()> {
    let cluster = Cluster::of(2).await?;
    let ada = cluster.host(0, "host-1", "Everywhere").await?;
    let ben = cluster.guest(1, &ada.code, "Ben").await?;
    let cem = cluster.guest(0, &ada.code, "Cem").await?;
    ada.sees("three people", |room| room.members.online == 3).await?;
    ensure!(ben.track()? == ada.track()?);

    // What the host's own app does is seen everywhere.
    let before = ada.playback()?.epoch;
    cluster.spotify.app("host-1", &json!({ "act": "next" })).await?;
    let now = cluster.spotify.playing("host-1").await?;
    for person in [&ada, &ben, &cem] {
        let is = |room: &protocol::RoomView| {
            room.playback.epoch > before && room.playback.track.as_ref().is_some_and(|track| track.uri == now)
        };
        person.sees("the track that the app has chosen", is).await?;
    }

    // Votes at two gateways are one vote, and skip once.
    let epoch = ada.playback()?.epoch;
    ben.does(CommandBody::VoteSkip { epoch }).await?;
    cem.sees("Ben's vote", |room| room.skip.as_ref().is_some_and(|skip| skip.votes.len() == 1)).await?;
    cem.does(CommandBody::VoteSkip { epoch }).await?;
    for person in [&ada, &ben, &cem] {
        person.hears("why it ended", |notice| matches!(notice, Notice::Skipped { .. })).await?;
        person.sees("the next track", |room| room.playback.epoch > epoch).await?;
    }
    ensure!(cluster.spotify.done("host-1", "next").await? == vec![now]);

    // A command that is sent again at another gateway is answered again, and done once.
    let (rooms, name) = (ada.room()?.version, Some("Renamed".to_owned()));
    ada.visitor.patch_room(&ada.code, &PatchRoom { name, settings: None }).await?;
    ben.sees("the name", |room| room.name == "Renamed" && room.version > rooms).await?;

    // Who leaves here is gone there.
    cem.visitor
        .request(reqwest::Method::POST, &format!("/api/rooms/{}/leave", ada.code))?
        .send()
        .await?
        .error_for_status()?;
    ben.sees("two people", |room| room.members.total == 2).await?;
    Ok(())
}

#[tokio::test]
async fn whoever_writes_at_the_same_time_everyone_hears_it_all() -> Result<()> {
    const EMOJI: [&str; 8] = ["🎉", "🔥", "👏", "💃", "🕺", "🎶", "😍", "🙌"];
    let cluster = Cluster::of(2).await?;
    let ada = cluster.host(0, "host-1", "Applause").await?;
    let ben = cluster.guest(1, &ada.code, "Ben").await?;
    let cem = cluster.guest(0, &ada.code, "Cem").await?;
    let everyone = [&ada, &ben, &cem];
    let reactions = everyone.iter().flat_map(|person| {
        EMOJI.map(|emoji| async move { person.does(CommandBody::React { emoji: emoji.to_owned() }).await })
    });
    futures_util::future::try_join_all(reactions).await?;
    for person in everyone {
        let heard = Mutex::new(BTreeSet::new());
        let all = |notice: &Notice| {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            if let Notice::Reaction { member_id, emoji } = notice {
                heard.insert((member_id.clone(), emoji.clone()));
            }
            heard.len() == everyone.len() * EMOJI.len()
        };
        person.hears("every reaction", all).await?;
    }
    Ok(())
}

#[tokio::test]
async fn who_follows_a_room_need_not_read_it() -> Result<()> {
    const RENAMES: u64 = 30;
    let cluster = Cluster::of(2).await?;
    let ada = cluster.host(0, "host-1", "Busy").await?;
    let ben = cluster.guest(1, &ada.code, "Ben").await?;
    ada.sees("two people", |room| room.members.online == 2).await?;
    let reads = async || -> Result<u64> {
        let told = cluster.redis.info("commandstats", "cmdstat_hgetall").await?.context("rooms were read")?;
        let calls = told.strip_prefix("calls=").and_then(|rest| rest.split(',').next());
        Ok(calls.context("a count")?.parse()?)
    };
    let before = reads().await?;
    for number in 0..RENAMES {
        let name = format!("Busy {number}");
        let patch = PatchRoom { name: Some(name.clone()), settings: None };
        ensure!(
            ada.visitor.patch_room(&ada.code, &patch).await?.name == name,
            "a change is answered with it"
        );
        ben.sees("the name", |room| room.name == name).await?;
    }
    let read = reads().await? - before;
    ensure!(read < RENAMES / 2, "{read} reads for {RENAMES} versions");
    Ok(())
}

#[tokio::test]
async fn a_death_is_the_end_of_nothing() -> Result<()> {
    let mut cluster = Cluster::of(2).await?;
    let ada = cluster.host(0, "host-1", "Survivors").await?;
    let ben = cluster.guest(1, &ada.code, "Ben").await?;
    // The gateway that conducts: the host was there first.
    cluster.kill(0).await?;
    let ada = cluster.moves(&ada, 1).await?;
    let before = ada.playback()?.epoch;
    cluster.spotify.app("host-1", &json!({ "act": "next" })).await?;
    ben.sees("what another conductor sees", |room| room.playback.epoch > before).await?;
    let me = ada.me().await?;
    ensure!(me.spotify.is_some_and(|account| account.id == "host-1" && !account.needs_login));
    ada.votes().await?;
    ben.sees("her vote", |room| room.skip.as_ref().is_some_and(|skip| skip.votes.len() == 1)).await?;
    Ok(())
}

#[tokio::test]
async fn who_is_sent_out_or_forgotten_hears_no_more_at_any_gateway() -> Result<()> {
    let cluster = Cluster::of(2).await?;
    let ada = cluster.host(0, "host-1", "Doors").await?;
    let ben = cluster.guest(1, &ada.code, "Ben").await?;
    let cem = cluster.guest(0, &ada.code, "Cem").await?;
    let ended = async |person: &Person| {
        let ended = tokio::time::timeout(acceptance::SOON, person.live.ended_because());
        ended.await.context("the connection stays")
    };
    ada.does(CommandBody::RemoveMember { member_id: ben.me().await?.member_id }).await?;
    ensure!(ended(&ben).await? == EndReason::Removed);
    // Gone by their own will, at another gateway than the one that the connection is at.
    let dan = cluster.guest(1, &ada.code, "Dan").await?;
    let elsewhere = dan.visitor.at(cluster.url(0)?);
    let leave = format!("/api/rooms/{}/leave", ada.code);
    elsewhere.request(reqwest::Method::POST, &leave)?.send().await?.error_for_status()?;
    ensure!(ended(&dan).await? == EndReason::Left);
    // Forgotten there.
    let elsewhere = cem.visitor.at(cluster.url(1)?);
    elsewhere.request(reqwest::Method::DELETE, "/api/me")?.send().await?.error_for_status()?;
    ensure!(ended(&cem).await? == EndReason::NoSession);
    ada.sees("one person", |room| room.members.total == 1).await?;
    Ok(())
}

/// What may go wrong with the request that skips, while its gateway dies.
fn fault(entropy: &SeededEntropy) -> (&'static str, Value) {
    let next = json!({ "method": "POST", "path": "/v1/me/player/next" });
    let delay = 20 + u64::from(entropy.below(600));
    match entropy.below(4) {
        0 => ("nothing", json!([])),
        1 => ("slow", json!([{ "match": next, "kind": "delay", "delay_ms": delay, "times": 1 }])),
        2 => (
            "slow answer",
            json!([{ "match": next, "kind": "delay", "delay_ms": delay, "times": 1, "before_effect": false }]),
        ),
        _ => (
            "slow look",
            json!([{ "match": { "method": "GET", "path": "/v1/me/player" }, "kind": "delay",
                     "delay_ms": delay, "times": 1 }]),
        ),
    }
}

/// How often a gateway dies in the middle of a skip.
const DEATHS: usize = 8;

#[tokio::test]
async fn a_gateway_that_dies_in_the_middle_of_a_skip_skips_at_most_once() -> Result<()> {
    let mut cluster = Cluster::of(2).await?;
    let host = cluster.host(1, "host-1", "Watcher").await?;
    let guests = [
        Arc::new(cluster.guest(1, &host.code, "Ben").await?),
        Arc::new(cluster.guest(1, &host.code, "Cem").await?),
    ];
    let entropy = SeededEntropy::new(3);
    for round in 0..DEATHS {
        // The one that conducts dies: after each death, the other does. The people are at the one that lives on.
        let (dying, living) = (round % 2, (round + 1) % 2);
        let address = cluster.url(dying)?.trim_start_matches("http://").to_owned();
        let host = cluster.moves(&host, living).await?;
        let mut people = Vec::new();
        for guest in &guests {
            people.push(Arc::new(cluster.moves(guest, living).await?));
        }
        let room = host.sees("an open ballot", |room| {
            room.playback.is_playing && room.skip.as_ref().is_some_and(|skip| skip.state == SkipState::Open)
        });
        let room = room.await.with_context(|| format!("round {round}"))?;
        let (epoch, ballot) = (room.playback.epoch, room.skip.context("a ballot")?.ballot);
        let track = room.playback.track.context("a track")?.uri;
        let before = cluster.spotify.done("host-1", "next").await?.len();
        let (kind, faults) = fault(&entropy);
        cluster.spotify.faults(&faults).await?;
        everyone_votes(&people, epoch).await?;
        // Some turns of the simulator go by, so that the death comes at another step each time.
        for _ in 0..entropy.below(12) {
            cluster.spotify.player("host-1").await?;
        }
        cluster.kill(dying).await?;
        let settled = host.sees("how it went", |room| {
            room.playback.epoch > epoch || room.skip.as_ref().is_some_and(|skip| skip.ballot > ballot)
        });
        let context = format!("round {round}: {kind}");
        let settled = settled.await.with_context(|| context.clone())?;
        let done = cluster.spotify.done("host-1", "next").await?.split_off(before);
        ensure!(done.len() <= 1, "a second skip; {context}");
        ensure!(done.iter().all(|uri| *uri == track), "a skip of a track nobody voted on; {context}");
        ensure!((settled.playback.epoch > epoch) == (done.len() == 1), "told otherwise than done; {context}");
        cluster.spotify.faults(&json!([])).await?;
        cluster.revive(dying, &address).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_redis_that_hangs_refuses_and_heals() -> Result<()> {
    let cluster = Cluster::as_shipped(1).await?;
    let ada = cluster.host(0, "host-1", "Patience").await?;
    let epoch = ada.playback()?.epoch;
    let ready = format!("{}/readyz", cluster.url(0)?);
    cluster.redis.hang().await?;
    let refused = ada.does(CommandBody::VoteSkip { epoch }).await.err().context("refused")?;
    ensure!(refused.code() == Some(Code::StoreUnavailable), "{refused:?}");
    ensure!(cluster.http.get(&ready).send().await?.status() == 503);
    // What is in memory can still be read.
    ensure!(ada.room()?.code == ada.code);
    cluster.redis.go_on().await?;
    let heals = async {
        while !cluster.http.get(&ready).send().await?.status().is_success() {}
        anyhow::Ok(())
    };
    tokio::time::timeout(acceptance::SOON, heals).await??;
    ada.votes().await?;
    Ok(())
}

#[tokio::test]
async fn a_refresh_happens_once_however_many_ask() -> Result<()> {
    let cluster = Cluster::of(3).await?;
    let ada = cluster.host(0, "host-1", "Once").await?;
    let tokens = cluster.spotify.get("tokens").await?;
    let count = |tokens: &Value| {
        let items = tokens["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter(|token| token["kind"] == "access").count()
    };
    let before = count(&tokens);
    // Spotify's clock runs ahead, and no longer takes the token; everybody notices at once.
    cluster.spotify.advance(3_700_000).await?;
    let mut asking = tokio::task::JoinSet::new();
    for n in 0..60 {
        let visitor = ada.visitor.at(cluster.url(n % 3)?);
        let path = format!("/api/rooms/{}/devices", ada.code);
        asking.spawn(async move { visitor.get::<Value>(&path).await.is_ok() });
    }
    while asking.join_next().await.is_some() {}
    let after = count(&cluster.spotify.get("tokens").await?);
    ensure!(after == before + 1, "{} refreshes", after - before);
    Ok(())
}
