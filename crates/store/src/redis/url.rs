//! What an address of a store may look like. The grammar stands in the crate's README.

use std::fmt;
use std::time::Duration;

use kernel::Secret;

use super::times::DEADLINE;

/// The port of a Redis server that names none.
const PORT: u16 = 6379;
/// The port of a Sentinel that names none.
const SENTINEL_PORT: u16 = 26379;
const DEFAULT_PREFIX: &str = "parlor";
const PREFIX_MAX: usize = 64;
const DEADLINES_MS: std::ops::RangeInclusive<u64> = 100..=60_000;

/// Host and port of one server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How the servers stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Servers {
    /// One server.
    Single(Address),
    /// The primary that these Sentinels name.
    Sentinel { sentinels: Vec<Address>, master: String },
    /// A cluster, known by some of its nodes.
    Cluster(Vec<Address>),
}

/// An address of a store, taken apart.
#[derive(Debug)]
pub(super) struct Url {
    pub(super) servers: Servers,
    pub(super) tls: bool,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret<String>>,
    pub(super) database: i64,
    pub(super) prefix: String,
    /// Replicas that must hold a durable commit before it is acknowledged.
    pub(super) replicas: u32,
    /// How long a call may take.
    pub(super) deadline: Duration,
}

impl Url {
    /// Reads it. The error says what is wrong without repeating what was given: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("there is no `://` in it")?;
        let (tls, kind) = match scheme {
            "redis" | "valkey" => (false, ""),
            "rediss" | "valkeys" => (true, ""),
            "redis-cluster" => (false, "cluster"),
            "rediss-cluster" => (true, "cluster"),
            "redis-sentinel" => (false, "sentinel"),
            "rediss-sentinel" => (true, "sentinel"),
            _ => {
                return Err(
                    "it begins with none of redis://, rediss://, redis-cluster://, rediss-cluster://, \
                            redis-sentinel://, rediss-sentinel://"
                        .to_owned(),
                );
            }
        };
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        // A password may hold an `@` that nobody has escaped.
        let (user, password, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => {
                let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
                (some(decode(user)?), some(decode(password)?), hosts)
            }
            None => (None, None, authority),
        };
        if user.is_some() && password.is_none() {
            return Err("a user stands in it without a password".to_owned());
        }
        let addresses = |port| hosts.split(',').map(|one| address(one, port)).collect::<Result<Vec<_>, _>>();
        let mut path = path.split('/');
        let servers = match kind {
            "cluster" => Servers::Cluster(addresses(PORT)?),
            "sentinel" => {
                let master = path.next().filter(|name| !name.is_empty());
                let master = master.ok_or("the name of the primary is missing after the Sentinels")?;
                Servers::Sentinel { sentinels: addresses(SENTINEL_PORT)?, master: decode(master)? }
            }
            _ => Servers::Single(address(hosts, PORT)?),
        };
        let database = match path.next().filter(|number| !number.is_empty()) {
            Some(number) => number.parse().map_err(|_| "the database is not a number")?,
            None => 0,
        };
        if path.next().is_some_and(|more| !more.is_empty()) {
            return Err("something follows the database".to_owned());
        }
        if kind == "cluster" && database != 0 {
            return Err("a cluster has only database 0".to_owned());
        }
        let replicas = u32::from(kind == "sentinel");
        let password = password.map(Secret::new);
        let prefix = DEFAULT_PREFIX.to_owned();
        let url = Self { servers, tls, user, password, database, prefix, replicas, deadline: DEADLINE };
        options.split('&').filter(|option| !option.is_empty()).try_fold(url, Self::with)
    }

    fn with(mut self, option: &str) -> Result<Self, String> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name {
            "prefix" => {
                let fits = (1..=PREFIX_MAX).contains(&value.len())
                    && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
                if !fits {
                    return Err("prefix takes 1 to 64 letters, digits, `-`, `_` and `.`".to_owned());
                }
                value.clone_into(&mut self.prefix);
            }
            "replicas" => {
                self.replicas = value.parse().map_err(|_| "replicas takes a number of replicas")?;
            }
            "deadline" => {
                let ms = value.parse().ok().filter(|ms| DEADLINES_MS.contains(ms));
                self.deadline =
                    ms.map(Duration::from_millis).ok_or("deadline takes 100 to 60000 milliseconds")?;
            }
            _ => return Err("it takes only the options prefix, replicas and deadline".to_owned()),
        }
        Ok(self)
    }

    /// The servers, and nothing that is secret.
    pub(super) fn shown(&self) -> String {
        let list = |all: &[Address]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        match &self.servers {
            Servers::Single(address) => address.to_string(),
            Servers::Sentinel { sentinels, master } => format!("{master} of {}", list(sentinels)),
            Servers::Cluster(seeds) => format!("the cluster of {}", list(seeds)),
        }
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn address(text: &str, port: u16) -> Result<Address, String> {
    let (host, given) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("a `[` is not closed")?;
            (host, after.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err("a host is missing".to_owned());
    }
    let port = match given {
        Some(given) => given.parse().map_err(|_| "a port is not a number from 1 to 65535")?,
        None => port,
    };
    Ok(Address { host: host.to_owned(), port })
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Result<String, String> {
    let wrong = || "a `%` is not followed by two hexadecimal digits of UTF-8".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok()).ok_or_else(wrong)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let check = |text: &str, expected: &str| {
            let seen = match Url::parse(text) {
                Ok(url) => format!(
                    "{} tls={} user={} password={} db={} prefix={} replicas={}",
                    url.shown(),
                    url.tls,
                    url.user.as_deref().unwrap_or("-"),
                    url.password.as_ref().map_or("-", |password| password.expose()),
                    url.database,
                    url.prefix,
                    url.replicas
                ),
                Err(what) => what,
            };
            assert!(seen.contains(expected), "{text}: {seen}");
        };
        check(
            "redis://localhost",
            "localhost:6379 tls=false user=- password=- db=0 prefix=parlor replicas=0",
        );
        check(
            "rediss://:p%40s@h:1/3?prefix=a.b-c_1&replicas=2",
            "h:1 tls=true user=- password=p@s db=3 prefix=a.b-c_1 replicas=2",
        );
        check("redis://anna:a:b@c@[::1]:7", "[::1]:7 tls=false user=anna password=a:b@c");
        check(
            "redis-cluster://u:p@a:1,b,[::2]",
            "the cluster of a:1,b:6379,[::2]:6379 tls=false user=u password=p",
        );
        check(
            "rediss-sentinel://a,b:1/main/2",
            "main of a:26379,b:1 tls=true user=- password=- db=2 prefix=parlor replicas=1",
        );
        check("redis-sentinel://a", "name of the primary is missing");
        check("redis-cluster://a/1", "only database 0");
        check("redis://a/x", "not a number");
        check("redis://a/0/1", "something follows");
        check("redis://a?x=1", "only the options prefix, replicas and deadline");
        check("redis://a?deadline=1", "deadline takes");
        check("redis://a?prefix={x}", "prefix takes");
        check("redis://a:99999", "a port is not");
        check("redis://", "a host is missing");
        check("redis://anna@a", "without a password");
        check("redis://:%zz@a", "a `%` is not");
        check("http://a", "begins with none of");
        check("localhost:6379", "no `://`");
    }

    #[test]
    fn nothing_secret_is_shown() {
        let url = Url::parse("redis://anna:hunter2@a").expect("is one");
        assert!(!format!("{url:?}{}", url.shown()).contains("hunter2"));
        for wrong in ["redis://anna:hunter2@a:x", "redis://anna:hunter2@a?y=1", "redi://anna:hunter2@a"] {
            assert!(!Url::parse(wrong).expect_err("is none").contains("hunter2"));
        }
    }
}
