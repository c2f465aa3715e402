//! What one app may ask of Spotify, as the operator says it.

use crate::group::Group;

const SECOND_MS: u64 = 1000;
const DAY_MS: u64 = 24 * 60 * 60 * SECOND_MS;
const CALLS_MAX: u32 = 10_000_000;
/// The player looked at every 10 s, all day.
const WATCHFUL_PER_DAY: u64 = DAY_MS / (10 * SECOND_MS);

/// What one app may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPlan {
    pub(super) caps: Vec<Cap>,
    pub(super) learns: bool,
}

/// At most so many calls in a rolling time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cap {
    pub(super) reach: Reach,
    pub(super) calls: u32,
    pub(super) per_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    All,
    Group(Group),
}

/// How soon a change from outside has to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// At the end of the track: calls are too few to look in between.
    EndOfTrack,
    /// Within 10 s.
    Within10s,
}

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing is written.
    #[error("takes development, extended, or figures such as player=5000/day,search=500/day,all=60/30s")]
    Empty,
    /// A part is not of the form.
    #[error("{part:?} is not of the form GROUP=CALLS/TIME, such as player=5000/day")]
    Form {
        /// The part.
        part: String,
    },
    /// There is no such group.
    #[error("{name:?} is no group; there are player, playlist, search, artist_albums, catalogue, me, all")]
    Group {
        /// What stands there instead.
        name: String,
    },
    /// The number of calls is none.
    #[error("{calls:?} is not a number of calls from 1 to 10000000")]
    Calls {
        /// What stands there instead.
        calls: String,
    },
    /// The time is none.
    #[error(
        "{time:?} is not a time; there are s, min, h, day, with a number before them or not, up to 7 days"
    )]
    Time {
        /// What stands there instead.
        time: String,
    },
    /// The same group has two caps over the same time.
    #[error("{part:?} says again what was said before")]
    Twice {
        /// The second part.
        part: String,
    },
}

impl CallPlan {
    /// Takes `development`, `extended`, or figures with commas between them.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        match text.trim() {
            "" => Err(PlanError::Empty),
            "development" => Ok(Self::development()),
            "extended" => Ok(Self::extended()),
            figures => {
                let mut caps: Vec<Cap> = Vec::new();
                for part in figures.split(',').map(str::trim) {
                    let cap = Cap::parse(part)?;
                    if caps.iter().any(|known| known.reach == cap.reach && known.per_ms == cap.per_ms) {
                        return Err(PlanError::Twice { part: part.to_owned() });
                    }
                    caps.push(cap);
                }
                Ok(Self { caps, learns: true })
            }
        }
    }

    /// For an app in development mode, whose limits nobody knows. The daily figures are below what was reported to
    /// have been refused in 2026 (476 playlist loads, about 100 calls for artists' albums, a couple of hundred
    /// searches); where Spotify refuses earlier, the budget learns.
    pub fn development() -> Self {
        let daily = [
            (Group::Player, 480),
            (Group::Playlist, 400),
            (Group::Search, 180),
            (Group::ArtistAlbums, 80),
            (Group::Catalogue, 300),
            (Group::Me, 300),
        ];
        let mut caps: Vec<Cap> = daily
            .into_iter()
            .map(|(group, calls)| Cap { reach: Reach::Group(group), calls, per_ms: DAY_MS })
            .collect();
        caps.push(Cap { reach: Reach::All, calls: 60, per_ms: 30 * SECOND_MS });
        Self { caps, learns: true }
    }

    /// For an app in extended mode: no daily quota is known of, and a rate "much higher" than in development.
    pub fn extended() -> Self {
        Self { caps: vec![Cap { reach: Reach::All, calls: 900, per_ms: 30 * SECOND_MS }], learns: false }
    }

    /// How soon a change from outside can be seen under this plan: within 10 s where one room could look at its player
    /// that often all day, else at the end of the track.
    pub fn watch(&self) -> Watch {
        let daily = |cap: &Cap| u64::from(cap.calls) * DAY_MS / cap.per_ms;
        let player =
            self.caps.iter().filter(|cap| matches!(cap.reach, Reach::All | Reach::Group(Group::Player)));
        let least = player.map(daily).min().unwrap_or(u64::MAX);
        if least > WATCHFUL_PER_DAY { Watch::Within10s } else { Watch::EndOfTrack }
    }
}

impl Cap {
    fn parse(part: &str) -> Result<Self, PlanError> {
        let form = || PlanError::Form { part: part.to_owned() };
        let (name, rest) = part.split_once('=').ok_or_else(form)?;
        let (calls, time) = rest.split_once('/').ok_or_else(form)?;
        let (name, calls, time) = (name.trim(), calls.trim(), time.trim());
        let reach = if name == "all" {
            Reach::All
        } else {
            Reach::Group(Group::parse(name).ok_or_else(|| PlanError::Group { name: name.to_owned() })?)
        };
        let number = calls.parse().ok().filter(|calls| (1..=CALLS_MAX).contains(calls));
        Ok(Self {
            reach,
            calls: number.ok_or_else(|| PlanError::Calls { calls: calls.to_owned() })?,
            per_ms: time_ms(time).ok_or_else(|| PlanError::Time { time: time.to_owned() })?,
        })
    }
}

/// `30s`, `day`, `2h`, up to seven days.
fn time_ms(text: &str) -> Option<u64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let unit_ms = match unit {
        "s" | "second" | "seconds" => SECOND_MS,
        "m" | "min" | "minute" | "minutes" => 60 * SECOND_MS,
        "h" | "hour" | "hours" => 60 * 60 * SECOND_MS,
        "d" | "day" | "days" => DAY_MS,
        _ => return None,
    };
    number.checked_mul(unit_ms).filter(|ms| (SECOND_MS..=7 * DAY_MS).contains(ms))
}
