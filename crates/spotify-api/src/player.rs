//! The player: what it does, and telling it what to do.

use std::time::Duration;

use kernel::Secret;
use reqwest::Method;
use serde_json::{Value, json};

use crate::classify::Call;
use crate::client::{Ask, Client};
use crate::error::{Error, ErrorKind};
use crate::id::{DeviceId, SpotifyUri};
use crate::model::{Device, PlayerState, Queue};
use crate::observed::Observed;

/// As many as are safe: some hundreds have been answered with 500.
const URIS_MAX: usize = 100;

/// What to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayRequest {
    /// Where; the active device without one. Naming an idle device wakes it.
    pub device_id: Option<DeviceId>,
    /// What.
    pub what: What,
    /// From where in the track.
    pub position_ms: Option<u64>,
}

/// What to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What is there already.
    Resume,
    /// An album, artist, playlist, podcast or collection.
    Context {
        /// Its URI.
        uri: SpotifyUri,
        /// Where in it to begin.
        offset: Option<Offset>,
    },
    /// These tracks, 1 to 100; playback stops after the last.
    Uris(Vec<SpotifyUri>),
}

/// Where in a context to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offset {
    /// At the element of that index, from 0.
    Index(u32),
    /// At that element.
    Uri(SpotifyUri),
}

impl Client {
    /// The player as it is; `None` where no device is active (or the session is private).
    pub async fn player(&self, token: &Secret<String>) -> Result<Observed<Option<PlayerState>>, Error> {
        let query = [("additional_types", "track,episode".to_owned())];
        let ask = Ask::get(Call::player("player.state"), &["me", "player"], &query);
        self.read_maybe(token, ask, PlayerState::read).await
    }

    /// The devices that Spotify knows to be on. Idle ones drop out although a command that names them works.
    pub async fn devices(&self, token: &Secret<String>) -> Result<Observed<Vec<Device>>, Error> {
        let ask = Ask::get(Call::player("player.devices"), &["me", "player", "devices"], &[]);
        self.read(token, ask, Device::read_list).await
    }

    /// What would play next. Not the room's queue; see [`Queue`].
    pub async fn queue(&self, token: &Secret<String>) -> Result<Observed<Queue>, Error> {
        let ask = Ask::get(Call::player("player.queue"), &["me", "player", "queue"], &[]);
        self.read(token, ask, Queue::read).await
    }

    /// Plays. Safe to ask again.
    pub async fn play(
        &self,
        token: &Secret<String>,
        request: &PlayRequest,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        let call = Call::player("player.play");
        let body = play_body(request).ok_or_else(|| Error::new(ErrorKind::BadRequest, call.name))?;
        let query = on(request.device_id.as_ref());
        let path = ["me", "player", "play"];
        self.command(token, Ask { call, method: Method::PUT, path: &path, query: &query, body, timeout })
            .await
    }

    /// Pauses. Safe to ask again; what is paused already answers [`Forbidden::Restricted`](crate::Forbidden).
    pub async fn pause(
        &self,
        token: &Secret<String>,
        device: Option<&DeviceId>,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        self.tell(token, "player.pause", Method::PUT, "pause", on(device), timeout).await
    }

    /// Goes to the next track. Never to be asked again while it is not known what came of it.
    pub async fn next(
        &self,
        token: &Secret<String>,
        device: Option<&DeviceId>,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        self.tell(token, "player.next", Method::POST, "next", on(device), timeout).await
    }

    /// Goes to the track before. Never to be asked again while it is not known what came of it.
    pub async fn previous(
        &self,
        token: &Secret<String>,
        device: Option<&DeviceId>,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        self.tell(token, "player.previous", Method::POST, "previous", on(device), timeout).await
    }

    /// Goes to that position; past the end is the next track. Safe to ask again.
    pub async fn seek(
        &self,
        token: &Secret<String>,
        position_ms: u64,
        device: Option<&DeviceId>,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        let query = with(("position_ms", position_ms.to_string()), device);
        self.tell(token, "player.seek", Method::PUT, "seek", query, timeout).await
    }

    /// Sets the volume, 0 to 100 (more is 100). Safe to ask again.
    pub async fn volume(
        &self,
        token: &Secret<String>,
        percent: u8,
        device: Option<&DeviceId>,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        let query = with(("volume_percent", percent.min(100).to_string()), device);
        self.tell(token, "player.volume", Method::PUT, "volume", query, timeout).await
    }

    /// Moves playback to a device; with `play` it starts there, else it stays as it is.
    pub async fn transfer(
        &self,
        token: &Secret<String>,
        device: &DeviceId,
        play: bool,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        let body = Some(json!({ "device_ids": [device.as_str()], "play": play }));
        let call = Call::player("player.transfer");
        let ask = Ask { call, method: Method::PUT, path: &["me", "player"], query: &[], body, timeout };
        self.command(token, ask).await
    }

    /// Puts a track or episode into Spotify's queue, which nothing takes out again. Never to be asked again while it
    /// is not known what came of it.
    pub async fn queue_add(
        &self,
        token: &Secret<String>,
        uri: &SpotifyUri,
        device: Option<&DeviceId>,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        let query = with(("uri", uri.as_str().to_owned()), device);
        self.tell(token, "player.queue_add", Method::POST, "queue", query, timeout).await
    }

    async fn tell(
        &self,
        token: &Secret<String>,
        name: &'static str,
        method: Method,
        what: &str,
        query: Vec<(&'static str, String)>,
        timeout: Duration,
    ) -> Result<Observed<()>, Error> {
        let path = ["me", "player", what];
        let ask = Ask { call: Call::player(name), method, path: &path, query: &query, body: None, timeout };
        self.command(token, ask).await
    }
}

fn on(device: Option<&DeviceId>) -> Vec<(&'static str, String)> {
    device.map(|id| ("device_id", id.as_str().to_owned())).into_iter().collect()
}

fn with(first: (&'static str, String), device: Option<&DeviceId>) -> Vec<(&'static str, String)> {
    std::iter::once(first).chain(on(device)).collect()
}

/// The body; `Some(None)` is no body at all, which is how to resume (an empty object once lost the host's queue).
/// `None` is a request that Spotify would not understand.
#[expect(clippy::option_option, reason = "wrong, nothing to send, and something to send are three things")]
fn play_body(request: &PlayRequest) -> Option<Option<Value>> {
    let mut body = match &request.what {
        What::Resume => json!({}),
        What::Context { uri, offset: None } => json!({ "context_uri": uri.as_str() }),
        What::Context { uri, offset: Some(Offset::Index(index)) } => {
            json!({ "context_uri": uri.as_str(), "offset": { "position": index } })
        }
        What::Context { uri, offset: Some(Offset::Uri(at)) } => {
            json!({ "context_uri": uri.as_str(), "offset": { "uri": at.as_str() } })
        }
        What::Uris(uris) if (1..=URIS_MAX).contains(&uris.len()) => {
            json!({ "uris": uris.iter().map(SpotifyUri::as_str).collect::<Vec<_>>() })
        }
        What::Uris(_) => return None,
    };
    if let (Some(position), Some(fields)) = (request.position_ms, body.as_object_mut()) {
        fields.insert("position_ms".to_owned(), position.into());
    }
    Some(Some(body).filter(|body| body.as_object().is_some_and(|fields| !fields.is_empty())))
}
