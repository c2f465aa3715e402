//! Codes and tokens.
//!
//! A token says, in a form only this seed can sign, whose it is and until when. So a simulator that is started again
//! with the same seed still accepts what it gave out before. Only codes and spent refresh tokens live in memory.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Timestamp;
use sha2::{Digest, Sha256};

use super::account::User;

/// How long a code can be exchanged.
pub(crate) const CODE_LASTS_MS: u64 = 600_000;
/// How long it is remembered that there was a code, to say that it has expired.
pub(crate) const CODE_KEPT_MS: u64 = 3_600_000;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    Refresh,
}

impl TokenKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Access => "BQ",
            Self::Refresh => "AQ",
        }
    }
}

/// What a user allowed an app, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) user: User,
    pub(crate) client_id: String,
    /// Separated by spaces.
    pub(crate) scope: String,
    pub(crate) authorized_at: Timestamp,
}

impl Grant {
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }
}

/// A token, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) grant: Grant,
    pub(crate) ends_at: Timestamp,
}

/// An authorization code, kept until it is used.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    /// The S256 challenge, where the app sent one.
    pub(crate) challenge: Option<String>,
    pub(crate) issued_at: Timestamp,
    pub(crate) used: bool,
}

/// Makes and understands what is signed.
#[derive(Debug)]
pub(crate) struct Mint {
    seed: u64,
    made: u64,
}

const TAG: usize = 16;
const NONCE: usize = 12;

impl Mint {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    fn mac(&self, label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let key = self.seed.to_be_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("an HMAC key has any length");
        mac.update(label);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Bytes never given before: the count, under the key, with the instant (a restart begins to count again).
    fn nonce(&mut self, now: Timestamp) -> [u8; 32] {
        self.made += 1;
        self.mac(b"nonce", &[&self.made.to_be_bytes(), &now.as_millis().to_be_bytes()])
    }

    /// Hides or shows `bytes`: a key stream, so that tokens look like Spotify's.
    fn veil(&self, nonce: &[u8], bytes: &mut [u8]) {
        for (block, chunk) in bytes.chunks_mut(32).enumerate() {
            let stream = self.mac(b"veil", &[nonce, &(block as u64).to_be_bytes()]);
            chunk.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
        }
    }

    /// A new token.
    pub(crate) fn issue(&mut self, token: &Token, now: Timestamp) -> String {
        let Grant { user, client_id, scope, authorized_at } = &token.grant;
        let mut body =
            format!("{user}\n{client_id}\n{scope}\n{authorized_at}\n{}", token.ends_at).into_bytes();
        let nonce = self.nonce(now);
        let nonce = &nonce[..NONCE];
        self.veil(nonce, &mut body);
        let tag = self.mac(token.kind.word().as_bytes(), &[nonce, &body]);
        let all: Vec<u8> = [nonce, &body, &tag[..TAG]].concat();
        format!("{}{}", token.kind.prefix(), URL_SAFE_NO_PAD.encode(all))
    }

    /// Understands a token that this seed signed. Whether it still holds is not said.
    pub(crate) fn read(&self, kind: TokenKind, text: &str) -> Option<Token> {
        let all = URL_SAFE_NO_PAD.decode(text.strip_prefix(kind.prefix())?).ok()?;
        let (nonce, rest) = all.split_at_checked(NONCE)?;
        let (body, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        if self.mac(kind.word().as_bytes(), &[nonce, body])[..TAG] != *tag {
            return None;
        }
        let mut body = body.to_vec();
        self.veil(nonce, &mut body);
        let text = String::from_utf8(body).ok()?;
        let mut parts = text.split('\n');
        let grant = Grant {
            user: User::parse(parts.next()?)?,
            client_id: parts.next()?.to_owned(),
            scope: parts.next()?.to_owned(),
            authorized_at: Timestamp(parts.next()?.parse().ok()?),
        };
        Some(Token { kind, grant, ends_at: Timestamp(parts.next()?.parse().ok()?) })
    }

    /// A new authorization code.
    pub(crate) fn code(&mut self, now: Timestamp) -> String {
        let nonce = self.nonce(now);
        let more = self.mac(b"code", &[&nonce]);
        format!("AQ{}", URL_SAFE_NO_PAD.encode([nonce, more].concat()))
    }

    /// A short opaque word, for the bodies that some commands are answered with.
    pub(crate) fn word(&mut self, now: Timestamp) -> String {
        URL_SAFE_NO_PAD.encode(&self.nonce(now)[..15])
    }
}

/// The S256 challenge of a PKCE verifier.
pub(crate) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// The end of a refresh token: six calendar months after the authorization.
pub(crate) fn six_months_after(at: Timestamp) -> Timestamp {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .ok()
        .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).checked_add(jiff::Span::new().months(6)).ok())
        .map_or(at, |end| Timestamp(end.timestamp().as_millisecond()))
}

/// An instant as the Web API writes it, `2026-11-20T21:12:24Z`.
pub(crate) fn iso(at: Timestamp, with_millis: bool) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime(if with_millis { "%Y-%m-%dT%H:%M:%S.%3fZ" } else { "%Y-%m-%dT%H:%M:%SZ" }).to_string()
}
