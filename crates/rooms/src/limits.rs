//! The numbers of a room, each with its reason.

/// How long a member counts as online after its last connection ended, after joining, or after a restart of the
/// service, in milliseconds: a phone that changes cells comes back within it. (Contract, section 2.)
pub const ONLINE_GRACE_MS: u64 = 60_000;

/// How long after its last deed a member counts as an elector, in milliseconds. (Contract, section 5.)
pub const ACTIVE_MS: u64 = 600_000;

/// With fewer members online than this, all of them are electors. (Contract, section 5.)
pub const SMALL_ROOM: usize = 4;

/// How long the answer to a command is remembered under its id, in milliseconds. (Contract, section 4.)
pub const ANSWER_MS: u64 = 600_000;

/// Newcomers a minute that a guarded room lets in by itself. (Contract, section 5.)
pub const GUARDED_NEWCOMERS: usize = 20;

/// The window of [`GUARDED_NEWCOMERS`], in milliseconds.
pub const GUARDED_WINDOW_MS: u64 = 60_000;

/// How long a refused ballot is shown before the next one opens, in milliseconds: long enough to be read.
pub const REFUSED_SHOWN_MS: u64 = 2_000;

/// How long a closed room answers its members with 410, in milliseconds. (Contract, section 3.)
pub const CLOSED_KEPT_MS: u64 = 24 * 3_600_000;

/// How long Spotify's answers may still show the state before a command, in milliseconds (reference, section 9.1:
/// design for 0 to 3 s).
pub const ECHO_MS: u64 = 3_500;

/// Differences of the position under this are noise and not shown, in milliseconds (reference, sections 4.1, 9.2).
pub const DRIFT_MS: u64 = 1_000;

/// A position this far past the end says nothing, in milliseconds (reference, section 9.4).
pub const PAST_END_MS: u64 = 2_000;

/// Members, besides the host and the moderators, that a room lists. (Contract, section 5.)
pub const LISTED_MEMBERS: usize = 200;

/// A command that needs Spotify and was not sent for this long is given up, in milliseconds.
pub const ORDER_STALE_MS: u64 = 15_000;

/// Whoever pressed a button does not want it pressed later than this, in milliseconds.
pub const BUTTON_PATIENCE_MS: u64 = 10_000;

/// How often it is tried whether an account that had no Premium has it by now, in milliseconds.
pub const PREMIUM_AGAIN_MS: u64 = 60_000;

/// Orders that may wait in a room: beyond it, Spotify is asked for more than it can follow.
pub const ORDERS_MAX: usize = 32;

/// Clocks of processes differ by less than this, in milliseconds; a stored instant further ahead was wrong.
pub const CLOCK_SKEW_MS: u64 = 5_000;
