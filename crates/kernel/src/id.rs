//! The registry of identifiers. Each is parsed where it enters and believed from there on.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Entropy;

/// Why a text is no such identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an identifier of this kind")
    }
}

impl std::error::Error for IdError {}

/// Lower-case letters and digits without `i`, `l`, `o`, `u`: five bits a character.
const ID_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_MAX: usize = 128;

fn random_text(entropy: &dyn Entropy, alphabet: &[u8], length: usize) -> Arc<str> {
    let bound = u32::try_from(alphabet.len()).unwrap_or(1);
    (0..length).map(|_| char::from(alphabet[entropy.below(bound) as usize])).collect::<String>().into()
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    };
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        text_id!($(#[$doc])* $name);

        impl FromStr for $name {
            type Err = IdError;

            /// Takes 1 to 128 printable ASCII characters.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let fits = (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
                fits.then(|| Self(text.into())).ok_or(IdError)
            }
        }
    };
}

opaque_id!(
    /// A person in rooms, as everyone in the room sees it. Not a secret.
    MemberId
);
opaque_id!(
    /// A Spotify account, by Spotify's `account_id`, or its `id` where that is absent.
    AccountId
);
opaque_id!(
    /// A process of the service, new with every start.
    NodeId
);
opaque_id!(
    /// An entry of a room's queue.
    EntryId
);

macro_rules! generated_id {
    ($name:ident, $length:literal) => {
        impl $name {
            #[doc = concat!("A new one, ", $length, " characters of five random bits.")]
            pub fn generate(entropy: &dyn Entropy) -> Self {
                Self(random_text(entropy, ID_ALPHABET, $length))
            }
        }
    };
}

generated_id!(MemberId, 12);
generated_id!(NodeId, 12);
generated_id!(EntryId, 8);

text_id!(
    /// The short code of a room, and the room's identity for its whole life.
    RoomCode
);

impl RoomCode {
    /// The characters of a code: no `0`, `1`, `I`, `L`, `O`, `U`, which are read for one another.
    pub const ALPHABET: &'static [u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// A new code of `length` characters (6 to 10).
    pub fn generate(entropy: &dyn Entropy, length: usize) -> Self {
        Self(random_text(entropy, Self::ALPHABET, length.clamp(6, 10)))
    }
}

impl FromStr for RoomCode {
    type Err = IdError;

    /// Takes a code as people type it: in any case, with spaces and dashes anywhere.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let kept: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .take(11)
            .collect();
        let fits = (6..=10).contains(&kept.len()) && kept.bytes().all(|b| Self::ALPHABET.contains(&b));
        fits.then(|| Self(kept.into())).ok_or(IdError)
    }
}
