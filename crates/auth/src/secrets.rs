//! Random values that prove who somebody is: 256 bits, base64url outside, SHA-256 inside the store.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Entropy, Secret};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 of a secret that only its holder knows; what the store sees of it.
pub type Hash = [u8; 32];

/// Whether two hashes are the same, in a time that does not tell where they differ.
pub fn same_hash(one: &Hash, other: &Hash) -> bool {
    one.ct_eq(other).into()
}

/// The hash of `bytes`.
pub(crate) fn hash_of(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

macro_rules! random_secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Secret<[u8; 32]>);

        impl $name {
            /// A new one.
            pub fn generate(entropy: &dyn Entropy) -> Self {
                let mut bytes = [0; 32];
                entropy.fill(&mut bytes);
                Self(Secret::new(bytes))
            }

            /// Reads the text that [`Self::expose_text`] gave; `None` for anything else. That it parses proves
            /// nothing: it is good only where its hash is found.
            pub fn parse(text: &str) -> Option<Self> {
                let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
                Some(Self(Secret::new(bytes)))
            }

            /// The text that its holder keeps: 43 characters of base64url.
            pub fn expose_text(&self) -> Secret<String> {
                Secret::new(URL_SAFE_NO_PAD.encode(self.0.expose()))
            }

            /// What the store knows it by.
            pub fn hash(&self) -> Hash {
                hash_of(self.0.expose())
            }
        }
    };
}

random_secret!(
    /// The value of a session's cookie (or of a program's bearer header).
    SessionSecret
);
random_secret!(
    /// The value of the cookie that ties a sign-in attempt to the browser that began it.
    BrowserSecret
);
random_secret!(
    /// The `state` parameter of a sign-in attempt.
    State
);
