//! The Redis engine keeps the laws on one server, behind Sentinels and in a cluster, and what is its own: opening,
//! outages, failover. Every server is a real `redis-server` that the test starts on a free port.

mod answers;
mod failover;
mod opening;
mod outage;
mod server;

use std::sync::Arc;

use kernel::SystemEntropy;
use server::Server;
use store::redis::{OpenError, Redis};
use store::{Commit, Store};

store::conformance!(|| async {
    let server = Server::start(&[]);
    let redis = open(&format!("redis://127.0.0.1:{}{PATIENT}", server.port)).await;
    (redis.store(), (redis, server))
});

store::conformance!(in_turn a_cluster_keeps_the_laws: async {
    let nodes = server::cluster();
    let seeds: Vec<_> = nodes.iter().take(2).map(|node| format!("127.0.0.1:{}", node.port)).collect();
    Shared { url: format!("redis-cluster://{}", seeds.join(",")), _servers: nodes }
});

store::conformance!(in_turn a_primary_behind_a_sentinel_keeps_the_laws: async {
    let primary = Server::start(&[]);
    let replica = Server::replica_of(&primary);
    let sentinel = Server::sentinel_of(&primary);
    let url = format!("redis-sentinel://127.0.0.1:{}/main", sentinel.port);
    Shared { url, _servers: vec![sentinel, replica, primary] }
});

/// Where time is not the question, a busy machine is no answer.
const PATIENT: &str = "?deadline=60000";

/// Servers that all laws use, each with a prefix of its own.
struct Shared {
    url: String,
    _servers: Vec<Server>,
}

impl Shared {
    async fn fresh(&self, law: &str) -> (Store, Redis) {
        let redis = open(&format!("{}{PATIENT}&prefix={law}", self.url)).await;
        (redis.store(), redis)
    }
}

async fn try_open(url: &str) -> Result<Redis, OpenError> {
    Redis::open(url, Arc::new(SystemEntropy)).await
}

async fn open(url: &str) -> Redis {
    try_open(url).await.expect("the store opens")
}

/// A commit to room `ABCDEF` that sets one record.
fn commit(expected: u64) -> Commit {
    Commit {
        code: "ABCDEF".parse().expect("a code"),
        expected,
        records: vec![("a".to_owned(), Some(b"1".to_vec()))],
        fence: None,
        news: Vec::new(),
        origin: "one".parse().expect("an id"),
        expires_at: None,
        durable: false,
        lineage: None,
    }
}
