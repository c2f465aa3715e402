//! How long things may take: all of it follows from the deadline of a call.

use std::time::Duration;

/// Of a call, where the address says nothing else: whoever asked is refused within 1 s.
pub(super) const DEADLINE: Duration = Duration::from_millis(900);

#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// No call takes longer, whatever happens to the server.
    pub(super) call: Duration,
    /// A call waits this long for a connection that has ended; later it is refused at once.
    pub(super) grace: Duration,
    /// A server that has not greeted us, or not answered a look, by then is away.
    pub(super) answer: Duration,
    /// The same where waiting for replicas holds up what comes after it.
    pub(super) answer_durable: Duration,
    /// How long a durable commit waits for its replicas.
    pub(super) replicas: Duration,
    /// A server that is not reached by then does not let the service start.
    pub(super) open: Duration,
}

impl Times {
    pub(super) fn of(call: Duration) -> Self {
        Self {
            call,
            grace: call * 9 / 20,
            answer: call,
            answer_durable: call * 5 / 2,
            replicas: call / 2,
            open: call * 5,
        }
    }
}
