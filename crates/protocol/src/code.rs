//! Error codes and close codes: closed lists, stable words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why something was not done. Clients decide by this, never by the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is not the JSON that was asked for.
    BadRequest,
    /// The command is not one, or a key of it is wrong.
    BadCommand,
    /// There is no session, or none any more.
    NoSession,
    /// The caller may not do that.
    NotAllowed,
    /// The member waits to be let in.
    NotAdmitted,
    /// A Spotify account must be authorized first.
    SpotifyRequired,
    /// The `Origin` is not the service's own.
    WrongOrigin,
    /// A request without `Origin` needs a bearer credential or the `Parlor-Client` header.
    ClientHeaderRequired,
    /// No such path.
    NotFound,
    /// No such room, as far as the caller may know.
    NoSuchRoom,
    /// The host has closed the room.
    RoomClosed,
    /// The host has as many rooms as a host may have.
    TooManyRooms,
    /// The method is not one of the path's.
    MethodNotAllowed,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The body is over 16 KiB.
    TooLarge,
    /// The request did not arrive in time.
    RequestTimeout,
    /// The host named in the request is not this service.
    WrongHost,
    /// Too many requests.
    TooManyRequests,
    /// A WebSocket upgrade was asked for in a way that is none.
    UpgradeRequired,
    /// The epoch is not (any more) the one that plays.
    StaleEpoch,
    /// Nothing plays.
    NothingPlaying,
    /// No such entry in the queue.
    UnknownEntry,
    /// No such member.
    UnknownMember,
    /// The track is queued already.
    AlreadyQueued,
    /// The track was played a short while ago.
    PlayedRecently,
    /// The queue is full.
    QueueFull,
    /// The member has as many tracks queued as a member may have.
    TooManyQueued,
    /// The member has used up its additions for this hour.
    AddsUsedUp,
    /// The track is longer than the room takes.
    TooLong,
    /// The track or its artist is banned from the room.
    BannedTrack,
    /// The room takes no explicit tracks.
    ExplicitNotAllowed,
    /// Spotify cannot play it, or there is no such track.
    NotPlayable,
    /// Too many commands in a short time.
    TooFast,
    /// The host must authorize Spotify again.
    NeedsHost,
    /// No device of the host is there to play on.
    NoDevice,
    /// Spotify takes commands from Premium accounts alone.
    PremiumRequired,
    /// The device, or what plays, does not allow it.
    Restricted,
    /// Spotify does not answer.
    SpotifyUnavailable,
    /// Spotify asks to wait.
    SpotifyBusy,
    /// The store cannot be reached: nothing was changed.
    StoreUnavailable,
    /// The process is starting or stopping.
    NotReady,
    /// Something went wrong here.
    Internal,
}

impl Code {
    /// The code as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::BadCommand => "bad_command",
            Self::NoSession => "no_session",
            Self::NotAllowed => "not_allowed",
            Self::NotAdmitted => "not_admitted",
            Self::SpotifyRequired => "spotify_required",
            Self::WrongOrigin => "wrong_origin",
            Self::ClientHeaderRequired => "client_header_required",
            Self::NotFound => "not_found",
            Self::NoSuchRoom => "no_such_room",
            Self::RoomClosed => "room_closed",
            Self::TooManyRooms => "too_many_rooms",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooLarge => "too_large",
            Self::RequestTimeout => "request_timeout",
            Self::WrongHost => "wrong_host",
            Self::TooManyRequests => "too_many_requests",
            Self::UpgradeRequired => "upgrade_required",
            Self::StaleEpoch => "stale_epoch",
            Self::NothingPlaying => "nothing_playing",
            Self::UnknownEntry => "unknown_entry",
            Self::UnknownMember => "unknown_member",
            Self::AlreadyQueued => "already_queued",
            Self::PlayedRecently => "played_recently",
            Self::QueueFull => "queue_full",
            Self::TooManyQueued => "too_many_queued",
            Self::AddsUsedUp => "adds_used_up",
            Self::TooLong => "too_long",
            Self::BannedTrack => "banned_track",
            Self::ExplicitNotAllowed => "explicit_not_allowed",
            Self::NotPlayable => "not_playable",
            Self::TooFast => "too_fast",
            Self::NeedsHost => "needs_host",
            Self::NoDevice => "no_device",
            Self::PremiumRequired => "premium_required",
            Self::Restricted => "restricted",
            Self::SpotifyUnavailable => "spotify_unavailable",
            Self::SpotifyBusy => "spotify_busy",
            Self::StoreUnavailable => "store_unavailable",
            Self::NotReady => "not_ready",
            Self::Internal => "internal",
        }
    }
}

/// The code of a WebSocket close frame, and in `bye`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The member left.
    Left = 1000,
    /// The process stops: come back after `retry_ms`.
    GoingAway = 1001,
    /// A frame that is not text, or no JSON object.
    Policy = 1008,
    /// A frame over 4 KiB.
    TooBig = 1009,
    /// No session (any more).
    NoSession = 4401,
    /// Removed or banned.
    Removed = 4403,
    /// No such room.
    NoSuchRoom = 4404,
    /// Silent, or too slow.
    Silent = 4408,
    /// The room was closed.
    RoomClosed = 4410,
    /// Too many commands or connections.
    TooMany = 4429,
}

impl CloseCode {
    /// The number of the close frame.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The close code of that number, where it is one of these.
    pub fn from_number(number: u16) -> Option<Self> {
        use CloseCode as C;
        [
            C::Left,
            C::GoingAway,
            C::Policy,
            C::TooBig,
            C::NoSession,
            C::Removed,
            C::NoSuchRoom,
            C::Silent,
            C::RoomClosed,
            C::TooMany,
        ]
        .into_iter()
        .find(|code| code.number() == number)
    }

    /// Whether a client that is closed with it may try again with the same session.
    pub const fn may_return(self) -> bool {
        matches!(self, Self::GoingAway | Self::Policy | Self::TooBig | Self::Silent | Self::TooMany)
    }
}
