//! The service as a value: built from parts, given listeners and a signal to stop. It never reads the environment.

use std::sync::Arc;
use std::time::Duration;

use auth::Vault;
use kernel::{BootClock, Clock, Entropy, NodeId, SystemClock};
use protocol::CloseCode;
use spotify_api::{App, Client};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::conductor::{ConductorParts, conduct};
use crate::http::{self, Readiness};
use crate::hub::{Hub, HubParts, RoomHandle};
use crate::lease::{LeaseParts, Terms};
use crate::live::{LiveSessions, Turns};
use crate::net::{self, HttpLimits, LiveLimits, Sockets, Sweeper};
use crate::nodes::Nodes;
use crate::pulse::Pulse;
use crate::sessions::Sessions;
use crate::spotify::{Spotify, SpotifyParts};
use crate::time::Time;
use crate::tokens::{TokenParts, Tokens};
use crate::{Config, Parts, PartsList};

/// Over how long those connected are told to come back, so that they do not come at once.
const RETURN_SPREAD: Duration = Duration::from_secs(2);
/// Where they come back to other processes, which have others to serve.
const RETURN_SPREAD_SHARED: Duration = Duration::from_secs(4);
/// How long those connected may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long after the stop a request may still be answered.
const ANSWERS: Duration = Duration::from_secs(7);
/// How long conductors may take to end after that. With the rest, the process ends within 10 s (contract, section 1).
const LAST: Duration = Duration::from_secs(1);
/// How long rooms whose time is over may lie about before they are deleted.
const PURGE_EVERY_MS: u64 = 600_000;

/// What a service is built from.
pub struct Foundation {
    /// The operator's decisions.
    pub config: Config,
    /// Where everything is stored.
    pub store: Store,
    /// The service's time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What seals tokens.
    pub vault: Vault,
    /// Spotify.
    pub client: Client,
}

