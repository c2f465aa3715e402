//! The accounts service's rules: what authorizes, what is exchanged for what, and when it ends.

use kernel::Timestamp;

use super::account::User;
use super::apps::{Rotation, is_client_id};
use super::tokens::{
    CODE_KEPT_MS, CODE_LASTS_MS, Code, Grant, Token, TokenKind, challenge_of, six_months_after,
};
use super::{Issued, World};

/// A refusal of `/api/token`: RFC 6749's `error`, and Spotify's words, which nobody should read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OauthError {
    pub(crate) error: &'static str,
    pub(crate) description: Option<&'static str>,
}

const fn refusal(error: &'static str, description: &'static str) -> OauthError {
    OauthError { error, description: Some(description) }
}

/// Who asks for tokens, as far as it said so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) id: Option<String>,
    pub(crate) secret: Option<String>,
}

/// What `/api/token` gives.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) scope: String,
    pub(crate) expires_in: u64,
    pub(crate) refresh: Option<String>,
}

/// Whether an app may have this as a redirect URI: https, a loopback literal over http, or a scheme of its own.
/// `localhost` and plain http elsewhere are refused.
fn takes(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = if authority.starts_with('[') {
        authority.split_inclusive(']').next().unwrap_or_default()
    } else {
        authority.split(':').next().unwrap_or_default()
    };
    let usable = !authority.is_empty() && !authority.contains('@') && !uri.contains('#');
    match scheme {
        "https" => usable && !host.is_empty() && !host.eq_ignore_ascii_case("localhost"),
        "http" => usable && matches!(host, "127.0.0.1" | "[::1]"),
        other => usable && other.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)),
    }
}

impl World {
    /// Whether every app has it.
    pub(crate) fn is_registered(&self, redirect_uri: &str) -> bool {
        takes(redirect_uri) || self.own_redirect.as_deref() == Some(redirect_uri)
    }

    /// Writes down that a user agreed; returns the code.
    pub(crate) fn authorize(
        &mut self,
        user: User,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
        challenge: Option<String>,
        now: Timestamp,
    ) -> String {
        // An agreement after a revocation holds even within the same millisecond.
        let revoked_at = self.account(user, now).revoked_at;
        let authorized_at = revoked_at.map_or(now, |revoked| now.max(revoked.plus_ms(1)));
        let grant = Grant { user, client_id: client_id.to_owned(), scope: scope.to_owned(), authorized_at };
        let code = self.mint.code(now);
        let redirect_uri = redirect_uri.to_owned();
        let kept = Code { grant, redirect_uri, challenge, issued_at: now, used: false };
        self.codes.retain(|_, known| now.since(known.issued_at) <= CODE_KEPT_MS);
        self.codes.insert(code.clone(), kept);
        code
    }

    /// Whose code or refresh token this is, for the count of calls.
    pub(crate) fn user_behind(&self, code: Option<&str>, refresh: Option<&str>) -> Option<User> {
        let by_code = code.and_then(|code| self.codes.get(code)).map(|code| code.grant.user);
        by_code.or_else(|| Some(self.mint.read(TokenKind::Refresh, refresh?)?.grant.user))
    }

    /// Checks the client's name and, where one was sent, its secret.
    pub(crate) fn check_client(client: &Client) -> Result<&str, OauthError> {
        let id = client.id.as_deref().ok_or(OauthError { error: "invalid_client", description: None })?;
        if !is_client_id(id) {
            return Err(refusal("invalid_client", "Invalid client"));
        }
        match &client.secret {
            Some(secret) if *secret != format!("secret-{id}") => {
                Err(refusal("invalid_client", "Invalid client secret"))
            }
            _ => Ok(id),
        }
    }

    /// `grant_type=authorization_code`.
    pub(crate) fn exchange(
        &mut self,
        client: &Client,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        now: Timestamp,
    ) -> Result<Tokens, OauthError> {
        let client_id = Self::check_client(client)?;
        let invalid = refusal("invalid_grant", "Invalid authorization code");
        let kept = self.codes.get_mut(code).ok_or(invalid)?;
        if kept.used || kept.grant.client_id != client_id {
            return Err(invalid);
        }
        if now.since(kept.issued_at) > CODE_LASTS_MS {
            return Err(refusal("invalid_grant", "Authorization code expired"));
        }
        if kept.redirect_uri != redirect_uri {
            return Err(refusal("invalid_grant", "Invalid redirect URI"));
        }
        match (&kept.challenge, verifier) {
            (Some(challenge), Some(verifier)) if challenge_of(verifier) == *challenge => {}
            (Some(_), _) => return Err(refusal("invalid_grant", "code_verifier was incorrect")),
            // Without a challenge only the secret proves who asks.
            (None, _) if client.secret.is_none() => {
                return Err(OauthError { error: "invalid_client", description: None });
            }
            (None, _) => {}
        }
        kept.used = true;
        let grant = kept.grant.clone();
        let refresh = self.give(TokenKind::Refresh, &grant, six_months_after(grant.authorized_at), now);
        Ok(self.tokens(&grant, Some(refresh), now))
    }

    /// `grant_type=refresh_token`.
    pub(crate) fn refresh(
        &mut self,
        client: &Client,
        refresh: &str,
        now: Timestamp,
    ) -> Result<Tokens, OauthError> {
        let client_id = Self::check_client(client)?;
        let revoked = refusal("invalid_grant", "Refresh token revoked");
        let token = self
            .mint
            .read(TokenKind::Refresh, refresh)
            .filter(|token| token.grant.client_id == client_id)
            .ok_or(refusal("invalid_grant", "Invalid refresh token"))?;
        if now >= token.ends_at {
            return Err(refusal("invalid_grant", "Refresh token expired"));
        }
        if self.spent.contains(refresh) || self.is_revoked(&token.grant, now) {
            return Err(revoked);
        }
        let next = match self.app(client_id).rotation {
            Rotation::None => None,
            Rotation::Same => Some(refresh.to_owned()),
            Rotation::SingleUse => {
                self.spent.insert(refresh.to_owned());
                Some(self.give(TokenKind::Refresh, &token.grant, token.ends_at, now))
            }
        };
        Ok(self.tokens(&token.grant, next, now))
    }

    fn tokens(&mut self, grant: &Grant, refresh: Option<String>, now: Timestamp) -> Tokens {
        let lasts_ms = self.app(&grant.client_id).access_token_ms;
        let access = self.give(TokenKind::Access, grant, now.plus_ms(lasts_ms), now);
        Tokens { access, scope: grant.scope.clone(), expires_in: lasts_ms / 1_000, refresh }
    }

    fn give(&mut self, kind: TokenKind, grant: &Grant, ends_at: Timestamp, now: Timestamp) -> String {
        let token = Token { kind, grant: grant.clone(), ends_at };
        let value = self.mint.issue(&token, now);
        self.issued.push(Issued { token, value: value.clone() });
        value
    }

    fn is_revoked(&mut self, grant: &Grant, now: Timestamp) -> bool {
        self.account(grant.user, now).revoked_at.is_some_and(|at| grant.authorized_at <= at)
    }

    /// The grant behind an access token that holds at `now`.
    pub(crate) fn bearer(&mut self, value: &str, now: Timestamp) -> Option<Grant> {
        let token = self.mint.read(TokenKind::Access, value)?;
        (now < token.ends_at && !self.is_revoked(&token.grant, now)).then_some(token.grant)
    }
}
