//! Several gateways over one Redis.

use std::sync::Arc;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{Entropy, SystemEntropy};
use room_client::web::{Visitor, client};
use tempfile::TempDir;

use crate::{APP, Parlor, Person, Redis, Spotify, prepare};

/// Gateways over one Redis, with a simulated Spotify apart from them.
pub struct Cluster {
    /// The store.
    pub redis: Redis,
    /// The gateways; `None` where one has been ended.
    pub gateways: Vec<Option<Parlor>>,
    /// Spotify.
    pub spotify: Spotify,
    /// For requests of nobody in particular.
    pub http: reqwest::Client,
    simulator: Parlor,
    key: String,
    /// What the gateways are told of Redis beside its address.
    store_options: &'static str,
}

impl Cluster {
    /// So many gateways. They are patient with Redis, so that a machine that stalls for a second is no outage.
    pub async fn of(gateways: usize) -> Result<Self> {
        Self::with(gateways, "?deadline=10000").await
    }

    /// So many gateways, as patient as they are without being told.
    pub async fn as_shipped(gateways: usize) -> Result<Self> {
        Self::with(gateways, "").await
    }

    async fn with(gateways: usize, store_options: &'static str) -> Result<Self> {
        prepare();
        let redis = Redis::start().await?;
        let simulator = Parlor::simulator().await?;
        let http = client()?;
        let mut key = [0; 32];
        SystemEntropy.fill(&mut key);
        let mut cluster = Self {
            spotify: Spotify::new(http.clone(), simulator.url.clone()),
            redis,
            gateways: Vec::new(),
            http,
            simulator,
            key: STANDARD.encode(key),
            store_options,
        };
        for _ in 0..gateways {
            let gateway = cluster.gateway("127.0.0.1:0").await?;
            cluster.gateways.push(Some(gateway));
        }
        Ok(cluster)
    }

    /// A gateway more, at that address.
    pub async fn gateway(&self, listen: &str) -> Result<Parlor> {
        let redis = format!("{}{}", self.redis.url(), self.store_options);
        let spotify = &self.simulator.url;
        let options = [
            ["--listen", listen],
            ["--redis-url", &redis],
            ["--secret-key", &self.key],
            ["--spotify-accounts-url", spotify],
            ["--spotify-api-url", spotify],
            ["--spotify-client-id", APP],
            ["--spotify-calls", "extended"],
        ];
        Parlor::start("serve", options.as_flattened(), Arc::new(TempDir::new()?)).await
    }

    /// The address of a gateway that runs.
    pub fn url(&self, gateway: usize) -> Result<&str> {
        let gateway =
            self.gateways.get(gateway).and_then(Option::as_ref).context("that gateway has ended")?;
        Ok(&gateway.url)
    }

    /// Ends a gateway as a power cut would.
    pub async fn kill(&mut self, gateway: usize) -> Result<()> {
        let gateway =
            self.gateways.get_mut(gateway).and_then(Option::take).context("it has ended already")?;
        gateway.kill().await.map(drop)
    }

    /// A gateway again in the place of one that was ended, at the same address.
    pub async fn revive(&mut self, gateway: usize, address: &str) -> Result<()> {
        let revived = self.gateway(address).await?;
        self.gateways[gateway] = Some(revived);
        Ok(())
    }

    /// A host with an open room, listening to it at that gateway; the room has seen what plays.
    pub async fn host(&self, gateway: usize, user: &str, room: &str) -> Result<Person> {
        let mut visitor = Visitor::new(self.http.clone(), self.url(gateway)?).await?;
        visitor.sign_in(user).await?;
        let admission = Some(protocol::Admission::Open);
        let settings = protocol::SettingsPatch { admission, ..Default::default() };
        let made = visitor.create_room(room, Some(settings)).await?;
        let host = Person::enter(visitor, &made.code).await?;
        host.sees("something plays", |room| room.playback.track.is_some()).await?;
        Ok(host)
    }

    /// A guest who joins at that gateway.
    pub async fn guest(&self, gateway: usize, code: &str, name: &str) -> Result<Person> {
        let visitor = Visitor::new(self.http.clone(), self.url(gateway)?).await?;
        visitor.join(code, Some(name)).await?;
        Person::enter(visitor, code).await
    }

    /// The same person, come back at another gateway.
    pub async fn moves(&self, person: &Person, gateway: usize) -> Result<Person> {
        Person::enter(person.visitor.at(self.url(gateway)?), &person.code).await
    }
}
