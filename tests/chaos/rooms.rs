//! The rooms of a run: a host and two guests each, one at every gateway.

use std::sync::Arc;
use std::time::Duration;

use acceptance::tick;
use anyhow::{Context, Result, bail, ensure};
use protocol::{Admission, CommandBody, Me, RoomView, SettingsPatch, SkipState};
use room_client::web::{Joined, Visitor};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::arena::Arena;
use super::client::Client;
use super::journal::{Act, Served, digest};
use super::plan::GATEWAYS;
use super::strike::now;

/// A room that is not ready for the next round in this time is broken.
const READY: Duration = Duration::from_secs(90);
/// With less than this left of a track, it is begun again by the host's own app, in milliseconds.
const ENOUGH_MS: u64 = 60_000;

/// A room, and who is in it.
pub(super) struct Room {
    pub(super) user: String,
    pub(super) code: String,
    pub(super) clients: Vec<Client>,
    visitor: Visitor,
    /// Where the gateways are.
    places: Vec<String>,
}

impl Room {
    /// The `nth` room of an arena, its people at all gateways.
    pub(super) async fn open(arena: &Arena, nth: usize) -> Result<Self> {
        let user = format!("host-{}", nth + 1);
        let places: Vec<String> = (0..GATEWAYS).map(|gateway| arena.url(gateway)).collect();
        // Whoever comes first conducts: a third of the rooms at each gateway.
        let first = nth % GATEWAYS;
        let mut visitor = Visitor::new(arena.http.clone(), &places[first]).await?;
        visitor.sign_in(&user).await?;
        let settings = SettingsPatch { admission: Some(Admission::Open), ..Default::default() };
        let code = visitor.create_room(&format!("Room {nth}"), Some(settings)).await?.code;
        let mut clients = Vec::new();
        for seat in 0..GATEWAYS {
            let home = (first + seat) % GATEWAYS;
            let person = if seat == 0 {
                visitor.clone()
            } else {
                let guest = Visitor::new(arena.http.clone(), &places[home]).await?;
                let joined = guest.join(&code, Some(&format!("Guest {seat}"))).await?;
                ensure!(matches!(joined, Joined::Member(_)), "the room is open");
                guest
            };
            let me: Me = person.get("/api/me").await?;
            clients.push(Client::enter(&places, home, &code, person.bearer()?, me.member_id)?);
        }
        Ok(Self { user, code, clients, visitor, places })
    }

    /// Waits until the room is as before any fault: everyone at home and in it, an open ballot without votes on what
    /// truly plays, and enough of it left.
    pub(super) async fn ready(&self, arena: &Arena) -> Result<Arc<RoomView>> {
        let wait = async {
            loop {
                for client in &self.clients {
                    // Again and again: home may not have answered in time.
                    if client.stand().at.is_some_and(|at| at != client.home) {
                        client.go_home().await;
                    }
                }
                if let Some(room) = self.is_ready() {
                    let player = arena.spotify.player(&self.user).await?;
                    let playing = player["playing"]["uri"].as_str();
                    if playing == room.playback.track.as_ref().map(|track| track.uri.as_str()) {
                        self.begin_again(arena, &room, &player).await?;
                        return anyhow::Ok(room);
                    }
                }
                self.withdraw_votes().await?;
                tick().await;
            }
        };
        let ready = timeout(READY, wait).await;
        ready.with_context(|| format!("{} ({}) is not ready: {}", self.user, self.code, self.describe()))?
    }

    fn is_ready(&self) -> Option<Arc<RoomView>> {
        let stands: Vec<_> = self.clients.iter().map(|client| (client.home, client.stand())).collect();
        let room = stands.first()?.1.room.clone()?;
        let same = stands.iter().all(|(home, stand)| {
            stand.at == Some(*home) && stand.waiting == 0 && stand.room.as_ref() == Some(&room)
        });
        let open = room
            .skip
            .as_ref()
            .is_some_and(|skip| skip.state == SkipState::Open && skip.votes.is_empty() && skip.needed == 2);
        let fits = same
            && open
            && room.playback.is_playing
            && room.playback.state == protocol::PlaybackState::Ok
            && room.members.online as usize == self.clients.len();
        fits.then_some(room)
    }

