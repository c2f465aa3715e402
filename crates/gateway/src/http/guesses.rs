//! Guessing at room codes: ten wrong ones a minute from one address, then no more answers to anybody there who is not
//! a member already.
//!
//! Codes that do not exist, are no codes, or name rooms that are locked, full or closed to the caller all count, and
//! look alike. Whoever is a member of a room is not held up by a neighbour's guesses: a party shares one address.

use protocol::Code;

use super::middleware::address::counted;
use super::problem::Problem;
use crate::Parts;
use crate::parts::ClientAddr;

/// Wrong codes within [`WINDOW_MS`] that are answered.
const GUESSES: u64 = 10;
const WINDOW_MS: u64 = 60_000;

/// Whether that address may still name codes. Ask before looking, for whoever is not a member.
pub async fn may_guess(parts: &Parts, from: ClientAddr) -> Result<(), Problem> {
    let name = name(from);
    let count = parts.store.limits.limit_peek(&name, parts.clock.now()).await?;
    if count < GUESSES { Ok(()) } else { Err(wrong_guess(parts, from).await) }
}

/// Counts a wrong code; the answer to it.
pub async fn wrong_guess(parts: &Parts, from: ClientAddr) -> Problem {
    let now = parts.clock.now();
    match parts.store.limits.limit_count(&name(from), WINDOW_MS, now).await {
        Ok((count, _)) if count <= GUESSES => Problem::no_such_room(),
        Ok((_, until)) => Problem::new(Code::TooManyRequests, "Too many wrong codes. Wait a minute.")
            .retry_after_ms(until.since(now)),
        Err(error) => error.into(),
    }
}

fn name(from: ClientAddr) -> String {
    format!("guesses/{}", counted(from))
}
