//! One wave: all rooms vote, each is held at its step, the fault strikes, and what everybody wrote down is gathered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use acceptance::tick;
use anyhow::{Context, Result};
use protocol::{CommandBody, RoomView, SkipState};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::arena::Arena;
use super::check::carries;
use super::journal::{At, ClientJournal, Fault, RoomJournal, Told, WaveJournal, What};
use super::plan::{GATEWAYS, Link, Round, Scenario, Step, Target, Votes, Wave};
use super::rooms::Room;
use super::strike::{SLOW, mend, now, strike};

/// Rooms that have not come to their steps by then are struck where they are: the holds end soon after.
const REACH: Duration = Duration::from_millis(1_800);
/// A ballot that is not settled in this time never is. What is unknown is told within 10 s of the fault's end.
const SETTLE: Duration = Duration::from_secs(45);
/// A room that is not at rest in this time never is.
const REST: Duration = Duration::from_secs(45);

/// How far a wave is; rooms begin to vote, or to vote on, with a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Early,
    Late,
    Struck,
}

/// What was so before the first vote.
struct Before {
    room: Arc<RoomView>,
    acts: usize,
    calls: Calls,
    stored: Stored,
}

/// Calls for an account: `next` by status, and refreshes that were granted.
#[derive(Clone, Debug, Default)]
struct Calls {
    nexts: BTreeMap<u16, u64>,
    refreshes: u64,
}

/// What the store has of a room.
#[derive(Clone, Copy, Debug, Default)]
struct Stored {
    fence: u64,
    generation: u64,
    version: u64,
}

/// Plays the wave, and gives what everybody saw.
pub(super) async fn play(arena: &mut Arena, rooms: &[Arc<Room>], wave: &Wave) -> Result<WaveJournal> {
    let befores = ready(arena, rooms).await?;
    for room in rooms {
        for client in &room.clients {
            client.take_journal();
        }
    }
    let told = arena.told().await?;
    let gateways = gateways(wave.target, rooms, &told);
    if wave.slow_store {
        arena.set(Link::Store, &gateways, SLOW)?;
    }
    arena.spotify.faults(&holds(rooms, wave)).await?;

    let stages = watch::Sender::new(Stage::Early);
    let mut voting = JoinSet::new();
    let mut settling = JoinSet::new();
    for (nth, (room, round)) in rooms.iter().zip(&wave.rounds).enumerate() {
        let begins = if is_late(wave.scenario, *round) { Stage::Late } else { Stage::Early };
        let votes =
            vote(Arc::clone(room), *round, Arc::clone(&befores[nth].room), begins, stages.subscribe());
        voting.spawn(async move { (nth, votes.await) });
        let settles = settle(Arc::clone(room), *round, Arc::clone(&befores[nth].room));
        settling.spawn(async move { (nth, settles.await) });
    }
    let all = |step_of: Stage| {
        rooms
            .iter()
            .zip(&wave.rounds)
            .zip(&befores)
            .filter(move |((_, round), _)| is_late(wave.scenario, **round) == (step_of == Stage::Late))
    };
    let mut cut_at = None;
    if wave.scenario == Scenario::Failover {
        reach(all(Stage::Early)).await;
        arena.store.replicated()?.cut();
        cut_at = Some(now());
        stages.send_replace(Stage::Late);
        let cut = Instant::now();
        reach(all(Stage::Late)).await;
        // The fault's own duration: so long the replica hears nothing.
        tokio::time::sleep(Duration::from_millis(wave.ms).saturating_sub(cut.elapsed())).await;
    } else {
        stages.send_replace(Stage::Late);
        if wave.slow_store {
            reach_one(rooms, &befores).await;
        } else {
            reach(rooms.iter().zip(&wave.rounds).zip(&befores)).await;
        }
    }
    let survived = if wave.scenario == Scenario::Failover {
        let replica = &arena.store.replicated()?.replica;
        stored(replica, rooms).await?.into_iter().map(|stored| Some(stored.version)).collect()
    } else {
        vec![None; rooms.len()]
    };
    stages.send_replace(Stage::Struck);
    let mut fault = strike(arena, wave, &gateways).await?;
    fault.from = cut_at.unwrap_or(fault.from);
    mend(arena, wave.scenario).await?;
    let journal = Gathered { wave, befores, survived, fault };
    journal.gather(arena, rooms, voting, settling).await
}

