//! The servers that are primaries now, and which of them has a key.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use kernel::Entropy;
use redis::{Value, cmd, from_redis_value};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::dial::{Dial, send};
use super::fault::Fault;
use super::feeds::{Ear, Feeds};
use super::link::{Link, Parts, Target};
use super::slot::slot;
use super::times::Times;
use super::url::{Address, Servers, Url};

/// How often the map of a cluster is read though nobody has missed anything.
const REFRESH: Duration = Duration::from_secs(5);
/// The least time between two reads of it.
const REFRESH_AFTER: Duration = Duration::from_millis(150);

/// One primary, with a connection for each purpose, so that none waits for another.
pub(super) struct Node {
    /// Where it is, as the map of the cluster says; empty where there is only one.
    pub(super) name: String,
    pub(super) calls: Link,
    durable: OnceLock<Link>,
    listens: OnceLock<Link>,
    reach: Reach,
    target: Target,
}

#[derive(Clone)]
struct Reach {
    dial: Dial,
    entropy: Arc<dyn Entropy>,
    feeds: Arc<Feeds>,
}

impl Node {
    fn new(name: String, target: Target, reach: &Reach) -> Arc<Self> {
        let calls = Link::start(Parts {
            dial: reach.dial.clone(),
            target: target.clone(),
            entropy: Arc::clone(&reach.entropy),
            patience: reach.dial.times.answer,
            hearing: None,
        });
        let reach = reach.clone();
        Arc::new(Self { name, calls, durable: OnceLock::new(), listens: OnceLock::new(), reach, target })
    }

    /// For commits that wait for replicas: `WAIT` blocks its connection.
    pub(super) fn durable(&self) -> &Link {
        self.durable.get_or_init(|| self.link(self.reach.dial.times.answer_durable, false))
    }

    /// For what is published.
    pub(super) fn listens(&self) -> &Link {
        self.listens.get_or_init(|| self.link(self.reach.dial.times.answer, true))
    }

    fn link(&self, patience: Duration, listens: bool) -> Link {
        let ear = || -> Arc<dyn super::link::Hearing> { Ear::new(&self.reach.feeds, self.name.clone()) };
        Link::start(Parts {
            dial: self.reach.dial.clone(),
            target: self.target.clone(),
            entropy: Arc::clone(&self.reach.entropy),
            patience,
            hearing: listens.then(ear),
        })
    }

    /// This server is not the primary: whoever is will be found.
    pub(super) fn reset(&self) {
        self.calls.reset();
        if let Some(link) = self.durable.get() {
            link.reset();
        }
        if let Some(link) = self.listens.get() {
            link.reset();
        }
    }
}

/// All of them.
pub(super) struct Nodes {
    one: Option<Arc<Node>>,
    seeds: Vec<Address>,
    map: RwLock<Map>,
    stale: Notify,
    reach: Reach,
}

#[derive(Default)]
struct Map {
    nodes: HashMap<Address, Arc<Node>>,
    /// By the first slot of each range: the last, and whose it is.
    ranges: BTreeMap<u16, (u16, Address)>,
}

impl Nodes {
    pub(super) fn start(url: &Url, entropy: &Arc<dyn Entropy>, feeds: &Arc<Feeds>) -> Arc<Self> {
        let reach = Reach { dial: Dial::new(url), entropy: Arc::clone(entropy), feeds: Arc::clone(feeds) };
        let single = |target| Some(Node::new(String::new(), target, &reach));
        let (one, seeds) = match &url.servers {
            Servers::Single(address) => (single(Target::At(address.clone())), Vec::new()),
            Servers::Sentinel { sentinels, master } => {
                let target = Target::Primary { sentinels: sentinels.clone(), master: master.clone() };
                (single(target), Vec::new())
            }
            Servers::Cluster(seeds) => (None, seeds.clone()),
        };
        Arc::new(Self { one, seeds, map: RwLock::default(), stale: Notify::new(), reach })
    }

    /// The node that has the key.
    pub(super) fn of(&self, key: &str) -> Result<Arc<Node>, Fault> {
        if let Some(one) = &self.one {
            return Ok(Arc::clone(one));
        }
        let slot = slot(key);
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let range = map.ranges.range(..=slot).next_back().filter(|(_, (last, _))| slot <= *last);
        let node = range.and_then(|(_, (_, address))| map.nodes.get(address));
        node.cloned().ok_or_else(|| Fault::NotNow(format!("no node of the cluster has slot {slot}")))
    }

    /// The node at that place, whether or not the map knows it yet.
    pub(super) fn at(&self, address: &Address) -> Arc<Node> {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let make = || Node::new(address.to_string(), Target::At(address.clone()), &self.reach);
        Arc::clone(map.nodes.entry(address.clone()).or_insert_with(make))
    }

