//! Identifiers as Spotify has them: 22 characters of base 62, which here also say what they name.
//!
//! 128 bits: a keyed hash (80) and, hidden by it, the kind (8), the owner (24) and the number (16). So an identifier
//! is made and understood without any table, and stays the same over restarts with the same seed.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 22;

/// What an identifier names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Track,
    Album,
    Artist,
    Playlist,
    Show,
    Episode,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Track, Self::Album, Self::Artist, Self::Playlist, Self::Show, Self::Episode];

    /// The word in URIs and paths.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Album => "album",
            Self::Artist => "artist",
            Self::Playlist => "playlist",
            Self::Show => "show",
            Self::Episode => "episode",
        }
    }
}

/// A thing with an identifier: `owner` is 0 for the catalogue and an account's key for playlists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Named {
    pub(crate) kind: Kind,
    pub(crate) owner: u32,
    pub(crate) number: u16,
}

impl Named {
    pub(crate) fn new(kind: Kind, number: usize) -> Self {
        Self { kind, owner: 0, number: u16::try_from(number).unwrap_or(u16::MAX) }
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.number)
    }

    /// The 22 characters.
    pub(crate) fn id(self, seed: u64) -> String {
        let plain = u64::from(self.kind as u8) << 40
            | u64::from(self.owner & 0xff_ffff) << 16
            | u64::from(self.number);
        let tag = u128::from(mix(seed, plain)) << 16 | u128::from(mix(!seed, plain) & 0xffff);
        let hidden = plain ^ (mix(seed, tag as u64 ^ 0x5eed) & 0xffff_ffff_ffff);
        let mut rest = tag << 48 | u128::from(hidden);
        let mut text = [0; LENGTH];
        for place in text.iter_mut().rev() {
            *place = ALPHABET[(rest % 62) as usize];
            rest /= 62;
        }
        text.iter().map(|byte| char::from(*byte)).collect()
    }

    pub(crate) fn uri(self, seed: u64) -> String {
        format!("spotify:{}:{}", self.kind.word(), self.id(seed))
    }

    /// Understands 22 characters that [`Named::id`] made with the same seed.
    pub(crate) fn from_id(seed: u64, id: &str) -> Option<Self> {
        if id.len() != LENGTH {
            return None;
        }
        let mut all: u128 = 0;
        for byte in id.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == byte)?;
            all = all.checked_mul(62)?.checked_add(digit as u128)?;
        }
        let tag = all >> 48;
        let plain = (all as u64 & 0xffff_ffff_ffff) ^ (mix(seed, tag as u64 ^ 0x5eed) & 0xffff_ffff_ffff);
        let named = Self {
            kind: *Kind::ALL.get((plain >> 40) as usize)?,
            owner: (plain >> 16) as u32 & 0xff_ffff,
            number: plain as u16,
        };
        (named.id(seed) == id).then_some(named)
    }

    /// Understands `spotify:kind:id`.
    pub(crate) fn from_uri(seed: u64, uri: &str) -> Option<Self> {
        let (kind, id) = uri.strip_prefix("spotify:")?.split_once(':')?;
        Self::from_id(seed, id).filter(|named| named.kind.word() == kind)
    }
}

/// Whether a text looks like an identifier at all; Spotify answers 400 to what does not and 404 to what names nothing.
pub(crate) fn looks_like_id(id: &str) -> bool {
    id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A number drawn from a seed and a place: the whole of the simulator's chance (SplitMix64's finalizer).
pub(crate) fn mix(seed: u64, place: u64) -> u64 {
    let mut z = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `0..bound` in an order that the seed and the place decide.
pub(crate) fn shuffled(seed: u64, place: u64, bound: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..bound).collect();
    all.sort_by_key(|index| mix(mix(seed, place), *index as u64));
    all
}
