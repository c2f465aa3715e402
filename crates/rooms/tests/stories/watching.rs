//! What Spotify is seen to play.

use rooms::{Command, OrderOutcome, PlaybackState, PlayerSeen, Seen, Sight, Trouble};

use crate::check::{ADA, Party, SONG_MS, count, kitchen, player, uri};

fn advert() -> PlayerSeen {
    PlayerSeen { item: Seen::Private, ..player("a", None) }
}

#[test]
fn what_is_a_new_epoch() {
    let check = |name: &str, happens: fn(&mut Party), epoch: u64| {
        let mut party = Party::of(0, count(1));
        assert_eq!(party.epoch(), 1);
        happens(&mut party);
        assert_eq!(party.epoch(), epoch, "{name}");
    };
    check(
        "the same song goes on",
        |party| {
            party.waits(60_000);
            party.hears("a", 60_000);
        },
        1,
    );
    check(
        "another song",
        |party| {
            party.waits(60_000);
            party.hears("b", 0);
        },
        2,
    );
    check(
        "the same song again after its end",
        |party| {
            party.waits(SONG_MS + 800);
            party.hears("a", 800);
        },
        2,
    );
    check(
        "the same song again, seen late",
        |party| {
            party.waits(SONG_MS + 90_000);
            party.hears("a", 90_000);
        },
        2,
    );
    check(
        "a seek back",
        |party| {
            party.waits(100_000);
            party.hears("a", 2_000);
        },
        1,
    );
    check(
        "the song begun again by the host's own app",
        |party| {
            party.waits(100_000);
            party.sees(PlayerSeen { from_start: true, ..player("a", 2_000) }, true);
        },
        2,
    );
    check(
        "the same start, seen again",
        |party| {
            party.waits(30_000);
            party.sees(PlayerSeen { from_start: true, ..player("a", 30_000) }, true);
        },
        1,
    );
    check(
        "a seek of the room's own to the start",
        |party| {
            party.waits(100_000);
            party.does(ADA, Command::Seek { position_ms: 0 }).expect("the host may");
            party.carries_out();
            party.waits(5_000);
            party.sees(PlayerSeen { from_start: true, ..player("a", 5_000) }, true);
        },
        1,
    );
    check(
        "a pause and on",
        |party| {
            party.waits(10_000);
            party.sees(PlayerSeen { is_playing: false, ..player("a", 10_000) }, true);
            party.waits(SONG_MS);
            party.hears("a", 10_000);
        },
        1,
    );
    check(
        "a skip on a song that is alone",
        |party| {
            party.waits(60_000);
            party.skips(ADA);
            party.carries_out();
            party.waits(500);
            party.hears("a", 450);
        },
        2,
    );
    check(
        "the song that plays, chosen again",
        |party| {
            party.waits(60_000);
            party.does(ADA, Command::PlayNow { uri: uri("a") }).expect("the host may");
            party.carries_out();
            party.waits(500);
            party.hears("a", 450);
        },
        2,
    );
    check(
        "back to the start of the first song",
        |party| {
            party.waits(60_000);
            party.does(ADA, Command::Previous).expect("the host may");
            party.carries_out();
            party.waits(500);
            party.hears("a", 450);
        },
        2,
    );
    check(
        "an echo of a skip on a song that is alone",
        |party| {
            party.waits(60_000);
            party.skips(ADA);
            party.carries_out();
            party.waits(300);
            party.hears("a", 58_000);
        },
        1,
    );
    check(
        "an advert",
        |party| {
            party.waits(SONG_MS);
            party.sees(advert(), true);
            party.waits(5_000);
            party.sees(advert(), true);
        },
        2,
    );
    check(
        "an advert over a busy moment",
        |party| {
            party.waits(SONG_MS);
            party.sees(advert(), true);
            party.room.trouble(party.now, Trouble::Busy { until: party.now.plus_ms(1_000) });
            party.waits(5_000);
            party.sees(advert(), true);
        },
        2,
    );
    check(
        "nothing",
        |party| {
            party.waits(10_000);
            party.sees(None, true);
            party.waits(10_000);
            party.sees(None, false);
        },
        2,
    );
    check(
        "nothing, and on",
        |party| {
            party.waits(10_000);
            party.sees(None, true);
            party.waits(10_000);
            party.hears("a", 10_000);
        },
        3,
    );
}

