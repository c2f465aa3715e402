//! The parts of a room that clients replace whole.

/// A part of the room that clients replace whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub enum Section {
    Name,
    Host,
    Settings,
    Playback,
    Skip,
    Queue,
    Members,
}

impl Section {
    /// Every section, in the order of the contract.
    pub const ALL: [Self; 7] =
        [Self::Name, Self::Host, Self::Settings, Self::Playback, Self::Skip, Self::Queue, Self::Members];
}

/// A set of sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections(u8);

impl Sections {
    /// All of them.
    pub const ALL: Self = Self(0x7f);

    /// Adds one.
    pub const fn insert(&mut self, section: Section) {
        self.0 |= 1 << section as u8;
    }

    /// Whether it is among them.
    pub const fn contains(self, section: Section) -> bool {
        self.0 & (1 << section as u8) != 0
    }

    /// These and those.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
