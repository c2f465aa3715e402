//! Opening: is it there, is it Redis, is it new enough, are these keys ours, do we know their layout.

use std::collections::HashMap;

use redis::cmd;
use tokio::time::Instant;

use super::call::{Call, Caller};
use super::dial::send;
use super::fault::Fault;
use super::keys::Keys;
use super::nodes::Node;
use super::script::LAYOUT;
use super::value::{number, text, text_of};

/// The version of the key layout that this binary reads and writes: `migrations/redis/`.
const LAYOUT_VERSION: u64 = 1;
/// What the layout key holds before the version.
const MARK: &str = "parlor layout ";
/// The oldest Redis whose commands suffice: sharded publishing. Every Valkey is newer.
const AT_LEAST: u64 = 7;

/// Why the store at that address did not open. Nothing was written, but the mark of an empty place.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is no address of a store.
    #[error("the Redis URL is not understood: {0}")]
    Url(String),
    /// Nobody answers there.
    #[error("Redis at {at} is not reached: {what}; check the address, and that the server runs")]
    Unreachable {
        /// The servers, without credentials.
        at: String,
        /// What went wrong last.
        what: String,
    },
    /// It answers and refuses.
    #[error("Redis at {at} refuses: {what}; check user, password, permissions and the server's state")]
    Refused {
        /// The servers, without credentials.
        at: String,
        /// What it said.
        what: String,
    },
    /// It is a cluster where none was said to be, or the other way about.
    #[error("Redis at {at} {what}")]
    OtherKind {
        /// The servers, without credentials.
        at: String,
        /// What it is, and what to write instead.
        what: &'static str,
    },
    /// It is older than 7.0.
    #[error("Redis at {at} has version {found}; Parlor needs Redis 7.0 or newer, or Valkey")]
    TooOld {
        /// The servers, without credentials.
        at: String,
        /// Its version.
        found: String,
    },
    /// The keys under the prefix are somebody else's.
    #[error(
        "{key} at {at} is not Parlor's ({what}); it was left as it is: set another prefix (?prefix=NAME)"
    )]
    Foreign {
        /// The servers, without credentials.
        at: String,
        /// The key.
        key: String,
        /// What it is instead.
        what: String,
    },
    /// A newer Parlor has changed the layout.
    #[error(
        "the keys at {at} have layout {found}, this Parlor knows only {known}: a newer Parlor wrote them; run that one"
    )]
    Newer {
        /// The servers, without credentials.
        at: String,
        /// Their version.
        found: u64,
        /// The newest that this binary knows.
        known: u64,
    },
}

/// Checks everything, in the order in which an operator would mend it.
pub(super) async fn check(caller: &Caller, keys: &Keys, at: &str) -> Result<(), OpenError> {
    let fault = |fault| failed(at, fault);
    let deadline = Instant::now() + caller.nodes.times().open;
    let nodes = &caller.nodes;
    if nodes.is_cluster() {
        nodes.refresh(deadline).await.map_err(fault)?;
    }
    for node in nodes.all() {
        server(&node, nodes.is_cluster(), deadline, at).await?;
    }
    layout(caller, keys, deadline, at).await
}

fn failed(at: &str, fault: Fault) -> OpenError {
    let (at, what) = (at.to_owned(), fault.what());
    match fault {
        Fault::Refused(said) if said.contains("cluster support disabled") => {
            OpenError::OtherKind { at, what: "is no cluster: write redis:// or rediss://" }
        }
        Fault::Moved { .. } | Fault::Ask(_) => {
            OpenError::OtherKind { at, what: "is a cluster: write redis-cluster:// or rediss-cluster://" }
        }
        Fault::Refused(_) | Fault::NoScript | Fault::Foreign(_) => OpenError::Refused { at, what },
        Fault::Lost(_) | Fault::NotNow(_) | Fault::NotPrimary(_) | Fault::OtherLineage => {
            OpenError::Unreachable { at, what }
        }
    }
}

async fn server(node: &Node, is_cluster: bool, deadline: Instant, at: &str) -> Result<(), OpenError> {
    let connection = node.calls.reach(deadline).await.map_err(|fault| failed(at, fault))?;
    let info = text_of(send(&connection, &cmd("INFO")).await.map_err(|fault| failed(at, fault))?);
    let said: HashMap<&str, &str> = info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
    let version = said.get("redis_version").copied().unwrap_or("none");
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok()).unwrap_or(0);
    let at = at.to_owned();
    if major < AT_LEAST {
        return Err(OpenError::TooOld { at, found: version.to_owned() });
    }
    if !is_cluster && said.get("redis_mode") == Some(&"cluster") {
        let what = "is a cluster: write redis-cluster:// or rediss-cluster://";
        return Err(OpenError::OtherKind { at, what });
    }
    let policy = said.get("maxmemory_policy").copied().unwrap_or("noeviction");
    if policy != "noeviction" {
        tracing::warn!(
            at,
            policy,
            "store.redis_may_evict: set maxmemory-policy noeviction, or rooms and sessions vanish"
        );
    }
    Ok(())
}

async fn layout(caller: &Caller, keys: &Keys, deadline: Instant, at: &str) -> Result<(), OpenError> {
    let refused =
        |error: crate::StoreError| OpenError::Refused { at: at.to_owned(), what: error.to_string() };
    let key = keys.layout();
    let foreign = |key: &str, what: &str| OpenError::Foreign {
        at: at.to_owned(),
        key: key.to_owned(),
        what: what.to_owned(),
    };
    let exists = Call::command("EXISTS", key.clone());
    if number::<u64>("layout", caller.read_by(exists, deadline).await.map_err(refused)?).map_err(refused)?
        == 0
    {
        // Before the first mark none of our keys can be there.
        for taken in keys.fixed() {
            let exists = Call::command("EXISTS", taken.clone());
            let exists = caller.read_by(exists, deadline).await.map_err(refused)?;
            if number::<u64>("layout", exists).map_err(refused)? > 0 {
                return Err(foreign(&taken, "it is there without a layout key"));
            }
        }
    }
    let call = Call::script(&LAYOUT, vec![key.clone()]).arg(format!("{MARK}{LAYOUT_VERSION}"));
    let found = text("layout", caller.read_by(call, deadline).await.map_err(refused)?)
        .map_err(refused)?
        .unwrap_or_default();
    let version = found.strip_prefix(MARK).and_then(|version| version.parse::<u64>().ok());
    match version {
        Some(LAYOUT_VERSION) => Ok(()),
        Some(found) => Err(OpenError::Newer { at: at.to_owned(), found, known: LAYOUT_VERSION }),
        None => Err(foreign(&key, "its content is none of ours")),
    }
}
