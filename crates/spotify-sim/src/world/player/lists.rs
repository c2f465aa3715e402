//! What plays, and the list that it comes from.

use std::sync::Arc;

use kernel::Timestamp;

use super::items::Item;

/// Whether what ends starts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Repeat {
    #[default]
    Off,
    Track,
    Context,
}

/// A list that plays: an album, a playlist, or bare URIs, which have no context URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) context_uri: Option<String>,
    pub(crate) items: Arc<[Item]>,
    /// The order in which `items` play.
    pub(crate) order: Arc<[usize]>,
    /// The place in `order` of the item that plays, or played before the user's queue took over.
    pub(crate) at: usize,
}

impl List {
    /// A list that starts at item `start`.
    pub(crate) fn new(context_uri: Option<String>, items: Vec<Item>, start: usize) -> Self {
        let order = (0..items.len()).collect();
        Self { context_uri, items: items.into(), order, at: start }
    }

    pub(crate) fn item(&self) -> Item {
        self.items[self.order[self.at]]
    }

    /// Whether the first item comes after the last one; otherwise silence does.
    pub(super) fn goes_round(&self, autoplay: bool, repeat: Repeat) -> bool {
        repeat == Repeat::Context || (autoplay && self.context_uri.is_some())
    }
}

/// What plays.
#[expect(clippy::struct_field_names, reason = "`is_playing` is Spotify's word")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Playing {
    pub(crate) list: List,
    pub(crate) item: Item,
    /// The item comes from the user's queue, not from the list.
    pub(crate) from_queue: bool,
    pub(crate) is_playing: bool,
    /// The position at `since`.
    pub(crate) position_ms: u64,
    pub(crate) since: Timestamp,
    /// When the item started, for the listening history.
    pub(crate) started_at: Timestamp,
}

impl Playing {
    /// The position at `now`.
    pub(crate) fn position(&self, now: Timestamp) -> u64 {
        self.position_ms + if self.is_playing { now.since(self.since) } else { 0 }
    }
}
