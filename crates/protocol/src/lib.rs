#![doc = include_str!("../README.md")]

mod code;
mod frame;
mod http;
mod view;

pub use code::{CloseCode, Code};
pub use frame::{ClientFrame, CommandBody, Notice, Request, ServerFrame, SkippedBy, Update, You};
pub use http::{
    Account, CommandResult, CreateRoom, DemoInfo, DeviceList, JoinRoom, JoinWaiting, KnownRoom, List, Me,
    PatchMe, PatchRoom, Playlist, Problem, RoomCard, SavedTrack,
};
pub use view::{
    Admission, AlbumView, ArtistView, DeviceView, HostView, MemberView, MembersView, PlaybackState,
    PlaybackView, QueueEntryView, QueueOrder, Role, RoomView, SettingsPatch, SettingsView, SkipRule,
    SkipState, SkipView, TrackView, WaitingView,
};

/// The version of the live connection's protocol, said in `hello`.
pub const PROTOCOL_VERSION: u32 = 1;

/// The WebSocket sub-protocol that the server offers.
pub const SUBPROTOCOL: &str = "parlor.v1";

/// Deserialises a key that is there into `Some`, so that `null` (`Some(None)`) and a missing key (`None`) differ.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
