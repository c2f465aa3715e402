//! What the host decides about the room.

use serde::{Deserialize, Serialize};

/// How many votes skip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SkipRule {
    /// A fixed number.
    Count {
        /// 1 to 1000.
        value: u32,
    },
    /// A share of the electors, rounded up.
    Share {
        /// 0.01 to 1.0.
        value: f64,
        /// 1 to 1000.
        at_least: u32,
    },
}

impl SkipRule {
    /// The votes that this makes of so many electors: never more than there are, never under 1.
    pub fn needed(self, electors: usize) -> usize {
        let wanted = match self {
            Self::Count { value } => value as usize,
            // A share that is whole on paper must not be rounded up for a bit that the multiplication left over.
            Self::Share { value, at_least } => {
                ((value * electors as f64 - 1e-9).ceil().max(0.0) as usize).max(at_least as usize)
            }
        };
        wanted.min(electors).max(1)
    }
}

/// How the queue is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueOrder {
    /// Members take turns.
    #[default]
    Fair,
    /// Most votes first.
    Votes,
    /// Oldest first.
    Arrival,
}

/// Who comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// Everyone, but what exceeds 20 newcomers a minute waits.
    #[default]
    Guarded,
    /// Everyone.
    Open,
    /// The host or a moderator admits each newcomer.
    Approve,
    /// Nobody new.
    Locked,
}

/// What the host decides about the room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that the host sees")]
pub struct Settings {
    /// How many votes skip.
    pub skip_rule: SkipRule,
    /// Guests may play and pause.
    pub guests_can_pause: bool,
    /// Guests may seek.
    pub guests_can_seek: bool,
    /// Guests may set the volume.
    pub guests_can_set_volume: bool,
    /// Guests may add tracks.
    pub guests_can_queue: bool,
    /// How the queue is ordered.
    pub queue_order: QueueOrder,
    /// What plays when the queue is empty: a playlist's URI.
    pub fallback_playlist: Option<String>,
    /// Tracks that a member may have waiting.
    pub max_queued_per_member: Option<u32>,
    /// Tracks that a member may add in an hour.
    pub adds_per_hour: Option<u32>,
    /// The longest track, in minutes.
    pub max_track_min: Option<u32>,
    /// For how long a played track is not taken again, in minutes.
    pub no_repeat_min: Option<u32>,
    /// Explicit tracks are taken.
    pub allow_explicit: bool,
    /// Who comes in.
    pub admission: Admission,
    /// How long a newcomer waits before its vote counts, in seconds.
    pub vote_after_s: u32,
}

impl Default for Settings {
    /// Those of section 5 of the contract.
    fn default() -> Self {
        Self {
            skip_rule: SkipRule::Share { value: 0.5, at_least: 2 },
            guests_can_pause: false,
            guests_can_seek: false,
            guests_can_set_volume: false,
            guests_can_queue: true,
            queue_order: QueueOrder::default(),
            fallback_playlist: None,
            max_queued_per_member: Some(5),
            adds_per_hour: None,
            max_track_min: Some(10),
            no_repeat_min: Some(120),
            allow_explicit: true,
            admission: Admission::default(),
            vote_after_s: 0,
        }
    }
}

/// The settings that change; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of `Settings`")]
pub struct SettingsPatch {
    pub skip_rule: Option<SkipRule>,
    pub guests_can_pause: Option<bool>,
    pub guests_can_seek: Option<bool>,
    pub guests_can_set_volume: Option<bool>,
    pub guests_can_queue: Option<bool>,
    pub queue_order: Option<QueueOrder>,
    pub fallback_playlist: Option<Option<String>>,
    pub max_queued_per_member: Option<Option<u32>>,
    pub adds_per_hour: Option<Option<u32>>,
    pub max_track_min: Option<Option<u32>>,
    pub no_repeat_min: Option<Option<u32>>,
    pub allow_explicit: Option<bool>,
    pub admission: Option<Admission>,
    pub vote_after_s: Option<u32>,
}

/// A setting out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} takes {takes}")]
pub struct BadSetting {
    /// The setting.
    pub key: &'static str,
    /// What it takes.
    pub takes: &'static str,
}

fn check(fits: bool, key: &'static str, takes: &'static str) -> Result<(), BadSetting> {
    if fits { Ok(()) } else { Err(BadSetting { key, takes }) }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

impl Settings {
    /// These settings with the patch applied; all of it, or an error and nothing.
    pub fn patched(&self, patch: SettingsPatch) -> Result<Self, BadSetting> {
        let mut next = self.clone();
        set(&mut next.skip_rule, patch.skip_rule);
        set(&mut next.guests_can_pause, patch.guests_can_pause);
        set(&mut next.guests_can_seek, patch.guests_can_seek);
        set(&mut next.guests_can_set_volume, patch.guests_can_set_volume);
        set(&mut next.guests_can_queue, patch.guests_can_queue);
        set(&mut next.queue_order, patch.queue_order);
        set(&mut next.fallback_playlist, patch.fallback_playlist);
        set(&mut next.max_queued_per_member, patch.max_queued_per_member);
        set(&mut next.adds_per_hour, patch.adds_per_hour);
        set(&mut next.max_track_min, patch.max_track_min);
        set(&mut next.no_repeat_min, patch.no_repeat_min);
        set(&mut next.allow_explicit, patch.allow_explicit);
        set(&mut next.admission, patch.admission);
        set(&mut next.vote_after_s, patch.vote_after_s);
        next.checked()
    }

    fn checked(self) -> Result<Self, BadSetting> {
        match self.skip_rule {
            SkipRule::Count { value } => {
                check((1..=1000).contains(&value), "skip_rule.value", "1 to 1000")?;
            }
            SkipRule::Share { value, at_least } => {
                check((0.01..=1.0).contains(&value), "skip_rule.value", "0.01 to 1.0")?;
                check((1..=1000).contains(&at_least), "skip_rule.at_least", "1 to 1000")?;
            }
        }
        let ranged = |value: Option<u32>, top: u32| value.is_none_or(|value| (1..=top).contains(&value));
        check(ranged(self.max_queued_per_member, 1000), "max_queued_per_member", "1 to 1000, or null")?;
        check(ranged(self.adds_per_hour, 1000), "adds_per_hour", "1 to 1000, or null")?;
        check(ranged(self.max_track_min, 1440), "max_track_min", "1 to 1440, or null")?;
        check(ranged(self.no_repeat_min, 10_080), "no_repeat_min", "1 to 10080, or null")?;
        check(self.vote_after_s <= 3600, "vote_after_s", "0 to 3600")?;
        let playlist = self.fallback_playlist.as_deref();
        check(playlist.is_none_or(is_playlist), "fallback_playlist", "spotify:playlist:ID, or null")?;
        Ok(self)
    }
}

fn is_playlist(uri: &str) -> bool {
    uri.strip_prefix("spotify:playlist:").is_some_and(is_spotify_id)
}

/// Whether the text is an id as Spotify writes them: 22 characters of base 62 (reference, section 1).
pub(crate) fn is_spotify_id(id: &str) -> bool {
    id.len() == 22 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}
