//! The sockets: accepting them, the WebSocket upgrade, and the live connections from then on.
//!
//! hyper and axum carry a connection as far as the upgrade; after it the socket is ours, and no library's buffers stay
//! with it. What a room has to say is encoded once and written to each socket from the room's side, without waking a
//! task per guest. One small task per connection reads, and writes what a full socket buffer held back.
//!
//! How a handler uses it:
//!
//! 1. [`Handshake::accept`] checks the request, [`Handshake::response`] is the answer, and [`Handshake::complete`], in a
//!    task of its own, gives the [`Upgraded`] socket.
//! 2. [`Sockets::open`] makes it a [`Connection`], [`Audience::insert`] greets it and seats it in its room, and
//!    [`Opened::start`] lets it speak.
//! 3. [`Audience::post`] tells everyone, [`Connection::send`] one; [`Connection::close`] ends it.
//!
//! Nothing here knows rooms, sessions or JSON, except for the `bye` before a close.

mod audience;
pub mod codec;
mod connection;
mod heartbeat;
mod limits;
mod outgoing;
mod server;
mod sockets;
mod stats;
mod task;
mod upgrade;

pub use audience::{Audience, Publication};
pub use connection::{Connection, ConnectionId, Ended, Handler};
pub use heartbeat::Sweeper;
pub use limits::{HttpLimits, LiveLimits};
pub use server::{PeerAddr, Permit, listen, serve};
pub use sockets::{Opened, Sockets};
pub use stats::{NetStats, NetStatsSnapshot};
pub use upgrade::{Handshake, HandshakeError, SUBPROTOCOL, Upgraded};