#[test]
fn a_stale_answer_after_a_change_is_an_echo() {
    let check = |stale_ms: u64, after_ms: u64, left_at: u64| {
        let mut party = Party::of(1, count(2));
        party.waits(left_at);
        assert_eq!(party.hears("b", 0), Sight::Changed);
        party.votes("guest-1");
        party.waits(after_ms);
        let shown = left_at + after_ms - stale_ms;
        assert_eq!(party.hears("a", shown), Sight::Echo, "{stale_ms} {after_ms} {left_at}");
        assert_eq!((party.epoch(), party.tally().0), (2, 1), "{stale_ms} {after_ms} {left_at}");
    };
    for left_at in [20_000, 60_000, SONG_MS] {
        for after_ms in [0, 300, 1_000, 2_500] {
            for behind in [0, 500, 3_000] {
                check(after_ms + behind.min(3_000 - after_ms), after_ms, left_at);
            }
        }
    }
}

#[test]
fn a_step_back_in_earnest_is_none() {
    let mut party = Party::of(0, count(1));
    party.waits(60_000);
    party.hears("b", 0);
    party.waits(2_000);
    assert_eq!(party.hears("a", 700), Sight::Changed);
    assert_eq!(party.epoch(), 3);
}

#[test]
fn after_the_echo_has_died_away_an_old_song_is_news() {
    let mut party = Party::of(0, count(1));
    party.waits(60_000);
    party.hears("b", 0);
    party.waits(3_500);
    assert_eq!(party.hears("a", 60_000), Sight::Changed);
}

#[test]
fn a_stale_answer_after_a_command_is_an_echo() {
    let check = |name: &str, command: Command, stale: &dyn Fn(u64) -> PlayerSeen| {
        let mut party = Party::of(0, count(1));
        party.waits(60_000);
        party.does(ADA, command).expect("it plays");
        party.carries_out();
        let done = party.room.playback().clone();
        party.waits(1_000);
        let shown = stale(61_000);
        assert_eq!(party.sees(shown.clone(), true), Sight::Echo, "{name}");
        assert_eq!(*party.room.playback(), done, "{name}");
        party.waits(2_500);
        assert_eq!(party.sees(shown, true), Sight::Same, "{name}: the look wins in the end");
        assert_ne!(*party.room.playback(), done, "{name}");
    };
    check("a pause", Command::Pause, &|at| player("a", at));
    check("a seek", Command::Seek { position_ms: 150_000 }, &|at| player("a", at));
    check("a play", Command::Play, &|at| PlayerSeen { is_playing: false, ..player("a", at) });
}

#[test]
fn the_volume_that_was_set_stands_until_the_echo_has_died_away() {
    let volume =
        |party: &Party| party.room.playback().device.as_ref().and_then(|device| device.volume_percent);
    let mut party = Party::of(0, count(1));
    party.waits(60_000);
    party.does(ADA, Command::SetVolume { percent: 20 }).expect("it has a volume");
    party.carries_out();
    party.waits(1_000);
    party.hears("a", 61_000);
    assert_eq!(volume(&party), Some(20), "the answer was stale");
    party.waits(60_000);
    party.sees(PlayerSeen { device: Some(kitchen(80)), ..player("a", 121_000) }, true);
    assert_eq!(volume(&party), Some(80), "someone turned it up at the speaker");
}

#[test]
fn small_steps_of_the_position_are_not_shown() {
    let check = |seen: u64, shown: bool| {
        let mut party = Party::of(0, count(1));
        party.waits(60_000);
        party.hears("a", seen);
        assert_eq!(party.last.is_some(), shown, "{seen}");
        let expected = if shown { seen } else { 60_000 };
        assert_eq!(party.room.playback().position(party.now), expected, "{seen}");
    };
    check(60_000, false);
    check(60_999, false);
    check(59_001, false);
    check(61_000, true);
    check(59_000, true);
}

