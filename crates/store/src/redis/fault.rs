//! What Redis answers, sorted by what to do about it.

use std::time::Duration;

use redis::{ErrorKind, RedisError};

use super::url::Address;
use crate::StoreError;

/// Why a request got no answer of its own.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The connection is gone or was never there: it may have happened or not.
    Lost(String),
    /// It did not happen; a moment later it may.
    NotNow(String),
    /// This server is not (any more) the one that takes writes.
    NotPrimary(String),
    /// The script is not known there.
    NoScript,
    /// The key belongs to another node.
    Moved { slot: u16, to: Address },
    /// The key is on its way to another node.
    Ask(Address),
    /// The connection leads to another memory than the request was made for. It was not sent.
    OtherLineage,
    /// It will be refused again until somebody changes something.
    Refused(String),
    /// What is stored is of another kind.
    Foreign(String),
}

impl Fault {
    /// What is wrong, in words.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Lost(what)
            | Self::NotNow(what)
            | Self::NotPrimary(what)
            | Self::Refused(what)
            | Self::Foreign(what) => what.clone(),
            Self::OtherLineage => "another server has taken over".to_owned(),
            Self::NoScript => "it does not keep scripts".to_owned(),
            Self::Moved { slot, to } => format!("slot {slot} is said to be at {to}"),
            Self::Ask(to) => format!("a slot is on its way to {to}"),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Foreign(what) => Self::Inconsistent { table: "redis", key: "(unknown)".to_owned(), what },
            Fault::Lost(_)
            | Fault::NotNow(_)
            | Fault::NotPrimary(_)
            | Fault::NoScript
            | Fault::Moved { .. }
            | Fault::Ask(_)
            | Fault::OtherLineage
            | Fault::Refused(_) => Self::Unavailable(format!("Redis: {}", fault.what())),
        }
    }
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        let Some(code) = error.code() else { return unsent(&error) };
        let detail = error.detail().unwrap_or_default();
        let said = format!("{code} {detail}");
        match code {
            "NOSCRIPT" => Self::NoScript,
            "MOVED" => redirect(detail).map_or(Self::NotNow(said), |(slot, to)| Self::Moved { slot, to }),
            "ASK" => redirect(detail).map_or(Self::NotNow(said), |(_, to)| Self::Ask(to)),
            "READONLY" => Self::NotPrimary("it is a replica, which takes no writes".to_owned()),
            // The connection was blocked in WAIT while its server became a replica.
            "UNBLOCKED" => Self::NotPrimary("it has become a replica".to_owned()),
            "LOADING" => Self::NotNow("it loads its data".to_owned()),
            "BUSY" => Self::NotNow("it is busy with somebody's script".to_owned()),
            "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" | "NOREPLICAS" | "NOGOODSLAVE" => Self::NotNow(said),
            "OOM" => Self::Refused("its memory is full (maxmemory)".to_owned()),
            "MISCONF" => Self::Refused("it cannot save to its disk, and so takes no writes".to_owned()),
            "NOAUTH" => Self::Refused("it wants a password".to_owned()),
            "WRONGPASS" => Self::Refused("user or password is wrong".to_owned()),
            "NOPERM" => Self::Refused(format!("the user lacks a permission ({detail})")),
            "WRONGTYPE" => Self::Foreign(said),
            _ => Self::Refused(said),
        }
    }
}

/// An error that is not an answer.
#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else goes wrong, the connection is of no use")]
fn unsent(error: &RedisError) -> Fault {
    match error.kind() {
        ErrorKind::AuthenticationFailed => {
            Fault::Refused(format!("it refuses the user or password ({error})"))
        }
        ErrorKind::RESP3NotSupported => Fault::Refused("it does not speak RESP3".to_owned()),
        ErrorKind::Parse => Fault::Lost("its answer is none of Redis".to_owned()),
        // The text of an I/O error names addresses at most.
        _ => Fault::Lost(error.to_string()),
    }
}

/// `SLOT HOST:PORT`.
fn redirect(detail: &str) -> Option<(u16, Address)> {
    let (slot, to) = detail.split_once(' ')?;
    let (host, port) = to.trim().rsplit_once(':')?;
    Some((slot.parse().ok()?, Address { host: host.to_owned(), port: port.parse().ok()? }))
}

/// How long to wait before the same request is sent again.
pub(super) const A_MOMENT: Duration = Duration::from_millis(40);

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wire: &str) -> Fault {
        let value = redis::parse_redis_value(wire.as_bytes()).expect("is an answer");
        value.extract_error().expect_err("is an error").into()
    }

    #[test]
    fn every_refusal_says_what_it_is() {
        let check = |wire: &str, expected: &str| {
            let seen = format!("{:?}", of(&format!("-{wire}\r\n")));
            assert!(seen.starts_with(expected), "{wire}: {seen}");
        };
        check("NOSCRIPT No matching script. Please use EVAL.", "NoScript");
        check(
            "MOVED 3999 127.0.0.1:6381",
            "Moved { slot: 3999, to: Address { host: \"127.0.0.1\", port: 6381 }",
        );
        check("MOVED nonsense", "NotNow(\"MOVED");
        check("ASK 3999 ::1:6381", "Ask(Address { host: \"::1\", port: 6381 }");
        check("READONLY You can't write against a read only replica.", "NotPrimary(\"it is a replica");
        check("UNBLOCKED force unblock from blocking operation", "NotPrimary(\"it has become");
        check("LOADING Redis is loading the dataset in memory", "NotNow(\"it loads");
        check("BUSY Redis is busy running a script.", "NotNow(\"it is busy");
        check("TRYAGAIN Multiple keys request during rehashing of slot", "NotNow(\"TRYAGAIN");
        check("CLUSTERDOWN The cluster is down", "NotNow(\"CLUSTERDOWN");
        check("MASTERDOWN Link with MASTER is down", "NotNow(\"MASTERDOWN");
        check("NOREPLICAS Not enough good replicas to write.", "NotNow(\"NOREPLICAS");
        check("OOM command not allowed when used memory > 'maxmemory'.", "Refused(\"its memory is full");
        check("MISCONF Redis is configured to save RDB snapshots", "Refused(\"it cannot save");
        check("NOAUTH Authentication required.", "Refused(\"it wants a password");
        check("WRONGPASS invalid username-password pair", "Refused(\"user or password");
        check("NOPERM this user has no permissions", "Refused(\"the user lacks");
        check("WRONGTYPE Operation against a key", "Foreign(\"WRONGTYPE");
        check("ERR whatever", "Refused(\"ERR whatever");
    }
}
