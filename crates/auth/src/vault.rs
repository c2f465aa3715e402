//! Sealing what is stored: XChaCha20-Poly1305 under a ring of keys.

use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use kernel::{AccountId, Entropy, Secret};
use sha2::{Digest, Sha256};

use crate::secrets::Hash;

const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;
const KEY_ID_LABEL: &[u8] = b"parlor key id 1";

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What is wrong with a configured key. Never shows the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// There is no key at all.
    #[error("no key is given; it takes 32 bytes in base64")]
    Empty,
    /// The key at this place (from 1) is not base64.
    #[error("key {place} is not base64")]
    NotBase64 {
        /// Which of the keys, from 1.
        place: usize,
    },
    /// The key at this place (from 1) has the wrong length.
    #[error("key {place} has {bytes} bytes; it takes exactly 32")]
    WrongLength {
        /// Which of the keys, from 1.
        place: usize,
        /// How many bytes it has.
        bytes: usize,
    },
    /// The key at this place (from 1) stands there twice.
    #[error("key {place} is the same as an earlier one")]
    Twice {
        /// Which of the keys, from 1.
        place: usize,
    },
}

struct Key {
    id: [u8; KEY_ID_BYTES],
    bytes: Secret<[u8; KEY_BYTES]>,
}

/// The keys: the first seals, all of them open.
#[derive(Clone)]
pub struct KeyRing(Arc<[Key]>);

impl KeyRing {
    /// Takes one or more keys of 32 bytes, base64 (either alphabet, padded or not), a comma between them.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut keys: Vec<Key> = Vec::new();
        if text.trim().is_empty() {
            return Err(KeyRingError::Empty);
        }
        for (place, part) in (1..).zip(text.split(',')) {
            let key = Key::parse(part.trim(), place)?;
            if keys.iter().any(|earlier| earlier.id == key.id) {
                return Err(KeyRingError::Twice { place });
            }
            keys.push(key);
        }
        Ok(Self(keys.into()))
    }

    /// The text of a new key, for a file that only its owner may read.
    pub fn generate_text(entropy: &dyn Entropy) -> Secret<String> {
        let mut bytes = [0; KEY_BYTES];
        entropy.fill(&mut bytes);
        Secret::new(STANDARD.encode(Secret::new(bytes).expose()))
    }
}

impl Key {
    fn parse(text: &str, place: usize) -> Result<Self, KeyRingError> {
        let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
        let decoded = Secret::new(engine.decode(text).map_err(|_| KeyRingError::NotBase64 { place })?);
        let bytes: [u8; KEY_BYTES] = decoded
            .expose()
            .as_slice()
            .try_into()
            .map_err(|_| KeyRingError::WrongLength { place, bytes: decoded.expose().len() })?;
        let digest = Sha256::new().chain_update(KEY_ID_LABEL).chain_update(bytes).finalize();
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        Ok(Self { id, bytes: Secret::new(bytes) })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes.expose().into())
    }
}

/// What something sealed is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The token set of a Spotify account.
    Tokens,
    /// A sign-in attempt.
    Attempt,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Tokens => b"tokens",
            Self::Attempt => b"attempt",
        }
    }
}

/// What something sealed belongs to. Opened as anything else, it does not open: a record that somebody moved from one
/// account to another in the store is of no use there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aad(Vec<u8>);

impl Aad {
    /// For a thing of that purpose, owner and generation. Each part is preceded by its length, so no two differing
    /// triples give the same bytes.
    pub fn new(purpose: Purpose, owner: &[u8], generation: u64) -> Self {
        let mut bytes = vec![FORMAT];
        for part in [purpose.label(), owner, &generation.to_be_bytes()] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(bytes)
    }

    /// For the token set of `account`, in that generation.
    pub fn tokens(account: &AccountId, generation: u64) -> Self {
        Self::new(Purpose::Tokens, account.as_str().as_bytes(), generation)
    }

    /// For the sign-in attempt whose `state` has that hash.
    pub fn attempt(state: &Hash) -> Self {
        Self::new(Purpose::Attempt, state, 0)
    }
}

/// What came out of the vault.
#[derive(Debug)]
pub struct Opened {
    /// What was sealed.
    pub plaintext: Secret<Vec<u8>>,
    /// Whether a key other than the first opened it: seal it again when it is next written.
    pub stale_key: bool,
}

/// Why something did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It was never sealed by a version of this.
    #[error("not a sealed record of a known format")]
    Malformed,
    /// Sealed with a key that is not on the ring.
    #[error("sealed with a key that is not configured any more")]
    UnknownKey,
    /// Changed since, or it belongs to something else.
    #[error("altered, or the record of something else")]
    Altered,
}

/// Seals and opens.
#[derive(Clone)]
pub struct Vault(KeyRing);

impl Vault {
    /// A vault with these keys.
    pub const fn new(keys: KeyRing) -> Self {
        Self(keys)
    }

    /// Seals `plaintext` for what `aad` says: version ‖ key id ‖ nonce ‖ ciphertext.
    pub fn seal(&self, entropy: &dyn Entropy, aad: &Aad, plaintext: &[u8]) -> Vec<u8> {
        let key = &self.0.0[0];
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let ciphertext = key
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: &aad.0 })
            .expect("only 256 GiB and more are too much for the cipher");
        let mut sealed = Vec::with_capacity(HEAD_BYTES + ciphertext.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens what [`Self::seal`] made for the same `aad`, with whichever key of the ring it was sealed.
    pub fn open(&self, aad: &Aad, sealed: &[u8]) -> Result<Opened, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::Malformed)?;
        let (id, rest) = rest.split_at_checked(KEY_ID_BYTES).ok_or(VaultError::Malformed)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES).ok_or(VaultError::Malformed)?;
        if *version != FORMAT {
            return Err(VaultError::Malformed);
        }
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| VaultError::Malformed)?;
        let place = self.0.0.iter().position(|key| key.id == id).ok_or(VaultError::UnknownKey)?;
        let plaintext = self.0.0[place]
            .cipher()
            .decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: &aad.0 })
            .map_err(|_| VaultError::Altered)?;
        Ok(Opened { plaintext: Secret::new(plaintext), stale_key: place > 0 })
    }
}
