//! A sign-in attempt: from the redirect to Spotify until the browser is back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Entropy, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use crate::return_to::ReturnTo;
use crate::secrets::{Hash, State, hash_of, same_hash};
use crate::vault::{Aad, Vault, VaultError};

/// A sign-in takes ten minutes at most, as long as Spotify's own codes live.
pub const ATTEMPT_LIFE_MS: u64 = 10 * 60 * 1000;

/// A PKCE verifier (RFC 7636): 43 characters from 256 random bits.
#[derive(Clone, Debug)]
pub struct PkceVerifier(Secret<String>);

impl PkceVerifier {
    /// A new one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Its S256 challenge, which may be seen.
    pub fn challenge(&self) -> String {
        challenge(self.0.expose())
    }

    /// The verifier itself, for the code exchange.
    pub const fn secret(&self) -> &Secret<String> {
        &self.0
    }
}

/// The S256 challenge of a verifier: base64url(SHA-256(verifier)), unpadded (RFC 7636, section 4.2).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash_of(verifier.as_bytes()))
}

/// What a sign-in attempt begins with.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Hash of the cookie that this browser got for the attempt.
    pub browser: Hash,
    /// Where the browser goes afterwards.
    pub return_to: ReturnTo,
    /// The Spotify app.
    pub client_id: String,
    /// Hash of the session that began it, if there was one.
    pub session: Option<Hash>,
    /// The redirect URI; the exchange must repeat it exactly.
    pub redirect_uri: String,
}

/// A sign-in attempt that waits for the browser to come back.
#[derive(Clone, Debug)]
pub struct LoginAttempt {
    /// The PKCE verifier; it never leaves the server until the exchange.
    pub verifier: Secret<String>,
    /// Hash of the cookie of the browser that began.
    pub browser: Hash,
    /// Where the browser goes afterwards.
    pub return_to: ReturnTo,
    /// The Spotify app.
    pub client_id: String,
    /// Hash of the session that began it.
    pub session: Option<Hash>,
    /// The redirect URI.
    pub redirect_uri: String,
    /// When it began.
    pub created_at: Timestamp,
}

/// What the exchange and what follows it need.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// The PKCE verifier.
    pub verifier: Secret<String>,
    /// Where the browser goes afterwards.
    pub return_to: ReturnTo,
    /// The Spotify app.
    pub client_id: String,
    /// Hash of the session that began it.
    pub session: Option<Hash>,
    /// The redirect URI.
    pub redirect_uri: String,
}

/// Why an attempt is of no use to who came back with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    /// Over ten minutes old.
    #[error("the sign-in took longer than ten minutes")]
    Expired,
    /// Another browser began it: somebody wants this one to sign in as somebody else (login CSRF).
    #[error("the sign-in was begun in another browser")]
    OtherBrowser,
}

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    verifier: &'a str,
    browser: Hash,
    return_to: ReturnTo,
    client_id: String,
    session: Option<Hash>,
    redirect_uri: String,
    created_at: Timestamp,
}

impl LoginAttempt {
    /// Begins an attempt: the `state` for the address, the challenge (see [`Self::challenge`]) and what to store
    /// under the state's hash.
    pub fn begin(entropy: &dyn Entropy, beginning: Beginning, now: Timestamp) -> (State, Self) {
        let Beginning { browser, return_to, client_id, session, redirect_uri } = beginning;
        let verifier = PkceVerifier::generate(entropy).0;
        let attempt =
            Self { verifier, browser, return_to, client_id, session, redirect_uri, created_at: now };
        (State::generate(entropy), attempt)
    }

    /// The S256 challenge for the authorize address.
    pub fn challenge(&self) -> String {
        challenge(self.verifier.expose())
    }

    /// From here on it is of no use.
    pub const fn expires_at(&self) -> Timestamp {
        self.created_at.plus_ms(ATTEMPT_LIFE_MS)
    }

    /// Ends the attempt for whoever came back: the browser with the attempt's cookie, or the session that began it, by
    /// which a program may stand for its person. That it happens once is the store's part (the attempt is taken from it
    /// in one step).
    pub fn redeem(
        self,
        now: Timestamp,
        browser: Option<&Hash>,
        session: Option<&Hash>,
    ) -> Result<Redeemed, AttemptError> {
        if now >= self.expires_at() || now < self.created_at.minus_ms(ATTEMPT_LIFE_MS) {
            return Err(AttemptError::Expired);
        }
        let same = |own: &Hash, shown: Option<&Hash>| shown.is_some_and(|shown| same_hash(own, shown));
        if !same(&self.browser, browser) && !self.session.is_some_and(|own| same(&own, session)) {
            return Err(AttemptError::OtherBrowser);
        }
        let Self { verifier, return_to, client_id, session, redirect_uri, .. } = self;
        Ok(Redeemed { verifier, return_to, client_id, session, redirect_uri })
    }

    /// What the store keeps under `state` (the hash), sealed whole.
    pub fn seal(&self, vault: &Vault, entropy: &dyn Entropy, state: &Hash) -> Vec<u8> {
        let record = Record {
            verifier: self.verifier.expose(),
            browser: self.browser,
            return_to: self.return_to.clone(),
            client_id: self.client_id.clone(),
            session: self.session,
            redirect_uri: self.redirect_uri.clone(),
            created_at: self.created_at,
        };
        let plain = Secret::new(serde_json::to_vec(&record).expect("a record of texts and numbers"));
        vault.seal(entropy, &Aad::attempt(state), plain.expose())
    }

    /// Reads [`Self::seal`].
    pub fn open(vault: &Vault, state: &Hash, sealed: &[u8]) -> Result<Self, VaultError> {
        let opened = vault.open(&Aad::attempt(state), sealed)?;
        let record: Record<'_> =
            serde_json::from_slice(opened.plaintext.expose()).map_err(|_| VaultError::Malformed)?;
        Ok(Self {
            verifier: record.verifier.into(),
            browser: record.browser,
            return_to: record.return_to,
            client_id: record.client_id,
            session: record.session,
            redirect_uri: record.redirect_uri,
            created_at: record.created_at,
        })
    }
}