#[test]
fn odd_positions_say_nothing() {
    let check = |name: &str, waits: u64, progress: Option<u64>| {
        let mut party = Party::of(0, count(1));
        party.waits(waits);
        assert_eq!(party.hears("a", progress), Sight::Same, "{name}");
        assert_eq!(party.room.playback().position(party.now), waits.min(SONG_MS), "{name}");
        assert_eq!(party.epoch(), 1, "{name}");
    };
    check("none told", 60_000, None);
    check("none told at the end", SONG_MS + 5_000, None);
    check("past the end, by a little", SONG_MS + 1_000, Some(SONG_MS + 1_000));
    check("past the end, by far", SONG_MS + 9_000, Some(SONG_MS + 9_000));
    check("past the end, out of the blue", 60_000, Some(SONG_MS + 2_001));
}

#[test]
fn how_things_are() {
    let check = |name: &str, seen: Option<PlayerSeen>, devices: bool, state: PlaybackState, votable: bool| {
        let mut party = Party::of(0, count(1));
        party.waits(10_000);
        party.sees(seen, devices);
        assert_eq!(party.room.playback().state, state, "{name}");
        assert_eq!(party.room.playback().track.is_some(), votable, "{name}");
        assert_eq!(party.room.ballot().is_some(), votable, "{name}: the skip section");
    };
    let nothing = || PlayerSeen { item: Seen::Nothing, is_playing: false, ..player("a", None) };
    check("a song", Some(player("a", 10_000)), true, PlaybackState::Ok, true);
    check("204, with devices", None, true, PlaybackState::Idle, false);
    check("204, without", None, false, PlaybackState::NoDevice, false);
    check("a device and nothing on it", Some(nothing()), true, PlaybackState::Idle, false);
    check("an advert", Some(advert()), true, PlaybackState::Private, false);
    check(
        "an unknown item that does not sound",
        Some(PlayerSeen { is_playing: false, ..advert() }),
        true,
        PlaybackState::Idle,
        false,
    );
}

#[test]
fn trouble_passes_and_what_plays_stays() {
    for trouble in [Trouble::Unavailable, Trouble::Busy { until: crate::check::START.plus_ms(90_000) }] {
        let mut party = Party::of(1, count(2));
        party.votes("guest-1");
        party.waits(60_000);
        party.room.trouble(party.now, trouble);
        assert!(party.commit());
        let playback = party.room.playback();
        assert_ne!(playback.state, PlaybackState::Ok);
        assert_eq!(playback.track.as_ref().map(|track| track.name.as_str()), Some("a"));
        party.room.trouble(party.now, trouble);
        assert!(!party.commit(), "the same trouble is no news");
        party.waits(30_000);
        party.hears("a", 90_000);
        let playback = party.room.playback();
        assert_eq!((playback.state, playback.retry_at, playback.epoch), (PlaybackState::Ok, None, 1));
        assert_eq!(party.tally().0, 1, "the vote stands");
    }
}

#[test]
fn without_the_hosts_authorization_nothing_of_spotifys_is_kept() {
    let mut party = Party::of(1, count(2));
    party.waits(60_000);
    party.hears("b", 0);
    party.votes("guest-1");
    party.does(ADA, Command::Pause).expect("it plays");
    let order = party.order().expect("a pause").id;
    party.room.trouble(party.now, Trouble::NeedsHost);
    party.commit();
    let playback = party.room.playback();
    assert_eq!(playback.state, PlaybackState::NeedsHost);
    assert!(playback.track.is_none() && playback.device.is_none() && playback.before.is_none());
    assert!(party.room.ballot().is_none() && party.orders() == 0);
    assert_eq!(party.told(), ["\"action_failed\""]);
    assert_eq!(party.epoch(), 3, "the song is no longer what plays");
    assert!(!party.stored.values().any(|value| String::from_utf8_lossy(value).contains("spotify:track")));
    party.answers(order, OrderOutcome::Done);
    party.room.host_connected(party.now, "ada-at-spotify".parse().expect("an account"));
    party.commit();
    assert_eq!(party.room.playback().state, PlaybackState::Idle);
}

#[test]
fn another_account_plays_something_else() {
    let mut party = Party::of(0, count(1));
    party.room.host_connected(party.now, "ada-at-spotify".parse().expect("an account"));
    assert!(!party.commit(), "the same account is no news");
    assert!(party.room.playback().track.is_some());
    party.room.host_connected(party.now, "somebody-else".parse().expect("an account"));
    party.commit();
    assert_eq!(party.room.account().as_str(), "somebody-else");
    assert!(party.room.playback().track.is_none());
}