    /// Believes a redirection until the map is read again.
    pub(super) fn moved(&self, slot: u16, to: &Address) {
        self.at(to);
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let found = map.ranges.range(..=slot).next_back();
        if let Some((first, (last, address))) = found.map(|(first, range)| (*first, range.clone()))
            && slot <= last
        {
            map.ranges.remove(&first);
            if first < slot {
                map.ranges.insert(first, (slot - 1, address.clone()));
            }
            if slot < last {
                map.ranges.insert(slot + 1, (last, address));
            }
        }
        map.ranges.insert(slot, (slot, to.clone()));
        drop(map);
        self.stale.notify_one();
    }

    /// Something did not lead where the map said.
    pub(super) fn doubt(&self) {
        self.stale.notify_one();
    }

    /// Every primary that is known now.
    pub(super) fn all(&self) -> Vec<Arc<Node>> {
        if let Some(one) = &self.one {
            return vec![Arc::clone(one)];
        }
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.ranges.values().filter_map(|(_, address)| map.nodes.get(address)).fold(
            Vec::new(),
            |mut all: Vec<Arc<Node>>, node| {
                if !all.iter().any(|other| other.name == node.name) {
                    all.push(Arc::clone(node));
                }
                all
            },
        )
    }

    pub(super) fn times(&self) -> Times {
        self.reach.dial.times
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.one.is_none()
    }

    /// Reads the map from whichever node answers first.
    pub(super) async fn refresh(&self, deadline: Instant) -> Result<(), Fault> {
        let known = {
            let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
            let up = map.nodes.iter().filter(|(_, node)| node.calls.is_up());
            up.map(|(address, _)| address.clone()).collect::<Vec<_>>()
        };
        let mut last = Fault::Lost("no node of the cluster is known".to_owned());
        for address in known.iter().chain(&self.seeds) {
            let left = deadline.saturating_duration_since(Instant::now()).min(self.times().answer);
            match timeout(left, self.read_map(address)).await {
                Ok(Ok(ranges)) => {
                    self.take(ranges);
                    return Ok(());
                }
                Ok(Err(fault)) => last = fault,
                Err(_) => last = Fault::Lost(format!("{address} does not answer")),
            }
        }
        Err(last)
    }

    async fn read_map(&self, address: &Address) -> Result<Vec<(u16, u16, Address)>, Fault> {
        let node = self.at(address);
        let connection = node.calls.reach(Instant::now() + self.times().answer).await?;
        let mut question = cmd("CLUSTER");
        question.arg("SLOTS");
        let Value::Array(ranges) = send(&connection, &question).await? else { return Err(unreadable()) };
        ranges.into_iter().map(|range| read_range(range, &address.host).ok_or_else(unreadable)).collect()
    }

    fn take(&self, ranges: Vec<(u16, u16, Address)>) {
        for (_, _, address) in &ranges {
            self.at(address);
        }
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let seeds = &self.seeds;
        map.nodes.retain(|known, _| {
            seeds.contains(known) || ranges.iter().any(|(_, _, address)| address == known)
        });
        map.ranges = ranges.into_iter().map(|(first, last, address)| (first, (last, address))).collect();
    }

    /// Keeps the map of a cluster true for as long as it runs.
    pub(super) async fn keep(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.stale.notified() => sleep(REFRESH_AFTER).await,
                () = sleep(REFRESH) => {}
            }
            if let Err(fault) = self.refresh(Instant::now() + REFRESH).await {
                tracing::warn!(why = fault.what(), "store.redis_map_unread");
                self.stale.notify_one();
            }
            self.reach.feeds.look();
        }
    }
}

fn unreadable() -> Fault {
    Fault::Refused("its map of slots is not readable".to_owned())
}

/// `[first, last, [host, port, …], …]`; a node that does not know its own name leaves the host empty.
fn read_range(range: Value, asked: &str) -> Option<(u16, u16, Address)> {
    let Value::Array(parts) = range else { return None };
    let mut parts = parts.into_iter();
    let first = from_redis_value(parts.next()?).ok()?;
    let last = from_redis_value(parts.next()?).ok()?;
    let Value::Array(primary) = parts.next()? else { return None };
    let mut primary = primary.into_iter();
    let host: Option<String> = from_redis_value(primary.next()?).ok()?;
    let port = from_redis_value(primary.next()?).ok()?;
    let host = host.filter(|host| !host.is_empty() && host != "?").unwrap_or_else(|| asked.to_owned());
    Some((first, last, Address { host, port }))
}
