//! When to connect, when to come back, when to give up.

use kernel::{Entropy, Timestamp};
use protocol::{CloseCode, Code};

/// The first ceiling of the wait, doubled with each failure.
const BASE_MS: u64 = 500;
/// No ceiling is higher.
const CAP_MS: u64 = 30_000;
/// A connection that lived this long proves that the server is well; before, a failure counts on.
const STABLE_MS: u64 = 10_000;
/// Whoever waits to be let in asks no more often than this.
const ADMISSION_MS: u64 = 2_000;

/// Where the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A connection is being made.
    Connecting,
    /// A connection lives.
    Live,
    /// The next attempt is due at that instant.
    Waiting {
        /// When.
        until: Timestamp,
    },
    /// There will be no further attempt.
    Ended(EndReason),
}

/// Why the client does not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The member left the room (1000).
    Left,
    /// The session is not known (any more) (4401).
    NoSession,
    /// Removed or banned (4403).
    Removed,
    /// No such room, as far as the caller may know (4404).
    NoSuchRoom,
    /// The host closed the room (4410).
    RoomClosed,
    /// The server refused the upgrade for a cause that will not pass.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The server speaks another version of the protocol.
    Protocol,
    /// The client's owner ended it.
    Stopped,
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Left => f.write_str("left the room"),
            Self::NoSession => f.write_str("the session is not known"),
            Self::Removed => f.write_str("removed from the room"),
            Self::NoSuchRoom => f.write_str("no such room"),
            Self::RoomClosed => f.write_str("the room was closed"),
            Self::Refused { status } => write!(f, "the server refused the connection with {status}"),
            Self::Protocol => f.write_str("the server speaks another protocol"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for EndReason {}

/// How an attempt or a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// By a close code, in the close frame or in `bye`.
    Code {
        /// The code.
        code: u16,
        /// `retry_ms` of the `bye`, where there was one.
        retry_ms: Option<u64>,
    },
    /// Before the upgrade, by an HTTP answer.
    Http {
        /// The status.
        status: u16,
        /// The problem's code, where it could be read.
        code: Option<Code>,
        /// `Retry-After`, in milliseconds.
        retry_ms: Option<u64>,
    },
    /// Without a word: refused, reset, silent, or a frame that broke the rules.
    Abnormal,
    /// By the client's owner.
    Stopped,
}

/// What a close means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Come back, no sooner than after `at_least_ms`.
    Return {
        /// The server's wish.
        at_least_ms: u64,
    },
    /// Do not come back.
    End(EndReason),
}

impl Closed {
    /// What it means: contract, sections 3 and 4. Unknown codes and server errors are worth another attempt.
    pub fn step(self) -> Step {
        match self {
            Self::Code { code, retry_ms } => {
                let Some(known) = CloseCode::from_number(code) else { return back(retry_ms) };
                match known {
                    CloseCode::Left => Step::End(EndReason::Left),
                    CloseCode::NoSession => Step::End(EndReason::NoSession),
                    CloseCode::Removed => Step::End(EndReason::Removed),
                    CloseCode::NoSuchRoom => Step::End(EndReason::NoSuchRoom),
                    CloseCode::RoomClosed => Step::End(EndReason::RoomClosed),
                    CloseCode::GoingAway
                    | CloseCode::Policy
                    | CloseCode::TooBig
                    | CloseCode::Silent
                    | CloseCode::TooMany => back(retry_ms),
                }
            }
            Self::Http { status, code, retry_ms } => match status {
                401 => Step::End(EndReason::NoSession),
                403 if code == Some(Code::NotAdmitted) => back(Some(retry_ms.unwrap_or(0).max(ADMISSION_MS))),
                404 => Step::End(EndReason::NoSuchRoom),
                410 => Step::End(EndReason::RoomClosed),
                408 | 425 | 429 => back(retry_ms),
                400..=499 => Step::End(EndReason::Refused { status }),
                _ => back(retry_ms),
            },
            Self::Abnormal => back(None),
            Self::Stopped => Step::End(EndReason::Stopped),
        }
    }
}