/// All rooms as before any fault, and what is so then.
async fn ready(arena: &Arena, rooms: &[Arc<Room>]) -> Result<Vec<Before>> {
    arena.spotify.faults(&json!([])).await?;
    let mut befores = Vec::new();
    // At the same time: each waits for its conductor.
    let readies = rooms.iter().map(|room| room.ready(arena));
    let readies: Vec<Arc<RoomView>> = futures_util::future::try_join_all(readies).await?;
    let stored = stored(arena.store.primary(), rooms).await?;
    for ((room, ready), stored) in rooms.iter().zip(readies).zip(stored) {
        let (_, acts) = room.acts(arena, usize::MAX).await?;
        befores.push(Before { room: ready, acts, calls: calls(arena, &room.user).await?, stored });
    }
    Ok(befores)
}

/// What Spotify says where it asks to wait, in seconds.
const WAIT_S: &str = "2";

/// What holds each room at its step: the simulator's slowness.
fn holds(rooms: &[Arc<Room>], wave: &Wave) -> Value {
    let slow = rooms.iter().zip(&wave.rounds).enumerate().filter_map(|(nth, (room, round))| {
        let next = json!({ "method": "POST", "path": "/v1/me/player/next", "user": room.user });
        let look = json!({ "method": "GET", "path": "/v1/me/player", "user": room.user });
        if wave.limited == Some(nth) {
            return Some(json!({ "match": next, "kind": "status", "status": 429, "times": 1,
                                "headers": { "Retry-After": WAIT_S } }));
        }
        let (of, before_effect) = match round.step {
            Step::Claimed => (look, true),
            Step::Sent => (next, true),
            Step::Done => (next, false),
            Step::Voting | Step::Answered => return None,
        };
        (round.hold_ms > 0).then(|| {
            json!({ "match": of, "kind": "delay", "delay_ms": round.hold_ms, "times": 1,
                    "before_effect": before_effect })
        })
    });
    Value::Array(slow.collect())
}

/// Whether the room votes only once the replica hears nothing: its votes are to be lost.
const fn is_late(scenario: Scenario, round: Round) -> bool {
    matches!(scenario, Scenario::Failover) && matches!(round.step, Step::Voting | Step::Claimed)
}

/// The gateways that are struck.
fn gateways(target: Target, rooms: &[Arc<Room>], told: &[Vec<(At, Told)>]) -> Vec<usize> {
    match target {
        Target::All => (0..GATEWAYS).collect(),
        Target::Nth(nth) => vec![nth],
        Target::Busiest => {
            let mut conducts = [0; GATEWAYS];
            for room in rooms {
                let reigns = told.iter().enumerate().flat_map(|(gateway, told)| {
                    told.iter().filter_map(move |(_, told)| {
                        let Told::Conducts { room, fence } = told else { return None };
                        Some((room, *fence, gateway))
                    })
                });
                let newest = reigns.filter(|(of, ..)| **of == room.code).max_by_key(|(_, fence, _)| *fence);
                if let Some((.., gateway)) = newest {
                    conducts[gateway] += 1;
                }
            }
            let busiest = (0..GATEWAYS).max_by_key(|gateway| conducts[*gateway]);
            busiest.into_iter().collect()
        }
    }
}

/// The people of a room vote.
async fn vote(
    room: Arc<Room>,
    round: Round,
    before: Arc<RoomView>,
    begins: Stage,
    mut stage: watch::Receiver<Stage>,
) -> Result<()> {
    stage.wait_for(|stage| *stage >= begins).await?;
    let epoch = before.playback.epoch;
    let (votes, unvotes) = (CommandBody::VoteSkip { epoch }, CommandBody::UnvoteSkip { epoch });
    let [host, one, other] = room.clients.as_slice() else { anyhow::bail!("three people") };
    let waits = round.step == Step::Voting;
    let struck = async |mut stage: watch::Receiver<Stage>| {
        if waits {
            stage.wait_for(|stage| *stage == Stage::Struck).await?;
        }
        anyhow::Ok(())
    };
    match round.votes {
        Votes::Carry(people) => {
            let first = one.does(votes.clone());
            let rest = async {
                struck(stage).await?;
                let second = other.does(votes.clone());
                let third = async {
                    if people > 2 {
                        host.does(votes.clone()).await?.ok();
                    }
                    anyhow::Ok(())
                };
                let (second, third) = tokio::join!(second, third);
                second?.ok();
                third
            };
            let (first, rest) = tokio::join!(first, rest);
            first?.ok();
            rest?;
        }
        Votes::Short => drop(one.does(votes).await?),
        Votes::Withdrawn => {
            one.does(votes.clone()).await?.ok();
            one.does(unvotes).await?.ok();
            struck(stage).await?;
            other.does(votes).await?.ok();
        }
        Votes::Twice => {
            let (first, second) = tokio::join!(one.does(votes.clone()), async {
                struck(stage).await?;
                one.does(votes.clone()).await
            });
            first?.ok();
            second?.ok();
        }
    }
    Ok(())
}

