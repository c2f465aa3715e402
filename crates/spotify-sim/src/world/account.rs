//! Accounts: who there is, and what each starts with.

use std::fmt;

use kernel::Timestamp;

use super::catalogue::Catalogue;
use super::ids::{Kind, Named, mix};
use super::library::Library;
use super::player::{Device, Item, List, Player};

/// The name of an account. `host-1` to `host-9999` have Premium, `free-1` to `free-9999` do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct User {
    free: bool,
    number: u32,
}

const LAST: u32 = 9_999;

impl User {
    /// Understands `host-7`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (free, digits) = match (name.strip_prefix("host-"), name.strip_prefix("free-")) {
            (Some(digits), _) => (false, digits),
            (_, Some(digits)) => (true, digits),
            _ => return None,
        };
        let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| plain && (1..=LAST).contains(number))?;
        Some(Self { free, number })
    }

    /// The account as a number, for identifiers; never 0.
    pub(crate) fn key(self) -> u32 {
        self.number | u32::from(self.free) << 16
    }

    pub(crate) fn from_key(key: u32) -> Option<Self> {
        let number = key & 0xffff;
        (key < 1 << 17 && (1..=LAST).contains(&number)).then_some(Self { free: key >> 16 == 1, number })
    }

    /// Whose playlist this one follows.
    fn neighbour(self) -> Self {
        Self { free: false, number: if self.free { 1 } else { self.number % LAST + 1 } }
    }

    /// The name people see.
    pub(crate) fn display_name(self) -> String {
        const NAMES: [&str; 12] = [
            "Ada", "Bram", "Chioma", "Dilan", "Edda", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Kaya",
            "Liv",
        ];
        let name = NAMES[(self.number as usize - 1) % NAMES.len()];
        if self.number as usize <= NAMES.len() && !self.free {
            name.to_owned()
        } else {
            format!("{name} {}", self.number)
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", if self.free { "free" } else { "host" }, self.number)
    }
}

/// One account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) premium: bool,
    pub(crate) player: Player,
    /// What was authorized up to here no longer holds.
    pub(crate) revoked_at: Option<Timestamp>,
    library: Option<Library>,
}

impl Account {
    /// As it is when it is first touched: playing the second track of an album, on the speaker in the kitchen.
    pub(crate) fn new(catalogue: &Catalogue, user: User, now: Timestamp) -> Self {
        let seed = mix(catalogue.seed, u64::from(user.key()) | 1 << 40);
        let device = |number: u64, name: &str, kind: &str, supports_volume| Device {
            id: format!(
                "{:016x}{:016x}{:08x}",
                mix(seed, number),
                mix(!seed, number),
                mix(seed, !number) as u32
            ),
            name: name.to_owned(),
            kind: kind.to_owned(),
            is_restricted: false,
            supports_volume,
            volume_percent: Some(if supports_volume { 60 } else { 100 }),
            is_asleep: false,
        };
        let devices = vec![device(1, "Kitchen", "Speaker", true), device(2, "Phone", "Smartphone", false)];
        let active = Some(devices[0].id.clone());
        let mut player = Player::new(seed, devices, active, now);
        let albums: Vec<usize> = (0..catalogue.albums.len())
            .filter(|album| {
                let tracks = catalogue.albums[*album].tracks.clone();
                tracks.len() >= 5 && tracks.clone().all(|track| catalogue.tracks[track].playable)
            })
            .collect();
        let album = albums[user.number as usize % albums.len()];
        let items = catalogue.albums[album].tracks.clone().map(Item::Track).collect();
        player.start(List::new(Some(catalogue.uri(Kind::Album, album)), items, 1), 0, true, now);
        Self { user, premium: !user.free, player, revoked_at: None, library: None }
    }

    /// The library, made when it is first looked at: most accounts of a load test never look.
    pub(crate) fn library(&mut self, catalogue: &Catalogue) -> &mut Library {
        let (key, neighbour) = (self.user.key(), self.user.neighbour().key());
        self.library.get_or_insert_with(|| Library::new(catalogue, key, neighbour))
    }

    /// `spotify:user:host-1:collection`, the saved tracks as something to play.
    pub(crate) fn collection_uri(&self) -> String {
        format!("spotify:user:{}:collection", self.user)
    }

    /// The opaque, lasting name that `GET /me` gives.
    pub(crate) fn account_id(&self, seed: u64) -> String {
        let named = Named { kind: Kind::Artist, owner: self.user.key(), number: u16::MAX };
        named.id(seed)[..16].to_owned()
    }
}