const fn back(retry_ms: Option<u64>) -> Step {
    let at_least_ms = match retry_ms {
        Some(ms) => ms,
        None => 0,
    };
    Step::Return { at_least_ms }
}

/// The connection's life.
#[derive(Clone, Debug)]
pub struct Session {
    stage: Stage,
    failures: u32,
    live_since: Option<Timestamp>,
}

impl Default for Session {
    fn default() -> Self {
        Self { stage: Stage::Connecting, failures: 0, live_since: None }
    }
}

impl Session {
    /// Where the connection is.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// A connection has been made.
    pub const fn opened(&mut self, now: Timestamp) {
        if matches!(self.stage, Stage::Connecting) {
            self.stage = Stage::Live;
            self.live_since = Some(now);
        }
    }

    /// An attempt failed or the connection ended.
    ///
    /// The wait is the server's wish plus a random part of the ceiling ("full jitter": those who were cut off together
    /// do not come back together). The ceiling doubles from 500 ms to 30 s with each failure in a row.
    pub fn closed(&mut self, how: Closed, now: Timestamp, entropy: &dyn Entropy) {
        if let Stage::Ended(_) = self.stage {
            return;
        }
        if self.live_since.take().is_some_and(|since| now.since(since) >= STABLE_MS) {
            self.failures = 0;
        }
        self.stage = match how.step() {
            Step::End(reason) => Stage::Ended(reason),
            Step::Return { at_least_ms } => {
                let ceiling = (BASE_MS << self.failures.min(16)).min(CAP_MS);
                self.failures = self.failures.saturating_add(1);
                let jitter = u64::from(entropy.below(u32::try_from(ceiling).unwrap_or(u32::MAX)));
                Stage::Waiting { until: now.plus_ms(at_least_ms).plus_ms(jitter) }
            }
        };
    }

    /// Begins the next attempt where it is due.
    pub fn due(&mut self, now: Timestamp) {
        if let Stage::Waiting { until } = self.stage
            && now >= until
        {
            self.stage = Stage::Connecting;
        }
    }

    /// Begins the next attempt at once: a person asks for it, or the network has come back.
    pub const fn retry_now(&mut self) {
        if let Stage::Waiting { .. } = self.stage {
            self.stage = Stage::Connecting;
        }
    }

