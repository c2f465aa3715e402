//! Why the Web API says no, in Spotify's words.

use serde_json::json;

use crate::exchange::Reply;

/// A refusal of the Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) reason: Option<&'static str>,
    /// Seconds, on 429.
    pub(crate) retry_after: Option<u64>,
    /// The `WWW-Authenticate` header, on 401.
    pub(crate) challenge: Option<&'static str>,
}

impl ApiError {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), reason: None, retry_after: None, challenge: None }
    }

    fn player(status: u16, what: &str, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::new(status, format!("Player command failed: {what}")) }
    }

    pub(crate) fn token_missing() -> Self {
        Self::token(r#"Bearer realm="spotify", error="missing_token", error_description="No token provided""#)
    }

    pub(crate) fn token_invalid() -> Self {
        Self::token(
            r#"Bearer realm="spotify", error="invalid_token", error_description="Invalid access token""#,
        )
    }

    fn token(challenge: &'static str) -> Self {
        Self { challenge: Some(challenge), ..Self::new(401, "Missing/invalid/expired access token") }
    }

    pub(crate) fn quota(retry_after: u64) -> Self {
        Self {
            reason: Some("QUOTA_EXCEEDED"),
            retry_after: Some(retry_after),
            ..Self::new(429, "Too many requests")
        }
    }

    pub(crate) fn rate(retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(429, "API rate limit exceeded") }
    }

    pub(crate) fn premium_required() -> Self {
        Self::player(403, "Premium required", "PREMIUM_REQUIRED")
    }

    pub(crate) fn no_active_device() -> Self {
        Self::player(404, "No active device found", "NO_ACTIVE_DEVICE")
    }

    pub(crate) fn restricted() -> Self {
        Self::player(403, "Restriction violated", "UNKNOWN")
    }

    pub(crate) fn volume_disallowed() -> Self {
        Self::player(403, "Cannot control device volume", "VOLUME_CONTROL_DISALLOW")
    }

    pub(crate) fn scope() -> Self {
        Self::new(403, "Insufficient client scope")
    }

    pub(crate) fn bad(message: &str) -> Self {
        Self::new(400, message)
    }

    /// The answer; `pretty` as the player routes write it.
    pub(crate) fn reply(&self, pretty: bool) -> Reply {
        let mut error = json!({ "status": self.status, "message": self.message });
        if let Some(reason) = self.reason {
            error["reason"] = reason.into();
        }
        let body = json!({ "error": error });
        let mut reply =
            if pretty { Reply::pretty(self.status, &body) } else { Reply::json(self.status, &body) };
        if let Some(seconds) = self.retry_after {
            reply = reply.with("retry-after", seconds.to_string());
        }
        if let Some(challenge) = self.challenge {
            reply = reply.with("www-authenticate", challenge);
        }
        reply
    }
}
