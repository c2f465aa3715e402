//! PURE: what an answer's status, headers and body mean.

use serde_json::Value;

use crate::error::{Error, ErrorKind, Forbidden, LimitScope};
use crate::group::Group;

/// What a call is, as far as its errors depend on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// Its name in errors and logs.
    pub(crate) name: &'static str,
    /// Its group.
    pub(crate) group: Group,
    /// Whether it is one of the player's commands or reads.
    pub(crate) player: bool,
}

impl Call {
    pub(crate) const fn player(name: &'static str) -> Self {
        Self { name, group: Group::Player, player: true }
    }

    pub(crate) const fn read(name: &'static str, group: Group) -> Self {
        Self { name, group, player: false }
    }
}

const RATE_DEFAULT_MS: u64 = 5_000;
const QUOTA_DEFAULT_MS: u64 = 60 * 60 * 1000;
/// The rate is counted over 30 s, so nobody waits five minutes for it: a longer wait without a reason code is the
/// quota of the group (such answers were seen before Spotify introduced the code).
const QUOTA_FROM_MS: u64 = 5 * 60 * 1000;

/// The error that an answer of a status other than 2xx is. `wait_ms` is its `Retry-After`, read already.
pub(crate) fn refusal(call: Call, status: u16, wait_ms: Option<u64>, body: &[u8]) -> Error {
    let (reason, message) = read(body);
    let kind = match status {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden(forbidden(call, reason.as_deref(), &message)),
        404 => not_found(call, reason.as_deref(), &message),
        429 => limited(call, reason.as_deref(), wait_ms),
        // The server gave up on reading the request: whether it acted is not said.
        408 => ErrorKind::Unavailable { status: Some(status) },
        400..=499 => ErrorKind::BadRequest,
        _ => ErrorKind::Unavailable { status: Some(status) },
    };
    let retry_after_ms = match kind {
        ErrorKind::Limited { retry_after_ms, .. } => Some(retry_after_ms),
        ErrorKind::Unavailable { .. } => wait_ms,
        ErrorKind::Unauthorized
        | ErrorKind::Forbidden(_)
        | ErrorKind::NoDevice
        | ErrorKind::DeviceUnknown
        | ErrorKind::NotFound
        | ErrorKind::BadRequest
        | ErrorKind::NoAnswer
        | ErrorKind::NotSent
        | ErrorKind::Garbage => None,
    };
    Error { kind, call: call.name, status: Some(status), reason, retry_after_ms }
}

/// The reason code and the message (in lower case) of a "regular error object"; nothing where the body is none. The
/// reason is kept only where it looks like a code: what is shown of an answer cannot be something that was sent.
fn read(body: &[u8]) -> (Option<String>, String) {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let Some(error) = parsed.as_ref().and_then(|value| value.get("error")) else {
        return (None, String::new());
    };
    let is_code = |text: &&str| {
        (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    let reason = error.get("reason").and_then(Value::as_str).filter(is_code).map(str::to_owned);
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    (reason, message)
}

fn forbidden(call: Call, reason: Option<&str>, message: &str) -> Forbidden {
    match reason {
        Some("PREMIUM_REQUIRED") => return Forbidden::PremiumRequired,
        Some("VOLUME_CONTROL_DISALLOW") => return Forbidden::VolumeDisallowed,
        _ => {}
    }
    // These have no reason code; their texts are all there is to tell them by.
    let says = |text: &str| message.contains(text);
    if says("insufficient client scope") {
        Forbidden::Scope
    } else if says("owner of the app") {
        Forbidden::OwnerPremium
    } else if says("not registered in the developer dashboard") || says("not registered") {
        Forbidden::NotAllowlisted
    } else if says("premium required") {
        Forbidden::PremiumRequired
    } else if says("control device volume") {
        Forbidden::VolumeDisallowed
    } else if call.player && (reason.is_some() || says("restriction") || says("player command failed")) {
        Forbidden::Restricted
    } else if message == "forbidden" {
        Forbidden::EndpointRemoved
    } else {
        Forbidden::Other
    }
}

fn not_found(call: Call, reason: Option<&str>, message: &str) -> ErrorKind {
    if !call.player {
        ErrorKind::NotFound
    } else if reason == Some("NO_ACTIVE_DEVICE") || message.contains("no active device") {
        ErrorKind::NoDevice
    } else if message.contains("device not found") {
        ErrorKind::DeviceUnknown
    } else {
        ErrorKind::NotFound
    }
}

fn limited(call: Call, reason: Option<&str>, wait_ms: Option<u64>) -> ErrorKind {
    let by_wait = reason.is_none() && wait_ms.is_some_and(|wait| wait > QUOTA_FROM_MS);
    let quota = reason == Some("QUOTA_EXCEEDED") || by_wait;
    let (scope, default) =
        if quota { (LimitScope::Quota, QUOTA_DEFAULT_MS) } else { (LimitScope::Rate, RATE_DEFAULT_MS) };
    ErrorKind::Limited { scope, retry_after_ms: wait_ms.unwrap_or(default), group: call.group }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
