//! What is sent when: fixed before the run, so that a slow server cannot slow the questions down.

use std::time::Duration;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum What {
    /// `react`: a notice to everyone.
    React,
    /// `vote_skip` and `unvote_skip` by turns: a new version of the room.
    Vote,
}

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shot {
    /// When it is due, from the beginning.
    pub(crate) at: Duration,
    /// In which room.
    pub(crate) room: usize,
    /// By which of the room's members.
    pub(crate) member: usize,
    /// `vote_skip` rather than `unvote_skip`.
    pub(crate) vote: bool,
}

/// Emoji that tell one reaction from the next few. Each is one code point.
pub(crate) const EMOJI: [&str; 16] =
    ["👍", "👎", "🎉", "🔥", "😀", "😂", "😍", "😎", "😮", "😢", "🙌", "👏", "💃", "🕺", "🎶", "💯"];

/// `volleys` per second for `seconds`, each of `volley` commands at the same instant. Rooms take turns; in a room,
/// members take turns: each votes, takes it back, and is the next one's predecessor. A member so stays under the 20
/// commands in 10 s that the contract allows; the error says where that cannot be.
pub(crate) fn plan(
    rooms: usize,
    members: usize,
    volleys: f64,
    volley: usize,
    seconds: u64,
) -> Result<Vec<Shot>, String> {
    let each = volleys * volley as f64 / (rooms * members) as f64;
    if each > 1.8 {
        return Err(format!(
            "{each:.1} commands a second and member; the server takes 2: fewer, or more members"
        ));
    }
    let count = (volleys * seconds as f64).round() as usize;
    let shot = |n: usize| {
        let turn = n / rooms;
        Shot {
            at: Duration::from_secs_f64((n / volley) as f64 / volleys),
            room: n % rooms,
            member: turn / 2 % members,
            vote: turn.is_multiple_of(2),
        }
    };
    Ok((0..count * volley).map(shot).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_to_send_more_than_the_server_takes() {
        let shots = plan(2, 10, 10.0, 3, 30).expect("fits");
        assert_eq!(shots.len(), 900);
        for (room, member) in (0..2).flat_map(|room| (0..10).map(move |member| (room, member))) {
            let mine: Vec<_> =
                shots.iter().filter(|shot| (shot.room, shot.member) == (room, member)).collect();
            for window in mine.windows(21) {
                assert!(window[20].at >= window[0].at + Duration::from_secs(10), "{room} {member}");
            }
            assert!(mine.chunks(2).all(|pair| pair[0].vote && pair.get(1).is_none_or(|shot| !shot.vote)));
        }
        plan(1, 2, 10.0, 1, 1).expect_err("five a second and member");
    }

    #[test]
    fn a_volley_is_due_at_one_instant() {
        let shots = plan(1, 100, 2.0, 4, 2).expect("fits");
        let at: Vec<u128> = shots.iter().map(|shot| shot.at.as_millis()).collect();
        assert_eq!(at[..9], [0, 0, 0, 0, 500, 500, 500, 500, 1_000]);
    }
}