/// A service that can be run once.
#[derive(Debug)]
pub struct Service {
    parts: Parts,
    limits: HttpLimits,
    /// Ends what goes on without being asked.
    background: CancellationToken,
    /// The tasks that hold leases.
    leaseholders: TaskTracker,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Service {
    /// Puts the service together. Nothing runs yet, but tasks may be spawned from now on: call it within a runtime.
    pub fn new(foundation: Foundation) -> Self {
        let Foundation { config, store, clock, entropy, vault, client } = foundation;
        let tracker = TaskTracker::new();
        let (background, leaseholders) = (CancellationToken::new(), TaskTracker::new());
        let node = NodeId::generate(&*entropy);
        let time = Time::new(Arc::clone(&clock));
        let app = config
            .client_id
            .clone()
            .map(|client_id| App { client_id, client_secret: config.client_secret.clone() });
        let leases = LeaseParts {
            leases: Arc::clone(&store.leases),
            node: node.clone(),
            wall: Arc::new(SystemClock),
            own: Arc::new(BootClock),
            terms: if config.shared_store { Terms::SHARED } else { Terms::ALONE },
        };
        let nodes = Nodes::new(leases.clone());
        let tokens = Tokens::new(TokenParts {
            accounts: Arc::clone(&store.accounts),
            vault: vault.clone(),
            entropy: Arc::clone(&entropy),
            clock: Arc::clone(&clock),
            client: client.clone(),
            app: app.clone(),
            leases: leases.clone(),
            limits: Arc::clone(&store.limits),
        });
        let spotify = Spotify::new(SpotifyParts {
            client,
            app,
            calls: config.calls.clone(),
            tokens: tokens.clone(),
            limits: Arc::clone(&store.limits),
            shared: config.shared_store,
            clock: Arc::clone(&clock),
        });
        let conducting = ConductorParts {
            leases: leases.clone(),
            time: time.clone(),
            spotify: spotify.clone(),
            watch: config.calls.watch(),
            stop: background.clone(),
        };
        let tasks = leaseholders.clone();
        let on_wake = move |room: RoomHandle| drop(tasks.spawn(conduct(conducting.clone(), room)));
        let pulse = Pulse::new();
        let hub = Hub::new(HubParts {
            store: store.clone(),
            pulse: pulse.clone(),
            time,
            node: node.clone(),
            nodes: nodes.clone(),
            shared: config.shared_store,
            max_members: config.max_members,
            tracker: tracker.clone(),
            on_wake: Arc::new(on_wake),
        });
        let sessions =
            Sessions::new(store.clone(), pulse.clone(), Arc::clone(&clock), Arc::clone(&entropy), &config);
        let heartbeat = Duration::from_millis(config.heartbeat_ms);
        let live_limits = LiveLimits { heartbeat, ..LiveLimits::default() };
        let parts = PartsList {
            config,
            clock,
            entropy,
            store,
            node,
            nodes,
            vault,
            spotify,
            tokens,
            hub,
            sessions,
            readiness: Readiness::new(),
            pulse,
            sockets: Sockets::new(live_limits, tracker.clone()),
            live: Arc::new(LiveSessions::default()),
            turns: Turns::default(),
            tracker,
        };
        Self { parts: parts.into(), limits: HttpLimits::default(), background, leaseholders }
    }

    /// The parts.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Serves until `stop`, then stops in order: not ready, no new connections, those connected are told, what was
    /// begun is finished. What was acknowledged is stored already.
    /// `ready` is called once connections are accepted.
    pub async fn run(
        self,
        listener: TcpListener,
        metrics: Option<TcpListener>,
        stop: CancellationToken,
        ready: impl FnOnce(),
    ) {
        let Self { parts, limits, background, leaseholders } = self;
        leaseholders.spawn(parts.nodes.enrol(background.clone()).await);
        spawn_background(&parts, &background);
        if let Some(listener) = metrics {
            let router = http::metrics_router(parts.clone());
            parts.tracker.spawn(net::serve(listener, router, limits, background.clone()));
        }
        let accepting = CancellationToken::new();
        let server =
            tokio::spawn(net::serve(listener, http::router(parts.clone()), limits, accepting.clone()));
        parts.readiness.set_ready();
        ready();
        stop.cancelled().await;
        tracing::info!("service.stops");
        let answers = tokio::time::Instant::now() + ANSWERS;
        parts.readiness.drain();
        accepting.cancel();
        parts
            .sockets
            .close_all(
                CloseCode::GoingAway,
                "The service stops for a moment.",
                if parts.config.shared_store { RETURN_SPREAD_SHARED } else { RETURN_SPREAD },
                &*parts.entropy,
            )
            .await;
        let farewell = tokio::time::timeout(FAREWELL, parts.sockets.gone()).await;
        if farewell.is_err() {
            tracing::warn!(
                left = parts.sockets.len(),
                "service.stops with connections that did not say goodbye"
            );
        }
        // The answers under way are given; a request that hangs is not waited for.
        let drained = tokio::time::timeout_at(answers, server).await;
        if drained.is_err() {
            tracing::warn!("service.stops with requests under way");
        }
        // Leases are given back, so that another process need not wait for their end.
        background.cancel();
        leaseholders.close();
        if tokio::time::timeout(LAST, leaseholders.wait()).await.is_err() {
            tracing::warn!(left = leaseholders.len(), "service.stops with leases that end by themselves");
        }
        tracing::info!("service.stopped");
    }
}

fn spawn_background(parts: &Parts, stop: &CancellationToken) {
    let tracker = &parts.tracker;
    tracker.spawn(parts.sessions.clone().run(stop.clone()));
    tracker.spawn(http::gather_metrics(stop.clone()));
    let (limits, clock) = (Arc::clone(&parts.store.limits), Arc::clone(&parts.clock));
    tracker.spawn(parts.pulse.clone().watch(limits, clock, stop.clone()));
    let (live, sessions, ends) = (Arc::clone(&parts.live), parts.sessions.clone(), stop.clone());
    tracker.spawn(async move { live.follow(&sessions, ends).await });
    tracker.spawn(Sweeper::new(Arc::clone(&parts.sockets)).run(stop.clone()));
    let (rooms, mut time, ends) =
        (Arc::clone(&parts.store.rooms), Time::new(Arc::clone(&parts.clock)), stop.clone());
    tracker.spawn(async move {
        loop {
            if let Err(error) = rooms.rooms_purge(time.now()).await {
                tracing::error!(error = &error as &dyn std::error::Error, "rooms.purge failed");
            }
            let next = time.now().plus_ms(PURGE_EVERY_MS);
            if ends.run_until_cancelled(time.until(next)).await.is_none() {
                return;
            }
        }
    });
}
