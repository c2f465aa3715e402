//! People, and the world that they are in.

use anyhow::{Context, Result, bail, ensure};
use protocol::{CommandBody, Me, Notice, PatchRoom, PlaybackView, RoomView, SettingsPatch};
use room_client::web::{Joined, Visitor, client};
use room_client::{Event, Refusal, RoomClient};
use tokio::sync::broadcast;

use crate::{KEY, Parlor, Redis, SOON, Spotify, prepare};

/// A service, its simulated Spotify, and nobody in it yet.
pub struct World {
    /// The service.
    pub parlor: Parlor,
    /// Spotify.
    pub spotify: Spotify,
    /// For requests of nobody in particular.
    pub http: reqwest::Client,
    /// Its store, where that is a Redis.
    pub redis: Option<Redis>,
}

impl World {
    /// A demo.
    pub async fn demo() -> Result<Self> {
        Self::demo_with(&[]).await
    }

    /// A demo that stores in a Redis.
    pub async fn demo_on_redis(options: &[&str]) -> Result<Self> {
        let redis = Redis::start().await?;
        // Time is not the question here, and a busy machine no answer.
        let url = format!("{}?deadline=10000", redis.url());
        let store = ["--redis-url", &url, "--secret-key", KEY];
        Ok(Self { redis: Some(redis), ..Self::demo_with(&[&store, options].concat()).await? })
    }

    /// A demo with more options.
    pub async fn demo_with(options: &[&str]) -> Result<Self> {
        prepare();
        let parlor = Parlor::demo(options).await?;
        let http = client()?;
        let url = parlor.spotify_url.clone().context("the demo tells where its Spotify is")?;
        Ok(Self { spotify: Spotify::new(http.clone(), url), parlor, http, redis: None })
    }

    /// A host with a room of that name, listening to it; the room has seen what plays.
    pub async fn host(&self, user: &str, room: &str) -> Result<Person> {
        let mut visitor = Visitor::new(self.http.clone(), &self.parlor.url).await?;
        visitor.sign_in(user).await?;
        let made = visitor.create_room(room, None).await?;
        let host = Person::enter(visitor, &made.code).await?;
        host.sees("something plays", |room| room.playback.track.is_some()).await?;
        Ok(host)
    }

    /// A guest who joins by the code, as it is typed.
    pub async fn guest(&self, code: &str, name: &str) -> Result<Person> {
        let visitor = Visitor::new(self.http.clone(), &self.parlor.url).await?;
        match visitor.join(code, Some(name)).await? {
            Joined::Member(room) => {
                let is_in = room.members.list.iter().any(|member| member.name == name);
                ensure!(is_in, "the room that {name} has joined is shown without them: {:?}", room.members);
                Person::enter(visitor, &room.code).await
            }
            Joined::Waiting => bail!("{name} waits to be let in"),
        }
    }
}

/// Someone in a room, with a live connection.
pub struct Person {
    /// Their browser.
    pub visitor: Visitor,
    /// Their live connection.
    pub live: RoomClient,
    /// The room.
    pub code: String,
    events: std::sync::Mutex<broadcast::Receiver<Event>>,
}

impl Person {
    /// Opens the live connection.
    pub async fn enter(visitor: Visitor, code: &str) -> Result<Self> {
        let live = RoomClient::start(visitor.config(code)?);
        let events = std::sync::Mutex::new(live.events());
        let person = Self { visitor, live, code: code.to_owned(), events };
        person.sees("the room", |_| true).await?;
        Ok(person)
    }

    /// Waits until the room is so, as this person sees it.
    pub async fn sees(&self, what: &str, is: impl Fn(&RoomView) -> bool + Send) -> Result<RoomView> {
        let room = self.live.wait_for(is, SOON).await.with_context(|| format!("waiting to see: {what}"))?;
        Ok((*room).clone())
    }

    /// The room, as this person sees it.
    pub fn room(&self) -> Result<RoomView> {
        Ok((*self.live.room().context("no room yet")?).clone())
    }

    /// What plays, as this person sees it.
    pub fn playback(&self) -> Result<PlaybackView> {
        Ok(self.room()?.playback)
    }

    /// The track that plays, as this person sees it.
    pub fn track(&self) -> Result<String> {
        Ok(self.playback()?.track.context("something plays")?.uri)
    }

    /// Commands.
    pub async fn does(&self, command: CommandBody) -> Result<u64, Refusal> {
        self.live.command(command).await
    }

    /// Votes against what plays now.
    pub async fn votes(&self) -> Result<u64> {
        let epoch = self.playback()?.epoch;
        Ok(self.does(CommandBody::VoteSkip { epoch }).await?)
    }

    /// Changes settings.
    pub async fn sets(&self, settings: SettingsPatch) -> Result<RoomView> {
        let patch = PatchRoom { name: None, settings: Some(settings) };
        Ok(self.visitor.patch_room(&self.code, &patch).await?)
    }

    /// Who this is.
    pub async fn me(&self) -> Result<Me> {
        Ok(self.visitor.get("/api/me").await?)
    }

    /// Waits for a notice.
    pub async fn hears(&self, what: &str, is: impl Fn(&Notice) -> bool + Send + Sync) -> Result<Notice> {
        let mut events = self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner).resubscribe();
        if let Some(notice) = self.heard(&is) {
            return Ok(notice);
        }
        let wait = async {
            loop {
                match events.recv().await {
                    Ok(Event::Notice(notice)) if is(&notice) => return Ok(notice),
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => bail!("the connection ended"),
                }
            }
        };
        tokio::time::timeout(SOON, wait).await.with_context(|| format!("waiting to hear: {what}"))?
    }

    /// A notice that has been heard since the last call.
    fn heard(&self, is: &impl Fn(&Notice) -> bool) -> Option<Notice> {
        let mut events = self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        loop {
            match events.try_recv() {
                Ok(Event::Notice(notice)) if is(&notice) => return Some(notice),
                Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return None,
            }
        }
    }
}