/// Whether the ballot of `before` is over: its track has gone, or another ballot is open on it.
fn is_settled(before: &RoomView, now: &RoomView) -> bool {
    let ballot = |room: &RoomView| room.skip.as_ref().map_or(0, |skip| skip.ballot);
    now.playback.epoch > before.playback.epoch || ballot(now) > ballot(before)
}

/// Waits until anyone sees the ballot settled: when. Where it cannot carry, it is settled at rest.
async fn settle(room: Arc<Room>, round: Round, before: Arc<RoomView>) -> (At, Option<String>) {
    if !carries(round.votes) {
        return (At::MAX, None);
    }
    let seen = room.clients.iter().map(|client| {
        Box::pin(client.stands(
            |stand| stand.room.as_ref().is_some_and(|room| is_settled(&before, room)),
            SETTLE + REACH,
        ))
    });
    match futures_util::future::select_ok(seen).await {
        Ok(_) => (now(), None),
        Err(_) => (now(), Some(format!("not settled: {}", room.describe()))),
    }
}

type Watched<'a> = ((&'a Arc<Room>, &'a Round), &'a Before);

/// Waits until each of these rooms is at its step, or for as long as they can be held.
async fn reach<'a>(rooms: impl Iterator<Item = Watched<'a>>) {
    let rooms: Vec<Watched<'_>> = rooms.collect();
    let all = async {
        while !rooms.iter().all(|((room, round), before)| is_at(room, **round, &before.room)) {
            tick().await;
        }
    };
    // In vain: then they are struck where they are.
    let _ = timeout(REACH, all).await;
}

/// Waits until others see of one room that Spotify is being asked.
async fn reach_one(rooms: &[Arc<Room>], befores: &[Before]) {
    let one = async {
        let sent = |(room, before): (&Arc<Room>, &Before)| {
            sees(room, |now| {
                is_settled(&before.room, now)
                    || now.skip.as_ref().is_some_and(|skip| skip.state == SkipState::Sent)
            })
        };
        while !rooms.iter().zip(befores).any(sent) {
            tick().await;
        }
    };
    let _ = timeout(REACH * 2, one).await;
}

fn sees(room: &Room, is: impl Fn(&RoomView) -> bool) -> bool {
    room.clients.iter().any(|client| client.stand().room.is_some_and(|room| is(&room)))
}

fn is_at(room: &Room, round: Round, before: &RoomView) -> bool {
    let state = |wanted: &[SkipState]| {
        sees(room, |now| {
            is_settled(before, now) || now.skip.as_ref().is_some_and(|skip| wanted.contains(&skip.state))
        })
    };
    let acting = [SkipState::Sent, SkipState::Confirmed, SkipState::Unknown, SkipState::Refused];
    let voted = || sees(room, |now| now.skip.as_ref().is_some_and(|skip| !skip.votes.is_empty()));
    match (carries(round.votes), round.step) {
        (false, _) | (true, Step::Voting) => voted() || sees(room, |now| is_settled(before, now)),
        (true, Step::Claimed) => state(&[&acting[..], &[SkipState::Claimed]].concat()),
        (true, Step::Sent | Step::Done) => state(&acting),
        (true, Step::Answered) => state(&acting[1..]),
    }
}

/// What is needed to gather the rest.
struct Gathered<'a> {
    wave: &'a Wave,
    befores: Vec<Before>,
    survived: Vec<Option<u64>>,
    fault: Fault,
}

type Voting = JoinSet<(usize, Result<()>)>;
type Settling = JoinSet<(usize, (At, Option<String>))>;

/// A refresh that was granted a moment ago is stored within this.
const STORED: Duration = Duration::from_secs(5);