    async fn begin_again(&self, arena: &Arena, room: &RoomView, player: &Value) -> Result<()> {
        let lasts = room.playback.track.as_ref().map_or(0, |track| track.duration_ms);
        let at = player["playing"]["progress_ms"].as_u64().unwrap_or(0);
        if lasts.saturating_sub(at) < ENOUGH_MS {
            arena.spotify.app(&self.user, &json!({ "act": "seek", "position_ms": 1_000 })).await?;
        }
        Ok(())
    }

    /// Takes back votes that a round left.
    async fn withdraw_votes(&self) -> Result<()> {
        for client in &self.clients {
            let stand = client.stand();
            let Some(skip) = stand.room.as_ref().and_then(|room| room.skip.clone()) else { continue };
            if stand.waiting == 0 && skip.state == SkipState::Open && skip.votes.contains(&client.member) {
                // Refused where the song has just ended: then the vote is gone as well.
                let _ = client.does(CommandBody::UnvoteSkip { epoch: skip.epoch }).await?;
            }
        }
        Ok(())
    }

    /// Whether everybody is connected, nothing is asked, all see the same, and no ballot is being carried out.
    fn rests(&self) -> Option<Arc<RoomView>> {
        let stands: Vec<_> = self.clients.iter().map(Client::stand).collect();
        let room = stands.first()?.room.clone()?;
        let same = stands
            .iter()
            .all(|stand| stand.at.is_some() && stand.waiting == 0 && stand.room.as_ref() == Some(&room));
        let open = room.skip.as_ref().is_some_and(|skip| skip.state == SkipState::Open);
        (same && open && room.members.online as usize == self.clients.len()).then_some(room)
    }

    /// Waits until the room is at rest and every gateway serves it as its clients see it; what they serve.
    pub(super) async fn at_rest(&self, within: Duration) -> (Vec<Served>, Option<String>) {
        let wait = async {
            loop {
                if let Some(room) = self.rests()
                    && let Ok(served) = self.served().await
                    && served.iter().all(|served| served.room.version == room.version)
                    && self.rests().is_some_and(|still| still.version == room.version)
                {
                    return served;
                }
                tick().await;
            }
        };
        if let Ok(served) = timeout(within, wait).await {
            return (served, None);
        }
        let served = self.served().await.unwrap_or_default();
        (served, Some(format!("not at rest: {}", self.describe())))
    }

    async fn served(&self) -> Result<Vec<Served>> {
        let mut all = Vec::new();
        for (gateway, place) in self.places.iter().enumerate() {
            let path = format!("/api/rooms/{}", self.code);
            let at = now();
            let answer = self.visitor.at(place).request(reqwest::Method::GET, &path)?.send().await?;
            let bytes = answer.error_for_status()?.bytes().await?;
            let room = Arc::new(serde_json::from_slice(&bytes)?);
            all.push(Served { gateway, at, room, bytes: digest(&bytes) });
        }
        Ok(all)
    }

    /// How it stands, in a line.
    pub(super) fn describe(&self) -> String {
        let of = |client: &Client| {
            let stand = client.stand();
            let room = stand.room.as_ref().map(|room| {
                let skip =
                    room.skip.as_ref().map(|skip| (skip.ballot, skip.state, skip.votes.len(), skip.needed));
                let playback = (room.playback.state, room.playback.epoch, room.playback.is_playing);
                (room.version, playback, skip, room.members.online)
            });
            format!("at {:?} of {}, {} waiting, {room:?}", stand.at, client.home, stand.waiting)
        };
        self.clients.iter().map(of).collect::<Vec<_>>().join(" | ")
    }

    /// Spotify's journal of the account from that line on, and how long it is.
    pub(super) async fn acts(&self, arena: &Arena, from: usize) -> Result<(Vec<Act>, usize)> {
        let player = arena.spotify.player(&self.user).await?;
        let Some(journal) = player["journal"].as_array() else { bail!("no journal") };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let acts = journal.iter().skip(from).map(|entry| Act {
            at: entry["at"].as_i64().unwrap_or_default(),
            by: text(&entry["by"]),
            word: text(&entry["act"]),
            uri: text(&entry["uri"]),
        });
        Ok((acts.collect(), journal.len()))
    }
}
