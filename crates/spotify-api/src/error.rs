//! Why a call failed, by what the caller can do.

use std::fmt;

use crate::group::Group;

/// Which of Spotify's two limits was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitScope {
    /// The app's calls within half a minute: every group has to wait.
    Rate,
    /// The quota of one group, of the developer account in development mode: that group has to wait, perhaps a day.
    Quota,
}

/// Why Spotify forbids something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forbidden {
    /// The account has no Premium.
    PremiumRequired,
    /// The player does not allow the act now, or it would change nothing (pausing what is paused).
    Restricted,
    /// The device's volume cannot be set from outside.
    VolumeDisallowed,
    /// The user did not grant the scope.
    Scope,
    /// The user is not on the allowlist of an app in development mode.
    NotAllowlisted,
    /// The app's owner has no Premium any more: every call fails until some hours after it is back.
    OwnerPremium,
    /// The endpoint does not exist for apps in development mode.
    EndpointRemoved,
    /// Something else.
    Other,
}

/// Why a call failed, by what the caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// 401: refresh the token once, then ask again.
    Unauthorized,
    /// 429: no call of the group (all groups, for [`LimitScope::Rate`]) before the wait is over.
    Limited {
        /// Which limit.
        scope: LimitScope,
        /// How long to wait; never zero, at most seven days.
        retry_after_ms: u64,
        /// The group of the endpoint that was called.
        group: Group,
    },
    /// 403: asking again changes nothing.
    Forbidden(Forbidden),
    /// No device is active: name one, or ask the host to press play.
    NoDevice,
    /// The named device is not known (any more, or yet).
    DeviceUnknown,
    /// 404 for a thing.
    NotFound,
    /// 400 and the like: the call itself is wrong. Also a call that was refused here before it was sent.
    BadRequest,
    /// Spotify answered and could not (5xx, or a redirect, which is not followed). A command may have been done.
    Unavailable {
        /// The status.
        status: Option<u16>,
    },
    /// Time-out or a broken connection after the request may have left. A command may have been done.
    NoAnswer,
    /// No connection came about: certainly nothing was done.
    NotSent,
    /// A 2xx answer to a reading call that cannot be understood, or is over 1 MiB.
    Garbage,
}

/// A failed call. Holds neither the address, the token, nor anything that the caller passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    pub(crate) call: &'static str,
    pub(crate) status: Option<u16>,
    pub(crate) reason: Option<String>,
    pub(crate) retry_after_ms: Option<u64>,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind, call: &'static str) -> Self {
        Self { kind, call, status: None, reason: None, retry_after_ms: None }
    }

    /// Whether the act has certainly not happened: a refusal (4xx), or nothing was sent. False means that it may or
    /// may not have; only looking tells.
    pub const fn certainly_not_done(&self) -> bool {
        match self.kind {
            ErrorKind::Unauthorized
            | ErrorKind::Limited { .. }
            | ErrorKind::Forbidden(_)
            | ErrorKind::NoDevice
            | ErrorKind::DeviceUnknown
            | ErrorKind::NotFound
            | ErrorKind::BadRequest
            | ErrorKind::NotSent => true,
            ErrorKind::Unavailable { .. } | ErrorKind::NoAnswer | ErrorKind::Garbage => false,
        }
    }

    /// The name of the call, such as `player.next`.
    pub const fn call(&self) -> &'static str {
        self.call
    }

    /// The HTTP status, where there was an answer.
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// Spotify's reason code (`NO_ACTIVE_DEVICE`, …), where the answer had one.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// How long Spotify wants to be left alone, for 429 and for a 503 that says so.
    pub const fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after_ms
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.call)?;
        match self.kind {
            ErrorKind::Unauthorized => f.write_str("the access token was refused"),
            ErrorKind::Limited { scope: LimitScope::Rate, retry_after_ms, .. } => {
                write!(f, "too many calls, wait {retry_after_ms} ms")
            }
            ErrorKind::Limited { scope: LimitScope::Quota, retry_after_ms, group } => {
                write!(f, "the quota of {group} is used up, wait {retry_after_ms} ms")
            }
            ErrorKind::Forbidden(why) => write!(f, "forbidden ({why:?})"),
            ErrorKind::NoDevice => f.write_str("no active device"),
            ErrorKind::DeviceUnknown => f.write_str("the device is not known"),
            ErrorKind::NotFound => f.write_str("not found"),
            ErrorKind::BadRequest => f.write_str("the call is wrong"),
            ErrorKind::Unavailable { .. } => f.write_str("Spotify could not answer"),
            ErrorKind::NoAnswer => f.write_str("no answer"),
            ErrorKind::NotSent => f.write_str("no connection"),
            ErrorKind::Garbage => f.write_str("the answer cannot be understood"),
        }?;
        if let Some(status) = self.status {
            write!(f, " [{status}]")?;
        }
        self.reason.as_ref().map_or(Ok(()), |reason| write!(f, " [{reason}]"))
    }
}

impl std::error::Error for Error {}