impl Gathered<'_> {
    /// What is stored once the refreshes that were counted are, where they are at all.
    async fn stored_after(
        &self,
        arena: &Arena,
        rooms: &[Arc<Room>],
        called: &[Calls],
    ) -> Result<Vec<Stored>> {
        let until = Instant::now() + STORED;
        loop {
            let stored = stored(arena.store.primary(), rooms).await?;
            let is_behind = self.befores.iter().zip(&stored).zip(called).any(|((before, stored), called)| {
                stored.generation < before.stored.generation + called.refreshes
            });
            if !is_behind || Instant::now() >= until {
                return Ok(stored);
            }
            tick().await;
        }
    }

    /// Waits until all is settled and at rest, and takes everybody's journal.
    async fn gather(
        self,
        arena: &mut Arena,
        rooms: &[Arc<Room>],
        mut voting: Voting,
        mut settling: Settling,
    ) -> Result<WaveJournal> {
        let mut settled: Vec<(At, Option<String>)> = vec![(At::MAX, None); rooms.len()];
        while let Some(done) = settling.join_next().await {
            let (nth, how) = done?;
            settled[nth] = how;
        }
        let unanswered = timeout(REST, async {
            while let Some(done) = voting.join_next().await {
                done?.1?;
            }
            anyhow::Ok(())
        });
        let unanswered = unanswered.await.is_err();
        arena.spotify.faults(&json!([])).await?;
        let rests = futures_util::future::join_all(rooms.iter().map(|room| room.at_rest(REST))).await;
        let mut called = Vec::new();
        for (room, before) in rooms.iter().zip(&self.befores) {
            called.push(calls(arena, &room.user).await?.since(&before.calls));
        }
        let stored = self.stored_after(arena, rooms, &called).await?;
        let gateways = arena.told().await?;
        let mut journals = Vec::new();
        for (nth, (served, restless)) in rests.into_iter().enumerate() {
            let (room, before) = (&rooms[nth], &self.befores[nth]);
            let clients: Vec<ClientJournal> = room
                .clients
                .iter()
                .map(|client| ClientJournal { member: client.member.clone(), entries: client.take_journal() })
                .collect();
            let voted_at = first_vote(&clients).unwrap_or(At::MAX);
            let settled_at = if settled[nth].0 == At::MAX { now() } else { settled[nth].0 };
            let (acts, _) = room.acts(arena, before.acts).await?;
            let calls = std::mem::take(&mut called[nth]);
            let stale = unanswered.then(|| "a vote was never answered".to_owned());
            journals.push(RoomJournal {
                code: room.code.clone(),
                user: room.user.clone(),
                round: self.wave.rounds[nth],
                before: Arc::clone(&before.room),
                clients,
                acts,
                nexts: calls.nexts,
                refreshes: calls.refreshes,
                generations: vec![before.stored.generation, stored[nth].generation],
                fences: vec![before.stored.fence, stored[nth].fence],
                survived: self.survived[nth],
                served,
                unsettled: settled[nth].1.clone().or(restless).or(stale),
                voted_at,
                settled_at,
            });
        }
        Ok(WaveJournal { fault: self.fault, rooms: journals, gateways })
    }
}

fn first_vote(clients: &[ClientJournal]) -> Option<At> {
    let entries = clients.iter().flat_map(|client| &client.entries);
    entries.filter(|entry| matches!(entry.what, What::Sent(..))).map(|entry| entry.at).min()
}

impl Calls {
    fn since(mut self, before: &Self) -> Self {
        for (status, count) in &mut self.nexts {
            *count -= before.nexts.get(status).copied().unwrap_or(0).min(*count);
        }
        self.nexts.retain(|_, count| *count > 0);
        self.refreshes = self.refreshes.saturating_sub(before.refreshes);
        self
    }
}

async fn calls(arena: &Arena, user: &str) -> Result<Calls> {
    let counted = arena.spotify.get(&format!("calls?user={user}")).await?;
    let by = counted["by"].as_array().context("a list")?;
    let mut calls = Calls::default();
    for call in by {
        let status = call["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
        let count = call["count"].as_u64().unwrap_or(0);
        match call["path"].as_str() {
            Some("/v1/me/player/next") => *calls.nexts.entry(status).or_default() += count,
            Some("/api/token") if status == 200 => calls.refreshes += count,
            _ => {}
        }
    }
    Ok(calls)
}

/// What that Redis has of each room and its host's tokens.
async fn stored(redis: &acceptance::Redis, rooms: &[Arc<Room>]) -> Result<Vec<Stored>> {
    let records: Vec<_> =
        rooms.iter().map(|room| format!("HGET parlor:{{{}}}:room =room", room.code)).collect();
    let mut commands = Vec::new();
    for (room, record) in rooms.iter().zip(redis.ask(&records).await?) {
        let code = &room.code;
        let record: Value =
            serde_json::from_str(&record).with_context(|| format!("the record of {code}: {record}"))?;
        let account = record["account"].as_str().context("a room is of an account")?;
        commands.extend([
            format!("HGET parlor:{{{code}}}:room fence"),
            format!("HGET parlor:{{{code}}}:room version"),
            format!("HGET parlor:{{account/{account}}}:grant generation"),
        ]);
    }
    let said = redis.ask(&commands).await?;
    // A key that is not there must not look like a number that never grows.
    let number = |text: &String| text.parse().with_context(|| format!("no number in Redis: {text:?}"));
    let of = |said: &[String]| {
        anyhow::Ok(Stored {
            fence: number(&said[0])?,
            version: number(&said[1])?,
            generation: number(&said[2])?,
        })
    };
    said.chunks_exact(3).map(of).collect()
}
