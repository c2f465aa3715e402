//! How far the server's clock is from ours, and where the music stands.

use std::collections::VecDeque;

use kernel::Timestamp;
use protocol::PlaybackView;

/// How many round trips are remembered: old ones must go, for clocks drift.
const KEPT: usize = 8;

/// How far the server's clock is ahead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Add it to our time to have the server's, in milliseconds.
    pub offset_ms: i64,
    /// The round trip that it was taken from, in milliseconds: the offset is wrong by at most half of it.
    pub round_trip_ms: u64,
}

/// The estimate from `ping` and `pong`: that of the shortest round trip of the last eight. A short one leaves the least
/// room for the error, which is half the difference between the way there and the way back.
#[derive(Clone, Debug, Default)]
pub struct Offset(VecDeque<Estimate>);

impl Offset {
    /// Takes in a round trip: sent and received by our clock, answered at `server_time` by the server's. One that was
    /// received before it was sent (our clock was set meanwhile) is passed over.
    pub fn add(&mut self, sent: Timestamp, received: Timestamp, server_time: Timestamp) {
        if received < sent {
            return;
        }
        let round_trip_ms = received.since(sent);
        let middle = sent.plus_ms(round_trip_ms / 2);
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Estimate { offset_ms: server_time - middle, round_trip_ms });
    }

    /// The best estimate; of equal round trips the latest. `None` before the first.
    pub fn estimate(&self) -> Option<Estimate> {
        self.0.iter().rev().min_by_key(|sample| sample.round_trip_ms).copied()
    }

    /// The server's time when ours is `ours`; ours itself before the first estimate.
    pub fn server_time(&self, ours: Timestamp) -> Timestamp {
        Timestamp(ours.0.saturating_add(self.estimate().map_or(0, |estimate| estimate.offset_ms)))
    }
}

/// Where in the track the music is at `t` of the server's time, in milliseconds: contract, section 5. Never before the
/// start nor after the end of the track.
pub fn position_at(playback: &PlaybackView, t: Timestamp) -> u64 {
    let moved = if playback.is_playing { t - Timestamp(playback.as_of) } else { 0 };
    let position = playback.progress_ms.saturating_add_signed(moved);
    playback.track.as_ref().map_or(position, |track| position.min(track.duration_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trips: &[(i64, i64, i64)], expected: Option<(i64, u64)>) {
        let mut offset = Offset::default();
        for &(sent, received, server) in trips {
            offset.add(Timestamp(sent), Timestamp(received), Timestamp(server));
        }
        let found = offset.estimate().map(|estimate| (estimate.offset_ms, estimate.round_trip_ms));
        assert_eq!(found, expected, "{trips:?}");
    }

    #[test]
    fn the_shortest_round_trip_decides() {
        check(&[], None);
        check(&[(1_000, 1_100, 5_050)], Some((4_000, 100)));
        check(&[(1_000, 1_100, 950)], Some((-100, 100)));
        // The second went slowly one way alone, and would be wrong by 150 ms.
        check(&[(1_000, 1_020, 2_010), (1_100, 1_500, 2_450), (1_600, 1_700, 2_660)], Some((1_000, 20)));
        // Of equals the latest: the clocks have drifted.
        check(&[(0, 10, 105), (50, 60, 156)], Some((101, 10)));
        // A clock that was set back in between tells nothing.
        check(&[(1_000, 900, 5_000)], None);
    }

    #[test]
    fn old_round_trips_are_forgotten() {
        let mut trips = vec![(0, 0, 77)];
        trips.extend((1..=8).map(|n| (n * 100, n * 100 + 50, n * 100 + 25)));
        check(&trips, Some((0, 50)));
    }

    fn playback(is_playing: bool) -> PlaybackView {
        serde_json::from_value(serde_json::json!({
            "state": "ok", "epoch": 1, "is_playing": is_playing, "progress_ms": 10_000, "as_of": 500_000,
            "track": {"uri": "spotify:track:1", "name": "n", "artists": [], "album": null, "image_url": null,
                      "duration_ms": 15_000, "explicit": false, "url": null},
            "device": null, "added_by": null
        }))
        .expect("a playback")
    }

    fn check_position(is_playing: bool, t: i64, expected: u64) {
        assert_eq!(position_at(&playback(is_playing), Timestamp(t)), expected, "playing {is_playing} at {t}");
    }

    #[test]
    fn the_position_runs_while_it_plays_and_stays_within_the_track() {
        check_position(true, 500_000, 10_000);
        check_position(true, 502_500, 12_500);
        check_position(true, 499_000, 9_000);
        check_position(true, 400_000, 0);
        check_position(true, 900_000, 15_000);
        check_position(false, 502_500, 10_000);
    }
}
