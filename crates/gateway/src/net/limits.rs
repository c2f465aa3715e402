//! How much is allowed.

use std::time::Duration;

/// Limits of the connections before their upgrade (reference O-18).
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Sockets in all, upgraded ones included.
    pub connections: usize,
    /// Sockets that speak HTTP from one group of addresses (an IPv4 /24, an IPv6 /64), the loopback excepted. Upgraded
    /// ones belong to members and do not count: a party behind one address has many.
    pub per_group: usize,
    /// From the first byte of a request, or from the accept, to the end of its head.
    pub head: Duration,
    /// Without a request, after the first.
    pub idle: Duration,
    /// For requests in flight, after the stop has been asked for.
    pub drain: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            per_group: 200,
            head: Duration::from_secs(5),
            idle: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

/// Limits of the live connections (contract, section 4; reference P7, P8, O-20, O-22).
#[derive(Clone, Copy, Debug)]
pub struct LiveLimits {
    /// From one ping to the next.
    pub heartbeat: Duration,
    /// Of silence after a ping, then the connection closes.
    pub silence: Duration,
    /// Without one byte taken by a socket that has output pending, then the connection closes.
    pub stall: Duration,
    /// For the peer to answer a close, then the socket is dropped.
    pub closing: Duration,
    /// Bytes queued behind a full socket, then the connection closes.
    pub backlog: usize,
    /// Bytes queued behind a full socket, then no more news is queued: the newest snapshot follows when it has drained.
    pub behind: usize,
    /// Over how long the next two are counted.
    pub window: Duration,
    /// Frames of any kind from one client in a window, then the connection closes. Commands have stricter limits of
    /// their own elsewhere.
    pub frames: u32,
    /// Bytes from one client in a window, then the connection closes.
    pub bytes: usize,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            silence: Duration::from_secs(8),
            stall: Duration::from_secs(5),
            closing: Duration::from_millis(1500),
            backlog: 256 * 1024,
            behind: 64 * 1024,
            window: Duration::from_secs(10),
            frames: 400,
            bytes: 1024 * 1024,
        }
    }
}
