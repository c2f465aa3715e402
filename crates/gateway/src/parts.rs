//! What a gateway is put together from.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use auth::Vault;
use kernel::{Clock, Entropy, NodeId, Secret};
use spotify_api::CallPlan;
use store::Store;
use tokio_util::task::TaskTracker;

use crate::http::Readiness;
use crate::live::{LiveSessions, Turns};
use crate::net::Sockets;
use crate::pulse::Pulse;
use crate::sessions::Sessions;
use crate::tokens::Tokens;
use crate::{Hub, Nodes, Spotify};

/// What the operator decided, checked. Nothing in the gateway reads the environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where browsers reach the service: scheme, host and port, without a slash at the end.
    pub public_url: String,
    /// The operator's Spotify app.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret<String>>,
    /// What may be asked of Spotify.
    pub calls: CallPlan,
    /// The length of room codes, 6 to 10.
    pub code_length: usize,
    /// Members that a room takes.
    pub max_members: usize,
    /// Rooms that a host may have.
    pub max_rooms_per_host: usize,
    /// Networks whose `X-Forwarded-For` and `-Proto` are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Whether `/metrics` has an address of its own.
    pub metrics_apart: bool,
    /// The address of the simulated Spotify, in the demo: its page of the player, and its artwork.
    pub demo_spotify: Option<String>,
    /// Whether other processes share the store.
    pub shared_store: bool,
    /// How often the live connection is pinged, in milliseconds.
    pub heartbeat_ms: u64,
}

impl Config {
    /// Whether browsers reach the service over TLS.
    pub fn https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The redirect URI registered with Spotify.
    pub fn redirect_uri(&self) -> String {
        format!("{}/auth/callback", self.public_url)
    }
}

/// The parts of a gateway, as every request is handed them. Cheap to clone.
#[derive(Clone)]
pub struct Parts(Arc<PartsList>);

impl Deref for Parts {
    type Target = PartsList;

    fn deref(&self) -> &PartsList {
        &self.0
    }
}

impl From<PartsList> for Parts {
    fn from(list: PartsList) -> Self {
        Self(Arc::new(list))
    }
}

/// What [`Parts`] are.
pub struct PartsList {
    /// The operator's decisions.
    pub config: Config,
    /// The service's time: what people see, and what expires.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The store.
    pub store: Store,
    /// This process.
    pub node: NodeId,
    /// The processes that share the store.
    pub nodes: Nodes,
    /// What seals tokens.
    pub vault: Vault,
    /// Spotify, with its tokens and its budget.
    pub spotify: Spotify,
    /// The hosts' tokens.
    pub tokens: Tokens,
    /// The rooms that are awake here.
    pub hub: Hub,
    /// Who is asking.
    pub sessions: Sessions,
    /// Whether the process takes requests.
    pub readiness: Readiness,
    /// Whether the store answers.
    pub pulse: Pulse,
    /// The live connections' sockets.
    pub sockets: Arc<Sockets>,
    /// The live connections by session.
    pub live: Arc<LiveSessions>,
    /// The turns of those who want a live connection.
    pub turns: Turns,
    /// Owns every task that outlives the request that began it.
    pub tracker: TaskTracker,
}

/// The address that a request came from, proxies that are trusted left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub SocketAddr);