    /// Ends for a reason that no close code has.
    pub const fn end(&mut self, reason: EndReason) {
        if !matches!(self.stage, Stage::Ended(_)) {
            self.stage = Stage::Ended(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::SeededEntropy;

    /// Draws the highest number that may be drawn.
    #[derive(Debug)]
    struct Highest;

    impl Entropy for Highest {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }

        fn below(&self, bound: u32) -> u32 {
            bound - 1
        }
    }

    const NOW: Timestamp = Timestamp(1_000_000);

    fn check(how: Closed, expected: Step) {
        assert_eq!(how.step(), expected, "{how:?}");
    }

    fn code(code: u16) -> Closed {
        Closed::Code { code, retry_ms: None }
    }

    fn http(status: u16, code: Option<Code>, retry_ms: Option<u64>) -> Closed {
        Closed::Http { status, code, retry_ms }
    }

    const RETURN: Step = Step::Return { at_least_ms: 0 };

    #[test]
    fn close_codes_end_or_return() {
        check(code(1000), Step::End(EndReason::Left));
        check(code(1001), RETURN);
        check(code(1006), RETURN);
        check(code(1008), RETURN);
        check(code(1009), RETURN);
        check(code(1011), RETURN);
        check(code(4401), Step::End(EndReason::NoSession));
        check(code(4403), Step::End(EndReason::Removed));
        check(code(4404), Step::End(EndReason::NoSuchRoom));
        check(code(4408), RETURN);
        check(code(4410), Step::End(EndReason::RoomClosed));
        check(code(4429), RETURN);
        check(Closed::Code { code: 1001, retry_ms: Some(2_500) }, Step::Return { at_least_ms: 2_500 });
        check(Closed::Abnormal, RETURN);
        check(Closed::Stopped, Step::End(EndReason::Stopped));
    }

    #[test]
    fn answers_before_the_upgrade_end_or_return() {
        check(http(401, None, None), Step::End(EndReason::NoSession));
        check(http(403, Some(Code::NotAdmitted), None), Step::Return { at_least_ms: ADMISSION_MS });
        check(http(403, Some(Code::WrongOrigin), None), Step::End(EndReason::Refused { status: 403 }));
        check(http(404, None, None), Step::End(EndReason::NoSuchRoom));
        check(http(410, None, None), Step::End(EndReason::RoomClosed));
        check(http(426, None, None), Step::End(EndReason::Refused { status: 426 }));
        check(http(429, None, Some(7_000)), Step::Return { at_least_ms: 7_000 });
        check(http(503, None, Some(1_000)), Step::Return { at_least_ms: 1_000 });
        check(http(502, None, None), RETURN);
    }

    fn wait_of(session: &Session) -> u64 {
        let Stage::Waiting { until } = session.stage() else { panic!("waits: {session:?}") };
        until.since(NOW)
    }

    #[test]
    fn the_wait_doubles_to_a_cap_and_is_random_below_it() {
        let mut session = Session::default();
        let mut waits = Vec::new();
        for _ in 0..9 {
            session.closed(Closed::Abnormal, NOW, &Highest);
            waits.push(wait_of(&session) + 1);
            session.retry_now();
        }
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);

        let entropy = SeededEntropy::new(7);
        let drawn: Vec<u64> = (0..8)
            .map(|_| {
                let mut fresh = Session::default();
                fresh.closed(Closed::Abnormal, NOW, &entropy);
                wait_of(&fresh)
            })
            .collect();
        assert!(drawn.iter().any(|ms| *ms != drawn[0]), "all alike: {drawn:?}");
    }

    #[test]
    fn the_servers_wish_is_a_minimum() {
        for seed in 0..64 {
            let mut session = Session::default();
            session.opened(NOW);
            let bye = Closed::Code { code: 1001, retry_ms: Some(3_000) };
            session.closed(bye, NOW, &SeededEntropy::new(seed));
            assert!((3_000..3_500).contains(&wait_of(&session)), "seed {seed}");
        }
    }

    #[test]
    fn only_a_connection_that_lived_forgives_earlier_failures() {
        let after_life_of = |ms: u64| {
            let mut session = Session::default();
            for _ in 0..5 {
                session.closed(Closed::Abnormal, NOW, &Highest);
                session.retry_now();
            }
            session.opened(NOW.minus_ms(ms));
            session.closed(Closed::Abnormal, NOW, &Highest);
            wait_of(&session) + 1
        };
        assert_eq!(after_life_of(STABLE_MS), 500);
        assert_eq!(after_life_of(STABLE_MS - 1), 16_000);
    }

    #[test]
    fn an_attempt_begins_when_it_is_due_and_never_after_the_end() {
        let mut session = Session::default();
        session.closed(Closed::Code { code: 4408, retry_ms: Some(100) }, NOW, &Highest);
        let due = NOW.plus_ms(100 + 499);
        session.due(due.minus_ms(1));
        assert!(matches!(session.stage(), Stage::Waiting { .. }));
        session.due(due);
        assert_eq!(session.stage(), Stage::Connecting);

        session.closed(code(4410), NOW, &Highest);
        session.closed(Closed::Abnormal, NOW, &Highest);
        session.retry_now();
        assert_eq!(session.stage(), Stage::Ended(EndReason::RoomClosed));
    }
}
