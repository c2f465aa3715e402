#![doc = include_str!("../README.md")]

mod admission;
mod ballot;
mod command;
mod conduct;
mod limits;
mod loss;
mod member;
mod observe;
mod order;
mod place;
mod playback;
mod policy;
mod proposal;
mod record;
mod refusal;
mod room;
mod sections;
mod settings;
mod votes;

pub use admission::JoinOutcome;
pub use ballot::{Ballot, BallotState};
pub use command::{Answer, Command, CommandId};
pub use conduct::{OrderOutcome, Trouble};
pub use limits::*;
pub use member::{Member, Role, Standing};
pub use observe::{Observation, PlayerSeen, Seen, Sight};
pub use order::{Act, Order, OrderId, OrderState};
pub use playback::{Album, Artist, Device, Disallows, Playback, PlaybackState, Track};
pub use policy::{Deed, allowed};
pub use proposal::{Departure, Notice, Proposal, SkippedBy};
pub use record::Corrupt;
pub use refusal::{Reason, Refusal};
pub use room::{Opening, Room};
pub use sections::{Section, Sections};
pub use settings::{Admission, BadSetting, QueueOrder, Settings, SettingsPatch, SkipRule};
